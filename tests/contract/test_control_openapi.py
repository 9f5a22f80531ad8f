"""The OpenAPI document of the control API: every route stands in it, no other, and real answers are as it says."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator

from fakeio import Fake
from fakeio.edge.control_app import ROUTES
from fakeio.edge.control_http import ControlRoute
from fakeio.edge.control_openapi import ANSWERS, BODIES
from tests.contract import controlling
from tests.contract.controlling import Control

fake, control = controlling.fake, controlling.control

METHODS = ("get", "put", "post", "patch", "delete")


@pytest.fixture(scope="module")
def document(fake: Fake) -> Any:
    with httpx.Client(transport=fake.transport, base_url=controlling.ADDRESS) as client:
        return client.get("/_fakeio/openapi.json").json()


def flaws(document: Any, schema: Any, value: Any) -> list[str]:
    """What a schema of the document has against a value."""
    whole = {**schema, "components": document["components"]}
    return [f"{list(found.absolute_path)}: {found.message}" for found in Draft202012Validator(whole).iter_errors(value)]


def schema_of(document: Any, route: str, status: int) -> Any:
    method, path = route.split(" ", 1)
    answers = document["paths"][path][method.lower()]["responses"]
    return answers[str(status) if status < 400 else "4XX"]["content"]["application/json"]["schema"]


# ---- the document and the routes -------------------------------------------------------------------------------------

def test_the_document_has_every_route_and_no_other(document: Any) -> None:
    described = [(method.upper(), path) for path, item in document["paths"].items() for method in item]
    assert sorted(described) == sorted((route.method, route.path) for route in ROUTES)
    assert all(method in METHODS for item in document["paths"].values() for method in item)


def test_every_described_route_is_served_and_no_other_method(document: Any, control: Control) -> None:
    for path, item in document["paths"].items():
        here = path.format(w=control.handle.id, cio_id="nobody", n=1, id=1)
        for method in METHODS:
            answer = control.client.request(method, here)
            known = answer.status_code not in (404, 405) or answer.json()["error"]["code"] not in (
                "wrong_method", "unknown_route",
            )  # fmt: skip
            assert known == (method in item), (method, path)


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_a_route_is_described_with_all_that_it_takes(document: Any, route: ControlRoute) -> None:
    told = document["paths"][route.path][route.method.lower()]
    named = [(each["name"], each["in"]) for each in told["parameters"]]
    assert named == [(name, "path") for name in re.findall(r"{(\w+)}", route.path)] + [
        (name, "query") for name in route.query
    ]
    assert told["summary"].endswith(".")
    assert sorted(told["responses"]) == sorted([str(route.status), "4XX"])
    assert ("requestBody" in told) == (route.fields is not None)
    if route.fields:
        body = told["requestBody"]["content"]["application/json"]["schema"]
        while "$ref" in body:
            body = document["components"]["schemas"][body["$ref"].rpartition("/")[2]]
        assert sorted(body["properties"]) == sorted(route.fields)


def test_names_are_used_once_and_all_of_them(document: Any) -> None:
    names = [operation["operationId"] for item in document["paths"].values() for operation in item.values()]
    assert len(names) == len(set(names))
    answering = {route.handler.__name__ for route in ROUTES if route.status != 204} - {"export_one", "export_all"}
    taking = {route.handler.__name__ for route in ROUTES if route.fields is not None}
    assert (set(ANSWERS), set(BODIES)) == (answering, taking)
    text = str(document)
    assert [name for name in document["components"]["schemas"] if f"#/components/schemas/{name}'" not in text] == []


def test_every_schema_is_sound(document: Any) -> None:
    for schema in document["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)
    for item in document["paths"].values():
        for operation in item.values():
            for each in operation["parameters"]:
                Draft202012Validator.check_schema(each["schema"])


# ---- answers ---------------------------------------------------------------------------------------------------------

def live_a_little(control: Control) -> None:
    """One of everything that a workspace can hold."""
    handle = control.handle
    handle.add_person(id="1", email="a@example.com", devices=[{"token": "t", "platform": "ios"}])
    control.identify("1", plan="pro")
    control.identify("1", plan="pro")
    control.track("POST", "/api/v1/customers/1/events", {"name": "order", "data": {"total": 3}})
    control.track("POST", "/api/v1/events", {"name": "visit", "anonymous_id": "anon"})
    control.track("POST", "/api/v1/customers/1/events", {"name": ""})
    handle.add_segment("VIP")
    handle.add_segment("Paying", type="dynamic", conditions={"attribute": {"field": "plan", "operator": "exists"}})
    control.track("POST", "/api/v1/segments/1/add_customers", {"ids": ["1", "nobody"]})
    control.track("POST", "/api/v1/customers/9/suppress", {})
    relation = {"identifiers": {"id": "1"}}
    control.track("POST", "/api/v2/entity", {
        "type": "object", "action": "identify", "identifiers": {"object_type_id": "1", "object_id": "acme"},
        "attributes": {"name": "Acme"}, "cio_relationships": [relation],
    })  # fmt: skip
    control.client.post(
        "/v1/send/email", headers={"authorization": f"Bearer {handle.app_api_key}"},
        json={"to": "a@example.com", "identifiers": {"id": "1"}, "subject": "s", "body": "b", "from": "b@example.com"},
    )  # fmt: skip
    handle.fault("latency", seconds=0, match={"path": "/nowhere"}, times=2)
    handle.fault("status", status=503, match={"path": "/api/v1/customers/5"})
    control.identify("5")
    handle.clear_faults()
    handle.fault("reset", match={"path": "/nowhere", "probability": 0.5})


def looks(control: Control) -> list[tuple[str, str]]:
    """Routes without a body, as (route, path to ask)."""
    cio_id = control.handle.people[0].cio_id
    w = "/_fakeio/workspaces/{w}"
    asked = [
        (route, route) for route in (
            "/_fakeio/health", "/_fakeio/openapi.json", "/_fakeio/limits", "/_fakeio/coverage",
            "/_fakeio/settings-catalogue", "/_fakeio/workspaces", w, *(
                f"{w}/{plural}" for plural in (
                    "people", "events", "segments", "activities", "objects", "deliveries", "suppressions", "requests",
                    "ignored", "faults", "clock", "settings", "snapshot",
                )
            ),
        )
    ]  # fmt: skip
    asked += [(f"{w}/requests/{{n}}", f"{w}/requests/{n}") for n in range(1, 5)]
    asked += [(f"{w}/requests/{{n}}/explain", f"{w}/requests/{n}/explain") for n in range(1, 10)]
    asked += [(f"{w}/diff", f"{w}/diff?with=default")]
    asked += [(f"{w}/segments/{{id}}/members", f"{w}/segments/1/members")]
    why = f"{w}/people/{{cio_id}}/explain"
    asked += [(why, f"{w}/people/{cio_id}/explain{query}") for query in ("", "?attribute=plan", "?segment=1")]
    return [(f"GET {route}", path.replace("{w}", str(control.handle.id))) for route, path in asked]


def test_answers_are_as_described(document: Any, control: Control) -> None:
    live_a_little(control)
    found = {}
    for route, path in looks(control):
        answer = control.client.get(path)
        assert answer.status_code == 200, path
        found[path] = flaws(document, schema_of(document, route, 200), answer.json())
    assert {path: told for path, told in found.items() if told} == {}


CHANGES: list[tuple[str, str, Any, int]] = [
    ("POST", "/_fakeio/workspaces", {"name": "n", "region": "eu", "seed": {"people": [{"id": "1"}]}}, 201),
    ("POST", "/people", {"people": [{"id": "2", "attributes": {"plan": "pro"}}]}, 201),
    ("POST", "/segments", {"name": "New", "type": "manual"}, 201),
    ("POST", "/fork", {"name": "fork"}, 201),
    ("POST", "/verify", {"path": "/api/v1/customers/7", "body": {"plan": "free"}, "times": 2}, 200),
    ("POST", "/faults", {"kind": "throttle", "per_s": 3, "match": {"api": "track"}}, 201),
    ("PUT", "/faults", {"faults": [{"kind": "status", "status": 500}]}, 200),
    ("PUT", "/clock", {"advance": 60}, 200),
    ("PATCH", "/settings", {"auto_merge": False}, 200),
]


@pytest.mark.parametrize(("method", "path", "body", "status"), CHANGES, ids=lambda value: str(value)[:20])
def test_changes_take_and_answer_what_is_described(
    document: Any, control: Control, method: str, path: str, body: Any, status: int
) -> None:
    control.identify("1", plan="pro")
    route = path if path.startswith("/_fakeio") else "/_fakeio/workspaces/{w}" + path
    answer = control.client.request(method, route.replace("{w}", str(control.handle.id)), json=body)
    told = document["paths"][route][method.lower()]
    assert answer.status_code == status
    assert flaws(document, told["requestBody"]["content"]["application/json"]["schema"], body) == []
    assert flaws(document, schema_of(document, f"{method} {route}", status), answer.json()) == []


def test_an_undescribed_field_would_be_noticed(document: Any, control: Control) -> None:
    live_a_little(control)
    people = control.get("/people")
    people["people"][0]["nickname"] = "Al"
    schema = schema_of(document, "GET /_fakeio/workspaces/{w}/people", 200)
    assert "nickname" in str(flaws(document, schema, people))
    del people["people"][0]["nickname"], people["people"][0]["email"]
    assert "email" in str(flaws(document, schema, people))


@pytest.mark.parametrize(("method", "path", "body"), [
    ("GET", "/people?limit=0", None), ("POST", "/people", {"people": 1}), ("GET", "/requests/99", None),
    ("DELETE", "/faults/99", None), ("PUT", "/clock", {}), ("POST", "/verify", {"times": "x"}),
    ("PUT", "/nowhere", {}), ("PATCH", "/people", {}), ("GET", "/export?as=x", None),
    ("POST", "/faults", {"kind": "x"}),
])  # fmt: skip
def test_every_refusal_has_one_shape(document: Any, control: Control, method: str, path: str, body: Any) -> None:
    answer = control.send(method, path, body)
    assert 400 <= answer.status_code < 500
    assert flaws(document, document["components"]["schemas"]["Error"], answer.json()) == []
