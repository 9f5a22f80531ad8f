"""What the demonstration says when something is wrong: absences nobody explains, faults not survived, differences."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from scenarios.account import WIDTH, tell
from scenarios.comparing import compare_cohort, compare_events, compare_fates, compare_world
from scenarios.explaining import (
    REASONS,
    Fate,
    Ignorance,
    Line,
    Present,
    Told,
    cohort_fates,
    event_fates,
    missing_people,
    read_ignored,
    read_letters,
)
from scenarios.findings import Account, Chapter, Missing, Oddity, Strike
from scenarios.oddities import read_oddities
from scenarios.samples.formats import export_row
from scenarios.strikes import read_strikes
from scenarios.truth import Happened, Person, Truth

ADA = Person("ada")
NOTHING = Ignorance({}, {})
UNEXPLAINED = "nothing explains it"


def chapter(**report: Any) -> Chapter:
    return Chapter(title="Monday", file="f", command="cio-sync f", code=1, report=report)


def request(n: int, **values: Any) -> dict[str, Any]:
    """An answered request on the tape."""
    ordinary = {
        "method": "POST", "path": "/x", "query": "", "body": {"ids": ["a"]}, "status": 200, "cut": None, "faults": [],
        "operations": [], "response_headers": {},
    }
    return {"n": n, **ordinary, **values}


# -- why somebody is missing -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "present", "fate"),
    [
        pytest.param("ada", Present({ADA}, {ADA}, set()), Fate("member"), id="a member"),
        pytest.param("ada", Present(set(), {ADA}, set()), Fate("not_found", "", UNEXPLAINED), id="there, no member"),
        pytest.param(
            "ada", Present(set(), set(), {"ada"}),
            Fate("not_found", "person.suppressed", "id 'ada' is suppressed", "customer.io"), id="blocked",
        ),
        pytest.param(
            "bob", Present(set(), {ADA}, set()),
            Fate("not_found", "segment.person_unknown", "nobody has id 'bob' any more", "customer.io"), id="gone",
        ),
        pytest.param("", Present(set(), set(), set()), Fate("skipped", "unresolved_mapping", UNEXPLAINED), id="untold"),
    ],
)
def test_a_cohort_row_came_to(value: str, present: Present, fate: Fate) -> None:
    assert list(cohort_fates([value], {}, present, NOTHING)) == [fate]


def test_the_engines_reason_counts_only_for_as_many_rows_as_it_reported() -> None:
    present = Present(set(), set(), set())
    told = [list(cohort_fates(["", ""], {"skipped": {"unresolved_mapping": n}}, present, NOTHING)) for n in (1, 2)]
    assert [[fate.found for fate in fates] for fates in told] == [["nobody", "nobody"], ["engine", "engine"]]


def test_what_customer_io_ignored_is_told_in_its_words() -> None:
    entry = {"request": 7, "index": 1, "effect": "dropped", "rule": "r", "explanation": "why"}
    batch = {"batch": [{}, {"identifiers": {"id": "ada"}, "name": "E", "timestamp": 5}]}
    asked = [request(7, body={"ids": ["x", "bob"]}), request(8, body=batch)]
    asked.append(request(9, path="/api/v1/customers/a%2Fb/events", body={"name": "E", "timestamp": 6}))
    ignored = [
        {**entry, "operation": "join_segment"}, {**entry, "request": 8, "operation": "record_event"},
        {**entry, "request": 9, "index": 0, "operation": "record_event"}, {**entry, "effect": "unchanged"},
        {**entry, "operation": "leave_segment"},
    ]
    says = ("r", "why")
    assert read_ignored(ignored, asked) == Ignorance({"bob": says}, {("ada", "E", 5): says, ("a/b", "E", 6): says})


def event(name: str = "E") -> dict[str, Any]:
    at = "2026-08-17 09:00:00"
    return export_row({"event_type": name, "event_time": at, "user_id": "ada", "device_id": "d", "uuid": "u"})


SILENT = Told(0, {}, NOTHING)
AT = 1_786_957_200


@pytest.mark.parametrize(
    ("rows", "told", "events", "fates"),
    [
        pytest.param([event()], SILENT, [Happened(ADA, "E", AT, "{}")], [Fate("delivered")], id="there"),
        pytest.param([event()], SILENT, [Happened(ADA, "E", 0, "{}")], [Fate("lost", "", UNEXPLAINED)], id="nowhere"),
        pytest.param(
            [event(), event()], SILENT, [], [
                Fate("lost", "", UNEXPLAINED),
                Fate("duplicate", "duplicate", REASONS["duplicate"], "engine"),
            ], id="twice",
        ),
        pytest.param(
            [event()], Told(0, {}, Ignorance({}, {("ada", "E", AT): ("r", "why")})), [],
            [Fate("ignored", "r", "why", "customer.io")], id="ignored",
        ),
        pytest.param(
            [None], Told(0, {("m", 1): ("bad_row", "why")}, NOTHING), [],
            [Fate("discarded", "bad_row", "why", "engine")], id="discarded",
        ),
        pytest.param([None], SILENT, [], [Fate("lost", "", UNEXPLAINED)], id="gone without a word"),
        pytest.param([event("$identify")], SILENT, [], [Fate("lost", "", UNEXPLAINED)], id="filtered, not counted"),
        pytest.param(
            [event("$identify")], Told(1, {}, NOTHING), [],
            [Fate("filtered", "filtered", REASONS["filtered"], "engine")], id="filtered",
        ),
    ],
)
def test_an_event_came_to(rows: list[Any], told: Told, events: list[Happened], fates: list[Fate]) -> None:
    lines = [Line("m", number, row) for number, row in enumerate(rows, start=1)]
    assert list(event_fates(lines, told, Counter(events))) == fates


def test_the_engines_letters_are_found_by_file_and_row() -> None:
    letter = {"reason": "r", "message": "why", "item": {"file": "/a/export.zip!p/p_1#0.json.gz", "row": 3}}
    assert read_letters([letter, {**letter, "item": {"id": "x"}}]) == {("p/p_1#0.json.gz", 3): ("r", "why")}


# -- faults ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("struck", "later", "strike"),
    [
        pytest.param(
            {"status": 429, "response_headers": {"retry-after": "1"}}, request(3),
            ("was answered 429 with the plea to wait 1 s", "sent again as request 3 and answered 200", True),
            id="answered, then through",
        ),
        pytest.param(
            {"status": None, "cut": "reset"}, request(3, status=400),
            ("got no answer: the connection was reset", "sent again as request 3 and answered 400", False),
            id="cut, then refused",
        ),
        pytest.param(
            {"status": None, "cut": "close", "operations": [{"outcome": "applied"}]},
            request(3, operations=[{"outcome": "ignored", "rule": "event.duplicate"}, {"outcome": "applied"}]),
            (
                "was carried out, then the connection was closed before the answer",
                "sent again as request 3 and answered 200; 1 of its 2 items had been done and changed nothing", True,
            ),
            id="carried out, then sent again",
        ),
        pytest.param(
            {"status": 500}, request(3, path="/y"), ("was answered 500", "it never came again", False), id="given up"
        ),
        pytest.param(
            {"status": 500}, request(3, faults=["status"]),
            ("was answered 500", "sent again as request 3, which was struck too", True), id="struck twice",
        ),
    ],
)
def test_a_strike_reads(struck: dict[str, Any], later: dict[str, Any], strike: tuple[str, str, bool]) -> None:
    tape = [request(1, path="/z"), request(2, faults=["status"], **struck), later]
    first = read_strikes("Monday", tape)[0]
    assert (first.what, first.then, first.survived) == strike


# -- oddities ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("becomes", "fates", "became"),
    [
        pytest.param("member", [Fate("member")], "member", id="as listed"),
        pytest.param("member", [Fate("not_found")], "not_found", id="another fate"),
        pytest.param("collapsed", [Fate("member"), Fate("collapsed")], "collapsed", id="the first of them arrives"),
        pytest.param("collapsed", [Fate("collapsed"), Fate("collapsed")], "collapsed", id="none of them arrives"),
        pytest.param("skipped", [Fate("skipped", "r", "", "engine")], "skipped: r", id="with the engine's word"),
        pytest.param("skipped", [Fate("skipped", "r", "", "nobody")], "skipped", id="with a word nobody said"),
        pytest.param("member", [], "0 of its 1 rows found", id="not in the file"),
        pytest.param("member", [Fate("member")] * 2, "2 of its 1 rows found", id="too often in the file"),
    ],
)
def test_an_oddity_became(becomes: str, fates: list[Fate], became: str) -> None:
    rows = 2 if becomes == "collapsed" else 1
    listed = {
        "name": "n", "source": "cohort", "rows": rows, "user_ids": ["a"] * rows, "becomes": becomes, "reason": None,
        "rule": "why",
    }
    assert [oddity.became for oddity in read_oddities([listed], [("a", fate) for fate in fates], [])] == [became]


def test_a_line_that_is_not_in_the_export_is_noticed() -> None:
    listed = {
        "name": "n", "source": "export", "rows": 1, "events": [{"member": "m", "line": 9}], "becomes": "delivered",
        "reason": None, "rule": "why",
    }
    assert [oddity.became for oddity in read_oddities([listed], [], [])] == ["absent"]


# -- differences -------------------------------------------------------------------------------------------------------


def test_equal_worlds_do_not_differ() -> None:
    truth = Truth()
    truth.create("ada")
    assert compare_world(truth, {ADA}, set(), Counter()) == []


def test_many_differences_of_a_kind_are_cut_short() -> None:
    people = {Person(f"p{number}") for number in range(7)}
    said = compare_world(Truth(), people, set(), Counter())
    assert said[0] == "people at Customer.io: there and not expected: id 'p0'"
    assert (len(said), said[-1]) == (6, "people at Customer.io: there and not expected: and 2 more")


def test_an_event_is_named_with_its_person_time_and_properties() -> None:
    event = Happened(Person(None, "a@example.com"), "E", 5, '{"n":"' + "x" * 300 + '"}')
    (said,) = compare_world(Truth(), set(), set(), Counter([event]))
    assert said.startswith("events at Customer.io: there and not expected: 'E' of email 'a@example.com' at 5 with {")
    assert len(said) < 350


def test_a_report_that_counts_otherwise_differs() -> None:
    told = chapter(skipped={"id_too_long": 1}, already_members=1, added=1, not_found=0, refused={"r": 1}, pending=2)
    assert compare_cohort("Monday", told, Counter(id_too_long=1, member=2, not_found=1)) == [
        "Monday: 1 rows should be 'not_found', the report says 0",
        "Monday: 0 rows should be 'pending', the report says 2",
        "Monday: 0 rows should be 'r', the report says 1",
    ]


def test_what_customer_io_drops_counts_as_delivered_for_the_engine() -> None:
    told = chapter(delivered=3, duplicates=1, filtered=1, discarded={"bad_row": 1}, expired=0, pending=0, refused={})
    expected = Counter(delivered=2, ignored=1, duplicate=1, filtered=1, bad_row=1)
    assert compare_events(told, expected) == []


def test_absences_wrong_fates_and_lost_requests_are_differences() -> None:
    account = Account(
        missing_people=missing_people(["ada"], [Fate("not_found", "", UNEXPLAINED)]),
        oddities=[Oddity(name="n", rows=1, expected="member", became="lost", rule="")],
        strikes=[Strike(chapter="Monday", request="request 2,", what="was cut", then="never came", survived=False)],
    )
    assert compare_fates(account) == [
        "not there, and nothing explains why: row 1, 'ada' ''",
        "n: should be member, was lost",
        "a fault was not survived: request 2, was cut; never came",
    ]


# -- the words ---------------------------------------------------------------------------------------------------------


def test_a_bad_end_is_told_in_words() -> None:
    missing = Missing(row="row 1", who="a\nb" + "x" * 90, what="", rule="", why=UNEXPLAINED, found="nobody")
    account = Account(
        chapters=[chapter()],
        missing_people=[missing],
        strikes=[Strike(chapter="Monday", request="request 2,", what="was cut", then="never came", survived=False)],
        oddities=[Oddity(name="odd", rows=2, expected="member", became="lost", rule="A rule.")],
        differences=["one thing " + "and more " * 30, "another"],
    )
    told = tell(account)
    for words in (
        "no report", "NOT EXPLAINED, missing: nothing explains it", "LOST: never came", "  NO  odd (2)  lost",
        "SHOULD BE in the segment", "row 1  a\\nbxxxxxx… (93 bytes)", "  nothing\n", "  - another",
        "RESULT   NOT as it ought to be; 2 differences:",
    ):
        assert words in told
    assert max(map(len, told.splitlines())) <= WIDTH


def test_a_run_that_left_things_unsettled_says_so() -> None:
    counts = {"collapsed_duplicates": 0, "already_members": 0, "added": 1, "not_found": 0, "removed": 0, "skipped": {}}
    cohort = chapter(kind="cohort", source_rows=3, in_cohort=3, pending=1, refused={"r": 1}, **counts)
    rows = {"received": 2, "delivered": 0, "duplicates": 0, "filtered": 0, "discarded": {}}
    events = chapter(kind="events", expired=1, pending=1, refused={}, **rows)
    told = tell(Account(chapters=[cohort, events]))
    assert told.count("+ 2 not settled") == 2
