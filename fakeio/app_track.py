"""The routes of the Track API: what nearly every program calls, and all that a server loads before it listens.

Those of the other products are in `app_routes.py`, which the first request for one of them loads.
"""

from __future__ import annotations

from collections.abc import Callable

from fakeio.core.settings import CLIENT_TESTED, DOCUMENTED, RECORDED
from fakeio.edge import track_open, track_segments, track_v1, track_v2
from fakeio.edge.http import RawRequest
from fakeio.edge.routing import OPEN, TRACK, Route
from fakeio.edge.work import Handler

_PERSON = "/api/v1/customers/{identifier}"
_SEGMENT = "/api/v1/segments/{segment_id}"


def _track(
    method: str, path: str, operation: str, handler: Handler, grade: str, *, anywhere: bool = False, blank: bool = False
) -> Route:
    return Route(
        method=method, path=path, api=TRACK, operation=operation, grade=grade, tier=1, handler=handler,
        anywhere=anywhere, blank_segment=blank,
    )  # fmt: skip


def _open(
    path: str, operation: str, handler: Handler, delivery: Callable[[RawRequest, list[str]], str | None],
    grade: str = DOCUMENTED,
) -> Route:  # fmt: skip
    return Route(
        method="POST", path=path, api=TRACK, operation=operation, grade=grade, tier=2, handler=handler, auth=OPEN,
        delivery=delivery, anywhere=True,
    )  # fmt: skip


TRACK_ROUTES: tuple[Route, ...] = (
    _track("GET", "/auth", "check_credentials", track_v1.check_credentials, RECORDED),
    _track("GET", "/api/v1/accounts/region", "find_region", track_v1.find_region, DOCUMENTED, anywhere=True),
    _track("PUT", _PERSON, "identify", track_v1.identify, RECORDED, blank=True),
    _track("DELETE", _PERSON, "delete_person", track_v1.delete_person, RECORDED),
    _track("POST", f"{_PERSON}/events", "record_event", track_v1.record_event, RECORDED),
    _track("POST", "/api/v1/events", "record_event", track_v1.record_anonymous_event, RECORDED),
    _track("PUT", f"{_PERSON}/devices", "add_device", track_v1.add_device, RECORDED),
    _track("DELETE", f"{_PERSON}/devices/{{device_id}}", "remove_device", track_v1.remove_device, RECORDED),
    _track("POST", f"{_PERSON}/suppress", "suppress", track_v1.suppress, RECORDED),
    _track("POST", f"{_PERSON}/unsuppress", "unsuppress", track_v1.unsuppress, RECORDED),
    _track("POST", "/api/v1/merge_customers", "merge", track_v1.merge_people, DOCUMENTED),
    _track("POST", f"{_SEGMENT}/add_customers", "join_segment", track_segments.add_customers, RECORDED),
    _track("POST", f"{_SEGMENT}/remove_customers", "leave_segment", track_segments.remove_customers, RECORDED),
    _track("POST", "/api/v1/forms/{form_id}/submit", "submit_form", track_open.submit_form, DOCUMENTED),
    _open("/api/v1/metrics", "report_metric", track_open.report_metric, track_open.delivery_in_body),
    _open("/api/v1/push/events", "report_metric", track_open.push_event, track_open.delivery_in_body),
    _open("/push/events", "report_metric", track_open.push_event, track_open.delivery_in_body, CLIENT_TESTED),
    _open("/unsubscribe/{delivery_id}", "unsubscribe", track_open.unsubscribe, track_open.delivery_in_path),
    _track("POST", "/api/v2/entity", "entity", track_v2.entity, DOCUMENTED),
    _track("POST", "/api/v2/batch", "batch", track_v2.batch, RECORDED),
)
