"""The comparison of cohorts by DuckDB, of the extra `scale`: whatever the ids, the same as the plain one."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from zlib import crc32

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sync.cohort_pass import AS_STORED, CohortPass, Totals
from sync.core.diff import Known
from sync.core.errors import ConfigError
from sync.core.report import CohortReport
from sync.edge import duck, duck_ids, scale
from sync.edge.duck_ids import Source
from sync.edge.ledger import Ledger
from sync.edge.membership import BUCKETS, IDS_PER_ROW, Members, Spool, in_calls
from sync.edge.scale import LineSpool, compared, open_spool
from sync.edge.settings import DIFFS, read_settings
from tests.integration.cohort_engine import Engine, counts

if "CI" not in os.environ:  # there, a missing extra is an error
    pytest.importorskip("duckdb", reason="the extra `scale` is not installed")
import duckdb

Found = tuple[Spool, Spool, Spool]


class Planned(NamedTuple):
    """Everything that comes of a comparison, the ledger's rows included."""

    totals: Totals
    known: list[Known]


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    with Ledger.open(tmp_path_factory.mktemp("scale") / "ledger.db") as opened:
        yield opened


def buckets(ids: frozenset[bytes], number: int) -> frozenset[bytes]:
    return frozenset(one for one in ids if crc32(one) % BUCKETS == number)


def remember(ledger: Ledger, known: Known) -> Members:
    members = Members(ledger.connection, "key")
    with ledger.atomic():
        members.forget()
        for number in range(BUCKETS):
            for state, ids in zip(Known._fields, known, strict=True):
                members.write(number, state, buckets(ids, number))
    return members


def plan(ledger: Ledger, known: Known, cohort: list[bytes], spool: Spool, *, retry_absent: bool = False) -> Planned:
    members = remember(ledger, known)
    with spool, ledger.atomic():
        for call in in_calls(cohort, 3):
            spool.add(call)
        work = CohortPass(spool, members)
        totals = work.plan(AS_STORED, full=False, retry_absent=retry_absent, write=True)
        assert [work.ids(n) for n in range(BUCKETS)] == [buckets(frozenset(cohort), n) for n in range(BUCKETS)]
        return Planned(totals, [members.bucket(number) for number in range(BUCKETS)])


def found_by_duckdb(ledger: Ledger, known: Known, cohort: list[bytes]) -> bool:
    members = remember(ledger, known)
    with LineSpool(worth_ids=0) as spool:
        spool.add(cohort)
        with compared(spool, members) as changes:
            return changes is not None


NASTY = (
    "a", "A", "á", "a\u0301", "ß", "SS", "İ", "i\u0307", " a", "a ", "\ta", "a\u00a0", "\ufeffa", "\u2028", "'", '"',
    '"a"', '""', "a,b", "a;b", "a\\", "\\N", "NULL", "null", "id", "#a", "0", "00", "1", "1.0", "1e0", "+1", "-",
    "true",
    "😀", "\U0010ffff", "a\x01", "\x7f", "x" * 150, "é" * 75,
)  # fmt: skip
NO_LINE = ("a\nb", "\n", "a\rb", "\r", "a\x1fb", "a\0b", "\0")
lines = st.sampled_from(NASTY) | st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\n\r\0\x1f"), min_size=1, max_size=150
)
any_ids = lines | st.sampled_from(NO_LINE) | st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=9)


@st.composite
def snapshots(draw: st.DrawFn, ids: st.SearchStrategy[str]) -> tuple[Known, list[bytes]]:
    """A cohort with repetitions, and a ledger that shares ids with it in every state."""
    pool = [one.encode() for one in draw(st.lists(ids, min_size=1, max_size=25, unique=True))]
    some = st.frozensets(st.sampled_from(pool))
    return Known(*(draw(some) for _ in Known._fields)), draw(st.lists(st.sampled_from(pool), max_size=40))


@given(snapshots(any_ids), st.booleans())
@example((Known(frozenset([b"a"]), absent=frozenset([b"\xc3\x9f"])), [b"a", b"a", b"\xc3\x9f", b"b\nc"]), False)
@example((Known(frozenset([b"a", b"b"]), leaving=frozenset([b"a"])), [b"a", b"a", b"b", b"a"]), True)
@settings(max_examples=60, deadline=None)
def test_both_ways_give_the_same_whatever_the_ids(
    ledger: Ledger, snapshot: tuple[Known, list[bytes]], retry_absent: bool
) -> None:
    plain = plan(ledger, *snapshot, Spool(), retry_absent=retry_absent)
    assert plan(ledger, *snapshot, LineSpool(worth_ids=0), retry_absent=retry_absent) == plain


@given(snapshots(lines))
@example((Known(frozenset(one.encode() for one in NASTY)), [one.encode() for one in NASTY]))
@example((Known(frozenset(one.encode() for one in NASTY[::2])), [one.encode() for one in NASTY[1:]]))
@settings(max_examples=30, deadline=None)
def test_ids_that_are_lines_are_compared_by_duckdb_and_come_out_the_same(
    ledger: Ledger, snapshot: tuple[Known, list[bytes]]
) -> None:
    assert found_by_duckdb(ledger, *snapshot)
    assert plan(ledger, *snapshot, LineSpool(worth_ids=0)) == plan(ledger, *snapshot, Spool())


@pytest.mark.parametrize("one", NO_LINE, ids=ascii)
def test_an_id_that_no_line_can_hold_is_compared_the_plain_way(ledger: Ledger, one: str) -> None:
    ids = frozenset([b"a", one.encode()])
    assert not found_by_duckdb(ledger, Known(frozenset([b"a"])), sorted(ids))
    assert not found_by_duckdb(ledger, Known(ids), [b"a"])
    assert not found_by_duckdb(ledger, Known(frozenset([b"a"]), absent=ids), [b"a"])
    assert plan(ledger, Known(ids), [b"a", b"c"], LineSpool(worth_ids=0)) == plan(
        ledger, Known(ids), [b"a", b"c"], Spool()
    )


def test_an_error_of_duckdb_means_the_plain_way(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    known, cohort = Known(frozenset([b"a", b"b"])), [b"b", b"c"]
    plain = plan(ledger, known, cohort, Spool())
    monkeypatch.setattr(duck_ids, "MOST_MEMORY", "1B")
    assert not found_by_duckdb(ledger, known, cohort)
    assert plan(ledger, known, cohort, LineSpool(worth_ids=0)) == plain


def test_no_room_for_duckdb_means_the_plain_way(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    members = remember(ledger, Known(frozenset([b"a", b"b"])))
    with LineSpool(worth_ids=0) as spool:
        spool.add([b"b", b"c"])
        spool.folder()
        monkeypatch.setattr(tempfile, "tempdir", os.devnull)
        with ledger.atomic():
            totals = CohortPass(spool, members).plan(AS_STORED, full=False, retry_absent=False, write=True)
        assert (totals.join, totals.leave, totals.kept) == (1, 1, 1)


def test_memory_threads_and_folder_are_bounded_and_nothing_is_fetched(tmp_path: Path) -> None:
    with duck.open_database(tmp_path, most_memory=duck_ids.MOST_MEMORY) as database:
        names = ("memory_limit", "temp_directory", "autoinstall_known_extensions", "threads")
        row = database.execute(f"SELECT {', '.join(f'current_setting({name!r})' for name in names)}").fetchone()
    assert row is not None
    assert row[:3] == ("152.5 MiB", str(tmp_path), False)
    assert 1 <= row[3] <= duck.MOST_THREADS


def test_what_is_on_disk_is_private_and_goes_away(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[Path, int] = {}
    execute = duck_ids._find

    def watched(database: duckdb.DuckDBPyConnection, *files: list[Source], into: Found) -> None:
        folders = [one.path.parent for some in files for one in some]
        seen.update((folder, stat.S_IMODE(folder.stat().st_mode)) for folder in folders)
        execute(database, *files, into=into)

    monkeypatch.setattr(duck_ids, "_find", watched)
    plan(ledger, Known(frozenset([b"a"])), [b"b"], LineSpool(worth_ids=0))
    assert list(seen.values()) == [0o700, 0o700]  # the spool's, and that of what the ledger knows
    assert not any(folder.exists() for folder in seen)


# -- when -------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("confirmed", "cohort", "by_duckdb"),
    [
        pytest.param(2 * IDS_PER_ROW + 1, 6_000, True, id="both are large"),
        pytest.param(2 * IDS_PER_ROW + 1, 5_999, False, id="a small cohort"),
        pytest.param(2 * IDS_PER_ROW, 6_000, False, id="few members"),
        pytest.param(0, 6_000, False, id="a first run"),
    ],
)
def test_duckdb_is_chosen_where_both_sides_are_large(
    ledger: Ledger, confirmed: int, cohort: int, by_duckdb: bool
) -> None:
    members = remember(ledger, Known())
    with ledger.atomic():
        members.write(0, "confirmed", [f"{n:06}".encode() for n in range(confirmed)])
    with LineSpool(worth_ids=6_000) as spool:
        spool.add([f"{n:06}".encode() for n in range(cohort)])
        with compared(spool, members) as changes:
            assert (changes is not None) == by_duckdb


def test_lines_are_written_as_they_come_and_given_back_by_bucket(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scale, "LINES_AT_ONCE", 10)
    ids = [f"{n}".encode() for n in range(95)]
    with LineSpool(worth_ids=0) as spool:
        for call in in_calls(ids, 7):
            spool.add(call)
        assert sorted(one.name for one in spool.folder().iterdir()) == ["held", "lines"]
        assert sorted(one for number in range(BUCKETS) for one in spool.bucket(number)) == sorted(ids)
        assert (spool.count, [one.name for one in spool.folder().iterdir()]) == (95, ["held"])
        assert spool.sources(1_000) is None


def test_the_way_can_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for cores, auto in ((2, "Spool"), (3, "LineSpool"), (None, "Spool")):
        monkeypatch.setattr(os, "cpu_count", lambda cores=cores: cores)
        assert [type(open_spool(way)).__name__ for way in DIFFS] == [auto, "Spool", "LineSpool"]
    assert read_settings({"CIO_DIFF": "Python"}).diff == "python"
    with pytest.raises(ConfigError, match="CIO_DIFF is 'sql'"):
        read_settings({"CIO_DIFF": "sql"})
    monkeypatch.setattr(scale, "is_installed", lambda: False)
    assert [type(open_spool(way)).__name__ for way in ("auto", "python")] == ["Spool", "Spool"]
    with pytest.raises(ConfigError) as refused:
        open_spool("duckdb")
    assert "fakeio[scale]" in refused.value.hint


@pytest.mark.parametrize("way", ["python", "duckdb"])
def test_a_run_ends_the_same_whichever_way(engine: Engine, monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    by_duckdb: list[int] = []
    execute = duck_ids._find

    def watched(database: duckdb.DuckDBPyConnection, *files: list[Source], into: Found) -> None:
        by_duckdb.append(len(files))
        execute(database, *files, into=into)

    monkeypatch.setattr(duck_ids, "_find", watched)
    engine.people("a", "b", "c", "d")
    chosen = engine.settings(diff=way)
    engine.report("a", "b", "c", "nobody", settings=chosen)
    dry = engine.run("b", "c", "d", "nobody", settings=chosen, dry_run=True)
    report = engine.report("b", "c", "d", "nobody", settings=chosen)
    assert isinstance(dry.report, CohortReport)
    assert (dry.report.added, dry.report.removed) == (1, 1)
    assert counts(report) == {"already_members": 2, "added": 1, "not_found": 1, "removed": 1}
    assert (engine.calls("add")[-1], engine.calls("remove"), engine.members()) == (["d"], [["a"]], {"b", "c", "d"})
    assert len(by_duckdb) == (2 if way == "duckdb" else 0)
