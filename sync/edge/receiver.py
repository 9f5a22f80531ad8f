"""The web application behind `cio-sync listen`: authorises, checks the size and shape, keeps, and only then answers.

Nothing here talks to Customer.io, so an answer comes as fast as a disk, whatever is wrong there. Every path takes JSON
by POST. What becomes of what was kept is for `sync/listening.py`.
Source of the paths and answers: Amplitude > Receiving behavioral cohorts; the path of a webhook is ours to choose.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hmac
import sqlite3
import time
from collections import Counter
from collections.abc import Awaitable, Callable

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from sync.core.pushes import (
    BadPush,
    ListName,
    Members,
    check_events,
    parse_cohort_webhook,
    parse_events,
    parse_json,
    parse_list_id,
    parse_list_ids,
    parse_new_list,
    parse_traits,
)
from sync.edge.inbox import Inbox

MOST_BYTES = 16 * 1024 * 1024  # 100,000 identifiers of 150 bytes
PATIENCE_S = 30.0  # for a body to come
METHODS = ("POST", "PUT")  # which of them creates a list is the integrator's to choose
PATHS = "/cohorts, /lists, /lists/ID/add, /lists/ID/remove, /traits and /events"
SECRET_HEADERS = ("x-api-key", "x-webhook-secret")
_BOM = b"\xef\xbb\xbf"
Take = Callable[["Receiver", Request, bytes], Response]


class Receiver:
    """Takes pushes for one inbox. `secret` empty: anybody who can reach the port may push."""

    def __init__(
        self, inbox: Inbox, *, secret: str = "", id_property: str = "user_id", most_bytes: int = MOST_BYTES,
        metrics: Callable[[], str] = lambda: "", now: Callable[[], float] = time.time,
    ) -> None:  # fmt: skip
        self.taken: Counter[str] = Counter()  # by kind of push, and by status of what was refused
        self._inbox = inbox
        self._secret = secret.encode()
        self._id_property = id_property
        self._most_bytes = most_bytes
        self._metrics = metrics
        self._now = now

    def app(self) -> Starlette:
        """Every path, as an ASGI application."""
        takes: dict[str, Take] = {
            "/": Receiver.take_any,
            "/cohorts": Receiver.take_cohort,
            "/traits": Receiver.take_traits,
            "/events": Receiver.take_events,
            "/lists": Receiver.take_new_list,
            "/lists/add": Receiver.take_added,
            "/lists/remove": Receiver.take_removed,
            "/lists/{list_id}/add": Receiver.take_added,
            "/lists/{list_id}/remove": Receiver.take_removed,
        }
        # a path that was configured with a slash at its end is the same one: nobody follows a redirect with a POST
        routes = [
            Route(written, self._guarded(take), methods=METHODS)
            for path, take in takes.items() for written in dict.fromkeys((path, f"{path.rstrip('/')}/"))
        ]  # fmt: skip
        looks = [Route("/health", self._health), Route("/metrics", self._tell_metrics)]
        told = {404: self._unrouted, 405: self._unrouted}
        return Starlette(routes=[*looks, *routes], exception_handlers=told)

    async def _unrouted(self, request: Request, error: Exception) -> Response:
        status = getattr(error, "status_code", 404)
        allowed = (getattr(error, "headers", None) or {}).get("Allow", "")
        why = f"use {allowed}" if allowed else f"there is no such path; the paths are {PATHS}"
        return self._refused(status, why)

    # -- who, and how much --------------------------------------------------------------------------------------------
    def _guarded(self, take: Take) -> Callable[[Request], Awaitable[Response]]:
        async def guarded(request: Request) -> Response:
            if not self._may_push(request):
                return self._refused(401, "the shared secret is missing or wrong")
            try:
                async with asyncio.timeout(PATIENCE_S):
                    body = await self._body(request)
            except ClientDisconnect:
                return Response(status_code=400)
            except TimeoutError:
                return self._refused(408, f"the body did not come within {PATIENCE_S:.0f} s")
            if body is None:
                return self._refused(413, f"more than {self._most_bytes} bytes")
            try:
                return await run_in_threadpool(take, self, request, body)
            except BadPush as error:
                return self._refused(400, str(error))
            except sqlite3.Error as error:  # a full disk, say: whoever pushed keeps it and comes again
                return self._refused(503, f"it could not be kept: {error}")

        return guarded

    def _may_push(self, request: Request) -> bool:
        """Compares in constant time, whichever way the secret comes: Bearer, either half of Basic, or a header."""
        if not self._secret:
            return True
        given = [request.headers.get(name, "").encode("latin-1") for name in SECRET_HEADERS]
        scheme, _, value = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            given.append(value.strip().encode("latin-1"))
        elif scheme.lower() == "basic":
            given.extend(_basic(value))
        # every candidate is compared, so that the time taken tells nothing of which one was near
        return True in [hmac.compare_digest(one, self._secret) for one in given]

    async def _body(self, request: Request) -> bytes | None:
        """All of it; None when it is too long, which is noticed before it is kept."""
        declared = request.headers.get("content-length", "0")
        if declared.isdigit() and int(declared) > self._most_bytes:
            return None
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > self._most_bytes:
                return None
        return bytes(body).removeprefix(_BOM)

    def _refused(self, status: int, why: str) -> Response:
        self.taken[f"refused_{status}"] += 1
        return JSONResponse({"error": why}, status_code=status)

    # -- cohorts ------------------------------------------------------------------------------------------------------
    def take_cohort(self, request: Request, body: bytes) -> Response:
        """A cohort webhook."""
        return self._keep([parse_cohort_webhook(parse_json(body), self._id_property)], "cohorts")

    def take_traits(self, request: Request, body: bytes) -> Response:
        """The property-based variant."""
        return self._keep(parse_traits(parse_json(body)), "traits")

    def take_new_list(self, request: Request, body: bytes) -> Response:
        """Answers the list's id flat and nested: which of the two Amplitude reads depends on who asks."""
        cohort = parse_new_list(parse_json(body))
        self.taken["lists"] += 1
        ids = {"listId": self._inbox.put_list(cohort)}
        ids["list_id"] = ids["listId"]
        return JSONResponse({**ids, "response": ids})

    def take_added(self, request: Request, body: bytes) -> Response:
        """People who entered a list."""
        return self._change_list(request, body, entered=True)

    def take_removed(self, request: Request, body: bytes) -> Response:
        """People who left a list."""
        return self._change_list(request, body, entered=False)

    def _change_list(self, request: Request, body: bytes, *, entered: bool) -> Response:
        document = parse_json(body)
        ids, unresolved = parse_list_ids(document, self._id_property)
        row = self._inbox.find_list(request.path_params.get("list_id") or parse_list_id(document) or "")
        if row is None:
            return self._refused(404, "there is no such list: create it first")
        return self._keep([Members(ListName(row.name, row.cohort_id), entered, ids, unresolved)], "list_calls")

    def _keep(self, pushes: list[Members], kind: str) -> Response:
        fresh = self._inbox.put_members(pushes, self._now())
        self.taken[kind] += fresh
        self.taken["repeated"] += len(pushes) - fresh
        self.taken["unresolved"] += sum(push.unresolved for push in pushes)
        return JSONResponse({})

    # -- events -------------------------------------------------------------------------------------------------------
    def take_events(self, request: Request, body: bytes) -> Response:
        """Streamed events and user updates."""
        lines = parse_events(body)
        check_events(lines)
        self._inbox.put_events(lines, self._now())
        self.taken["events"] += len(lines)
        return JSONResponse({})

    def take_any(self, request: Request, body: bytes) -> Response:
        """Whatever it is, by its shape: for a webhook whose address is only a host."""
        try:
            document = parse_json(body)
        except BadPush:
            document = None  # perhaps events, one a line
        take = next((take for key, take in _SHAPES.items() if isinstance(document, dict) and key in document), None)
        return (take or Receiver.take_events)(self, request, body)

    # -- looking ------------------------------------------------------------------------------------------------------
    async def _health(self, request: Request) -> Response:
        return JSONResponse({"status": "ok", "waiting": await run_in_threadpool(self._inbox.waiting)})

    async def _tell_metrics(self, request: Request) -> Response:
        return PlainTextResponse(await run_in_threadpool(self._metrics), media_type="text/plain; version=0.0.4")


_SHAPES: dict[str, Take] = {
    "in_cohort": Receiver.take_cohort,
    "users": Receiver.take_cohort,
    "traits": Receiver.take_traits,
    "batch": Receiver.take_traits,
}


def _basic(value: str) -> list[bytes]:
    try:
        user, _, password = base64.b64decode(value, validate=True).partition(b":")
    except (binascii.Error, ValueError):
        return []
    return [user, password]
