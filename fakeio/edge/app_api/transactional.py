"""App API, transactional messages: the templates that sends name, their contents by language, and what came of them.

Templates are seeded, or made by a send that asks for it; the API edits contents only. The list is called `messages`.
Source: App API > Transactional; which fields of a content can be changed is assumed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from fakeio.core.app_operations import EditTemplate
from fakeio.core.content import Template, TemplateContent
from fakeio.core.outcomes import Applied, Outcome
from fakeio.core.workspace import Workspace
from fakeio.edge.app_api.messages import answer_messages
from fakeio.edge.app_api.metrics import answer_metrics
from fakeio.edge.app_api.reading import bad_body, not_found, number_in_path, read
from fakeio.edge.app_api.table import app_route
from fakeio.edge.decode import Malformed, parse_object
from fakeio.edge.errors import APP_NOT_FOUND, app_json
from fakeio.edge.http import Reply
from fakeio.edge.work import Answered, Call, Work

_TEXTS = {
    "subject": "subject", "body": "body", "body_plain": "body_plain", "body_amp": "body_amp", "from": "from_",
    "reply_to": "reply_to", "recipient": "recipient", "bcc": "bcc", "preheader_text": "preheader_text",
    "headers": "headers",
}  # fmt: skip


def template_document(template: Template) -> dict[str, Any]:
    """One transactional message as published."""
    return {
        "id": template.id,
        "name": template.name,
        "description": template.description,
        "send_to_unsubscribed": template.send_to_unsubscribed,
        "link_tracking": template.link_tracking,
        "open_tracking": template.open_tracking,
        "hide_message_body": template.hide_message_body,
        "queue_drafts": template.queue_drafts,
        "trigger_name": template.trigger_name,
        "created_at": template.created_at,
        "updated_at": template.updated_at,
    }


def content_document(template: Template, content: TemplateContent) -> dict[str, Any]:
    """One content of a transactional message."""
    return {
        "id": content.id,
        "name": template.name,
        "created": template.created_at,
        "updated": template.updated_at,
        "type": template.type,
        "language": content.language,
        "fake_bcc": content.fake_bcc,
        **{published: getattr(content, name) for published, name in _TEXTS.items()},
    }


def list_all(call: Call) -> Work:
    return read(lambda state: app_json({"messages": [template_document(one) for one in state.content.templates]}))


def get_one(call: Call) -> Work | Answered:
    return _read_one(call, "get_transactional", lambda one: app_json({"message": template_document(one)}))


def list_contents(call: Call) -> Work | Answered:
    return _read_one(
        call, "list_transactional_contents",
        lambda one: app_json({"contents": [content_document(one, content) for content in one.contents]}),
    )  # fmt: skip


def get_language(call: Call) -> Work | Answered:
    """The content of exactly that language."""
    operation, language = "get_transactional_language", call.segments[1]

    def show(template: Template) -> Reply | Answered:
        found = [content for content in template.contents if content.language == language]
        if not found:
            return not_found(operation, f"content in {language!r}")
        return app_json({"content": content_document(template, found[0])})

    return _read_one(call, operation, show)


def update_language(call: Call) -> Work | Answered:
    """Change a language, or add it."""
    return _update(call, "update_transactional_language", None, call.segments[1])


def update_content(call: Call) -> Work | Answered:
    content_id = number_in_path(call, "update_transactional_content", 1)
    if isinstance(content_id, Answered):
        return content_id
    return _update(call, "update_transactional_content", content_id, None)


def _update(call: Call, operation: str, content_id: int | None, language: str | None) -> Work | Answered:
    template_id = number_in_path(call, operation, 0)
    if isinstance(template_id, Answered):
        return template_id
    body = parse_object(call.request.body)
    if isinstance(body, Malformed):
        return bad_body(operation, "", body.why)
    changes = {name: body[published] for published, name in _TEXTS.items() if body.get(published) is not None}
    wrong = next((name for name, value in changes.items() if not isinstance(value, str)), None)
    if wrong is not None or not isinstance(body.get("fake_bcc"), bool | None):
        return bad_body(operation, wrong or "fake_bcc", "texts are text, fake_bcc is true or false")
    if body.get("fake_bcc") is not None:
        changes["fake_bcc"] = body["fake_bcc"]
    edit = EditTemplate(template_id=template_id, content_id=content_id, language=language, changes=changes)

    def answer(outcomes: Sequence[Outcome | None], state: Workspace) -> Reply:
        outcome, template = outcomes[0], state.content.templates.get(template_id)
        if not isinstance(outcome, Applied) or template is None:
            return APP_NOT_FOUND
        [content] = [one for one in template.contents if one.id == outcome.result]
        return app_json({"content": content_document(template, content)})

    return Work((edit,), answer)


def list_messages(call: Call) -> Work | Answered:
    template_id = _existing(call, "list_transactional_messages")
    if isinstance(template_id, Answered):
        return template_id
    return answer_messages(call, "list_transactional_messages", lambda one: one.template == template_id)


def get_metrics(call: Call) -> Work | Answered:
    template_id = _existing(call, "get_transactional_metrics")
    if isinstance(template_id, Answered):
        return template_id
    return answer_metrics(call, "get_transactional_metrics", lambda one: one.template == template_id)


def get_link_metrics(call: Call) -> Work | Answered:
    """No links are told apart here."""
    return _read_one(call, "get_transactional_link_metrics", lambda _: app_json({"links": []}))


def _existing(call: Call, operation: str) -> int | Answered:
    """The number in the path, if there is such a template: none is ever deleted, so it stays true."""
    template_id = number_in_path(call, operation, 0)
    if isinstance(template_id, Answered) or call.hosted.state.content.templates.get(template_id) is not None:
        return template_id
    return not_found(operation, f"transactional message {template_id}")


def _read_one(call: Call, operation: str, show: Callable[[Template], Reply | Answered]) -> Work | Answered:
    template_id = number_in_path(call, operation, 0)
    if isinstance(template_id, Answered):
        return template_id

    def find(state: Workspace) -> Reply | Answered:
        found = state.content.templates.get(template_id)
        return not_found(operation, f"transactional message {template_id}") if found is None else show(found)

    return read(find)


_ONE = "/v1/transactional/{message_id}"
ROUTES = (
    app_route("GET", "/v1/transactional", "list_transactional", list_all),
    app_route("GET", _ONE, "get_transactional", get_one),
    app_route("GET", f"{_ONE}/contents", "list_transactional_contents", list_contents),
    app_route("GET", f"{_ONE}/messages", "list_transactional_messages", list_messages),
    app_route("GET", f"{_ONE}/metrics", "get_transactional_metrics", get_metrics),
    app_route("GET", f"{_ONE}/metrics/links", "get_transactional_link_metrics", get_link_metrics, minimum=True),
    app_route("GET", f"{_ONE}/language/{{language}}", "get_transactional_language", get_language),
    app_route("PUT", f"{_ONE}/language/{{language}}", "update_transactional_language", update_language),
    app_route("PUT", f"{_ONE}/content/{{content_id}}", "update_transactional_content", update_content),
)
