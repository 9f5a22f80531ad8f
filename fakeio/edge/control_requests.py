"""Control routes about what arrived: the tape, what was accepted and ignored, and checks of what was called."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from fakeio.core.matching import MISSING, Difference
from fakeio.core.outcomes import Applied, Ignored
from fakeio.core.rules import RULES
from fakeio.core.weather import glob
from fakeio.edge import verification
from fakeio.edge.control_http import Call, ControlError, Result, bad_request, parse_moment, parse_number
from fakeio.edge.tape import Exchange, Tape, as_row

_LARGEST_CALL = 1_000_000  # no request ignores that many things; numbers them all


def list_requests(call: Call) -> Result:
    """The tape in order of arrival. `path` is a glob, `since` a time on the workspace's clock (Unix seconds)."""
    page, wanted = call.page(), _filter(call)
    with call.opened() as hosted:
        rows = ((one.n, one) for one in hosted.tape.after(page.start) if wanted(one))
        return page.result("requests", rows, as_row, dropped=hosted.tape.dropped, last=hosted.tape.last)


def get_request(call: Call) -> Result:
    """One exchange by its number."""
    n = parse_number(call.params["n"], "n", at_least=1)
    with call.opened() as hosted:
        exchange = hosted.tape.get(n)
        if exchange is None:
            where = where_it_went(hosted.tape, n)
            raise ControlError(404, "unknown_request", f"request {n} is not on the tape", where)
        return Result(200, as_row(exchange))


def clear_requests(call: Call) -> Result:
    """Forget the exchanges so far; numbers go on."""
    with call.opened() as hosted:
        hosted.tape.clear()
    return Result(204)


def list_ignored(call: Call) -> Result:
    """Every operation, or part of one, that was accepted and changed nothing, with the rule that says why."""
    page = call.page()
    with call.opened() as hosted:
        return page.result("ignored", ignored(hosted.tape, page.start), lambda row: row, dropped=hosted.tape.dropped)


def verify(call: Call) -> Result:
    """Whether requests like this arrived, how many, and if not, which came closest; `explanation` is that in words."""
    expected = _expectation(call.document())
    with call.opened() as hosted:
        verdict = verification.verify(hosted.tape, expected)
        misses = [{**as_row(one), "differences": [difference_view(each) for each in found]}
                  for one, found in verdict.closest]  # fmt: skip
        return Result(200, {
            "ok": verdict.ok, "matched": len(verdict.matched), "near_misses": misses,
            "dropped": hosted.tape.dropped, "explanation": verdict.explanation,
        })  # fmt: skip


def ignored(tape: Tape, place: int = 0) -> Iterator[tuple[int, dict[str, Any]]]:
    """What was answered with 2xx and came to nothing, as (place, row), behind that place."""
    for exchange in tape.after(place // _LARGEST_CALL - 1):
        if exchange.status is not None and exchange.status < 300:
            for at, row in enumerate(_ignored_rows(exchange)):
                here = exchange.n * _LARGEST_CALL + at
                if here > place:
                    yield here, row


def _ignored_rows(exchange: Exchange) -> Iterator[dict[str, Any]]:
    for at, (name, outcome) in enumerate(exchange.operations):
        if isinstance(outcome, Ignored):
            yield _ignored_row(exchange, at, name, outcome)
        elif isinstance(outcome, Applied):
            for note in outcome.notes:
                yield _ignored_row(exchange, at, name, note)


def difference_view(difference: Difference) -> dict[str, Any]:
    """`actual` is left out where nothing was there."""
    shown = {"field": difference.field, "expected": difference.expected}
    return shown if difference.actual is MISSING else {**shown, "actual": difference.actual}


def _ignored_row(exchange: Exchange, at: int, name: str, outcome: Ignored) -> dict[str, Any]:
    return {
        "request": exchange.n,
        "index": at,
        "at": exchange.at,
        "method": exchange.request.method,
        "path": exchange.request.path,
        "operation": name,
        "rule": outcome.rule,
        "effect": RULES[outcome.rule].effect,
        "explanation": outcome.why,
        "person": outcome.person,
    }


def _filter(call: Call) -> Callable[[Exchange], bool]:
    query = call.query
    status = call.number("status", 0, at_least=0)
    since = parse_moment(query.get("since", "0"), "since")
    path = glob(query["path"]) if "path" in query else None
    api, method = query.get("api"), query.get("method")

    def wanted(one: Exchange) -> bool:
        return (
            api in (None, one.api)
            and (method is None or method.upper() == one.request.method)
            and (path is None or path.fullmatch(one.request.path) is not None)
            and status in (0, one.status)
            and one.at >= since
        )

    return wanted


def where_it_went(tape: Tape, n: int) -> str:
    """Why a number is not on the tape."""
    return tape.where(n)


def _expectation(document: dict[str, Any]) -> verification.Expectation:
    try:
        return msgspec.convert(document, verification.Expectation)
    except msgspec.ValidationError as error:
        said = str(error).replace("`$.", "`")
        hint = "times, at_least and at_most are whole numbers of at least 0"
        raise bad_request("bad_expectation", said, hint) from None
