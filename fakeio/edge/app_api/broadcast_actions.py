"""App API, the messages of a broadcast: what one says, what came of it, and changing it.

An action here has one content, in no language of its own. Source: App API > Broadcasts > actions; which changes are
taken is as for transactional messages, and that a language is missing is told like a missing action is assumed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from fakeio.core.app_operations import EditAction
from fakeio.core.content import Action, Broadcast
from fakeio.core.outcomes import Outcome, Refused
from fakeio.core.workspace import Workspace
from fakeio.edge.app_api.broadcasts import action_document
from fakeio.edge.app_api.metrics import answer_metrics
from fakeio.edge.app_api.reading import bad_body, not_found, number_in_path, read
from fakeio.edge.app_api.table import app_route
from fakeio.edge.decode import Malformed, parse_object
from fakeio.edge.errors import APP_NOT_FOUND, app_json
from fakeio.edge.http import Reply
from fakeio.edge.work import Answered, Call, Work

_TEXTS = {"subject": "subject", "body": "body", "from": "from_"}

Named = tuple[int, int]  # a broadcast and one of its actions


def get_one(call: Call) -> Work | Answered:
    named = _named(call, "get_broadcast_action")
    return named if isinstance(named, Answered) else read(lambda state: _shown(state, named, "get_broadcast_action"))


def update(call: Call) -> Work | Answered:
    """Other texts for what is sent from now on."""
    operation = "update_broadcast_action"
    named, body = _named(call, operation), parse_object(call.request.body)
    if isinstance(named, Answered):
        return named
    if isinstance(body, Malformed):
        return bad_body(operation, "", body.why)
    given = {_TEXTS[name]: body[name] for name in _TEXTS if body.get(name) is not None}
    if not all(isinstance(text, str) for text in given.values()):
        return bad_body(operation, "", f"{', '.join(_TEXTS)} are texts")

    def answer(outcomes: Sequence[Outcome | None], state: Workspace) -> Reply | Answered:
        return APP_NOT_FOUND if isinstance(outcomes[0], Refused) else _shown(state, named, operation)

    return Work((EditAction(broadcast_id=named[0], action_id=named[1], changes=given),), answer)


def get_metrics(call: Call) -> Work | Answered:
    named = _existing(call, "get_broadcast_action_metrics")
    if isinstance(named, Answered):
        return named
    return answer_metrics(call, "get_broadcast_action_metrics", lambda one: (one.broadcast, one.action) == named)


def get_link_metrics(call: Call) -> Work | Answered:
    """No links are told apart here."""
    named = _existing(call, "get_broadcast_action_link_metrics")
    return named if isinstance(named, Answered) else read(lambda _: app_json({"links": []}))


def _language(operation: str) -> Callable[[Call], Work | Answered]:
    def find(call: Call) -> Work | Answered:
        named = _named(call, operation)
        if isinstance(named, Answered):
            return named
        return read(lambda _: not_found(operation, f"{call.segments[2]!r} of action {named[1]}"))

    return find


def _named(call: Call, operation: str) -> Named | Answered:
    broadcast_id, action_id = number_in_path(call, operation, 0), number_in_path(call, operation, 1)
    if isinstance(broadcast_id, Answered):
        return broadcast_id
    return action_id if isinstance(action_id, Answered) else (broadcast_id, action_id)


def _existing(call: Call, operation: str) -> Named | Answered:
    """As named in the path, if there is such an action: none is ever deleted, so it stays true."""
    named = _named(call, operation)
    if isinstance(named, Answered) or _find(call.hosted.state, named) is not None:
        return named
    return _no_action(operation, named)


def _find(state: Workspace, named: Named) -> tuple[Broadcast, Action] | None:
    broadcast = state.content.broadcasts.get(named[0])
    actions = broadcast.actions if broadcast is not None else []
    return next(((broadcast, one) for one in actions if broadcast is not None and one.id == named[1]), None)


def _shown(state: Workspace, named: Named, operation: str) -> Reply | Answered:
    found = _find(state, named)
    if found is None:
        return _no_action(operation, named)
    document: Mapping[str, Any] = {"action": action_document(*found)}
    return app_json(document)


def _no_action(operation: str, named: Named) -> Answered:
    return not_found(operation, f"action {named[1]} of a broadcast {named[0]}")


_ONE = "/v1/broadcasts/{broadcast_id}/actions/{action_id}"
_IN_LANGUAGE = f"{_ONE}/language/{{language}}"
_GET, _PUT = "get_broadcast_action_language", "update_broadcast_action_language"
ROUTES = (
    app_route("GET", _ONE, "get_broadcast_action", get_one, tier=3),
    app_route("PUT", _ONE, "update_broadcast_action", update, tier=3),
    app_route("GET", _IN_LANGUAGE, _GET, _language(_GET), tier=3, minimum=True),
    app_route("PUT", _IN_LANGUAGE, _PUT, _language(_PUT), tier=3, minimum=True),
    app_route("GET", f"{_ONE}/metrics", "get_broadcast_action_metrics", get_metrics, tier=3),
    app_route(
        "GET", f"{_ONE}/metrics/links", "get_broadcast_action_link_metrics", get_link_metrics, tier=3, minimum=True
    ),
)  # fmt: skip
