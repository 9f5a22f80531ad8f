"""Nonsense at every door of a live fake: never a 500, never a hang, never a change where nobody asked for one.

A few hundred requests in an ordinary run; 50,000 with `HYPOTHESIS_PROFILE=night`. The memory of a server is measured
in a process of its own, where nothing else grows.
"""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from fakeio.core.seeding import snapshot
from scenarios import profiles
from tests.contract import live as fixtures
from tests.contract import plain
from tests.contract.live import Live, Site, basic_header
from tests.contract.nonsense import INJECTED, Keys, app_api, control_api, track_v1, track_v2
from tests.contract.serving import serving
from tests.contract.wire import PATIENCE_S, Answer, Visit, pay

live, site = fixtures.live, fixtures.site

NIGHT = profiles.default() == "night"
EXAMPLES = 2_500 if NIGHT else 80  # at each of the four doors
WARM_UP, LONG = (2_000, 10_000) if NIGHT else (20, 20)  # at each door of a server whose memory is measured
MOST_GROWTH_BYTES = 48 * 1024 * 1024
TIDY_EVERY = 100
QUIET = settings(
    deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate, Phase.shrink], database=None
)  # fmt: skip
DOORS = ["Track v1", "Track v2", "App API", "control API"]


def doors(keys: Keys, url: str) -> dict[str, st.SearchStrategy[Visit]]:
    """What to try at each door; the control API is tried as its own description says."""
    description = plain.get(f"{url}/_fakeio/openapi.json").json()
    made = (track_v1(keys), track_v2(keys), app_api(keys), control_api(description, keys))
    return dict(zip(DOORS, made, strict=True))


def knock(port: int, visit: Visit) -> list[Answer]:
    """One visit, and what must hold of its answers whatever was asked."""
    answers = pay(port, visit)
    for answer in answers:
        assert answer.status < 500, answer
        assert b"\r\n" + INJECTED not in answer.head.lower(), answer
    if visit.whole and visit.leave_after is None:
        assert answers, "the server closed the connection without a word"
    return answers


def try_door(port: int, visits: st.SearchStrategy[Visit], times: int, tidy: Callable[[], None]) -> None:
    """So many visits; something tidies up now and then."""
    paid = 0

    @settings(QUIET, max_examples=times)
    @given(visits)
    def one(visit: Visit) -> None:
        nonlocal paid
        knock(port, visit)
        paid += 1
        if paid % TIDY_EVERY == 0:
            tidy()

    one()
    assert paid >= times


# ---- a live server beside the test -----------------------------------------------------------------------------------


def keys_of(site: Site) -> Keys:
    own = site.hosted.credentials
    return Keys(own.site_id, own.track_api_key, own.app_api_key, site.hosted.id)


def everything_about(site: Site) -> dict[str, Any]:
    hosted = site.hosted
    return {"state": snapshot(hosted.state), "settings": hosted.state.settings.as_dict(), "tape": hosted.tape.last,
            "faults": hosted.weather.faults, "clock": hosted.clock.mode}  # fmt: skip


@pytest.mark.parametrize("door", DOORS)
def test_nonsense_gets_an_answer_and_touches_nobody_else(
    live: Live, door: str, caplog: pytest.LogCaptureFixture
) -> None:
    bystander, harmed = live.site(seed=SEED), live.site(seed=SEED)
    before = everything_about(bystander)
    known = {hosted.id for hosted in live.universe.registry}

    def tidy() -> None:
        for hosted in live.universe.registry:
            if hosted.id not in known:
                live.universe.registry.remove(hosted)

    try_door(live.port, doors(keys_of(harmed), live.url)[door], EXAMPLES, tidy)
    assert [error for hosted in live.universe.registry for error in hosted.errors] == []
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == []
    assert everything_about(bystander) == before
    assert bystander.identify("afterwards").status_code == 200


SEED = {
    "people": [{"id": "1", "email": "a@example.com", "attributes": {"plan": "pro"}}, {"id": "2"}],
    "segments": [{"name": "vip", "members": ["1"]}, {"name": "rich", "type": "dynamic", "conditions": {"or": []}}],
}


# ---- what nonsense has found -----------------------------------------------------------------------------------------


def test_a_body_behind_an_offer_to_upgrade_is_read(site: Site) -> None:
    """Java's HTTP client offers h2c with its first request; the body was left unread, and the next request garbled."""
    head = b"PUT /api/v1/customers/7 HTTP/1.1\r\nHost: localhost\r\n" + basic_header(*site.basic)
    offer = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n"
    sized = head + offer + b'Content-Length: 10\r\n\r\n{"plan":1}'
    chunked = head + offer + b'Transfer-Encoding: chunked\r\n\r\n3\r\n{"p\r\n7\r\nlan":2}\r\n0\r\n\r\n'
    plain = head + b'Content-Length: 10\r\n\r\n{"plan":3}'
    for piece_bytes in (0, 1, 50):
        sent = sized + chunked + plain + sized * 3 + plain
        answers = pay(site.live.port, Visit(sent, ("PUT",) * 7, piece_bytes=piece_bytes))
        assert [(one.status, one.body) for one in answers] == [(200, b"{}\n")] * 7
    plans = [exchange.request.body for exchange in site.hosted.tape]
    assert plans[:3] == [b'{"plan":1}', b'{"plan":2}', b'{"plan":3}']


def test_many_offers_at_once_are_each_ignored(site: Site) -> None:
    one = b"GET /auth HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: x\r\n%b\r\n"
    with_body = one % b"Content-Length: 1\r\n" + b"x"
    sent = (one % b"" + with_body) * 1_000
    answers = pay(site.live.port, Visit(sent, ("GET",) * 2_000))
    assert [answer.status for answer in answers] == [401] * 2_000


def test_an_offer_with_a_bad_body_is_refused(site: Site) -> None:
    sent = b"PUT / HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"
    assert [answer.status for answer in pay(site.live.port, Visit(sent, ("PUT",)))] == [400]


def test_an_origin_that_is_no_address_is_a_foreign_one(live: Live) -> None:
    """It made the check itself fail, with a 500."""
    for origin in ("http://[", "http://[::1", "://", "null", ""):
        answer = plain.get(f"{live.url}/_fakeio/health", headers={"origin": origin})
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "foreign_origin")


@pytest.mark.parametrize("field", ["now", "advance"])
def test_a_clock_is_not_set_to_a_time_of_400_digits(live: Live, field: str) -> None:
    """It was too large for the check of whether it is too large, and made a 500."""
    url = f"{live.url}/_fakeio/workspaces/{live.site().hosted.id}/clock"
    answer = plain.put(url, content=b'{"%b": %b}' % (field.encode(), b"9" * 400))
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "bad_clock")


def test_a_client_that_leaves_in_the_middle_of_a_control_call_is_no_error(
    live: Live, caplog: pytest.LogCaptureFixture
) -> None:
    """It put a traceback into the server's log."""
    sent = b"POST /_fakeio/workspaces HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{"
    before = len(list(live.universe.registry))
    assert pay(live.port, Visit(sent, ("POST",), whole=False)) == []
    assert plain.get(f"{live.url}/_fakeio/health").status_code == 200
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []
    assert len(list(live.universe.registry)) == before


# ---- the memory of a server ------------------------------------------------------------------------------------------


def resident_bytes(pid: int) -> int:
    """How much memory a process has in use."""
    status = Path(f"/proc/{pid}/status")
    if status.exists():
        return 1024 * int(status.read_text(encoding="ascii").split("VmRSS:")[1].split()[0])
    told = subprocess.run(["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, text=True, check=True)
    return 1024 * int(told.stdout)


class Measured:
    """A server in a process of its own, with a workspace that may be harmed."""

    def __init__(self, ready: dict[str, Any]) -> None:
        self.pid: int = ready["pid"]
        self.port = int(ready["url"].rpartition(":")[2])
        self.url: str = ready["url"]
        base = f"{ready['url']}/_fakeio"
        self.control = httpx.Client(base_url=base, timeout=PATIENCE_S, verify=False, trust_env=False)
        made = self.control.post("/workspaces", json={"seed": SEED, "settings": {"rate_limits": "off"}}).json()
        self.keys = Keys(made["site_id"], made["track_api_key"], made["app_api_key"], made["id"])
        self.known = {1, made["id"]}

    def tidy(self) -> None:
        """Forget the workspaces that nonsense has made, and what it has put into the other two."""
        for other in self.control.get("/workspaces", params={"limit": 1000}).json()["workspaces"]:
            if other["id"] in self.known:
                self.control.post(f"/workspaces/{other['id']}/reset").raise_for_status()
            else:
                self.control.delete(f"/workspaces/{other['id']}").raise_for_status()


@contextmanager
def measured() -> Iterator[Measured]:
    with serving("--json", "--quiet", "--tape-limit", "500", "--tape-bytes", "4000000") as served:
        server = Measured(served.ready)
        try:
            yield server
        finally:
            server.control.close()


@pytest.mark.parametrize("door", DOORS)
def test_nonsense_does_not_fill_the_memory(door: str, capfd: pytest.CaptureFixture[str]) -> None:
    with measured() as server:
        visits = doors(server.keys, server.url)[door]
        try_door(server.port, visits, WARM_UP, server.tidy)
        server.tidy()
        warm = resident_bytes(server.pid)
        try_door(server.port, visits, LONG, server.tidy)
        server.tidy()
        grown = resident_bytes(server.pid) - warm
    said = capfd.readouterr()
    if NIGHT:
        with capfd.disabled():
            sys.stderr.write(f"{door}: {grown / 1024 / 1024:+.1f} MiB after {LONG} requests of nonsense\n")
    assert grown < MOST_GROWTH_BYTES
    assert "Traceback" not in said.err
