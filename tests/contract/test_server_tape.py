"""The tape and the registry behind the server: what is kept of an exchange, for how long, and whose it is."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from fakeio.app import build_app, build_universe
from fakeio.core.rules import RULES
from fakeio.edge import track_v1
from fakeio.edge.credentials import DEFAULT_CREDENTIALS, Credentials
from fakeio.edge.http import RawRequest, Reply
from fakeio.edge.registry import Options, Registry
from fakeio.edge.tape import Tape, as_row
from fakeio.server import ThreadedServer
from tests.contract import live as fixtures
from tests.contract.live import NOW, Live, Site

live, site = fixtures.live, fixtures.site


def request(body: bytes = b"") -> RawRequest:
    return RawRequest("PUT", "/x", b"", (), body)


def play(tape: Tape, *bodies: bytes) -> None:
    """One exchange after another, each answered with two bytes."""
    for body in bodies:
        tape.close(tape.open(NOW, "track", request(body)), Reply(200, (), b"{}"), 0.001)


# ---- what is kept ----------------------------------------------------------------------------------------------------


def test_the_oldest_exchanges_give_way_to_the_count() -> None:
    tape = Tape(limit=3)
    play(tape, *[b"x"] * 5)
    assert [exchange.n for exchange in tape] == [3, 4, 5]
    assert (len(tape), tape.last, tape.dropped) == (3, 5, 2)
    assert [tape.get(n) is not None for n in (0, 2, 3, 5, 6)] == [False, False, True, True, False]
    assert [exchange.n for exchange in tape.after(3)] == [4, 5]
    assert [exchange.n for exchange in tape.after(0)] == [3, 4, 5]


def test_the_oldest_exchanges_give_way_to_the_bytes() -> None:
    tape = Tape(limit_bytes=100_000)
    play(tape, *[b"x" * 30_000] * 5)
    assert [exchange.n for exchange in tape] == [3, 4, 5]
    play(tape, b"x" * 200_000)
    assert (len(tape), tape.last, tape.dropped) == (0, 6, 6)


def test_numbers_go_on_when_the_tape_is_cleared_or_off() -> None:
    tape = Tape()
    play(tape, b"", b"")
    tape.clear()
    play(tape, b"")
    assert [exchange.n for exchange in tape] == [3]
    off = Tape(recording=False)
    play(off, b"", b"")
    assert (len(off), off.last, off.dropped) == (0, 2, 0)


def test_an_exchange_that_outlives_the_tape_s_bounds_leaves_no_trace() -> None:
    tape = Tape(limit=1)
    held = tape.open(NOW, "track", request())
    play(tape, b"", b"")
    tape.close(held, Reply(200), 1.0)
    assert [exchange.n for exchange in tape] == [3]


# ---- what is shown ---------------------------------------------------------------------------------------------------


def test_a_row_tells_everything_but_the_credentials(site: Site) -> None:
    site.stop_clock()
    site.track.put("/api/v1/customers/a%2Fb?x=1&y", json={"plan": "pro"}, headers={"x-more": "1", "cookie": "secret"})
    row = as_row(site.last())
    told = {
        "n": 1, "at": NOW, "api": "track", "method": "PUT", "path": "/api/v1/customers/a%2Fb", "query": "x=1&y",
        "body": {"plan": "pro"}, "status": 200, "response": {}, "faults": [], "cut": None, "error": None,
    }  # fmt: skip
    assert {name: row[name] for name in told} == told
    assert row["headers"]["authorization"] == "Basic ***"
    assert (row["headers"]["cookie"], row["headers"]["x-more"]) == ("***", "1")
    assert row["response_headers"]["status"] == "200 OK"
    [operation] = row["operations"]
    applied = {"operation": "identify", "outcome": "applied", "reason": None, "rule": None, "explanation": None}
    assert operation.items() >= applied.items()
    for secret in (*site.basic, "secret"):
        assert secret not in repr(row)


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        pytest.param(b"", None, id="nothing"),
        pytest.param(b'{"a":[1,null]}', {"a": [1, None]}, id="JSON"),
        pytest.param(b"5", 5, id="a number"),
        pytest.param("é{".encode(), "é{", id="text"),
        pytest.param(b"\xff\x00", {"base64": "/wA="}, id="bytes"),
        pytest.param(b"[" * 1000 + b"]" * 1000, "[" * 1000 + "]" * 1000, id="a bomb of brackets is text"),
    ],
)
def test_a_body_is_shown_as(body: bytes, shown: Any) -> None:
    tape = Tape()
    play(tape, body)
    [exchange] = tape
    assert as_row(exchange)["body"] == shown


def test_headers_that_come_twice_are_shown_once(site: Site) -> None:
    site.track.get("/auth", headers=[("x-a", "1"), ("x-a", "2")])
    assert as_row(site.last())["headers"]["x-a"] == "1, 2"
    site.app.get("/v1/segments")
    assert as_row(site.last())["headers"]["authorization"] == "Bearer ***"


@pytest.mark.parametrize(
    ("call", "row"),
    [
        pytest.param(
            ("PUT", "/api/v1/customers/1", {"email": "b@example.com"}),
            {"operation": "identify", "outcome": "ignored", "reason": "fixed", "rule": "identifier.fixed"},
            id="ignored",
        ),
        pytest.param(
            ("PUT", "/api/v1/customers/1", {"id": ""}),
            {"operation": "identify", "outcome": "refused", "reason": "required", "rule": "track.person.id.empty",
             "explanation": "id attribute cannot be an empty string"},
            id="refused",
        ),
    ],
)  # fmt: skip
def test_an_outcome_is_shown_with_its_rule(site: Site, call: tuple[str, str, Any], row: dict[str, str]) -> None:
    site.identify("1", email="a@example.com")
    method, path, body = call
    site.track.request(method, path, json=body)
    [shown] = as_row(site.last())["operations"]
    assert shown.items() >= row.items()
    assert shown["explanation"]
    assert shown["rule"] in RULES


def test_parts_that_did_not_take_effect_are_notes(site: Site) -> None:
    site.identify("1", email="a@example.com")
    site.identify("1", email="b@example.com", plan="pro")
    [shown] = as_row(site.last())["operations"]
    assert (shown["outcome"], [note["rule"] for note in shown["notes"]]) == ("applied", ["identifier.fixed"])


def test_a_bug_of_the_fake_is_an_honest_500_and_kept_for_the_fixture(monkeypatch: pytest.MonkeyPatch) -> None:
    universe = build_universe()
    hosted = universe.registry.default
    with ThreadedServer(build_app(universe)) as server, monkeypatch.context() as patch:
        patch.setattr(track_v1, "from_path", lambda *_: 1 / 0)
        response = httpx.put(f"{server.bound.url}/api/v1/customers/1", json={}, auth=_default_pair(), verify=False)
    assert response.status_code == 500
    assert "a bug in fakeio" in response.text
    assert [type(error) for error in hosted.errors] == [ZeroDivisionError]
    [exchange] = hosted.tape
    assert as_row(exchange)["error"] == "ZeroDivisionError('division by zero')"


def _default_pair() -> tuple[str, str]:
    return DEFAULT_CREDENTIALS.site_id, DEFAULT_CREDENTIALS.track_api_key


# ---- whose it is -----------------------------------------------------------------------------------------------------


def test_requests_without_known_credentials_are_on_the_default_tape() -> None:
    universe = build_universe()
    other = universe.registry.create()
    with ThreadedServer(build_app(universe)) as server:
        httpx.get(f"{server.bound.url}/nope", verify=False)
        httpx.get(f"{server.bound.url}/auth", auth=("nobody", "nothing"), verify=False)
        httpx.get(f"{server.bound.url}/auth", auth=("nobody", other.credentials.track_api_key), verify=False)
    assert [exchange.request.path for exchange in universe.registry.default.tape] == ["/nope", "/auth"]
    assert [exchange.status for exchange in other.tape] == [401]


def test_fresh_credentials_have_the_documented_shapes_and_are_never_twice_the_same() -> None:
    one, two = Credentials.fresh(), Credentials.fresh()
    shapes = {name: len(getattr(one, name)) for name in one.__struct_fields__}
    assert shapes == {
        "site_id": 20, "track_api_key": 20, "app_api_key": 32, "pipelines_write_key": 20, "service_token": 28,
        "webhook_signing_key": 20,
    }  # fmt: skip
    assert one.service_token.startswith("sa_live_")
    assert int(one.site_id + one.app_api_key, 16) != int(two.site_id + two.app_api_key, 16)


def test_workspaces_are_found_by_id_and_by_what_opens_them() -> None:
    registry = Registry()
    made = registry.create(name="a")
    keys = made.credentials
    assert [registry.get(which) for which in ("default", 1, "2", "3", "two", "²", "9" * 30)] == [
        registry.default, registry.default, made, None, None, None, None,
    ]  # fmt: skip
    assert list(registry) == [registry.default, made]
    assert registry.by_site_id(keys.site_id) is made
    assert registry.by_site_id(keys.track_api_key) is None
    assert registry.by_basic(keys.site_id, keys.track_api_key) is made
    assert registry.by_basic(keys.site_id, DEFAULT_CREDENTIALS.track_api_key) is None
    assert registry.by_app_key(keys.app_api_key) is made
    assert registry.by_app_key(keys.site_id) is None


def test_a_removed_workspace_opens_nothing_any_more(live: Live) -> None:
    site = live.site()
    assert site.track.get("/auth").status_code == 200
    live.universe.registry.remove(site.hosted)
    assert site.track.get("/auth").status_code == 401
    assert site.app.get("/v1/segments").status_code == 401
    with pytest.raises(ValueError, match="reset it instead"):
        live.universe.registry.remove(live.universe.registry.default)
    with pytest.raises(ValueError, match="region is one of us, eu"):
        live.universe.registry.create(region="mars")


def test_a_reset_restores_settings_and_seed_and_keeps_the_credentials(live: Live) -> None:
    site = live.site(settings={"auto_merge": False}, seed={"people": [{"id": "1", "attributes": {"plan": "pro"}}]})
    site.stop_clock()
    site.identify("1", plan="free")
    site.identify("2")
    site.hosted.weather.add({"kind": "status", "status": 503})
    site.hosted.state.settings = site.hosted.state.settings.with_({"auto_merge": True})
    site.hosted.reset()
    assert site.people() == [{"id": "1", "plan": "pro"}]
    assert (len(site.hosted.tape), site.hosted.tape.last, bool(site.hosted.weather)) == (0, 0, False)
    assert (site.hosted.clock.mode, site.hosted.state.settings.auto_merge) == ("real", False)
    assert site.track.get("/auth").status_code == 200


def test_the_options_of_a_server_hold_for_every_workspace() -> None:
    registry = Registry(Options(settings={"rate_limits": "off"}, tape_limit=5, tape_limit_bytes=6, recording=False))
    for hosted in (registry.default, registry.create(settings={"auto_merge": False})):
        tape = hosted.tape
        assert hosted.state.settings.rate_limits == "off"
        assert (tape.limit, tape.limit_bytes, tape.recording) == (5, 6, False)


def test_headers_that_nobody_repeats_do_not_fill_the_memory() -> None:
    registry = Registry()
    first = registry.claim(b"Bearer nobody")
    for n in range(10_050):
        registry.claim(b"Bearer %d" % n)
    assert registry.claim(b"Bearer nobody") is first
    assert registry.claim(b"Bearer " + DEFAULT_CREDENTIALS.app_api_key.encode()).hosted is registry.default
    assert len(registry._claims) == 10_000
