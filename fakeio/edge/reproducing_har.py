"""A reproduction for other tools: the tape as an HTTP Archive (HAR 1.2), which browsers and proxies read.

Credentials are masked as on the tape. What HAR has no word for (outcomes, faults, which of the workspace's credentials
it was) stands in `_fakeio` objects; fields with an underscore are HAR's own way of being extended.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl

from fakeio.edge.http import Headers, RawRequest
from fakeio.edge.regions import gate_of
from fakeio.edge.registry import HostedWorkspace
from fakeio.edge.reproducing import key_of, target_of
from fakeio.edge.tape import Exchange, as_row

_COMMENT = "recorded by fakeio; credentials are masked, `fakeio replay` fills in those of the workspace it sends to"


def write_har(recorded: Sequence[Exchange], hosted: HostedWorkspace, origin: str, version: str) -> dict[str, Any]:
    """The archive as JSON values. `origin` is where the fake listens; the caller holds the workspace's lock."""
    return {
        "log": {
            "version": "1.2",
            "creator": {"name": "fakeio", "version": version},
            "comment": _COMMENT,
            "_fakeio": {
                "workspace": {"id": hosted.id, "name": hosted.name, "region": hosted.region},
                "dropped": hosted.tape.dropped,
            },
            "entries": [_entry(exchange, hosted, origin) for exchange in recorded],
        }
    }


def _entry(exchange: Exchange, hosted: HostedWorkspace, origin: str) -> dict[str, Any]:
    row = as_row(exchange)
    key = key_of(exchange.request.header(b"authorization"), hosted.credentials)
    own = {name: row[name] for name in ("n", "at", "api", "faults", "cut", "error", "operations")}
    return {
        "startedDateTime": _iso(exchange.at),
        "time": row["duration_ms"],
        "request": _request(exchange.request, row["headers"], origin),
        "response": _response(exchange, row["response_headers"]),
        "cache": {},
        "timings": {"send": 0, "wait": row["duration_ms"], "receive": 0},
        "_fakeio": {**own, "credentials": None if key is None else key._asdict()},
    }


def _request(request: RawRequest, headers: dict[str, str], origin: str) -> dict[str, Any]:
    host = request.header(b"host") or b""
    place = f"https://{host.decode('latin-1')}" if gate_of(host) is not None else origin
    query = parse_qsl(request.query.decode("latin-1"), keep_blank_values=True)
    shown = {
        "method": request.method,
        "url": place + target_of(request),
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": _pairs(headers),
        "queryString": [{"name": name, "value": value} for name, value in query],
        "headersSize": -1,
        "bodySize": len(request.body),
    }
    if request.body:
        text, encoding = _text(request.body)
        # HAR gives postData no encoding; the extension follows what `content` calls it
        marked = {"_encoding": encoding} if encoding else {}
        shown["postData"] = {"mimeType": _type(request.headers), "params": [], "text": text, **marked}
    return shown


def _response(exchange: Exchange, headers: dict[str, str]) -> dict[str, Any]:
    """`status` is 0 where no answer was sent, as browsers write it."""
    text, encoding = _text(exchange.reply_body)
    content = {"size": len(exchange.reply_body), "mimeType": _type(exchange.reply_headers), "text": text}
    return {
        "status": exchange.status or 0,
        "statusText": _phrase(exchange.status),
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": _pairs(headers),
        "content": {**content, "encoding": encoding} if encoding else content,
        "redirectURL": headers.get("location", ""),
        "headersSize": -1,
        "bodySize": len(exchange.reply_body),
    }


def _pairs(headers: dict[str, str]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in headers.items()]


def _text(body: bytes) -> tuple[str, str | None]:
    try:
        return body.decode("utf-8"), None
    except UnicodeDecodeError:
        return base64.b64encode(body).decode("ascii"), "base64"


def _type(headers: Headers) -> str:
    found = next((value for name, value in headers if name.lower() == b"content-type"), b"")
    return found.decode("latin-1") or "x-unknown"


def _phrase(status: int | None) -> str:
    try:
        return HTTPStatus(status or 0).phrase
    except ValueError:  # none was sent, or a fault's own number
        return ""


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
