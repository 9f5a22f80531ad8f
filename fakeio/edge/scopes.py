"""What an App API key was made for, where the workspace says that it was made for less than everything.

Decides from the route alone. How the vendor cuts its scopes is not published: these are the cuts that clients notice.
Source: App API > Authentication; switch `app_key_scope`.
"""

from __future__ import annotations

from fakeio.edge.routing import SEND, Route

_PEOPLE = ("/v1/customers", "/v1/activities", "/v1/subscription_center")
_READ_BY_POST = frozenset({"search_people", "get_attributes_of_many", "search_objects"})  # asked with a body


def covers(scope: str, route: Route) -> bool:
    """Whether a key of that scope may use the route: `all`, `read`, `send` or `no_people`."""
    if scope == "read":
        return route.method == "GET" or route.operation in _READ_BY_POST
    if scope == "send":
        return route.auth == SEND
    return scope != "no_people" or not route.path.startswith(_PEOPLE)
