"""Every control route in one list, who may call them, and the join to Starlette.

Meant for tests and for people at a terminal, so it answers only what a browser page of some other site could not
have sent: a loopback or bound `Host`, no foreign `Origin`, and the token where one is set. What a route does is in
the `control_*.py` beside this file. Source: interface, "Control API".
"""

from __future__ import annotations

import asyncio
import hmac
import socket
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route as StarletteRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from fakeio.edge import control_people as people
from fakeio.edge import control_requests as tape
from fakeio.edge import control_server as server
from fakeio.edge import control_state as state
from fakeio.edge import control_weather as weather
from fakeio.edge.control import PREFIX, Desk
from fakeio.edge.control_exchange import explain_request
from fakeio.edge.control_explain import explain
from fakeio.edge.control_export import export_all, export_one
from fakeio.edge.control_http import ANY, PAGED, Call, ControlError, ControlRoute, Result, refuse_unknown
from fakeio.edge.control_openapi import describe

if TYPE_CHECKING:
    from fakeio.edge.store import Store

TOKEN_HEADER = "x-fakeio-token"
_W = f"{PREFIX}/workspaces/{{w}}"
_WILDCARDS = ("0.0.0.0", "::")
_DEFAULT_PORTS = {"http": 80, "https": 443}


def openapi(call: Call) -> Result:
    """This description."""
    return Result(200, describe(ROUTES, server.version()))


ROUTES = (
    ControlRoute("GET", f"{PREFIX}/health", server.health),
    ControlRoute("GET", f"{PREFIX}/openapi.json", openapi),
    ControlRoute("GET", f"{PREFIX}/limits", server.limits),
    ControlRoute("GET", f"{PREFIX}/coverage", server.coverage),
    ControlRoute("GET", f"{PREFIX}/settings-catalogue", server.settings_catalogue),
    ControlRoute("GET", f"{PREFIX}/workspaces", server.list_workspaces, query=PAGED),
    ControlRoute("POST", f"{PREFIX}/workspaces", server.create_workspace, 201,
                 fields=("name", "region", "account", "settings", "seed")),
    ControlRoute("GET", _W, server.get_workspace),
    ControlRoute("DELETE", _W, server.delete_workspace, 204),
    ControlRoute("POST", f"{_W}/reset", server.reset_workspace, 204),
    ControlRoute("POST", f"{_W}/fork", state.fork_workspace, 201, fields=("name", "account")),
    ControlRoute("GET", f"{_W}/diff", state.diff_workspaces, query=("with", *PAGED)),
    ControlRoute("GET", f"{_W}/snapshot", state.get_snapshot),
    ControlRoute("PUT", f"{_W}/snapshot", state.restore_snapshot, 204, fields=ANY),
    ControlRoute("GET", f"{_W}/people", people.list_people, query=("id", "email", "cio_id", "q", *PAGED)),
    ControlRoute("POST", f"{_W}/people", people.seed_people, 201, fields=("people",)),
    ControlRoute("GET", f"{_W}/people/{{cio_id}}/explain", explain, query=("attribute", "segment")),
    ControlRoute("GET", f"{_W}/events", people.list_events, query=("person", "name", "type", *PAGED)),
    ControlRoute("GET", f"{_W}/segments", people.list_segments, query=PAGED),
    ControlRoute("POST", f"{_W}/segments", people.create_segment, 201,
                 fields=("name", "description", "type", "conditions")),
    ControlRoute("GET", f"{_W}/segments/{{id}}/members", people.list_members, query=PAGED),
    ControlRoute("GET", f"{_W}/activities", people.list_activities, query=("person", "type", *PAGED)),
    ControlRoute("GET", f"{_W}/objects", people.list_objects, query=PAGED),
    ControlRoute("GET", f"{_W}/deliveries", people.list_deliveries, query=PAGED),
    ControlRoute("GET", f"{_W}/suppressions", people.list_suppressions, query=PAGED),
    ControlRoute("GET", f"{_W}/requests", tape.list_requests,
                 query=("api", "path", "method", "status", "since", *PAGED)),
    ControlRoute("DELETE", f"{_W}/requests", tape.clear_requests, 204),
    ControlRoute("GET", f"{_W}/requests/{{n}}", tape.get_request),
    ControlRoute("GET", f"{_W}/requests/{{n}}/explain", explain_request),
    ControlRoute("GET", f"{_W}/requests/{{n}}/export", export_one, query=("as",)),
    ControlRoute("GET", f"{_W}/export", export_all, query=("as",)),
    ControlRoute("GET", f"{_W}/ignored", tape.list_ignored, query=PAGED),
    ControlRoute("POST", f"{_W}/verify", tape.verify,
                 fields=("method", "path", "body", "times", "at_least", "at_most")),
    ControlRoute("GET", f"{_W}/faults", weather.list_faults, query=PAGED),
    ControlRoute("POST", f"{_W}/faults", weather.add_fault, 201, fields=ANY),
    ControlRoute("PUT", f"{_W}/faults", weather.put_faults, fields=("faults", "next")),
    ControlRoute("DELETE", f"{_W}/faults", weather.clear_faults, 204),
    ControlRoute("DELETE", f"{_W}/faults/{{id}}", weather.remove_fault, 204),
    ControlRoute("GET", f"{_W}/clock", weather.get_clock),
    ControlRoute("PUT", f"{_W}/clock", weather.put_clock, fields=("now", "advance", "mode")),
    ControlRoute("POST", f"{_W}/flush", weather.flush, 204),
    ControlRoute("GET", f"{_W}/settings", weather.get_settings),
    ControlRoute("PATCH", f"{_W}/settings", weather.patch_settings, fields=ANY),
)  # fmt: skip


def build(desk: Desk) -> ASGIApp:
    """The ASGI app of the control API. It expects the whole path, `/_fakeio` included."""
    table = [StarletteRoute(row.path, _endpoint(row, desk), methods=[row.method]) for row in ROUTES]
    handlers: Mapping[Any, Any] = {ControlError: _refused, HTTPException: _unrouted, Exception: _broken}
    return _guarded(Starlette(routes=table, exception_handlers=handlers), desk)


def _guarded(app: ASGIApp, desk: Desk) -> ASGIApp:
    async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            check_caller(desk, Headers(scope=scope))
        except ControlError as refused:
            await _render(Result(refused.status, refused.as_dict()))(scope, receive, send)
        else:
            await app(scope, receive, send)

    return guarded


def _endpoint(row: ControlRoute, desk: Desk) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        refuse_unknown("parameter", request.query_params, row.query)
        try:
            body = b"" if row.fields is None else await request.body()
        except ClientDisconnect:
            return Response(status_code=400)  # the client left in the middle of its body: nobody reads this
        origin = f"{request.url.scheme}://{request.url.netloc}"
        call = Call(desk, request.path_params, request.query_params, body, row.fields or (), origin)
        with _remembering_bugs(desk):
            result = row.handler(call)
        if desk.universe.store is not None:
            await _settle(desk.universe.store)
        return _render(result)

    return answer


@contextmanager
def _remembering_bugs(desk: Desk) -> Iterator[None]:
    """Whatever nobody expected is our bug: the answer says so, and the fixtures raise it again."""
    try:
        yield
    except ControlError:
        raise
    except Exception as bug:
        desk.universe.registry.default.errors.append(bug)
        raise


async def _settle(store: Store) -> None:
    """Answer no sooner than what was done is on disk; raises ControlError where it can't be."""
    waiting = store.settled()
    # shielded: others wait for the same, and go on waiting when this client has left
    if waiting is not None and not await asyncio.shield(asyncio.wrap_future(waiting)):
        raise ControlError(500, "not_kept", str(store.failure), "the server stops: free the disk and start it again")


def check_caller(desk: Desk, headers: Mapping[str, str]) -> None:
    """Raise ControlError 403 for a foreign `Host` or `Origin`, 401 for a missing or wrong token."""
    host = headers.get("host", "")
    if not is_our_host(host, desk.host):
        raise ControlError(
            403, "foreign_host", f"the control API does not answer to the host {host[:100]!r}",
            f"call it at the address the server listens on ({desk.host}) or at localhost",
        )  # fmt: skip
    origin = headers.get("origin")
    if origin is not None and not is_our_page(origin, host, desk.host):
        raise ControlError(
            403, "foreign_origin", f"the control API does not answer to pages of {origin[:100]!r}",
            "call it from a test or a terminal, or from a page this server served",
        )  # fmt: skip
    if desk.token is not None and not hmac.compare_digest(desk.token.encode(), _sent_token(headers)):
        raise ControlError(
            401, "bad_token", "this server was started with --control-token",
            f"send the token in the header {TOKEN_HEADER}",
        )  # fmt: skip


def is_our_page(origin: str, host: str, bound: str) -> bool:
    """Whether a page of that origin came from this very server: its host is ours, and its port the one that is called.

    Another port of this machine is somebody else's: a development server, say, whose pages load whatever they like.
    """
    scheme, _, netloc = origin.partition("://")
    usual = _DEFAULT_PORTS.get(scheme)
    return usual is not None and is_our_host(netloc, bound) and _port(netloc, usual) == _port(host, usual)


def _port(netloc: str, usual: int) -> int | None:
    try:
        return urlsplit(f"//{netloc}").port or usual
    except ValueError:
        return None


def is_our_host(netloc: str, bound: str) -> bool:
    """Whether a `Host` (with or without port) is loopback or what the server is bound to.

    Bound to every address of a machine, any address literal is ours, and the machine's name; no other name can be, or
    a page elsewhere could point its own name here.
    """
    if _port(netloc, 0) is None:
        return False  # what stands where the port should is repeated in scripts and links
    host = (urlsplit(f"//{netloc}").hostname or "").rstrip(".")
    address = _address(host)
    if address is not None and (address.is_loopback or bound in _WILDCARDS):
        return True
    names = {"localhost", bound.lower(), *(_machine_names() if bound in _WILDCARDS else ())}
    return host in names


def _address(host: str) -> Any:
    try:
        return ip_address(host)
    except ValueError:
        return None


@cache
def _machine_names() -> tuple[str, ...]:
    return (socket.gethostname().lower(),)


def _sent_token(headers: Mapping[str, str]) -> bytes:
    return headers.get(TOKEN_HEADER, "").encode()


def _render(result: Result) -> Response:
    if result.status == 204:
        return Response(status_code=204)
    if result.text is not None:
        return Response(result.text, result.status, media_type="text/plain")
    return Response(msgspec.json.encode(result.document), result.status, media_type="application/json")


async def _refused(request: Request, error: ControlError) -> Response:
    return _render(Result(error.status, error.as_dict()))


async def _unrouted(request: Request, error: HTTPException) -> Response:
    known = "GET /_fakeio/openapi.json lists what there is"
    if error.status_code == 405:
        said = ControlError(405, "wrong_method", f"{request.method} is not possible here", known)
    else:
        said = ControlError(404, "unknown_route", f"there is no control route {request.url.path[:100]!r}", known)
    return _render(Result(said.status, said.as_dict()))


async def _broken(request: Request, error: Exception) -> Response:
    """A bug of ours: said so, and raised again by Starlette for the server's log."""
    said = ControlError(500, "bug", f"the fake failed: {type(error).__name__}", "please report it with the log")
    return _render(Result(500, said.as_dict()))
