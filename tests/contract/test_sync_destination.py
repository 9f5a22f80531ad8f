"""Finding the right region when no url is prescribed, and refusing the wrong one before any data leaves."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from sync.cohort_sending import find_people, read_members
from sync.core.errors import InDoubt, Refused, SendError, Throttled, Unauthorised, Unreachable
from sync.core.sending import RetryPolicy
from sync.core.wire_account import Account
from sync.destination import Destination
from sync.edge.console import Console
from sync.edge.membership import BUCKETS, Spool
from sync.edge.settings import Settings
from sync.segments import list_segments

ONCE = RetryPolicy(retries=0)
HOSTS = {"us": ("track.customer.io", "api.customer.io"), "eu": ("track-eu.customer.io", "api-eu.customer.io")}
Answer = Callable[[httpx.Request], httpx.Response]


class Wire:
    """Customer.io's hosts as one function, and the hosts that were asked."""

    def __init__(self, answer: Answer) -> None:
        self.asked: list[str] = []
        self._answer = answer
        self.transport = httpx.MockTransport(self._keep)

    def _keep(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.url.host)
        return self._answer(request)


def account_in(region: str, us_host_says: int = 200) -> Answer:
    """An account of that region. The EU host knows only its own; what the US host says to EU accounts is not known."""

    def answer(request: httpx.Request) -> httpx.Response:
        here = "eu" if "-eu" in request.url.host else "us"
        if here == region or (here == "us" and us_host_says == 200):
            return httpx.Response(200, json={"url": "http://evil.test", "region": region, "environment_id": 7})
        return httpx.Response(us_host_says if here == "us" else 401, headers={"location": "http://evil.test/"})

    return answer


def destination(wire: Wire, **settings: Any) -> Destination:
    values = {"site_id": "s", "track_api_key": "t", "app_api_key": "a", "state_path": Path("unused"), **settings}
    return Destination(Settings(**values), Console(stream=io.StringIO()), policy=ONCE, network=wire.transport)


@pytest.mark.parametrize(
    ("home", "configured", "us_host_says", "asked"),
    [
        pytest.param("us", "", 200, ["track.customer.io"], id="an account of the US"),
        pytest.param("eu", "", 200, ["track.customer.io"], id="an account of the EU, told by the US host"),
        pytest.param("eu", "", 401, ["track.customer.io", "track-eu.customer.io"], id="refused by the US host"),
        pytest.param("eu", "", 307, ["track.customer.io", "track-eu.customer.io"], id="redirected by the US host"),
        pytest.param("eu", "eu", 401, ["track-eu.customer.io"], id="configured for the EU"),
    ],
)
def test_both_hosts_follow_the_region(
    home: str, configured: str, us_host_says: int, asked: list[str]
) -> None:
    wire = Wire(account_in(home, us_host_says))
    with destination(wire, region=configured) as place:
        assert place.connect() == Account(home, environment_id=7)
        assert (place.region, wire.asked, place.requests, place.retries) == (home, asked, len(asked), 0)
        place.prove_app_key(None)
        assert wire.asked[-1] == HOSTS[home][1]


@pytest.mark.parametrize(("home", "configured"), [("us", "eu"), ("eu", "us")])
def test_the_right_region_is_named_and_no_data_leaves(home: str, configured: str) -> None:
    wire = Wire(account_in(home))
    words = f"{home.upper()} region"
    with destination(wire, region=configured) as place, pytest.raises(Unauthorised, match=words) as no:
        place.connect()
    assert (no.value.reason, f"CIO_REGION={home}" in no.value.hint) == ("wrong_region", True)
    assert not [host for host in wire.asked if host.startswith("api") or host == "evil.test"]


def test_credentials_that_no_region_knows_are_wrong() -> None:
    wire = Wire(lambda request: httpx.Response(401))
    with destination(wire) as place, pytest.raises(Unauthorised, match="CIO_SITE_ID and CIO_TRACK_API_KEY"):
        place.connect()
    assert wire.asked == ["track.customer.io", "track-eu.customer.io"]


def test_a_prescribed_url_is_the_only_one_asked() -> None:
    wire = Wire(lambda request: httpx.Response(401))
    urls = {"track_url": "http://fake.test", "app_url": "http://fake.test"}
    with destination(wire, **urls) as place, pytest.raises(Unauthorised):
        place.connect()
    assert wire.asked == ["fake.test"]


def test_a_prescribed_server_that_knows_no_regions_is_believed() -> None:
    wire = Wire(lambda request: httpx.Response(404))
    with destination(wire, track_url="http://fake.test", app_url="http://fake.test", region="eu") as place:
        assert (place.connect(), place.region) == (None, "eu")


@pytest.mark.parametrize(
    ("answer", "error", "code"),
    [
        pytest.param(httpx.Response(404), Refused, 4, id="a host that is not Customer.io's"),
        pytest.param(httpx.Response(200, text="<html>"), InDoubt, 1, id="a page in between"),
        pytest.param(httpx.Response(429), Throttled, 1, id="throttled"),
        pytest.param(httpx.ConnectError("no route"), Unreachable, 1, id="nobody there"),
    ],
)
def test_what_else_can_happen_first(answer: httpx.Response | Exception, error: type[SendError], code: int) -> None:
    def give(request: httpx.Request) -> httpx.Response:
        if isinstance(answer, Exception):
            raise answer
        return answer

    with destination(Wire(give)) as place, pytest.raises(error) as raised:
        place.connect()
    assert raised.value.exit_code == code


def app_answers(status: int, **document: Any) -> Wire:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.host.startswith("track"):
            return httpx.Response(200, json={"region": "us", "environment_id": 7})
        return httpx.Response(status, json=document)

    return Wire(answer)


@pytest.mark.parametrize(("status", "words"), [(401, "was refused"), (403, "may not do this")])
def test_a_key_of_the_app_api_is_blamed_by_its_own_name(status: int, words: str) -> None:
    with destination(app_answers(status)) as place:
        place.connect()
        with pytest.raises(Unauthorised, match=f"CIO_APP_API_KEY {words}"):
            list_segments(place)


def test_a_key_of_another_workspace_is_refused_before_it_can_do_harm() -> None:
    with destination(app_answers(200, workspaces=[{"id": 8}])) as place:
        account = place.connect()
        with pytest.raises(Unauthorised, match="not for workspace 7"):
            place.prove_app_key(account)


@pytest.mark.parametrize(
    "wire",
    [
        pytest.param(app_answers(200, workspaces=[{"id": 8}, {"id": 7}]), id="one of several workspaces"),
        pytest.param(app_answers(200, workspaces=None), id="an account that tells nothing"),
        pytest.param(app_answers(403), id="a key that may not list workspaces"),
        pytest.param(app_answers(404), id="a server that lists none"),
    ],
)
def test_a_key_that_cannot_be_shown_to_be_wrong_passes(wire: Wire) -> None:
    with destination(wire) as place:
        place.prove_app_key(place.connect())


def pages(*documents: dict[str, Any]) -> Wire:
    left = list(documents)

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.host.startswith("track"):
            return httpx.Response(200, json={"region": "us"})
        return httpx.Response(200, json=left.pop(0))

    return Wire(answer)


def members(wire: Wire) -> list[bytes]:
    with destination(wire) as place, Spool() as spool:
        place.connect()
        read_members(place, 7, "id", spool)
        return sorted(one for number in range(BUCKETS) for one in spool.bucket(number))


def people(*ids: str, **more: Any) -> dict[str, Any]:
    return {"identifiers": [{"id": one} for one in ids], **more}


def test_members_are_read_to_the_last_page() -> None:
    assert members(pages(people("a", next="1"), people("b", next="2"), people("c", next=""))) == [b"a", b"b", b"c"]
    assert members(pages(people("a"))) == [b"a"]
    assert members(pages({"identifiers": None, "next": None})) == []


def test_a_list_that_bites_its_own_tail_ends() -> None:
    with pytest.raises(Refused, match="no end"):
        members(pages(people("a", next="1"), people("b", next="2"), people("c", next="1")))


def test_a_search_tells_who_is_there_and_who_is_not() -> None:
    wire = pages(people("a", "stranger", next="1"), people("b", next=""))
    with destination(wire) as place:
        place.connect()
        found = list(find_people(place, 7, "id", [b"a", b"b", b"c"], members_only=False))
    assert found == [(frozenset({b"a", b"b"}), frozenset({b"c"}))]
