"""Requests that no honest client sends, drawn by Hypothesis: bodies, paths, queries, headers and framings.

About half are nearly right, since a request that is refused at the door tests only the door. Whatever is drawn, the
visit says truthfully whether the server owes it an answer.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple
from urllib.parse import quote_from_bytes, unquote_to_bytes

from hypothesis import strategies as st

from fakeio.app_routes import ROUTES
from fakeio.core.settings import ROWS
from tests.contract.wire import Visit

INJECTED = b"x-injected"  # a header of this name in an answer came out of a request
_BIG_BYTES = (100_001, 1_000_000, 10_000_000)
_RARE = range(200)
# what one path of v2 can do stands in the table of routes as rows of their own
ACTIONS = tuple(tuple(row.path.partition("#")[2].split(".")) for row in ROUTES if "#" in row.path)



class Keys(NamedTuple):
    """What opens the workspace that may be harmed; `workspace` is its id."""

    site_id: str
    track_api_key: str
    app_api_key: str
    workspace: int


# ---- JSON, and nearly JSON -------------------------------------------------------------------------------------------

_SOUND = (
    b"null", b"true", b"false", b"0", b"-0", b"1", b"-1", b"0.1", b"1E-400", b"1.7976931348623157e308", b"1780000000",
    b"9007199254740993", b"9223372036854775807", b"9223372036854775808", b"-9223372036854775809", b"1" * 400,
    b"1780000000000", b'""', b'" "', b'"1"', b'"cio_1"', b'"a@example.com"', b'"@"', b'"\\u0000"', b'"\\ud800"',
    b'"\\udc00\\ud800"', b'"\\ud83d\\ude00"', b'"\\uD800\\u0041"', b'"\xf0\x9f\x98\x80"', b'"\\r\\nX-Injected: 1"',
    b'"' + b"x" * 200 + b'"', b'"' + b"\xe2\x82\xac" * 400 + b'"', b'"true"', b'"+15551234567"', b"[]", b"{}",
)  # fmt: skip
_UNSOUND = (b"1e999", b"NaN", b"Infinity", b'"\xff"', b'"\xed\xa0\x80"', b'"\\x"', b'"\r\nX-Injected: 1\r\n"', b"",
            b"1" * 5_000, b"01", b"'1'", b"undefined")  # fmt: skip
_PERSON = ({"id": "1"}, {"email": "a@example.com"}, {"cio_id": "x"}, {"id": 1}, {"phone": "+15551234567"}, {"id": ""})
_OBJECT = ({"object_type_id": "1", "object_id": "o"}, {"cio_object_id": "ob1"})
_RELATED: dict[str, Any] = {"identifiers": _OBJECT[0], "relationship_attributes": {"role": "x"}}
_FILTERS = (
    {"and": [{"segment": {"id": 1}}, {"not": {"attribute": {"field": "plan", "operator": "eq", "value": "pro"}}}]},
    {"or": [{"attribute": {"field": "plan", "operator": "exists"}}]},
    {"segment": {"id": 1}},
)
# what a field usually holds, so that nonsense elsewhere in the body is reached at all
_USUAL: dict[str, tuple[Any, ...]] = {
    **{row.name: (row.default, *row.choices) for row in ROWS},
    "type": ("person", "object", "delivery", "page", "screen", "event", "manual", "dynamic"),
    "action": tuple(dict.fromkeys(action for _, action in ACTIONS)),
    "identifiers": (*_PERSON, *_OBJECT, {"anonymous_id": "z"}),
    "primary": _PERSON,
    "secondary": _PERSON,
    "attributes": ({"plan": "pro"}, {"email": "a@example.com", "_update": True}, {"cio_subscription_preferences": {}}),
    "id": ("1", "2", "01GTCVCMGB43ZFEDG9MBSVXQ5K"),
    "email": ("a@example.com", "b@example.com"),
    "name": ("order", "vip", ""),
    "data": ({"total": 1}, {"recipient": "a@example.com", "from_address": 1}),
    "timestamp": (1_780_000_000, "1780000000", 1_780_000_000_000),
    "anonymous_id": ("z", 1),
    "device": ({"id": "t", "token": "t", "platform": "ios", "last_used": 1}, {"id": "u", "platform": "android"}),
    "ids": (["1", "2"], ["a@example.com"], [1, None, {}]),
    "filter": _FILTERS,
    "segment": ({"name": "vip", "description": "x"}, {"id": 1}),
    "cio_relationships": ([_RELATED], {"action": "add_relationships", "relationships": [_RELATED]}),
    "batch": ([{"type": "person", "action": "identify", "identifiers": {"id": "1"}}],),
    "metric": ("delivered", "opened", "clicked"),
    "delivery_id": ("d1", ""),
    "event": ("opened", "converted"),
    "form": ({"email": "a@example.com"},),
    "customers": (["1"],),
    "people": ([{"id": "1", "attributes": {"a": 1}, "devices": []}],),
    "conditions": (_FILTERS[0], {"event": {"name": "order", "type": "event"}, "times": 2, "within": 60}),
    "seed": ({"people": [{"id": "1"}], "segments": [{"name": "s", "members": ["1"]}]},),
    "settings": ({"auto_merge": False},),
    "region": ("us", "eu"),
    "kind": ("status", "latency", "reset", "close", "lose_reply"),
    "status": (503, 200, 99, 1_000),
    "match": ({"path": "/never/*"}, {"nth": 1, "path": "/x"}),
    "now": (0, 1_780_000_000, -1, 1e18),
    "advance": (1, 1e18),
    "mode": ("manual", "real"),
    "times": (0, 1, -1),
}
_FIELDS = (*_USUAL, "_update", "_timestamp", "unsubscribed", "created_at", "path", "method", "body", "at_least", "user")


def _joined(parts: Iterable[bytes], opening: bytes, closing: bytes) -> bytes:
    return opening + b",".join(parts) + closing


def _member(name: str, value: bytes) -> bytes:
    return json.dumps(name).encode() + b":" + value


def _values(leaves: tuple[bytes, ...]) -> st.SearchStrategy[bytes]:
    """Any JSON value made of those leaves."""
    names = st.sampled_from(_FIELDS) | st.text(max_size=3)
    return st.recursive(
        st.sampled_from(leaves),
        lambda inner: (
            st.lists(inner, max_size=4).map(lambda parts: _joined(parts, b"[", b"]"))
            | st.lists(st.builds(_member, names, inner), max_size=4).map(lambda parts: _joined(parts, b"{", b"}"))
        ),
        max_leaves=8,
    )


_ANY = _values(_SOUND)
_BROKEN = _values(_SOUND + _UNSOUND)


def _document(fields: tuple[str, ...]) -> st.SearchStrategy[bytes]:
    """An object of the fields that the route takes, most of them usual; a field may stand in it twice."""
    members = st.one_of(*(_filled(name) for name in fields))
    return st.lists(members, min_size=1, max_size=8).map(lambda parts: _joined(parts, b"{", b"}"))


def _filled(name: str) -> st.SearchStrategy[bytes]:
    usual = [json.dumps(value).encode() for value in _USUAL.get(name, ())]
    values = (st.sampled_from(usual) | st.sampled_from(usual) | _ANY) if usual else _ANY
    return values.map(lambda value: _member(name, value))


def _entities() -> st.SearchStrategy[bytes]:
    """v2: always a type, an action and whom it is about, so that most get as far as their own rules."""
    rest = _document(("attributes", "name", "id", "timestamp", "device", "primary", "secondary",
                      "cio_relationships", "anonymous_id"))  # fmt: skip
    return st.builds(
        lambda pair, whom, body: b'{"type":"%s","action":"%s",%s,%s' % (*map(str.encode, pair), whom, body[1:]),
        st.sampled_from(ACTIONS), _filled("identifiers"), rest,
    )  # fmt: skip


def _batches() -> st.SearchStrategy[bytes]:
    items = st.lists(_entities() | _ANY, max_size=4)
    return items.map(lambda parts: b'{"batch":' + _joined(parts, b"[", b"]") + b"}")


def _spoilt(body: bytes, at: int, how: bytes) -> bytes:
    """Cut off, or with something in the middle."""
    at %= len(body) + 1
    return body[:at] + (how + body[at:] if how else b"")


_ODD_BODIES = (
    b"", b" ", b"\x00", b"{", b'"', b"[1,2", b"\xff\xfe{\x00}\x00", b"\xef\xbb\xbf{}", b"{}{}", b"plan=pro&id=1",
    b'{"a":1,"a":2}', b'{"id":"1","id":2}', b"[" * 100_000, b'{"a":' * 50_000, b"[" * 500 + b"]" * 500,
    b'{"batch":[' + b"{}," * 2_000 + b"{}]}", b'{"ids":[' + b"1," * 1_000 + b"1]}",
)  # fmt: skip


def _big(pattern: tuple[bytes, bytes, bytes], size_bytes: int) -> bytes:
    opening, repeated, closing = pattern
    return opening + repeated * ((size_bytes - len(opening) - len(closing)) // len(repeated)) + closing


_PATTERNS = ((b'{"a":"', b"x", b'"}'), (b"[", b"0,", b"0]"), (b"", b" ", b""), (b"{", b'"a":1,', b'"a":1}'),
             (b'{"data":{"a":"', b"\\ud800", b'"}}'), (b'{"batch":[', b"{},", b"{}]}"), (b"[", b"[", b""))  # fmt: skip


def _bodies(right: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    """Mostly documents for the route, some spoilt, some odd, now and then a very large one."""
    spoilt = st.builds(_spoilt, right, st.integers(0, 200), st.sampled_from((b"", b"\xff", b"\x00", b",", b"}")))
    odd = spoilt | _ANY | _BROKEN | st.sampled_from(_ODD_BODIES) | st.binary(max_size=40)
    usual = st.one_of(*(right for _ in range(8)), odd)
    big = st.builds(_big, st.sampled_from(_PATTERNS), st.sampled_from(_BIG_BYTES))
    return st.sampled_from(_RARE).flatmap(lambda n: big if n == len(_RARE) - 1 else usual)


# ---- paths and queries -----------------------------------------------------------------------------------------------

_ODD_SEGMENTS = (
    b"%", b"%zz", b"%f", b"%00", b"%ff%fe", b"%ed%a0%80", b"%2F", b"%252F", b"..", b".", b"", b"+", b"a" * 151,
    b"%0d%0aX-Injected:1", b"%F0%9F%98%80" * 40, b"x" * 20_000, b"\xc3\xa9", b"\xff", b"{identifier}", b"*",
    b";a=1", b"cio_",
)  # fmt: skip
_PARAMETER = re.compile(r"\{(\w+)\}")
_QUERY_NAMES = ("id_type", "limit", "start", "email", "q", "person", "type", "status", "since", "path", "with", "as")


def _segments(usual: tuple[bytes, ...]) -> st.SearchStrategy[bytes]:
    encoded = st.binary(max_size=6).map(lambda raw: quote_from_bytes(raw, safe="").encode())
    return st.sampled_from(usual) | st.sampled_from(usual) | st.sampled_from(_ODD_SEGMENTS) | encoded


_SEGMENTS = _segments((b"1", b"2", b"a%40example.com"))


def _paths(template: str, segments: Mapping[str, st.SearchStrategy[bytes]]) -> st.SearchStrategy[bytes]:
    names = _PARAMETER.findall(template)
    pieces = [piece.encode() for piece in _PARAMETER.sub("\0", template).split("\0")]
    filled = [segments.get(name, _SEGMENTS) for name in names]
    return st.tuples(*filled).map(lambda found: b"".join(a + b for a, b in zip(pieces, (*found, b""), strict=True)))


def _queries() -> st.SearchStrategy[bytes]:
    values = st.sampled_from(
        (b"1", b"id", b"email", b"cio_id", b"-1", b"9" * 30, b"%", b"%ff", b"a%40example.com", b"*", b"curl", b"har")
    )
    pair = st.builds(lambda name, value: name.encode() + b"=" + value, st.sampled_from(_QUERY_NAMES), values)
    joined = st.lists(pair, max_size=3).map(lambda pairs: b"?" + b"&".join(pairs) if pairs else b"")
    return joined | st.sampled_from((b"", b"", b"?", b"?&&==", b"?%%%", b"?start=\xff", b"?" + b"a=1&" * 2_000, b"#x"))


# ---- heads and framings ----------------------------------------------------------------------------------------------

_METHODS = ("GET", "PUT", "POST", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE", "PROPFIND", "NONSENSE", "get", "")
_HOSTS = (*(b"localhost",) * 24, b"127.0.0.1:80", b"track.customer.io", b"track-eu.customer.io",
          b"api.customer.io", b"api-eu.customer.io", b"cdp.customer.io", b"example.com", b"[::1", b"")  # fmt: skip
_ODD_LINES = (
    b"X-A: 1\r\nX-Injected: 1", b"X-A: \x00", b"X-A: \xff\xfe", b"X-A: " + b"x" * 70_000, b": nameless", b"no colon",
    b"X A: 1", b"X-A:1\nX-B:2", b" folded: 1", b"Content-Type: \xff", b"Content-Type: text/plain; charset=utf-16",
    b"Content-Encoding: gzip", b"Expect: 100-continue", b"Expect: nonsense", b"Connection: close", b"Origin: http://[",
    b"Connection: Upgrade\r\nUpgrade: websocket", b"Connection: Upgrade\r\nUpgrade: h2c", b"TE: trailers",
    b"Cookie: \x80", b"X-Fakeio-Token: \xff", b"Authorization: Basic \xff", b"Host: other", b"Origin: null",
)  # fmt: skip


def _authorizations(right: bytes) -> st.SearchStrategy[bytes]:
    wrong = (b"Basic", b"Basic !!!", b"Basic " + base64.b64encode(b"\xff:\xff"), b"Bearer", b"Bearer \xff",
             b"x" * 9_000, b"Basic " + base64.b64encode(b"nocolon"), b"Digest x", b"")  # fmt: skip
    return st.sampled_from((*(right,) * 8 * len(wrong), *wrong))


class Framed(NamedTuple):
    """Header lines and bytes of a body as it is sent. `whole`: the server can tell where it ends."""

    lines: tuple[bytes, ...]
    body: bytes
    whole: bool = True


def _chunked(body: bytes, size_bytes: int, end: bytes) -> bytes:
    parts = [body[start : start + size_bytes] for start in range(0, len(body), size_bytes)]
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + end


def _framing(kind: str, body: bytes) -> Framed:
    chunks, size = b"Transfer-Encoding: chunked", max(5, len(body) // 50)
    length = b"Content-Length: %d" % len(body)
    framings: dict[str, Callable[[], Framed]] = {
        "exact": lambda: Framed((length,), body),
        "chunked": lambda: Framed((chunks,), _chunked(body, size, b"0\r\n\r\n")),
        "trailer": lambda: Framed((chunks,), _chunked(body, size, b"0;x=y\r\nX-Injected: 1\r\n\r\n")),
        "none": lambda: Framed((), body),
        "too short": lambda: Framed((b"Content-Length: %d" % (len(body) // 2),), body),
        "too long": lambda: Framed((b"Content-Length: %d" % (len(body) + 10),), body, whole=False),
        "two lengths": lambda: Framed((length, b"Content-Length: 7"), body, whole=False),
        "both": lambda: Framed((length, chunks), _chunked(body, size, b"0\r\n\r\n"), whole=False),
        "negative": lambda: Framed((b"Content-Length: -1",), body, whole=False),
        "no number": lambda: Framed((b"Content-Length: 0x10",), body, whole=False),
        "enormous": lambda: Framed((b"Content-Length: 99999999999999999999",), body, whole=False),
        "far too long": lambda: Framed((b"Content-Length: 999999999999",), body, whole=False),
        "no end": lambda: Framed((chunks,), _chunked(body, size, b""), whole=False),
        "bad chunk": lambda: Framed((chunks,), b"zz\r\n" + body, whole=False),
        "huge chunk": lambda: Framed((chunks,), b"FFFFFFFFFFFFFFFFF\r\n" + body, whole=False),
        "unknown coding": lambda: Framed((b"Transfer-Encoding: gzip",), body, whole=False),
    }
    return framings[kind]()


FRAMINGS = (
    *("exact",) * 48, "chunked", "chunked", "trailer", "none", "too short", "too long", "two lengths", "both",
    "negative", "no number", "enormous", "far too long", "no end", "bad chunk", "huge chunk", "unknown coding",
)  # fmt: skip


class Asked(NamedTuple):
    """One request before it is bytes."""

    method: str
    path: bytes
    query: bytes
    host: bytes
    authorization: bytes
    odd: tuple[bytes, ...]
    framed: Framed

    def encode(self) -> bytes:
        start = b"%s %s%s HTTP/1.1" % (self.method.encode(), self.path, self.query)
        authorization = (b"Authorization: " + self.authorization,) if self.authorization else ()
        lines = (start, b"Host: " + self.host, *authorization, *self.odd, *self.framed.lines)
        return b"\r\n".join((*lines, b"", b"")) + self.framed.body


def _visit(asked: Asked, times: int, piece_bytes: int, leave: float | None, rudely: bool) -> Visit:
    times = times if len(asked.framed.body) < 10_000 else 1
    sent = asked.encode() * times
    if piece_bytes and len(sent) // piece_bytes > 300:
        piece_bytes = len(sent) // 300
    leave_after = None if leave is None else int(leave * len(sent))
    return Visit(sent, (asked.method,) * times, asked.framed.whole, piece_bytes, leave_after, rudely)


def visits(
    routes: Iterable[tuple[str, str, st.SearchStrategy[bytes]]], authorization: bytes,
    segments: Mapping[str, st.SearchStrategy[bytes]] | None = None,
) -> st.SearchStrategy[Visit]:  # fmt: skip
    """Nonsense for those routes, each with the bodies that it nearly takes; `segments` by the names in their paths."""
    queries, hosts, authorizations = _queries(), st.sampled_from(_HOSTS), _authorizations(authorization)
    odd = st.sampled_from((*((),) * 4 * len(_ODD_LINES), *((line,) for line in _ODD_LINES)))
    asked = [
        st.builds(
            Asked, st.sampled_from((*(method,) * 8 * len(_METHODS), *_METHODS)), _paths(path, segments or {}), queries,
            hosts, authorizations, odd, st.builds(_framing, st.sampled_from(FRAMINGS), _bodies(right)),
        )
        for method, path, right in routes
    ]  # fmt: skip
    leave = st.one_of(*(st.none() for _ in range(8)), st.floats(0, 1))
    times = st.sampled_from((1, 1, 1, 1, 1, 2, 5))
    return st.builds(_visit, st.one_of(asked), times, st.sampled_from((0, 0, 0, 1, 7, 1_000)), leave, st.booleans())


# ---- the four doors --------------------------------------------------------------------------------------------------

_EVERYTHING = _document(_FIELDS)


def track_v1(keys: Keys) -> st.SearchStrategy[Visit]:
    rows = [(row.method, row.path, _EVERYTHING) for row in ROUTES
            if row.routed and row.api == "track" and not row.path.startswith("/api/v2/")]  # fmt: skip
    return visits(rows, _basic(keys))


def track_v2(keys: Keys) -> st.SearchStrategy[Visit]:
    return visits([("POST", "/api/v2/entity", _entities()), ("POST", "/api/v2/batch", _batches())], _basic(keys))


def app_api(keys: Keys) -> st.SearchStrategy[Visit]:
    """The routes that answer, and some of those that do not."""
    answering = [(row.method, row.path, _EVERYTHING) for row in ROUTES
                 if row.routed and row.api == "app" and (row.imitated or row.tier == 1)]  # fmt: skip
    return visits(answering, b"Bearer " + keys.app_api_key.encode())


def control_api(description: Mapping[str, Any], keys: Keys) -> st.SearchStrategy[Visit]:
    """Every route of its own description, but only on the workspace that may be harmed, and never its end."""
    own = str(keys.workspace).encode()

    def harmless(segment: bytes) -> bool:
        parts = unquote_to_bytes(segment).split(b"/")
        return parts == [own] or not any(part.isdigit() or part == b"default" for part in parts)

    rows = [(method.upper(), path, _document(_fields_of(operation)))
            for path, operations in description["paths"].items() for method, operation in operations.items()
            if (method, path) != ("delete", "/_fakeio/workspaces/{w}")]  # fmt: skip
    return visits(rows, b"", {"w": _segments((own,)).filter(harmless)})


def _fields_of(operation: Mapping[str, Any]) -> tuple[str, ...]:
    """The fields that a described operation takes, all that are known where it leaves them open."""
    content = operation.get("requestBody", {}).get("content", {})
    return tuple(content.get("application/json", {}).get("schema", {}).get("properties", ())) or _FIELDS


def _basic(keys: Keys) -> bytes:
    return b"Basic " + base64.b64encode(f"{keys.site_id}:{keys.track_api_key}".encode())
