"""What `fakeio exec` says when its program has ended: what arrived, what came of it, and which expectations fail.

An expectation is part of a person, an event or a segment as the control API shows them. Callers have stopped the fake,
or hold no lock: each workspace is read under its own.
"""

from __future__ import annotations

import json
import traceback
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from fakeio.cli_text import CommandFailed
from fakeio.core.matching import differences, near_misses
from fakeio.edge.control_requests import ignored
from fakeio.edge.proxy import Proxy
from fakeio.edge.registry import HostedWorkspace, Registry
from fakeio.edge.tape import Exchange, operation_row
from fakeio.edge.tls import REGIONAL_HOSTS
from fakeio.edge.views import event_view, identifiers_view, person_view, segment_view, up_to_date

Expected = dict[str, list[dict[str, Any]]]

PLURALS = {"people": "person", "events": "event", "segments": "segment"}
_IDENTIFIERS = ("id", "email", "cio_id")
_MOST_LINES = 10  # of one kind; a summary is for reading
_SHOWN = 3  # near misses of an expectation


class Fate(NamedTuple):
    """Operations that ended alike: their outcome, what they were, and by which rule."""

    how: str
    what: str = ""
    rule: str = ""


class Fates(NamedTuple):
    """How often each fate befell an operation, and the words about the first that it befell."""

    counts: Counter[Fate]
    first: dict[Fate, str]

    def add(self, fate: Fate, request: int = 0, why: str = "") -> None:
        """One more operation."""
        self.counts[fate] += 1
        self.first.setdefault(fate, f"request {request}: {why}")

    def total(self, how: str) -> int:
        """How many ended so, for whatever reason."""
        return sum(count for fate, count in self.counts.items() if fate.how == how)


def parse_expected(document: Any) -> Expected:
    """The expectations of a document `{"people": […], "events": […], "segments": […]}`; raises ValueError."""
    if not isinstance(document, dict):
        raise ValueError("expectations are a JSON object with people, events and segments")
    unknown = sorted(set(document) - set(PLURALS))
    if unknown:
        raise ValueError(f"there is no {unknown[0]!r} to expect; there are people, events and segments")
    for plural, entries in document.items():
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            raise ValueError(f"{plural} is not a list of objects")
    return document


def unmet(hosted: HostedWorkspace, expected: Expected) -> list[str]:
    """The lines that tell which expectations nothing meets, what came closest, and how it differs."""
    lines: list[str] = []
    with up_to_date(hosted):
        for plural, entries in expected.items():
            views = _views(hosted, plural)
            for entry in entries:
                lines += _unmet(plural, _with_person(entry) if plural == "events" else entry, views)
    return lines


def _views(hosted: HostedWorkspace, plural: str) -> list[dict[str, Any]]:
    space = hosted.state
    if plural == "people":
        return [person_view(person) for person in sorted(space.people, key=lambda person: person.number)]
    if plural == "events":
        return [event_view(space, event) for event in space.events()]
    return [
        {**segment_view(segment), "members": [identifiers_view(space, cio_id) for cio_id in segment.members]}
        for segment in space.segments
    ]


def _with_person(entry: Mapping[str, Any]) -> dict[str, Any]:
    """An event's `id`, `email` and `cio_id` are its person's: it has none of its own."""
    named = {kind: entry[kind] for kind in _IDENTIFIERS if kind in entry}
    rest = {name: value for name, value in entry.items() if name not in named}
    return {**rest, "person": {**named, **(rest.get("person") or {})}} if named else rest


def _unmet(plural: str, wanted: dict[str, Any], views: list[dict[str, Any]]) -> list[str]:
    compared = [(view, differences(wanted, view)) for view in views]
    if any(not found for _, found in compared):
        return []
    among = f"none of {len(views)} does" if views else "there are none"
    lines = [f"expected: no {PLURALS[plural]} has {json.dumps(wanted, ensure_ascii=False)}; {among}"]
    for view, found in near_misses(compared, _SHOWN):
        lines.append(f"  near miss: {_named(plural, view)}")
        lines += [f"    {difference}" for difference in found]
    return lines


def _named(plural: str, view: Mapping[str, Any]) -> str:
    if plural == "segments":
        return f"segment {view['id']}, {view['name']!r}"
    whose = view if plural == "people" else view["person"] or {}
    who = next((str(whose[kind]) for kind in _IDENTIFIERS if whose.get(kind)), "nobody")
    return who if plural == "people" else f"{view['name']!r} of {who}"


def summarise(registry: Registry, proxy: Proxy) -> list[str]:
    """What arrived, in all workspaces, what came of it, and which connections came to nothing."""
    arrived: Counter[str] = Counter()
    fates = Fates(Counter(), {})
    surprises: list[str] = []
    for hosted in registry:
        with up_to_date(hosted):
            arrived.update(_host(exchange) for exchange in hosted.tape)
            _add_fates(hosted, fates)
            surprises += _surprises(hosted)
    return [*_arrivals(arrived), *_outcomes(fates), *_dead_ends(proxy, arrived), *surprises]


def _host(exchange: Exchange) -> str:
    named = next((value for name, value in exchange.request.headers if name == b"host"), b"an unnamed host")
    host = named.decode("latin-1").lower()
    return host.partition(":")[0] if host.startswith(REGIONAL_HOSTS) else host


def _add_fates(hosted: HostedWorkspace, fates: Fates) -> None:
    for exchange in hosted.tape:
        for row in (operation_row(name, outcome) for name, outcome in exchange.operations):
            if row["outcome"] in ("applied", "pending"):
                fates.add(Fate(row["outcome"]))
            elif row["outcome"] == "refused":
                fates.add(Fate("refused", row["operation"], row["rule"]), exchange.n, row["explanation"])
    for _, row in ignored(hosted.tape):
        fates.add(Fate("ignored", row["operation"], row["rule"]), row["request"], row["explanation"])


def _arrivals(arrived: Counter[str]) -> list[str]:
    if not arrived:
        return ["no request arrived"]
    by_host = ", ".join(f"{count} at {host}" for host, count in sorted(arrived.items()))
    return [f"{_many(arrived.total(), 'request')} arrived: {by_host}"]


def _outcomes(fates: Fates) -> list[str]:
    totals = ((fates.total(how), how) for how in ("applied", "ignored", "refused", "pending"))
    lines = [", ".join(f"{total} {how}" for total, how in totals if total)]
    for how in ("ignored", "refused"):
        told = [fate for fate in fates.counts if fate.how == how]
        lines += [_told(fate, fates) for fate in told[:_MOST_LINES]]
        if len(told) > _MOST_LINES:
            lines.append(f"{how}: and for {_many(len(told) - _MOST_LINES, 'reason')} more")
    return [line for line in lines if line]


def _told(fate: Fate, fates: Fates) -> str:
    count = fates.counts[fate]
    times = "" if count == 1 else f"{count} × "
    return f"{fate.how}: {times}{fate.what} by {fate.rule}, {'' if count == 1 else 'first '}{fates.first[fate]}"


def _dead_ends(proxy: Proxy, arrived: Counter[str]) -> Iterable[str]:
    for host, count in sorted(proxy.refused.items()):
        yield f"{host} was refused {_many(count, 'time')}; let it through with --allow-host {host}"
    for host, count in sorted(proxy.tunnels.items()):
        if not arrived[host]:
            opened = _many(count, "connection")
            yield f"{host}: {opened} but no request; a client that trusts only its own list of authorities ends so"


def _surprises(hosted: HostedWorkspace) -> Iterator[str]:
    if hosted.tape.dropped:
        yield f"workspace {hosted.name}: {_many(hosted.tape.dropped, 'request')} no longer on the tape, not counted"
    for error in hosted.errors:
        yield f"unexpected inside the fake, a bug of its own: {type(error).__name__}{_place(error)}"


def _place(error: BaseException) -> str:
    """Where it was raised. Its message is left out: it may hold anything that was sent."""
    frames = traceback.extract_tb(error.__traceback__)
    return f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""


def _many(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def read_expected(path: str | None) -> Expected:
    """The expectations of a file, none without one; raises CommandFailed."""
    if path is None:
        return {}
    try:
        with open(path, "rb") as file:
            return parse_expected(json.load(file))
    except OSError as error:
        raise CommandFailed(f"the expectations {path} can't be read: {error.strerror}", status=2) from error
    except (ValueError, RecursionError) as error:
        raise CommandFailed(f"the expectations {path} can't be understood: {error}", status=2) from error
