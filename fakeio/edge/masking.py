"""What the tape does not show: credentials, wherever a client of these APIs can put them.

Headers, the query (where people put keys by mistake, and links their signatures), the write key in the body of a
Pipelines call, and the name and password of a URL. Attributes of people are theirs: nothing in them is masked.
"""

from __future__ import annotations

import re
from typing import Any

from fakeio.edge.http import Headers

MASK = "***"
_HEADERS = frozenset({
    b"authorization", b"proxy-authorization", b"cookie", b"set-cookie", b"x-fakeio-token", b"x-api-key", b"api-key",
})  # fmt: skip
_KEYS = frozenset({"writekey", "write_key"})
_QUERY = re.compile(
    r"(?i)(?<![^&])((?:app_|track_)?api[-_]?key|access_token|auth|authorization|password|secret|sig|signature|token"
    r"|write_?key|x-amz-signature|x-goog-signature)=([^&]*)"
)
_USER_INFO = re.compile(r"\A([a-z][a-z0-9+.-]*://)[^/?#@\s]*@", re.IGNORECASE)
_KNOWN_SCHEMES = frozenset({b"basic", b"bearer"})


def mask_headers(headers: Headers) -> dict[str, str]:
    """Headers as text by name, several of one name joined."""
    row: dict[str, str] = {}
    for name, value in headers:
        text = _masked(value) if name.lower() in _HEADERS else value.decode("latin-1")
        key = name.decode("latin-1")
        row[key] = f"{row[key]}, {text}" if key in row else text
    return row


def mask_query(query: bytes) -> str:
    """A query as it came, but for the values of parameters that are credentials."""
    return _QUERY.sub(rf"\1={MASK}", query.decode("latin-1")) if query else ""


def mask_body(body: Any, api: str) -> Any:
    """A body as parsed, without the write key of a Pipelines call, and without the user of a URL."""
    if not isinstance(body, dict):
        return body
    if api == "pipelines":
        return {key: MASK if key.lower() in _KEYS else value for key, value in body.items()}
    return {key: _without_user(value) for key, value in body.items()} if api == "app" else body


def _without_user(value: Any) -> Any:
    if isinstance(value, str):
        return _USER_INFO.sub(rf"\1{MASK}@", value)
    return {key: _without_user(inner) for key, inner in value.items()} if isinstance(value, dict) else value


def _masked(value: bytes) -> str:
    scheme, space, _ = value.partition(b" ")
    known = scheme.lower() in _KNOWN_SCHEMES
    return f"{scheme.decode('latin-1')} {MASK}" if space and known else MASK
