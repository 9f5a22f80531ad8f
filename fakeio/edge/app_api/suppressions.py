"""App API, addresses that the mail provider suppresses: search, list by type or by domain, add, remove.

Not the Track API's suppression, which deletes people. Source: App API > ESP suppression.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from fakeio.core.addresses import LISTS, Suppressed
from fakeio.core.app_operations import SuppressAddress, UnsuppressAddress
from fakeio.core.limits import SEARCH_PAGE
from fakeio.core.outcomes import Outcome
from fakeio.core.workspace import Workspace
from fakeio.edge.app_api.reading import (
    bad_parameter,
    encode_cursor,
    not_found,
    page_size,
    page_start,
    query,
    read,
)
from fakeio.edge.app_api.table import app_route
from fakeio.edge.errors import APP_DELETED, app_json
from fakeio.edge.fields import whole_number
from fakeio.edge.http import Reply
from fakeio.edge.work import Answered, Call, Work

USUAL_PAGE = 100


def _category(name: str) -> str:
    return "spam" if name == "spam_reports" else "bounces"


def _document(name: str, rows: Iterable[Suppressed]) -> dict[str, Any]:
    shown = [{"created": row.created, "email": row.email, "reason": row.reason, "status": row.status} for row in rows]
    return {"category": _category(name), "suppressions": shown}


def find(call: Call) -> Work:
    """Every list that an address is on; the first one names the category."""
    email = call.segments[0]

    def answer(state: Workspace) -> Reply:
        found = state.addresses.lists_of(email)
        name = found[0][0] if found else ""
        return app_json(_document(name, [row for _, row in found]))

    return read(answer)


def list_by_type(call: Call) -> Work | Answered:
    """One list, of one domain if asked, by offset."""
    operation = "list_esp_suppressions"
    name = _list_named(call.segments[0], operation)
    if isinstance(name, Answered):
        return name
    size = page_size(call, operation, USUAL_PAGE, SEARCH_PAGE)
    if isinstance(size, Answered):
        return size
    asked = query(call)
    offset, domain = whole_number(asked.get("offset") or "0"), asked.get("domain", "").lower()
    if offset is None or offset < 0:
        return bad_parameter(operation, "offset", "a whole number of at least 0")

    def answer(state: Workspace) -> Reply:
        rows = [row for row in state.addresses.on(name) if not domain or row.domain == domain]
        return app_json(_document(name, rows[offset : offset + size]))

    return read(answer)


def list_by_domain(call: Call) -> Work | Answered:
    """One list of one domain, by cursor; a single address if asked, and then without a cursor."""
    operation = "list_domain_suppressions"
    domain, email = call.segments[0].lower(), query(call).get("email", "").lower()
    name = _list_named(call.segments[1], operation)
    if isinstance(name, Answered):
        return name
    size = page_size(call, operation, USUAL_PAGE, SEARCH_PAGE)
    if isinstance(size, Answered):
        return size
    start = page_start(call, operation, domain)
    if isinstance(start, Answered):
        return start

    def answer(state: Workspace) -> Reply:
        if email:
            found = [row for on, row in state.addresses.lists_of(email) if on == name and row.domain == domain]
            return app_json(_document(name, found))
        rows = [(at, row) for at, row in state.addresses.after(name, start) if row.domain == domain]
        more = encode_cursor(domain, rows[size - 1][0]) if len(rows) > size else ""
        return app_json({**_document(name, [row for _, row in rows[:size]]), "next": more})

    return read(answer)


def _list_named(name: str, operation: str) -> str | Answered:
    return name if name in LISTS else not_found(operation, f"suppression list {name!r}")


def add(call: Call) -> Work | Answered:
    name = _list_named(call.segments[0], "add_esp_suppression")
    if isinstance(name, Answered):
        return name
    return Work((SuppressAddress(list=name, email=call.segments[1]),), _answer_empty)


def remove(call: Call) -> Work | Answered:
    """Whether it was on the list or not."""
    name = _list_named(call.segments[0], "remove_esp_suppression")
    if isinstance(name, Answered):
        return name
    return Work((UnsuppressAddress(list=name, email=call.segments[1]),), _answer_deleted)


def _answer_empty(outcomes: Sequence[Outcome | None], state: Workspace) -> Reply:
    return app_json({})


def _answer_deleted(outcomes: Sequence[Outcome | None], state: Workspace) -> Reply:
    return APP_DELETED


ROUTES = (
    app_route("GET", "/v1/esp/search_suppression/{email}", "find_esp_suppression", find),
    app_route("GET", "/v1/esp/suppression/{type}", "list_esp_suppressions", list_by_type),
    app_route("POST", "/v1/esp/suppression/{type}/{email}", "add_esp_suppression", add),
    app_route("DELETE", "/v1/esp/suppression/{type}/{email}", "remove_esp_suppression", remove),
    app_route("GET", "/v1/esp/domains/{domain}/suppression/{type}", "list_domain_suppressions", list_by_domain),
)
