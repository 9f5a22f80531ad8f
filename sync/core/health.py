"""What a self-check found, and how it is told: a line each, the gravest decides. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from email.utils import parsedate_to_datetime
from enum import IntEnum

import msgspec


class Level(IntEnum):
    """How grave; the number is the exit code."""

    OK = 0
    WARN = 1
    WRONG = 2


_WORDS = {Level.OK: "ok", Level.WARN: "WARN", Level.WRONG: "WRONG"}
MOST_SKEW_S = 60.0  # beyond this, times of events and the `Retry-After` dates of answers are off by as much


class Finding(msgspec.Struct, frozen=True):
    """One thing that was looked at: what was found, and what to do about it where it is not well."""

    check: str
    level: Level
    said: str
    advice: str = ""


def worst(findings: Sequence[Finding]) -> Level:
    return max((one.level for one in findings), default=Level.OK)


def render_findings(findings: Sequence[Finding]) -> Iterator[str]:
    """A line each, and one below for what to do."""
    for one in findings:
        yield f"{_WORDS[one.level]:<6} {one.check:<12} {one.said}"
        if one.advice:
            yield f"{'':<19} -> {one.advice}"


def encode_findings(findings: Sequence[Finding]) -> bytes:
    """The one object of `doctor --json`."""
    rows = [
        {"check": one.check, "level": _WORDS[one.level].lower(), "message": one.said, "hint": one.advice}
        for one in findings
    ]
    return msgspec.json.encode({"status": _WORDS[worst(findings)].lower(), "checks": rows})


def skew(date: str, received_at: float) -> Finding:
    """How far this machine's clock is from a server's `Date` header; `received_at` is ours, in Unix seconds."""
    try:
        ahead_s = received_at - parsedate_to_datetime(date).timestamp()
    except (ValueError, OverflowError):
        return Finding("clock", Level.OK, "Customer.io did not say what time it is")
    if abs(ahead_s) <= MOST_SKEW_S:
        return Finding("clock", Level.OK, "agrees with Customer.io's within a minute")
    way = "ahead of" if ahead_s > 0 else "behind"
    return Finding(
        "clock", Level.WARN, f"{abs(ahead_s):.0f} s {way} Customer.io's", "have the system set it, for instance by NTP"
    )
