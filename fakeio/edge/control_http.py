"""What all control routes share: a call as read, a result as written, errors that say what to do, and pages.

Handlers are plain functions `(Call) -> Result` that know nothing of Starlette; `control.py` is the only file that does.
A handler takes the workspace's lock around everything it reads or writes there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import msgspec

from fakeio.edge.views import up_to_date

if TYPE_CHECKING:
    from fakeio.edge.control import Desk
    from fakeio.edge.registry import HostedWorkspace

LIMIT_DEFAULT, LIMIT_LARGEST = 100, 1000
T = TypeVar("T")


class ControlError(Exception):
    """A control call that can't be answered: `code` for programs, `message` for people, `hint` what to do next."""

    def __init__(self, status: int, code: str, message: str, hint: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.hint = hint

    def as_dict(self) -> dict[str, Any]:
        return {"error": {"code": self.code, "message": self.message, "hint": self.hint}}


class Result(NamedTuple):
    """An answer: a status and a JSON document, none with 204; or `text`, where a file is asked for."""

    status: int
    document: Any = None
    text: str | None = None


class Page(NamedTuple):
    """At most `limit` rows behind the place `start`; 0 is before the first."""

    limit: int
    start: int

    def result(self, plural: str, rows: Iterable[tuple[int, T]], render: Callable[[T], Any], **more: Any) -> Result:
        """A list's answer: `rows` are (place, row) behind `start`, in order; they are read only as far as needed."""
        shown: list[Any] = []
        last = self.start
        for place, row in rows:
            if len(shown) == self.limit:
                return Result(200, {plural: shown, "next": str(last), **more})
            shown.append(render(row))
            last = place
        return Result(200, {plural: shown, "next": None, **more})


class Call:
    """One control request, as its route declares it: `params` from the path, `query`, and the body as bytes.

    `origin` is where the caller reached the server, a URL without a path.
    """

    def __init__(
        self, desk: Desk, params: Mapping[str, str], query: Mapping[str, str], body: bytes, fields: tuple[str, ...],
        origin: str = "",
    ) -> None:  # fmt: skip
        self.desk = desk
        self.params = params
        self.query = query
        self.origin = origin
        self._body = body
        self._fields = fields

    def hosted(self, name: str | None = None) -> HostedWorkspace:
        """The workspace of the path (or of that name); raises ControlError 404."""
        wanted = self.params["w"] if name is None else name
        found = self.desk.universe.registry.get(wanted)
        if found is None:
            raise ControlError(
                404, "unknown_workspace", f"there is no workspace {wanted!r}",
                "use a workspace id or `default`; GET /_fakeio/workspaces lists them",
            )  # fmt: skip
        return found

    @contextmanager
    def opened(self) -> Iterator[HostedWorkspace]:
        """The workspace of the path, locked, with everything that was due by now done."""
        with up_to_date(self.hosted()) as hosted:
            yield hosted

    def document(self) -> dict[str, Any]:
        """The body as a JSON object of the fields the route declares; nothing sent is `{}`. Raises ControlError 400."""
        try:
            value = msgspec.json.decode(self._body) if self._body.strip() else {}
        except (ValueError, RecursionError) as error:
            raise bad_request("bad_json", f"the body is not JSON: {error}", "send one JSON object") from None
        if not isinstance(value, dict):
            raise bad_request("bad_json", "the body is JSON, but no object", "send one JSON object")
        if self._fields:
            refuse_unknown("field", value, self._fields)
        return value

    def page(self) -> Page:
        """`limit` and `start` of the query; raises ControlError 400."""
        limit = self.number("limit", LIMIT_DEFAULT, at_least=1)
        return Page(min(limit, LIMIT_LARGEST), self.number("start", 0, at_least=0))

    def number(self, name: str, default: int, *, at_least: int) -> int:
        """A whole number of the query; raises ControlError 400."""
        return parse_number(self.query.get(name, str(default)), name, at_least=at_least)


class ControlRoute(NamedTuple):
    """One control route. `query` and `fields` (of the body) name all that it takes; ANY leaves the fields open."""

    method: str
    path: str
    handler: Callable[[Call], Result]
    status: int = 200
    query: tuple[str, ...] = ()
    fields: tuple[str, ...] | None = None  # None: no body is read


ANY: tuple[str, ...] = ()
PAGED = ("limit", "start")


def refuse_unknown(what: str, given: Iterable[str], known: tuple[str, ...]) -> None:
    """Raise ControlError 400 for a name that would be silently ignored."""
    unknown = sorted(set(given) - set(known))
    if unknown:
        allowed = f"those known here are {', '.join(known)}" if known else "none is known here"
        raise bad_request(f"unknown_{what}", f"unknown {what} {unknown[0]!r:.60}", allowed)


def bad_request(code: str, message: str, hint: str) -> ControlError:
    return ControlError(400, code, message, hint)


def parse_number(text: str, name: str, *, at_least: int) -> int:
    """A whole number in ASCII digits, as text; raises ControlError 400."""
    if not (text.isascii() and text.isdigit() and len(text) <= 18 and int(text) >= at_least):
        raise bad_request(f"bad_{name}", f"{name} is {text[:40]!r}", f"{name} is a whole number of at least {at_least}")
    return int(text)


def text_field(document: Mapping[str, Any], name: str) -> str | None:
    """A field that is text or absent; raises ControlError 400."""
    value = document.get(name)
    if value is not None and not isinstance(value, str):
        raise bad_request("bad_field", f"{name} is not text", f"send {name} as a JSON string")
    return value


def parse_moment(text: str, name: str) -> float:
    """Unix seconds, with or without a fraction, as text; raises ControlError 400."""
    whole, dot, fraction = text.partition(".")
    digits = whole + fraction
    if not (digits.isascii() and digits.isdigit() and whole and len(text) <= 24 and (fraction or not dot)):
        raise bad_request(f"bad_{name}", f"{name} is {text!r:.40}", f"{name} is Unix seconds, for example 1780000000.5")
    return float(text)
