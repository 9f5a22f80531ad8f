"""What the first lines of a request to a proxy say: where to, whether as a tunnel, and how to hand the request on.

Pure: bytes in, values and bytes out. Sources: RFC 9110, section 9.3.6 (CONNECT), RFC 9112, section 3.2 (the forms of a
request's target) and RFC 9110, section 7.6.1 (headers that end at a proxy).
"""

from __future__ import annotations

import base64
from typing import NamedTuple
from urllib.parse import SplitResult, unquote, urlsplit

HTTPS_PORT = 443
_DEFAULT_PORTS = {"http": 80, "https": HTTPS_PORT}
_OURS = (b"proxy-connection", b"proxy-authorization", b"connection", b"keep-alive", b"host")  # they end here


class BadHead(ValueError):
    """This is no request to a proxy; the message says what to do."""


class Head(NamedTuple):
    """Request line and header lines, as they came."""

    method: str
    target: str
    lines: list[bytes]


class Destination(NamedTuple):
    """Where a client wants to go. `host` is lower case; `tunnel` for a CONNECT, whose `path` is empty."""

    scheme: str
    host: str
    port: int
    tunnel: bool
    path: str = ""

    @property
    def authority(self) -> str:
        """The host as a `Host` header names it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"

    def origin_form(self, head: Head) -> bytes:
        """The request as its own server expects it: the last of its connection, since the next may go elsewhere."""
        kept = [line for line in head.lines if line.partition(b":")[0].strip().lower() not in _OURS]
        first = f"{head.method} {self.path} HTTP/1.1\r\nHost: {self.authority}\r\n".encode("latin-1")
        return first + b"".join(line + b"\r\n" for line in kept) + b"Connection: close\r\n\r\n"


class Upstream(NamedTuple):
    """The caller's own proxy. `credentials` are what its address held, as `user:password`."""

    host: str
    port: int
    tls: bool
    credentials: str

    def connect_to(self, destination: Destination) -> bytes:
        """The request for a tunnel."""
        host = f"[{destination.host}]" if ":" in destination.host else destination.host
        place = f"{host}:{destination.port}"
        lines = [f"CONNECT {place} HTTP/1.1", f"Host: {place}"]
        if self.credentials:
            token = base64.b64encode(self.credentials.encode()).decode("ascii")
            lines.append(f"Proxy-Authorization: Basic {token}")
        return "\r\n".join([*lines, "", ""]).encode("latin-1")


def parse_head(raw: bytes) -> Head:
    """The lines up to the empty one; raises BadHead."""
    first, *lines = raw.rstrip(b"\r\n").split(b"\r\n")
    words = first.decode("latin-1").split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/1."):
        raise BadHead("this is an HTTP proxy, and that was no HTTP/1.1 request")
    return Head(words[0], words[1], lines)


def destination_of(head: Head) -> Destination:
    """Where the request is to go; raises BadHead."""
    tunnel = head.method == "CONNECT"
    try:
        url = urlsplit(f"https://{head.target}" if tunnel else head.target)
        port = url.port
    except ValueError:
        raise BadHead(f"{head.target!r:.200} is no address") from None
    if url.scheme not in _DEFAULT_PORTS or not url.hostname:
        raise BadHead("this is a proxy: name it in HTTPS_PROXY; the fake itself listens at FAKEIO_URL")
    host = url.hostname.lower().rstrip(".")
    port = _DEFAULT_PORTS[url.scheme] if port is None else port
    if tunnel:
        return Destination("https" if port != _DEFAULT_PORTS["http"] else "http", host, port, tunnel=True)
    return Destination(url.scheme, host, port, tunnel=False, path=_path(url, head.method))


def parse_upstream(address: str) -> Upstream:
    """A proxy as HTTPS_PROXY names it, with or without a scheme; raises BadHead."""
    url = urlsplit(address if "://" in address else f"http://{address}")
    if url.scheme not in _DEFAULT_PORTS or not url.hostname:
        raise BadHead("your own proxy is none that speaks HTTP")
    name, password = unquote(url.username or ""), unquote(url.password or "")
    credentials = f"{name}:{password}" if name or password else ""
    return Upstream(url.hostname, url.port or _DEFAULT_PORTS[url.scheme], url.scheme == "https", credentials)


def _path(url: SplitResult, method: str) -> str:
    query = f"?{url.query}" if url.query else ""
    if not url.path and method == "OPTIONS":
        return "*" + query
    return (url.path or "/") + query
