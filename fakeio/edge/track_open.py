"""Calls that carry no credentials, placed by their delivery: metrics, push events, unsubscribe links. And forms.

Decides shapes; what a metric means is `core/deliveries.py`, what a form means `core/forms.py`.
Source: Track API > Metrics, Push events, Unsubscribe, Forms.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from fakeio.core.operations import ConnectForm, ReportMetric, SubmitForm, Unsubscribe
from fakeio.core.outcomes import Ignored, Outcome, Refused
from fakeio.core.workspace import Workspace
from fakeio.edge.decode import Malformed, parse_object
from fakeio.edge.errors import TRACK_NO_CONTENT, meta_error, meta_errors
from fakeio.edge.fields import text_or_number, whole_number
from fakeio.edge.http import RawRequest, Reply
from fakeio.edge.track_v1 import answer_with_errors, malformed
from fakeio.edge.work import Answered, Call, Settled, Work, refuse

_DELIVERY_ID = re.compile(r"[A-Za-z0-9+/_-]+={0,2}\Z", re.ASCII)


def delivery_in_body(request: RawRequest, segments: Sequence[str]) -> str | None:
    """The delivery that a metric is about, which is what places it in a workspace."""
    body = parse_object(request.body)
    return None if isinstance(body, Malformed) else text_or_number(body.get("delivery_id"))


def delivery_in_path(request: RawRequest, segments: Sequence[str]) -> str | None:
    """The delivery that an unsubscribe link is about."""
    return segments[0] if segments else None


def report_metric(call: Call) -> Work | Answered:
    body = parse_object(call.request.body)
    if isinstance(body, Malformed):
        return malformed("report_metric", body)
    return Work((_metric(body, "metric", "recipient"),), answer_with_errors)


def push_event(call: Call) -> Work | Answered:
    """The deprecated form for push; nothing in its body is required."""
    body = parse_object(call.request.body)
    if isinstance(body, Malformed):
        return malformed("report_metric", body)
    metric = _metric(body, "event", "device_id")
    if not metric.delivery_id or not metric.metric:
        nobody = Ignored("delivery.unknown", "no delivery is named")
        return Work((Settled("report_metric", nobody),), answer_with_errors)
    return Work((metric,), answer_with_errors)


def _metric(body: dict[str, Any], metric_key: str, recipient_key: str) -> ReportMetric:
    at = body.get("timestamp")
    return ReportMetric(
        delivery_id=text_or_number(body.get("delivery_id")) or "",
        metric=text_or_number(body.get(metric_key)) or "",
        timestamp=whole_number(at) if at is not None else None,
        recipient=text_or_number(body.get(recipient_key)) or "",
        reason=text_or_number(body.get("reason")) or "",
        href=text_or_number(body.get("href")) or "",
    )


def unsubscribe(call: Call) -> Work | Answered:
    """Strict about its content type, the only route that is."""
    content_type = call.request.header(b"content-type") or b""
    if content_type.partition(b";")[0].strip().lower() != b"application/json":
        return _bad_unsubscribe("content-type must be application/json", "content-type")
    if not _DELIVERY_ID.match(call.segments[0]):
        return _bad_unsubscribe("delivery_id is not one", "delivery_id")
    body = parse_object(call.request.body)
    if isinstance(body, Malformed):
        return malformed("unsubscribe", body)
    wanted = body.get("unsubscribe")
    if not isinstance(wanted, bool):
        return _bad_unsubscribe("unsubscribe must be true or false", "unsubscribe")
    return Work((Unsubscribe(delivery_id=call.segments[0], unsubscribe=wanted),), answer_with_errors)


def _bad_unsubscribe(message: str, field: str) -> Answered:
    return refuse("unsubscribe", Refused("track.unsubscribe", "invalid", field, message), meta_error(message))


def submit_form(call: Call) -> Work | Answered:
    """204, and the form is connected whatever becomes of the submission."""
    connect = ConnectForm(form_id=call.segments[0])
    body = parse_object(call.request.body)
    data = None if isinstance(body, Malformed) else body.get("data")
    if not isinstance(data, dict):
        refused = Refused("track.form", "required", "data", "form data must be an object")
        return Work((connect, Settled("submit_form", refused)), _answer_form)
    return Work((connect, SubmitForm(form_id=call.segments[0], data=data)), _answer_form)


def _answer_form(outcomes: Sequence[Outcome | None], state: Workspace) -> Reply:
    for outcome in outcomes:
        if isinstance(outcome, Refused):
            return meta_errors(outcome)
    return TRACK_NO_CONTENT
