"""The one path every product request takes, whichever door it came through.

Tape opens, credentials are looked up without a verdict, the weather may strike, then the verdict (credentials, region,
rate), the parsing, the commit under the workspace's lock, the answer; the tape closes. A generator of waits, so that a
socket, an in-process transport and a test can each pass the time their own way.
"""

from __future__ import annotations

import time
from collections.abc import Generator
from typing import NamedTuple

from fakeio.core.intake import Settle
from fakeio.core.operations import Operation
from fakeio.core.outcomes import Outcome, Refused
from fakeio.core.weather import AFTER_COMMIT, BEFORE_COMMIT, BEFORE_PARSE, Answer, Drawn, Pause, Postpone
from fakeio.edge.admission import admit
from fakeio.edge.directory import resolve, undecodable
from fakeio.edge.errors import PINNING, our_own_bug
from fakeio.edge.fetching import fetch_aside
from fakeio.edge.finishing import finish
from fakeio.edge.http import Cut, RawRequest, Reply, Wait
from fakeio.edge.regions import Gate, gate_of
from fakeio.edge.registry import WORKSPACE_HEADER, Claim, HostedWorkspace, Registry
from fakeio.edge.routing import SEND, TRACK, Route, Router, decode_segment
from fakeio.edge.tape import Done, Exchange
from fakeio.edge.work import After, Answered, Call, Errand, Settled, Work

ABANDONED = Cut("abandoned")  # the client left, or the server was stopped, before the exchange had an end

Steps = Generator[Wait, None, Reply | Cut]


class Universe:
    """One server: its workspaces and its routes. `started_at` is real time, Unix seconds."""

    __slots__ = ("registry", "router", "started_at")

    def __init__(self, registry: Registry, router: Router) -> None:
        self.registry = registry
        self.router = router
        self.started_at = time.time()


class _Visit(NamedTuple):
    """What is known about a request before anybody judges it."""

    route: Route
    raw_segments: list[str]
    claim: Claim
    registry: Registry
    hosted: HostedWorkspace
    gate: Gate | None
    request: RawRequest
    exchange: Exchange


def run_exchange(universe: Universe, request: RawRequest) -> Steps:
    """One product request from its bytes to its end. Yields the waits that a fault asks for; never raises.

    Whoever drives it may close it early: then the tape says `abandoned`.
    """
    began = time.perf_counter()
    headers = dict(request.headers)
    claim = universe.registry.claim(headers.get(b"authorization"))
    gate = gate_of(headers.get(b"host"))
    route, raw_segments = resolve(universe.router, gate, request.method, request.path)
    hosted = _place(universe.registry, claim, route, raw_segments, request)
    with hosted.lock:
        tape = hosted.tape
        exchange = tape.open(hosted.clock.now(), route.api, request)
        drawn = hosted.weather.draw(route.api, request.method, request.path) if hosted.weather else None
    visit = _Visit(route, raw_segments, claim, universe.registry, hosted, gate, request, exchange)
    end: Reply | Cut = ABANDONED
    try:
        plain = drawn is None and not route.fetches
        end = _settle(visit) if plain else (yield from _settle_in(visit, drawn))
        if gate is not None and isinstance(end, Reply):
            end = Reply(end.status, (*end.headers, *PINNING), end.body)
    except Exception as error:  # whatever it is, it is our bug: the fixtures raise it again
        hosted.errors.append(error)
        exchange.error = repr(error)
        end = our_own_bug(error)
    finally:
        with hosted.lock:
            tape.close(exchange, end, time.perf_counter() - began)
    return end


def _place(
    registry: Registry, claim: Claim, route: Route, raw_segments: list[str], request: RawRequest
) -> HostedWorkspace:
    """Where a request belongs: with its delivery where it names one, else with its credentials, else in `default`."""
    if route.delivery is not None:
        delivery_id = route.delivery(request, [decode_segment(raw) or "" for raw in raw_segments])
        known = registry.by_delivery(delivery_id) if delivery_id else None
        if known is not None:
            return known
    if claim.service and route.auth == SEND:
        return registry.by_service(claim, request.header(WORKSPACE_HEADER)) or registry.default
    return claim.hosted or registry.default


def _settle(visit: _Visit) -> Reply:
    """In fair weather: no waits, no cuts."""
    step = _understand(visit)
    assert not isinstance(step, Errand), "a route that sends somebody on errands says so"
    return _refuse(visit, step) if isinstance(step, Answered) else _commit(visit, step)


def _settle_in(visit: _Visit, drawn: Drawn | None) -> Steps:
    """With a fault that strikes at one of three moments, or with a file to fetch first.

    A request refused while parsing never reaches the later moments.
    """
    visit.exchange.faults = () if drawn is None else (drawn.kind,)
    struck = yield from _strike(drawn, BEFORE_PARSE)
    if struck is not None:
        return struck
    step = _understand(visit)
    if isinstance(step, Errand):
        step = step.then((yield from fetch_aside(step.url, visit.hosted.state.settings.fetch_from)))
    if isinstance(step, Answered):
        return _refuse(visit, step)
    struck = yield from _strike(drawn, BEFORE_COMMIT)
    if struck is not None:
        return struck
    postponed_s = drawn.action.seconds if drawn is not None and isinstance(drawn.action, Postpone) else 0
    reply = _commit(visit, step, postponed_s)
    struck = yield from _strike(drawn, AFTER_COMMIT)
    return reply if struck is None else struck


def _strike(drawn: Drawn | None, moment: str) -> Generator[Wait, None, Reply | Cut | None]:
    """Carry the fault's action out if this is its moment; None when the request goes on."""
    if drawn is None or drawn.when != moment or isinstance(drawn.action, Postpone):
        return None
    action = drawn.action
    if isinstance(action, Pause):
        yield Wait(action.seconds)
        return None
    return Reply(*action) if isinstance(action, Answer) else Cut(action.how)


def _understand(visit: _Visit) -> Work | Answered | Errand:
    """The verdict on who is asking, then what is asked."""
    route, request, n = visit.route, visit.request, visit.exchange.n
    shut_out = admit(route, visit.claim, visit.hosted, visit.gate, request, n)
    if shut_out is not None:
        return shut_out
    segments = visit.raw_segments
    if "%" in request.path:
        decoded = [decode_segment(raw) for raw in segments]
        segments = [text for text in decoded if text is not None]
        if len(segments) != len(decoded):
            return undecodable(route, request.path)
    return route.handler(Call(visit.registry, visit.hosted, request, segments, n))


def _refuse(visit: _Visit, step: Answered) -> Reply:
    visit.exchange.operations = step.done
    return finish(visit.route, visit.hosted.state.settings, step.reply, visit.exchange.n)


def _commit(visit: _Visit, work: Work, postponed_s: float = 0) -> Reply:
    """Take in, in order, and answer, all under the lock: nobody sees half of a request."""
    hosted, exchange = visit.hosted, visit.exchange
    with hosted.lock:
        state = hosted.state
        now = hosted.clock.now()
        state.sweep(now)
        done: list[Done] = []
        exchange.operations = done
        outcomes = _take_in_all(visit, work, now, _delay_s(visit, postponed_s))
        answer = work.render(outcomes, state)
        if isinstance(answer, Answered):
            done.extend(answer.done)
            answer = answer.reply
        return finish(visit.route, state.settings, answer, exchange.n)


def _delay_s(visit: _Visit, postponed_s: float) -> float | None:
    """How long settings or a fault delay what Track accepts; None when nothing waits and nothing has to."""
    state = visit.hosted.state
    if visit.route.api != TRACK:
        return None
    delay_s: float = state.settings.propagation_delay_s
    if postponed_s > delay_s:
        delay_s = postponed_s
    return delay_s if delay_s or state.intake else None


def _take_in_all(visit: _Visit, work: Work, now: float, delay_s: float | None) -> list[Outcome | None]:
    """The outcome of each item; None for one that is held, or dropped because what it belongs to was refused."""
    outcomes: list[Outcome | None] = []
    refused = False
    for item in work.items:
        if isinstance(item, After):
            outcomes.append(None if refused else _take_in(visit, item.operation, now, delay_s))
        else:
            outcomes.append(_take_in(visit, item, now, delay_s))
            refused = False
        refused = refused or isinstance(outcomes[-1], Refused)
    return outcomes


def _take_in(visit: _Visit, item: Operation | Settled, now: float, delay_s: float | None) -> Outcome | None:
    """Apply one operation, or accept it for later; None while it is held."""
    exchange, state = visit.exchange, visit.hosted.state
    done = exchange.operations
    assert isinstance(done, list), "the commit made it one"
    if isinstance(item, Settled):
        outcome: Outcome | None = item.outcome
    elif delay_s is not None:
        outcome = state.accept(item, now, exchange.n, delay_s, _settler(exchange, done, item.name))
    else:
        outcome = state.apply(item, now, exchange.n)
    done.append((item.name, outcome))
    return outcome


def _settler(exchange: Exchange, done: list[Done], name: str) -> Settle:
    """Writes down later how the operation that comes next on the list has ended."""
    at = len(done)

    def settle(later: Outcome, when: float) -> None:
        done[at] = (name, later)
        exchange.processed_at = {**(exchange.processed_at or {}), at: when}

    return settle
