"""Newsletters: one message to whoever matches a filter, at once or at a time, and once only.

A draft waits until it is sent or scheduled; scheduling again replaces the time. Rates at which the vendor would spread
a newsletter are not imitated: everybody gets it at its time. Source: App API > Newsletters.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import structs

from fakeio.core.app_operations import CreateNewsletter, DeleteNewsletter, ScheduleNewsletter
from fakeio.core.broadcasts import address_of
from fakeio.core.content import Newsletter
from fakeio.core.deliveries import Delivery, delivery_id
from fakeio.core.filters import Filter, parse_filter, search
from fakeio.core.outcomes import Applied, Outcome, Refused
from fakeio.core.people import Person
from fakeio.core.sending import post
from fakeio.core.subscriptions import is_subscribed

if TYPE_CHECKING:  # the workspace imports this module
    from fakeio.core.workspace import Workspace

NEWSLETTER = "newsletter"
# as published: as deliveries call it
CHANNELS = {
    "email": "email", "webhook": "webhook", "twilio": "sms", "push": "push", "in_app": "in_app", "inbox": "in_app",
}  # fmt: skip


def check_newsletter(space: Workspace, operation: DeleteNewsletter | ScheduleNewsletter) -> Refused | None:
    """There is such a newsletter; one that was sent is not sent again."""
    found = space.content.newsletters.get(operation.newsletter_id)
    if found is None:
        return Refused("app.not_found", "not_found", "", f"there is no newsletter {operation.newsletter_id}")
    if isinstance(operation, ScheduleNewsletter) and found.sent_at is not None:
        return Refused("app.body", "invalid", "", "the newsletter has been sent already")
    return None


def create_newsletter(space: Workspace, operation: CreateNewsletter, now: float, request: int) -> Outcome:
    """Keep it, and promise to send it if a time was said; `result` is its number."""
    # a copy: an operation is never changed
    newsletter = structs.replace(operation.newsletter, created_at=int(now), updated_at=int(now))
    made = space.content.newsletters.add(newsletter)
    if operation.send_now or made.scheduled_at is not None:
        _promise(space, made, None if operation.send_now else made.scheduled_at, now)
    return Applied(result=made.id)


def schedule_newsletter(space: Workspace, operation: ScheduleNewsletter, now: float, request: int) -> Outcome:
    """Send it at a time (None: now) instead of at any other that was said before."""
    found = space.content.newsletters.get(operation.newsletter_id)
    assert found is not None, "the check before has refused"
    _promise(space, found, operation.at, now)
    found.updated_at = int(now)
    return Applied(result=found.id)


def delete_newsletter(space: Workspace, operation: DeleteNewsletter, now: float, request: int) -> Outcome:
    """What was sent stays sent; what waits for its time is never sent."""
    space.content.newsletters.remove(operation.newsletter_id)
    return Applied()


def promise_seeded(space: Workspace, now: float) -> None:
    """Promise to send what a seed has scheduled; a time gone by is now."""
    for newsletter in list(space.content.newsletters):
        if newsletter.scheduled_at is not None and newsletter.sent_at is None:
            found = space.content.newsletters.get(newsletter.id)
            assert found is not None, "it is among them"
            _promise(space, found, found.scheduled_at, now)


def _promise(space: Workspace, newsletter: Newsletter, at: int | None, now: float) -> None:
    due = now if at is None else max(now, at)
    newsletter.scheduled_at = int(due)
    space.agenda.add(due, NEWSLETTER, newsletter.id)


def process(space: Workspace, key: str | int, now: float) -> None:
    """Send one that is due, unless it was deleted, sent or given another time meanwhile."""
    newsletter = space.content.newsletters.get(int(key))
    if newsletter is None or newsletter.sent_at is not None or newsletter.scheduled_at != int(now):
        return
    newsletter.sent_at = int(now)
    wanted = parse_filter(newsletter.recipients)
    assert isinstance(wanted, Filter), "it was checked when the newsletter was made"
    for person in search(space.people, space.segments, wanted, 0, len(space.people)):
        if _is_meant(space, newsletter, person):
            _deliver(space, newsletter, person, now)


def _is_meant(space: Workspace, newsletter: Newsletter, person: Person) -> bool:
    topic = space.content.topics.get(newsletter.subscription_topic_id or 0)
    return topic is None or is_subscribed(person, topic)


def _deliver(space: Workspace, newsletter: Newsletter, person: Person, now: float) -> None:
    channel = CHANNELS[newsletter.type]
    fields = {"subject": newsletter.subject, "body": newsletter.body, "from": newsletter.from_}
    delivery = Delivery(
        id=delivery_id(space.id, space.deliveries.next_number(space.id)), type=channel, person=person.cio_id,
        created_at=int(now), recipient=address_of(person, channel), metrics={"created": int(now)},
        subject=newsletter.subject, newsletter=newsletter.id, to_unsubscribed=False,
        message={name: value for name, value in fields.items() if value},
    )  # fmt: skip
    post(space, delivery, now, 0)
