"""Gives batches to the courier and writes down what becomes of them: one step of the ledger a batch.

The step that plans a batch also settles those that came back, so that a batch costs one transaction. Counts what a
report tells about events that were sent.
"""

from __future__ import annotations

from collections import Counter

from sync.cohort_sending import MOST_UNSETTLED
from sync.core.batches import Batch
from sync.core.delivery import End
from sync.core.errors import Refused, SendError
from sync.core.sending import Fate, FateKind
from sync.core.verdicts import complaint
from sync.courier import Courier, Delivered
from sync.destination import refused_credentials
from sync.edge.event_ledger import EventLedger, Settled
from sync.edge.ledger import DeadLetter
from sync.event_letters import expired_letter, refused_letter

UNDER_WAY = 2  # batches: one is being sent, one waits, so that the wire is never idle
MOST_LETTERS = 1_000  # kept in memory until the next step


class Dispatcher:
    """Counts events: `delivered`, `refused` by reason, `expired`, and `pending` (given up before they were sent)."""

    def __init__(self, courier: Courier, events: EventLedger, run_id: str) -> None:
        self.delivered = 0
        self.expired = 0
        self.pending = 0
        self.refused: Counter[str] = Counter()
        self.batches = 0
        self._courier = courier
        self._events = events
        self._run_id = run_id
        self._settled: list[Settled] = []
        self._letters: list[DeadLetter] = []
        self._unsettled_in_a_row = 0

    def send(self, batch: Batch) -> None:
        """Write the batch down and hand it over. Raises the SendError that ends the run.

        After MOST_UNSETTLED batches without a final answer the destination is taken for down: the rest stays pending.
        """
        while self._courier.under_way >= UNDER_WAY:
            self._take_back(wait_s=None)
        if self._unsettled_in_a_row >= MOST_UNSETTLED:
            self.pending += len(batch.items)
            return
        n = self.batches
        self.batches += 1
        self._step((n, batch))
        self._courier.take(n, batch)

    def bury(self, letter: DeadLetter) -> None:
        """Keep the dead letter of an event that was not sent."""
        self._letters.append(letter)
        if len(self._letters) >= MOST_LETTERS:
            self._step()

    def finish(self, *, wait_s: float | None = None) -> None:
        """Wait for all verdicts, at most `wait_s` seconds for each, and write them down. Raises as `send`."""
        try:
            while self._courier.under_way and self._take_back(wait_s=wait_s):
                pass
        finally:
            self._step()

    def _step(self, *planned: tuple[int, Batch]) -> None:
        settled, self._settled = self._settled, []
        letters, self._letters = self._letters, []
        if settled or planned or letters:
            self._events.step(settled, [(n, batch.ulids) for n, batch in planned], letters)

    def _take_back(self, *, wait_s: float | None) -> bool:
        done = self._courier.give_back(wait_s=wait_s)
        if done is None:
            return False
        self._judge(done)
        if done.verdicts.end is End.HALTED and done.verdicts.fate is not None:
            raise halt_error(done.verdicts.fate)
        return True

    def _judge(self, done: Delivered) -> None:
        items, ulids = done.batch.items, done.batch.ulids
        refused, still_open, fate = done.verdicts.refused, done.verdicts.open, done.verdicts.fate
        letters = [refused_letter(self._run_id, items[at], why) for at, why in sorted(refused.items())]
        self.refused.update(why.reason for why in refused.values())
        if done.verdicts.end is End.UNSETTLED and fate is not None:
            letters += [expired_letter(self._run_id, items[at], fate) for at in still_open]
            self.expired += len(still_open)
            self._unsettled_in_a_row += 1
        else:
            self.pending += len(still_open)
            self._unsettled_in_a_row = 0
        lost = {*refused, *still_open}
        delivered = [ulid for at, ulid in enumerate(ulids) if at not in lost] if lost else ulids
        self.delivered += len(delivered)
        self._settled.append(Settled(done.n, delivered, [ulids[at] for at in lost], letters))


def halt_error(fate: Fate) -> SendError:
    """Why nothing more can be sent: the credentials, or an address that is no Track API."""
    status = fate.reply.status if fate.reply else 0
    if fate.kind is FateKind.UNAUTHORISED:
        return refused_credentials("track", status)
    said = complaint(fate.reply).message if fate.reply else ""
    return Refused(
        f"sending events: Customer.io answered {status}{f' ({said})' if said else ''}, which is not about the events",
        hint="check CIO_TRACK_URL and CIO_REGION with `cio-sync check`, then run it again",
    )
