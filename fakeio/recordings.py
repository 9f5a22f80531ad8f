"""Recorded requests as values, from an HTTP Archive (ours, a browser's, a proxy's) or from a tape printed as JSON.

Decides what of a recording can be sent again: which host it was for, the bytes of its body, and which credentials
belong on it (never those that were recorded). What is done with them is `replaying.py`.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Mapping, Sequence
from ipaddress import ip_address
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode, urlsplit

from fakeio.edge.auth import BASIC, BEARER
from fakeio.edge.credentials import Credentials
from fakeio.edge.regions import gate_of
from fakeio.edge.reproducing import LEFT_OUT, OTHER, WRONG, Key
from fakeio.edge.routing import APP

_UNAUTHORIZED = 401
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, section 5.6.2
_ENDS_A_LINE = re.compile(r"[\r\n\0]")
_SAFE = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"  # of a target, all but blanks, controls and what is not ASCII

Outcome = tuple[str, str, str | None]  # operation, outcome, rule


class Unreadable(ValueError):
    """A file, or an entry of it, that holds no request; the message says which part."""


class Recorded(NamedTuple):
    """One recorded request. `place` counts from 1 in the file.

    `host` is the regional host it was for, None for a fake's own address; `foreign` the host of somebody else's.
    `status` is None where no answer was recorded, `outcomes` where nothing is known of them.
    """

    place: int
    method: str
    target: str
    host: str | None = None
    foreign: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    key: Key | None = None
    status: int | None = None
    outcomes: tuple[Outcome, ...] | None = None
    faults: tuple[str, ...] = ()
    unreadable: str | None = None


def parse_recording(document: Any) -> list[Recorded]:
    """Every request of a HAR, or of what `fakeio requests --json` prints; raises Unreadable.

    An entry that can't be read is kept, with `unreadable` saying why.
    """
    parse: Callable[[int, Any], Recorded] = _from_entry
    if isinstance(document, dict) and isinstance(document.get("log"), dict):
        rows = document["log"].get("entries")
    elif isinstance(document, dict) and "requests" in document:
        rows, parse = document["requests"], _from_row
    else:
        raise Unreadable("it is neither a HAR (an object with `log`) nor a tape (an object with `requests`)")
    if not isinstance(rows, list):
        raise Unreadable("its list of requests is no list")
    return [_read(parse, place, row) for place, row in enumerate(rows, start=1)]


def _read(parse: Callable[[int, Any], Recorded], place: int, row: Any) -> Recorded:
    try:
        return _sendable(parse(place, row))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        return Recorded(place, "?", "?", unreadable=f"the entry can't be read: {type(error).__name__} {error}")


def _sendable(recorded: Recorded) -> Recorded:
    """The request itself, if HTTP has a way to write it down; raises ValueError."""
    if not _TOKEN.fullmatch(recorded.method):
        raise ValueError(f"{recorded.method!r:.60} is no method")
    for name, value in recorded.headers:
        if not _TOKEN.fullmatch(name) or _ENDS_A_LINE.search(value):
            raise ValueError(f"{name!r:.60} is no header, or its value has more than one line")
    return recorded


def _from_entry(place: int, entry: Mapping[str, Any]) -> Recorded:
    """An entry of a HAR; raises KeyError, TypeError or ValueError for one without what HAR requires."""
    request, own = entry["request"], entry.get("_fakeio") or {}
    parts = urlsplit(request["url"])
    headers = [(pair["name"].lower(), str(pair["value"])) for pair in request["headers"]]
    status = int(entry["response"]["status"]) or None
    regional = gate_of((parts.hostname or "").encode("idna"))
    ours = bool(own) or _is_loopback(parts.hostname or "")
    api = None if regional is None else regional.api
    return Recorded(
        place=place, method=request["method"].upper(), target=_target(parts.path, parts.query),
        host=parts.hostname if regional else None, foreign=None if regional or ours else parts.netloc,
        headers=_kept(headers, request.get("postData") or {}), body=_posted(request.get("postData") or {}),
        key=_own_key(own["credentials"]) if "credentials" in own
        else _key(dict(headers).get("authorization"), api or _api_of(parts.path), status),
        status=status, outcomes=outcomes_of(own), faults=tuple(own.get("faults", ())),
    )  # fmt: skip


def _from_row(place: int, row: Mapping[str, Any]) -> Recorded:
    """A row of the tape; raises KeyError, TypeError or ValueError for anything else."""
    headers = [(name.lower(), str(value)) for name, value in row["headers"].items()]
    host, said = dict(headers).get("host", ""), dict(headers).get("authorization")
    regional = gate_of(host.encode("latin-1"))
    return Recorded(
        place=place, method=row["method"], target=_target(row["path"], row["query"]),
        host=host.partition(":")[0].lower() if regional else None,
        headers=_kept(headers, {}), body=_encoded(row["body"], dict(headers).get("content-type", "")),
        key=None if said is None else _key(said, row["api"], row["status"]),
        status=row["status"], outcomes=outcomes_of(row), faults=tuple(row["faults"]),
    )  # fmt: skip


def _target(path: str, query: str) -> str:
    return quote((path or "/") + (f"?{query}" if query else ""), safe=_SAFE)


def _kept(headers: Sequence[tuple[str, str]], posted: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    kept = [(name, value) for name, value in headers if name not in LEFT_OUT and name != "host" and name[:1] != ":"]
    if posted.get("mimeType") and "content-type" not in dict(kept):
        kept.append(("content-type", posted["mimeType"]))
    return tuple((name, value) for name, value in kept if value != "x-unknown")


def _posted(posted: Mapping[str, Any]) -> bytes:
    text = posted.get("text")
    if text is None:
        return urlencode([(pair["name"], pair.get("value", "")) for pair in posted.get("params", ())]).encode()
    if "base64" in (posted.get("encoding"), posted.get("_encoding")):
        return base64.b64decode(text)
    return bytes(str(text), "utf-8")


def _encoded(body: Any, content_type: str) -> bytes:
    """The bytes of a body that the tape shows parsed; its spacing is lost, its value is not."""
    if body is None:
        return b""
    if isinstance(body, str):
        return body.encode("utf-8")
    if isinstance(body, dict) and list(body) == ["base64"] and "json" not in content_type:
        try:
            return base64.b64decode(body["base64"], validate=True)
        except (binascii.Error, TypeError):
            pass  # a JSON body that merely looks like it
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8")


def _own_key(credentials: Mapping[str, str] | None) -> Key | None:
    if credentials is None:
        return None
    key = Key(credentials["scheme"], credentials["user"], credentials["secret"])
    unknown = {key.user, key.secret} - {"", WRONG, *Credentials.__struct_fields__}
    if unknown:
        raise ValueError(f"a workspace has no credentials called {unknown.pop()!r:.60}")
    return key


def _key(header: str | None, api: str, status: int | None) -> Key | None:
    """Credentials in place of those that were recorded, masked or left out: wrong ones where they were refused."""
    scheme = "" if header is None else header.partition(" ")[0].lower()
    if header is None and status == _UNAUTHORIZED:
        return None
    if header is not None and scheme not in (BASIC, BEARER):
        return Key(OTHER, "", WRONG)
    app = scheme == BEARER if header is not None else api == APP
    if app:
        return Key(BEARER, "", WRONG if status == _UNAUTHORIZED else "app_api_key")
    return Key(BASIC, "site_id", WRONG if status == _UNAUTHORIZED else "track_api_key")


def _api_of(path: str) -> str:
    return APP if path == "/v1" or path.startswith("/v1/") else "track"


def outcomes_of(row: Mapping[str, Any]) -> tuple[Outcome, ...] | None:
    """What a row of the tape says its operations came to; None where it says nothing."""
    if "operations" not in row:
        return None
    return tuple((one["operation"], one["outcome"], one["rule"]) for one in row["operations"])


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
