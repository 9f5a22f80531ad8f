"""One connection as bytes: what is sent, in which pieces, where the client gives up, and the answers that come back.

Below any HTTP library, since those refuse to send what has to be sent here. Knows just enough of HTTP/1.1 to tell where
one answer ends and the next begins.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from contextlib import closing
from typing import NamedTuple

PATIENCE_S = 60  # a bound on hanging, never a measure
_CHUNK = 1 << 16
_LINGER_0 = struct.pack("ii", 1, 0)


class Visit(NamedTuple):
    """What a client does with one connection.

    `whole`: the bytes are as many requests as there are `methods`, each complete, so that the server owes an answer to
    at least the first. Otherwise the client says that no more will come, and the server owes an end. `leave_after`: the
    client is gone after so many bytes and reads nothing; `rudely` with a reset.
    """

    sent: bytes
    methods: tuple[str, ...]
    whole: bool = True
    piece_bytes: int = 0  # 0: all at once
    leave_after: int | None = None
    rudely: bool = False


class Answer(NamedTuple):
    """One answer: its status, its head as it came, and its body without the framing."""

    status: int
    head: bytes
    body: bytes


class Hang(AssertionError):
    """The server neither answered nor closed."""


def pay(port: int, visit: Visit) -> list[Answer]:
    """Carry out a visit; raises Hang, and AssertionError for an answer that is no HTTP."""
    with closing(socket.create_connection(("127.0.0.1", port), PATIENCE_S)) as connection:
        try:
            _send(connection, visit)
            return [] if visit.leave_after is not None else list(_answers(connection, visit.methods))
        except TimeoutError as late:
            raise Hang(f"no answer and no end within {PATIENCE_S} s to {visit.sent[:400]!r}") from late
        finally:
            if visit.rudely:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_0)


def _send(connection: socket.socket, visit: Visit) -> None:
    sent = visit.sent if visit.leave_after is None else visit.sent[: visit.leave_after]
    step = visit.piece_bytes or max(1, len(sent))
    try:
        for start in range(0, len(sent), step):
            connection.sendall(sent[start : start + step])
        if not visit.whole and visit.leave_after is None:
            connection.shutdown(socket.SHUT_WR)
    except (BrokenPipeError, ConnectionResetError):
        return  # refused before all of it was there; what the server said may still be read
    except OSError:
        if visit.leave_after is None and visit.whole:
            raise


def _answers(connection: socket.socket, methods: tuple[str, ...]) -> Iterator[Answer]:
    """As many answers as requests, fewer when the server ends the connection first."""
    stream = _Stream(connection)
    for method in methods:
        answer = _answer(stream, method)
        while answer is not None and answer.status < 200:
            answer = _answer(stream, method)
        if answer is None:
            return
        yield answer


def _answer(stream: _Stream, method: str) -> Answer | None:
    head = stream.until(b"\r\n\r\n")
    if head is None:
        return None
    status_line, *lines = head[:-4].split(b"\r\n")
    assert status_line.startswith(b"HTTP/1.1 "), status_line
    fields = {name.strip().lower(): value.strip() for name, _, value in (line.partition(b":") for line in lines)}
    status = int(status_line[9:12])
    return Answer(status, head, b"" if method == "HEAD" or status in (204, 304) else _body(stream, fields, status))


def _body(stream: _Stream, fields: dict[bytes, bytes], status: int) -> bytes:
    if status < 200:
        return b""
    if fields.get(b"transfer-encoding") != b"chunked":
        length = fields.get(b"content-length")
        return stream.rest() if length is None else stream.exactly(int(length))
    parts = []
    while size := int((stream.until(b"\r\n") or b"0\r\n").strip(), 16):
        parts.append(stream.exactly(size + 2)[:-2])
    stream.until(b"\r\n")
    return b"".join(parts)


class _Stream:
    """What a connection has said so far, by pieces of one's own choice. A reset is an end like any other."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._kept = b""

    def until(self, mark: bytes) -> bytes | None:
        """Up to and with the mark; None when the end comes first."""
        while (at := self._kept.find(mark)) < 0:
            if not self._more():
                return None
        return self._cut(at + len(mark))

    def exactly(self, size: int) -> bytes:
        """So many bytes, fewer at the end."""
        while len(self._kept) < size and self._more():
            pass
        return self._cut(size)

    def rest(self) -> bytes:
        while self._more():
            pass
        return self._cut(len(self._kept))

    def _more(self) -> bool:
        try:
            new = self._connection.recv(_CHUNK)
        except (ConnectionResetError, BrokenPipeError):
            return False
        self._kept += new
        return bool(new)

    def _cut(self, at: int) -> bytes:
        found, self._kept = self._kept[:at], self._kept[at:]
        return found
