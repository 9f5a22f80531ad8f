"""The one path every product request takes, whichever door it came through.

Tape opens, credentials are looked up without a verdict, the weather may strike, then the verdict (credentials, region,
rate), the parsing, the commit under the workspace's lock, the answer; the tape closes. A generator of waits, so that a
socket, an in-process transport and a test can each pass the time their own way.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from fakeio.core.forking import fork
from fakeio.core.intake import Settle
from fakeio.core.operations import Operation
from fakeio.core.outcomes import Outcome, Refused
from fakeio.core.weather import AFTER_COMMIT, BEFORE_COMMIT, BEFORE_PARSE, CLOSE, Drawn
from fakeio.edge import striking
from fakeio.edge.admission import admit
from fakeio.edge.directory import resolve, undecodable
from fakeio.edge.errors import PINNING, our_own_bug
from fakeio.edge.fetching import fetch_aside
from fakeio.edge.finishing import finish
from fakeio.edge.http import Cut, RawRequest, Reply, Wait
from fakeio.edge.piecemeal import Piecemeal
from fakeio.edge.regions import Gate, gate_of
from fakeio.edge.registry import WORKSPACE_HEADER, Claim, HostedWorkspace, Registry
from fakeio.edge.routing import SEND, TRACK, Route, Router, decode_segment
from fakeio.edge.striking import ABANDONED, End
from fakeio.edge.tape import Done, Exchange, Tape
from fakeio.edge.work import After, Answered, Call, Errand, Item, Settled, Work

if TYPE_CHECKING:
    from fakeio.edge.store import Store

CUT_SHORT = "truncate"  # the answer began, and the connection was closed before its end

Steps = Generator[Wait, bool | None, End]


class Universe:
    """One server: its workspaces and its routes. `started_at` is real time, Unix seconds."""

    __slots__ = ("registry", "router", "started_at", "store")

    def __init__(self, registry: Registry, router: Router) -> None:
        self.registry = registry
        self.router = router
        self.started_at = time.time()
        self.store: Store | None = None  # where its state is kept, if anywhere


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

    It is sent back whether the client left meanwhile. Whoever drives it may close it early: then the tape says
    `abandoned`.
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
        if hosted.journal is not None:
            hosted.journal.number(exchange.n, exchange.at)
        drawn = hosted.weather.draw(route.api, request.method, request.path, exchange.at) if hosted.weather else None
    visit = _Visit(route, raw_segments, claim, universe.registry, hosted, gate, request, exchange)
    end: End = ABANDONED
    try:
        plain = drawn is None and not route.fetches
        end = _settle(visit) if plain else (yield from _settle_in(visit, drawn))
    except Exception as error:  # whatever it is, it is our bug: the fixtures raise it again
        hosted.errors.append(error)
        exchange.error = repr(error)
        end = our_own_bug(error)
    finally:
        with hosted.lock:
            _write_down(tape, exchange, end, time.perf_counter() - began)
    return end if universe.store is None else (yield from _kept(universe.store, end))


def _kept(store: Store, end: End) -> Steps:
    """The answer, as soon as whatever it is about is on disk; none at all where it can't be."""
    waiting = store.settled()
    if waiting is not None:
        yield Wait(0, on=waiting)
        if not waiting.result():
            return Cut(CLOSE)
    return end


def _write_down(tape: Tape, exchange: Exchange, end: End, took_s: float) -> None:
    """Close the exchange as the client saw it."""
    if isinstance(end, Piecemeal):
        tape.close(exchange, end.told(), took_s)
        exchange.cut = None if end.whole else CUT_SHORT
    else:
        tape.close(exchange, end, took_s)


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

    A request refused while parsing never reaches the later moments; what travels badly is its own answer all the same.
    """
    api, exchange = visit.route.api, visit.exchange
    struck: End | None = yield from striking.strike(drawn, BEFORE_PARSE, exchange)
    struck = struck or striking.unheard(drawn, api, exchange)
    if struck is not None:
        return struck
    step = _understand(visit)
    if isinstance(step, Errand):
        step = step.then((yield from fetch_aside(step.url, visit.hosted.state.settings.fetch_from)))
    if isinstance(step, Answered):
        return striking.shape(_refuse(visit, step), drawn, exchange)
    struck = yield from striking.strike(drawn, BEFORE_COMMIT, exchange)
    if struck is not None:
        return struck
    reply = _rehearse(visit, step, drawn) if striking.applies_nothing(drawn) else _commit(visit, step, drawn)
    struck = yield from striking.strike(drawn, AFTER_COMMIT, exchange)
    return striking.shape(reply, drawn, exchange) if struck is None else struck


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
    return _finish(visit, step.reply)


def _finish(visit: _Visit, reply: Reply) -> Reply:
    """With what every answer of that route has, and of that host."""
    done = finish(visit.route, visit.hosted.state.settings, reply, visit.exchange.n)
    return done if visit.gate is None else Reply(done.status, (*done.headers, *PINNING), done.body)


def _commit(visit: _Visit, work: Work, drawn: Drawn | None = None) -> Reply:
    """Take in, in order, and answer, all under the lock: nobody sees half of a request."""
    hosted, exchange = visit.hosted, visit.exchange
    with hosted.lock:
        state = hosted.state
        now = hosted.clock.now()
        state.sweep(now)
        done: list[Done] = []
        exchange.operations = done
        items = work.items if drawn is None else _spoilt(work, drawn, exchange)
        postponed_s = 0.0 if drawn is None else striking.postponed_s(drawn, visit.route.api, exchange)
        delay_s = _delay_s(visit, postponed_s)
        outcomes = _take_in_all(items, lambda item: _take_in(visit, item, now, delay_s))
        if hosted.journal is not None:
            hosted.journal.took(now, delay_s)
        answer = work.render(outcomes, state)
        if isinstance(answer, Answered):
            done.extend(answer.done)
            answer = answer.reply
        return _finish(visit, answer)


def _rehearse(visit: _Visit, work: Work, drawn: Drawn | None) -> Reply:
    """The answer that a request would get, with nothing applied: it is carried out on a fork that nobody sees."""
    hosted, n = visit.hosted, visit.exchange.n
    assert drawn is not None, "only a fault asks for this"
    striking.mark(visit.exchange, drawn)
    with hosted.lock:
        now = hosted.clock.now()
        state = fork(hosted.state, id=hosted.id, name=hosted.name)
        state.sweep(now)
        outcomes = _take_in_all(
            work.items, lambda item: item.outcome if isinstance(item, Settled) else state.apply(item, now, n)
        )
        answer = work.render(outcomes, state)
        return _finish(visit, answer.reply if isinstance(answer, Answered) else answer)


def _spoilt(work: Work, drawn: Drawn, exchange: Exchange) -> Sequence[Item]:
    """The items, with those that the fault picked refused; what they are refused for on their own account stays."""
    failing = striking.failing(drawn)
    if failing.isdisjoint(work.rows):
        return work.items
    return [
        Settled(item.name, striking.refused_item(drawn, exchange))
        if row in failing and not isinstance(item, Settled | After) else item
        for item, row in zip(work.items, work.rows, strict=True)
    ]  # fmt: skip


def _delay_s(visit: _Visit, postponed_s: float) -> float | None:
    """How long settings or a fault delay what Track accepts; None when nothing waits and nothing has to."""
    state = visit.hosted.state
    if visit.route.api != TRACK:
        return None
    delay_s: float = state.settings.propagation_delay_s
    if postponed_s > delay_s:
        delay_s = postponed_s
    return delay_s if delay_s or state.intake else None


def _take_in_all(
    items: Sequence[Item], take_in: Callable[[Operation | Settled], Outcome | None]
) -> list[Outcome | None]:
    """The outcome of each item; None for one that is held, or dropped because what it belongs to was refused."""
    outcomes: list[Outcome | None] = []
    refused = False
    for item in items:
        if isinstance(item, After):
            outcomes.append(None if refused else take_in(item.operation))
        else:
            outcomes.append(take_in(item))
            refused = False
        refused = refused or isinstance(outcomes[-1], Refused)
    return outcomes


def _take_in(visit: _Visit, item: Operation | Settled, now: float, delay_s: float | None) -> Outcome | None:
    """Apply one operation, or accept it for later; None while it is held."""
    exchange, state = visit.exchange, visit.hosted.state
    done = exchange.operations
    assert isinstance(done, list), "the commit made it one"
    if visit.hosted.journal is not None and not isinstance(item, Settled):
        visit.hosted.journal.take(item)
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
