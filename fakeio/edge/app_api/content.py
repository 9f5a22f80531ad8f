"""App API, what messages are made of: collections and snippets, from creation to deletion; subscription topics.

A collection's rows come in the body or from a URL, as JSON or as CSV. Source: App API > Collections, Snippets,
Subscription topics.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from fakeio.core.app_operations import DeleteCollection, DeleteSnippet, SaveCollection, SaveSnippet
from fakeio.core.content import Collection, Topic
from fakeio.core.outcomes import Applied, Outcome, Refused
from fakeio.core.workspace import Workspace
from fakeio.edge.app_api.reading import BAD_REQUEST, bad_body, not_found, number_in_path, read
from fakeio.edge.app_api.table import app_route
from fakeio.edge.decode import Malformed, parse_json, parse_object
from fakeio.edge.errors import APP_DELETED, APP_NOT_FOUND, app_error, app_json, json_size
from fakeio.edge.fetching import Fetched
from fakeio.edge.http import Reply
from fakeio.edge.work import Answered, Call, Errand, Work

_CSV_KINDS = ("text/csv", "application/csv")
_JSON_KIND = "application/json"


# ---- collections -----------------------------------------------------------------------------------------------------


def collection_document(collection: Collection) -> dict[str, Any]:
    """One collection as published: about its rows, not the rows."""
    return {
        "id": collection.id,
        "name": collection.name,
        "bytes": json_size(collection.rows),
        "rows": len(collection.rows),
        "schema": collection.schema,
        "created_at": collection.created_at,
        "updated_at": collection.updated_at,
    }


def create_collection(call: Call) -> Work | Answered | Errand:
    """A name, and rows from exactly one source."""
    body = parse_object(call.request.body)
    if isinstance(body, Malformed):
        return bad_body("create_collection", "", body.why)
    if not isinstance(body.get("name"), str) or not body["name"]:
        return bad_body("create_collection", "name", "a collection has a name")
    if ("data" in body) == ("url" in body):
        return bad_body("create_collection", "data", "exactly one of data and url")
    return _saved("create_collection", None, body)


def update_collection(call: Call) -> Work | Answered | Errand:
    """Another name, other rows, or both."""
    collection_id = number_in_path(call, "update_collection", 0)
    if isinstance(collection_id, Answered):
        return collection_id
    body = parse_object(call.request.body)
    if isinstance(body, Malformed):
        return bad_body("update_collection", "", body.why)
    if body.get("name") is not None and (not isinstance(body["name"], str) or not body["name"]):
        return bad_body("update_collection", "name", "a name is text")
    if "data" in body and "url" in body:
        return bad_body("update_collection", "data", "at most one of data and url")
    return _saved("update_collection", collection_id, body)


def _saved(operation: str, collection_id: int | None, body: Mapping[str, Any]) -> Work | Answered | Errand:
    name = body.get("name")
    if "url" not in body:
        return _with_rows(operation, collection_id, name, body.get("data"))
    url = body["url"]
    if not isinstance(url, str):
        return bad_body(operation, "url", "a url is text")
    return Errand(url, lambda fetched: _with_file(operation, collection_id, name, url, fetched))


def _with_rows(operation: str, collection_id: int | None, name: str | None, rows: Any) -> Work | Answered:
    if rows is not None and not (isinstance(rows, list) and all(isinstance(row, dict) for row in rows)):
        return bad_body(operation, "data", "data is a list of objects")
    if rows is None and collection_id is None:
        return bad_body(operation, "data", "data is a list of objects")
    return Work((SaveCollection(collection_id=collection_id, title=name, rows=rows),), _answer_collection)


def _with_file(
    operation: str, collection_id: int | None, name: str | None, url: str, fetched: Fetched
) -> Work | Answered:
    if fetched.error:
        return bad_body(operation, "url", fetched.error)
    is_csv = fetched.kind in _CSV_KINDS or (fetched.kind != _JSON_KIND and urlsplit(url).path.endswith(".csv"))
    rows = _csv_rows(fetched.body) if is_csv else parse_json(fetched.body)
    return _with_rows(operation, collection_id, name, rows)


def _csv_rows(content: bytes) -> list[dict[str, str]] | None:
    """One object a line, by the names in the first; None for bytes that are no text."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None
    return [{name: value or "" for name, value in row.items() if name} for row in csv.DictReader(io.StringIO(text))]


def _answer_collection(outcomes: Sequence[Outcome | None], state: Workspace) -> Reply:
    outcome = outcomes[0]
    saved = state.content.collections.get(outcome.result or 0) if isinstance(outcome, Applied) else None
    return APP_NOT_FOUND if saved is None else app_json({"collection": collection_document(saved)})


def list_collections(call: Call) -> Work:
    return read(
        lambda state: app_json({"collections": [collection_document(one) for one in state.content.collections]})
    )


def get_collection(call: Call) -> Work | Answered:
    return _read_collection(call, "get_collection", lambda one: app_json({"collection": collection_document(one)}))


def get_content(call: Call) -> Work | Answered:
    """The rows themselves."""
    return _read_collection(call, "get_collection_content", lambda one: app_json(one.rows))


def update_content(call: Call) -> Work | Answered:
    """Other rows: the body is the list."""
    collection_id = number_in_path(call, "update_collection_content", 0)
    if isinstance(collection_id, Answered):
        return collection_id
    rows = parse_json(call.request.body)
    if not isinstance(rows, list):
        return bad_body("update_collection_content", "", "the body is a list of objects")
    return _with_rows("update_collection_content", collection_id, None, rows)


def delete_collection(call: Call) -> Work | Answered:
    collection_id = number_in_path(call, "delete_collection", 0)
    if isinstance(collection_id, Answered):
        return collection_id
    return Work((DeleteCollection(collection_id=collection_id),), answer_deleted)


def answer_deleted(outcomes: Sequence[Outcome | None], state: Workspace) -> Reply:
    """204, or 404 for what was not there."""
    return APP_NOT_FOUND if isinstance(outcomes[0], Refused) else APP_DELETED


def _read_collection(call: Call, operation: str, show: Callable[[Collection], Reply]) -> Work | Answered:
    collection_id = number_in_path(call, operation, 0)
    if isinstance(collection_id, Answered):
        return collection_id

    def find(state: Workspace) -> Reply | Answered:
        found = state.content.collections.get(collection_id)
        return not_found(operation, f"collection {collection_id}") if found is None else show(found)

    return read(find)


# ---- snippets --------------------------------------------------------------------------------------------------------


def list_snippets(call: Call) -> Work:
    def show(state: Workspace) -> Reply:
        rows = state.content.snippets.values()
        return app_json({
            "snippets": [{"name": one.name, "value": one.value, "updated_at": one.updated_at} for one in rows]
        })

    return read(show)


def create_snippet(call: Call) -> Work | Answered:
    return _save_snippet(call, "create_snippet", create=True)


def update_snippet(call: Call) -> Work | Answered:
    """Create it if there is none of that name."""
    return _save_snippet(call, "update_snippet", create=False)


def _save_snippet(call: Call, operation: str, *, create: bool) -> Work | Answered:
    body = parse_object(call.request.body)
    if isinstance(body, Malformed):
        return bad_body(operation, "", body.why)
    name, value = body.get("name") or "", body.get("value") or ""
    if not isinstance(name, str) or not isinstance(value, str):
        return bad_body(operation, "name", "name and value are text")

    def answer(outcomes: Sequence[Outcome | None], state: Workspace) -> Reply:
        outcome = outcomes[0]
        if isinstance(outcome, Refused):
            return app_error(422, outcome.message, pointer=outcome.field)
        saved = state.content.snippets[name.strip()]
        return app_json({"snippet": {"name": saved.name, "value": saved.value, "updated_at": saved.updated_at}})

    return Work((SaveSnippet(snippet=name, value=value, create=create),), answer)


def delete_snippet(call: Call) -> Work:
    def answer(outcomes: Sequence[Outcome | None], state: Workspace) -> Reply:
        outcome = outcomes[0]
        if isinstance(outcome, Refused) and outcome.rule == "app.snippet.in_use":
            return app_error(400, outcome.message or BAD_REQUEST)
        return answer_deleted(outcomes, state)

    return Work((DeleteSnippet(snippet=call.segments[0]),), answer)


# ---- topics ----------------------------------------------------------------------------------------------------------


def topic_document(topic: Topic) -> dict[str, Any]:
    """One topic as published."""
    return {
        "id": topic.id,
        "identifier": topic.identifier or f"topic_{topic.id}",
        "name": topic.name,
        "description": topic.description,
        "subscribed_by_default": topic.subscribed_by_default,
    }


def list_topics(call: Call) -> Work:
    return read(lambda state: app_json({"topics": [topic_document(topic) for topic in state.content.topics]}))


_COLLECTION = "/v1/collections/{collection_id}"
ROUTES = (
    app_route("GET", "/v1/collections", "list_collections", list_collections),
    app_route("POST", "/v1/collections", "create_collection", create_collection, fetches=True),
    app_route("GET", _COLLECTION, "get_collection", get_collection),
    app_route("PUT", _COLLECTION, "update_collection", update_collection, fetches=True),
    app_route("DELETE", _COLLECTION, "delete_collection", delete_collection),
    app_route("GET", f"{_COLLECTION}/content", "get_collection_content", get_content),
    app_route("PUT", f"{_COLLECTION}/content", "update_collection_content", update_content),
    app_route("GET", "/v1/snippets", "list_snippets", list_snippets, limited=False),
    app_route("POST", "/v1/snippets", "create_snippet", create_snippet),
    app_route("PUT", "/v1/snippets", "update_snippet", update_snippet),
    app_route("DELETE", "/v1/snippets/{name}", "delete_snippet", delete_snippet),
    app_route("GET", "/v1/subscription_topics", "list_topics", list_topics),
)
