"""Cohort files as Amplitude writes them, and as the world breaks them."""

from __future__ import annotations

import csv
import gzip
import io
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.core.errors import SnapshotIncomplete, SourceError
from sync.core.facts import SnapshotFacts
from sync.edge.cohort_files import CHUNK, read_cohort
from sync.edge.membership import BUCKETS, Spool

HEADER = '"amplitude_id","user_id"\r\n'


def read(source: Path | str, column: str = "user_id", id_type: str = "id") -> tuple[list[str], SnapshotFacts]:
    """The ids that a source gives, sorted, and its counts."""
    with Spool() as spool:
        facts = read_cohort(str(source), column, id_type, spool)
        assert spool.count == facts.kept
        return sorted(one.decode() for number in range(BUCKETS) for one in spool.bucket(number)), facts


def write(folder: Path, content: bytes | str, name: str = "cohort.csv") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def rows(*ids: str) -> str:
    """A cohort file as Amplitude writes it: every field quoted, CRLF."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, quoting=csv.QUOTE_ALL)
    writer.writerows([("amplitude_id", "user_id"), *((str(n), one) for n, one in enumerate(ids))])
    return out.getvalue()


ODD = ["00123", " 123", "123", "1e3", "true", "null", "🦊", "a,b", 'a"b', "a\r\nb", "a\nb", "ä" * 75, "x" * 150]


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"], ids=["", "with a byte order mark"])
def test_ids_are_read_to_the_byte(tmp_path: Path, packed: bool, bom: bytes) -> None:
    content = bom + rows(*ODD).encode()
    path = write(tmp_path, gzip.compress(content) if packed else content, "cohort.bin")
    assert read(path) == (sorted(ODD), SnapshotFacts(len(ODD), {}))


def test_rows_that_give_no_usable_id_are_counted(tmp_path: Path) -> None:
    path = write(tmp_path, rows("a", "", " ", "x" * 151, "ä" * 76, "a", "n\0ul", "\0" * 200, "a\r\nb"))
    counts = {"unresolved_mapping": 2, "id_too_long": 2, "bad_row": 2}
    assert read(path) == (["a", "a", "a\r\nb"], SnapshotFacts(3, counts))


def test_the_column_is_found_by_its_name_and_names_may_repeat(tmp_path: Path) -> None:
    path = write(tmp_path, "amplitude_id,amplitude_id,persona,user_id,persona,user_id\n1,1,p,a,q,second\n2,2,p,b,q,\n")
    assert read(path)[0] == ["a", "b"]
    assert read(path, "persona")[0] == ["p", "p"]


def test_blank_lines_are_no_rows(tmp_path: Path) -> None:
    assert read(write(tmp_path, HEADER + '"1","a"\r\n\r\n"2","b"\r\n\r\n')) == (["a", "b"], SnapshotFacts(2, {}))


def test_a_header_alone_is_an_empty_cohort(tmp_path: Path) -> None:
    assert read(write(tmp_path, HEADER)) == ([], SnapshotFacts(0, {}))


def test_many_rows_are_read_in_chunks(tmp_path: Path) -> None:
    ids = [f"user-{n}" for n in range(CHUNK * 2 + 1)]
    assert read(write(tmp_path, rows(*ids)))[0] == sorted(ids)


@pytest.mark.parametrize(
    ("id_type", "expected"),
    [
        pytest.param("id", ["Ann@B.c", "ann@b.c", "cio_0f"], id="an id is what it is"),
        pytest.param("email", ["ann@b.c", "ann@b.c", "cio_0f"], id="email ignores case"),
        pytest.param("cio_id", ["0f", "Ann@B.c", "ann@b.c"], id="the prefix of a cio_id is for paths"),
    ],
)
def test_one_spelling_an_id_type(tmp_path: Path, id_type: str, expected: list[str]) -> None:
    assert read(write(tmp_path, rows("Ann@B.c", "ann@b.c", "cio_0f")), id_type=id_type)[0] == expected


def test_a_cio_id_that_is_only_the_prefix_is_no_id(tmp_path: Path) -> None:
    assert read(write(tmp_path, rows("cio_")), id_type="cio_id") == ([], SnapshotFacts(0, {"unresolved_mapping": 1}))


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
def test_one_object_a_line_is_read_too(tmp_path: Path, packed: bool) -> None:
    lines = [
        {"user_id": "a", "amplitude_id": 1}, {"user_id": "", "x": [1]}, {"user_id": None}, {}, {"user_id": 123},
        {"user_id": "00123"}, {"user_id": 1.5}, {"user_id": True}, {"user_id": {"a": 1}}, {"user_id": "ä" * 76},
    ]  # fmt: skip
    content = "\ufeff" + "\n\n".join(json.dumps(line) for line in lines) + "\n"
    path = write(tmp_path, gzip.compress(content.encode()) if packed else content, "cohort.jsonl")
    skipped = {"unresolved_mapping": 3, "bad_row": 3, "id_too_long": 1}
    assert read(path) == (["00123", "123", "a"], SnapshotFacts(3, skipped))


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        pytest.param(b'{"user_id":"b","x":NaN}', (["a", "b", "c"], {}), id="NaN beside the identifier"),
        pytest.param(b'{"user_id":"b","x":"\\ud800"}', (["a", "b", "c"], {}), id="half a surrogate pair beside it"),
        pytest.param(b'{"user_id":NaN}', (["a", "c"], {"unresolved_mapping": 1}), id="NaN for an identifier"),
        pytest.param(b'{"user_id":"x\\ud800"}', (["a", "c"], {"bad_row": 1}), id="half a pair in the identifier"),
        pytest.param(b'{"user_id":9223372036854775808}', (["9223372036854775808", "a", "c"], {}), id="2^63"),
        pytest.param(
            b'{"user_id":"b","x":' + b"[" * 41 + b"]" * 41 + b"}", (["a", "b", "c"], {}), id="nested 41 deep",
        ),
    ],
)
def test_an_odd_value_costs_no_other_person(
    tmp_path: Path, line: bytes, expected: tuple[list[str], dict[str, int]]
) -> None:
    path = write(tmp_path, b'{"user_id":"a"}\n' + line + b'\n{"user_id":"c"}\n', "cohort.jsonl")
    assert read(path) == (expected[0], SnapshotFacts(len(expected[0]), expected[1]))


def test_a_glob_reads_every_file_with_its_own_header(tmp_path: Path) -> None:
    write(tmp_path, rows("a", "b"), "1.csv")
    write(tmp_path, gzip.compress(b"user_id,amplitude_id\nb,1\nc,2\n"), "2.csv.gz")
    write(tmp_path, '{"user_id":"d"}\n', "3.jsonl")
    assert read(tmp_path / "*") == (["a", "b", "b", "c", "d"], SnapshotFacts(5, {}))


def test_one_object_that_has_the_column_is_enough(tmp_path: Path) -> None:
    write(tmp_path, '{"x":1}\n', "1.jsonl")
    write(tmp_path, '{"x":1}\n{"user_id":null}\n', "2.jsonl")
    assert read(tmp_path / "*") == ([], SnapshotFacts(0, {"unresolved_mapping": 3}))


def test_a_name_with_brackets_is_a_file_before_it_is_a_glob(tmp_path: Path) -> None:
    assert read(write(tmp_path, rows("a"), "[Amplitude] vip.csv"))[0] == ["a"]


whole = gzip.compress(rows(*(f"user-{n}" for n in range(1_000))).encode())


@pytest.mark.parametrize(
    ("content", "error", "words"),
    [
        pytest.param(b"", SourceError, "empty", id="nothing at all"),
        pytest.param(b"\xef\xbb\xbf \n", SourceError, "empty", id="only a byte order mark and blanks"),
        pytest.param(gzip.compress(b""), SourceError, "empty", id="gzip of nothing"),
        pytest.param(b"PK\x03\x04rest", SourceError, "zip", id="a zip archive"),
        pytest.param(gzip.compress(b"PAR1rest"), SourceError, "Parquet", id="Parquet in gzip"),
        pytest.param(b"\x89PNG\0\0", SourceError, "unknown type", id="binary"),
        pytest.param(b'"amplitude_id","other"\r\n"1","2"\r\n', SourceError, "no column 'user_id'", id="no such column"),
        pytest.param(b"ann\nbob\n", SourceError, "no column 'user_id'", id="no header"),
        pytest.param(b'<?xml version="1.0"?>', SourceError, "no column 'user_id'", id="XML"),
        pytest.param(b'"amplitude_id","user_id"\r\n"1","\xff"\r\n', SourceError, "not UTF-8", id="not UTF-8"),
        pytest.param(rows("a").encode("utf-16"), SourceError, "unknown type", id="UTF-16"),
        pytest.param(whole[:-20], SnapshotIncomplete, "cut short", id="truncated gzip"),
        pytest.param(whole[:60], SnapshotIncomplete, "cut short", id="gzip cut early"),
        pytest.param(whole[:2], SnapshotIncomplete, "cut short", id="gzip of two bytes"),
        pytest.param(whole[:-6] + b"\0\0" + whole[-4:], SourceError, "damaged gzip", id="gzip with a wrong checksum"),
        pytest.param(whole[:12] + b"\xff\xff" + whole[14:], SourceError, "damaged gzip|cut short", id="damaged gzip"),
        pytest.param(HEADER.encode() + b'"1","a', SnapshotIncomplete, "cut short", id="cut inside a quoted field"),
        pytest.param(HEADER.encode() + b'"1"', SnapshotIncomplete, "1 fields", id="cut between two fields"),
        pytest.param(b"amplitude_id,user_id\n1,a,b\n", SnapshotIncomplete, "3 fields", id="a comma without quotes"),
        pytest.param(HEADER.encode() + b'"1"x,"a"\r\n', SourceError, "RFC 4180", id="text after a closing quote"),
        pytest.param(b'{"user_id":"a"}\n{"user_id":"b', SnapshotIncomplete, "not one JSON object", id="JSON cut short"),
        pytest.param(b'{"user_id":"a"}\n[1]\n', SnapshotIncomplete, "not one JSON object", id="JSON but no object"),
        pytest.param(b'{"user_id":"\xff"}\n', SnapshotIncomplete, "not one JSON object", id="JSON that is not UTF-8"),
        pytest.param(b'{"user_id":' * 5_000, SnapshotIncomplete, "not one JSON object", id="JSON without a bottom"),
        pytest.param(b'[{"user_id":"a"}]', SourceError, "no column", id="a JSON array"),
        pytest.param(b'{"id":"a"}\n{"id":"b"}\n', SourceError, "a value called 'user_id'", id="JSON of other names"),
        pytest.param(b'{"error":{"http_code":403}}', SourceError, "a value called 'user_id'", id="a JSON error"),
    ],
)
def test_a_doubtful_file_is_an_error_and_not_a_smaller_cohort(
    tmp_path: Path, content: bytes, error: type[SourceError], words: str
) -> None:
    with pytest.raises(error, match=words) as raised:
        read(write(tmp_path, content))
    assert raised.value.exit_code == 3
    assert raised.value.hint
    assert "sent" in raised.value.message


def test_a_missing_column_names_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="amplitude_id, name"):
        read(write(tmp_path, "amplitude_id,name,name\n1,Ann,Ann\n"))


def test_people_in_a_file_without_a_header_are_not_quoted(tmp_path: Path) -> None:
    with pytest.raises(SourceError) as raised:
        read(write(tmp_path, "ann@example.com\nbob@example.com\n"))
    assert "example.com" not in raised.value.message + raised.value.hint


def test_files_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no file matches"):
        read(tmp_path / "nothing.csv")
    with pytest.raises(SourceError, match="no file matches"):
        read(tmp_path / "*.csv")
    with pytest.raises(SourceError, match="is a folder"):
        read(tmp_path)


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=80)


@given(st.lists(texts, max_size=20))
def test_whatever_an_id_is_it_comes_back_the_same(tmp_path_factory: pytest.TempPathFactory, ids: list[str]) -> None:
    path = write(tmp_path_factory.mktemp("ids"), rows(*ids))
    fit = [one for one in ids if len(one.encode()) <= 150 and one.strip("\t\n\r\v\f ") and "\0" not in one]
    found, facts = read(path)
    assert (found, facts.source_rows) == (sorted(fit), len(ids))
