"""The six real hosts: which product and region each serves, and what happens to credentials of the other region.

Decides only for requests whose `Host` is one of the six; any other origin serves everything in the credentials' own
region. Sources: Track API > Regions; interface, "regional hosts"; the two switches `*_wrong_region`.
"""

from __future__ import annotations

from typing import NamedTuple

from fakeio.core.settings import Settings
from fakeio.edge.errors import APP_UNAUTHORIZED, TRACK_UNAUTHORIZED, app_redirect, track_redirect
from fakeio.edge.http import RawRequest, Reply
from fakeio.edge.routing import APP, PIPELINES, TRACK


class Gate(NamedTuple):
    """What one real host serves."""

    api: str
    region: str


GATES: dict[bytes, Gate] = {
    b"track.customer.io": Gate(TRACK, "us"),
    b"track-eu.customer.io": Gate(TRACK, "eu"),
    b"api.customer.io": Gate(APP, "us"),
    b"api-eu.customer.io": Gate(APP, "eu"),
    b"cdp.customer.io": Gate(PIPELINES, "us"),
    b"cdp-eu.customer.io": Gate(PIPELINES, "eu"),
}
TRACK_URLS = {"us": "https://track.customer.io", "eu": "https://track-eu.customer.io"}
APP_URLS = {"us": "https://api.customer.io", "eu": "https://api-eu.customer.io"}


def gate_of(host: bytes | None) -> Gate | None:
    """The gate that a `Host` header names, whatever its case and port."""
    if host is None:
        return None
    return GATES.get(host.partition(b":")[0].rstrip(b".").lower())


def wrong_region(gate: Gate, region: str, settings: Settings, request: RawRequest) -> Reply | None:
    """The answer to credentials of `region` at that gate; None when they may pass.

    US credentials never work on an EU host. EU credentials on a US host are passed on, redirected or refused.
    """
    if gate.region == region:
        return None
    if gate.api == TRACK:
        return _wrong_track_region(gate, settings, request)
    if gate.region == "us" and settings.app_wrong_region == "redirect_301":
        return app_redirect(_elsewhere(APP_URLS["eu"], request))
    return APP_UNAUTHORIZED


def _wrong_track_region(gate: Gate, settings: Settings, request: RawRequest) -> Reply | None:
    choice = settings.track_wrong_region if gate.region == "us" else "401"
    if choice == "pass":
        return None
    if choice == "401":
        return TRACK_UNAUTHORIZED
    return track_redirect(int(choice.removeprefix("redirect_")), _elsewhere(TRACK_URLS["eu"], request))


def _elsewhere(origin: str, request: RawRequest) -> str:
    query = f"?{request.query.decode('latin-1')}" if request.query else ""
    return f"{origin}{request.path}{query}"
