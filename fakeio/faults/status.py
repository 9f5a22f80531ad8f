"""status: answer with a status of the caller's choice, in the words of that API's own errors unless told others."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any, ClassVar

import msgspec

from fakeio.core.weather import Answer, Chance, Effect

_TEXT, _JSON = b"text/plain; charset=utf-8", b"application/json; charset=utf-8"
_BODYLESS = (204, 304)
_HEADER = r"^[ -~]*\Z"


class Status(Effect, frozen=True, kw_only=True):
    """`body`: text is sent as it is, any other JSON value as JSON. `retry_after`: seconds, or an HTTP date."""

    kind: ClassVar[str] = "status"
    status: Annotated[int, msgspec.Meta(ge=200, le=599)]
    body: Any = msgspec.UNSET
    retry_after: Annotated[int, msgspec.Meta(ge=0)] | Annotated[str, msgspec.Meta(pattern=_HEADER)] | None = None

    def __post_init__(self) -> None:
        self._said("track")  # a body that no answer can carry is refused when the fault is added

    def act(self, api: str, chance: Chance) -> Answer:
        content_type, body = self._said(api)
        headers = [(b"content-type", content_type)] if body else []
        if self.retry_after is not None:
            headers.append((b"retry-after", str(self.retry_after).encode()))
        return Answer(self.status, tuple(headers), body)

    def _said(self, api: str) -> tuple[bytes, bytes]:
        if self.status in _BODYLESS:
            return _TEXT, b""
        if isinstance(self.body, str):
            return _TEXT, self.body.encode()
        document = _usual_error(self.status, api) if self.body is msgspec.UNSET else self.body
        return _JSON, msgspec.json.format(msgspec.json.encode(document)) + b"\n"


def _usual_error(status: int, api: str) -> dict[str, Any]:
    """The envelope that API's own errors come in. Source: Track API > Errors; App API > Errors."""
    if status < 400:
        return {}
    words = HTTPStatus(status).phrase if status in HTTPStatus._value2member_map_ else f"status {status}"
    return {"errors": [{"detail": words, "status": str(status)}]} if api == "app" else {"meta": {"error": words}}
