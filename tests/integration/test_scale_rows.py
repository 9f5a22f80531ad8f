"""Rows of a plain CSV that are left for DuckDB to read: the same ids, counts and plan as when Python reads them."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from unittest import mock
from zlib import crc32

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from sync.cohort_pass import AS_STORED, CohortPass, Totals
from sync.core.diff import Known
from sync.core.errors import SourceError
from sync.core.facts import SnapshotFacts
from sync.edge import csv_column, duck_ids, scale
from sync.edge.cohort_files import read_cohort
from sync.edge.ledger import Ledger
from sync.edge.membership import COARSE, Members, Spool
from sync.edge.scale import LineSpool

if "CI" not in os.environ:  # there, a missing extra is an error
    pytest.importorskip("duckdb", reason="the extra `scale` is not installed")

HEADER = ("amplitude_id", "user_id", "plan")
ODD = (
    "", " ", "\t \x0b\x0c", " a", "a ", "\u00a0", "\u3000", "x" * 150, "x" * 151, "é" * 75, "é" * 76, "NULL", "null",
    "\\N", "\\", "a\\", "'", "#a", "\ufeffa", "😀", "a\x1fb", "a\0b", "1e0", "00", 'a"b', "a,b", "a\nb", "a\rb", "é",
    "e\u0301",
)  # fmt: skip
values = st.sampled_from(ODD) | st.text(st.characters(exclude_categories=["Cs"]), max_size=9)
plain = st.text(st.characters(exclude_categories=["Cs"], exclude_characters='",\r\n\0'), max_size=9)


class Read(NamedTuple):
    """All that comes of a file."""

    facts: SnapshotFacts
    totals: Totals
    joining: list[bytes]
    leaving: list[bytes]
    ids: list[bytes]


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    with Ledger.open(tmp_path_factory.mktemp("rows") / "ledger.db") as opened:
        yield opened


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cohort's [1]") / "co*hort.csv"


def read(ledger: Ledger, pattern: str, spool: Spool, confirmed: frozenset[bytes]) -> Read:
    members = Members(ledger.connection, "key")
    with ledger.atomic(), spool:
        members.forget()
        for number in COARSE:
            ids = [one for one in confirmed if crc32(one) % len(COARSE) == number]
            members.write(number, "confirmed", ids)
        facts = read_cohort(pattern, "user_id", "id", spool)
        totals = CohortPass(spool, members).plan(AS_STORED, full=False, retry_absent=False, write=True)
        ids = sorted(one for number in COARSE for one in spool.bucket(number))
        assert spool.count == facts.kept == len(ids)
        return Read(facts, totals, [*members.ids("joining")], [*members.ids("leaving")], ids)


def files(spool: LineSpool) -> list[str]:
    """Those in its folder, without the lock."""
    return sorted(path.name for path in spool.folder().iterdir() if path.name != "held")


def written(path: Path, rows: list[tuple[str, ...]], width: int, quoting: int, end: str) -> None:
    out = io.StringIO(newline="")
    # the column that is read is the last one; a lone column of nothing would be a blank line
    table = [HEADER[2 - width : 2], *(row[2 - width : 2] for row in rows)]
    csv.writer(out, quoting=quoting, lineterminator=end).writerows(table)  # type: ignore[arg-type]  # any of the two
    path.write_text(out.getvalue(), encoding="utf-8", newline="")


@given(
    st.lists(st.tuples(plain, values), max_size=30), st.integers(1, 2),
    st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]), st.sampled_from(["\r\n", "\n"]),
    st.sampled_from([1, 64, 1 << 20]), st.sets(st.sampled_from(ODD)),
)  # fmt: skip
@example([("1", one) for one in ODD], 2, csv.QUOTE_ALL, "\r\n", 1, set(ODD))
@example([("1", "a"), ("2", "b")], 2, csv.QUOTE_ALL, "\r\n", 1 << 20, {"b"})
@settings(max_examples=30, deadline=None)
def test_both_ways_read_the_same_whatever_the_file(
    ledger: Ledger, file: Path, rows: list[tuple[str, ...]], width: int, quoting: int, end: str, block_bytes: int,
    odd: set[str],
) -> None:  # fmt: skip
    # the writer leaves a lone CR unquoted
    assume(quoting == csv.QUOTE_ALL or not any("\r" in value for row in rows for value in row))
    written(file, rows, width, quoting, end)
    confirmed = frozenset(one.encode() for one in odd if one.strip() and len(one.encode()) <= 150)
    with mock.patch.object(csv_column, "BLOCK_BYTES", block_bytes):
        found = read(ledger, str(file), Spool(), confirmed)
        assert read(ledger, str(file), LineSpool(worth_ids=0), confirmed) == found


@given(st.lists(st.tuples(plain, plain), min_size=1, max_size=20), st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_NONE]))
@settings(max_examples=15, deadline=None)
def test_rows_that_are_plain_are_read_by_duckdb(file: Path, rows: list[tuple[str, ...]], quoting: int) -> None:
    written(file, rows, 2, quoting, "\r\n")
    with LineSpool(worth_ids=0) as spool:
        facts = read_cohort(str(file), "user_id", "id", spool)
        assert files(spool) == ["rows 0"]
        assert (spool.taken.kept, facts.source_rows) == (facts.kept, len(rows))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param(b'"n","user_id"\r\n"1","a"\r\n', b'"user_id"\r\n"b"\r\n""\r\n', id="another width"),
        pytest.param(b'"n","user_id"\r\n"1","a"\r\n', b"user_id,n\nb,2\nc,3\n", id="another style"),
        pytest.param(b'"n","user_id"\r\n"1","a"\r\n', b'{"user_id":"b"}\n{"user_id":7}\n', id="JSON lines"),
        pytest.param(b'"n","user_id"\r\n"1","a"\r\n', b'"n","user_id"\r\n"2","b""c"\r\n', id="one that is not plain"),
        pytest.param(b'"n","user_id"\r\n"1","a"\r\n', b'"n","user_id"\r\n"2","b\nc"\r\n', id="an id that is no line"),
    ],
)
def test_files_of_several_kinds_are_one_cohort(ledger: Ledger, tmp_path: Path, first: bytes, second: bytes) -> None:
    for name, content in (("1", first), ("2", second), ("3", first.replace(b'"a"', b'"z"'))):
        (tmp_path / f"{name}.csv").write_bytes(content)
    confirmed = frozenset([b"b", b"c", b"gone"])
    found = read(ledger, str(tmp_path / "*.csv"), Spool(), confirmed)
    assert {b"a", b"z"} <= {*found.ids}
    assert read(ledger, str(tmp_path / "*.csv"), LineSpool(worth_ids=0), confirmed) == found


@pytest.mark.parametrize("broken", ["MOST_MEMORY", "_row"])
def test_where_duckdb_fails_or_counts_otherwise_python_reads(
    ledger: Ledger, file: Path, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    written(file, [("1", "a"), ("2", ""), ("3", "b")], 2, csv.QUOTE_ALL, "\r\n")
    found = read(ledger, str(file), Spool(), frozenset([b"b", b"c"]))
    monkeypatch.setattr(duck_ids, broken, {"MOST_MEMORY": "1B", "_row": lambda *_: (2, True)}[broken])
    spool = LineSpool(worth_ids=0)
    assert read(ledger, str(file), spool, frozenset([b"b", b"c"])) == found
    assert spool.taken.kept == 0


def test_few_rows_are_no_work_for_duckdb(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(duck_ids, "open_database", None)  # to ask it would be an error
    written(file, [(f"{n}", f"{n}") for n in range(9)], 2, csv.QUOTE_ALL, "\r\n")
    with LineSpool(worth_ids=10) as spool:
        assert read_cohort(str(file), "user_id", "id", spool).kept == spool.count == 9
        assert spool.sources(1_000) is None


def test_rows_go_to_disk_before_they_are_many(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scale, "LINES_AT_ONCE", 4)
    monkeypatch.setattr(csv_column, "BLOCK_BYTES", 1)
    written(file, [(f"{n}", f"{n}") for n in range(9)], 2, csv.QUOTE_ALL, "\r\n")
    for worth in (0, 10):
        with LineSpool(worth_ids=worth) as spool:
            assert read_cohort(str(file), "user_id", "id", spool).kept == 9
            assert files(spool) == (["lines"] if worth else ["rows 0"])
            assert sorted(one for number in COARSE for one in spool.bucket(number)) == [b"%d" % n for n in range(9)]
            assert files(spool) == []


def test_folded_identifiers_are_read_by_python(file: Path) -> None:
    written(file, [("1", "A@x.io")], 2, csv.QUOTE_ALL, "\r\n")
    with LineSpool(worth_ids=0) as spool:
        read_cohort(str(file), "user_id", "email", spool)
        assert [one for number in COARSE for one in spool.bucket(number)] == [b"a@x.io"]


def test_what_is_not_utf8_is_refused_on_both_ways(file: Path) -> None:
    file.write_bytes(b'"user_id"\n"a"\n"\xff"\n')
    with LineSpool(worth_ids=0) as spool, pytest.raises(SourceError, match="UTF-8"):
        read_cohort(str(file), "user_id", "id", spool)


def test_what_is_known_is_compared_where_both_are_touched(ledger: Ledger, file: Path) -> None:
    written(file, [("1", "a"), ("2", "b"), ("3", "b")], 2, csv.QUOTE_ALL, "\r\n")
    members = Members(ledger.connection, "touched")
    with ledger.atomic(), LineSpool(worth_ids=0) as spool:
        for number, ids in ((crc32(one) % len(COARSE), [one]) for one in (b"a", b"b")):
            members.write(number, "confirmed", ids)
        members.write(crc32(b"b") % len(COARSE), "leaving", [b"b"])
        read_cohort(str(file), "user_id", "id", spool)
        totals = CohortPass(spool, members).plan(AS_STORED, full=False, retry_absent=False, write=True)
        assert (totals.join, totals.leave, totals.in_cohort) == (1, 0, 2)
        assert members.bucket(crc32(b"b") % len(COARSE)).joining == Known(joining=frozenset([b"b"])).joining
