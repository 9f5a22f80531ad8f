"""Event files: told by their first bytes, read in bounded memory, and doubted when they are damaged."""

from __future__ import annotations

import gzip
import io
import os
import threading
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import pytest

from sync.core.errors import SourceError
from sync.core.rows import Unreadable, parse_rows
from sync.edge import files
from sync.edge.files import EventFiles, find_files, in_order

LINES = b"".join(b'{"n":%d}\n' % n for n in range(1_000))
MANY = LINES * 100  # several blocks


def zipped(*members: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return file.getvalue()


def read(source: str | Path, stdin: IO[bytes] | None = None) -> bytes:
    """Everything of a source, after it was proven."""
    with EventFiles(str(source), stdin) as events:
        events.prove()
        return b"".join(piece.data for piece in events.pieces())


def names(source: str | Path) -> list[str]:
    """The parts of a source in order, from the source's own path on."""
    with EventFiles(str(source)) as events:
        found = dict.fromkeys(piece.name for piece in events.pieces())
    return [name.replace(str(source), "") for name in found]


KINDS: dict[str, Callable[[bytes], bytes]] = {
    "JSONL": lambda data: data,
    "JSONL with a byte order mark": lambda data: b"\xef\xbb\xbf" + data,
    "gzip": gzip.compress,
    "gzip of two parts": lambda data: gzip.compress(data[:100]) + gzip.compress(data[100:]),
    "gzip with padding": lambda data: gzip.compress(data) + b"\0" * 512,
    "gzip with a byte order mark": lambda data: gzip.compress(b"\xef\xbb\xbf" + data),
    "zip of gzip, deflated": lambda data: zipped(("1/1_2026-01-01_0#0.json.gz", gzip.compress(data))),
    "zip of gzip, stored": lambda data: zipped(("a.json.gz", gzip.compress(data)), method=zipfile.ZIP_STORED),
    "zip of gzip, bzip2": lambda data: zipped(("a.json.gz", gzip.compress(data)), method=zipfile.ZIP_BZIP2),
    "zip of JSONL": lambda data: zipped(("a.json", data)),
    "zip of a zip": lambda data: zipped(("a.zip", zipped(("a.json", data)))),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["export.zip", "export.json.gz", "export"])
@pytest.mark.parametrize("data", [pytest.param(LINES, id="small"), pytest.param(MANY, id="several blocks")])
def test_a_file_is_told_by_its_first_bytes(tmp_path: Path, kind: str, name: str, data: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(KINDS[kind](data))
    assert read(path) == data


@pytest.mark.parametrize("kind", KINDS)
def test_standard_input_may_be_any_of_them(kind: str) -> None:
    assert read("-", io.BytesIO(KINDS[kind](MANY))) == MANY


def test_a_large_gzip_from_standard_input_is_streamed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "PROVEN_BYTES", 1_000)
    assert read("-", io.BytesIO(gzip.compress(MANY, 1))) == MANY


@pytest.mark.parametrize("data", [LINES, gzip.compress(LINES), zipped(("a.json", LINES))], ids=["lines", "gzip", "zip"])
def test_a_pipe_with_a_name_is_read_as_standard_input_is(tmp_path: Path, data: bytes) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(data,))
    writer.start()
    assert read(pipe) == LINES
    writer.join()


def test_no_standard_input_at_all_is_an_error() -> None:
    with pytest.raises(SourceError, match="standard input is closed"):
        EventFiles("-", None)


def test_standard_input_may_be_a_pipe_that_trickles() -> None:
    reader, writer = os.pipe()

    def trickle() -> None:
        with open(writer, "wb", buffering=0) as pipe:
            for start in range(0, len(LINES), 700):
                pipe.write(LINES[start : start + 700])

    thread = threading.Thread(target=trickle)
    thread.start()
    with open(reader, "rb") as stdin:
        assert read("-", stdin) == LINES
    thread.join()


@pytest.mark.parametrize(
    "data", [b"", b"\n\n  \n", gzip.compress(b""), zipped(), zipped(("a.json.gz", gzip.compress(b"")))],
    ids=["nothing", "blank lines", "gzip of nothing", "an empty zip", "a zip of nothing"],
)  # fmt: skip
def test_an_empty_source_has_no_events(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "empty").write_bytes(data)
    assert read(tmp_path / "empty").strip() == b""
    assert read("-", io.BytesIO(data)).strip() == b""


def test_pieces_are_whole_lines_of_one_part_each(tmp_path: Path) -> None:
    second = gzip.compress(MANY + b'{"n":"last"}')
    (tmp_path / "export.zip").write_bytes(zipped(("a.json", MANY), ("b.json.gz", second)))
    with EventFiles(str(tmp_path / "export.zip")) as events:
        pieces = [*events.pieces()]
        assert events.bytes_read <= (events.total_bytes or 0) == (tmp_path / "export.zip").stat().st_size
    assert len(pieces) > 5
    assert all(piece.data.endswith(b"}\n") for piece in pieces[:-1])
    assert pieces[-1].data.endswith(b'{"n":"last"}')
    assert b"".join(piece.data for piece in pieces if piece.name.endswith("!a.json")) == MANY


def test_a_line_too_long_for_memory_harms_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MOST_LINE_BYTES", 300_000)
    long = b'{"n":"' + b"x" * 2_000_000 + b'"}\n'
    (tmp_path / "export").write_bytes(b'{"n":1}\n' + long + b'{"n":2}\n')
    lines = read(tmp_path / "export").splitlines()
    assert (lines[0], lines[-1], len(lines)) == (b'{"n":1}', b'{"n":2}', 3)
    assert len(lines[1]) < 600_000


@pytest.mark.parametrize("end", [b"\n", b""], ids=["in the middle", "at the end"])
def test_a_line_too_long_for_memory_is_no_row_whatever_its_rest_would_make(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: bytes
) -> None:
    monkeypatch.setattr(files, "MOST_LINE_BYTES", 300_000)
    cut = b'{"n":3}' + b" " * 2_000_000  # its beginning alone would be a row
    joined = b'{"n":"' + b"x" * 2_000_000 + b'"}'  # and so would its beginning with its end
    (tmp_path / "export").write_bytes(b"\n".join((b'{"n":1}', joined, b'{"n":2}', cut)) + end)
    lines = read(tmp_path / "export").splitlines()
    assert [lines[0], lines[2], len(lines)] == [b'{"n":1}', b'{"n":2}', 4]
    assert [type(row) for one in (lines[1], lines[3]) for row in parse_rows(one)] == [Unreadable, Unreadable]


# -- which files ------------------------------------------------------------------------------------------------------
HOURS = [f"p/p_2026-01-{part}.json.gz" for part in ("01_9#0", "01_9#1", "01_10#0", "02_1#0")]


def test_members_are_read_in_the_order_of_their_hours(tmp_path: Path) -> None:
    members = [(name, gzip.compress(b'{"n":1}\n')) for name in (*reversed(HOURS), "__MACOSX/p/._x", "p/.DS_Store")]
    (tmp_path / "export.zip").write_bytes(zipped(("p/", b""), *members))
    assert names(tmp_path / "export.zip") == [f"!{name}" for name in HOURS]


def test_a_folder_is_read_with_all_below_it(tmp_path: Path) -> None:
    for name in (*reversed(HOURS), ".hidden/x", "p/.DS_Store"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(gzip.compress(b'{"n":1}\n'))
    assert names(tmp_path) == [f"/{name}" for name in HOURS]


def test_a_glob_names_files(tmp_path: Path) -> None:
    for name in ("a_10.json", "a_9.json", "b.json"):
        (tmp_path / name).write_bytes(LINES)
    (tmp_path / "a_folder.json").mkdir()
    found = find_files(str(tmp_path / "a_*.json"))
    assert [path.name for path in found] == ["a_9.json", "a_10.json"]


def test_a_file_with_the_letters_of_a_glob_in_its_name_is_that_file(tmp_path: Path) -> None:
    (tmp_path / "a[1].json").write_bytes(LINES)
    assert read(tmp_path / "a[1].json") == LINES


def test_names_sort_by_the_numbers_in_them() -> None:
    assert sorted(["a10b2", "a9b10", "a9b9", "b1", "a"], key=in_order) == ["a", "a9b9", "a9b10", "a10b2", "b1"]


def test_only_what_the_engine_wrote_itself_is_left_out(tmp_path: Path) -> None:
    exports = ["a.json", "state-2026.json", "state.json", "deeper/state"]
    own = ["state", "state-wal", "state-shm", "state-lease-0a", "state-inbox", "state-inbox-wal", "cio-sync-pace-0b"]
    (tmp_path / "deeper").mkdir()
    for name in exports + own:
        (tmp_path / name).write_bytes(b"")
    found = find_files(str(tmp_path), tmp_path / "state")
    assert {str(path.relative_to(tmp_path)) for path in found} == set(exports)
    assert find_files(str(tmp_path / "state"), tmp_path / "state") == [tmp_path / "state"]  # named, it is read


@pytest.mark.parametrize("source", ["nothing-here", "nothing-*.gz", "amplitude:export", "", " "])
def test_a_source_that_is_not_there_is_an_error(source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SourceError):
        EventFiles(source)


def test_an_empty_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no file matches"):
        EventFiles(str(tmp_path))


# -- damage -----------------------------------------------------------------------------------------------------------
GOOD = gzip.compress(MANY)


def flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 0xFF]) + data[at + 1 :]


DAMAGE = [
    pytest.param(GOOD[:-2_000], "cut short", id="a gzip file without its end"),
    pytest.param(GOOD[:-4], "cut short", id="a gzip file without its last bytes"),
    pytest.param(flipped(GOOD, len(GOOD) - 8), "damaged", id="a gzip file with a wrong checksum"),
    pytest.param(flipped(GOOD, 200), "damaged|cut short", id="a gzip file with a wrong byte"),
    pytest.param(GOOD + b"garbage", "damaged|cut short", id="a gzip file with garbage behind it"),
    pytest.param(zipped(("a.gz", GOOD))[:-10], "damaged", id="a zip without its end"),
    pytest.param(zipped(("a.gz", GOOD[:-2_000])), "a.gz is cut short", id="a zip with a member without its end"),
    pytest.param(zipped(("a", LINES), ("b.gz", flipped(GOOD, 200))), "b.gz", id="a zip with a broken member"),
    pytest.param(flipped(zipped(("a.gz", GOOD), method=zipfile.ZIP_STORED), 5_000), "a.gz", id="a wrong byte in a zip"),
    pytest.param(zipped(("a", LINES), ("readme.txt", b"hello")), "readme.txt is of an unknown type", id="a stranger"),
    pytest.param(b"hello", "unknown type", id="text"),
    pytest.param(b"\x89PNG\r\n\x1a\n", "unknown type", id="a picture"),
    pytest.param(b'"amplitude_id","user_id"\r\n', "unknown type", id="a cohort"),
    pytest.param(b'[{"n":1}]', "a JSON array, not lines", id="a JSON array"),
    pytest.param(gzip.compress(b"hello"), "unknown type", id="gzip of text"),
    pytest.param(LINES.decode().encode("utf-16"), "unknown type", id="UTF-16"),
]


@pytest.mark.parametrize("source", ["a file", "standard input"])
@pytest.mark.parametrize(("data", "said"), DAMAGE)
def test_a_damaged_source_is_doubted_before_anything_is_given_out(
    tmp_path: Path, data: bytes, said: str, source: str
) -> None:
    (tmp_path / "export").write_bytes(data)
    given = EventFiles(str(tmp_path / "export")) if source == "a file" else EventFiles("-", io.BytesIO(data))
    with given, pytest.raises(SourceError, match=said) as error:
        given.prove()
    assert error.value.hint
    assert "hello" not in error.value.message


def test_an_encrypted_archive_is_an_error(tmp_path: Path) -> None:
    data = bytearray(zipped(("a.json", LINES)))
    data[6] |= 1  # the flag in the member's own header
    data[data.index(b"PK\x01\x02") + 8] |= 1  # and in the table of contents
    (tmp_path / "export.zip").write_bytes(data)
    with pytest.raises(SourceError, match="packed in a way"):
        EventFiles(str(tmp_path / "export.zip")).prove()


def test_a_file_that_may_not_be_read_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "link")
    with pytest.raises(SourceError):
        read(tmp_path / "link")


def test_of_a_large_source_the_beginnings_are_proven(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "PROVEN_BYTES", 10)
    (tmp_path / "1.gz").write_bytes(gzip.compress(MANY * 10)[:-2_000])
    (tmp_path / "2").write_bytes(LINES)
    with EventFiles(str(tmp_path)) as events:
        events.prove()
        given: Iterator[bytes] = (piece.data for piece in events.pieces())
        assert next(given).startswith(b'{"n":0}')
        with pytest.raises(SourceError, match="cut short"):
            list(given)
    (tmp_path / "2").write_bytes(b"hello")
    with pytest.raises(SourceError, match="2 is of an unknown type"):
        EventFiles(str(tmp_path)).prove()


def test_no_thread_is_left_behind_when_reading_stops(tmp_path: Path) -> None:
    (tmp_path / "export.zip").write_bytes(zipped(("a.gz", GOOD), ("b.gz", GOOD)))
    before = set(threading.enumerate())
    with EventFiles(str(tmp_path / "export.zip")) as events:
        pieces = events.pieces()
        next(pieces)
        del pieces
    assert set(threading.enumerate()) <= before
