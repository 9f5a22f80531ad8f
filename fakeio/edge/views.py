"""State as the control API and the Python interface show it: plain JSON values, types kept, nothing left out.

The App API stringifies attributes because the real one does; this does not. Callers hold the workspace's lock.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import msgspec

from fakeio.core.activities import Activity, Event

if TYPE_CHECKING:
    from fakeio.core.deliveries import Delivery
    from fakeio.core.objects import Object
    from fakeio.core.people import Person
    from fakeio.core.segments import Segment
    from fakeio.core.suppression import Suppression
    from fakeio.core.workspace import Workspace
    from fakeio.edge.registry import HostedWorkspace


@contextmanager
def up_to_date(hosted: HostedWorkspace) -> Iterator[HostedWorkspace]:
    """Hold the workspace's lock, and begin with everything done that was due by now: a look changes nothing else."""
    with hosted.lock:
        hosted.state.sweep(hosted.clock.now())
        yield hosted


def workspace_view(hosted: HostedWorkspace) -> dict[str, Any]:
    """The workspace and its credentials."""
    credentials = hosted.credentials
    return {
        "id": hosted.state.id,
        "name": hosted.state.name,
        "region": hosted.state.region,
        "account": hosted.account,
        "site_id": credentials.site_id,
        "track_api_key": credentials.track_api_key,
        "app_api_key": credentials.app_api_key,
        "pipelines_write_key": credentials.pipelines_write_key,
        "service_token": credentials.service_token,
        "webhook_signing_key": credentials.webhook_signing_key,
    }


def person_view(person: Person) -> dict[str, Any]:
    return {
        "cio_id": person.cio_id,
        "id": person.id,
        "email": person.email,
        "attributes": dict(person.attributes),
        "devices": [
            {"token": d.token, "platform": d.platform, "last_used": d.last_used, "attributes": dict(d.attributes)}
            for d in person.devices.values()
        ],
        "segments": sorted(person.segments),
        "unsubscribed": person.unsubscribed,
        "created_at": int(person.created_at),
    }


def identifiers_view(space: Workspace, cio_id: str | None) -> dict[str, Any] | None:
    """Who that is, in brief; None for nobody. Somebody deleted since keeps the cio_id alone."""
    if cio_id is None:
        return None
    person = space.people.peek(cio_id)
    known = (None, None) if person is None else (person.id, person.email)
    return {"id": known[0], "email": known[1], "cio_id": cio_id}


def event_view(space: Workspace, event: Event) -> dict[str, Any]:
    return {
        "event_id": event.event_id,
        "type": event.type,
        "name": event.name,
        "data": msgspec.json.decode(event.data),
        "timestamp": event.timestamp,
        "person": identifiers_view(space, event.person),
        "anonymous_id": event.anonymous_id,
        "received_at": event.received_at,
    }


def segment_view(segment: Segment) -> dict[str, Any]:
    return {
        "id": segment.id,
        "name": segment.name,
        "description": segment.description,
        "type": segment.type,
        "state": segment.state,
        "progress": segment.progress,
        "conditions": segment.conditions,
        "count": segment.count,
        "created_at": segment.created_at,
        "updated_at": segment.updated_at,
    }


def activity_view(space: Workspace, activity: Activity) -> dict[str, Any]:
    """A line of the log. `request` is the number on the tape of what caused it, 0 for a seed.

    An event says whether it may trigger campaigns, and by which rule not.
    """
    event = {} if not isinstance(activity, Event) else {
        "can_trigger_campaigns": not activity.no_trigger, "no_trigger": activity.no_trigger or None,
    }  # fmt: skip
    return {
        "id": activity.id,
        "type": activity.type,
        "at": activity.at,
        "person": identifiers_view(space, activity.person),
        "name": getattr(activity, "name", None),
        "data": activity.info,
        "request": activity.request,
        **event,
    }


def object_view(space: Workspace, found: Object) -> dict[str, Any]:
    return {
        "object_type_id": found.type_id,
        "object_id": found.object_id,
        "cio_object_id": found.cio_object_id,
        "attributes": dict(found.attributes),
        "relationships": [
            {**(identifiers_view(space, cio_id) or {}), "attributes": dict(link.attributes)}
            for cio_id, link in found.people.items()
        ],
    }


def delivery_view(space: Workspace, delivery: Delivery) -> dict[str, Any]:
    """A message, every field by the name that a seed gives it; `message` holds what was sent, by published field.

    `metrics` map a metric to the Unix second it was reported for. Where it comes from is said by number: a template and
    its content, or a broadcast, its trigger and its action.
    """
    shown = {"person": identifiers_view(space, delivery.person), "metrics": dict(delivery.metrics)}
    return {**msgspec.structs.asdict(delivery), **shown}


def suppression_view(suppression: Suppression) -> dict[str, Any]:
    return {
        "identifiers": [{"type": ref.kind, "value": ref.value} for ref in suppression.identifiers],
        "at": suppression.at,
        "request": suppression.request,
    }
