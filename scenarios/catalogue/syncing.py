"""Plays one run of the engine: writes the file that Amplitude would have written and runs the command's own code.

Flags are read by the parser of `cio-sync`, the engine runs in this process, and the ledger lasts for the whole case.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from scenarios.catalogue.case import Sync
from scenarios.inprocess import run_as_typed
from scenarios.samples.formats import Member, encode_cohort, encode_export, encode_row, export_row, member_name

_PROJECT, _DAY, _HOUR = 187520, "2026-05-28", 20
_NAME = "vip"


class Told(NamedTuple):
    """The exit code and the report of a run."""

    code: int
    report: Any


def play(sync: Sync, own: dict[str, str], folder: Path) -> Told:
    """Run once. `own` is the engine's environment; files are written to `folder`."""
    if sync.events is not None:
        file = folder / "export.zip"
        lines = [encode_row(export_row(row)) for row in map(_completed, sync.events)]
        file.write_bytes(encode_export([Member(member_name(_PROJECT, _DAY, _HOUR, 0), lines)]))
        arguments = ["events", str(file)]
    else:
        file = folder / "cohort.csv"
        file.write_bytes(encode_cohort(_rows(sync), sync.header))
        arguments = ["cohort", str(file), "--name", _NAME]
    ended = run_as_typed([*arguments, *sync.flags], own)
    return Told(ended.code, json.loads(json.dumps(ended.report)))


def _completed(row: Any) -> dict[str, Any]:
    """What every row of an export has, unless the case says otherwise."""
    return {"event_type": "buy", "device_id": "d1", "amplitude_id": 1, **row}


def _rows(sync: Sync) -> Iterator[list[str]]:
    """Whole rows as they are; a bare user id is given an Amplitude id by its place."""
    for place, row in enumerate(sync.cohort or ()):
        yield list(row) if isinstance(row, list | tuple) else [str(356_000_000_000 + place), row]
