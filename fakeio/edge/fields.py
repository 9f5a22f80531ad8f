"""Single fields of a Track body, read the way the service reads them: lenient where clients differ, refusing otherwise.

Shared by both dialects. What a value leads to is the workspace's business. Source: Track API > v1 and v2 operations;
what official clients send.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from msgspec import structs

from fakeio.core.identifiers import CIO_ID, EMAIL, ID, KINDS, PHONE, Ref, invalid_id
from fakeio.core.operations import AddDevice
from fakeio.core.outcomes import Refused
from fakeio.core.settings import Settings

_INT64 = 1 << 63
_DIGITS = re.compile(r"-?[0-9]{1,19}\Z", re.ASCII)
_E164 = re.compile(r"\+[0-9]{1,15}\Z", re.ASCII)
_CIO = re.compile(r"[a-zA-Z0-9]+\Z", re.ASCII)
PLATFORMS = ("ios", "android")


def whole_number(value: Any) -> int | None:
    """Whole seconds from a number, or from digits in quotes as one official client sends them; None otherwise."""
    if isinstance(value, str) and _DIGITS.match(value):
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and -_INT64 <= value < _INT64:
        return value
    return None


def timestamp_of(value: Any, settings: Settings) -> int | Refused | None:
    """An event's own time; None when it has none. Milliseconds are taken for seconds, as reported by integrators."""
    if value is None:
        return None
    seconds = whole_number(value)
    if not isinstance(value, int) and settings.event_timestamp_text == "refuse":
        seconds = None
    if seconds is None:
        return Refused("track.event.timestamp", "invalid", "timestamp", "timestamp must be a unix timestamp")
    return seconds


def text_or_number(value: Any) -> str | None:
    """Text, or the digits of a number where clients pass numbers through; None for anything else and for blanks."""
    if isinstance(value, str):
        return value if value.strip() else None
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return None


def one_identifier(document: Any, field: str, settings: Settings, kinds: tuple[str, ...]) -> Ref | Refused:
    """The person that an object of exactly one identifier names. `kinds` are those the operation takes."""
    if not isinstance(document, Mapping) or not document:
        return Refused("track.person.id.missing", "required", field, f"{field} must be present")
    named = list(document) if len(document) == 1 else [kind for kind in KINDS if kind in document]
    if len(named) > 1:
        return Refused("track.identifiers.several", "invalid", field, f"{field} must contain exactly one identifier")
    if not named or named[0] not in kinds:
        return Refused("track.person.id.missing", "required", field, f"{field} must contain an identifier")
    return _identifier(named[0], document[named[0]], field, settings)


def _identifier(kind: str, value: Any, field: str, settings: Settings) -> Ref | Refused:
    if kind == ID and isinstance(value, int) and not isinstance(value, bool):
        value = str(value) if settings.integer_body_id == "accept" else None
    if isinstance(value, str) and value:
        return Ref(kind, value) if kind == ID else _other_identifier(Ref(kind, value), f"{field}.{kind}", settings)
    where = f"{field}.{kind}"
    if value == "":
        return Refused("track.person.id.empty", "required", where, f"{kind} cannot be an empty string")
    if value is None and field == "identifiers" and settings.v2_null_identifier_text == "null":
        return Refused("track.person.id.not_text", "invalid", where, f"Invalid identifier: {kind} cannot be null")
    return Refused("track.person.id.not_text", "invalid", where, f"{kind} must be a string value")


def _other_identifier(ref: Ref, where: str, settings: Settings) -> Ref | Refused:
    if ref.kind == CIO_ID and not _CIO.match(ref.value):
        return invalid_id(where)
    if ref.kind == EMAIL and not settings.email_identifies:
        return Refused("track.identifiers.disabled", "invalid", where, "email does not identify people here")
    if ref.kind == PHONE and not settings.phone_identifier:
        return Refused("track.identifiers.disabled", "invalid", where, "phone does not identify people here")
    if ref.kind == PHONE and not _E164.match(ref.value):
        return Refused("track.identifiers.disabled", "invalid", where, "phone must be in E.164 format")
    return ref


class DeviceFields(NamedTuple):
    """A device as sent, whoever it belongs to."""

    token: str
    platform: str
    last_used: int | None
    attributes: dict[str, Any]

    def on(self, ref: Ref) -> AddDevice:
        """The operation that gives it to a person."""
        return AddDevice(
            ref=ref, token=self.token, platform=self.platform, last_used=self.last_used, attributes=self.attributes
        )


def device_of(document: Any, token_key: str) -> DeviceFields | Refused:
    """The device in a body's `device`, or every violation.

    v1 calls the token `id`, v2 `token`. Some clients put custom attributes beside the known keys instead of below
    `attributes`.
    """
    if not isinstance(document, Mapping):
        return Refused("track.device", "required", "device", "device cannot be blank")
    token, platform = device_token(document, token_key), document.get("platform")
    if platform not in PLATFORMS:
        bad_platform = _bad_platform(platform)
        return bad_platform if isinstance(token, str) else structs.replace(token, more=(bad_platform,))
    if isinstance(token, Refused):
        return token
    nested = document.get("attributes")
    known = {token_key, "platform", "last_used", "attributes"}
    attributes = {name: value for name, value in document.items() if name not in known}
    attributes |= nested if isinstance(nested, dict) else {}
    return DeviceFields(token, platform, whole_number(document.get("last_used")), attributes)


def _bad_platform(platform: Any) -> Refused:
    reason = "required" if platform is None else "invalid"
    return Refused("track.device", reason, "device.platform", "device platform must be ios or android")


def device_token(document: Any, token_key: str) -> str | Refused:
    """The token alone, which is all that a removal needs."""
    token = text_or_number(document.get(token_key)) if isinstance(document, Mapping) else None
    if token is None:
        return Refused("track.device", "required", f"device.{token_key}", f"device {token_key} cannot be blank")
    return token
