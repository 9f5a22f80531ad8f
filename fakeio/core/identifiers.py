"""Which person a caller means: the shape of an identifier, its folding, and what each workspace accepts.

Pure text rules; who owns an identifier is the business of `people.py`. Source: Track API > Identifying people and the
path parameter `identifier` of the v1 operations.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from fakeio.core.limits import PERSON_ID
from fakeio.core.outcomes import Refused
from fakeio.core.settings import Settings

ID, EMAIL, PHONE, CIO_ID = "id", "email", "phone", "cio_id"
KINDS = (ID, EMAIL, PHONE, CIO_ID)
CIO_PREFIX = "cio_"

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+\Z")
_ADDRESS = re.compile(r"(\"[^\"]+\"|[^@\s]+)@[^@\s]+\Z")
_CIO = re.compile(r"[a-zA-Z0-9]+\Z")


class Ref(NamedTuple):
    """One identifier as sent. `cio_id` values are held without the `cio_` prefix."""

    kind: str
    value: str

    @property
    def key(self) -> tuple[str, str]:
        """What two spellings of one identifier share: email ignores case, everything else does not."""
        return (EMAIL, self.value.lower()) if self.kind == EMAIL else (self.kind, self.value)

    def __str__(self) -> str:
        return f"{self.kind} {self.value!r}"


def looks_like_email(text: str) -> bool:
    """True for text shaped like an address: something, one `@`, a dotted domain, no white space."""
    return _EMAIL.match(text) is not None


def may_be_email(text: str) -> bool:
    """False for what can be no address at all: less strict than the shape that makes an email of a path."""
    return _ADDRESS.match(text) is not None


def from_path(text: str, settings: Settings) -> Ref | Refused:
    """The person that a decoded v1 path segment names, by its shape.

    `cio_…` is a cio_id, an address is an email where the workspace identifies people by email, all else is an id
    (a phone number too: v1 paths cannot address by phone).
    """
    if text.startswith(CIO_PREFIX):
        value = text[len(CIO_PREFIX) :]
        return Ref(CIO_ID, value) if _CIO.match(value) else invalid_id("identifier")
    if settings.email_identifies and looks_like_email(text):
        return Ref(EMAIL, text)
    return Ref(ID, text)


def check(ref: Ref) -> Refused | None:
    """The limits on one identifier: not empty, and at most 150 bytes of UTF-8."""
    size = len(ref.value)
    if size == 0:
        return Refused("track.person.id.empty", "required", f"identifiers.{ref.kind}", EMPTY_ID)
    if size * 4 > PERSON_ID.strict and len(ref.value.encode("utf-8", "surrogatepass")) > PERSON_ID.strict:
        return Refused(PERSON_ID.rule, "invalid", f"identifiers.{ref.kind}", TOO_LONG)
    return None


EMPTY_ID = "id attribute cannot be an empty string"
TOO_LONG = f"id attribute cannot be longer than {PERSON_ID.strict} bytes"


def invalid_id(field: str) -> Refused:
    """A `cio_` value that can't be one. Source: reported by clients; the service answers 400."""
    return Refused("track.person.cio_id.malformed", "invalid", field, "invalid id")
