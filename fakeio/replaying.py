"""Sends recorded requests to a workspace of a running server and finds those that it can't explain.

A request is explained when it is for a host and a route of Customer.io and ends as recorded: the same status, and where
the recording knows them, the same outcomes. Answers that a fault had made prove nothing and are not compared. Nothing
is ever sent to the recorded host, and no recorded credentials are sent at all.
"""

from __future__ import annotations

import http.client
import itertools
import secrets
import time
from collections.abc import Iterable
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from fakeio.client import ControlClient, NoServer, Row
from fakeio.recordings import Outcome, Recorded, outcomes_of

_PATIENCE_S = 60
_TOO_MANY, _TRIES, _LONGEST_PAUSE_S = 429, 4, 2.0
_MARK = "x-reproduces"
_NO_ROUTE = {"route.unknown": "unknown_route", "route.not_imitated": "route_not_imitated"}


class Problem(NamedTuple):
    """Why a request is not explained: `code` for programs, `says` for people."""

    code: str
    says: str


class Told(NamedTuple):
    """One request of the recording and what became of it. `sent` is False for one that was left out."""

    recorded: Recorded
    sent: bool
    status: int | None
    problems: tuple[Problem, ...]

    def as_dict(self) -> Row:
        recorded = self.recorded
        return {
            "request": recorded.place, "method": recorded.method, "host": recorded.foreign or recorded.host,
            "target": recorded.target, "recorded_status": recorded.status, "status": self.status, "sent": self.sent,
            "problems": [problem._asdict() for problem in self.problems],
        }  # fmt: skip


def replay(recording: Iterable[Recorded], client: ControlClient) -> list[Told]:
    """Send them in order, one at a time, with the workspace's credentials; raises CallFailed when nobody answers."""
    sender = _Sender(client)
    return [_tell(one, sender) for one in recording]


def _tell(one: Recorded, sender: _Sender) -> Told:
    if one.unreadable is not None:
        return Told(one, sent=False, status=None, problems=(Problem("unreadable", one.unreadable),))
    if one.foreign is not None:
        told = Problem("foreign_host", f"{one.foreign} is no host of Customer.io; nothing was sent")
        return Told(one, sent=False, status=None, problems=(told,))
    if one.faults and not _left_a_trace(one):
        return Told(one, sent=False, status=None, problems=())  # a fault kept it from doing anything
    status, row = sender.send(one)
    return Told(one, sent=True, status=status, problems=tuple(_problems(one, status, row)))


def _left_a_trace(one: Recorded) -> bool:
    return any(outcome == "applied" for _, outcome, _ in one.outcomes or ())


def _problems(one: Recorded, status: int | None, row: Row | None) -> list[Problem]:
    found = [] if row is None else list(outcomes_of(row) or ())
    problems = [
        Problem(_NO_ROUTE[rule], f"{one.method} {one.target}: {_explanation(row)}") for _, _, rule in found
        if rule in _NO_ROUTE
    ]  # fmt: skip
    if one.faults:
        return problems
    if one.status is not None and status != one.status:
        why = f" ({_explanation(row)})" if _explanation(row) else ""
        problems.append(Problem("status", f"recorded {one.status}, now {status or 'no answer'}{why}"))
    elif row is not None and one.outcomes is not None and found != list(one.outcomes):
        problems.append(Problem("outcome", f"recorded {_words(one.outcomes)}, now {_words(found)}"))
    return problems


def _explanation(row: Row | None) -> str:
    """Why operations were refused or ignored, as the tape says."""
    said = [] if row is None else [each["explanation"] for each in row["operations"] if each["explanation"]]
    return "; ".join(said[:3])


def _words(outcomes: Iterable[Outcome]) -> str:
    return ", ".join(" ".join(filter(None, outcome)) for outcome in outcomes) or "nothing"


class _Sender:
    """Sends requests as they were recorded, and looks up on the tape what came of each."""

    def __init__(self, client: ControlClient) -> None:
        self._client = client
        self._credentials: Row = client.workspace()
        self._seen = client.last_request()
        parts = urlsplit(client.url)
        self._secure = parts.scheme == "https"
        self._netloc = parts.netloc
        self._marks = (f"{secrets.token_hex(4)}-{n}" for n in itertools.count(1))

    def send(self, one: Recorded) -> tuple[int | None, Row | None]:
        """The status, None for no answer; and the exchange, None where it is on no tape of this workspace."""
        for attempt in range(1, _TRIES + 1):
            mark = next(self._marks)
            status, pause_s = self._send_once(one, mark)
            if status != _TOO_MANY or one.status == _TOO_MANY or attempt == _TRIES:
                break
            time.sleep(pause_s)  # a recording knows nothing of how fast it is sent again
        return status, self._row(mark)

    def _send_once(self, one: Recorded, mark: str) -> tuple[int | None, float]:
        kind = http.client.HTTPSConnection if self._secure else http.client.HTTPConnection
        connection = kind(self._netloc, timeout=_PATIENCE_S)
        try:
            connection.connect()
        except OSError as error:
            raise NoServer(f"no fake answers at {self._client.url} ({error}); start one with: fakeio serve") from None
        try:
            connection.putrequest(one.method, one.target, skip_host=True, skip_accept_encoding=True)
            for name, value in self._headers(one, mark):
                connection.putheader(name, value.encode("latin-1", "replace"))
            connection.endheaders(one.body)
            answer = connection.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException):
            return None, 0.0
        finally:
            connection.close()
        return answer.status, min(_LONGEST_PAUSE_S, _seconds(answer.headers.get("retry-after")))

    def _headers(self, one: Recorded, mark: str) -> list[tuple[str, str]]:
        headers = [("host", one.host or self._netloc), *one.headers, (_MARK, mark), ("connection", "close")]
        if one.body:
            headers.append(("content-length", str(len(one.body))))
        if one.key is not None:
            headers.append(("authorization", one.key.header(self._value)))
        return headers

    def _value(self, name: str) -> str:
        return str(self._credentials[name])

    def _row(self, mark: str) -> Row | None:
        for row in self._client.requests(start=self._seen):
            self._seen = row["n"]
            if row["headers"].get(_MARK) == mark:
                return row
        return None


def _seconds(text: str | None) -> float:
    return float(text) if text is not None and text.isascii() and text.isdigit() else 1.0


def summary(told: list[Told]) -> dict[str, Any]:
    """The whole as JSON: how many were sent, and those that are not explained."""
    unexplained = [one.as_dict() for one in told if one.problems]
    return {
        "requests": len(told),
        "sent": sum(one.sent for one in told),
        "explained": len(told) - len(unexplained),
        "not_compared": sum(not one.problems and bool(one.recorded.faults or one.recorded.status is None)
                            for one in told),
        "unexplained": unexplained,
    }  # fmt: skip
