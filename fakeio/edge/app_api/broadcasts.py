"""App API, reading broadcasts: what they are, when they were triggered, what went wrong, and what came of them.

Broadcasts are seeded; the API can't make one. Source: App API > Broadcasts.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fakeio.core.content import Action, Broadcast, Trigger
from fakeio.core.limits import SEARCH_PAGE
from fakeio.core.workspace import Workspace
from fakeio.edge.app_api.messages import answer_messages
from fakeio.edge.app_api.metrics import answer_metrics
from fakeio.edge.app_api.reading import bad_parameter, not_found, number_in_path, page_size, query, read
from fakeio.edge.app_api.table import app_route
from fakeio.edge.errors import app_json
from fakeio.edge.fields import whole_number
from fakeio.edge.http import Reply
from fakeio.edge.work import Answered, Call, Work

_ERRORS_PAGE = 100


def broadcast_document(broadcast: Broadcast) -> dict[str, Any]:
    """One broadcast as published."""
    return {
        "id": broadcast.id,
        "deduplicate_id": f"{broadcast.id}:{broadcast.updated_at}",
        "name": broadcast.name,
        "type": broadcast.type,
        "created": broadcast.created_at,
        "updated": broadcast.updated_at,
        "active": broadcast.active,
        "state": broadcast.state,
        "actions": [{"id": action.id, "type": action.type} for action in broadcast.actions],
        "first_started": broadcast.triggers[0].created_at if broadcast.triggers else 0,
        "tags": broadcast.tags,
    }


def trigger_document(broadcast: Broadcast, trigger: Trigger) -> dict[str, Any]:
    """One trigger; it has no `processed_at` until it was processed."""
    document = {"id": trigger.id, "broadcast_id": broadcast.id, "created_at": trigger.created_at}
    return document if trigger.processed_at is None else {**document, "processed_at": trigger.processed_at}


def action_document(broadcast: Broadcast, action: Action) -> dict[str, Any]:
    """One message of a broadcast."""
    return {
        "id": action.id,
        "broadcast_id": broadcast.id,
        "deduplicate_id": f"{action.id}:{broadcast.updated_at}",
        "name": action.name,
        "type": action.type,
        "created": broadcast.created_at,
        "updated": broadcast.updated_at,
        "subject": action.subject,
        "body": action.body,
        "from": action.from_,
    }


def list_all(call: Call) -> Work:
    return read(lambda state: app_json({"broadcasts": [broadcast_document(one) for one in state.content.broadcasts]}))


def get_one(call: Call) -> Work | Answered:
    return _read_one(call, "get_broadcast", lambda one: app_json({"broadcast": broadcast_document(one)}))


def list_triggers(call: Call) -> Work | Answered:
    return _read_one(
        call, "list_triggers",
        lambda one: app_json({"triggers": [trigger_document(one, each) for each in one.triggers]}),
    )  # fmt: skip


def list_actions(call: Call) -> Work | Answered:
    return _read_one(
        call, "list_broadcast_actions",
        lambda one: app_json({"actions": [action_document(one, action) for action in one.actions]}),
    )  # fmt: skip


def list_messages(call: Call) -> Work | Answered:
    broadcast_id = _existing(call, "list_broadcast_messages")
    if isinstance(broadcast_id, Answered):
        return broadcast_id
    return answer_messages(call, "list_broadcast_messages", lambda one: one.broadcast == broadcast_id)


def get_metrics(call: Call) -> Work | Answered:
    broadcast_id = _existing(call, "get_broadcast_metrics")
    if isinstance(broadcast_id, Answered):
        return broadcast_id
    return answer_metrics(call, "get_broadcast_metrics", lambda one: one.broadcast == broadcast_id)


def get_link_metrics(call: Call) -> Work | Answered:
    """No links are told apart here."""
    return _read_one(call, "get_broadcast_link_metrics", lambda _: app_json({"links": []}))


def get_trigger(call: Call) -> Work | Answered:
    return _read_trigger(call, "get_trigger", lambda one, trigger: app_json(trigger_document(one, trigger)))


def list_errors(call: Call) -> Work | Answered:
    """A page of error lines. Unlike elsewhere `start` and `next` are offsets; 0 is the end."""
    operation = "list_trigger_errors"
    size = page_size(call, operation, _ERRORS_PAGE, SEARCH_PAGE)
    if isinstance(size, Answered):
        return size
    start = whole_number(query(call).get("start") or "0")
    if start is None or start < 0:
        return bad_parameter(operation, "start", "a whole number of at least 0")

    def show(broadcast: Broadcast, trigger: Trigger) -> Reply:
        end = start + size
        return app_json({"errors": trigger.errors[start:end], "next": end if len(trigger.errors) > end else 0})

    return _read_trigger(call, operation, show)


def _existing(call: Call, operation: str) -> int | Answered:
    """The number in the path, if there is such a broadcast: none is ever deleted, so it stays true."""
    broadcast_id = number_in_path(call, operation, 0)
    if isinstance(broadcast_id, Answered) or call.hosted.state.content.broadcasts.get(broadcast_id) is not None:
        return broadcast_id
    return not_found(operation, f"broadcast {broadcast_id}")


def _read_one(call: Call, operation: str, show: Callable[[Broadcast], Reply]) -> Work | Answered:
    broadcast_id = number_in_path(call, operation, 0)
    if isinstance(broadcast_id, Answered):
        return broadcast_id

    def find(state: Workspace) -> Reply | Answered:
        broadcast = state.content.broadcasts.get(broadcast_id)
        return not_found(operation, f"broadcast {broadcast_id}") if broadcast is None else show(broadcast)

    return read(find)


def _read_trigger(call: Call, operation: str, show: Callable[[Broadcast, Trigger], Reply]) -> Work | Answered:
    broadcast_id, trigger_id = number_in_path(call, operation, 0), number_in_path(call, operation, 1)
    if isinstance(broadcast_id, Answered):
        return broadcast_id
    if isinstance(trigger_id, Answered):
        return trigger_id

    def find(state: Workspace) -> Reply | Answered:
        broadcast = state.content.broadcasts.get(broadcast_id)
        found = [one for one in broadcast.triggers if one.id == trigger_id] if broadcast is not None else []
        if broadcast is None or not found:
            return not_found(operation, f"trigger {trigger_id} of a broadcast {broadcast_id}")
        return show(broadcast, found[0])

    return read(find)


_ONE = "/v1/broadcasts/{broadcast_id}"
_TRIGGER = "/v1/campaigns/{broadcast_id}/triggers/{trigger_id}"
ROUTES = (
    app_route("GET", _TRIGGER, "get_trigger", get_trigger),
    app_route("GET", f"{_TRIGGER}/errors", "list_trigger_errors", list_errors),
    app_route("GET", "/v1/broadcasts", "list_broadcasts", list_all),
    app_route("GET", _ONE, "get_broadcast", get_one),
    app_route("GET", f"{_ONE}/triggers", "list_triggers", list_triggers),
    app_route("GET", f"{_ONE}/messages", "list_broadcast_messages", list_messages, tier=3),
    app_route("GET", f"{_ONE}/metrics", "get_broadcast_metrics", get_metrics, tier=3),
    app_route("GET", f"{_ONE}/metrics/links", "get_broadcast_link_metrics", get_link_metrics, tier=3, minimum=True),
    app_route("GET", f"{_ONE}/actions", "list_broadcast_actions", list_actions, tier=3),
)
