"""Parquet as a source of cohorts and events: the same people and events as from text. Needs the extra `scale`."""

from __future__ import annotations

import builtins
import gzip
import io
import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from fakeio import Fake
from sync.core.errors import SourceError
from sync.core.facts import SnapshotFacts
from sync.edge import files, parquet
from sync.edge.cohort_files import read_cohort
from sync.edge.files import EventFiles
from sync.edge.membership import BUCKETS, Spool
from tests.integration.event_engine import Engine, counts, ended_report

if "CI" not in os.environ:  # there, a missing extra is an error
    pytest.importorskip("duckdb", reason="the extra `scale` is not installed")
import duckdb

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(select: str, name: str = "some.parquet") -> Path:
        with duckdb.connect() as connection:
            connection.execute(f"COPY ({select}) TO '{tmp_path}/written' (FORMAT parquet, ROW_GROUP_SIZE 2048)")
        return (tmp_path / "written").rename(tmp_path / name)

    return write


def ids_of(source: Path | str, column: str = "user_id", id_type: str = "id") -> tuple[list[bytes], SnapshotFacts]:
    with Spool() as spool:
        facts = read_cohort(str(source), column, id_type, spool)
        return sorted(one for number in range(BUCKETS) for one in spool.bucket(number)), facts


# -- cohorts ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("values", "ids", "skipped"),
    [
        pytest.param("'00123', '1e3', ' 1', '🦊'", [b" 1", b"00123", b"1e3", "🦊".encode()], {}, id="text"),
        pytest.param("1::BIGINT, -7", [b"-7", b"1"], {}, id="whole numbers"),
        pytest.param("12345678901234567890123::DECIMAL(38, 0)", [b"12345678901234567890123"], {}, id="a decimal"),
        pytest.param("'a'::BLOB", [b"a"], {}, id="bytes"),
        pytest.param("'a', NULL, '', '  '", [b"a"], {"unresolved_mapping": 3}, id="nobody"),
        pytest.param(f"'{'x' * 151}', 'a'", [b"a"], {"id_too_long": 1}, id="too long"),
        pytest.param("1.5::DECIMAL(3, 1)", [], {"bad_row": 1}, id="a fraction"),
        pytest.param("true", [], {"bad_row": 1}, id="a boolean"),
        pytest.param("[1, 2]", [], {"bad_row": 1}, id="a list"),
    ],
)  # fmt: skip
def test_each_value_of_a_column_has_its_fate(
    write: Write, values: str, ids: list[bytes], skipped: dict[str, int]
) -> None:
    path = write(f"SELECT unnest([{values}]) AS user_id, 7 AS other")
    found, facts = ids_of(path)
    assert (found, facts) == (ids, SnapshotFacts(len(ids), skipped))


def test_a_large_file_is_read_to_its_end(write: Write) -> None:
    path = write("SELECT 'u' || i AS user_id FROM range(50_000) t(i)")
    found, facts = ids_of(path)
    assert (len(set(found)), facts.kept) == (50_000, 50_000)


@pytest.mark.parametrize("name", ["a [1].parquet", "a*?.parquet", "it's.parquet", "no ending"])
def test_a_name_is_a_name_and_no_pattern(write: Write, name: str) -> None:
    assert ids_of(write("SELECT 'a' AS user_id", name))[0] == [b"a"]


def test_a_glob_may_name_text_and_parquet_together(write: Write, tmp_path: Path) -> None:
    write("SELECT 'a' AS user_id", "one.parquet")
    (tmp_path / "two.csv").write_text("user_id\nb\n")
    assert ids_of(tmp_path / "*")[0] == [b"a", b"b"]


def test_a_column_of_any_name_can_be_chosen(write: Write) -> None:
    path = write("""SELECT 'Ann@Example.com' AS "the ""mail" """)
    assert ids_of(path, 'the "mail', "email")[0] == [b"ann@example.com"]


def test_a_missing_column_is_an_error_that_names_those_that_are_there(write: Write) -> None:
    with pytest.raises(SourceError) as error:
        ids_of(write("SELECT 1 AS a, 2 AS b"))
    assert (error.value.reason, "its columns are: a, b" in error.value.message) == ("no_id_column", True)


def cut(content: bytes) -> bytes:
    return content[: len(content) // 2]


def garbled(content: bytes) -> bytes:
    return content[:4] + bytes(byte ^ 0xFF for byte in content[4:-200]) + content[-200:]


@pytest.mark.parametrize("damage", [cut, garbled, lambda content: b"PAR1"], ids=["cut", "garbled", "four bytes"])
def test_a_damaged_file_is_one_clear_error(write: Write, damage: Callable[[bytes], bytes]) -> None:
    path = write("SELECT 'secret-person-' || i AS user_id FROM range(5_000) t(i)")
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(SourceError) as error:
        ids_of(path)
    assert "damaged" in error.value.message
    assert "secret-person" not in error.value.message


def test_without_the_extra_the_error_names_it(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write("SELECT 'a' AS user_id")
    real = builtins.__import__

    def without(name: str, *more: Any) -> Any:
        if name == "duckdb":
            raise ImportError(name)
        return real(name, *more)

    monkeypatch.setattr(builtins, "__import__", without)
    monkeypatch.delitem(sys.modules, "duckdb")
    with pytest.raises(SourceError) as error:
        ids_of(path)
    assert (error.value.reason, "fakeio[scale]" in error.value.hint) == ("scale_missing", True)


# -- events -----------------------------------------------------------------------------------------------------------
def test_rows_become_lines_of_an_export(write: Write) -> None:
    path = write(
        "SELECT 'u1' AS user_id, 'order' AS event_type, TIMESTAMP '2026-01-01 10:00:00.123456' AS event_time,"
        " {'total': 7, 'list': [1, 2]} AS event_properties, '{\"plan\": \"pro\"}' AS user_properties,"
        " MAP {'company': 'acme'} AS groups, 'no JSON' AS group_properties, 5::BIGINT AS app, NULL AS uuid"
    )
    (text,) = parquet.read_lines(path)
    assert json.loads(text) == {
        "user_id": "u1", "event_type": "order", "event_time": "2026-01-01 10:00:00.123456",
        "event_properties": {"total": 7, "list": [1, 2]}, "user_properties": {"plan": "pro"},
        "groups": {"company": "acme"}, "group_properties": None, "app": 5, "uuid": None,
    }  # fmt: skip


def test_lines_keep_the_order_of_the_file(write: Write) -> None:
    path = write("SELECT i FROM range(20_000) t(i)")
    lines = b"".join(parquet.read_lines(path)).splitlines()
    assert [json.loads(line)["i"] for line in lines] == list(range(20_000))


def test_an_export_in_parquet_is_delivered_like_one_in_text(write: Write, fake: Fake, tmp_path: Path) -> None:
    path = write(
        "SELECT 'u' || (i % 7) AS user_id, 'order' AS event_type, 'd' AS device_id, i::VARCHAR AS \"$insert_id\","
        " TIMESTAMP '2026-01-01 10:00:00' AS event_time, {'n': i} AS event_properties FROM range(1_200) t(i)"
    )
    engine = Engine(fake, fake.new_workspace(), tmp_path)
    report = ended_report(engine.run(source=str(path)))
    assert (counts(report), report.status) == ({"received": 1_200, "delivered": 1_200}, "success")
    assert sorted(engine.numbers()) == list(range(1_200))
    engine.workspace.raise_first_error()


def test_a_piped_or_packed_file_is_told_to_be_unpacked(write: Write) -> None:
    content = write("SELECT 1 AS user_id").read_bytes()
    for stdin in (content, gzip.compress(content)):
        with pytest.raises(SourceError) as error, EventFiles("-", io.BytesIO(stdin)) as events:
            events.prove()
        assert "packed or piped" in error.value.message


def test_a_damaged_export_sends_nothing(write: Write) -> None:
    path = write("SELECT 'u' || i AS user_id FROM range(50_000) t(i)")
    path.write_bytes(cut(path.read_bytes()))
    with pytest.raises(SourceError), EventFiles(str(path)) as events:
        events.prove()


def test_of_a_large_file_only_the_beginning_is_proved(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "PROVEN_BYTES", 0)
    path = write("SELECT i FROM range(5_000) t(i)")
    with EventFiles(str(path)) as events:
        events.prove()
        assert len(b"".join(piece.data for piece in events.pieces()).splitlines()) == 5_000
        assert events.bytes_read == events.total_bytes == path.stat().st_size


@pytest.fixture(scope="module")
def fake() -> Iterator[Fake]:
    with Fake() as server:
        yield server
