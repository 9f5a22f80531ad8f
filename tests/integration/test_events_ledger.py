"""What the ledger knows of events: a packed set, hours read one at a time, batches in doubt."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.core.ulids import event_ulid
from sync.edge import event_ledger
from sync.edge.event_ledger import HOUR_MS, EventLedger, PackedSet, Settled, hour_of
from sync.edge.ledger import DeadLetter, Ledger

HERE, ELSEWHERE = "site-1", "site-2"


def ulids(count: int, hour: int = 0, device: str = "d") -> list[bytes]:
    """So many ids of events of one hour."""
    return [event_ulid(hour * HOUR_MS + n % HOUR_MS, 1, device, str(n)) for n in range(count)]


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger.open(tmp_path / "ledger.db") as opened:
        yield opened


def delivers(ledger: Ledger, run: str, *batches: list[bytes], site: str = HERE) -> EventLedger:
    """A run that delivers these batches and closes."""
    events = EventLedger(ledger, site, run)
    for n, batch in enumerate(batches):
        for ulid in batch:
            events.add(ulid)
        events.step(planned=[(n, batch)])
        events.step(settled=[Settled(n, batch)])
    events.close()
    return events


def known(ledger: Ledger, asked: list[bytes], site: str = HERE) -> int:
    """How many of them a later run knows."""
    events = EventLedger(ledger, site, "later")
    return sum(ulid in events for ulid in asked)


def rows(ledger: Ledger, table: str) -> int:
    return int(ledger.connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


# -- the packed set ---------------------------------------------------------------------------------------------------
ids = st.binary(min_size=16, max_size=16)


@given(st.sets(ids, max_size=300), st.sets(ids, max_size=50))
def test_a_packed_set_holds_what_was_put_in_and_nothing_else(inside: set[bytes], asked: set[bytes]) -> None:
    packed = PackedSet([b"".join(inside)])
    assert len(packed) == len(inside)
    assert {ulid for ulid in inside | asked if ulid in packed} == inside


def test_a_packed_set_grows() -> None:
    many = ulids(20_000)
    packed = PackedSet([b"".join(many[:10_000])])
    for ulid in many[10_000:]:
        packed.add(ulid)
    assert all(ulid in packed for ulid in many)
    assert not any(ulid in packed for ulid in ulids(1_000, device="other"))


def test_an_id_that_lies_across_two_others_is_no_member() -> None:
    # every id has the same bytes, so that any slot holds it at every offset
    packed = PackedSet([bytes(range(16)) + bytes(range(16))])
    across = bytes(range(8, 16)) + bytes(range(8))
    assert across not in packed
    assert bytes(range(16)) in packed


# -- a run and the next one -------------------------------------------------------------------------------------------
def test_what_was_delivered_is_known_to_the_next_run(ledger: Ledger) -> None:
    first, second = ulids(500), ulids(500, hour=7)
    delivers(ledger, "run", first, second)
    assert (known(ledger, first + second), known(ledger, ulids(500, device="other"))) == (1_000, 0)
    assert (rows(ledger, "event_batches"), rows(ledger, "delivered")) == (0, 2)


def test_one_destination_knows_nothing_of_another(ledger: Ledger) -> None:
    delivers(ledger, "run", ulids(10))
    assert known(ledger, ulids(10), site=ELSEWHERE) == 0


def test_what_is_on_its_way_is_known_at_once(ledger: Ledger) -> None:
    events = EventLedger(ledger, HERE, "run")
    (ulid,) = ulids(1)
    assert ulid not in events
    events.add(ulid)
    assert ulid in events


def test_what_was_given_up_is_forgotten_and_kept_as_a_dead_letter(ledger: Ledger) -> None:
    batch = ulids(3)
    events = EventLedger(ledger, HERE, "run")
    for ulid in batch:
        events.add(ulid)
    letter = DeadLetter("run", "events", "invalid", "name", "blank", msgspec.Raw(b"{}"))
    events.step(planned=[(0, batch)])
    events.step(settled=[Settled(0, batch[:2], batch[2:], [letter])])
    assert [ulid in events for ulid in batch] == [True, True, False]
    events.close()
    assert known(ledger, batch) == 2
    assert [one.reason for one in ledger.dead_letters("run")] == ["invalid"]


def test_accepted_batches_go_into_their_hours_on_the_way(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_ledger, "FOLD_AT", 100)
    events = EventLedger(ledger, HERE, "run")
    everything = ulids(60) + ulids(60, hour=1)
    for n in range(12):
        batch = everything[n * 10 : n * 10 + 10]
        for ulid in batch:
            assert ulid not in events
            events.add(ulid)
        events.step(planned=[(n, batch)])
        events.step(settled=[Settled(n, batch)])
    assert rows(ledger, "event_batches") == 2  # the first ten are in their hours, the last two wait
    assert all(ulid in events for ulid in everything)
    events.close()
    assert known(ledger, everything) == 120


def test_hours_are_let_go_when_there_are_too_many(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    hours = [ulids(50, hour=hour) for hour in range(10)]
    delivers(ledger, "run", *hours)
    monkeypatch.setattr(event_ledger, "MOST_LOADED", 120)
    events = EventLedger(ledger, HERE, "later")
    for _ in range(2):
        assert all(ulid in events for hour in hours for ulid in hour)
    assert len(events._loaded) == 2


def test_a_dry_run_looks_and_remembers_nothing(ledger: Ledger, tmp_path: Path) -> None:
    delivers(ledger, "run", ulids(5))
    for events in (EventLedger(None, HERE, "dry"), EventLedger(ledger, HERE, "dry")):
        (new,) = ulids(1, device="new")
        events.add(new)
        assert new in events
    assert EventLedger(None, HERE, "dry").close() == 0
    assert known(ledger, ulids(1, device="new")) == 0


# -- after a kill -----------------------------------------------------------------------------------------------------
def test_a_batch_that_was_accepted_before_a_kill_is_known(ledger: Ledger) -> None:
    batch = ulids(4)
    killed = EventLedger(ledger, HERE, "killed")
    killed.step(planned=[(0, batch)])
    killed.step(settled=[Settled(0, batch)])
    assert known(ledger, batch) == 4
    assert EventLedger(ledger, HERE, "next").close() == 0
    assert (rows(ledger, "event_batches"), known(ledger, batch)) == (0, 4)


def test_a_batch_in_doubt_is_not_known_and_stays_until_its_events_are_delivered(ledger: Ledger) -> None:
    batch = ulids(4)
    EventLedger(ledger, HERE, "killed").step(planned=[(0, batch)])
    assert known(ledger, batch) == 0
    assert EventLedger(ledger, HERE, "other source").close() == 4
    assert EventLedger(ledger, ELSEWHERE, "other destination").close() == 0
    delivers(ledger, "half of it", batch[:2])
    assert EventLedger(ledger, HERE, "again").close() == 2
    delivers(ledger, "the rest", batch[2:])
    assert (EventLedger(ledger, HERE, "done").close(), rows(ledger, "event_batches")) == (0, 0)


@pytest.mark.parametrize(
    ("ms", "hour"), [(-5, 0), (0, 0), (HOUR_MS - 1, 0), (HOUR_MS, 1), (2**48, (2**48 - 1) // HOUR_MS)]
)
def test_an_event_belongs_to_the_hour_in_which_it_happened(ms: int, hour: int) -> None:
    assert hour_of(event_ulid(ms, 1, "d", "k")) == hour
