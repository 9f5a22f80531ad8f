"""The control API of a running server, for programs: what the commands of `fakeio` use, and anybody may.

    from fakeio.client import ControlClient

    fake = ControlClient("http://127.0.0.1:7099")
    fake.add_fault({"kind": "status", "status": 503, "times": 1})

Rows and documents are the JSON of the control API, as `/_fakeio/openapi.json` describes it. Uses the standard library's
client: every call is a single small request, and a command should answer at once.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

if TYPE_CHECKING:
    from urllib.error import HTTPError

DEFAULT_URL = "http://127.0.0.1:7099"
_PATIENCE_S = 30
_PAGE = 1000

Row = dict[str, Any]


class CallFailed(Exception):
    """A call that came to nothing; the message says what to do."""


class NoServer(CallFailed):
    """Nobody listens there, or nobody who speaks HTTP."""


class NotAFake(CallFailed):
    """Something answers, but not a fake."""


class Refused(CallFailed):
    """The fake refused: `status`, `code` for programs, `said` for people, and a `hint` what to do next."""

    def __init__(self, status: int, error: Mapping[str, str]) -> None:
        self.status = status
        self.code = str(error["code"])
        self.said = str(error["message"])
        self.hint = str(error["hint"])
        super().__init__(f"{self.said}; {self.hint}")


class ControlClient:
    """One workspace of a running server. `url` is the server's origin (FAKEIO_URL, else the default address).

    `workspace` is an id or `default`; `token` what the server was started with as --control-token. Every method raises
    CallFailed: NoServer, NotAFake or Refused.
    """

    def __init__(self, url: str | None = None, *, workspace: int | str = "default", token: str | None = None) -> None:
        self.url = (url or os.environ.get("FAKEIO_URL") or DEFAULT_URL).rstrip("/")
        self.token = token or os.environ.get("FAKEIO_CONTROL_TOKEN") or None
        self._base = f"/workspaces/{_part(workspace)}"

    # ---- the server --------------------------------------------------------------------------------------------------

    def health(self) -> Row:
        return self._json("GET", "/health")

    def coverage(self) -> list[Row]:
        """Every published route with its grade."""
        routes: list[Row] = self._json("GET", "/coverage")["routes"]
        return routes

    def workspaces(self) -> Iterator[Row]:
        return self._rows("/workspaces", "workspaces", {})

    def create_workspace(self, **fields: Any) -> Row:
        """A new workspace with its credentials: `name`, `region`, `account`, `settings`, `seed`, all optional."""
        return self._json("POST", "/workspaces", fields)

    def at(self, workspace: int | str) -> ControlClient:
        """The same server, another workspace."""
        return ControlClient(self.url, workspace=workspace, token=self.token)

    # ---- the workspace -----------------------------------------------------------------------------------------------

    def workspace(self) -> Row:
        """Its id, name, region and credentials."""
        return self._json("GET", self._base)

    def delete(self) -> None:
        """Remove it; its credentials open nothing from now on."""
        self._done("DELETE", self._base)

    def reset(self) -> None:
        """As right after it was created."""
        self._done("POST", f"{self._base}/reset")

    def fork(self, **fields: Any) -> Row:
        """A new workspace with the same state and credentials of its own."""
        return self._json("POST", f"{self._base}/fork", fields)

    def diff(self, other: int | str) -> Iterator[Row]:
        """What differs between this workspace (left) and another: `{"path", "kind", "left"?, "right"?}` each."""
        return self._rows(f"{self._base}/diff", "differences", {"with": other})

    def snapshot(self) -> Row:
        """The whole state as one document."""
        return self._json("GET", f"{self._base}/snapshot")

    def restore(self, snapshot: Mapping[str, Any]) -> None:
        """The state of a snapshot, in place of what there is."""
        self._call("PUT", f"{self._base}/snapshot", snapshot)

    def flush(self) -> None:
        """Make everything accepted visible."""
        self._done("POST", f"{self._base}/flush")

    def settings(self) -> Row:
        return self._json("GET", f"{self._base}/settings")

    def update_settings(self, changes: Mapping[str, Any]) -> Row:
        """Change some; all of them as they are now."""
        return self._json("PATCH", f"{self._base}/settings", changes)

    # ---- state -------------------------------------------------------------------------------------------------------

    def people(self, *, id: str | None = None, email: str | None = None, cio_id: str | None = None,
               q: str | None = None) -> Iterator[Row]:  # fmt: skip
        return self._list("people", {"id": id, "email": email, "cio_id": cio_id, "q": q})

    def add_people(self, rows: Iterable[Mapping[str, Any]]) -> list[Row]:
        """Seed people: upsert, no activities."""
        added: list[Row] = self._json("POST", f"{self._base}/people", {"people": list(rows)})["people"]
        return added

    def explain_person(self, cio_id: str, *, attribute: str | None = None, segment: int | None = None) -> Row:
        """Which request wrote what, or why the person is (not) in a segment."""
        query = _query({"attribute": attribute, "segment": segment})
        return self._json("GET", f"{self._base}/people/{_part(cio_id)}/explain{query}")

    def events(
        self, *, person: str | None = None, name: str | None = None, type: str | None = None
    ) -> Iterator[Row]:
        return self._list("events", {"person": person, "name": name, "type": type})

    def segments(self) -> Iterator[Row]:
        return self._list("segments")

    def create_segment(self, name: str, **fields: Any) -> Row:
        """A new segment: `description`, `type` (manual or dynamic), `conditions`."""
        return self._json("POST", f"{self._base}/segments", {"name": name, **fields})

    def members(self, segment: int | str) -> Iterator[Row]:
        return self._rows(f"{self._base}/segments/{_part(segment)}/members", "members", {})

    def objects(self) -> Iterator[Row]:
        return self._list("objects")

    def activities(self, *, person: str | None = None, type: str | None = None) -> Iterator[Row]:
        return self._list("activities", {"person": person, "type": type})

    def deliveries(self) -> Iterator[Row]:
        return self._list("deliveries")

    def suppressions(self) -> Iterator[Row]:
        return self._list("suppressions")

    # ---- the tape ----------------------------------------------------------------------------------------------------

    def requests(
        self, *, api: str | None = None, path: str | None = None, method: str | None = None,
        status: int | str | None = None, since: float | None = None, start: int | str = 0,
    ) -> Iterator[Row]:  # fmt: skip
        """The tape in order of arrival; `path` is a glob, `start` the number before the first."""
        query = {"api": api, "path": path, "method": method, "status": status, "since": since}
        return self._list("requests", query, start)

    def dropped(self) -> int:
        """How many exchanges the tape's bounds have pushed out."""
        return int(self._json("GET", f"{self._base}/requests?limit=1")["dropped"])

    def last_request(self) -> int:
        """The number of the newest exchange, 0 before the first."""
        return int(self._json("GET", f"{self._base}/requests?limit=1")["last"])

    def request(self, n: int | str) -> Row:
        return self._json("GET", f"{self._base}/requests/{_part(n)}")

    def explain(self, n: int | str) -> Row:
        """What became of one request, by which rule, and what was probably meant."""
        return self._json("GET", f"{self._base}/requests/{_part(n)}/explain")

    def clear_requests(self) -> None:
        self._done("DELETE", f"{self._base}/requests")

    def ignored(self) -> Iterator[Row]:
        """What was accepted and changed nothing."""
        return self._list("ignored")

    def verify(self, expectation: Mapping[str, Any]) -> Row:
        """Whether requests like this arrived: `method`, `path`, `body`, `times`, `at_least`, `at_most`."""
        return self._json("POST", f"{self._base}/verify", expectation)

    def export(self, form: str, n: int | str | None = None) -> str:
        """A reproduction as text: `curl`, `pytest` or `har`, of one exchange or of all."""
        place = f"/requests/{_part(n)}/export" if n is not None else "/export"
        return self._call("GET", f"{self._base}{place}{_query({'as': form})}").decode("utf-8")

    # ---- conditions --------------------------------------------------------------------------------------------------

    def faults(self) -> Iterator[Row]:
        return self._list("faults")

    def add_fault(self, fault: Mapping[str, Any]) -> Row:
        """Put a fault in force: `{"kind", "match"?, "times"?, "when"?, …}`; the fault with its `id`."""
        return self._json("POST", f"{self._base}/faults", fault)

    def replace_faults(self, plan: Mapping[str, Any]) -> list[Row]:
        """These faults (`{"faults": […]}`) instead of any others."""
        faults: list[Row] = self._json("PUT", f"{self._base}/faults", plan)["faults"]
        return faults

    def remove_fault(self, fault_id: int | str) -> None:
        self._done("DELETE", f"{self._base}/faults/{_part(fault_id)}")

    def clear_faults(self) -> None:
        self._done("DELETE", f"{self._base}/faults")

    def clock(self) -> Row:
        """`{"now", "mode"}`."""
        return self._json("GET", f"{self._base}/clock")

    def turn_clock(self, *, now: float | None = None, advance: float | None = None, mode: str | None = None) -> Row:
        """Exactly one of the three; what is due by then has happened when this returns."""
        given = {"now": now, "advance": advance, "mode": mode}
        wanted = {name: value for name, value in given.items() if value is not None}
        return self._json("PUT", f"{self._base}/clock", wanted)

    # ---- one call ----------------------------------------------------------------------------------------------------

    def _list(self, plural: str, query: Mapping[str, Any] | None = None, start: int | str = 0) -> Iterator[Row]:
        return self._rows(f"{self._base}/{plural}", plural, query or {}, start)

    def _rows(self, path: str, plural: str, query: Mapping[str, Any], start: int | str = 0) -> Iterator[Row]:
        """Every row of a list, page after page."""
        place: int | str | None = start
        while place is not None:
            page = self._json("GET", path + _query({**query, "limit": _PAGE, "start": place}))
            yield from page[plural]
            place = page["next"]

    def _json(self, method: str, path: str, document: Any = None) -> Row:
        content = self._call(method, path, document)
        try:
            found: Row = json.loads(content)
        except ValueError:
            raise NotAFake(f"the server at {self.url} answered, but not like a fake; check --url") from None
        return found

    def _done(self, method: str, path: str) -> None:
        self._call(method, path)

    def _call(self, method: str, path: str, document: Any = None) -> bytes:
        # here, since `serve` and the tables share the command's parser and need no HTTP client
        from urllib.error import HTTPError
        from urllib.request import ProxyHandler, Request, build_opener

        body = None if document is None else json.dumps(document).encode()
        headers = {"content-type": "application/json", **({"x-fakeio-token": self.token} if self.token else {})}
        try:
            request = Request(f"{self.url}/_fakeio{path}", body, headers, method=method)
            # never through a proxy: the server is here, or named on purpose
            with build_opener(ProxyHandler({})).open(request, timeout=_PATIENCE_S) as answer:
                content: bytes = answer.read()
                return content
        except HTTPError as refused:
            raise self._refused(refused) from None
        except (OSError, ValueError) as error:
            reason = getattr(error, "reason", error)
            raise NoServer(f"no fake answers at {self.url} ({reason}); start one with: fakeio serve") from None

    def _refused(self, refused: HTTPError) -> CallFailed:
        try:
            return Refused(refused.code, json.loads(refused.read())["error"])
        except (ValueError, KeyError, TypeError):
            return NotAFake(f"the server at {self.url} answered {refused.code}, not like a fake; check --url")


def _part(text: int | str) -> str:
    return quote(str(text), safe="")


def _query(values: Mapping[str, Any]) -> str:
    given = {name: value for name, value in values.items() if value is not None}
    return f"?{urlencode(given)}" if given else ""
