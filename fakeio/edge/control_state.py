"""Control routes about a workspace's state as a whole: forks of it."""

from __future__ import annotations

from fakeio.edge.control_http import Call, Result, text_field
from fakeio.edge.views import workspace_view


def fork_workspace(call: Call) -> Result:
    """A new workspace with the same state and time and credentials of its own; no tape, no faults."""
    document = call.document()
    name, account = text_field(document, "name"), text_field(document, "account")
    with call.opened() as hosted:
        forked = call.desk.universe.registry.fork(hosted, name=name, account=account)
    return Result(201, workspace_view(forked))
