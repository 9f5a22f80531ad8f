"""App API over a real socket: who may call, what answers strangers and misspelt paths, headers, and the rate limit."""

from __future__ import annotations

import pytest

from tests.contract import live as fixtures
from tests.contract import plain
from tests.contract.live import Live, Site, basic_header

live, site = fixtures.live, fixtures.site

UNAUTHORIZED = b'{"errors":[{"detail":"unauthorized","status":"401"}]}'
HEADERS = {
    "content-type": "application/json; charset=utf-8",
    "cache-control": "must-revalidate,no-cache,no-store",
    "pragma": "no-cache",
    "expires": "0",
    "transfer-encoding": "chunked",
    "x-frame-options": "SAMEORIGIN",
    "x-content-type-options": "nosniff",
    "x-xss-protection": "1; mode=block",
    "referrer-policy": "no-referrer-when-downgrade",
    "access-control-allow-origin": "https://fly.customer.io",
    "access-control-allow-credentials": "true",
    "access-control-allow-methods": "GET, POST, PUT, DELETE, OPTIONS",
    "access-control-max-age": "7200",
    "access-control-allow-headers": (
        "Authorization,Content-Type,x-ui-version,x-is-background-request,x-workspace-hydra-id,x-workspace-id,"
        "x-active-session-index"
    ),
    "via": "1.1 google",
}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        pytest.param("GET", "/v1/customers?email=a%40b.cd", 200, id="recorded"),
        pytest.param("GET", "/v1/exports", 200, id="recorded with null"),
        pytest.param("POST", "/v1/segments", 400, id="a refusal"),
        pytest.param("GET", "/v1/segments/9", 404, id="nothing there"),
        pytest.param("POST", "/v1/send/email", 400, id="a refused send"),
    ],
)
def test_the_recorded_headers_and_no_others(site: Site, method: str, path: str, status: int) -> None:
    response = site.app.request(method, path)
    headers = dict(response.headers)
    del headers["date"]
    assert (response.status_code, headers) == (status, HEADERS)


AUTHORIZATIONS = [
    pytest.param("", id="none"),
    pytest.param("Bearer f0000000000000000000000000000009", id="an unknown key"),
    pytest.param("f0000000000000000000000000000003", id="a key without Bearer"),
    pytest.param(basic_header("f0000000000000000001", "f0000000000000000002").decode()[15:-2], id="Track credentials"),
    pytest.param("Bearer sa_live_f0000000000000000005", id="a service-account token"),
    pytest.param("Bearer", id="a scheme alone"),
    pytest.param("Bearer f0000000000000000002", id="a Track key as token"),
]
PATHS = [
    ("GET", "/v1/segments"), ("POST", "/v1/segments"), ("GET", "/v1/customers?email=x"), ("POST", "/v1/customers"),
    ("GET", "/v1/customers/1/attributes"), ("GET", "/v1/workspaces"), ("DELETE", "/v1/segments/1"), ("GET", "/v1/nope"),
    ("PUT", "/v1/segments/1"),
]  # fmt: skip


@pytest.mark.parametrize("header", AUTHORIZATIONS)
@pytest.mark.parametrize(("method", "path"), PATHS)
def test_one_answer_refuses_all_bad_credentials(live: Live, method: str, path: str, header: str) -> None:
    response = plain.request(method, f"{live.url}{path}", headers={"authorization": header} if header else {})
    assert (response.status_code, response.content) == (401, UNAUTHORIZED)


def test_a_refused_key_is_on_the_tape_of_the_workspace_it_belongs_to(site: Site) -> None:
    site.track.get("/v1/segments")
    assert site.outcomes() == [("list_segments", "refused", "auth")]


# ---- sends, which have an envelope of their own ----------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/v1/send/email", "/v1/send/push", "/v1/send/emails"])
def test_strangers_are_refused_in_the_words_of_sends(live: Live, path: str) -> None:
    response = plain.post(f"{live.url}{path}", headers={"authorization": "Bearer nobody"})
    assert (response.status_code, response.content) == (401, b'{"meta":{"error":"Unauthorized"}}')


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/v1/send/emails"), ("GET", "/v1/send/email"), ("POST", "/v1/send/"), ("POST", "/v1/send/email/1")],
)
def test_a_misspelt_send_is_405(site: Site, method: str, path: str) -> None:
    response = site.app.request(method, path)
    assert (response.status_code, list(response.json())) == (405, ["meta"])


@pytest.mark.parametrize(
    ("method", "path", "operation"),
    [
        ("POST", "/v1/track", "pipelines_track"),
        ("POST", "/v1/assets/files", "create_asset"), ("POST", "/v1/assets/folders", "create_asset_folder"),
        ("POST", "/v1/design_studio/folders", "create_design_folder"),
        ("POST", "/v1/design_studio/emails", "create_design_email"),
        ("POST", "/v1/design_studio/components", "create_design_component"),
    ],
)  # fmt: skip
def test_an_operation_that_is_not_imitated_answers_as_unknown(
    site: Site, method: str, path: str, operation: str
) -> None:
    response = site.app.request(method, path)
    assert (response.status_code, response.json()["errors"][0]["status"]) == (404, "404")
    assert site.outcomes() == [(operation, "refused", "route.not_imitated")]


# ---- workspaces ------------------------------------------------------------------------------------------------------


def test_a_key_sees_the_workspaces_of_its_account(live: Live) -> None:
    alone = live.site(name="alone")
    ours, other = live.site(name="ours", account="acme"), live.site(name="other", account="acme", region="eu")
    other.identify("1")
    shared = {"messages_sent": 0, "billable_messages_sent": 0, "object_types": 1, "objects": 0}
    assert alone.app.get("/v1/workspaces").json() == {
        "workspaces": [{"id": alone.hosted.id, "name": "alone", "people": 0, **shared}]
    }
    assert ours.app.get("/v1/workspaces").json() == {
        "workspaces": [
            {"id": ours.hosted.id, "name": "ours", "people": 0, **shared},
            {"id": other.hosted.id, "name": "other", "people": 1, **shared},
        ]
    }


def test_workspaces_know_nothing_of_each_other(live: Live) -> None:
    one, two = live.site(), live.site()
    one.identify("1", plan="pro")
    one.app.post("/v1/segments", json={"segment": {"name": "A"}})
    assert two.people() == []
    assert two.app.get("/v1/segments").json() == {"segments": []}
    assert two.app.get("/v1/customers/1/attributes").status_code == 404


# ---- rate ------------------------------------------------------------------------------------------------------------


def test_the_eleventh_call_of_a_second_is_refused(live: Live) -> None:
    site = live.site(settings={"rate_limits": "enforced"})
    site.stop_clock()
    answers = [site.app.get("/v1/segments") for _ in range(11)]
    assert [answer.status_code for answer in answers] == [200] * 10 + [429]
    assert answers[10].headers["retry-after"] == "1"
    [error] = answers[10].json()["errors"]
    assert error == {"detail": "rate limited to 10 requests per 1s (reference 00000b)", "status": "429"}
    assert site.outcomes() == [("list_segments", "refused", "app.rate")]
    [(_, refused)] = site.last().operations
    assert "manual" in getattr(refused, "message", "")
    site.hosted.clock.advance(1)
    assert site.app.get("/v1/segments").status_code == 200


@pytest.mark.parametrize(
    ("settings", "path", "statuses"),
    [
        pytest.param({}, "/v1/workspaces", {200}, id="workspaces are not limited"),
        pytest.param({"app_rate_limit": 0}, "/v1/segments", {200}, id="no limit by setting"),
        pytest.param({"app_rate_limit": 3}, "/v1/segments", {200, 429}, id="another limit by setting"),
        pytest.param({"rate_limits": "off"}, "/v1/segments", {200}, id="all limits off"),
    ],
)
def test_the_limit_can_be_set(live: Live, settings: dict[str, object], path: str, statuses: set[int]) -> None:
    site = live.site(settings={"rate_limits": "enforced", **settings})
    site.stop_clock()
    assert {site.app.get(path).status_code for _ in range(20)} == statuses


def test_track_is_limited_only_by_setting(live: Live) -> None:
    site = live.site(settings={"rate_limits": "enforced", "track_rate_limit": 2})
    site.stop_clock()
    assert [site.identify("1", n=n).status_code for n in range(3)] == [200, 200, 429]
    assert site.people() == [{"id": "1", "n": 1}]
    free = live.site(settings={"rate_limits": "enforced"})
    free.stop_clock()
    assert {free.identify("1", n=n).status_code for n in range(50)} == {200}


def test_strangers_do_not_use_up_the_limit(live: Live) -> None:
    site = live.site(settings={"rate_limits": "enforced", "app_rate_limit": 1})
    site.stop_clock()
    assert {site.track.get("/v1/segments").status_code for _ in range(5)} == {401}
    assert site.app.get("/v1/segments").status_code == 200
