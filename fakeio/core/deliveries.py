"""Deliveries: one message to one person, the metrics reported on it, and its unsubscribe link.

Nothing leaves this machine: deliveries are seeded, or made by sends and broadcasts (`sending.py`), and the Track API
reports what became of them. Source: Track API > Metrics, Unsubscribe; App API > Messages.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import msgspec

from fakeio.core.outcomes import Applied, Ignored, Outcome, Refused

if TYPE_CHECKING:  # the workspace imports this module
    from fakeio.core import operations as op
    from fakeio.core.workspace import Workspace

_FIRST_BYTES = b"D\xa6\xa5\x04\x05\x00"

METRICS: dict[str, frozenset[str]] = {
    "email": frozenset({"bounced", "clicked", "converted", "deferred", "delivered", "dropped", "opened", "spammed"}),
    "in_app": frozenset({"clicked", "converted", "opened"}),
    "push": frozenset({"converted", "delivered", "opened"}),
    "slack": frozenset({"clicked", "converted", "delivered", "opened"}),
    "sms": frozenset({"bounced", "clicked", "delivered", "opened"}),
    "whatsapp": frozenset({"bounced", "clicked", "converted", "delivered", "opened"}),
    "webhook": frozenset({"bounced", "clicked", "converted", "deferred", "delivered", "dropped", "opened", "spammed"}),
}


class Delivery(msgspec.Struct, omit_defaults=True):
    """One message. `person` is a cio_id; `metrics` map a metric's name to the Unix second it was reported for.

    `message` holds what was sent, by published field. `template`, `broadcast` and so on say where it comes from.
    """

    id: str
    type: str
    person: str | None
    created_at: int
    recipient: str = ""
    metrics: dict[str, int] = {}
    unsubscribed: bool = False
    subject: str = ""
    template: int | None = None
    content: int | None = None
    broadcast: int | None = None
    trigger: int | None = None
    action: int | None = None
    newsletter: int | None = None
    draft: bool = False
    failure: str | None = None
    to_unsubscribed: bool = True
    retained: bool = True
    message: dict[str, Any] = {}


class Deliveries:
    """The deliveries of a workspace, by id, in order of their making."""

    def __init__(self) -> None:
        self._by_id: dict[str, Delivery] = {}
        self._ids: list[str] = []  # by place, which counts from 1
        self._previous: list[int] = []  # by place: that of the same person's delivery before it, 0 for none
        self._newest: dict[str, int] = {}  # the place of each person's newest
        self.made = 0  # how many have been given an id here
        self._owned: set[str] | None = None  # those that are ours alone; None: all

    def fork(self) -> Deliveries:
        """The same for another workspace; from now on each of the two copies what it hands out."""
        other = Deliveries()
        other._by_id, other.made = self._by_id.copy(), self.made
        other._ids, other._previous, other._newest = self._ids.copy(), self._previous.copy(), self._newest.copy()
        self._owned, other._owned = set(), set()
        return other

    def __contains__(self, id: str) -> bool:
        return id in self._by_id

    def __len__(self) -> int:
        return len(self._by_id)

    def __iter__(self) -> Iterator[Delivery]:
        return iter(self._by_id.values())

    def get(self, id: str) -> Delivery | None:
        """The delivery of that id, which may be written to. Those met by iterating are only read."""
        found = self._by_id.get(id)
        if found is not None and self._owned is not None and id not in self._owned:
            self._owned.add(id)
            found = self._by_id[id] = msgspec.structs.replace(found, metrics=found.metrics.copy())
        return found

    def add(self, delivery: Delivery) -> None:
        """Keep a delivery whose id is new, and whose person never changes."""
        person = delivery.person or ""
        self._by_id[delivery.id] = delivery
        self._ids.append(delivery.id)
        self._previous.append(self._newest.get(person, 0))
        self._newest[person] = len(self._ids)
        if self._owned is not None:
            self._owned.add(delivery.id)

    def next_number(self, workspace_id: int) -> int:
        """A number whose id no delivery has."""
        self.made += 1
        while delivery_id(workspace_id, self.made) in self._by_id:  # a seed may have taken it
            self.made += 1
        return self.made

    def find(
        self, wanted: Callable[[Delivery], bool], below: int, limit: int, person: str | None = None
    ) -> tuple[list[Delivery], int]:
        """Newest first: at most `limit` of those wanted, and the place below which there are more (0: none).

        `below` is such a place, or 0 for the newest of all. Those that come meanwhile change no later page. With a
        `person` only that one's are looked at, however many there are of others.
        """
        found: list[Delivery] = []
        top = min(below or len(self._ids) + 1, len(self._ids) + 1)
        for place in range(top - 1, 0, -1) if person is None else self._places_of(person, top):
            delivery = self._by_id[self._ids[place - 1]]
            if wanted(delivery):
                if len(found) == limit:
                    return found, place + 1
                found.append(delivery)
        return found, 0

    def _places_of(self, person: str, top: int) -> Iterator[int]:
        """The places of a person's deliveries below `top`, which is usually right above one of them."""
        place = self._newest.get(person, 0)
        if 1 < top <= len(self._ids) and self._by_id[self._ids[top - 2]].person == person:
            place = top - 1
        while place:
            if place < top:
                yield place
            place = self._previous[place - 1]


def delivery_id(workspace_id: int, number: int) -> str:
    """An id of the vendor's shape that names one message of one workspace of this server."""
    return b64encode(_FIRST_BYTES + workspace_id.to_bytes(4, "big") + number.to_bytes(6, "big"), b"-_").decode("ascii")


def activity_type(metric: str, type_: str) -> str:
    """What the log calls a metric of a message: SMS go by the name of their carrier, and one word is misspelt."""
    word = f"{metric}_{'twilio' if type_ == 'sms' else type_}"
    return "dropped_whatasapp" if word == "dropped_whatsapp" else word


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
    space.log.add(activity_type(operation.metric, delivery.type), now, delivery.person, request, detail=detail)
    return Applied(delivery.person)


def unsubscribe(space: Workspace, operation: op.Unsubscribe, now: float, request: int) -> Outcome:
    """Set the recipient's `unsubscribed`, and count it among the delivery's metrics, where it stays."""
    delivery = space.deliveries.get(operation.delivery_id)
    person = space.people.get(delivery.person) if delivery is not None and delivery.person else None
    if delivery is None or person is None:
        return Ignored("delivery.unknown", f"there is no delivery {operation.delivery_id!r} of somebody who exists")
    if not operation.unsubscribe and space.settings.unsubscribe_false == "ignore":
        return Ignored("person.unchanged", "an unsubscribe link does not resubscribe", person.cio_id)
    if person.unsubscribed is operation.unsubscribe and delivery.unsubscribed is operation.unsubscribe:
        return Ignored("person.unchanged", "the person's subscription is so already", person.cio_id)
    space.write_attributes(person, {"unsubscribed": operation.unsubscribe}, now, request)
    delivery.unsubscribed = operation.unsubscribe
    if operation.unsubscribe:
        delivery.metrics["unsubscribed"] = int(now)
        space.log.add("unsubscribed_email", now, person.cio_id, request, detail={"delivery_id": delivery.id})
    return Applied(person.cio_id)
