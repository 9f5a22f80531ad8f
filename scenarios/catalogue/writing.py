"""Short names for the requests that cases are made of, so that a case reads like a page of the vendor's reference."""

from __future__ import annotations

from typing import Any

from scenarios.catalogue.case import Ask


def identify(who: str, attributes: Any, **more: Any) -> Ask:
    """Track v1. `who` is the path segment as sent, percent-encoded."""
    return Ask(method="PUT", path=f"/api/v1/customers/{who}", body=attributes, **more)


def event(who: str, body: Any, **more: Any) -> Ask:
    """Track v1, of a person."""
    return Ask(method="POST", path=f"/api/v1/customers/{who}/events", body=body, **more)


def anonymous_event(body: Any, **more: Any) -> Ask:
    """Track v1, of nobody yet."""
    return Ask(method="POST", path="/api/v1/events", body=body, **more)


def delete(who: str, **more: Any) -> Ask:
    """Track v1."""
    return Ask(method="DELETE", path=f"/api/v1/customers/{who}", **more)


def suppress(who: str, **more: Any) -> Ask:
    """Track v1."""
    return Ask(method="POST", path=f"/api/v1/customers/{who}/suppress", **more)


def unsuppress(who: str, **more: Any) -> Ask:
    """Track v1."""
    return Ask(method="POST", path=f"/api/v1/customers/{who}/unsuppress", **more)


def merge(primary: Any, secondary: Any, **more: Any) -> Ask:
    """Track v1."""
    return Ask(method="POST", path="/api/v1/merge_customers", body={"primary": primary, "secondary": secondary}, **more)


def join(segment: str, ids: Any, query: str = "", **more: Any) -> Ask:
    """Track v1: people into a manual segment."""
    return Ask(method="POST", path=f"/api/v1/segments/{segment}/add_customers{query}", body={"ids": ids}, **more)


def leave(segment: str, ids: Any, query: str = "", **more: Any) -> Ask:
    """Track v1: people out of a manual segment."""
    return Ask(method="POST", path=f"/api/v1/segments/{segment}/remove_customers{query}", body={"ids": ids}, **more)


def entity(body: Any, **more: Any) -> Ask:
    """Track v2, one operation."""
    return Ask(method="POST", path="/api/v2/entity", body=body, **more)


def batch(*items: Any, **more: Any) -> Ask:
    """Track v2, several."""
    return Ask(method="POST", path="/api/v2/batch", body={"batch": list(items)}, **more)


def person(action: str, who: Any, **more: Any) -> dict[str, Any]:
    """A v2 operation on a person; `who` are the identifiers."""
    return {"type": "person", "action": action, "identifiers": who, **more}


def track(method: str, path: str, body: Any = None, **more: Any) -> Ask:
    """Any other request of the Track API."""
    return Ask(method=method, path=path, **({} if body is None else {"body": body}), **more)


def app(method: str, path: str, body: Any = None, **more: Any) -> Ask:
    """A request of the App API."""
    return Ask(method=method, path=path, api="app", **({} if body is None else {"body": body}), **more)


def search(where: Any, query: str = "", **more: Any) -> Ask:
    """App API: a people search."""
    return app("POST", f"/v1/customers{query}", {"filter": where}, **more)


def attributes(who: str, query: str = "", **more: Any) -> Ask:
    """App API: a profile."""
    return app("GET", f"/v1/customers/{who}/attributes{query}", **more)
