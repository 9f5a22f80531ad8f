"""Amplitude on the wire: small answers in memory, downloads to a file, and a pre-signed link without our credentials.

The other place that knows httpx; every exception is mapped by `transport.py`. Redirects are never followed by the
client itself: a link that an answer names gets no Authorization header, because storage services refuse a second way
of signing in, and because it is somebody else's host.
"""

from __future__ import annotations

import base64
import contextlib
import time
from typing import IO
from urllib.parse import urljoin, urlsplit

import httpx

from sync.core.sending import Failure, Reply, Request
from sync.edge.amplitude_settings import AmplitudeSettings
from sync.edge.transport import CONNECT_S, Network, map_exception
from sync.edge.version import USER_AGENT

WHOLE_S = 3600.0  # one download; four gigabytes at 10 Mbit/s
READ_S = 120.0  # an export is put together while we wait for its first byte
SMALL_BYTES = 64 * 1024 * 1024  # a list of cohorts is some kilobytes each; more than this is no list
HTTPX_ERRORS = (httpx.HTTPError, httpx.InvalidURL, httpx.CookieConflict, httpx.StreamError)
_LINK_REFUSED = Failure("link", may_have_applied=False, message="the storage behind the link refused")
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


class AmplitudeTransport:
    """Sends to one project. Use from one thread; close it, or use it as a context manager."""

    def __init__(self, settings: AmplitudeSettings, *, network: Network | None = None) -> None:
        """`network` replaces the wire in tests."""
        pair = f"{settings.api_key}:{settings.secret_key}".encode()
        self._origin = settings.origin
        self._authorization = {"authorization": f"Basic {base64.b64encode(pair).decode()}"}
        self._client = httpx.Client(
            transport=network,
            timeout=httpx.Timeout(READ_S, connect=CONNECT_S),
            follow_redirects=False,
            headers={"user-agent": USER_AGENT},
        )

    def send(self, request: Request) -> Reply | Failure:
        """One attempt at a small answer. Raises nothing of httpx's."""
        try:
            with self._open(request.path) as response:
                body = bytearray()
                for chunk in response.iter_bytes():
                    body += chunk
                    if len(body) > SMALL_BYTES:
                        return Failure("protocol", may_have_applied=True, message="the answer is too long to be one")
                return _reply(response, bytes(body))
        except HTTPX_ERRORS as error:
            return _failed(error)

    def download(self, path: str, sink: IO[bytes], *, encoding: str = "identity") -> Reply | Failure:
        """One attempt at a file: what comes with a 200 goes to `sink` as it was sent, still compressed.

        A redirect is followed once, to https or to where the prescribed origin's own scheme leads, without
        credentials; a link that its storage refuses is a Failure called `link`: the next attempt gets a fresh one.
        The reply has no body with a 200, and the refusal's beginning with any other status.
        """
        try:
            with self._open(path, encoding) as response:
                if response.status_code not in _REDIRECTS:
                    return self._kept(response, sink)
                link = self._link(response)
            if link is None:
                return Failure("redirect", may_have_applied=False, message="the link to the file can't be used")
            with self._client.stream("GET", link, headers={"accept-encoding": encoding}) as stored:
                reply = self._kept(stored, sink)
                return reply if isinstance(reply, Failure) or reply.status == 200 else _LINK_REFUSED
        except HTTPX_ERRORS as error:
            return _failed(error)

    def _open(self, path: str, encoding: str = "gzip") -> contextlib.AbstractContextManager[httpx.Response]:
        headers = {**self._authorization, "accept-encoding": encoding}
        return self._client.stream("GET", self._origin + path, headers=headers)

    def _link(self, response: httpx.Response) -> str | None:
        link = urljoin(self._origin, response.headers.get("location", ""))
        allowed = {"https", urlsplit(self._origin).scheme}
        return link if urlsplit(link).scheme in allowed and urlsplit(link).hostname else None

    def _kept(self, response: httpx.Response, sink: IO[bytes]) -> Reply | Failure:
        if response.status_code != 200:
            return _reply(response, next(response.iter_bytes(4096), b""))
        deadline = time.monotonic() + WHOLE_S
        for chunk in response.iter_raw():  # never unpacked here: a damaged or shortened gzip must be noticed
            sink.write(chunk)
            if time.monotonic() > deadline:
                return Failure("timeout", may_have_applied=False, message="the download did not end in time")
        return _reply(response, b"")

    def close(self) -> None:
        self._client.close()

    def __enter__(self) -> AmplitudeTransport:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _failed(error: Exception) -> Failure:
    failure = map_exception(error)
    assert failure is not None, "the table covers the four roots"
    return failure


def _reply(response: httpx.Response, body: bytes) -> Reply:
    headers = {name.lower(): value for name, value in response.headers.items()}
    return Reply(response.status_code, headers, body, time.time())
