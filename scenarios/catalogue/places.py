"""Where a case is played: a workspace of its own on a fake, in this process or running elsewhere.

Everything goes through the control API, as any user's would. A real workspace is `live.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple, Protocol

from fakeio.client import ControlClient
from scenarios.catalogue.case import NOW, Case, Ending, Row
from scenarios.catalogue.filling import fill_struct

_PRODUCT = ("track", "app")


class Keys(NamedTuple):
    """What opens the two APIs, and where they are."""

    track_url: str
    app_url: str
    site_id: str
    track_api_key: str
    app_api_key: str
    service_token: str = ""

    def environment(self, state: str) -> dict[str, str]:
        """What the engine needs to know to deliver there; `state` is its ledger's path."""
        return {
            "CIO_SITE_ID": self.site_id, "CIO_TRACK_API_KEY": self.track_api_key, "CIO_APP_API_KEY": self.app_api_key,
            "CIO_TRACK_URL": self.track_url, "CIO_APP_URL": self.app_url, "CIO_SYNC_STATE": state,
        }  # fmt: skip


class Place(Protocol):
    """A workspace in which a case can be played."""

    prefix: str
    keys: Keys

    def prepare(self, case: Case) -> dict[str, Any]:
        """Put there what is given; the ids of its segments by name."""

    def pass_time(self, seconds: float) -> None:
        """Let so much time pass."""

    def arm(self, faults: tuple[Row, ...]) -> None:
        """Let these faults strike from here on."""

    def look(self, ending: Ending, learnt: Mapping[str, Any]) -> dict[str, Any]:
        """What is there now, as far as `ending` asks, under its names."""


class FakePlace:
    """A fresh workspace of a fake, with its clock stopped at NOW."""

    prefix = ""

    def __init__(self, control: ControlClient, made: Mapping[str, Any]) -> None:
        self._control = control
        url = control.url
        self.keys = Keys(
            url, url, made["site_id"], made["track_api_key"], made["app_api_key"], made.get("service_token", ""),
        )

    def prepare(self, case: Case) -> dict[str, Any]:
        return {_name(row["name"]): row["id"] for row in self._control.segments()}

    def pass_time(self, seconds: float) -> None:
        self._control.turn_clock(advance=seconds)

    def arm(self, faults: tuple[Row, ...]) -> None:
        self._control.replace_faults({"faults": list(faults)})

    def look(self, ending: Ending, learnt: Mapping[str, Any]) -> dict[str, Any]:
        people = list(self._control.people())
        return {
            "people": people,
            "gone": [name for name in ending.gone if all(row["id"] != name for row in people)],
            "events": list(self._control.events()) if ending.events is not None else [],
            "members": {row["name"]: _ids(self._control.members(row["id"])) for row in self._control.segments()},
            "activities": [row["type"] for row in self._control.activities()] if ending.activities is not None else [],
            **self._outcomes(),
        }

    def _outcomes(self) -> dict[str, list[str]]:
        """The rules of what was ignored, parts of operations included, and of what was refused."""
        operations = (
            operation for request in self._control.requests() if request["api"] in _PRODUCT
            for operation in request["operations"]
        )
        return {
            "ignored": [row["rule"] for row in self._control.ignored()],
            "refused": [operation["rule"] for operation in operations if operation["outcome"] == "refused"],
        }


@contextmanager
def fake_place(server: ControlClient, case: Case) -> Iterator[FakePlace]:
    """A workspace for one case; it is removed afterwards."""
    given = fill_struct(case.given, FakePlace.prefix, {})
    seed = {
        "people": list(given.people), "segments": list(given.segments), "clock": {"now": NOW, "mode": "manual"},
        **given.seed,
    }  # fmt: skip
    settings = {"rate_limits": "off", **given.settings}
    made = server.create_workspace(name=case.name, region=given.region, settings=settings, seed=seed)
    control = server.at(made["id"])
    try:
        yield FakePlace(control, made)
    finally:
        control.delete()


def _name(name: str) -> str:
    return name.replace("-", "_").lower()


def _ids(members: Iterator[dict[str, Any]]) -> list[str]:
    return [row["id"] or row["email"] or row["cio_id"] for row in members]
