"""Editing what a workspace holds: collections, snippets, reporting webhooks, and the contents of templates.

Shapes of a request are the edge's business; what depends on the state (a name that is taken, a snippet in use) is
decided here. Source: App API > Collections, Snippets, Reporting webhooks, Transactional.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec import structs

from fakeio.core import app_operations as app
from fakeio.core.content import Collection, Snippet, Template, TemplateContent
from fakeio.core.limits import SNIPPET_NAME, SNIPPET_VALUE
from fakeio.core.outcomes import Applied, Outcome, Refused

if TYPE_CHECKING:  # the workspace imports this module
    from fakeio.core.workspace import Workspace

_REFERENCE = re.compile(r"""snippets\s*(?:\.\s*(?P<dotted>[\w-]+)|\[\s*["'](?P<quoted>[^"']+)["']\s*\])""")
_LIQUID = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)


def _missing(what: str) -> Refused:
    return Refused("app.not_found", "not_found", "", f"there is no {what}")


def references(text: str) -> set[str]:
    """The names of the snippets that a text's Liquid uses."""
    return {
        found["dotted"] or found["quoted"]
        for liquid in _LIQUID.findall(text)
        for found in _REFERENCE.finditer(liquid)
    }  # fmt: skip


# ---- collections -----------------------------------------------------------------------------------------------------


def check_collection(space: Workspace, operation: app.SaveCollection | app.DeleteCollection) -> Refused | None:
    """A collection that is to be changed or deleted exists."""
    wanted = operation.collection_id
    return None if wanted is None or space.content.collections.get(wanted) else _missing(f"collection {wanted}")


def save_collection(space: Workspace, operation: app.SaveCollection, now: float, request: int) -> Outcome:
    """Create or change; `result` is the collection's number."""
    shelf = space.content.collections
    found = shelf.get(operation.collection_id) if operation.collection_id is not None else None
    if found is None:
        found = shelf.add(Collection(name=operation.title or "", created_at=int(now)))
    found.name = found.name if operation.title is None else operation.title
    found.rows = found.rows if operation.rows is None else operation.rows
    found.updated_at = int(now)
    return Applied(result=found.id)


def delete_collection(space: Workspace, operation: app.DeleteCollection, now: float, request: int) -> Outcome:
    space.content.collections.remove(operation.collection_id)
    return Applied()


# ---- snippets --------------------------------------------------------------------------------------------------------


def check_snippet(space: Workspace, operation: app.SaveSnippet) -> Refused | None:
    """Name and text are there and not too long; a new name is nobody's; a snippet uses no other."""
    name, value = operation.snippet.strip(), operation.value.strip()
    if not name:
        return Refused("app.snippet", "required", "/name", "name cannot be blank")
    if len(name) > SNIPPET_NAME.strict:
        message = f"name cannot exceed {SNIPPET_NAME.strict} characters"
        return Refused(SNIPPET_NAME.rule, "invalid", "/name", message)
    if operation.create and name in space.content.snippets:
        return Refused("app.snippet", "invalid", "/name", "A snippet with that name already exists")
    if not value:
        return Refused("app.snippet", "required", "/value", "value cannot be blank")
    if len(value) > SNIPPET_VALUE.strict:
        message = f"value cannot exceed {SNIPPET_VALUE.strict} characters"
        return Refused(SNIPPET_VALUE.rule, "invalid", "/value", message)
    if references(value):
        message = "Snippets cannot contain Liquid code referencing other snippets."
        return Refused("app.snippet", "invalid", "/value", message)
    return None


def save_snippet(space: Workspace, operation: app.SaveSnippet, now: float, request: int) -> Outcome:
    """Both parts are kept without the white space around them."""
    name = operation.snippet.strip()
    space.content.snippets[name] = Snippet(name=name, value=operation.value.strip(), updated_at=int(now))
    return Applied()


def check_unused(space: Workspace, operation: app.DeleteSnippet) -> Refused | None:
    """A snippet that is to be deleted exists, and no message uses it."""
    if operation.snippet not in space.content.snippets:
        return _missing(f"snippet {operation.snippet!r}")
    content = space.content
    texts = [text for template in content.templates for part in template.contents for text in (part.body, part.subject)]
    texts += [text for one in content.broadcasts for action in one.actions for text in (action.body, action.subject)]
    if any(operation.snippet in references(text) for text in texts):
        return Refused("app.snippet.in_use", "invalid", "", "unable to delete snippet in use")
    return None


def delete_snippet(space: Workspace, operation: app.DeleteSnippet, now: float, request: int) -> Outcome:
    del space.content.snippets[operation.snippet]
    return Applied()


# ---- reporting webhooks ----------------------------------------------------------------------------------------------


def check_webhook(space: Workspace, operation: app.SaveWebhook) -> Refused | None:
    """A webhook that is to be replaced exists."""
    wanted = operation.webhook.id
    return None if wanted == 0 or space.content.webhooks.get(wanted) else _missing(f"reporting webhook {wanted}")


def save_webhook(space: Workspace, operation: app.SaveWebhook, now: float, request: int) -> Outcome:
    """Create or replace; the kind of a webhook stays what it was. `result` is its number."""
    shelf, webhook = space.content.webhooks, structs.replace(operation.webhook)  # an operation is never changed
    old = shelf.get(webhook.id)
    if old is not None:
        webhook.type, webhook.created_at = old.type, old.created_at
        shelf.remove(webhook.id)
    else:
        webhook.created_at = int(now)
    webhook.updated_at = int(now)
    return Applied(result=shelf.add(webhook).id)


def check_webhook_exists(space: Workspace, operation: app.DeleteWebhook) -> Refused | None:
    """A webhook that is to be deleted exists."""
    wanted = operation.webhook_id
    return None if space.content.webhooks.get(wanted) is not None else _missing(f"reporting webhook {wanted}")


def delete_webhook(space: Workspace, operation: app.DeleteWebhook, now: float, request: int) -> Outcome:
    space.content.webhooks.remove(operation.webhook_id)
    return Applied()


# ---- templates -------------------------------------------------------------------------------------------------------


def check_template(space: Workspace, operation: app.EditTemplate) -> Refused | None:
    """The template exists, and the content if it is named by its number."""
    template = space.content.templates.get(operation.template_id)
    if template is None:
        return _missing(f"transactional message {operation.template_id}")
    if operation.content_id is not None and all(part.id != operation.content_id for part in template.contents):
        return _missing(f"content {operation.content_id}")
    return None


def edit_template(space: Workspace, operation: app.EditTemplate, now: float, request: int) -> Outcome:
    """Change a content, or add it for a new language; `result` is the content's number."""
    template = space.content.templates.get(operation.template_id)
    assert template is not None, "the check before has refused"
    found = _content(template, operation)
    for name, value in operation.changes.items():
        setattr(found, name, value)
    template.updated_at = int(now)
    return Applied(result=found.id)


def check_action(space: Workspace, operation: app.EditAction) -> Refused | None:
    """The broadcast exists, and the action is one of its."""
    broadcast = space.content.broadcasts.get(operation.broadcast_id)
    if broadcast is None or all(action.id != operation.action_id for action in broadcast.actions):
        return _missing(f"action {operation.action_id} of a broadcast {operation.broadcast_id}")
    return None


def edit_action(space: Workspace, operation: app.EditAction, now: float, request: int) -> Outcome:
    """Messages that were made before stay as they are."""
    broadcast = space.content.broadcasts.get(operation.broadcast_id)
    assert broadcast is not None, "the check before has refused"
    broadcast.actions = [
        structs.replace(action, **operation.changes) if action.id == operation.action_id else action
        for action in broadcast.actions
    ]
    broadcast.updated_at = int(now)
    return Applied(result=operation.action_id)


def _content(template: Template, operation: app.EditTemplate) -> TemplateContent:
    for part in template.contents:
        wanted = part.id == operation.content_id if operation.content_id else part.language == operation.language
        if wanted:
            return part
    made = TemplateContent(id=max(part.id for part in template.contents) + 1, language=operation.language or "")
    template.contents = [*template.contents, made]
    return made
