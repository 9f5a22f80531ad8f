"""Manual segments through Track v1: what a call of many ids does to each of them, and what it answers."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract import live as fixtures
from tests.contract.live import Live, Site

live, site = fixtures.live, fixtures.site


def change(site: Site, what: str, ids: Any, query: str = "", segment: str = "1") -> tuple[int, bytes]:
    """Call add_customers (`add`) or remove_customers (`remove`)."""
    response = site.track.post(f"/api/v1/segments/{segment}/{what}_customers{query}", json={"ids": ids})
    return response.status_code, response.content


def members(site: Site, segment: int = 1) -> list[str]:
    """The members as the App API tells them: id, or email where there is no id."""
    page = site.app.get(f"/v1/segments/{segment}/membership").json()
    return [row["id"] or row["email"] for row in page["identifiers"]]


@pytest.fixture
def group(site: Site) -> Site:
    """A workspace with segment 1, people 1, 2 and a@example.com, and the suppressed 9."""
    site.app.post("/v1/segments", json={"segment": {"name": "vip"}})
    for identifier in ("1", "2", "a@example.com", "9"):
        site.identify(identifier)
    site.track.post("/api/v1/customers/9/suppress")
    return site


OK = (200, b"{}\n")
ADDED = [
    pytest.param("", ["1", "2"], ["1", "2"], [None, None], id="ids"),
    pytest.param("", [1, 2], ["1", "2"], [None, None], id="numbers"),
    pytest.param("", ["1", "1"], ["1"], [None, "segment.already_member"], id="one id twice"),
    pytest.param("", ["1", "nobody"], ["1"], [None, "segment.person_unknown"], id="an unknown id"),
    pytest.param("", ["1", "9"], ["1"], [None, "person.suppressed"], id="a suppressed id"),
    pytest.param("", ["a@example.com"], [], ["segment.person_unknown"], id="an email among ids"),
    pytest.param("", ["1", None, {}, True, 1.5], ["1"], [None, *["segment.wrong_id_type"] * 4],
                 id="entries that are no text"),
    pytest.param("?id_type=id", ["1"], ["1"], [None], id="id said outright"),
    pytest.param("?id_type=email", ["A@Example.com", "1"], ["a@example.com"], [None, "segment.wrong_id_type"],
                 id="emails, mixed with ids"),
    pytest.param("?id_type=cio_id", ["a3000001", "cio_a3000002"], ["1"], [None, "segment.person_unknown"],
                 id="cio_ids without and with their prefix"),
]  # fmt: skip


@pytest.mark.parametrize(("query", "ids", "joined", "rules"), ADDED)
def test_an_add_call_joins_whom_it_can(
    group: Site, query: str, ids: list[Any], joined: list[str], rules: list[str | None]
) -> None:
    assert change(group, "add", ids, query) == OK
    assert [rule for _, _, rule in group.outcomes()] == rules
    assert members(group) == joined
    assert len(group.people()) == 3


def test_a_remove_call_takes_out_whom_it_can(group: Site) -> None:
    change(group, "add", ["1", "2"])
    assert change(group, "remove", ["2", "nobody", "2"]) == OK
    assert group.outcomes() == [
        ("leave_segment", "applied", None),
        ("leave_segment", "ignored", "segment.person_unknown"),
        ("leave_segment", "ignored", "segment.not_member"),
    ]
    assert members(group) == ["1"]


REFUSED = [
    pytest.param([str(n) for n in range(1001)], "", "1", "track.segment.ids", id="1001 ids"),
    pytest.param([], "", "1", "track.segment.ids.invalid", id="no ids"),
    pytest.param("1", "", "1", "track.segment.ids.invalid", id="a text"),
    pytest.param(None, "", "1", "track.segment.ids.invalid", id="null"),
    pytest.param(["1"], "?id_type=phone", "1", "track.segment.id_type", id="an unknown id_type"),
    pytest.param(["1"], "", "vip", "track.segment.id.malformed", id="a name instead of a number"),
    pytest.param(["1"], "", "2147483648", "track.segment.id.malformed", id="a number too large"),
    pytest.param(["1"], "", "-1", "track.segment.id.malformed", id="a number below zero"),
]


@pytest.mark.parametrize(("ids", "query", "segment", "rule"), REFUSED)
@pytest.mark.parametrize("what", ["add", "remove"])
def test_a_call_is_refused_as_a_whole(
    group: Site, what: str, ids: Any, query: str, segment: str, rule: str
) -> None:
    response = group.track.post(f"/api/v1/segments/{segment}/{what}_customers{query}", json={"ids": ids})
    assert (response.status_code, list(response.json()["meta"])) == (400, ["errors"])
    assert [found for _, _, found in group.outcomes()] == [rule]
    assert members(group) == []


def test_a_thousand_ids_fit(group: Site) -> None:
    assert change(group, "add", [str(n) for n in range(1000)]) == OK
    assert len(group.outcomes()) == 1000
    assert members(group) == ["1", "2"]


def test_a_segment_of_nobody_and_a_data_driven_one_are_left_alone(live: Live) -> None:
    site = live.site(seed={"people": [{"id": "1"}], "segments": [{"name": "auto", "type": "dynamic"}]})
    assert change(site, "add", ["1"]) == OK
    assert site.outcomes() == [("join_segment", "ignored", "segment.dynamic")]
    assert change(site, "add", ["1"], segment="99") == OK
    assert site.outcomes() == [("join_segment", "ignored", "segment.unknown")]
    assert members(site) == []


@pytest.mark.parametrize(
    ("settings", "segment", "status"),
    [
        pytest.param({"segment_unknown_id": "400"}, "99", 400, id="an unknown segment, 400"),
        pytest.param({"segment_unknown_id": "404"}, "99", 404, id="an unknown segment, 404"),
        pytest.param({"segment_dynamic_write": "400"}, "1", 400, id="a data-driven segment, 400"),
    ],
)
def test_by_switch_such_a_call_is_refused(live: Live, settings: dict[str, str], segment: str, status: int) -> None:
    site = live.site(settings=settings, seed={"segments": [{"name": "auto", "type": "dynamic"}]})
    found, body = change(site, "add", ["1", "2"], segment=segment)
    assert (found, b'"errors"' in body) == (status, True)


def test_by_switch_unknown_ids_become_people(live: Live) -> None:
    site = live.site(settings={"segment_unknown_person": "create"}, seed={"segments": [{"name": "vip"}]})
    assert change(site, "add", ["new"]) == OK
    assert (site.people(), members(site)) == ([{"id": "new"}], ["new"])


def test_an_app_key_opens_nothing_here(group: Site) -> None:
    response = group.app.post("/api/v1/segments/1/add_customers", json={"ids": ["1"]})
    assert (response.status_code, len(response.content)) == (401, 56)
    assert members(group) == []
