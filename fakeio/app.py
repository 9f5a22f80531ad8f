"""The application: every product route in one list, and what is needed to serve them.

The router, the table of what is covered and the documentation are all made from `ROUTES`. Product requests are found by
a walk over the raw path; Starlette serves the control API alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from starlette.types import ASGIApp

from fakeio.core.settings import CLIENT_TESTED, DOCUMENTED, RECORDED
from fakeio.edge import track_open, track_segments, track_v1, track_v2
from fakeio.edge.app_api import (
    activities,
    broadcast_actions,
    broadcasts,
    connections,
    content,
    customers,
    exports,
    imports,
    library,
    live_notifications,
    messages,
    metadata,
    minimum,
    newsletters,
    objects,
    preferences,
    segments,
    sends,
    suppressions,
    transactional,
    triggers,
    webhooks,
    workspaces,
)
from fakeio.edge.app_api.strictness import strictly
from fakeio.edge.asgi import ProductApp
from fakeio.edge.control import build_control
from fakeio.edge.exchange import Universe
from fakeio.edge.http import RawRequest
from fakeio.edge.published import entity_actions, not_imitated_routes
from fakeio.edge.registry import US, Options, Registry
from fakeio.edge.routing import APP, KEY, OPEN, TRACK, Route, Router
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


def _app(
    method: str, path: str, operation: str, handler: Handler, grade: str = DOCUMENTED, *, limited: bool = True
) -> Route:
    return Route(
        method=method, path=path, api=APP, operation=operation, grade=grade, tier=1, handler=handler, auth=KEY,
        limited=limited,
    )  # fmt: skip


_IMITATED: tuple[Route, ...] = (
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
    _app("GET", "/v1/customers", "find_by_email", customers.find_by_email, RECORDED),
    _app("POST", "/v1/customers", "search_people", customers.search_people, CLIENT_TESTED),
    _app("GET", "/v1/customers/{customer_id}/attributes", "get_attributes", customers.get_attributes),
    _app("GET", "/v1/customers/{customer_id}/segments", "list_segments_of_person", customers.list_segments),
    _app("GET", "/v1/segments", "list_segments", segments.list_all),
    _app("POST", "/v1/segments", "create_segment", segments.create),
    _app("GET", "/v1/segments/{segment_id}", "get_segment", segments.get_one),
    _app("DELETE", "/v1/segments/{segment_id}", "delete_segment", segments.delete),
    _app("GET", "/v1/segments/{segment_id}/customer_count", "count_segment", segments.count_members),
    _app("GET", "/v1/segments/{segment_id}/membership", "list_members", segments.list_members),
    _app("GET", "/v1/segments/{segment_id}/used_by", "get_segment_uses", segments.find_uses),
    _app("GET", "/v1/workspaces", "list_workspaces", workspaces.list_workspaces, limited=False),
    _app("POST", "/v1/customers/attributes", "get_attributes_of_many", customers.get_attributes_of_many),
    *activities.ROUTES,
    *connections.ROUTES,
    *preferences.ROUTES,
    *sends.ROUTES,
    *messages.ROUTES,
    *triggers.ROUTES,
    *broadcasts.ROUTES,
    *broadcast_actions.ROUTES,
    *transactional.ROUTES,
    *exports.ROUTES,
    *imports.ROUTES,
    *suppressions.ROUTES,
    *content.ROUTES,
    *objects.ROUTES,
    *webhooks.ROUTES,
    *metadata.ROUTES,
    *live_notifications.ROUTES,
    *newsletters.ROUTES,
    *library.ROUTES,
    *minimum.ROUTES,
)
ROUTES: tuple[Route, ...] = (*map(strictly, _IMITATED), *not_imitated_routes(_IMITATED), *entity_actions())
_ROUTER = Router(ROUTES)


def build_universe(
    options: Options | None = None, *, region: str = US, settings: Mapping[str, Any] | None = None,
    seed: Mapping[str, Any] | None = None,
) -> Universe:  # fmt: skip
    """A server's state with its default workspace; `settings` and `seed` are the default workspace's alone.

    Raises BadSetting and SeedError.
    """
    return Universe(Registry(options, region=region, settings=settings, seed=seed), _ROUTER)


def build_app(universe: Universe, *, host: str = "127.0.0.1", token: str | None = None) -> ASGIApp:
    """The ASGI app of one server: product routes and the control API. `host` and `token` guard the latter."""
    return ProductApp(universe, build_control(universe, routes=ROUTES, host=host, token=token))
