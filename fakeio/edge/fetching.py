"""Files that a caller names by URL: for imports, collections and broadcasts. Fetched beside the exchange, never in it.

Decides what may be fetched: `file:` and this machine alone, unless the workspace's setting `fetch_from` says
otherwise, redirects included. What the bytes mean is the business of whoever asked. Source: App API > Imports.
"""

from __future__ import annotations

import ipaddress
import threading
from collections.abc import Generator
from urllib.parse import urlsplit

import msgspec

from fakeio.edge.http import Wait

ANYWHERE, NOWHERE = "anywhere", "nowhere"
_GLANCE_S = 0.005


class Fetched(msgspec.Struct, frozen=True):
    """What came of it: the file, or (`error`) why there is none. `kind` is its content type, without parameters."""

    body: bytes = b""
    kind: str = ""
    error: str = ""


def may_fetch(url: str, fetch_from: str) -> str:
    """Why a URL is not fetched; empty when it is."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "The file's URL is malformed."
    if parts.scheme not in ("http", "https", "file"):
        return "The file's URL is not http, https or file."
    if fetch_from == ANYWHERE:
        return ""
    if fetch_from == NOWHERE or not (parts.scheme == "file" or _is_loopback(parts.hostname or "")):
        return "The file's URL is outside of what this workspace's setting fetch_from allows."
    return ""


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def fetch_aside(url: str, fetch_from: str) -> Generator[Wait, None, Fetched]:
    """Fetch in a thread of its own, yielding waits meanwhile; a file that can't be had is a value, never an error."""
    why_not = may_fetch(url, fetch_from)
    if why_not:
        return Fetched(error=why_not)
    found: list[Fetched] = []
    thread = threading.Thread(target=lambda: found.append(_download(url, fetch_from)), daemon=True)
    thread.start()
    while thread.is_alive():
        yield Wait(_GLANCE_S)
    return found[0] if found else Fetched(error="The file could not be fetched.")


def _download(url: str, fetch_from: str) -> Fetched:
    # urllib takes a while to import, and few servers ever fetch anything
    from fakeio.edge.download import download

    body, kind, error = download(url, lambda target: may_fetch(target, fetch_from), direct=fetch_from != ANYWHERE)
    return Fetched(body, kind, error)
