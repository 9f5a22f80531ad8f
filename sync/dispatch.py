"""Gives batches to the courier and writes down what becomes of them: one step of the ledger for a few batches.

The first batch of a run goes at once; later ones wait for each other, as long as no lane has to wait for them, so that
they share a step, which also settles those that came back. None is handed over before it is written down. Counts what
a report tells about events that were sent. All of it is done by one thread, and no signal falls into the middle of it,
so that what is counted is what is written down.
"""

from __future__ import annotations

import contextlib
import time
from collections import Counter
from collections.abc import Collection, Iterable
from typing import Literal

from sync.cohort_sending import MOST_UNSETTLED
from sync.core.batches import Batch
from sync.core.delivery import End
from sync.core.errors import Refused, SendError, SourceError, SyncError
from sync.core.sending import Fate, FateKind
from sync.courier import Courier, Delivered
from sync.destination import refused_credentials
from sync.edge.event_ledger import EventLedger, Settled
from sync.edge.ledger import DeadLetter
from sync.event_letters import expired_letter, refused_letter
from sync.stopping import Shield

GRACE_S = 5.0  # for the answer to what was just sent, when somebody stops the run
UNDER_WAY = 2  # batches a lane: one is being sent, one waits, so that the wire is never idle
TOGETHER = 8  # batches that share a step: most of what one costs is that it has to be on the disk
MOST_LETTERS = 1_000  # kept in memory until the next step


class Dispatcher:
    """Counts events: `delivered`, `refused` by reason, `expired`, and `pending` (given up before they were sent); and
    `unclear` answers, see Verdicts. `beside` counts updates of people that go with an event, by the same words."""

    def __init__(self, courier: Courier, events: EventLedger, run_id: str) -> None:
        self.delivered = 0
        self.expired = 0
        self.pending = 0
        self.unclear = 0
        self.refused: Counter[str] = Counter()
        self.beside: Counter[str] = Counter()
        self.updates = 0  # delivered, whether they go with an event or are rows
        self.batches = 0
        self._courier = courier
        self._events = events
        self._run_id = run_id
        self._waiting: list[Batch] = []  # neither written down nor handed over yet
        self._settled: list[Settled] = []
        self._letters: list[DeadLetter] = []
        self._unsettled_in_a_row = 0
        self._halted: Fate | None = None
        self._shield = Shield(courier.wake)

    def send(self, batch: Batch) -> None:
        """Write the batch down and hand it over, now or together with the next ones. Raises the SendError that ends
        the run."""
        with self._shield.held():
            self._make_room(batch.lane)
            self._waiting.append(batch)
            if self.batches == 0 or len(self._waiting) >= TOGETHER:
                self._hand_over()

    def drop(self) -> None:
        """Never send what still waits: nothing says that it was."""
        self._waiting = []

    def bury(self, letter: DeadLetter) -> None:
        """Keep the dead letter of an event that was not sent."""
        self._letters.append(letter)
        if len(self._letters) >= MOST_LETTERS:
            with self._shield.held():
                self._step()

    def finish(self, *, wait_s: float | None = None) -> None:
        """Hand over what still waits, wait for all verdicts, at most `wait_s` seconds, and write them down. Raises as
        `send`."""
        until = None if wait_s is None else time.monotonic() + wait_s
        with self._shield.held():
            try:
                self._hand_over()
                while self._courier.under_way and (until is None or time.monotonic() < until):
                    self._take_back(wait_s=None if until is None else max(until - time.monotonic(), 0.0))
                    self._shield.give_way()
            finally:
                self._step()
        self._raise_if_halted()

    def _make_room(self, lane: int) -> None:
        """Take back what is there, and wait until the lane may have another batch. The first batch of a run has to be
        settled before the second is sent: see Packer."""
        while self._take_back(wait_s=0):
            pass
        self._raise_if_halted()
        if self._courier.busy[lane] + sum(batch.lane == lane for batch in self._waiting) >= UNDER_WAY:
            self._hand_over()  # while this lane is waited for, the others may need what waits for them
        while self._courier.busy[lane] >= UNDER_WAY or (self.batches == 1 and self._courier.under_way):
            self._take_back(wait_s=None)
            self._shield.give_way()
        self._raise_if_halted()

    def _hand_over(self) -> None:
        """Write down what waits, in one step, and only then hand it over.

        After MOST_UNSETTLED batches without a final answer the destination is taken for down: the rest stays pending.
        """
        waiting, self._waiting = self._waiting, []
        if self._unsettled_in_a_row >= MOST_UNSETTLED:
            for batch in waiting:
                self._count_open("pending", batch, range(len(batch.items)))
            return
        if waiting:
            self._step(*enumerate(waiting, self.batches))
        for batch in waiting:
            self._courier.hand_over(self.batches, batch)
            self.batches += 1

    def _raise_if_halted(self) -> None:
        if self._halted is not None:
            raise halt_error(self._halted)

    def _step(self, *planned: tuple[int, Batch]) -> None:
        if self._settled or planned or self._letters:
            self._events.step(self._settled, [(n, batch.events) for n, batch in planned], self._letters)
            self._settled, self._letters = [], []

    def _take_back(self, *, wait_s: float | None) -> bool:
        done = self._courier.give_back(wait_s=wait_s)
        if done is not None:
            self._judge(done)
        return done is not None

    def _judge(self, done: Delivered) -> None:
        items, ulids, updates, beside = done.batch.items, done.batch.ulids, done.batch.updates, done.batch.beside
        refused, still_open, fate = done.verdicts.refused, done.verdicts.open, done.verdicts.fate
        letters = [refused_letter(self._run_id, items[at], why) for at, why in sorted(refused.items())]
        self.refused.update(why.reason for at, why in refused.items() if at not in beside)
        self.beside["refused"] += len(refused.keys() & beside)
        self.unclear += done.verdicts.unclear
        if done.verdicts.end is End.UNSETTLED and fate is not None:
            letters += [expired_letter(self._run_id, items[at], fate) for at in still_open]
            self._count_open("expired", done.batch, still_open)
            self._unsettled_in_a_row += 1
        else:
            self._count_open("pending", done.batch, still_open)
            self._unsettled_in_a_row = 0
        if done.verdicts.end is End.HALTED:
            self._halted = self._halted or fate
        lost = {*refused, *still_open}
        delivered = [ulid for at, ulid in enumerate(ulids) if at not in lost] if lost else ulids
        accepted = [update for at, update in updates.items() if at not in lost]
        self.delivered += len(delivered) - len(beside - lost)
        self.updates += len(accepted)
        self._settled.append(
            Settled(
                done.n, delivered, [ulids[at] for at in lost], letters, accepted,
                [updates[at].person for at in lost if at in updates],
            )
        )  # fmt: skip

    def _count_open(self, fate: Literal["expired", "pending"], batch: Batch, positions: Collection[int]) -> None:
        """Count items without a final answer: rows, and what goes beside one."""
        aside = len(batch.beside.intersection(positions))
        self.beside[fate] += aside
        if fate == "expired":
            self.expired += len(positions) - aside
        else:
            self.pending += len(positions) - aside


def deliver_all(batches: Iterable[Batch], courier: Courier, dispatcher: Dispatcher, events: EventLedger) -> int:
    """Deliver every batch, and write down what became of it wherever that ends. Returns how many events of earlier
    runs are still in doubt; raises what stopped it."""
    try:
        for batch in batches:
            dispatcher.send(batch)
        dispatcher.finish()
    except (KeyboardInterrupt, SyncError) as stop:
        if not isinstance(stop, SourceError):  # what was read before a source broke may still be delivered
            courier.stop()
            dispatcher.drop()
        with contextlib.suppress(SyncError):  # the first error is the one to tell
            dispatcher.finish(wait_s=GRACE_S if isinstance(stop, KeyboardInterrupt) else None)
            events.close()
        raise
    return events.close()


def halt_error(fate: Fate) -> SendError:
    """Why nothing more can be sent: the credentials, or an address that is no Track API."""
    status = fate.reply.status if fate.reply else 0
    if fate.kind is FateKind.UNAUTHORISED:
        return refused_credentials("track", status)
    return Refused(
        f"sending events: Customer.io answered {status}, which is not about the events",
        hint="check CIO_TRACK_URL and CIO_REGION with `cio-sync check`, then run it again",
    )
