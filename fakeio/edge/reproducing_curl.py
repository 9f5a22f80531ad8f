"""A reproduction for a terminal: POSIX shell that sends the recorded requests again with curl.

Each command stands on its own: it may be copied out and pasted. Where to send and which credentials to send are shell
variables with the workspace's own as defaults, so the script runs as it is against the server it came from and, with
the variables set, against any other.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import NamedTuple

from fakeio.edge.auth import BASIC, BEARER
from fakeio.edge.credentials import Credentials
from fakeio.edge.reproducing import WRONG, Key, Sent, as_text

VARIABLES = {
    "site_id": "CIO_SITE_ID",
    "track_api_key": "CIO_TRACK_API_KEY",
    "app_api_key": "CIO_APP_API_KEY",
    "pipelines_write_key": "CIO_PIPELINES_WRITE_KEY",
    "service_token": "CIO_SERVICE_TOKEN",
    "webhook_signing_key": "CIO_WEBHOOK_SIGNING_KEY",
}
_LONGEST_ARGUMENT = 32_768  # bytes; systems refuse one argument of 128 KiB, some less
_HEAD = """\
#!/bin/sh
# Requests that a fakeio workspace recorded, to be sent again with curl.
# They run as they are against the server and the workspace they were recorded in. For another one, set
# FAKEIO_URL and the CIO_* variables below before. The tape never gives away what a client sent as credentials:
# those that were the workspace's own are filled in, any others are replaced by the word "wrong".
"""


class _Place(NamedTuple):
    origin: str
    credentials: Credentials

    def variable(self, name: str) -> str:
        """A credential by the name of its field, as a shell variable with a default, for use inside double quotes."""
        if name in ("", WRONG):
            return name
        return f"${{{VARIABLES[name]}:-{getattr(self.credentials, name)}}}"


def write_curl(recorded: Sequence[Sent], origin: str, credentials: Credentials) -> str:
    """A shell script of one command a request. `origin` is where the fake listens."""
    place = _Place(origin, credentials)
    return "\n".join([_HEAD, *(_command(sent, place) for sent in recorded)])


def _command(sent: Sent, place: _Place) -> str:
    before, body = _body(sent)
    method = ["--head"] if sent.method == "HEAD" else ["-X", quote(sent.method)]
    url = f'"${{FAKEIO_URL:-{place.origin}}}"{quote(sent.target)}'
    first = " ".join([f"{before}curl -sSi --globoff --path-as-is", *method, url])
    options = [*_key(sent.key, place), *_headers(sent), *body]
    return "\n".join([f"# {sent.title}", " \\\n  ".join([first, *options]), ""])


def _key(key: Key | None, place: _Place) -> list[str]:
    if key is None:
        return []
    user, secret = place.variable(key.user), place.variable(key.secret)
    if key.scheme == BASIC:
        return [f'-u "{user}:{secret}"']
    return [f'-H "authorization: {"Bearer " if key.scheme == BEARER else ""}{secret}"']


def _headers(sent: Sent) -> list[str]:
    # curl writes a content type of its own beside a body unless told that there is none
    absent = [("content-type", "")] if sent.body and "content-type" not in dict(sent.headers) else []
    return [f"-H {quote(f'{name}: {value}' if value else f'{name}:')}" for name, value in (*sent.headers, *absent)]


def _body(sent: Sent) -> tuple[str, list[str]]:
    """What comes before curl in a pipe, and curl's own option."""
    if not sent.body:
        return "", []
    text = as_text(sent.body)
    if text is None:
        encoded = base64.b64encode(sent.body).decode("ascii")
        return f"printf '%s' {quote(encoded)} | base64 -d | ", ["--data-binary @-"]
    if len(sent.body) > _LONGEST_ARGUMENT:
        # printf is the shell's own and takes arguments of any length
        return f"printf '%s' {quote(text)} | ", ["--data-binary @-"]
    return "", [f"--data-raw {quote(text)}"]


def quote(text: str) -> str:
    """One argument for a POSIX shell, always quoted, so that nobody has to wonder."""
    return "'" + text.replace("'", "'\\''") + "'"

