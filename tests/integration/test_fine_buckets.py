"""The ledger's buckets become finer once a cohort is large: whatever is kept in them, and whenever that happens.

What is large is turned down to a handful here; the same histories with the usual figure never leave the coarse ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from zlib import crc32

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync.core.diff import Known
from sync.core.errors import GuardStop
from sync.core.guards import FEWEST_REMOVALS
from sync.core.report import CohortReport
from sync.edge import membership
from sync.edge.ledger import Ledger
from sync.edge.membership import COARSE, FINE, IDS_PER_ROW, Members, Spool, parts_of
from tests.integration.cohort_engine import Engine, counts

texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8).map(str.encode)
some = st.frozensets(texts, max_size=12)


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    with Ledger.open(tmp_path_factory.mktemp("fine") / "ledger.db") as opened:
        yield opened


@pytest.fixture
def few_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(membership, "FINE_AT", 3)


def numbers_in(ledger: Ledger, key: str) -> set[int]:
    rows = ledger.connection.execute("SELECT DISTINCT bucket FROM members WHERE sync_key = ?", (key,))
    return {number for (number,) in rows}


def everything(members: Members) -> Known:
    buckets = [members.bucket(number) for number in members.numbers]
    return Known(*(frozenset().union(*states) for states in zip(*buckets, strict=True)))


def remember(ledger: Ledger, known: Known) -> Members:
    members = Members(ledger.connection, "key")
    members.forget()
    for number in COARSE:
        for state, ids in zip(Known._fields, known, strict=True):
            members.write(number, state, [one for one in ids if crc32(one) % len(COARSE) == number])
    return members


def test_the_parts_of_all_buckets_of_a_kind_are_all_parts_once() -> None:
    everywhere = list(range(len(FINE)))
    assert sorted(part for number in COARSE for part in parts_of(number)) == everywhere
    assert [part for number in FINE for part in parts_of(number)] == everywhere
    assert not set(COARSE) & set(FINE)


@given(st.lists(texts, max_size=60), st.integers(1, 20))
def test_a_spool_answers_for_coarse_and_for_fine_buckets(ids: list[bytes], spill_at: int) -> None:
    with Spool(spill_at=spill_at) as spool:
        for one in ids:
            spool.add([one])
        for numbers, bits in ((COARSE, 0x3F), (FINE, 0x7FF)):
            found = {number: sorted(spool.bucket(number)) for number in numbers}
            assert sorted(one for bucket in found.values() for one in bucket) == sorted(ids)
            assert all(crc32(one) & bits == number - numbers[0] for number in numbers for one in found[number])


@given(st.builds(Known, some, some, some, some))
@settings(max_examples=30, deadline=None)
def test_what_is_known_stays_known_when_buckets_become_fine(ledger: Ledger, known: Known) -> None:
    with ledger.atomic():
        members = remember(ledger, known)
        assert members.fit(10) is members.numbers is COARSE
        assert members.fit(membership.FINE_AT) is FINE
        assert everything(members) == known
        for number in numbers_in(ledger, "key"):
            everybody = frozenset().union(*members.bucket(number))
            assert {FINE[crc32(one) % len(FINE)] for one in everybody} == {number}
        for state, ids in zip(Known._fields, known, strict=True):
            assert sorted(members.ids(state)) == sorted(ids)
        assert members.fit(0) is members.numbers is (FINE if any(known) else COARSE)
        members.forget()


def test_many_members_are_reason_enough(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(membership, "FINE_AT", IDS_PER_ROW)
    ids = frozenset(f"{n}".encode() for n in range(IDS_PER_ROW + 1))
    with ledger.atomic():
        members = Members(ledger.connection, "key")
        members.write(0, "confirmed", ids)
        assert members.fit(1) is FINE
        assert sum(len(members.bucket(number).confirmed) for number in FINE) == len(ids)
        assert members.about() == len(FINE) * len(members.bucket(FINE[0]).confirmed)
        members.forget()


# -- runs -------------------------------------------------------------------------------------------------------------
COHORTS = (["a", "b"], ["a", "b", "c", "nobody"], ["b", "c", "d"], ["d"], ["d", "a", "b", "c"])


@pytest.mark.usefixtures("few_are_many")
def test_syncs_that_grow_and_shrink_end_as_they_should(engine: Engine) -> None:
    engine.people("a", "b", "c", "d")
    grains = []
    for ids in COHORTS:
        report = engine.report(*ids, allow_empty=True)
        assert report.in_cohort == len(ids)
        assert engine.members() == {*ids} - {"nobody"}
        with Ledger.open(engine.path) as ledger:
            members = Members(ledger.connection, key_of(ledger))
            assert everything(members).confirmed == {one.encode() for one in ids if one != "nobody"}
            grains.append(members.numbers)
    assert grains == [COARSE, FINE, FINE, FINE, FINE]
    assert list(map(set, engine.calls("remove"))) == [{"a"}, {"b", "c"}]
    assert list(map(set, engine.calls("add"))) == [{"a", "b"}, {"c", "nobody"}, {"d"}, {"a", "b", "c"}]
    assert counts(engine.report(full=True)) == {"already_members": 4}


@pytest.mark.usefixtures("few_are_many")
def test_who_appears_later_and_who_was_put_out_by_hand_are_found_in_fine_buckets(engine: Engine) -> None:
    engine.people("a", "b", "c")
    engine.report("a", "b", "c", "d")
    engine.people("d")
    engine.edit_by_hand("remove", "a")
    report = engine.report()
    assert counts(report) == {"already_members": 2, "added": 2}
    assert engine.members() == {"a", "b", "c", "d"}


def test_a_guard_that_stops_the_run_leaves_the_buckets_as_they_were(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = [f"{n}" for n in range(FEWEST_REMOVALS)]
    engine.people(*before)
    engine.report(*before)
    monkeypatch.setattr(membership, "FINE_AT", 1)
    assert isinstance(engine.run("nobody").error, GuardStop)
    with Ledger.open(engine.path) as ledger:
        assert numbers_in(ledger, key_of(ledger)) <= set(COARSE)
    assert (engine.members(), engine.writes()) == ({*before}, 1)


@pytest.mark.usefixtures("few_are_many")
def test_a_dry_run_makes_nothing_finer(engine: Engine) -> None:
    engine.people("a", "b", "c")
    engine.report("a", "b")
    before = engine.path.read_bytes()
    report = engine.run("a", "b", "c", dry_run=True).report
    assert isinstance(report, CohortReport)
    assert counts(report) == {"already_members": 2, "added": 1}
    assert engine.path.read_bytes() == before


@pytest.mark.usefixtures("few_are_many")
def test_killed_at_any_write_of_the_step_the_next_run_ends_the_same(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    engine.people("a", "b", "c", "d")
    write: Callable[..., None] = Members.write
    for last in range(6):
        name, left = f"sync {last}", iter(range(1_000))
        engine.report("a", "b", name=name)

        def dying(self: Members, *more: object, left: Iterator[int] = left, last: int = last) -> None:
            if next(left) == last:
                raise Killed
            write(self, *more)

        with monkeypatch.context() as patch:
            patch.setattr(Members, "write", dying)
            with pytest.raises(Killed):
                engine.run("b", "c", "d", name=name)
        with Ledger.open(engine.path) as ledger:
            members = Members(ledger.connection, key_of(ledger, name))
            assert numbers_in(ledger, members.key) <= set(members.numbers)
        report = engine.report("b", "c", "d", name=name)
        assert report.segment.id is not None
        assert engine.members(report.segment.id) == {"b", "c", "d"}


def key_of(ledger: Ledger, name: str = "vip") -> str:
    (key,) = ledger.connection.execute("SELECT sync_key FROM syncs WHERE name = ?", (name,)).fetchone()
    assert isinstance(key, str)
    return key


def test_an_engine_of_before_that_would_find_nobody_in_fine_buckets_is_kept_out(ledger: Ledger) -> None:
    (version,) = ledger.connection.execute("PRAGMA user_version").fetchone()
    assert version >= 7
