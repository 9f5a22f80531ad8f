"""What answers when no imitated route does: each product's own way of saying that it does not know the way.

Track answers 404 with a directory of its service (recorded 2015), the App API 404 or, for a known path with another
method and for misspelt sends, 405. A route that exists but is not imitated here answers the same, and the tape says
why. Source: Track API > unknown routes; App API > Error shapes.
"""

from __future__ import annotations

from fakeio.core.outcomes import Refused
from fakeio.core.settings import ASSUMED, DOCUMENTED, RECORDED
from fakeio.edge.errors import APP_NOT_FOUND, APP_WRONG_METHOD, meta_error, pretty, send_error, track_directory
from fakeio.edge.http import Reply
from fakeio.edge.regions import Gate
from fakeio.edge.routing import APP, KEY, OPEN, PIPELINES, SEND, TRACK, Found, Route, Router
from fakeio.edge.work import Answered, Handler, Settled, Work, refuse

GREETING = "Welcome to Customer.io's edge event collection service. Enjoy your stay."

_NAME = "name - string (required) - name of the event to record"
_DATA = "data - hash - hash of attributes specific to the event"
_DELIVERY = "delivery_id - string (required) - the delivery it is about"
_ENDPOINTS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("POST /api/v1/events", "Records events", (_NAME, _DATA)),
    ("POST /api/v1/customers/{customer_id}/events", "Records events of one customer", (_NAME, _DATA)),
    ("PUT /api/v1/customers/{customer_id}", "Creates or updates a customer", ("any attribute of the customer",)),
    ("DELETE /api/v1/customers/{customer_id}", "Deletes a customer", ()),
    ("GET /auth", "Validates HTTP Basic auth credentials.", ()),
    ("GET /unsubscribe/{delivery_id}", "Unsubscribes whoever got a delivery", (_DELIVERY,)),
    ("POST /unsubscribe/{delivery_id}", "Unsubscribes whoever got a delivery", (_DELIVERY,)),
    ("GET /unsubscribe", "Confirms an unsubscribe", ()),
    ("GET /e/c/{payload}", "Follows a tracked link", ()),
    ("GET /e/c/{payload}/{token}", "Follows a tracked link", ()),
    ("GET /e/o/{payload}", "Counts an opened message", ()),
    ("GET /events/identify.gif", "Identifies by image", ()),
    ("GET /events/page.gif", "Records a page view by image", ()),
    ("GET /events/event.gif", "Records an event by image", ()),
    ("GET /deliveries/{delivery_id}", "Shows a delivery", (_DELIVERY,)),
    ("POST /sendgrid/events", "Takes a mail provider's events", ()),
    ("POST /mandrill/events", "Takes a mail provider's events", ()),
    ("POST /mailgun/events", "Takes a mail provider's events", ()),
    ("POST /stripe/events", "Takes a payment provider's events", ()),
)
DIRECTORY: Reply = track_directory(
    pretty({
        "meta": {"greeting": GREETING},
        "request_endpoints": [
            {endpoint: {"description": says, "parameters": list(parameters)}}
            for endpoint, says, parameters in _ENDPOINTS
        ],
    })
)
SEND_WRONG_METHOD = send_error(405, "method not allowed")

_NOWHERE = Refused("route.unknown", "unknown", "path", "no published operation has this method and path")
_NOT_YET = Refused("route.not_imitated", "not_imitated", "path", "the operation exists, but fakeio does not imitate it")


def _always(operation: str, refused: Refused, reply: Reply) -> Handler:
    # work, not a refusal while parsing: a fault on such a path strikes as on any other
    work = Work((Settled(operation, refused),), lambda _outcomes, _state: reply)
    return lambda call: work


def not_imitated(api: str, operation: str) -> Handler:
    """The handler of a published operation that this fake leaves out: the wire says unknown, the tape says why."""
    return _always(operation, _NOT_YET, DIRECTORY if api == TRACK else APP_NOT_FOUND)


def _unknown(api: str, auth: str, reply: Reply, grade: str) -> Route:
    handler = _always("unknown", _NOWHERE, reply)
    return Route(
        method="*", path="*", api=api, operation="unknown", grade=grade, tier=3, handler=handler, auth=auth,
        imitated=False, limited=False, anywhere=True,
    )  # fmt: skip


_UNKNOWN_TRACK = _unknown(TRACK, OPEN, DIRECTORY, RECORDED)
_UNKNOWN_APP = _unknown(APP, KEY, APP_NOT_FOUND, DOCUMENTED)
_UNKNOWN_METHOD = _unknown(APP, KEY, APP_WRONG_METHOD, DOCUMENTED)
_UNKNOWN_SEND = _unknown(APP, SEND, SEND_WRONG_METHOD, DOCUMENTED)
_UNKNOWN_PIPELINES = _unknown(PIPELINES, OPEN, APP_NOT_FOUND, ASSUMED)


def resolve(router: Router, gate: Gate | None, method: str, path: str) -> tuple[Route, list[str]]:
    """The route that answers and the raw segments its template leaves open. There always is one."""
    found = router.find(method, path)
    route = found.route
    if route is not None and (gate is None or _serves(gate, route, path)):
        return route, found.segments
    return _fallback(gate, found, path), []


def _serves(gate: Gate, route: Route, path: str) -> bool:
    # the Track hosts take transactional sends as well
    return gate.api == route.api or (gate.api == TRACK and path.startswith("/v1/send/"))


def _fallback(gate: Gate | None, found: Found, path: str) -> Route:
    of_app = path == "/v1" or path.startswith("/v1/")
    product = gate.api if gate is not None else APP if of_app else TRACK
    if product == PIPELINES:
        return _UNKNOWN_PIPELINES
    if path.startswith("/v1/send/"):
        return _UNKNOWN_SEND
    if product == TRACK:
        return _UNKNOWN_TRACK
    return _UNKNOWN_METHOD if of_app and found.known_path and found.route is None else _UNKNOWN_APP


def undecodable(route: Route, path: str) -> Answered:
    """A path whose escapes are no UTF-8 names nobody and nothing."""
    refused = Refused("track.path", "invalid", "path", f"not percent-encoded UTF-8: {path}")
    return refuse(route.operation, refused, APP_NOT_FOUND if route.api == APP else meta_error("invalid id"))
