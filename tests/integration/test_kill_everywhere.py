"""Pulled and pushed deliveries, killed before every commit and every request: same end, no event twice.

Nothing lasting happens between two steps, so that a kill after one is a kill before the next. Runs over files are
killed in `test_cohort_faults.py` and `test_events_kill.py`, repairs in `test_reconcile.py`, replays in `test_retry.py`.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from conftest import HandTurnedClock
from fakeio import Fake
from scenarios.amplitude_server import AmplitudeServer
from sync.edge.amplitude_ledger import AmplitudeLedger
from sync.edge.amplitude_transport import AmplitudeTransport
from sync.edge.inbox import Inbox
from sync.edge.ledger import Ledger
from sync.edge.transport import Transport
from tests.integration import cohort_engine, event_engine
from tests.integration.amplitude_project import pulling
from tests.integration.listening_engine import Listening, webhook
from tests.integration.test_amplitude_export import NOON, Export

PATIENCE_S = 60


class Killed(BaseException):
    """Stands for a kill: nothing in the engine may catch it and go on."""


class Steps:
    """Counts commits and requests of this process, and kills it before the n-th."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._left = 0
        self._lock = threading.Lock()
        monkeypatch.setattr(Ledger, "atomic", self._commits(Ledger.atomic, lambda ledger: ledger.connection))
        monkeypatch.setattr(Inbox, "_atomic", self._commits(Inbox._atomic, lambda inbox: inbox._connection))
        for owner, name in ((Transport, "send"), (AmplitudeTransport, "send"), (AmplitudeTransport, "download")):
            monkeypatch.setattr(owner, name, self._requests(getattr(owner, name)))

    def kills(self, work: Callable[[], object], step: int) -> bool:
        """Whether the work came so far; whatever it had under way has ended."""
        self._left = step
        try:
            work()
        except Killed:
            return True
        finally:
            self._left = 0
            for thread in threading.enumerate():
                if thread.name.startswith("courier"):
                    thread.join(PATIENCE_S)
        return False

    def _count(self) -> None:
        with self._lock:
            self._left -= 1
            killed = self._left == 0
        if killed:
            raise Killed

    def _requests(self, send: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*request: Any, **how: Any) -> Any:
            self._count()
            return send(*request, **how)

        return counted

    def _commits(
        self, step: Callable[[Any], AbstractContextManager[sqlite3.Connection]],
        connection_of: Callable[[Any], sqlite3.Connection],
    ) -> Callable[[Any], AbstractContextManager[sqlite3.Connection]]:  # fmt: skip
        @contextmanager
        def counted(owner: Any) -> Iterator[sqlite3.Connection]:
            outermost = not connection_of(owner).in_transaction
            with step(owner) as connection:
                yield connection
                if outermost:
                    self._count()

        return counted


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> Steps:
    return Steps(monkeypatch)


def folder_of(tmp_path: Path, step: int) -> Path:
    folder = tmp_path / str(step)
    folder.mkdir()
    return folder


def test_a_pulled_cohort_costs_two_requests_at_most(
    fake: Fake, amplitude: AmplitudeServer, tmp_path: Path, clock: HandTurnedClock, steps: Steps
) -> None:
    step, killed = 0, True
    while killed:
        step += 1
        engine = cohort_engine.Engine(fake, fake.new_workspace(), folder_of(tmp_path, step))
        engine.people("a", "b")
        pull = pulling(amplitude, engine, clock)
        pull.fake.put_cohort("abc", ["a", "b", "nobody"])
        killed = steps.kills(pull.report, step)
        report = pull.report()
        assert (engine.members(), report.not_found, report.pending) == ({"a", "b"}, 1, 0), step
        with Ledger.open(engine.path) as ledger:
            spent = AmplitudeLedger(ledger, pull.settings.project).spent(clock())
        assert len(pull.asked("/request/abc")) <= spent <= 2, step
        assert len(engine.workspace.segments) == 1
        engine.workspace.raise_first_error()
    assert step > 15


def test_a_pulled_export_is_delivered_once(
    fake: Fake, amplitude: AmplitudeServer, tmp_path: Path, clock: HandTurnedClock, steps: Steps
) -> None:
    step, killed = 0, True
    while killed:
        step += 1
        engine = event_engine.Engine(fake, fake.new_workspace(), folder_of(tmp_path, step))
        pulled = pulling(amplitude, engine, clock)  # type: ignore[arg-type]  # only the project of it is used
        export = Export(pulled.fake, pulled.settings.url, engine, clock)
        for number in range(5):
            export.upload(number, hours_ago=4 + number)
        killed = steps.kills(export.report, step)
        assert export.report().pending == 0
        assert (export.numbers(), export.cursor()) == (list(range(5)), NOON // 3600 - 2), step
        engine.workspace.raise_first_error()
    assert step > 6


def test_what_was_pushed_is_delivered_and_events_once(
    fake: Fake, tmp_path: Path, clock: HandTurnedClock, steps: Steps
) -> None:
    step, killed = 0, True
    while killed:
        step += 1
        folder = folder_of(tmp_path, step)
        engine = cohort_engine.Engine(fake, fake.new_workspace(), folder)
        engine.people("a", "b", "c")
        first = Listening(engine, clock)
        assert first.push(webhook("a", "b", message_id="1")) == 200
        assert first.push(webhook("b", entered=False, at=200, message_id="2")) == 200
        assert [first.push(event_engine.row(number), "/events") for number in range(3)] == [200] * 3
        killed = steps.kills(first.settle, step)
        first.inbox.close()
        second = Listening(engine, clock)
        second.settle()
        assert second.push(webhook("c", at=300, message_id="3")) == 200
        second.settle()
        assert engine.members() == {"a", "c"}, step
        assert sorted(event.data["n"] for event in engine.workspace.events()) == [0, 1, 2], step
        assert second.inbox.waiting() == {"cohorts": 0, "events": 0}
        second.inbox.close()
        engine.workspace.raise_first_error()
    assert step > 15
