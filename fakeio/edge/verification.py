"""Did requests like this arrive, and how often? And if not: which came closest, and what differs.

The one judge behind `POST …/verify` and `workspace.verify(…)`. Decides `ok`, counts, and words a failure; it never says
yes or no about exchanges that the tape has dropped. Callers hold the workspace's lock.
"""

from __future__ import annotations

from typing import Annotated, Any, NamedTuple

import msgspec

from fakeio.core.matching import Difference, differences, near_misses
from fakeio.core.weather import glob
from fakeio.core.wording import DIFFERENCES, NEAR_MISSES, Report, first, several, shown
from fakeio.edge.tape import Exchange, Tape, as_row
from fakeio.edge.tape_words import incomplete, request_label, request_words

Count = Annotated[int, msgspec.Meta(ge=0)]


class Expectation(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """What a request has (`path` is a glob, `body` partial) and how many there should be: at least one, unless told."""

    method: str | None = None
    path: str | None = None
    body: Any = msgspec.UNSET
    times: Count | None = None
    at_least: Count | None = None
    at_most: Count | None = None

    @property
    def fewest(self) -> int:
        """The least number of requests that satisfies it."""
        unbounded = (self.times, self.at_least, self.at_most) == (None, None, None)
        return max(self.times or 0, self.at_least or 0, 1 if unbounded else 0)

    @property
    def most(self) -> int | None:
        """The greatest one; None: any."""
        return min((bound for bound in (self.times, self.at_most) if bound is not None), default=None)

    def words(self) -> str:
        """What a request should have, in a line."""
        asked = f"{self.method.upper() if self.method else 'any method'} {self.path or 'any path'}"
        return asked if self.body is msgspec.UNSET else f"{asked}, body {shown(self.body)}"

    def number(self) -> str:
        """How many there should be."""
        if self.most is None:
            return f"at least {self.fewest}"
        if self.fewest == self.most:
            return f"exactly {self.most}"
        return f"{self.fewest} to {self.most}" if self.fewest else f"at most {self.most}"


class Verdict(NamedTuple):
    """`explanation` is the whole failure in words, None when `ok`; `closest` are (exchange, differences)."""

    ok: bool
    matched: list[Exchange]
    closest: list[tuple[Exchange, list[Difference]]]
    explanation: str | None


def verify(tape: Tape, expected: Expectation) -> Verdict:
    """The verdict; where dropped exchanges could change it, it is no, and the explanation says why."""
    compared = [(exchange, request_differences(exchange, expected)) for exchange in tape]
    matched = [exchange for exchange, found in compared if not found]
    enough = len(matched) >= expected.fewest
    too_many = expected.most is not None and len(matched) > expected.most
    missing = incomplete(tape)
    certain = missing is None or too_many or (enough and expected.most is None)
    if certain and enough and not too_many:
        return Verdict(ok=True, matched=matched, closest=[], explanation=None)
    closest = [] if too_many else near_misses(compared, NEAR_MISSES)
    explanation = _explain(expected, len(compared), matched, closest, missing)
    return Verdict(ok=False, matched=matched, closest=closest, explanation=explanation)


def request_differences(exchange: Exchange, expected: Expectation) -> list[Difference]:
    """Where a request is not as expected."""
    request = exchange.request
    found: list[Difference] = []
    if expected.method is not None and expected.method.upper() != request.method:
        found.append(Difference("method", expected.method.upper(), request.method))
    if expected.path is not None and glob(expected.path).fullmatch(request.path) is None:
        found.append(Difference("path", expected.path, request.path))
    if expected.body is not msgspec.UNSET:
        found += differences(expected.body, as_row(exchange)["body"], "body")
    return found


def _explain(
    expected: Expectation, arrived: int, matched: list[Exchange], closest: list[tuple[Exchange, list[Difference]]],
    missing: str | None,
) -> str:  # fmt: skip
    found = several(len(matched), "request") if matched else "no request"
    report = Report(f"{found} like this, expected {expected.number()}")
    report.add("wanted", expected.words())
    for exchange in matched[:NEAR_MISSES]:
        report.add("match", f"{request_label(exchange)}: {request_words(exchange)}")
    if len(matched) > NEAR_MISSES:
        report.add("", f"… and {len(matched) - NEAR_MISSES:,} more")
    for exchange, unlike in closest:
        report.add("near miss", f"{request_label(exchange)}: {request_words(exchange)}",
                   *first([str(one) for one in unlike], DIFFERENCES))  # fmt: skip
    report.add("in all", f"{several(arrived, 'request')} on the tape")
    if missing is not None:
        report.add("but", missing)
    return str(report)
