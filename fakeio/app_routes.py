"""Every product route in one list: the whole router, the table of what is covered and the documentation come from it.

Imports two dozen modules that no Track call needs. Whoever serves requests leaves that to the router, which asks for
`OTHER_ROUTES` with the first request that is no Track call; whoever wants the table imports `ROUTES`.
"""

from __future__ import annotations

from fakeio.app_track import TRACK_ROUTES
from fakeio.core.settings import CLIENT_TESTED, DOCUMENTED, RECORDED
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
from fakeio.edge.published import entity_actions, not_imitated_routes
from fakeio.edge.routing import APP, KEY, Route
from fakeio.edge.work import Handler


def _app(
    method: str, path: str, operation: str, handler: Handler, grade: str = DOCUMENTED, *, limited: bool = True
) -> Route:
    return Route(
        method=method, path=path, api=APP, operation=operation, grade=grade, tier=1, handler=handler, auth=KEY,
        limited=limited,
    )  # fmt: skip


_APP_ROUTES: tuple[Route, ...] = (
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
OTHER_ROUTES: tuple[Route, ...] = (
    *map(strictly, _APP_ROUTES),
    *not_imitated_routes((*TRACK_ROUTES, *_APP_ROUTES)),
    *entity_actions(),
)
ROUTES: tuple[Route, ...] = (*TRACK_ROUTES, *OTHER_ROUTES)
