"""A fault plan is one JSON document: drawn, edited, posted, given back as it was; and it tells the same story twice."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fakeio import Fake, WorkspaceHandle
from fakeio.faults import KINDS
from scenarios.weathers import KINDS as DRAWN
from scenarios.weathers import plans
from tests.contract import controlling
from tests.contract.controlling import ADDRESS, Control
from tests.contract.source_tree import CHECKOUT

fake, control = controlling.fake, controlling.control

FAULTS = "/_fakeio/workspaces/default/faults"
OUTAGE = {"kind": "status", "status": 503}


def asked(given: Mapping[str, Any], shown: Mapping[str, Any]) -> dict[str, Any]:
    """A fault as it is shown, cut down to what was asked for."""
    match = {name: shown["match"][name] for name in given.get("match", {}) if name in shown["match"]}
    return {name: match if name == "match" else shown[name] for name in given if name in shown}


# ---- one document ----------------------------------------------------------------------------------------------------


@settings(max_examples=40)
@given(plan=plans())
def test_a_plan_is_given_back_as_it_was_posted(fake: Fake, plan: list[dict[str, Any]]) -> None:
    with httpx.Client(transport=fake.transport, base_url=ADDRESS) as client:
        for sent in (client.put(FAULTS, json={"faults": plan}), client.post(FAULTS, json={"faults": plan})):
            assert sent.status_code in (200, 201), sent.text
        document = client.get(FAULTS).json()
        shown = document["faults"]
        assert [asked(given, row) for given, row in zip(plan * 2, shown, strict=True)] == plan * 2
        given_back = client.put(FAULTS, json=document).json()["faults"]
        assert [{**row, "id": 0} for row in given_back] == [{**row, "id": 0} for row in shown]


def test_plans_are_drawn_from_every_kind_every_field_and_every_moment() -> None:
    known = {kind: (set(effect.__struct_encode_fields__), effect.moments) for kind, effect in KINDS.items()}
    assert {kind: ({*needed, *possible}, moments) for kind, (needed, possible, moments) in DRAWN.items()} == known


def test_a_plan_is_added_to_what_is_in_force_or_put_in_its_place(control: Control) -> None:
    added = control.send("POST", "/faults", {"faults": [OUTAGE, {"kind": "reset"}]})
    assert (added.status_code, [row["kind"] for row in added.json()["faults"]]) == (201, ["status", "reset"])
    control.send("POST", "/faults", {"kind": "close"})
    assert [(row["id"], row["kind"]) for row in control.get("/faults")["faults"]] == [
        (1, "status"), (2, "reset"), (3, "close"),
    ]  # fmt: skip
    put = control.send("PUT", "/faults", {"faults": [OUTAGE]})
    assert (put.status_code, put.json()) == (200, control.get("/faults"))
    assert [(row["id"], row["kind"]) for row in control.get("/faults")["faults"]] == [(4, "status")]


@pytest.mark.parametrize(("document", "says"), [
    pytest.param({"faults": {}}, "faults is no list of faults", id="no list"),
    pytest.param({"faults": [OUTAGE], "colour": 1}, "unknown field 'colour'", id="an unknown field beside it"),
    pytest.param({"faults": [OUTAGE, {"kind": "storm"}]}, "no kind 'storm'; .* (fault 2 of the plan)", id="its second"),
    pytest.param({"faults": [{**OUTAGE, "colour": 1}]}, "unknown field `colour`", id="an unknown field in a fault"),
])  # fmt: skip
@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_a_plan_with_a_fault_that_cannot_be_changes_nothing(
    control: Control, method: str, document: Any, says: str
) -> None:
    control.send("POST", "/faults", {"kind": "reset"})
    refused = control.send(method, "/faults", document)
    error = refused.json()["error"]
    assert refused.status_code == 400
    pieces = says.split(" .* ")
    assert all(piece in error["message"] for piece in pieces), error["message"]
    assert [row["kind"] for row in control.get("/faults")["faults"]] == ["reset"]


def test_a_handle_takes_and_gives_plans(fake: Fake) -> None:
    space = fake.new_workspace()
    outage, _ = space.load_faults([OUTAGE, {"kind": "garbage", "as": "html"}])
    assert [fault["kind"] for fault in space.faults] == ["status", "garbage"]
    space.load_faults(space.faults)
    assert [(fault["kind"], fault["id"]) for fault in space.faults] == [("status", 3), ("garbage", 4)]
    outage.remove()  # gone already
    space.clear_faults()
    space.fault("garbage", as_="bad_json")
    assert [fault["as"] for fault in space.faults] == ["bad_json"]


# ---- the same story twice --------------------------------------------------------------------------------------------


STEP = st.sampled_from((("PUT", "/api/v1/customers/1"), ("GET", "/v1/segments"), ("GET", "/auth")))
STEPS = st.lists(STEP, max_size=12)
INSTANT = {"status", "throttle", "garbage", "reset", "close", "lose_reply", "truncate", "drop", "delay_visibility"}


def story(space: WorkspaceHandle, client: httpx.Client, steps: Sequence[tuple[str, str]]) -> list[Any]:
    """What came of these requests: a status, or how the connection ended; and which fault struck."""
    seen: list[Any] = []
    for method, path in steps:
        auth = None if path == "/v1/segments" else (space.site_id, space.track_api_key)
        headers = {"authorization": f"Bearer {space.app_api_key}"} if auth is None else {}
        try:
            answer = client.request(method, path, auth=auth, headers=headers, json={} if method == "PUT" else None)
            seen.append(answer.status_code)
        except httpx.TransportError as error:
            seen.append(type(error).__name__)
    return [*seen, *(request.faults for request in space.requests), [one["fired"] for one in space.faults]]


@settings(max_examples=40)
@given(plan=plans(), steps=STEPS, before=plans(max_size=2))
def test_the_same_plan_and_requests_tell_the_same_story(
    fake: Fake, plan: list[dict[str, Any]], steps: list[tuple[str, str]], before: list[dict[str, Any]]
) -> None:
    plan = [fault for fault in plan if fault["kind"] in INSTANT]
    with httpx.Client(transport=fake.transport, base_url=ADDRESS) as client:
        first, second = fake.new_workspace(), fake.new_workspace()
        for space in (first, second):
            space.clock.set(1_780_000_000)
        first.load_faults(plan)
        second.load_faults(before)  # what was in force earlier, and the ids it used up, make no difference
        second.load_faults(plan)
        assert story(first, client, steps) == story(second, client, steps)
        for space in (first, second):
            space.raise_first_error()
            fake.remove_workspace(space)


def test_a_plan_given_back_tells_its_story_again(fake: Fake) -> None:
    space = fake.new_workspace()
    steps = [("GET", "/auth")] * 24
    with httpx.Client(transport=fake.transport, base_url=ADDRESS) as client:
        space.load_faults([{**OUTAGE, "match": {"probability": 0.3}}, {"kind": "reset", "match": {"probability": 0.3}}])
        once = story(space, client, steps)
        plan = json.loads(json.dumps(space.faults))
        space.reset()
        space.fault("close", match={"nth": 99})  # uses up an id
        space.load_faults(plan)
        assert story(space, client, steps) == once
    assert {200, 503, "ReadError"} <= set(once[:24])


# ---- the page --------------------------------------------------------------------------------------------------------

PAGE = (CHECKOUT / "fakeio" / "README.md").read_text(encoding="utf-8")
SECTION = PAGE.partition("## Things going wrong: faults\n")[2].partition("\n## ")[0]


def test_the_page_has_every_kind_with_its_fields_and_its_moments() -> None:
    rows = re.findall(r"^\| `(\w+)` \|(.*)\|.*\|(.*)\|.*\|$", SECTION, re.MULTILINE)
    told = {kind: (re.findall(r"`(\w+)`\??(?=,|:| *$)", fields), moment.strip(" `")) for kind, fields, moment in rows}
    assert told == {
        kind: (list(effect.__struct_encode_fields__), "any" if len(effect.moments) == 3 else effect.moments[0])
        for kind, effect in KINDS.items()
    }


def test_the_plan_on_the_page_can_be_put_in_force(control: Control) -> None:
    example = json.loads(SECTION.partition("```json\n")[2].partition("```")[0])
    answer = control.send("PUT", "/faults", example)
    assert (answer.status_code, len(answer.json()["faults"])) == (200, len(example["faults"]))
