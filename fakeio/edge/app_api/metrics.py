"""App API, metrics: how many messages of something came to what, by hours, days, weeks or months.

Counts what deliveries have noted, oldest period first, the last one being now. Days begin at midnight in New York's
winter time, as published. Source: App API > metrics.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta, timezone

from fakeio.core.deliveries import Delivery
from fakeio.edge.app_api.messages import METRICS
from fakeio.edge.app_api.reading import bad_parameter, query, read
from fakeio.edge.errors import app_json
from fakeio.edge.fields import whole_number
from fakeio.edge.work import Answered, Call, Work

MOST_STEPS = {"hours": 24, "days": 45, "weeks": 12, "months": 121}
SERIES = ("created", "drafted", *METRICS)

_EST = timezone(timedelta(hours=-5))
_STRIDES = {"hours": timedelta(hours=1), "days": timedelta(days=1), "weeks": timedelta(weeks=1)}


def answer_metrics(call: Call, operation: str, of: Callable[[Delivery], bool]) -> Work | Answered:
    """The series of the deliveries that are `of` something; `period` and `steps` as asked."""
    asked = query(call)
    period = asked.get("period") or "days"
    if period not in MOST_STEPS:
        return bad_parameter(operation, "period", f"one of {', '.join(MOST_STEPS)}")
    steps = whole_number(asked.get("steps") or str(MOST_STEPS[period]))
    if steps is None or steps < 1:
        return bad_parameter(operation, "steps", "a whole number of at least 1")
    type_ = asked.get("type", "")
    begins = beginnings(call.hosted.clock.now(), period, min(steps, MOST_STEPS[period]))

    def wanted(one: Delivery) -> bool:
        return of(one) and (not type_ or one.type == type_)

    return read(lambda state: app_json({"metric": {"series": series(filter(wanted, state.deliveries), begins)}}))


def beginnings(now: float, period: str, steps: int) -> list[float]:
    """When each period began, oldest first; the last one holds `now`."""
    moment = datetime.fromtimestamp(now, _EST).replace(minute=0, second=0, microsecond=0)
    if period != "hours":
        moment = moment.replace(hour=0)
    if period == "months":
        months = moment.year * 12 + moment.month - 1
        firsts = (divmod(months - back, 12) for back in range(steps - 1, -1, -1))
        return [datetime(year, month + 1, 1, tzinfo=_EST).timestamp() for year, month in firsts]
    return [(moment - back * _STRIDES[period]).timestamp() for back in range(steps - 1, -1, -1)]


def series(deliveries: Iterable[Delivery], begins: list[float]) -> dict[str, list[int]]:
    """For each metric how many deliveries noted it in each period."""
    counts = {metric: [0] * len(begins) for metric in SERIES}
    for delivery in deliveries:
        for metric, at in delivery.metrics.items():
            place = bisect_right(begins, at) - 1
            if metric in counts and place >= 0:
                counts[metric][place] += 1
    return counts
