"""Control routes about what arrived: the tape, what was accepted and ignored, and checks of what was called."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from fakeio.core.matching import MISSING, Difference, differences, near_misses
from fakeio.core.outcomes import Applied, Ignored
from fakeio.core.rules import RULES
from fakeio.core.weather import glob
from fakeio.edge.control_http import Call, ControlError, Result, bad_request, parse_number
from fakeio.edge.tape import Exchange, Tape, as_row

_LARGEST_CALL = 1_000_000  # no request ignores that many things; numbers them all


def list_requests(call: Call) -> Result:
    """The tape in order of arrival. `path` is a glob, `since` a time on the workspace's clock (Unix seconds)."""
    page, wanted = call.page(), _filter(call)
    with call.opened() as hosted:
        rows = ((one.n, one) for one in hosted.tape.after(page.start) if wanted(one))
        return page.result("requests", rows, as_row, dropped=hosted.tape.dropped)


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
        return page.result("ignored", ignored(hosted.tape, page.start), lambda row: row)


def verify(call: Call) -> Result:
    """Whether requests like this arrived, how many, and if not, which came closest."""
    expected = _expectation(call.document())
    with call.opened() as hosted:
        compared = [(exchange, _request_differences(exchange, expected)) for exchange in hosted.tape]
        matched = sum(not found for _, found in compared)
        ok = _enough(matched, expected)
        closest = [] if ok else near_misses(compared)
        misses = [{**as_row(one), "differences": [difference_view(each) for each in found]} for one, found in closest]
    return Result(200, {"ok": ok, "matched": matched, "near_misses": misses})


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
    since = call.number("since", 0, at_least=0)
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
    if n > tape.last:
        return f"the newest so far is {tape.last}"
    return "it was dropped by the tape's bounds (--tape-limit, --tape-bytes) or cleared"


class _Expectation(msgspec.Struct, forbid_unknown_fields=True):
    method: str | None = None
    path: str | None = None
    body: Any = msgspec.UNSET
    times: int | None = None
    at_least: int | None = None
    at_most: int | None = None


def _expectation(document: dict[str, Any]) -> _Expectation:
    try:
        return msgspec.convert(document, _Expectation)
    except msgspec.ValidationError as error:
        said = str(error).replace("`$.", "`")
        raise bad_request("bad_expectation", said, "times, at_least and at_most are whole numbers") from None


def _request_differences(exchange: Exchange, expected: _Expectation) -> list[Difference]:
    request = exchange.request
    found: list[Difference] = []
    if expected.method is not None and expected.method.upper() != request.method:
        found.append(Difference("method", expected.method.upper(), request.method))
    if expected.path is not None and glob(expected.path).fullmatch(request.path) is None:
        found.append(Difference("path", expected.path, request.path))
    if expected.body is not msgspec.UNSET:
        found += differences(expected.body, as_row(exchange)["body"], "body")
    return found


def _enough(matched: int, expected: _Expectation) -> bool:
    bounds = (expected.times, expected.at_least, expected.at_most)
    at_least = 1 if bounds == (None, None, None) else expected.at_least
    return (
        (expected.times is None or matched == expected.times)
        and (at_least is None or matched >= at_least)
        and (expected.at_most is None or matched <= expected.at_most)
    )
