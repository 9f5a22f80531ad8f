"""Control routes about a workspace's state as a whole: forks of it, snapshots, and what two differ in."""

from __future__ import annotations

from itertools import islice
from typing import Any

from fakeio.core.comparing import compare
from fakeio.core.seed_error import SeedError
from fakeio.edge.control_http import Call, Result, bad_request, text_field
from fakeio.edge.keeping import put_snapshot, read_snapshot
from fakeio.edge.registry import HostedWorkspace
from fakeio.edge.views import up_to_date, workspace_view


def fork_workspace(call: Call) -> Result:
    """A new workspace with the same state and time and credentials of its own; no tape, no faults."""
    document = call.document()
    name, account = text_field(document, "name"), text_field(document, "account")
    with call.opened() as hosted:
        forked = call.desk.universe.registry.fork(hosted, name=name, account=account)
    return Result(201, workspace_view(forked))


def diff_workspaces(call: Call) -> Result:
    """What this workspace (left) and another (right) differ in, field by field, always in the same order."""
    page = call.page()
    other = call.query.get("with")
    if other is None:
        raise bad_request("bad_with", "the other workspace is not named", "add ?with= and a workspace id")
    found = compare(_snapshot(call.hosted()), _snapshot(call.hosted(other)))
    return page.result("differences", islice(enumerate(found, 1), page.start, None), lambda difference: difference)


def get_snapshot(call: Call) -> Result:
    """The whole state as one JSON document, for PUT, for a seed, or for a file."""
    return Result(200, _snapshot(call.hosted()))


def restore_snapshot(call: Call) -> Result:
    """The state becomes what a snapshot says; tape, faults and credentials stay. If it can't be, nothing changes."""
    document = call.document()
    try:
        put_snapshot(call.hosted(), document)
    except SeedError as bad:
        hint = "send what GET answered, or your own with its `version`; nothing has changed"
        raise bad_request("bad_snapshot", str(bad), hint) from bad
    return Result(204)


def _snapshot(hosted: HostedWorkspace) -> dict[str, Any]:
    with up_to_date(hosted):
        return read_snapshot(hosted)
