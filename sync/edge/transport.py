"""The only place that knows httpx: a request in, a reply or a failure out, every exception mapped once.

Adds credentials and base urls, follows no redirect (credentials must not travel to a host that an answer names), and
bounds the time of a whole exchange, so that a server that drips bytes can't hold a run. Retrying is `sending.py`.
"""

from __future__ import annotations

import base64
import ssl
import threading
import time
from typing import NamedTuple
from urllib.request import getproxies

import httpx

from sync.core.sending import Failure, Reply, Request
from sync.edge.version import USER_AGENT

Network = httpx.BaseTransport  # what may stand in for the network, under a name that others may import
CONNECT_S, READ_S, WHOLE_S = 10.0, 30.0, 90.0


# What each exception is called here; the nearest class wins. A contract test lists every exception of httpx.
EXCEPTIONS: dict[type[Exception], str] = {
    httpx.ConnectTimeout: "connect",
    httpx.PoolTimeout: "connect",
    httpx.ReadTimeout: "timeout",
    httpx.WriteTimeout: "timeout",
    httpx.TimeoutException: "timeout",
    httpx.ConnectError: "connect",
    httpx.ReadError: "reset",
    httpx.WriteError: "reset",
    httpx.CloseError: "reset",
    httpx.NetworkError: "reset",
    httpx.ProxyError: "proxy",
    httpx.UnsupportedProtocol: "url",
    httpx.LocalProtocolError: "request",
    httpx.RemoteProtocolError: "protocol",
    httpx.ProtocolError: "protocol",
    httpx.TransportError: "reset",
    httpx.DecodingError: "decoding",
    httpx.TooManyRedirects: "redirect",
    httpx.RequestError: "reset",
    httpx.HTTPStatusError: "protocol",
    httpx.HTTPError: "reset",
    httpx.InvalidURL: "url",
    httpx.CookieConflict: "protocol",
    httpx.StreamConsumed: "protocol",
    httpx.StreamClosed: "protocol",
    httpx.ResponseNotRead: "protocol",
    httpx.RequestNotRead: "protocol",
    httpx.StreamError: "protocol",
}
# These happen before a whole request can have left. A broken write is not among them: a server may act on what the
# kernel had already sent, or answer and close before it read everything.
NEVER_SENT = frozenset({"connect", "proxy", "url", "request"})
_SENTENCES = {
    "connect": "could not connect",
    "timeout": "no answer in time",
    "reset": "the connection broke",
    "proxy": "the proxy refused",
    "url": "the url can't be used",
    "request": "the request can't be put into HTTP",
    "protocol": "the answer was not whole or not HTTP",
    "decoding": "the answer's compression was broken",
    "redirect": "too many redirects",
}


def map_exception(error: Exception) -> Failure | None:
    """The failure that an httpx exception stands for; None for anything that is not httpx's (a bug: let it rise)."""
    kind = next((EXCEPTIONS[one] for one in type(error).__mro__ if one in EXCEPTIONS), None)
    return None if kind is None else Failure(kind, kind not in NEVER_SENT, _sentence(kind, error))


def _sentence(kind: str, error: Exception) -> str:
    # the text of a failed handshake says what to mend and holds no secret; other texts might hold a url
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        return "could not connect: the server's certificate is not trusted (SSL_CERT_FILE names another authority)"
    return _SENTENCES[kind]


class Endpoints(NamedTuple):
    """Where each API is and what opens it. Origins have no path and no trailing slash."""

    track_url: str
    app_url: str
    site_id: str
    track_api_key: str
    app_api_key: str

    def authorization(self, api: str) -> str:
        if api == "app":
            return f"Bearer {self.app_api_key}"
        pair = f"{self.site_id}:{self.track_api_key}".encode()
        return f"Basic {base64.b64encode(pair).decode()}"

    def __repr__(self) -> str:
        return f"Endpoints(track_url={self.track_url!r}, app_url={self.app_url!r}, credentials hidden)"


def _tls_context(*, needed: bool) -> ssl.SSLContext:
    """One for the clients of all threads, for reading the authorities takes longer than a request. Where nothing but
    plain http can be spoken, one that trusts nobody costs nothing."""
    return httpx.create_ssl_context() if needed or getproxies() else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


class Transport:
    """Sends to one destination. Each thread that calls `send` gets a client of its own."""

    def __init__(self, endpoints: Endpoints, *, transport: Network | None = None) -> None:
        """`transport` replaces the network: a test's httpx transport, or the fake's."""
        self._urls = {"track": endpoints.track_url, "app": endpoints.app_url}
        self._headers = {
            api: {"authorization": endpoints.authorization(api), "user-agent": USER_AGENT, "accept": "application/json"}
            for api in self._urls
        }
        self._keys = [key.encode() for key in (endpoints.track_api_key, endpoints.app_api_key) if len(key) > 5]
        self._transport = transport
        self._tls = _tls_context(needed=any(url.startswith("https:") for url in self._urls.values()))
        self._mine = threading.local()
        self._all: list[httpx.Client] = []
        self._lock = threading.Lock()

    def send(self, request: Request) -> Reply | Failure:
        """One attempt. Returns a Failure for everything that went wrong on the way; raises nothing of httpx's."""
        headers = self._headers[request.api]
        if request.body is not None:
            headers = {**headers, "content-type": "application/json"}
        try:
            return self._exchange(request, headers)
        except (httpx.HTTPError, httpx.InvalidURL, httpx.CookieConflict, httpx.StreamError) as error:
            failure = map_exception(error)
            assert failure is not None, "the table covers the four roots"
            return failure

    def _exchange(self, request: Request, headers: dict[str, str]) -> Reply | Failure:
        url = self._urls[request.api] + request.path
        deadline = time.monotonic() + WHOLE_S
        with self._client().stream(request.method, url, headers=headers, content=request.body) as response:
            chunks = []
            for chunk in response.iter_bytes():
                chunks.append(chunk)
                if time.monotonic() > deadline:
                    return Failure("timeout", may_have_applied=True, message="the answer did not end in time")
            lowered = {name.lower(): value for name, value in response.headers.items()}
            body = b"".join(chunks)
            return Reply(response.status_code, lowered, self._masked(response.status_code, body), time.time())

    def _masked(self, status: int, body: bytes) -> bytes:
        """An error's text is told and kept, so an answer that repeats our keys must not bring them there."""
        if status >= 400:
            for key in self._keys:
                body = body.replace(key, b"***")
        return body

    def _client(self) -> httpx.Client:
        client: httpx.Client | None = getattr(self._mine, "client", None)
        if client is None:
            client = httpx.Client(
                transport=self._transport,
                verify=self._tls,
                timeout=httpx.Timeout(READ_S, connect=CONNECT_S),
                follow_redirects=False,
            )
            self._mine.client = client
            with self._lock:
                self._all.append(client)
        return client

    def close(self) -> None:
        """Close every connection of every thread."""
        with self._lock:
            clients, self._all = self._all, []
        for client in clients:
            client.close()

    def __enter__(self) -> Transport:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
