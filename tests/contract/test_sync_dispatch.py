"""Batches share steps of the ledger, and yet none is sent before it is written down, nor written down and not sent."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from sync.cohort_sending import MOST_UNSETTLED
from sync.core.batches import Batch
from sync.core.errors import SourceError, SyncError, Unauthorised
from sync.core.sending import Reply, Request, RetryPolicy
from sync.core.ulids import decode_ulid, encode_ulids, event_ulid
from sync.courier import Courier
from sync.dispatch import TOGETHER, UNDER_WAY, Dispatcher, deliver_all
from sync.edge.event_ledger import SENT, EventLedger, unpacked
from sync.edge.ledger import Ledger
from sync.edge.pacing import Pacing
from sync.run import Driver

LANES = 64
EVENTS = 3  # of each batch
TAKEN = Reply(200, body=b"{}")
HASTE = RetryPolicy(retries=0)


class Sink:
    """Takes every request, or answers those of some batches otherwise, and looks into the ledger as each one comes."""

    def __init__(self, path: Path, answers: dict[int, Reply]) -> None:
        self.batches: list[int] = []
        self.unwritten: list[bytes] = []  # ids that came and were not in the ledger
        self._path = path
        self._answers = answers

    def send(self, request: Request) -> Reply:
        items = msgspec.json.decode(request.body or b"")["batch"]
        with sqlite3.connect(self._path) as reading:
            rows = reading.execute("SELECT ulids FROM event_batches WHERE state = ?", (SENT,)).fetchall()
        written = {ulid for (packed,) in rows for ulid in unpacked(packed)}
        self.unwritten += [ulid for item in items if (ulid := _ulid(item["id"])) not in written]
        self.batches.append(items[0]["n"])
        return self._answers.get(items[0]["n"], TAKEN)


def _ulid(text: str) -> bytes:
    ulid = decode_ulid(text)
    assert ulid is not None
    return ulid


class Run:
    """One run of a dispatcher into a sink; keeps which batches each step wrote down."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, **answers: Reply) -> None:
        self.path = folder / "ledger.db"
        self.sink = Sink(self.path, {int(n.removeprefix("batch_")): reply for n, reply in answers.items()})
        self.steps: list[list[int]] = []
        self.dispatcher: Dispatcher
        self._written = EventLedger.step
        monkeypatch.setattr(EventLedger, "step", self._step)

    @property
    def _step(self) -> Any:
        def step(events: EventLedger, settled: Any = (), planned: Sequence[Any] = (), letters: Any = ()) -> None:
            self._written(events, settled, planned, letters)
            self.steps.append([n for n, _ in planned])

        return step

    def deliver(self, batches: Iterator[Batch]) -> None:
        driver = Driver(self.sink, pacing=Pacing({"track": 0.0}), policy=HASTE)
        with Ledger.open(self.path) as ledger, Courier(driver, LANES) as courier:
            events = EventLedger(ledger, "site", "run")
            self.dispatcher = Dispatcher(courier, events, "run")
            deliver_all(batches, courier, self.dispatcher, events)

    @property
    def planned(self) -> list[int]:
        return sorted(n for step in self.steps for n in step)


def batch(n: int, lane: int | None = None) -> Batch:
    """The batch of that number, whose events say so, on the given lane or on one that is never full."""
    ulids = [event_ulid(n * 1_000 + at, 1, "d", str(at)) for at in range(EVENTS)]
    texts = encode_ulids(ulids)
    items = [msgspec.json.encode({"id": text.decode(), "n": n}) for text in texts]
    return Batch(items, ulids, lane=n % LANES if lane is None else lane)


def broken_off(count: int, error: BaseException) -> Iterator[Batch]:
    yield from map(batch, range(count))
    raise error


def test_batches_share_a_step_and_the_first_goes_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = Run(tmp_path, monkeypatch)
    run.deliver(batch(n) for n in range(1 + 5 * TOGETHER))
    together = [len(step) for step in run.steps if step]
    assert (together[0], run.planned) == (1, list(range(1 + 5 * TOGETHER)))
    assert together[1:] == [TOGETHER] * 5
    assert len(run.steps) == 1 + 5 + 1  # and one for what the last ones came to


def test_whatever_arrives_was_written_down(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = Run(tmp_path, monkeypatch)
    run.deliver(batch(n) for n in range(23))
    assert (sorted(run.sink.batches), run.sink.unwritten) == (list(range(23)), [])
    assert run.dispatcher.delivered == 23 * EVENTS


def test_a_lane_that_is_full_is_given_what_waits_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = Run(tmp_path, monkeypatch)
    run.deliver(batch(n, lane=0) for n in range(9))
    assert run.sink.batches == list(range(9))
    assert {len(step) for step in run.steps[1:] if step} <= {1, UNDER_WAY}


def test_what_waited_when_the_source_broke_is_still_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = Run(tmp_path, monkeypatch)
    with pytest.raises(SourceError):
        run.deliver(broken_off(1 + TOGETHER + 2, SourceError("broken")))
    assert sorted(run.sink.batches) == run.planned == list(range(1 + TOGETHER + 2))


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SyncError("the ledger fails")], ids=["a signal", "an error"])
def test_what_waited_when_somebody_stopped_the_run_is_neither_sent_nor_in_doubt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    run = Run(tmp_path, monkeypatch)
    with pytest.raises(type(error)):
        run.deliver(broken_off(1 + 2, error))
    assert (run.sink.batches, run.planned) == ([0], [0])


def test_what_waited_when_the_credentials_were_refused_is_not_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused_while_two_wait() -> Iterator[Batch]:
        yield from map(batch, range(1 + TOGETHER + 2))
        courier = run.dispatcher._courier
        while courier.under_way > courier._done.qsize():  # every answer is there by then, and none is read
            time.sleep(0.001)
        yield batch(1 + TOGETHER + 2)

    run = Run(tmp_path, monkeypatch, batch_1=Reply(401))
    with pytest.raises(Unauthorised):
        run.deliver(refused_while_two_wait())
    assert run.planned == list(range(1 + TOGETHER))
    assert set(run.sink.batches) <= set(run.planned)


def test_after_three_batches_without_an_answer_what_waits_is_pending(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Run(tmp_path, monkeypatch, **{f"batch_{n}": Reply(503) for n in range(1, 40)})
    run.deliver(batch(n, lane=0) for n in range(40))
    dispatcher = run.dispatcher
    assert (dispatcher.delivered, dispatcher.expired + dispatcher.pending) == (EVENTS, 39 * EVENTS)
    assert len(run.planned) < 10
    assert MOST_UNSETTLED * EVENTS <= dispatcher.expired == (len(run.sink.batches) - 1) * EVENTS
