"""Who may go in: credentials, region, rate, in that order, judged after the weather had its first chance.

Each verdict is an answer with a rule. Sources: Track API and App API > Authentication, Rate limits, Regions.
"""

from __future__ import annotations

import math

from fakeio.core.outcomes import Refused
from fakeio.core.settings import Settings
from fakeio.edge.clock import MANUAL
from fakeio.edge.errors import (
    APP_UNAUTHORIZED,
    TRACK_RATE_LIMITED,
    TRACK_UNAUTHORIZED,
    app_error,
    app_rate_limited,
    meta_error,
    send_error,
)  # fmt: skip
from fakeio.edge.http import RawRequest, Reply
from fakeio.edge.regions import Gate, wrong_region
from fakeio.edge.registry import WORKSPACE_HEADER, Claim, HostedWorkspace
from fakeio.edge.routing import APP, BASIC, KEY, OPEN, SEND, TRACK, Route
from fakeio.edge.scopes import covers
from fakeio.edge.work import Answered, refuse

_SENDS = "sends"  # counted apart from the rest of the App API

_UNAUTHORIZED: dict[str, Reply] = {
    BASIC: TRACK_UNAUTHORIZED,
    KEY: APP_UNAUTHORIZED,
    SEND: send_error(401, "Unauthorized"),
}


def admit(
    route: Route, claim: Claim, hosted: HostedWorkspace, gate: Gate | None, request: RawRequest, n: int
) -> Answered | None:
    """The answer to a request that may not go in; None when it may."""
    if route.auth != OPEN:
        if not (claim.track if route.auth == BASIC else claim.app or (claim.service and route.auth == SEND)):
            return _refused_credentials(route, claim)
        if gate is not None and not route.anywhere:
            elsewhere = wrong_region(gate, hosted.region, hosted.state.settings, request)
            if elsewhere is not None:
                return _refused_region(route, gate, hosted.region, elsewhere)
        if claim.service:
            misplaced = _misplaced(route, hosted, request)
            if misplaced is not None:
                return misplaced
        if claim.app and not covers(hosted.state.settings.app_key_scope, route):
            return _out_of_scope(route, hosted.state.settings)
    return _over_rate(route, hosted, n) if route.limited or route.quota else None


def _out_of_scope(route: Route, settings: Settings) -> Answered:
    message = f"the key may not do this: app_key_scope is {settings.app_key_scope}"
    reply = send_error(403, "forbidden") if route.auth == SEND else app_error(403, "forbidden")
    return refuse(route.operation, Refused("app.scope", "forbidden", "authorization", message), reply)


def _misplaced(route: Route, hosted: HostedWorkspace, request: RawRequest) -> Answered | None:
    """A service account works in many workspaces, so it says in which; only in those of its own account."""
    said = request.header(WORKSPACE_HEADER)
    if not said:
        refused = Refused("app.send.workspace", "required", "x-workspace-id", "a service account names a workspace")
        return refuse(route.operation, refused, send_error(400, "workspace_id is required"))
    if said.strip() == str(hosted.id).encode("ascii"):
        return None
    refused = Refused("auth", "unauthorized", "x-workspace-id", "the service account has no such workspace")
    return refuse(route.operation, refused, _UNAUTHORIZED[SEND])


def _refused_credentials(route: Route, claim: Claim) -> Answered:
    whose = "they name nobody here" if claim.hosted is None else "they are not the ones this route takes"
    wanted = "Site ID and Track API key" if route.auth == BASIC else "an App API key as Bearer token"
    refused = Refused("auth", "unauthorized", "authorization", f"{wanted} expected; {whose}")
    return refuse(route.operation, refused, _UNAUTHORIZED[route.auth])


def _refused_region(route: Route, gate: Gate, region: str, reply: Reply) -> Answered:
    message = f"credentials of region {region} on the {gate.region} host"
    return refuse(route.operation, Refused("route.region", "wrong_region", "host", message), reply)


def _over_rate(route: Route, hosted: HostedWorkspace, n: int) -> Answered | None:
    settings = hosted.state.settings
    if settings.rate_limits != "enforced":
        return None
    with hosted.lock:
        now = hosted.clock.now()
        per_s = _allowed(route, settings)
        if per_s and not hosted.windows.admit(_SENDS if route.auth == SEND else route.api, per_s, now):
            return _refused_rate(route, hosted, n, per_s, 1, 1)
        if route.quota is None:
            return None
        wait_s = hosted.windows.admit_in(route.operation, route.quota.most, route.quota.window_s, now)
    if wait_s == 0:
        return None
    return _refused_rate(
        route, hosted, n, route.quota.most, route.quota.window_s, math.ceil(wait_s) if route.quota.tells_when else None
    )


def _refused_rate(
    route: Route, hosted: HostedWorkspace, n: int, most: int, window_s: int, retry_after_s: int | None
) -> Answered:
    message = f"more than {most} requests in {'one second' if window_s == 1 else f'{window_s} seconds'}"
    if hosted.clock.mode == MANUAL:
        message += "; this workspace's clock is manual, so time passes only when the clock is advanced"
    if route.api == TRACK:
        refused = Refused("track.rate", "rate_limited", "", message)
        as_text = hosted.state.settings.track_rate_limited_body == "text"
        return refuse(route.operation, refused, TRACK_RATE_LIMITED if as_text else meta_error("rate limited", 429))
    rule = "app.rate" if window_s == 1 else "app.quota"
    refused = Refused(rule, "rate_limited", "", message)
    if route.auth == SEND:
        return refuse(route.operation, refused, send_error(429, f"rate limited to {most} requests per {window_s}s"))
    return refuse(route.operation, refused, app_rate_limited(most, window_s, f"{n:06x}", retry_after_s))


def _allowed(route: Route, settings: Settings) -> int:
    if not route.limited:
        return 0
    if route.auth == SEND:
        return int(settings.send_rate_limit)
    per_s: int = settings.track_rate_limit if route.api == TRACK else settings.app_rate_limit if route.api == APP else 0
    return per_s
