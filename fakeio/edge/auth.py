"""What an `Authorization` header says, before anybody judges it.

Pure text: a header becomes a scheme and its secrets. Which workspace those secrets open is looked up by the registry,
and whether they are good enough for a route is decided by the exchange. Source: Track API > Authentication (Basic, site
id and key); App API > Authentication (Bearer).
"""

from __future__ import annotations

import base64
import binascii
from typing import NamedTuple

BASIC, BEARER, NONE = "basic", "bearer", "none"

_URL_SAFE = bytes.maketrans(b"-_", b"+/")


class Said(NamedTuple):
    """`user` and `secret` as sent; a Bearer token, or a bare one, is the `secret` of an empty `user`."""

    scheme: str
    user: str
    secret: str


NOTHING = Said(NONE, "", "")


def parse_authorization(header: bytes | None) -> Said:
    """The parts of the header; whatever can't be read is NOTHING, never an error.

    Both base64 alphabets are taken, since one official client encodes with the URL-safe one.
    """
    if header is None:
        return NOTHING
    scheme, _, rest = header.strip().partition(b" ")
    if scheme.lower() == b"bearer":
        return Said(BEARER, "", rest.strip().decode("utf-8", "replace"))
    if scheme.lower() == b"basic":
        return _parse_basic(rest.strip())
    return Said(NONE, "", header.strip().decode("utf-8", "replace"))


def _parse_basic(encoded: bytes) -> Said:
    standard = encoded.translate(_URL_SAFE)
    try:
        text = base64.b64decode(standard + b"=" * (-len(standard) % 4), validate=True).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError):
        return NOTHING
    user, colon, secret = text.partition(":")
    return Said(BASIC, user, secret) if colon else NOTHING
