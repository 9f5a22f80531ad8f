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
    return {
        "id": hosted.id,
        "name": hosted.name,
        "messages_sent": 0,
        "billable_messages_sent": 0,
        "people": len(hosted.state.people),
        "object_types": 1,
        "objects": 0,
    }
