"""What the App API tells of the world that `sdk_world.py` seeds, whichever client asks. The seed was sown at `NOW`."""

from __future__ import annotations

from typing import Any

from tests.contract.sdk_world import NOW

ANN_IS = {"id": "1", "email": "ann@example.com", "cio_id": "a1000001"}
BOB_IS = {"id": "2", "email": "bob@example.com", "cio_id": "a1000002"}
ANN_FOUND = {"results": [ANN_IS]}
ANN_WHOLE = {
    "customer": {
        "id": "1",
        "identifiers": ANN_IS,
        "attributes": {**ANN_IS, "plan": "pro"},
        "timestamps": dict.fromkeys((*ANN_IS, "plan"), NOW),
        "unsubscribed": False,
        "devices": [
            {"id": "tok:1", "platform": "ios", "last_used": NOW - 60, "attributes": {"_last_status": ""}},
        ],
    }
}
ANN_AMONG_MANY = {"customers": [ANN_WHOLE["customer"]]}
BOB_OF_ACME = {
    "cio_relationships": [
        {"object_type_id": "1", "identifiers": {"object_id": "acme", "cio_object_id": "ob000001"}, "attributes": {},
         "timestamps": {}},
    ],
    "next": "",
}  # fmt: skip
ANN_PREFERS = {
    "customer": {"id": "1", "identifiers": ANN_IS, "unsubscribed": False, "topics": [], "header": "", "subheader": ""}
}
NOTHING_HAPPENED = {"activities": [], "next": ""}
BOB_ON_A_PAGE = {"identifiers": [BOB_IS], "ids": ["2"], "next": ""}
VIP_IN_BRIEF = {"segments": [{"id": 7, "name": "vip", "description": "people we know"}]}
VIP_COUNT = {"segment_id": 7, "count": 1}
VIP_MEMBERS = {"segment_id": 7, **BOB_ON_A_PAGE}
VIP_USES = {"segment_id": 7, "used_by": {"campaigns": [], "sent_newsletters": [], "draft_newsletters": []}}


def message(id: str, type: str) -> dict[str, Any]:
    """A delivery to Ann as it was seeded."""
    nothing = ("campaign_id", "action_id", "parent_action_id", "broadcast_id", "newsletter_id", "content_id",
               "trigger_event_id", "msg_template_id", "failure_message")  # fmt: skip
    return {
        "id": id, "deduplicate_id": f"{id}:{NOW}", "type": type, "customer_id": "1", "customer_identifiers": ANN_IS,
        "recipient": "", "subject": "", "created": NOW, "metrics": {}, "forgotten": False, **dict.fromkeys(nothing),
    }  # fmt: skip


def segment(id: int, name: str, description: str) -> dict[str, Any]:
    """A manual segment as it was made."""
    return {
        "id": id, "deduplicate_id": f"{id}:{NOW}", "name": name, "description": description, "state": "finished",
        "progress": None, "type": "manual", "tags": None, "created_at": NOW, "updated_at": NOW,
    }  # fmt: skip


MESSAGES_TO_ANN = {"messages": [message("dlv2", "push"), message("dlv1", "email")], "next": ""}
VIP = segment(7, "vip", "people we know")
