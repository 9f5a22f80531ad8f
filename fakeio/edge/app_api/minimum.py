"""App API, operations answered with the least that is true: this workspace has no such things.

Lists are empty and of the documented shape; a thing that is named does not exist. What would make or change one is not
imitated at all. Also the addresses that messages come from. Source: App API > Campaigns, Senders, Info.
"""

from __future__ import annotations

from typing import Any

from fakeio.edge.app_api.reading import not_found, read
from fakeio.edge.app_api.table import app_route
from fakeio.edge.errors import app_json
from fakeio.edge.routing import OPEN, Route
from fakeio.edge.work import Answered, Call, Work

# of a network that is reserved for documentation: nothing here sends from anywhere
ADDRESSES = ("192.0.2.10", "192.0.2.11")

_LISTS: dict[str, tuple[str, dict[str, Any]]] = {
    "/v1/campaigns": ("list_campaigns", {"campaigns": []}),
    "/v1/sender_identities": ("list_senders", {"sender_identities": [], "next": ""}),
}
_CAMPAIGN = "/v1/campaigns/{campaign_id}"
_SENDER = "/v1/sender_identities/{sender_id}"
_NAMED = {
    f"GET {_CAMPAIGN}": "get_campaign",
    f"GET {_CAMPAIGN}/actions": "list_campaign_actions",
    f"GET {_CAMPAIGN}/actions/{{action_id}}": "get_campaign_action",
    f"PUT {_CAMPAIGN}/actions/{{action_id}}": "update_campaign_action",
    f"GET {_CAMPAIGN}/actions/{{action_id}}/language/{{language}}": "get_campaign_action_language",
    f"PUT {_CAMPAIGN}/actions/{{action_id}}/language/{{language}}": "update_campaign_action_language",
    f"GET {_CAMPAIGN}/actions/{{action_id}}/metrics": "get_campaign_action_metrics",
    f"GET {_CAMPAIGN}/actions/{{action_id}}/metrics/links": "get_campaign_action_link_metrics",
    f"GET {_CAMPAIGN}/metrics": "get_campaign_metrics",
    f"GET {_CAMPAIGN}/metrics/links": "get_campaign_link_metrics",
    f"GET {_CAMPAIGN}/journey_metrics": "get_journey_metrics",
    f"GET {_CAMPAIGN}/messages": "list_campaign_messages",
    f"GET {_SENDER}": "get_sender",
    f"GET {_SENDER}/used_by": "get_sender_uses",
}


def list_ip_addresses(call: Call) -> Work:
    """For anybody, without credentials."""
    return read(lambda _: app_json({"ip_addresses": list(ADDRESSES)}))


def _empty(path: str, operation: str, answer: dict[str, Any]) -> Route:
    def answer_empty(call: Call) -> Work:
        return read(lambda _: app_json(answer))

    return app_route("GET", path, operation, answer_empty, tier=3, minimum=True)


def _nothing(method_and_path: str, operation: str) -> Route:
    method, _, path = method_and_path.partition(" ")

    def find(call: Call) -> Work | Answered:
        return read(lambda _: not_found(operation, f"{call.segments[0]!r}"))

    return app_route(method, path, operation, find, tier=3, minimum=True)


ROUTES = (
    app_route("GET", "/v1/info/ip_addresses", "list_ip_addresses", list_ip_addresses, auth=OPEN, limited=False),
    *(_empty(path, operation, answer) for path, (operation, answer) in _LISTS.items()),
    *(_nothing(path, operation) for path, operation in _NAMED.items()),
)
