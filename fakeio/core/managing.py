"""The table of what the App API does beside people and segments: checks, handlers, and what is done when it is due.

`workspace.py` comes here for what its own table does not have; each function lives with the things it changes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from fakeio.core import addresses, broadcasts, editing, exports, imports, newsletters, sending, sends
from fakeio.core import app_operations as app
from fakeio.core.operations import Operation
from fakeio.core.outcomes import Outcome, Refused
from fakeio.core.workspace import OWN_OPERATIONS

if TYPE_CHECKING:
    from fakeio.core.agenda import Agenda
    from fakeio.core.workspace import Workspace

CHECKS: dict[type[Operation], Callable[[Workspace, Any], Refused | None]] = {
    app.SendMessage: sends.check_send,
    app.TriggerBroadcast: broadcasts.check_trigger,
    app.SaveCollection: editing.check_collection,
    app.DeleteCollection: editing.check_collection,
    app.SaveSnippet: editing.check_snippet,
    app.DeleteSnippet: editing.check_unused,
    app.SaveWebhook: editing.check_webhook,
    app.DeleteWebhook: editing.check_webhook_exists,
    app.EditTemplate: editing.check_template,
    app.EditAction: editing.check_action,
    app.ScheduleNewsletter: newsletters.check_newsletter,
    app.DeleteNewsletter: newsletters.check_newsletter,
    app.LinkExport: exports.check_link,
}
HANDLERS: dict[type[Operation], Callable[[Workspace, Any, float, int], Outcome]] = {
    app.SendMessage: sends.send_message,
    app.TriggerBroadcast: broadcasts.trigger,
    app.SaveCollection: editing.save_collection,
    app.DeleteCollection: editing.delete_collection,
    app.SaveSnippet: editing.save_snippet,
    app.DeleteSnippet: editing.delete_snippet,
    app.SaveWebhook: editing.save_webhook,
    app.DeleteWebhook: editing.delete_webhook,
    app.EditTemplate: editing.edit_template,
    app.EditAction: editing.edit_action,
    app.CreateNewsletter: newsletters.create_newsletter,
    app.ScheduleNewsletter: newsletters.schedule_newsletter,
    app.DeleteNewsletter: newsletters.delete_newsletter,
    app.ExportPeople: exports.start_export,
    app.ExportDeliveries: exports.start_export,
    app.LinkExport: exports.link_export,
    app.ImportFile: imports.start_import,
    app.SuppressAddress: addresses.suppress_address,
    app.UnsuppressAddress: addresses.unsuppress_address,
}
OPERATIONS: tuple[type[Operation], ...] = (*OWN_OPERATIONS, *HANDLERS)
_DUE: dict[str, Callable[[Workspace, str | int, float], None]] = {
    sending.SEND: sending.send,
    broadcasts.BROADCAST: broadcasts.process,
    exports.EXPORT: exports.finish,
    imports.IMPORT: imports.advance,
    newsletters.NEWSLETTER: newsletters.process,
}


def run_due(space: Workspace, agenda: Agenda, now: float) -> None:
    """Do everything that was promised for a time up to `now`, each as of its own time."""
    for task in agenda.take(now):
        _DUE[task.what](space, task.key, task.due)
