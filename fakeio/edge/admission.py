"""Who may go in: credentials, region, rate, in that order, judged after the weather had its first chance.

Each verdict is an answer with a rule. Sources: Track API and App API > Authentication, Rate limits, Regions.
"""

from __future__ import annotations

from fakeio.core.outcomes import Refused
from fakeio.core.settings import Settings
from fakeio.edge.clock import MANUAL
from fakeio.edge.errors import (
    APP_UNAUTHORIZED,
    TRACK_UNAUTHORIZED,
    app_rate_limited,
    meta_error,
    send_error,
)  # fmt: skip
from fakeio.edge.http import RawRequest, Reply
from fakeio.edge.regions import Gate, wrong_region
from fakeio.edge.registry import Claim, HostedWorkspace
from fakeio.edge.routing import APP, BASIC, KEY, OPEN, SEND, TRACK, Route
from fakeio.edge.work import Answered, refuse

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
    return _over_rate(route, hosted, n) if route.limited else None


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
    per_s = _allowed(route, settings)
    if per_s == 0 or settings.rate_limits != "enforced":
        return None
    with hosted.lock:
        if hosted.windows.admit(route.api, per_s, hosted.clock.now()):
            return None
    message = f"more than {per_s} requests in one second"
    if hosted.clock.mode == MANUAL:
        message += "; this workspace's clock is manual, so the second ends only when the clock is advanced"
    if route.api == TRACK:
        refused = Refused("track.rate", "rate_limited", "", message)
        return refuse(route.operation, refused, meta_error("rate limited", 429))
    reply = app_rate_limited(per_s, f"{n:06x}", 1)
    return refuse(route.operation, Refused("app.rate", "rate_limited", "", message), reply)


def _allowed(route: Route, settings: Settings) -> int:
    per_s: int = settings.track_rate_limit if route.api == TRACK else settings.app_rate_limit if route.api == APP else 0
    return per_s
