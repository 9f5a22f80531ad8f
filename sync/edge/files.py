"""Event files as pieces of whole lines, in bounded memory: zips, gzip, JSONL, Parquet, folders, globs and stdin.

What a file is, its first bytes say, not its name. Everything that makes a source doubtful (damaged, cut short, of an
unknown type) is a SourceError. A source of at most PROVEN_BYTES on disk is read to its end once before the first piece
is given out, so that a damaged one sends nothing at all; of a larger one only the beginnings are looked at, and damage
found later ends the run there: what was sent before is remembered, and a mended file goes on without repeating it.
"""

from __future__ import annotations

import glob
import io
import os
import re
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from gzip import BadGzipFile
from pathlib import Path
from typing import IO, Protocol, cast

import msgspec
from isal import igzip_threaded, isal_zlib

from sync.core.errors import SourceError
from sync.edge import parquet
from sync.edge.pacing import PACE_PREFIX

BLOCK_BYTES = 256 * 1024  # small enough that a piece and its rows stay in the processor's cache
MOST_LINE_BYTES = 16 * 1024 * 1024
PROVEN_BYTES = 64 * 1024 * 1024
_SPOOL_BYTES = 8 * 1024 * 1024  # of standard input in memory; the rest goes to a temporary file
_STDIN = "standard input"
_GZIP, _ZIP, _BOM = b"\x1f\x8b", (b"PK\x03\x04", b"PK\x05\x06"), b"\xef\xbb\xbf"
_BROKEN_DEFLATE = cast("type[Exception]", isal_zlib.error)  # isal's stubs call the class an instance
_BESIDE_STATE = frozenset(inbox + sqlite for inbox in ("", "-inbox") for sqlite in ("", "-wal", "-shm", "-journal"))
_HINT = "give an Amplitude export: the zip, .json.gz files, one JSON object a line, or Parquet"


class Piece(msgspec.Struct, frozen=True, gc=False):
    """Some whole lines of one file, or of one member of an archive; `name` says which."""

    name: str
    data: bytes


class EventSource(Protocol):
    """What an events run reads. `total_bytes` is None where nobody knows."""

    bytes_read: int
    total_bytes: int | None

    def prove(self) -> None:
        """Raise SourceError for what is doubtful, so far as that can be known before anything is sent."""
        ...

    def pieces(self) -> Iterator[Piece]:
        """Every line; raises SourceError where the source can't be read on."""
        ...

    def advance(self, *, expired: bool) -> None:
        """What was given out so far has a fate in the ledger. `expired`: of some of it, that there was no answer."""
        ...


class EventFiles:
    """Everything that one SOURCE names, in the order of the dates and numbers in its names. A context manager."""

    def __init__(self, source: str, stdin: IO[bytes] | None = None, *, state_path: Path | None = None) -> None:
        """Opens nothing yet but standard input, or a pipe with a name, as shells make them of `<(…)`: of it an archive,
        or a small gzip file, is read to its end.

        `state_path` is the ledger, which is no export though it may lie in the folder that is read. Raises SourceError
        when there is no such file.
        """
        self.bytes_read = 0
        self.total_bytes: int | None = None
        self._paths: list[Path] = []
        self._stdin: io.BufferedReader | None = None
        self._pipe: IO[bytes] | None = None
        self._stdin_name = _STDIN
        if source != "-" and Path(source).is_fifo():
            self._stdin_name = spoken(Path(source))
            with _explained(self._stdin_name):
                self._pipe = stdin = Path(source).open("rb")  # noqa: SIM115 it is closed with this
        if source == "-" and stdin is None:
            hint = "pipe the export into the command, or name its file"
            raise SourceError("standard input is closed; nothing was sent", hint=hint)
        if stdin is not None:
            with _explained(self._stdin_name):
                self._stdin = _kept(stdin)
        else:
            self._paths = find_files(source, state_path)
            self.total_bytes = sum(path.stat().st_size for path in self._paths)

    def prove(self) -> None:
        """Read a small source to its end, look into a larger one; raises SourceError for what is doubtful."""
        if self._stdin is not None:
            _prove_stream(self._stdin_name, self._stdin)
        whole = (self.total_bytes or 0) <= PROVEN_BYTES
        for path in self._paths:
            for _ in self._pieces_of(path, whole=whole):
                pass

    def pieces(self) -> Iterator[Piece]:
        """Every line of the source; raises SourceError where it can't be read on."""
        if self._stdin is not None:
            yield from _parts(self._stdin_name, self._stdin)
        done = 0
        for path in self._paths:
            yield from self._pieces_of(path, done=done)
            done += path.stat().st_size

    def advance(self, *, expired: bool) -> None:
        """Files have no cursor: the ledger knows their events."""

    def _pieces_of(self, path: Path, *, done: int = 0, whole: bool = True) -> Iterator[Piece]:
        name = spoken(path)
        with _explained(name), path.open("rb") as file:
            if file.peek(4).startswith(parquet.MAGIC):
                yield from _rows_of(path, whole=whole)
                self.bytes_read = done + path.stat().st_size
                return
            for piece in _parts(name, file, whole=whole):
                self.bytes_read = done + file.tell()
                yield piece

    def __enter__(self) -> EventFiles:
        return self

    def __exit__(self, *_: object) -> None:
        if self._stdin is not None:
            self._stdin.close()
        if self._pipe is not None:
            self._pipe.close()


def _kept(stdin: IO[bytes]) -> io.BufferedReader:
    """Standard input, so far as it must be readable twice in a file of its own that nobody else can open."""
    head = stdin.read(4)
    stream = _chained(io.BytesIO(head), stdin)
    if not head.startswith((_GZIP, *_ZIP)):
        return stream
    spool = tempfile.SpooledTemporaryFile(max_size=_SPOOL_BYTES)  # noqa: SIM115 what is returned closes it
    ended = _copied(stream, spool, most_bytes=None if head.startswith(_ZIP) else PROVEN_BYTES)
    spool.seek(0)
    kept: io.BufferedReader = io.BufferedReader(cast("io.RawIOBase", spool), BLOCK_BYTES)
    return kept if ended else _chained(kept, stream)


def _prove_stream(name: str, stream: io.BufferedReader) -> None:
    """All of it where it can be read again, else its first bytes."""
    if stream.seekable():
        for _ in _parts(name, stream):
            pass
        stream.seek(0)
    elif not stream.peek(4).startswith(_GZIP):
        _check_type(name, stream.peek(4).removeprefix(_BOM))


def _copied(stream: IO[bytes], spool: IO[bytes], *, most_bytes: int | None) -> bool:
    """Whether the stream came to its end. An archive has no limit: its table of contents is at its end."""
    copied = 0
    while block := stream.read(BLOCK_BYTES):
        spool.write(block)
        copied += len(block)
        if most_bytes is not None and copied >= most_bytes:
            return False
    return True


class _Chained(io.RawIOBase):
    """Some streams one after the other, as one that can't be rewound."""

    def __init__(self, streams: list[IO[bytes]]) -> None:
        self._streams = streams

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]  # typeshed names a wider type
        while self._streams:
            data = self._streams[0].read(len(buffer))
            if data:
                buffer[: len(data)] = data
                return len(data)
            self._streams.pop(0).close()
        return 0

    def close(self) -> None:
        for stream in self._streams:
            stream.close()
        super().close()


def _chained(*streams: IO[bytes]) -> io.BufferedReader:
    return io.BufferedReader(_Chained(list(streams)), BLOCK_BYTES)


# -- which files ------------------------------------------------------------------------------------------------------
def find_files(source: str, state_path: Path | None = None) -> list[Path]:
    """The files of a path, a folder (with those below it) or a glob. Hidden files are nobody's export, and neither are
    the ledger and what lies beside it."""
    if not source.strip() or source.startswith("amplitude:"):
        raise SourceError(f"there is no source {source!r}", hint="write amplitude:export, or name files")
    path = Path(source)
    if path.is_dir():
        paths = [one for one in path.rglob("*") if one.is_file() and not _is_hidden(one.relative_to(path).parts)]
    elif path.exists():
        paths = [path]
    else:
        paths = [Path(name) for name in glob.glob(source, recursive=True) if Path(name).is_file()]
    own = None if state_path is None else state_path.resolve()
    paths = [one for one in paths if own is None or one == path or not _is_state(one, own)]
    if not paths:
        raise SourceError(f"no file matches {source}", hint="check the path")
    return sorted(paths, key=lambda one: in_order(str(one)))


def spoken(path: Path) -> str:
    """A path as reports and letters can hold it: a name that is not UTF-8 has marks where its bytes are no text."""
    return os.fsencode(path).decode("utf-8", "replace")


def in_order(name: str) -> list[tuple[int, str]]:
    """Sorts names by the numbers in them: Amplitude does not pad hours, and hour 10 comes after hour 9."""
    parts = re.split(r"(\d+)", name)
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts]


def _is_hidden(parts: tuple[str, ...]) -> bool:
    return any(part.startswith(".") or part == "__MACOSX" for part in parts)


def _is_state(path: Path, state_path: Path) -> bool:
    """Whether the engine itself wrote this file: the ledger, the inbox, and what SQLite and the leases keep beside."""
    if path.parent.resolve() != state_path.parent:
        return False
    rest = path.name.removeprefix(state_path.name)
    own = path.name.startswith(state_path.name) and (rest in _BESIDE_STATE or rest.startswith("-lease-"))
    return own or path.name.startswith(PACE_PREFIX)


# -- what is in them --------------------------------------------------------------------------------------------------
def pieces_of_archive(name: str, file: IO[bytes], *, whole: bool = True) -> Iterator[Piece]:
    """The pieces of an open zip, from its beginning. Raises SourceError for what is no zip, or damaged."""
    file.seek(0)
    with _explained(name):
        if not file.read(4).startswith(_ZIP):
            raise SourceError(f"{name} is no zip archive; nothing was sent", hint="download it again")
        yield from _members(name, file, whole=whole)


def prove_archive(name: str, file: IO[bytes]) -> None:
    """Read a small archive to its end, look into a larger one. Raises SourceError as `pieces_of_archive` does."""
    whole = file.seek(0, os.SEEK_END) <= PROVEN_BYTES
    for _ in pieces_of_archive(name, file, whole=whole):
        pass


def _parts(name: str, file: io.BufferedReader, *, whole: bool = True) -> Iterator[Piece]:
    """The pieces of one file, unpacked as its first bytes say; with `whole` false only the first of each part."""
    with _explained(name):
        head = file.peek(4)[:4]
        if head.startswith(_ZIP):
            yield from _members(name, file, whole=whole)
        elif head.startswith(_GZIP):
            with closing(igzip_threaded.open(file, "rb", threads=1)) as unpacked:
                yield from _lines(name, cast("IO[bytes]", unpacked), whole=whole)
        else:
            yield from _lines(name, file, whole=whole)


def _members(name: str, file: IO[bytes], *, whole: bool) -> Iterator[Piece]:
    with zipfile.ZipFile(file) as archive:
        members = [one for one in archive.infolist() if not one.is_dir() and not _is_hidden(Path(one.filename).parts)]
        for member in sorted(members, key=lambda one: in_order(one.filename)):
            inside = f"{name}!{member.filename}"
            with _explained(inside), archive.open(member) as packed:
                opened: io.BufferedReader = io.BufferedReader(cast("io.RawIOBase", packed), BLOCK_BYTES)
                yield from _parts(inside, opened, whole=whole)
                if whole:
                    opened.read()  # to the very end, where the archive's own checksum is compared


def _lines(name: str, file: IO[bytes], *, whole: bool) -> Iterator[Piece]:
    """Blocks of whole lines. Of a line too long for memory only the beginning comes out, as one bad row."""
    block = file.read(BLOCK_BYTES).removeprefix(_BOM)
    _check_type(name, block)
    rest: list[bytes] = []
    rest_bytes = 0
    while block:
        end = block.rfind(b"\n") + 1
        if end:
            if rest_bytes > MOST_LINE_BYTES:
                rest = [_cut(rest)]
                block, end = block[block.find(b"\n") :], end - block.find(b"\n")
            yield Piece(name, b"".join((*rest, block[:end])))
            rest, rest_bytes = [], 0
        if not whole:
            return
        rest_bytes += len(block) - end
        if rest_bytes <= MOST_LINE_BYTES:
            rest.append(block[end:])
        block = file.read(BLOCK_BYTES)
    if rest_bytes:
        yield Piece(name, _cut(rest) if rest_bytes > MOST_LINE_BYTES else b"".join(rest))


def _cut(parts: list[bytes]) -> bytes:
    """The beginning of a line, made sure to be no JSON: what its middle and end were is not known any more."""
    return parts[0] + b"{"


def _rows_of(path: Path, *, whole: bool) -> Iterator[Piece]:
    with closing(parquet.read_lines(path)) as chunks:
        for lines in chunks:
            yield Piece(spoken(path), lines)
            if not whole:
                return


def _check_type(name: str, head: bytes) -> None:
    text = head.lstrip()
    if text.startswith(parquet.MAGIC):
        raise SourceError(f"{name} is a Parquet file, packed or piped", hint="unpack it, and name the file itself")
    if text and not text.startswith(b"{"):
        what = "a JSON array, not lines" if text.startswith(b"[") else "of an unknown type"
        raise SourceError(f"{name} is {what}", hint=_HINT)


@contextmanager
def _explained(name: str) -> Iterator[None]:
    """Every way in which reading can fail, as one clear error; no content is ever quoted."""
    try:
        yield
    except EOFError as error:
        raise SourceError(f"{name} is cut short: its compressed data has no end", hint="download it again") from error
    except (BadGzipFile, zipfile.BadZipFile, zlib.error, _BROKEN_DEFLATE) as error:
        raise SourceError(f"{name} is damaged: its compressed data can't be read", hint="download it again") from error
    except RuntimeError as error:  # how zipfile says: encrypted, or packed by a method that it does not know
        raise SourceError(f"{name} is packed in a way that can't be read", hint="unpack it first") from error
    except OSError as error:
        raise SourceError(f"{name} can't be read: {error.strerror or 'the system refused'}", hint="check it") from error
