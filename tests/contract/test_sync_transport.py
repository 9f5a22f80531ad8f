"""The engine's only use of httpx: every exception has a meaning, credentials stay home, time is bounded."""

from __future__ import annotations

import inspect
import ssl
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from sync.core.sending import Failure, Reply, Request
from sync.edge import transport
from sync.edge.transport import EXCEPTIONS, NEVER_SENT, Endpoints, Transport, map_exception

ENDPOINTS = Endpoints("http://track.test", "http://app.test", "site", "track-secret", "app-secret")
GET = Request("track", "GET", "/api/v1/accounts/region")

# The other half of the table in transport.py, typed by hand: what each of httpx's exceptions means to a run.
MEANING = {
    "CloseError": ("reset", True),
    "ConnectError": ("connect", False),
    "ConnectTimeout": ("connect", False),
    "CookieConflict": ("protocol", True),
    "DecodingError": ("decoding", True),
    "HTTPError": ("reset", True),
    "HTTPStatusError": ("protocol", True),
    "InvalidURL": ("url", False),
    "LocalProtocolError": ("request", False),
    "NetworkError": ("reset", True),
    "PoolTimeout": ("connect", False),
    "ProtocolError": ("protocol", True),
    "ProxyError": ("proxy", False),
    "ReadError": ("reset", True),
    "ReadTimeout": ("timeout", True),
    "RemoteProtocolError": ("protocol", True),
    "RequestError": ("reset", True),
    "RequestNotRead": ("protocol", True),
    "ResponseNotRead": ("protocol", True),
    "StreamClosed": ("protocol", True),
    "StreamConsumed": ("protocol", True),
    "StreamError": ("protocol", True),
    "TimeoutException": ("timeout", True),
    "TooManyRedirects": ("redirect", True),
    "TransportError": ("reset", True),
    "UnsupportedProtocol": ("url", False),
    "WriteError": ("reset", True),
    "WriteTimeout": ("timeout", True),
}


def httpx_exceptions() -> dict[str, type[Exception]]:
    return {name: one for name, one in vars(httpx).items() if inspect.isclass(one) and issubclass(one, Exception)}


def test_every_exception_of_httpx_has_a_row() -> None:
    assert sorted(httpx_exceptions()) == sorted(MEANING)
    assert {one.__name__ for one in EXCEPTIONS} == set(MEANING)


@pytest.mark.parametrize("name", sorted(MEANING))
def test_an_exception_means(name: str) -> None:
    error = httpx_exceptions()[name].__new__(httpx_exceptions()[name])
    failure = map_exception(error)
    assert failure is not None
    assert (failure.kind, failure.may_have_applied) == MEANING[name]
    assert failure.message


def test_a_bug_is_not_taken_for_the_network() -> None:
    assert map_exception(ValueError("a bug")) is None


def test_a_certificate_that_is_not_trusted_says_so() -> None:
    failure = map_exception(httpx.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed"))
    assert failure is not None
    assert "SSL_CERT_FILE" in failure.message
    assert failure.kind in NEVER_SENT


class Recorder(httpx.BaseTransport):
    """Answers what it was made with and keeps the requests."""

    def __init__(self, answer: httpx.Response | Exception) -> None:
        self.answer = answer
        self.requests: list[httpx.Request] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def send(answer: httpx.Response | Exception, request: Request = GET) -> tuple[Reply | Failure, httpx.Request]:
    recorder = Recorder(answer)
    with Transport(ENDPOINTS, transport=recorder) as sender:
        return sender.send(request), recorder.requests[0]


def test_a_track_request_carries_basic_credentials() -> None:
    _, sent = send(httpx.Response(200))
    assert str(sent.url) == "http://track.test/api/v1/accounts/region"
    assert sent.headers["authorization"] == "Basic c2l0ZTp0cmFjay1zZWNyZXQ="
    assert sent.headers["user-agent"].startswith("cio-sync/")
    assert "content-type" not in sent.headers


def test_an_app_request_carries_the_bearer_key_and_its_body() -> None:
    _, sent = send(httpx.Response(200), Request("app", "POST", "/v1/segments?x=%2B", b'{"a":1}'))
    assert str(sent.url) == "http://app.test/v1/segments?x=%2B"
    assert sent.headers["authorization"] == "Bearer app-secret"
    assert sent.headers["content-type"] == "application/json"
    assert sent.content == b'{"a":1}'


@pytest.mark.parametrize("path", ["/api/v1/customers/a%2Fb", "/api/v1/customers/%25%26*%40!~"])
def test_a_path_travels_as_it_was_encoded(path: str) -> None:
    _, sent = send(httpx.Response(200), Request("track", "PUT", path, b"{}"))
    assert sent.url.raw_path == path.encode()


def test_a_reply_has_lower_case_headers_and_a_whole_body() -> None:
    reply, _ = send(httpx.Response(429, headers={"Retry-After": "7"}, content=b"slow down"))
    assert isinstance(reply, Reply)
    assert (reply.status, reply.headers["retry-after"], reply.body) == (429, "7", b"slow down")
    assert reply.received_at > 1_600_000_000


def test_a_redirect_is_an_answer_and_nothing_is_sent_elsewhere() -> None:
    recorder = Recorder(httpx.Response(307, headers={"location": "http://elsewhere.test/"}))
    with Transport(ENDPOINTS, transport=recorder) as sender:
        reply = sender.send(GET)
    assert isinstance(reply, Reply)
    assert reply.status == 307
    assert [request.url.host for request in recorder.requests] == ["track.test"]


def test_a_broken_compression_is_a_failure() -> None:
    answer = httpx.Response(200, headers={"content-encoding": "gzip"}, stream=Pieces([b"not gzip"]))
    assert send(answer)[0] == Failure("decoding", True, "the answer's compression was broken")


class Pieces(httpx.SyncByteStream):
    def __init__(self, pieces: list[bytes]) -> None:
        self.pieces = pieces

    def __iter__(self) -> Iterator[bytes]:
        yield from self.pieces


def test_an_answer_that_drips_for_ever_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "WHOLE_S", -1.0)
    failure, _ = send(httpx.Response(200, stream=Pieces([b"a", b"b"])))
    assert failure == Failure("timeout", True, "the answer did not end in time")


@pytest.mark.parametrize(("scheme", "trusted"), [("http", False), ("https", True)])
def test_authorities_are_read_only_where_somebody_has_to_be_trusted(
    monkeypatch: pytest.MonkeyPatch, scheme: str, trusted: bool
) -> None:
    monkeypatch.setattr(transport, "getproxies", dict)
    endpoints = ENDPOINTS._replace(track_url=f"{scheme}://track.test")
    seen: list[ssl.SSLContext] = []

    def client(**options: Any) -> Silent:
        seen.append(options["verify"])
        return Silent()

    monkeypatch.setattr(httpx, "Client", client)
    with Transport(endpoints) as sender:
        sender.send(GET)
    (context,) = seen
    assert bool(context.get_ca_certs()) == trusted
    assert context.verify_mode is ssl.CERT_REQUIRED


class Silent(httpx.Client):
    """A client that gets no answer."""

    def __init__(self) -> None:
        super().__init__(transport=httpx.MockTransport(self._refuse))

    def _refuse(self, request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("nobody there")


def test_an_error_that_repeats_our_credentials_is_read_without_them() -> None:
    reply, _ = send(httpx.Response(400, text="no such key: track-secret or app-secret"))
    assert isinstance(reply, Reply)
    assert reply.body == b"no such key: *** or ***"


def test_credentials_do_not_show() -> None:
    assert "secret" not in repr(ENDPOINTS)
    failure, _ = send(httpx.ConnectError("http://user:track-secret@track.test failed"))
    assert "secret" not in str(failure)
