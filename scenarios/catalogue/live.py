"""A real workspace as a place for cases: public APIs only, at a pace below every limit, and nothing left behind.

Reads are asked again for a while, since what was accepted may become visible later. Whoever runs this has consented;
asking them is `cli_live.py`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any
from urllib.parse import quote

from scenarios.catalogue.asking import Answer, Wire
from scenarios.catalogue.case import Ask, Case, Ending, Row, RunError
from scenarios.catalogue.conformance import SKIPPED, Result
from scenarios.catalogue.filling import fill_struct
from scenarios.catalogue.matching import compare
from scenarios.catalogue.places import Keys
from scenarios.catalogue.playing import judge_ending, play_case, wanted
from scenarios.catalogue.public import RUN_PREFIX, identifiers, prefix_of, public_case, why_not_live
from scenarios.catalogue.running import judged
from scenarios.catalogue.writing import app, batch, join, person

#: Requests a second: a tenth of what the Track API is said to take, and less than the App API takes.
RATES = {"track": 10.0, "app": 8.0}
#: How long a write may take to be seen, and how often to look.
PATIENCE = {"visible_within_s": 30.0, "look_every_s": 1.0}
_BATCH, _WAITS, _LONGEST_WAIT_S = 100, 5, 30.0


class LiveError(RunError):
    """The workspace refused what a case needs, or could not be cleaned; the message says how it answered."""


class Pacer:
    """Keeps each API below its rate: called ahead of every request, it waits as long as needed."""

    def __init__(
        self, rates: Mapping[str, float], now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._rates = rates
        self._now = now
        self._sleep = sleep
        self._free_at: dict[str, float] = {}

    def __call__(self, api: str) -> None:
        now = self._now()
        start = max(now, self._free_at.get(api, now))
        if start > now:
            self._sleep(start - now)
        self._free_at[api] = start + 1 / self._rates[api]


class PatientWire(Wire):
    """Asks again: whatever was told to come later, and reads that don't show yet what they will."""

    def send(self, ask: Ask) -> Answer:
        """The first answer that is as expected, else the last one."""
        deadline = time.monotonic() + (PATIENCE["visible_within_s"] if _reads(ask) else 0)
        answer = self.once(ask)
        while time.monotonic() < deadline and compare(wanted(ask), answer._asdict(), ""):
            time.sleep(PATIENCE["look_every_s"])
            answer = self.once(ask)
        return answer

    def once(self, ask: Ask) -> Answer:
        """What is answered now, or as soon as the service takes requests again."""
        self.close()  # one that the service has closed meanwhile would look like an answer that never came
        answer = super().send(ask)
        for _ in range(_WAITS):
            if answer.status != 429 or ask.status == 429:
                break
            after = answer.headers.get("retry-after", "")
            time.sleep(min(float(after) if after.isdigit() else 1.0, _LONGEST_WAIT_S))
            answer = super().send(ask)
        return answer


class LivePlace:
    """One case's corner of a real workspace: everything in it bears the case's prefix."""

    def __init__(self, keys: Keys, wire: PatientWire, prefix: str) -> None:
        self.keys = keys
        self.prefix = prefix
        self._wire = wire

    def prepare(self, case: Case) -> dict[str, Any]:
        given = fill_struct(case.given, self.prefix, {})
        for row in given.people:
            who = {"id": row["id"]} if row.get("id") else {"email": row["email"]}
            rest = {"email": row["email"]} if len(who) < sum(1 for key in ("id", "email") if row.get(key)) else {}
            body = person("identify", who, attributes={**rest, **row.get("attributes", {})})
            self._must(Ask(method="POST", path="/api/v2/entity", body=body))
            self._must(app("GET", f"/v1/customers/{_profile(row)}"))
        return {self._short(row["name"]): self._segment(row) for row in given.segments}

    def pass_time(self, seconds: float) -> None:
        raise LiveError("nobody moves the clock of a real workspace")

    def arm(self, faults: tuple[Row, ...]) -> None:
        raise LiveError("nobody makes a real workspace fail")

    def look(self, ending: Ending, learnt: Mapping[str, Any]) -> dict[str, Any]:
        """What there is, as soon as it is as it must be, or when patience ends."""
        deadline = time.monotonic() + PATIENCE["visible_within_s"]
        seen = self._look(ending)
        while time.monotonic() < deadline and any(judge_ending(ending, seen)):
            time.sleep(PATIENCE["look_every_s"])
            seen = self._look(ending)
        return seen

    def _look(self, ending: Ending) -> dict[str, Any]:
        people = [self._person(row) for row in ending.people or ()]
        segments = self._segments() if ending.members else {}
        return {
            "people": people,
            "gone": [name for name in ending.gone if self._person({"id": name}) is None],
            "events": self._events(ending) if ending.events is not None else [],
            "members": {name: self._members(segments[name]) for name in ending.members if name in segments},
        }

    def _person(self, row: Row) -> dict[str, Any] | None:
        answer = self._wire.once(app("GET", f"/v1/customers/{_profile(row)}"))
        if answer.status != 200:
            return None
        customer = answer.body["customer"]
        held = customer["attributes"]
        return {key: held.get(key) or None for key in ("id", "email", "cio_id")} | {"attributes": held}

    def _events(self, ending: Ending) -> list[dict[str, Any]]:
        """Events of everybody whom the ending names, each person's in order of arrival."""
        named = [*(row.get("person") or {} for row in ending.events or ()), *(ending.people or ())]
        found = []
        for who in dict.fromkeys(row["id"] for row in named if row.get("id")):
            activities = self._read(f"/v1/customers/{quote(who, safe='')}/activities?type=event").body["activities"]
            found += [{**row, "person": {"id": who}} for row in reversed(activities)]
        return found

    def _segments(self) -> dict[str, int]:
        return {row["name"]: row["id"] for row in self._read("/v1/segments").body["segments"]}

    def _members(self, segment: int) -> list[str]:
        rows = self._read(f"/v1/segments/{segment}/membership").body["identifiers"]
        return [row["id"] or row.get("email") for row in rows]

    def _segment(self, row: Row) -> int:
        made = self._must(app("POST", "/v1/segments", {"segment": {"name": row["name"]}}))
        number = int(made.body["segment"]["id"])
        if row.get("members"):
            self._must(join(str(number), row["members"]))
        return number

    def _short(self, name: str) -> str:
        return name.removeprefix(self.prefix).replace("-", "_").lower()

    def _read(self, path: str) -> Answer:
        return self._must(app("GET", path))

    def _must(self, ask: Ask) -> Answer:
        answer = self._wire.send(ask)
        if answer.status != 200:
            raise LiveError(f"{ask.method} {ask.path.partition('?')[0]} was answered with {answer.status}")
        return answer


def run_live(keys: Keys, wire: PatientWire, cases: Iterable[Case], run_prefix: str) -> Iterator[Result]:
    """Each case in its corner; what a real workspace can't be asked is skipped. Cleaning up is `clean`."""
    for case in cases:
        why = why_not_live(case)
        yield Result(case, SKIPPED, why=why) if why else _run(keys, wire, public_case(case), run_prefix)


def _run(keys: Keys, wire: PatientWire, case: Case, run_prefix: str) -> Result:
    try:
        played = play_case(case, LivePlace(keys, wire, prefix_of(run_prefix, case)), wire)
    except LiveError as error:
        return Result(case, SKIPPED, why=f"what it needs could not be put there: {error}")
    return judged(case, played)


def check_prefix(run_prefix: str) -> None:
    """Raises LiveError for what is no prefix of a run."""
    if RUN_PREFIX.fullmatch(run_prefix) is None:
        raise LiveError(f"{run_prefix!r} is no prefix of a run; they look like fakeio-live-0123abcd-")


def clean(wire: Wire, cases: Iterable[Case], run_prefix: str) -> int:
    """Delete everybody and every segment that these cases may have made under the prefix of a run; how many segments.

    Raises LiveError for a prefix that is none of ours, so nobody else can ever be meant.
    """
    check_prefix(run_prefix)
    names = [name for case in cases for name in identifiers(case, prefix_of(run_prefix, case))]
    deletions = iter([person("delete", who) for name in names for who in _ways(name)])
    while some := list(islice(deletions, _BATCH)):
        answer = wire.send(batch(*some))
        if answer.status not in (200, 207):
            raise LiveError(f"people could not be deleted: answered with {answer.status}")
    return _clean_segments(wire, run_prefix)


def _clean_segments(wire: Wire, run_prefix: str) -> int:
    listed = wire.send(app("GET", "/v1/segments"))
    if listed.status != 200:
        raise LiveError(f"segments could not be listed: answered with {listed.status}")
    ours = [row["id"] for row in listed.body["segments"] if row["name"].startswith(run_prefix)]
    for number in ours:
        answer = wire.send(app("DELETE", f"/v1/segments/{number}", status=204))
        if answer.status not in (204, 404):
            raise LiveError(f"segment {number} could not be deleted: answered with {answer.status}")
    return len(ours)


def _ways(name: str) -> list[dict[str, str]]:
    """How somebody of that name may be known."""
    return [{"id": name}, {"email": name}] if "@" in name else [{"id": name}]


def _profile(row: Row) -> str:
    kind = "id" if row.get("id") else "email"
    return f"{quote(str(row[kind]), safe='')}/attributes?id_type={kind}"


def _reads(ask: Ask) -> bool:
    """Whether asking again changes nothing."""
    return ask.method == "GET" or ask.path.partition("?")[0] in ("/v1/customers", "/v1/customers/attributes")
