"""Plays one request of a case: sends its bytes exactly as the case has them, and keeps what came back.

Nothing is judged here. The paths of a case are percent-encoded by whoever wrote it; no client tidies them up.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable, Mapping
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from scenarios.catalogue.case import Ask
from scenarios.catalogue.places import Keys

_PATIENCE_S = 30
_NOBODY = "0" * 20


class Answer(NamedTuple):
    """What came back. `status` 0: nothing. `body` is the parsed JSON, None where there is none; header names are
    lower case."""

    status: int
    headers: Mapping[str, str] = {}
    text: str = ""
    body: Any = None


class Wire:
    """Connections to the two APIs, kept open. `before` is called with the API's name ahead of every request."""

    def __init__(self, keys: Keys, before: Callable[[str], None] | None = None) -> None:
        self._keys = keys
        self._before = before
        self._open: dict[str, HTTPConnection] = {}

    def close(self) -> None:
        """Close what is open; the next request opens a connection of its own."""
        while self._open:
            self._open.popitem()[1].close()

    def send(self, ask: Ask) -> Answer:
        """Ask once; a connection that ends without an answer is an answer of status 0."""
        if self._before is not None:
            self._before(ask.api)
        origin = self._keys.track_url if ask.api == "track" else self._keys.app_url
        connection = self._connection(origin)
        try:
            connection.request(ask.method, ask.path, _payload(ask), {**self._headers(ask), **ask.headers})
            answer = connection.getresponse()
            text = answer.read().decode("utf-8", "replace")
        except (OSError, HTTPException):
            self.close()
            return Answer(0)
        except BaseException:  # an interrupt leaves the connection in the middle of an exchange
            self.close()
            raise
        headers = {name.lower(): value for name, value in answer.getheaders()}
        return Answer(answer.status, headers, text, _parsed(text))

    def _connection(self, origin: str) -> HTTPConnection:
        if origin not in self._open:
            parts = urlsplit(origin)
            kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
            self._open[origin] = kind(parts.netloc, timeout=_PATIENCE_S)
        return self._open[origin]

    def _headers(self, ask: Ask) -> dict[str, str]:
        typed = {"Content-Type": "application/json"} if ask.has_body else {}
        authorization = self._authorization(ask.api, ask.auth)
        return {**typed, **({"Authorization": authorization} if authorization else {})}

    def _authorization(self, api: str, auth: str) -> str:
        keys = self._keys
        basic, bearer = _basic(keys.site_id, keys.track_api_key), f"Bearer {keys.app_api_key}"
        track = api == "track"
        return {
            "own": basic if track else bearer,
            "other": bearer if track else basic,
            "wrong": _basic(keys.site_id, _NOBODY) if track else f"Bearer {_NOBODY}",
            "empty": _basic("", "") if track else "Bearer ",
            "service": f"Bearer {keys.service_token}",
            "none": "",
        }[auth]


def take(body: Any, place: str) -> Any:
    """The value at a dotted place of an answer (`results.0.cio_id`); None when it is not there."""
    found = body
    for part in place.split("."):
        if isinstance(found, list) and part.isdigit() and int(part) < len(found):
            found = found[int(part)]
        elif isinstance(found, Mapping):
            found = found.get(part)
        else:
            return None
    return found


def _payload(ask: Ask) -> bytes | None:
    if ask.has_body:
        return json.dumps(ask.body, ensure_ascii=False).encode()
    return None if ask.text is None else ask.text.encode()


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _basic(user: str, password: str) -> str:
    return "Basic " + b64encode(f"{user}:{password}".encode()).decode()
