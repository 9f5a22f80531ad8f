"""What no destination could keep, through every way in: files, pushes and the export give each row the same fate."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

from conftest import HandTurnedClock
from fakeio.testing import WorkspaceHandle
from scenarios.amplitude import FakeAmplitude
from scenarios.amplitude_server import AmplitudeServer
from sync.amplitude_pull import Project
from sync.edge.amplitude_settings import AmplitudeSettings
from sync.edge.console import Console
from sync.edge.ledger import Ledger
from sync.export_source import EXPORT
from sync.run_events import EventsOptions, run_events
from tests.integration.amplitude_project import EngineClock
from tests.integration.event_engine import HASTE, Engine, row
from tests.integration.listening_engine import Listening

AT = 1_784_023_200  # 2026-07-14 10:00:00
UPLOADED = "2026-05-01 08:30:00.000000"  # before the hand-turned clock's noon, and available


def nested(levels: int) -> object:
    return {"a": nested(levels - 1)} if levels else 1


def odd(number: int, **columns: Any) -> dict[str, Any]:
    return row(number, server_upload_time=UPLOADED, **columns)


def with_property(number: int, value: object) -> dict[str, Any]:
    return odd(number, event_properties={"n": number, "x": value})


ROWS = [
    odd(0),
    with_property(1, "a\0b"),
    with_property(2, "half \ud800 pair"),
    with_property(3, math.nan),
    with_property(4, 2**63),
    with_property(5, nested(41)),
    odd(6, event_time="1969-12-31 23:59:59.000000"),
    odd(7, event_time="9999-12-31 23:59:59.000000"),
    odd(8, user_id=2**63),
    odd(9, event_time="10000-01-01 00:00:00.000000"),
    odd(10, user_id="a\0b"),
    odd(11, user_id="\ud800"),
    odd(12, user_id=True),
    odd(13, event_properties=[1]),
]
DELIVERED = [
    (AT, "42", {"n": 0}),
    (AT + 1, "42", {"n": 1, "x": "a\ufffdb"}),
    (AT + 2, "42", {"n": 2, "x": "half \ufffd pair"}),
    (AT + 3, "42", {"n": 3}),
    (AT + 4, "42", {"n": 4, "x": 2**63}),
    (AT + 5, "42", {"n": 5, "x": nested(41)}),
    (-1, "42", {"n": 6}),
    (253_402_300_799, "42", {"n": 7}),
    (AT + 8, str(2**63), {"n": 8}),
]
DISCARDED = Counter(bad_row=4, bad_timestamp=1)


def fates(workspace: WorkspaceHandle, ledger: Ledger) -> tuple[list[object], Counter[str]]:
    """What arrived: when, whose, what; and how many were discarded, by reason."""
    events = sorted(workspace.events(), key=lambda event: int(event.data["n"]))
    arrived: list[object] = [(one.timestamp, one.person.id if one.person else None, one.data) for one in events]
    return arrived, Counter(letter.reason for letter in ledger.dead_letters())


def test_through_a_file(engine: Engine) -> None:
    engine.report(*ROWS)
    with Ledger.open(engine.path) as ledger:
        assert fates(engine.workspace, ledger) == (DELIVERED, DISCARDED)


def test_through_a_push(listening: Listening) -> None:
    assert listening.push(ROWS, "/events") == 200
    listening.settle()
    with Ledger.open(listening.engine.path) as ledger:
        assert fates(listening.engine.workspace, ledger) == (DELIVERED, DISCARDED)


def test_through_the_export(engine: Engine, amplitude: AmplitudeServer, clock: HandTurnedClock) -> None:
    project = FakeAmplitude(now=clock)
    project.events.extend(ROWS)
    amplitude.play(project)
    keys = AmplitudeSettings(api_key=project.api_key, secret_key=project.secret_key, url=amplitude.url)
    with Ledger.open(engine.path) as ledger:
        ended = run_events(
            EventsOptions(source=EXPORT), engine.settings(), ledger, Console(stream=engine.said), policy=HASTE,
            project=Project(settings=keys, clock=EngineClock(clock)),
        )  # fmt: skip
        assert ended.error is None, ended.error.message
        assert fates(engine.workspace, ledger) == (DELIVERED, DISCARDED)
