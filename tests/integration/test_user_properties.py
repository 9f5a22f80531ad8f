"""User properties that become attributes of their people: which, when, of whom, and after whatever trouble."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fakeio import Fake
from sync.core.properties import Select
from sync.core.sending import RetryPolicy
from sync.edge import sent_attributes
from sync.edge.console import Console
from sync.edge.ledger import Ledger
from sync.run_retry import run_retry
from tests.integration.event_engine import BATCH_PATH, IMPATIENT, Engine, counts, ended_report, row, wide
from tests.integration.test_events_faults import Choosy
from tests.integration.test_events_kill import Commits, Countdown, Killed, engine_in
from tests.integration.test_events_notes import said

PLAN = ("plan",)
BATCH = {"path": BATCH_PATH}


def identify(number: int, properties: Any, **columns: Any) -> dict[str, Any]:
    return row(number, event_type="$identify", event_properties={}, user_properties=properties, **columns)


def updates(engine: Engine) -> list[dict[str, Any]]:
    """The attributes of every update that was sent, in order."""
    bodies = [one.body for one in engine.workspace.requests if one.path == BATCH_PATH]
    operations = [operation for body in bodies for operation in body["batch"]]
    return [operation["attributes"] for operation in operations if operation["action"] == "identify"]


def attributes(engine: Engine, who: str = "42") -> dict[str, Any]:
    person = engine.workspace.person(id=who)
    assert person is not None
    return {name: value for name, value in person.attributes.items() if name not in ("id", "email", "cio_id")}


# -- which ------------------------------------------------------------------------------------------------------------
def test_without_being_asked_for_no_attribute_is_written(engine: Engine) -> None:
    report = engine.report(identify(1, {"$set": {"plan": "pro"}}), row(2, user_properties={"plan": "pro"}))
    assert (counts(report), updates(engine)) == ({"received": 2, "filtered": 1, "delivered": 1}, [])


@pytest.mark.parametrize(
    ("properties", "sent", "fate"),
    [
        pytest.param({"$set": {"plan": "pro", "city": "x"}}, [{"plan": "pro"}], "delivered", id="a selected property"),
        pytest.param({"$set": {"city": "x"}}, [], "filtered", id="one that is not"),
        pytest.param({"plan": "pro"}, [{"plan": "pro"}], "delivered", id="as they are"),
        pytest.param({"$unset": {"plan": "-"}}, [{"plan": ""}], "delivered", id="unset"),
        pytest.param({"$unset": ["plan"]}, [{"plan": ""}], "delivered", id="unset by a list"),
        pytest.param({"$setOnce": {"plan": "pro"}}, [{"plan": "pro"}], "delivered", id="set once"),
        pytest.param({"$add": {"plan": 1}}, [], "filtered", id="an operation on a value that only Amplitude has"),
        pytest.param({"plan": None}, [], "filtered", id="null says nothing"),
        pytest.param([], [], "filtered", id="an empty list"),
        pytest.param("plan", [], "filtered", id="no object"),
    ],
)
def test_a_user_update_writes_what_is_selected(engine: Engine, properties: Any, sent: list[Any], fate: str) -> None:
    report = engine.report(identify(1, properties), user_properties=PLAN)
    assert (counts(report), updates(engine)) == ({"received": 1, fate: 1}, sent)


def test_operations_that_wait_are_told_and_made_good_by_the_next_event(engine: Engine) -> None:
    rows = [identify(1, {"$add": {"visits": 1}}), row(2, user_properties={"visits": 7})]
    lines = said(engine, *rows, user_properties=("visits",))
    assert attributes(engine) == {"visits": 7}
    assert lines[1:] == [
        "1 updates of people's attributes were delivered",
        "1 user updates hold operations such as $add, whose outcome only Amplitude knows: the next event of the person"
        " tells it",
    ]


def test_values_of_any_type_arrive_and_parity_sends_text(engine: Engine) -> None:
    values = {"a": 1, "b": 1.5, "c": True, "d": [1], "e": "é", "f": {"g": None}}
    engine.report(identify(1, values), user_properties=Select.ALL)
    assert attributes(engine) == values
    engine.report(identify(2, values, user_id="7"), user_properties=Select.ALL, parity=True)
    assert attributes(engine, "7") == {"a": "1", "b": "1.5", "c": "true", "e": "é"}


def test_300_attributes_are_sent_and_the_others_told(engine: Engine) -> None:
    many = {f"a{n:03}": n for n in range(301)}
    report = engine.report(identify(1, many), row(2, event_properties={"n": 2, **many}), user_properties=Select.ALL)
    assert counts(report) == {"received": 2, "delivered": 2}
    assert attributes(engine) == {f"a{n:03}": n for n in range(300)}
    assert len(engine.workspace.events()[0].data) == 302
    assert "user property 'a300' was left out 1 times: a person has at most 300" in engine.said.getvalue()


def test_named_properties_come_first_in_their_order(engine: Engine) -> None:
    many = {f"a{n:03}": n for n in range(301)}
    names = tuple(sorted(many, reverse=True))
    engine.report(identify(1, many), user_properties=names)
    assert sorted(attributes(engine)) == sorted(many)[1:]


@pytest.mark.parametrize(
    ("name", "value", "arrives"),
    [
        pytest.param("é" * 75, 1, True, id="a name of 150 bytes"),
        pytest.param("é" * 75 + "x", 1, False, id="a name of 151"),
        pytest.param("plan", "é" * 500, True, id="a value of 1000 bytes"),
        pytest.param("plan", "é" * 500 + "x", False, id="a value of 1001"),
        pytest.param("plan", ["x" * 996], True, id="a list of 1000 bytes"),
        pytest.param("plan", ["x" * 997], False, id="a list of 1001"),
    ],
)
def test_names_and_values_are_measured_in_bytes(engine: Engine, name: str, value: Any, arrives: bool) -> None:
    report = engine.report(identify(1, {name: value, "ok": 1}), user_properties=Select.ALL)
    assert counts(report) == {"received": 1, "delivered": 1}
    assert attributes(engine) == ({name: value, "ok": 1} if arrives else {"ok": 1})
    assert ("was left out 1 times" in engine.said.getvalue()) is not arrives


def test_large_updates_are_several_operations_and_one_row(engine: Engine) -> None:
    many = {f"{n:03}{'é' * 70}": "\U0001f600" * 250 for n in range(100)}
    report = engine.report(identify(1, many), user_properties=Select.ALL)
    assert (counts(report), len(updates(engine)) > 1) == ({"received": 1, "delivered": 1}, True)
    assert attributes(engine) == many


def test_updates_of_many_people_fill_batches_to_the_limit(engine: Engine) -> None:
    many = {f"a{n:02}": "x" * 1_000 for n in range(25)}
    rows = [identify(n, many, user_id=f"u{n}") for n in range(40)]
    assert counts(engine.report(*rows, user_properties=Select.ALL)) == {"received": 40, "delivered": 40}
    first, *others = [one.body["batch"] for one in engine.workspace.requests if one.path == BATCH_PATH]
    assert (len(first), len(first) + sum(map(len, others))) == (19, 40)  # of a little over 25,000 bytes each
    assert all(attributes(engine, f"u{n}") == many for n in range(40))


def test_of_many_properties_left_out_only_some_are_named(engine: Engine) -> None:
    engine.report(identify(1, {f"{n:02}{'x' * 200}": n for n in range(23)}), user_properties=Select.ALL)
    lines = engine.said.getvalue().splitlines()
    assert [line for line in lines if "more user properties" in line] == ["3 more user properties were left out"]
    assert max(map(len, lines)) < 200


def test_nobody_becomes_somebody_else_unless_it_is_meant(engine: Engine) -> None:
    engine.workspace.add_person(id="other", email="taken@example.com")
    risky = {"id": "other", "email": "taken@example.com", "cio_id": "x", "unsubscribed": True, "_update": True, "ok": 1}
    engine.report(identify(1, risky), user_properties=Select.ALL)
    assert updates(engine) == [{"ok": 1}]
    assert "user property 'email' was left out 1 times: identifies people" in engine.said.getvalue()
    engine.report(identify(2, {"email": "own@example.com"}), user_properties=("email",))
    person = engine.workspace.person(id="42")
    assert person is not None
    assert person.email == "own@example.com"


# -- of whom ----------------------------------------------------------------------------------------------------------
def test_an_update_of_nobody_is_not_sent(engine: Engine) -> None:
    ended = engine.run(identify(1, {"plan": "pro"}, user_id=None), user_properties=PLAN)
    assert counts(ended_report(ended)) == {"received": 1, "discarded": {"missing_identifier": 1}}
    assert updates(engine) == []


def test_an_update_makes_its_person_as_an_event_does(engine: Engine) -> None:
    engine.report(identify(1, {"plan": "pro"}, user_id="new"), user_properties=PLAN)
    assert attributes(engine, "new") == {"plan": "pro"}


@pytest.mark.parametrize(
    "people",
    [
        pytest.param(["a@example.com", "A@Example.com"], id="one address in two cases"),
        pytest.param(["cio_03000001", "cio_03000001"], id="one cio_id"),
    ],
)
def test_one_person_is_one_however_they_are_spelled(engine: Engine, people: list[str]) -> None:
    engine.workspace.add_person(id="42", cio_id="03000001")
    rows = [identify(n, {"plan": "pro"}, user_id=who) for n, who in enumerate(people)]
    assert counts(engine.report(*rows, user_properties=PLAN)) == {"received": 2, "delivered": 1, "duplicates": 1}


# -- when -------------------------------------------------------------------------------------------------------------
def test_only_what_changed_is_sent_before_the_event_that_tells_it(engine: Engine) -> None:
    rows = [
        row(1, user_properties={"plan": "free", "city": "Oslo"}), row(2, user_properties={"plan": "free"}),
        row(3, user_properties={"plan": "pro", "city": "Oslo"}),
    ]  # fmt: skip
    report = engine.report(*rows, user_properties=("plan", "city"))
    assert counts(report) == {"received": 3, "delivered": 3}
    assert updates(engine) == [{"plan": "free", "city": "Oslo"}, {"plan": "pro"}]
    (body,) = [one.body for one in engine.workspace.requests if one.path == BATCH_PATH]
    assert [one["action"] for one in body["batch"]] == ["identify", "event", "event", "identify", "event"]


def test_what_was_sent_is_remembered_and_older_rows_say_nothing(engine: Engine) -> None:
    first = [identify(5, {"plan": "free"}), identify(6, {"plan": "pro"})]
    assert counts(engine.report(*first, user_properties=PLAN)) == {"received": 2, "delivered": 2}
    assert counts(engine.report(*first, user_properties=PLAN)) == {"received": 2, "duplicates": 2}
    older = identify(4, {"plan": "none"})
    again = [older, identify(7, {"plan": "pro"}), identify(8, {"plan": "free"})]
    assert counts(engine.report(*again, user_properties=PLAN)) == {"received": 3, "delivered": 1, "duplicates": 2}
    assert updates(engine) == [{"plan": "free"}, {"plan": "pro"}, {"plan": "free"}]
    assert attributes(engine) == {"plan": "free"}


def test_a_removed_attribute_may_come_back(engine: Engine) -> None:
    rows = [
        identify(1, {"plan": "pro"}), identify(2, {"$unset": {"plan": "-"}}), identify(3, {"$unset": {"plan": "-"}}),
        identify(4, {"$setOnce": {"plan": "free"}}), identify(5, {"$setOnce": {"plan": "late"}}),
    ]  # fmt: skip
    engine.report(*rows, user_properties=PLAN)
    assert updates(engine) == [{"plan": "pro"}, {"plan": ""}, {"plan": "free"}]
    assert attributes(engine) == {"plan": "free"}


def test_events_that_are_left_out_tell_nothing_and_updates_do(engine: Engine) -> None:
    rows = [row(1, event_type="view", user_properties={"plan": "a"}), identify(2, {"plan": "b"}), row(3)]
    report = engine.report(*rows, user_properties=PLAN, events=frozenset({"order"}))
    assert (counts(report), updates(engine)) == ({"received": 3, "filtered": 1, "delivered": 2}, [{"plan": "b"}])
    report = engine.report(identify(4, {"plan": "c"}), user_properties=PLAN, exclude=frozenset({"$identify"}))
    assert counts(report) == {"received": 1, "filtered": 1}


def test_a_dry_run_counts_rows_and_writes_nothing(engine: Engine) -> None:
    rows = [identify(1, {"plan": "a"}), identify(2, {"plan": "a"}), row(3, user_properties={"plan": "b"})]
    report = engine.report(*rows, user_properties=PLAN, dry_run=True)
    assert (counts(report), engine.sent()) == ({"received": 3, "delivered": 2, "duplicates": 1}, [])
    assert counts(engine.report(user_properties=PLAN)) == counts(report)


def test_of_more_people_than_are_held_in_memory_the_ledger_knows(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sent_attributes, "MOST_PEOPLE", 1)
    rows = [identify(n, {"plan": "a"}, user_id=f"u{n}") for n in range(3)]
    assert counts(engine.report(*rows, user_properties=PLAN)) == {"received": 3, "delivered": 3}
    assert counts(engine.report(*rows, user_properties=PLAN)) == {"received": 3, "duplicates": 3}


def test_a_dry_run_reads_a_ledger_that_is_older_than_updates(engine: Engine) -> None:
    rows = [identify(1, {"plan": "a"}), identify(2, {"plan": "b"})]
    engine.report(*rows, user_properties=PLAN)
    with Ledger.open(engine.path) as ledger:
        ledger.connection.execute("DROP TABLE sent_attributes")
        ledger.connection.execute("PRAGMA user_version = 5")
    report = engine.report(user_properties=PLAN, dry_run=True)
    assert counts(report) == {"received": 2, "delivered": 2}


# -- trouble ----------------------------------------------------------------------------------------------------------
def test_an_update_without_an_answer_is_sent_by_the_next_run_or_by_retry(engine: Engine) -> None:
    engine.workspace.fault("status", status=503, match=BATCH)
    rows = [identify(1, {"plan": "a"}), row(2, user_properties={"plan": "b"})]
    ended = engine.run(*rows, user_properties=PLAN, policy=IMPATIENT)
    assert (ended.exit_code, counts(ended_report(ended))) == (1, {"received": 2, "expired": 2})
    assert len(engine.letters()) == 3
    engine.workspace.clear_faults()
    assert counts(engine.report(user_properties=PLAN)) == {"received": 2, "delivered": 2}
    assert attributes(engine) == {"plan": "b"}
    with Ledger.open(engine.path) as ledger:
        assert list(ledger.dead_letters(only_open=True)) == []


def test_retry_sends_an_update_that_expired(engine: Engine) -> None:
    engine.workspace.fault("status", status=503, match=BATCH)
    engine.run(identify(1, {"plan": "a"}), user_properties=PLAN, policy=IMPATIENT)
    engine.workspace.clear_faults()
    with Ledger.open(engine.path) as ledger:
        ended = run_retry("all", engine.settings(), ledger, Console(stream=engine.said))
        assert list(ledger.dead_letters(only_open=True)) == []
    assert (ended.exit_code, counts(ended_report(ended))) == (0, {"received": 1, "delivered": 1})
    assert attributes(engine) == {"plan": "a"}


def test_a_refused_update_makes_the_run_partial_although_its_event_arrived(engine: Engine) -> None:
    rows = [row(1, user_properties={"plan": "guilty"}), row(2, user_properties={"plan": "b"}, user_id="7")]
    ended = engine.run(*rows, user_properties=PLAN, properties=Select.NONE, network=Choosy(b'"guilty"'))
    report = ended_report(ended)
    assert (ended.exit_code, report.status, counts(report)) == (1, "partial", {"received": 2, "delivered": 2})
    assert [(one.reason, json.loads(bytes(one.item))["attributes"]) for one in engine.letters()] == [
        ("http_400", {"plan": "guilty"})
    ]
    again = engine.report(row(3, user_properties={"plan": "guilty"}), user_properties=PLAN)
    assert (counts(again), attributes(engine)) == ({"received": 1, "delivered": 1}, {"plan": "guilty"})


def test_what_failed_is_sent_again_by_a_later_row_of_the_same_run(engine: Engine) -> None:
    rows = [{**one, "user_properties": {"plan": "a"}} for one in wide(*range(120))]
    engine.workspace.fault("status", status=503, match=BATCH, times=1)
    ended = engine.run(*rows, user_properties=PLAN, policy=RetryPolicy(retries=0))
    assert ended_report(ended).expired > 0
    assert (updates(engine), attributes(engine)) == ([{"plan": "a"}] * 2, {"plan": "a"})


def test_an_update_in_doubt_is_nothing_to_wait_for(engine: Engine) -> None:
    engine.export(row(1, user_properties={"plan": "a"}))
    with pytest.raises(Killed):
        engine.run(user_properties=PLAN, network=Countdown(2, after=True))
    assert counts(engine.report()) == {"received": 1, "delivered": 1}
    assert "in doubt" not in engine.said.getvalue()


@pytest.mark.parametrize("after", [False, True], ids=["before a request", "after its answer"])
def test_a_kill_at_every_request_ends_with_the_same_people(fake: Fake, tmp_path: Path, after: bool) -> None:
    steps = 1
    while ends_the_same(engine_in(fake, tmp_path / str(steps)), steps, None, after=after):
        steps += 1
    assert steps > 3


@pytest.mark.parametrize("after", [False, True], ids=["before a commit", "after it"])
def test_a_kill_at_every_commit_ends_with_the_same_people(
    fake: Fake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: bool
) -> None:
    commits = Commits(after=after)
    monkeypatch.setattr(Ledger, "atomic", commits.atomic)
    steps = 1
    while ends_the_same(engine_in(fake, tmp_path / str(steps)), steps, commits, after=after):
        steps += 1
    assert steps > 5


def ends_the_same(engine: Engine, steps: int, commits: Commits | None, *, after: bool) -> bool:
    """A run with one kill somewhere in it, then two that come to their end. False: nobody was killed."""
    text = "x" * 15_000
    rows = [
        row(n, user_id=f"u{n % 3}", event_properties={"n": n, "text": text}, user_properties={"plan": n // 9, "p": "q"})
        for n in range(45)
    ]
    engine.export(*rows, identify(1, {"$unset": {"p": "-"}}, user_id="u0", event_time="2026-07-14 11:00:00"))
    killed = False
    try:
        engine.run(
            user_properties=Select.ALL,
            network=commits.until(steps) if commits is not None else Countdown(steps, after=after),
        )
    except Killed:
        killed = True
    if commits is not None:
        commits.spare()
    first, second = engine.report(user_properties=Select.ALL), engine.report(user_properties=Select.ALL)
    assert first.delivered + first.duplicates == 46
    assert (counts(second), sorted(engine.numbers())) == ({"received": 46, "duplicates": 46}, list(range(45)))
    assert [attributes(engine, f"u{n}") for n in range(3)] == [{"plan": 4}, *[{"plan": 4, "p": "q"}] * 2]
    assert "in doubt" not in engine.said.getvalue()
    engine.workspace.raise_first_error()
    with Ledger.open(engine.path) as ledger:
        assert ledger.connection.execute("SELECT count(*) FROM event_batches").fetchone() == (0,)
    return killed
