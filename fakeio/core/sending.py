"""Messages on their way: from a delivery that waits for its time to one that was sent, or that says why not.

Shared by transactional sends and broadcasts. Nothing leaves this machine; what the recipient does afterwards is
reported through the Track API. Source: App API > Messages, ESP suppression; what stands in the way of a message is
assumed where the vendor's pages only name the metric.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fakeio.core.deliveries import Delivery, activity_type
from fakeio.core.people import Person

if TYPE_CHECKING:  # the workspace imports this module
    from fakeio.core.workspace import Workspace

SEND = "send"


def post(space: Workspace, delivery: Delivery, now: float, request: int, send_at: float | None = None) -> None:
    """Keep a new delivery, and send it at its time unless it is a draft."""
    space.deliveries.add(delivery)
    if delivery.draft:
        _note(space, delivery, "drafted", now, request)
    else:
        space.agenda.add(max(now, send_at or 0), SEND, delivery.id)


def send(space: Workspace, delivery_id: str | int, now: float) -> None:
    """Send one that is due."""
    delivery = space.deliveries.get(str(delivery_id))
    if delivery is None:
        return
    _note(space, delivery, "attempted", now, 0)
    metric, why = obstacle(space, delivery)
    delivery.failure = why
    _note(space, delivery, metric, now, 0)


def obstacle(space: Workspace, delivery: Delivery) -> tuple[str, str | None]:
    """The metric that sending ends with, and what went wrong, if anything."""
    person = space.people.get(delivery.person) if delivery.person else None
    if delivery.type == "email" and space.addresses.lists_of(delivery.recipient):
        return "dropped", "the mail provider suppresses this address"
    if delivery.type in ("email", "sms") and not delivery.recipient:
        return "undeliverable", "the person has no address of this kind"
    if person is not None and person.unsubscribed and not delivery.to_unsubscribed:
        return "undeliverable", "the person is unsubscribed"
    if delivery.type == "push" and not _has_device(person, delivery):
        return "undeliverable", "the person has no such device"
    return "sent", None


def _has_device(person: Person | None, delivery: Delivery) -> bool:
    if person is None:
        return False
    if delivery.recipient in ("", "all", "last_used"):
        return bool(person.devices)
    return delivery.recipient in person.devices


def _note(space: Workspace, delivery: Delivery, metric: str, now: float, request: int) -> None:
    delivery.metrics[metric] = int(now)
    detail = {"delivery_id": delivery.id}
    space.log.add(activity_type(metric, delivery.type), now, delivery.person, request, detail=detail)
