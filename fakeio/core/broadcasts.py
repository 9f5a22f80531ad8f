"""Broadcasts that an API triggers: who is meant, what is wrong with the list, and one delivery a person.

A trigger whose list has errors is kept with them and sends nothing; nobody is ever created. Shapes of a request are the
edge's business. Source: App API > Broadcasts > trigger.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from fakeio.core.app_operations import Audience, Recipient, TriggerBroadcast
from fakeio.core.content import EMAIL, PUSH, Broadcast, Trigger
from fakeio.core.deliveries import Delivery, delivery_id
from fakeio.core.filters import Filter, parse_filter, search
from fakeio.core.identifiers import EMAIL as EMAIL_KIND
from fakeio.core.outcomes import Applied, Outcome, Refused
from fakeio.core.people import Person
from fakeio.core.sending import post

if TYPE_CHECKING:  # the workspace imports this module
    from fakeio.core.workspace import Workspace

BROADCAST = "broadcast"
_SEVERAL = "several profiles have this email"
_NOBODY = "no profile has this"

Meant = list[tuple[str, dict[str, Any]]]  # cio_id, and data for that person alone


def check_trigger(space: Workspace, operation: TriggerBroadcast) -> Refused | None:
    """A broadcast exists."""
    if space.content.broadcasts.get(operation.broadcast_id) is None:
        return Refused("app.not_found", "invalid", "", f"broadcast with id {operation.broadcast_id} does not exist")
    return None


def trigger(space: Workspace, operation: TriggerBroadcast, now: float, request: int) -> Outcome:
    """Number the trigger, look everybody up, and send after a while; `result` is the trigger's number."""
    broadcast = space.content.broadcasts.get(operation.broadcast_id)
    assert broadcast is not None, "the check before has refused"
    made = Trigger(id=len(broadcast.triggers) + 1, created_at=int(now))
    broadcast.triggers = [*broadcast.triggers, made]
    audience = operation.audience
    meant, errors = _look_up(space, audience)
    if errors:
        made.errors, made.processed_at = errors, int(now)
        message = (
            "Errors were found while processing per user data (ids, emails or json data). "
            f"More detail available from the errors endpoint for trigger {made.id}"
        )
        return Refused("app.broadcast.people", "invalid", "/data/attributes/per_user_data", message)
    key = f"{broadcast.id}:{made.id}"
    listed = meant if audience.recipients is not None else None
    space.content.waiting[key] = (audience.filter, listed, operation.data)
    space.agenda.add(now + space.settings.broadcast_s, BROADCAST, key)
    return Applied(result=made.id)


def _look_up(space: Workspace, audience: Audience) -> tuple[Meant, list[str]]:
    """The people of a list and what is wrong with it, line by line."""
    meant: Meant = []
    errors = list(audience.problems)
    for recipient in audience.recipients or ():
        found, why = _people_of(space, recipient, audience)
        meant += [(person.cio_id, recipient.data) for person in found]
        if why:
            errors.append(f"line {recipient.line}: {why}")
    return meant, errors


def _people_of(space: Workspace, recipient: Recipient, audience: Audience) -> tuple[list[Person], str]:
    ref = recipient.ref
    if ref is None:
        return [], "an entry names its person by id or email"
    if ref.kind == EMAIL_KIND:
        found = space.people.by_email(ref.value)
        if len(found) > 1 and not audience.email_add_duplicates:
            return [], f"{_SEVERAL}: {ref.value}"
        missing_is_fine = audience.email_ignore_missing
    else:
        person = space.people.find(ref)
        found = [] if person is None else [person]
        missing_is_fine = audience.id_ignore_missing
    return found, "" if found or missing_is_fine else f"{_NOBODY} {ref.kind}: {ref.value}"


def process(space: Workspace, key: str | int, now: float) -> None:
    """Make one delivery a person; whoever is gone by now gets none."""
    broadcast_id, _, trigger_id = str(key).partition(":")
    broadcast = space.content.broadcasts.get(int(broadcast_id))
    waiting = space.content.waiting.pop(str(key), None)
    if broadcast is None or waiting is None:
        return
    wanted, listed, data = waiting
    people = _audience_of(space, broadcast, wanted) if listed is None else _still_there(space, listed)
    for person, own in people:
        _deliver(space, broadcast, int(trigger_id), person, {**data, **own}, now)
    next(one for one in broadcast.triggers if one.id == int(trigger_id)).processed_at = int(now)


def _still_there(space: Workspace, listed: Meant) -> Iterator[tuple[Person, dict[str, Any]]]:
    for cio_id, own in listed:
        person = space.people.get(cio_id)
        if person is not None:
            yield person, own


def _audience_of(
    space: Workspace, broadcast: Broadcast, wanted: Filter | None
) -> Iterable[tuple[Person, dict[str, Any]]]:
    if wanted is None and broadcast.recipients is not None:
        own = parse_filter(broadcast.recipients)
        assert isinstance(own, Filter), "the seed was checked"
        wanted = own
    if wanted is None:
        return [(person, {}) for person in space.people.iter_after(0)]
    return [(person, {}) for person in search(space.people, space.segments, wanted, 0, len(space.people))]


def _deliver(
    space: Workspace, broadcast: Broadcast, trigger_id: int, person: Person, data: dict[str, Any], now: float
) -> None:
    action = broadcast.actions[0]
    number = space.deliveries.next_number(space.id)
    fields = {"subject": action.subject, "body": action.body, "from": action.from_, "message_data": data}
    delivery = Delivery(
        id=delivery_id(space.id, number), type=action.type, person=person.cio_id, created_at=int(now),
        recipient=address_of(person, action.type), metrics={"created": int(now)}, subject=action.subject,
        broadcast=broadcast.id, trigger=trigger_id, action=action.id, to_unsubscribed=False,
        message={name: value for name, value in fields.items() if value},
    )  # fmt: skip
    post(space, delivery, now, 0)


def address_of(person: Person, channel: str) -> str:
    """Where a message of that channel goes; empty for somebody who has no such address."""
    if channel == EMAIL:
        return person.email or ""
    return "all" if channel == PUSH else str(person.attributes.get("phone") or "")
