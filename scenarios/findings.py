"""What a demonstration found, as plain values: chapters, who is missing and why, faults, oddities, differences.

`demo.py` fills them in, `account.py` words them for people, `--json` prints them as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Found = Literal["engine", "customer.io", "nobody"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chapter:
    """One run of the engine: what it was told to do and what it reported."""

    title: str
    file: str
    command: str
    code: int
    report: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """A row of a file that did not arrive. `found` is who left it out; `nobody` means that nothing explains it."""

    row: str
    who: str
    what: str
    rule: str
    why: str
    found: Found


@dataclass(frozen=True, slots=True, kw_only=True)
class Strike:
    """A fault that struck one request, and how that request fared when it came again."""

    chapter: str
    request: str
    what: str
    then: str
    survived: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Oddity:
    """Something odd planted in the samples: what must become of it and what did."""

    name: str
    rows: int
    expected: str
    became: str
    rule: str

    @property
    def as_expected(self) -> bool:
        return self.expected == self.became


@dataclass(slots=True, kw_only=True)
class Account:
    """The whole account. `differences` are sentences; the demonstration succeeded when there are none."""

    chapters: list[Chapter] = field(default_factory=list)
    between: list[str] = field(default_factory=list)
    people: int = 0
    members: int = 0
    segment: str = ""
    arrived: dict[str, int] = field(default_factory=dict)  # events by name, the most frequent first
    missing_people: list[Missing] = field(default_factory=list)
    missing_events: list[Missing] = field(default_factory=list)
    strikes: list[Strike] = field(default_factory=list)
    oddities: list[Oddity] = field(default_factory=list)
    differences: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not self.differences

    def as_dict(self) -> dict[str, Any]:
        """The account as JSON values."""
        return {"ok": self.ok, **asdict(self)}
