"""Deliveries: one message to one person, the metrics reported on it, and its unsubscribe link.

Nothing here sends: deliveries are seeded (or made by sends), and the Track API reports what became of them.
Source: Track API > Metrics, Unsubscribe.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import msgspec

from fakeio.core.outcomes import Applied, Ignored, Outcome, Refused

if TYPE_CHECKING:  # the workspace imports this module
    from fakeio.core import operations as op
    from fakeio.core.workspace import Workspace

METRICS: dict[str, frozenset[str]] = {
    "email": frozenset({"bounced", "clicked", "converted", "deferred", "delivered", "dropped", "opened", "spammed"}),
    "in_app": frozenset({"clicked", "converted", "opened"}),
    "push": frozenset({"converted", "delivered", "opened"}),
    "slack": frozenset({"clicked", "converted", "delivered", "opened"}),
    "sms": frozenset({"bounced", "clicked", "delivered", "opened"}),
    "webhook": frozenset({"bounced", "clicked", "converted", "deferred", "delivered", "dropped", "opened", "spammed"}),
}


class Delivery(msgspec.Struct):
    """One message. `person` is a cio_id; `metrics` map a metric's name to the Unix second it was reported for."""

    id: str
    type: str
    person: str | None
    created_at: int
    recipient: str = ""
    metrics: dict[str, int] = {}
    unsubscribed: bool = False


class Deliveries:
    """The deliveries of a workspace, by id."""

    def __init__(self) -> None:
        self._by_id: dict[str, Delivery] = {}

    def __len__(self) -> int:
        return len(self._by_id)

    def __iter__(self) -> Iterator[Delivery]:
        return iter(self._by_id.values())

    def get(self, id: str) -> Delivery | None:
        """The delivery of that id."""
        return self._by_id.get(id)

    def add(self, delivery: Delivery) -> None:
        """Keep a delivery."""
        self._by_id[delivery.id] = delivery


def check_metric(space: Workspace, operation: op.ReportMetric) -> Refused | None:
    """A metric names its delivery and itself."""
    for field, value in (("delivery_id", operation.delivery_id), ("metric", operation.metric)):
        if not value:
            return Refused("track.metric.field", "required", field, f"{field} is required")
    return None


def report_metric(space: Workspace, operation: op.ReportMetric, now: float, request: int) -> Outcome:
    """Note a metric on a delivery; unknown deliveries and metrics of other channels are accepted and dropped."""
    delivery = space.deliveries.get(operation.delivery_id)
    if delivery is None:
        return Ignored("delivery.unknown", f"there is no delivery {operation.delivery_id!r}")
    if operation.metric not in METRICS[delivery.type]:
        return Ignored("delivery.metric", f"{operation.metric!r} is no metric of {delivery.type}", delivery.person)
    at = int(now) if operation.timestamp is None else operation.timestamp
    if delivery.metrics.get(operation.metric) == at:
        return Ignored("delivery.unchanged", "this metric was reported before", delivery.person)
    delivery.metrics[operation.metric] = at
    detail: dict[str, Any] = {"delivery_id": delivery.id}
    detail |= {name: value for name in ("recipient", "reason", "href") if (value := getattr(operation, name))}
    space.log.add(f"{operation.metric}_{delivery.type}", now, delivery.person, request, detail=detail)
    return Applied(delivery.person)


def unsubscribe(space: Workspace, operation: op.Unsubscribe, now: float, request: int) -> Outcome:
    """Set the recipient's `unsubscribed`, and remember which delivery it came from."""
    delivery = space.deliveries.get(operation.delivery_id)
    person = space.people.get(delivery.person) if delivery is not None and delivery.person else None
    if delivery is None or person is None:
        return Ignored("delivery.unknown", f"there is no delivery {operation.delivery_id!r} of somebody who exists")
    if person.unsubscribed is operation.unsubscribe and delivery.unsubscribed is operation.unsubscribe:
        return Ignored("person.unchanged", "the person's subscription is so already", person.cio_id)
    space.write_attributes(person, {"unsubscribed": operation.unsubscribe}, now, request)
    delivery.unsubscribed = operation.unsubscribe
    if operation.unsubscribe:
        space.log.add("unsubscribed_email", now, person.cio_id, request, detail={"delivery_id": delivery.id})
    return Applied(person.cio_id)
