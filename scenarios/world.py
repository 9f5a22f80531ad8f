"""One workspace of a running fake, in the truth's words: moves that change it, readings to compare, weather and tape.

Speaks HTTP to the control API and, for what happens to people, to the Track API, so it works on a fake in this process
and on one that `fakeio serve` runs. What ought to be there is not its business.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlencode, urlsplit

from fakeio import Fake
from fakeio.testing import WorkspaceHandle
from scenarios.truth import Happened, Person
from scenarios.verdicts import RESERVED, own_properties

#: What the engine puts into an event's data beside the event's own properties.
NESTED = ("user_properties", "group_properties", "groups", *(f"amplitude_{name}" for name in sorted(RESERVED)))
Row = Mapping[str, Any]


class WorldError(Exception):
    """The fake refused a call of the scenario itself: the scenario is wrong, or the fake is."""


class World:
    """A workspace. `workspace` is its JSON: the id and the credentials. Not for several threads at once."""

    def __init__(self, url: str, workspace: Row) -> None:
        self.url = url
        self.workspace = workspace
        self._connection = HTTPConnection(urlsplit(url).netloc, timeout=30)

    def close(self) -> None:
        self._connection.close()

    def environment(self, state: str) -> dict[str, str]:
        """What the engine needs to know to deliver here; `state` is its ledger's path."""
        return {
            "CIO_SITE_ID": self.workspace["site_id"],
            "CIO_TRACK_API_KEY": self.workspace["track_api_key"],
            "CIO_APP_API_KEY": self.workspace["app_api_key"],
            "CIO_TRACK_URL": self.url,
            "CIO_APP_URL": self.url,
            "CIO_SYNC_STATE": state,
        }

    def seed(self, people: Iterable[Row]) -> None:
        """Put people there as if they had always been."""
        self._control("POST", "/people", {"people": list(people)})

    def delete(self, **who: str) -> None:
        """Delete the person with that `id` or `email`."""
        self._entity("delete", who)

    def suppress(self, **who: str) -> None:
        """Delete and block."""
        self._entity("suppress", who)

    def unsuppress(self, **who: str) -> None:
        """Unblock."""
        self._entity("unsuppress", who)

    def arm(self, fault: Row) -> Row:
        """Put a fault in force; returns it with its number."""
        made: Row = self._control("POST", "/faults", fault)
        return made

    def calm(self) -> None:
        """No faults from here on."""
        self._control("DELETE", "/faults")

    def set_clock(self, now: float) -> None:
        """Stop the workspace's clock at that moment (Unix seconds)."""
        self._control("PUT", "/clock", {"now": now})

    def people(self) -> set[Person]:
        return {_person(row) for row in self._list("people")}

    def segments(self) -> list[Row]:
        return list(self._list("segments"))

    def members(self, segment_id: int) -> set[Person]:
        return {_person(row) for row in self._list(f"segments/{segment_id}/members", "members")}

    def events(self) -> Counter[Happened]:
        """Every event in the truth's form: who, what, when, and its own properties."""
        return Counter(_happened(row) for row in self._list("events"))

    def requests(self, after: int = 0, **wanted: str | int) -> list[Row]:
        """The tape behind request number `after`, in order of arrival; `wanted` as in the control API."""
        return list(self._list("requests", query={**wanted, **({"start": after} if after else {})}))

    def is_over(self, number: int) -> bool | None:
        """Whether that request was answered or cut; None when it has not even arrived."""
        rows = self._control("GET", f"/requests?limit=1&start={number - 1}" if number > 1 else "/requests?limit=1")
        return next((bool(row["status"] or row["cut"]) for row in rows["requests"]), None)

    def ignored(self) -> list[Row]:
        """What was answered with 200 and changed nothing, with the rule that says why."""
        return list(self._list("ignored"))

    def blocked(self) -> set[str]:
        """Every suppressed identifier."""
        return {named["value"] for row in self._list("suppressions") for named in row["identifiers"]}

    def faults(self) -> list[Row]:
        return list(self._list("faults"))

    def restore(self, seed: Row) -> None:
        """Begin as that seed says: any subset of a snapshot's keys."""
        self._control("PUT", "/snapshot", {"version": 1, **seed})

    def snapshot(self) -> Row:
        """The whole state, for `restore`."""
        whole: Row = self._control("GET", "/snapshot")
        return whole

    def rename_segment(self, segment_id: int, name: str) -> None:
        """As somebody does on its page."""
        segments = [{**row, "name": name} if row["id"] == segment_id else row for row in self.snapshot()["segments"]]
        self.restore({**self.snapshot(), "segments": segments})

    def track(self, method: str, path: str, body: Any = None) -> Any:
        """A call of the Track API that must succeed."""
        return self._call(method, path, body, self._basic())

    def try_track(self, method: str, path: str, body: Any = None) -> int:
        """A call of the Track API, whatever its answer; returns the status."""
        return self.write(method, path, body, self._basic())

    def app(self, method: str, path: str, body: Any = None) -> Any:
        """A call of the App API that must succeed."""
        return self._call(method, path, body, {"Authorization": f"Bearer {self.workspace['app_api_key']}"})

    def look(self, path: str, plural: str = "") -> list[Row]:
        """Every row of a list of the control API."""
        return list(self._list(path, plural))

    def write(self, method: str, path: str, body: Any, headers: Mapping[str, str]) -> int:
        """One request of a writer, whatever its answer; returns the status."""
        data = None if body is None else json.dumps(body).encode()
        self._connection.request(method, path, data, {"Content-Type": "application/json", **headers})
        answer = self._connection.getresponse()
        answer.read()
        return answer.status

    def _list(self, path: str, plural: str = "", query: Row | None = None) -> Iterator[Row]:
        start = ""
        while start is not None:
            page = {"limit": 1000, **(query or {}), **({"start": start} if start else {})}
            answer = self._control("GET", f"/{path}?{urlencode(page)}")
            yield from answer[plural or path]
            start = answer["next"]

    def _control(self, method: str, path: str, body: Any = None) -> Any:
        return self._call(method, f"/_fakeio/workspaces/{self.workspace['id']}{path}", body, {})

    def _entity(self, action: str, who: Mapping[str, str]) -> None:
        # v2 says which identifier is meant; a v1 path would guess by shape
        self.track("POST", "/api/v2/entity", {"type": "person", "action": action, "identifiers": dict(who)})

    def _basic(self) -> dict[str, str]:
        pair = f"{self.workspace['site_id']}:{self.workspace['track_api_key']}"
        return {"Authorization": "Basic " + b64encode(pair.encode()).decode()}

    def _call(self, method: str, path: str, body: Any, headers: Mapping[str, str]) -> Any:
        data = None if body is None else json.dumps(body).encode()
        self._connection.request(method, path, data, {"Content-Type": "application/json", **headers})
        answer = self._connection.getresponse()
        text = answer.read()
        if answer.status >= 300:
            raise WorldError(f"{method} {path} answered {answer.status}: {text.decode(errors='replace')}")
        return json.loads(text) if text else None


@contextmanager
def default_world(fake: Fake) -> Iterator[World]:
    """The workspace that a fake starts with, under the credentials everybody knows."""
    with closing(World(fake.url, _credentials(fake.workspace))) as world:
        yield world


@contextmanager
def new_world(fake: Fake) -> Iterator[World]:
    """A fresh workspace on a running fake, isolated from every other."""
    made = fake.new_workspace()
    try:
        with closing(World(fake.url, _credentials(made))) as world:
            yield world
    finally:
        fake.remove_workspace(made)


def _credentials(made: WorkspaceHandle) -> Row:
    keys = ("id", "site_id", "track_api_key", "app_api_key")
    return {key: getattr(made, key) for key in keys}


def _person(row: Row) -> Person:
    return Person(row["id"], row["email"].lower() if row["email"] else None)


def _happened(row: Row) -> Happened:
    own = {key: value for key, value in row["data"].items() if key not in NESTED}
    person = row["person"] or {"id": None, "email": None}
    leaked = sorted(RESERVED & set(row["data"]))  # shows as a difference: the truth never expects one
    return Happened(_person(person), row["name"], row["timestamp"], own_properties(own) + "".join(leaked))
