"""App API, workspaces: those of the key's account, with counts. A popular way to prove a key.

The real counts are up to two hours old; these are current. Source: App API > Workspaces.
"""

from __future__ import annotations

from typing import Any

from fakeio.edge.app_api.reading import read
from fakeio.edge.errors import app_json
from fakeio.edge.registry import HostedWorkspace
from fakeio.edge.work import Call, Work


def list_workspaces(call: Call) -> Work:
    account = call.hosted.account
    found = [hosted for hosted in call.registry if hosted.account == account]
    return read(lambda _: app_json({"workspaces": [_workspace_document(hosted) for hosted in found]}))


def _workspace_document(hosted: HostedWorkspace) -> dict[str, Any]:
    state = hosted.state
    sent = sum("sent" in delivery.metrics for delivery in state.deliveries)
    return {
        "id": hosted.id,
        "name": hosted.name,
        "messages_sent": sent,
        "billable_messages_sent": sent,
        "people": len(state.people),
        "object_types": len(state.objects.types),
        "objects": len(state.objects),
    }
