"""Answers of Customer.io that are not about any one route: successes, error envelopes, header sets; byte for byte.

One function an envelope. Which envelope a route uses is the route's business; what went wrong is a `Refused` made
elsewhere. Sources: Track API > Errors and recorded answers of 2015 to 2026; App API > Errors and two recorded answers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from http import HTTPStatus
from typing import Any

import msgspec

from fakeio.core.outcomes import Refused
from fakeio.edge.http import Headers, Reply

JSON = (b"content-type", b"application/json; charset=utf-8")
_ANY_ORIGIN = (b"access-control-allow-origin", b"*")
_VIA = (b"via", b"1.1 google")
_CHUNKED = (b"transfer-encoding", b"chunked")

# Sent only to the six real hosts: a browser would remember them for all of localhost.
PINNING: Headers = (
    (b"strict-transport-security", b"max-age=31536000; includeSubDomains"),
    (b"alt-svc", b'h3=":443"; ma=2592000,h3-29=":443"; ma=2592000'),
)


# ---- Track -----------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=64)
def _track_headers(status: int) -> Headers:
    """As recorded on every success of 2026; the literal `status` header repeats the status line."""
    return (
        _ANY_ORIGIN, (b"cache-control", b"no-cache, no-store, must-revalidate, max-age=0"), JSON,
        _status_header(status), _VIA,
    )  # fmt: skip


def _status_header(status: int) -> tuple[bytes, bytes]:
    return b"status", f"{status} {HTTPStatus(status).phrase}".encode("ascii")


def pretty(value: Any) -> bytes:
    """JSON the way the Track service writes it: two spaces of indent and a newline at the end."""
    return msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n"


TRACK_NO_CONTENT = Reply(204, tuple(header for header in _track_headers(204) if header != JSON))
TRACK_OK = Reply(200, _track_headers(200), b"{}\n")


def track_json(value: Any, status: int = 200) -> Reply:
    return Reply(status, _track_headers(status), pretty(value))


TRACK_UNAUTHORIZED = Reply(
    401,
    # the recorded 401s carry neither cache-control nor access-control-allow-origin
    (JSON, _status_header(401), (b"www-authenticate", b'Basic realm="Customer.io edge event collection"'), _VIA),
    pretty({"meta": {"error": "Unauthorized request"}}),
)


TRACK_RATE_LIMITED = Reply(  # by switch
    429, ((b"content-type", b"text/plain; charset=utf-8"), _status_header(429), _VIA), b"rate limited"
)


def meta_error(message: str, status: int = 400) -> Reply:
    """v1, one message: events, merges, bodies that are not JSON."""
    return track_json({"meta": {"error": message}}, status)


def meta_errors(refused: Refused, status: int = 400) -> Reply:
    """v1, every violation at once: identify, devices, segments."""
    return track_json({"meta": {"errors": [part.message for part in violations(refused)]}}, status)


def entity_errors(refused: Iterable[Refused], words: Mapping[str, str], status: int = 400) -> Reply:
    """v2, a request that is wrong as a whole. `words` gives a rule's v2 text where it is not the v1 one."""
    errors = [_v2_error(part, words) for one in refused for part in violations(one)]
    return track_json({"errors": errors}, status)


def batch_errors(refused: Iterable[tuple[int, Refused]], words: Mapping[str, str], status: int = 207) -> Reply:
    """v2, a batch in which some items were refused: their places, from 0, and why."""
    errors = [{"batch_index": at, **_v2_error(part, words)} for at, one in refused for part in violations(one)]
    return track_json({"errors": errors}, status)


def violations(refused: Refused) -> tuple[Refused, ...]:
    """The refusal and those reported together with it."""
    return (refused, *refused.more)


def _v2_error(refused: Refused, words: Mapping[str, str]) -> dict[str, str]:
    message = words.get(refused.rule, refused.message)
    return {"reason": refused.reason, "field": refused.field, "message": message}


def track_directory(body: bytes) -> Reply:
    """404 of an unknown route: not an error, a list of what there is."""
    return Reply(404, (JSON, _status_header(404), _ANY_ORIGIN, _VIA, _CHUNKED), body)


def track_redirect(status: int, location: str) -> Reply:
    headers = (*_track_headers(status), (b"location", location.encode("latin-1", "replace")))
    return Reply(status, headers, b"")


# ---- App -------------------------------------------------------------------------------------------------------------

_APP_HEADERS: Headers = (
    JSON,
    (b"cache-control", b"must-revalidate,no-cache,no-store"),
    (b"pragma", b"no-cache"),
    (b"expires", b"0"),
    _CHUNKED,
    (b"x-frame-options", b"SAMEORIGIN"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-xss-protection", b"1; mode=block"),
    (b"referrer-policy", b"no-referrer-when-downgrade"),
    (b"access-control-allow-origin", b"https://fly.customer.io"),
    (b"access-control-allow-credentials", b"true"),
    (b"access-control-allow-methods", b"GET, POST, PUT, DELETE, OPTIONS"),
    (b"access-control-max-age", b"7200"),
    (
        b"access-control-allow-headers",
        b"Authorization,Content-Type,x-ui-version,x-is-background-request,x-workspace-hydra-id,x-workspace-id,"
        b"x-active-session-index",
    ),
    _VIA,
)
_APP_EMPTY_HEADERS = tuple(header for header in _APP_HEADERS if header not in {JSON, _CHUNKED})


def app_json(value: Any, status: int = 200) -> Reply:
    """A success, or an error that is not in the usual envelope."""
    return Reply(status, _APP_HEADERS, msgspec.json.encode(value))


def app_file(content: bytes, name: str) -> Reply:
    """A CSV to be kept under that name."""
    disposition = f'attachment; filename="{name}"'.encode("ascii")
    return Reply(200, ((b"content-type", b"text/csv; charset=utf-8"), (b"content-disposition", disposition)), content)


def json_size(value: Any) -> int:
    """How many bytes a value takes as JSON in an answer."""
    return len(msgspec.json.encode(value))


APP_DELETED = Reply(204, _APP_EMPTY_HEADERS)


def app_error(status: int, detail: str, pointer: str | None = None) -> Reply:
    """The usual envelope; `status` inside it is text. `pointer` names the part of the body that is wrong."""
    error: dict[str, Any] = {"detail": detail, "status": str(status)}
    if pointer is not None:
        error["source"] = {"pointer": pointer}
    return app_json({"errors": [error]}, status)


APP_UNAUTHORIZED = app_error(401, "unauthorized")
APP_NOT_FOUND = app_error(404, "not found")
APP_WRONG_METHOD = app_error(405, "method not allowed")


def app_rate_limited(most: int, window_s: int, reference: str, retry_after_s: int | None) -> Reply:
    """429, with the seconds to wait where they are told. Source: App API > Rate limits (2026)."""
    reply = app_error(429, f"rate limited to {most} requests per {window_s}s (reference {reference})")
    if retry_after_s is None:
        return reply
    return Reply(429, (*reply.headers, (b"retry-after", str(retry_after_s).encode("ascii"))), reply.body)


def app_redirect(location: str) -> Reply:
    return Reply(301, (*_APP_EMPTY_HEADERS, (b"location", location.encode("latin-1", "replace"))))


def send_error(status: int, message: str) -> Reply:
    """The envelope of `/v1/send/*`, an older one."""
    return app_json({"meta": {"error": message}}, status)


# ---- Both ------------------------------------------------------------------------------------------------------------


def our_own_bug(error: BaseException) -> Reply:
    """A bug of the fake, not bad weather: says so, so that nobody retries until it passes."""
    text = f"fakeio itself failed ({type(error).__name__}); this is a bug in fakeio, not in your client\n"
    return Reply(500, ((b"content-type", b"text/plain; charset=utf-8"),), text.encode("utf-8"))
