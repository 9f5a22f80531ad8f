"""App API, live notifications: a workspace of this fake does not have them enabled, and says so as documented.

A request that is malformed is told that first, as by a workspace that has them. Source: App API > Live notifications
(a feature of larger plans: 404 where it is not enabled).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from fakeio.core.outcomes import Refused
from fakeio.edge.app_api.reading import bad_body, bad_parameter, read
from fakeio.edge.app_api.table import app_route
from fakeio.edge.decode import Malformed, parse_object
from fakeio.edge.errors import APP_NOT_FOUND
from fakeio.edge.routing import Route
from fakeio.edge.work import Answered, Call, Work, refuse

_ULID = re.compile(r"[0-7][0-9A-HJKMNP-TV-Z]{25}\Z", re.ASCII)
_NAMES = ("id", "email", "phone", "internal")
_DISABLED = Refused("app.not_found", "not_found", "", "live notifications are not enabled for this workspace")

Wrong = tuple[str, str] | None  # a field and what is the matter with it


def _starting(body: Mapping[str, Any]) -> Wrong:
    named = body.get("identifiers")
    given = [name for name in _NAMES if named.get(name)] if isinstance(named, dict) else []
    if len(given) != 1:
        return "identifiers", f"exactly one of {', '.join(_NAMES)}"
    if not isinstance(body.get("notification_type"), str) or not body["notification_type"]:
        return "notification_type", "the identifier of a type"
    if body.get("platform") not in (None, "ios", "android"):
        return "platform", "ios or android"
    return _filled(body, "attributes") or _filled(body, "content_state") or _alert(body)


def _updating(body: Mapping[str, Any]) -> Wrong:
    return _instance(body) or _filled(body, "content_state") or _alert(body)


def _ending(body: Mapping[str, Any]) -> Wrong:
    return _instance(body) or _alert(body)


def _instance(body: Mapping[str, Any]) -> Wrong:
    named = body.get("instance_id")
    return None if isinstance(named, str) and _ULID.match(named) else ("instance_id", "a ULID")


def _filled(body: Mapping[str, Any], name: str) -> Wrong:
    return None if isinstance(body.get(name), dict) and body[name] else (name, "an object that is not empty")


def _alert(body: Mapping[str, Any]) -> Wrong:
    """An alert has a title and a body; on iOS a start has an alert."""
    pushed = {} if body.get("push_payload") is None else body["push_payload"]
    alert = pushed.get("alert") if isinstance(pushed, dict) else pushed
    if alert is None and body.get("platform") != "ios":
        return None
    whole = isinstance(alert, dict) and all(isinstance(alert.get(part), str) for part in ("title", "body"))
    return None if whole else ("push_payload.alert", "a title and a body")


def _route(word: str, wrong: Callable[[Mapping[str, Any]], Wrong]) -> Route:
    operation = f"{word}_live_notification"

    def judge(call: Call) -> Work | Answered:
        body = parse_object(call.request.body)
        if isinstance(body, Malformed):
            return bad_body(operation, "", body.why)
        found = wrong(body)
        return bad_body(operation, *found) if found is not None else _disabled(operation)

    return app_route("POST", f"/v1/live_notifications/{word}", operation, judge, tier=3, minimum=True)


def get_one(call: Call) -> Work | Answered:
    operation = "get_live_notification"
    if not _ULID.match(call.segments[0]):
        return bad_parameter(operation, "instance_id", "a ULID")
    return _disabled(operation)


def _disabled(operation: str) -> Work:
    return read(lambda _: refuse(operation, _DISABLED, APP_NOT_FOUND))


ROUTES = (
    _route("start", _starting),
    _route("update", _updating),
    _route("end", _ending),
    app_route(
        "GET", "/v1/live_notifications/{instance_id}", "get_live_notification", get_one, tier=3, minimum=True
    ),
)  # fmt: skip
