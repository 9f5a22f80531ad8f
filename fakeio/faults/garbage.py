"""garbage: a 200 whose body nobody can use, as from a proxy in between or a page to log in."""

from __future__ import annotations

from typing import ClassVar, Literal

import msgspec

from fakeio.core.weather import Answer, Chance, Effect

_HTML = b"<!doctype html>\n<html><head><title>Sign in</title></head><body><h1>Please sign in</h1></body></html>\n"
_BAD_JSON = b'{"meta": {"error": "unfinish'
_ANSWERS = {
    "html": Answer(200, ((b"content-type", b"text/html; charset=utf-8"),), _HTML),
    "bad_json": Answer(200, ((b"content-type", b"application/json; charset=utf-8"),), _BAD_JSON),
}


class Garbage(Effect, frozen=True, kw_only=True):
    """`as` `html`, a web page, or `bad_json`, what says it is JSON and is not. Applied only at `after_commit`."""

    kind: ClassVar[str] = "garbage"
    as_: Literal["html", "bad_json"] = msgspec.field(name="as")

    def act(self, api: str, chance: Chance) -> Answer:
        return _ANSWERS[self.as_]
