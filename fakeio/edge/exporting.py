"""Reproductions of one exchange or of all of them, in the form that is asked for.

Decides what belongs into one: for a test of a single request, the requests before it only when it ends otherwise
without them. A tape that has lost exchanges can't be exported whole, since what is missing may be what mattered.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from fakeio.edge.control_http import ControlError, bad_request
from fakeio.edge.control_server import version
from fakeio.edge.exchange import Universe
from fakeio.edge.registry import HostedWorkspace, Options, Registry
from fakeio.edge.reproducing import retell, sendable
from fakeio.edge.reproducing_curl import write_curl
from fakeio.edge.reproducing_har import write_har
from fakeio.edge.reproducing_pytest import Case, fault_of, write_pytest
from fakeio.edge.reproducing_start import CALM, start_of
from fakeio.edge.reproducing_trial import MOST, end_otherwise
from fakeio.edge.tape import Exchange
from fakeio.edge.tape_words import incomplete

CURL, PYTEST, HAR = FORMS = ("curl", "pytest", "har")


class Exporter(NamedTuple):
    """What an export is about: a workspace, the server it is on, and where that listens."""

    hosted: HostedWorkspace
    universe: Universe
    origin: str

    def new_universe(self) -> Universe:
        """Another server of the same routes, to try things on; nobody can reach it."""
        return Universe(Registry(Options(settings=CALM)), self.universe.router)


def export(exporter: Exporter, form: str | None, n: int | None = None) -> str | dict[str, Any]:
    """The text of a script or a test, or the JSON of an archive, of exchange `n` or of all; raises ControlError.

    The caller holds the workspace's lock.
    """
    if form not in FORMS:
        said = "no form is given" if form is None else f"there is no form {form[:40]!r}"
        raise bad_request("bad_form", said, f"ask for one of {', '.join(f'as={known}' for known in FORMS)}")
    hosted = exporter.hosted
    chosen = _chosen(hosted, n)
    if form == HAR:
        return write_har(chosen, hosted, exporter.origin, version())
    if form == CURL:
        sent = sendable(retell(exchange, hosted.credentials) for exchange in chosen)
        return write_curl(sent, exporter.origin, hosted.credentials)
    return write_pytest(_case(exporter, chosen) if n is None else _smallest(exporter, chosen[0]))


def _chosen(hosted: HostedWorkspace, n: int | None) -> list[Exchange]:
    tape = hosted.tape
    if n is None:
        missing = incomplete(tape)
        if missing is not None:
            hint = "or export single requests; or clear the tape (DELETE …/requests) before what is to be kept"
            raise ControlError(409, "tape_incomplete", missing, hint)
        return list(tape)
    exchange = tape.get(n)
    if exchange is None:
        raise ControlError(404, "unknown_request", f"request {n} is not on the tape", tape.where(n))
    return [exchange]


def _smallest(exporter: Exporter, last: Exchange) -> Case:
    """The one request alone if it ends as recorded; else after those that changed something, else after all."""
    before = [exchange for exchange in exporter.hosted.tape if exchange.n < last.n]
    changing = [exchange for exchange in before if _changed_something(exchange)]
    for chosen in ([last], [*changing, last]):
        case = _case(exporter, chosen)
        if case.otherwise is not None and last.n not in case.otherwise:
            return case
    return _case(exporter, [*before, last])


def _changed_something(exchange: Exchange) -> bool:
    # an App API request may change things without a word on the tape, but never by GET
    return exchange.request.method != "GET" and exchange.status is not None and exchange.status < 400


def _case(exporter: Exporter, chosen: Sequence[Exchange]) -> Case:
    hosted = exporter.hosted
    start = start_of(hosted, chosen)
    recorded = sendable(retell(exchange, hosted.credentials) for exchange in chosen)
    faults = {sent.n: found for sent in recorded if (found := fault_of(sent, hosted.weather)) is not None}
    now = hosted.clock.now()
    otherwise = None
    if len(recorded) <= MOST:
        comparable = [sent for sent in recorded if not sent.faults or sent.n in faults]
        numbers = {sent.n for sent in comparable}
        ended = end_otherwise(recorded, start.seed, hosted.region, faults, exporter.new_universe(), now)
        otherwise = [number for number in ended if number in numbers]
    return Case(recorded, start, hosted.region, now, faults, otherwise)

