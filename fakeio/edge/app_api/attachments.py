"""Files attached to a transactional message: base64 by name, bounded in all, and not of a kind that runs.

Their size is that of the base64 text: any other reading would never matter beside the limit on the whole body. Source:
App API > Transactional > attachments. Which kinds of files are refused is not published: those here are the
ones that no mail provider takes (assumed).
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from fakeio.core.limits import ATTACHMENTS
from fakeio.core.outcomes import Refused

FORBIDDEN = frozenset({
    "ade", "adp", "apk", "app", "bat", "chm", "cmd", "com", "cpl", "dll", "dmg", "exe", "hta", "ins", "isp", "jar",
    "js", "jse", "lib", "lnk", "mde", "msc", "msi", "msp", "mst", "nsh", "pif", "ps1", "scr", "sct", "shb", "sys",
    "vb", "vbe", "vbs", "vxd", "wsc", "wsf", "wsh",
})  # fmt: skip


def refuse_attachments(attachments: Any) -> Refused | None:
    """What is wrong with a request's attachments; None when nothing is, or there are none."""
    if attachments is None:
        return None
    if not isinstance(attachments, Mapping):
        return _invalid('Invalid field: "attachments" must be an object.')
    total = 0
    for name, encoded in attachments.items():
        size = _size(encoded)
        if size is None:
            return _invalid(f'Attachment must be base64 encoded: "{name}"')
        total += size
    if total > ATTACHMENTS.strict:
        return Refused(ATTACHMENTS.rule, "invalid", "attachments", "Total attachment size exceeds the limit")
    return next((refused for name in attachments if (refused := _forbidden(name)) is not None), None)


def _size(encoded: Any) -> int | None:
    """How many bytes a base64 text takes, as sent; None when it is none."""
    if not isinstance(encoded, str):
        return None
    try:
        base64.b64decode("".join(encoded.split()).encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        return None
    return len(encoded)


def _forbidden(name: str) -> Refused | None:
    kind = name.rpartition(".")[2].lower()
    if "." not in name or kind not in FORBIDDEN:
        return None
    message = f"Forbidden file type {kind} for attachment {name}."
    return Refused("app.send.attachment.forbidden", "forbidden", "attachments", message)


def _invalid(message: str) -> Refused:
    return Refused("app.send.attachment", "invalid", "attachments", message)
