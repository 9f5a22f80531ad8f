"""Tells a webhook how a run ended: counts and words of the engine, never people or credentials."""

from __future__ import annotations

import time
from urllib.parse import urlsplit

import httpx
import msgspec

from sync.core.errors import ConfigError
from sync.core.report import Ended
from sync.edge.transport import map_exception
from sync.edge.version import USER_AGENT

TRIES = 3
TIMEOUT_S = 10.0


def check_address(variable: str, url: str) -> str:
    """`url` if it can be a webhook's. Raises ConfigError that names the variable and not what it holds."""
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        good = False
    if not good:
        raise ConfigError(f"{variable} holds no http or https address", hint="set it to the webhook's address")
    return url


def notify(url: str, name: str, ended: Ended, *, disabled: bool, pause_s: float = 1.0) -> str:
    """POST one JSON object about a run; returns why it could not be told, empty when it was.

    `{"sync","status","exit_code","disabled","report"}`; the report is that of `--json`.
    """
    body = msgspec.json.encode(
        {
            "sync": name, "status": ended.report.status, "exit_code": ended.exit_code, "disabled": disabled,
            "report": ended.report,
        }
    )  # fmt: skip
    why = ""
    for attempt in range(TRIES):
        if attempt:
            time.sleep(pause_s * attempt)
        why = _post(url, body)
        if not why:
            break
    return why


def _post(url: str, body: bytes) -> str:
    headers = {"content-type": "application/json", "user-agent": USER_AGENT}
    try:
        with httpx.stream("POST", url, content=body, headers=headers, timeout=TIMEOUT_S) as response:
            status = response.status_code  # what else it says has perhaps no end, and interests nobody
    except httpx.HTTPError as error:
        failure = map_exception(error)
        return failure.message if failure is not None else "it failed"
    return "" if status < 300 else f"it answered {status}"
