r"""Bytes of a body to JSON values, never raising: malformed input is a value.

Decides what counts as JSON here: strict JSON in UTF-8, nested at most MAX_DEPTH levels. A lone surrogate in a `\uXXXX`
escape becomes U+FFFD, as it does in a service written in Go (assumed: the vendor's pages are silent).
"""

from __future__ import annotations

import re
from typing import Any, TypeVar

import msgspec

MAX_DEPTH = 400  # far above any honest body, far below where Python's own recursion gives up

_ESCAPES = re.compile(
    rb"\\(?:u(?P<high>[dD][89abAB][0-9a-fA-F]{2})(?P<pair>\\u[dD][c-fC-F][0-9a-fA-F]{2})?"
    rb"|u(?P<low>[dD][c-fC-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)
_REPLACEMENT = rb"\ufffd"

T = TypeVar("T")


class Malformed:
    """Not JSON, or sound JSON of the wrong shape. `why` is for the tape."""

    __slots__ = ("why", "wrong_shape")

    def __init__(self, why: str, *, wrong_shape: bool = False) -> None:
        self.why = why
        self.wrong_shape = wrong_shape


def parse_json(body: bytes) -> Any | Malformed:
    """Any JSON value."""
    return parse_with(_ANY, body)


def parse_object(body: bytes) -> dict[str, Any] | Malformed:
    """A JSON object."""
    return parse_with(_OBJECT, body)


def parse_with(decoder: msgspec.json.Decoder[T], body: bytes) -> T | Malformed:
    """What the decoder makes of the body. Its size was judged before: this may copy."""
    body = repair(body)
    value = parse_parts(decoder, body)
    return Malformed(f"nested more than {MAX_DEPTH} levels deep") if too_deep(body) else value


def parse_parts(decoder: msgspec.json.Decoder[T], body: bytes) -> T | Malformed:
    """The same for a decoder that leaves all its parts raw: their depth and their escapes are judged part by part."""
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        return Malformed(str(error), wrong_shape=True)
    except (ValueError, RecursionError) as error:  # msgspec's other errors and UnicodeDecodeError are ValueErrors
        return Malformed(str(error))


def is_sound(raw: bytes) -> bool:
    """Whether a part that was only skipped over (a `msgspec.Raw`) would decode as well."""
    return not isinstance(parse_with(_ANY, raw), Malformed)


def repair(body: bytes) -> bytes:
    """The body with lone surrogates replaced; its length stays the same, since both escapes are six bytes long."""
    # one byte is found far faster than three, and most bodies have no escapes at all
    if b"\\" not in body or (b"\\ud" not in body and b"\\uD" not in body):
        return body
    return _ESCAPES.sub(_paired, body)


def _paired(escape: re.Match[bytes]) -> bytes:
    lone = escape["low"] is not None or (escape["high"] is not None and escape["pair"] is None)
    return _REPLACEMENT if lone else escape.group()


def too_deep(body: bytes) -> bool:
    """Whether brackets are nested deeper than MAX_DEPTH. Counting them all is quick and nearly always settles it."""
    if body.count(b"[") + body.count(b"{") <= MAX_DEPTH:
        return False
    depth = 0
    for bracket in _BRACKETS.findall(body):
        if bracket in b"[{":
            depth += 1
            if depth > MAX_DEPTH:
                return True
        elif bracket in b"]}":
            depth -= 1
    return False


_BRACKETS = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[\]{}]', re.DOTALL)
_ANY: msgspec.json.Decoder[Any] = msgspec.json.Decoder()
_OBJECT = msgspec.json.Decoder(dict[str, Any])
