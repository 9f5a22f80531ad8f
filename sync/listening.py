"""The worker behind `cio-sync listen`: takes what was pushed off the inbox and delivers it, in runs like any other.

Applies cohort messages by the time they were computed, then makes the segment of each changed list equal to it; sends
streamed events. What fails stays where it is and is tried again, later and later. Kill it anywhere and start it again.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial

from sync.cohort_pass import MEMBERSHIP, SEARCH
from sync.core.diff import Ids
from sync.core.errors import SyncError
from sync.core.facts import SnapshotFacts
from sync.core.mapping import Rules
from sync.core.report import CohortReport, Ended
from sync.core.sending import RetryPolicy
from sync.core.wire_segments import fold
from sync.edge.cohort_files import read_ids
from sync.edge.console import Console
from sync.edge.files import Piece
from sync.edge.inbox import FIRST, Inbox, ListRow
from sync.edge.ledger import Ledger
from sync.edge.membership import Spool
from sync.edge.metrics import Metrics
from sync.edge.settings import Settings
from sync.edge.transport import Network
from sync.run_cohort import CohortOptions, run_cohort
from sync.run_events import EventsOptions, run_events

IDLE_S = 1.0  # between two looks at the inbox: messages that come together are delivered together
BREATH_S = 0.002  # between two steps of it: whoever pushes gets a turn
FIRST_PAUSE_S, MOST_PAUSE_S = 5.0, 600.0  # after a run that failed
GIVEN_UP_AFTER_S = 4 * 3600.0  # as long as Amplitude itself keeps trying. Source: Amplitude > Event streaming
AGAIN_S = 3600.0  # every list is looked at so often, for people who exist by now
MOST_EVENTS = 10_000
_PUSHED = "pushed"
_ROUND = "round"
_NO_FATE = 3  # exit codes from here on mean that the run stopped


class PushedCohort:
    """A list as it stands in the inbox, as the source of a cohort run.

    Amplitude tells everybody once and then only who came and went. So where the inbox is new and the segment is not (a
    state that was lost, say), members of whom no push spoke stay, until one says that they left.
    """

    def __init__(self, inbox: Inbox, row: ListRow, id_type: str, console: Console) -> None:
        self._inbox = inbox
        self._row = row
        self._id_type = id_type
        self._console = console

    def read(self, spool: Spool) -> SnapshotFacts:
        return read_ids(self._inbox.inside(self._row.list_id), self._id_type, spool)

    def complete(self, spool: Spool, members: Iterable[Ids]) -> int:
        if self._row.delivered:
            return 0
        unsaid = 0
        for some in members:
            stay = self._inbox.keep_unsaid(self._row.list_id, map(bytes.decode, sorted(some)))
            spool.add([one.encode() for one in stay])
            unsaid += len(stay)
        if unsaid:
            self._console.warn(
                f"{unsaid} people are in the segment of {self._row.name!r} of whom no push has spoken yet: they stay"
                " until one says that they left"
            )
        return unsaid

    def agreed(self) -> None:
        self._inbox.mark_delivered(self._row)


class PushedEvents:
    """The oldest streamed events of an inbox, as the source of an events run. Those that expire stay in it, unless
    `give_up`: then they are dead letters, for `retry`, and keep those after them no longer."""

    total_bytes: int | None = None

    def __init__(self, inbox: Inbox, *, give_up: bool) -> None:
        self.bytes_read = 0
        self._inbox = inbox
        self._give_up = give_up
        self._until = 0
        self.expired = False
        self.dropped = False  # what was given out: it need not be sent again

    def prove(self) -> None:
        """Every line was proved when it came."""

    def pieces(self) -> Iterator[Piece]:
        rows = self._inbox.events(MOST_EVENTS)
        if rows:
            self._until = rows[-1][0]
            yield Piece(_PUSHED, b"".join(line + b"\n" for _, line in rows))

    def advance(self, *, expired: bool) -> None:
        self.expired = expired
        if not expired or self._give_up:
            self._inbox.drop_events(self._until)
            self.dropped = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenOptions:
    """How what is pushed is delivered; `network` replaces the wire to Customer.io in tests."""

    id_type: str = "id"
    rules: Rules = field(default_factory=Rules)
    policy: RetryPolicy | None = None
    now: Callable[[], float] = time.time
    network: Network | None = None


class Worker:
    """One thread's work. `settings` say where to and where the ledger is."""

    def __init__(
        self, inbox: Inbox, settings: Settings, console: Console, metrics: Metrics, options: ListenOptions
    ) -> None:
        self._inbox = inbox
        self._settings = settings
        self._console = console
        self._metrics = metrics
        self._options = options
        self._failures: dict[str, int] = {}
        self._due: dict[str, float] = {}
        self._looked_at = options.now()
        self._spelling = partial(fold, id_type=options.id_type)
        self._respelling = None if options.id_type == "id" else FIRST  # those are what they are
        self._expiring_since: float | None = None  # when events first got no answer, of those that still wait for one

    def run(self, stop: threading.Event) -> None:
        """Work until told to stop; looks again at once while there is more."""
        while not stop.is_set():
            stop.wait(BREATH_S if self.try_to_work() else IDLE_S)

    def try_to_work(self) -> bool:
        """One round that no error ends for good: it is told, and after a pause there is another."""
        if not self._is_due(_ROUND):
            return False
        try:
            more = self.work()
        except Exception as error:
            self._fail(_ROUND, error)
            return False
        self._note(_ROUND, failed=False)
        return more

    def work(self) -> bool:
        """One round: True when there may be more to do right away."""
        if self._respelling is not None:
            self._respelling = self._inbox.respell(self._spelling, self._respelling)
            return True
        applied = self._inbox.apply_members(spelling=self._spelling)
        if applied.contradictions:
            self._console.warn(
                f"{applied.contradictions} people were said to be in and out at the same moment: the last word won"
            )
        if applied.messages:
            return True  # the rest first, so that a list is delivered once for all of them
        thorough = self._is_thorough()
        for row in self._lists(thorough=thorough):
            self._deliver_list(row, MEMBERSHIP if thorough else SEARCH)
        if thorough:
            self._looked_at = self._options.now()
        return self._deliver_events()

    def _lists(self, *, thorough: bool) -> list[ListRow]:
        """Those that changed, and every now and then all of them, without the ones that must wait after a failure."""
        rows = self._inbox.lists() if thorough else self._inbox.dirty()
        return [row for row in rows if self._is_due(row.list_id)]

    def _is_thorough(self) -> bool:
        """Whether this round looks at every member of every list, and not only at those of whom something was said:
        whoever was deleted and signed up again is missing, though no push will ever name them."""
        return self._options.now() >= self._looked_at + AGAIN_S

    def _deliver_list(self, row: ListRow, verify: str) -> None:
        options = CohortOptions(
            source=_PUSHED, name=row.name if self._inbox.is_alone(row) else f"{row.name} ({row.cohort_id})",
            cohort_id=row.cohort_id, id_type=self._options.id_type, verify=verify,
            allow_empty=True,  # everybody who left was told of by name
        )  # fmt: skip
        cohort = PushedCohort(self._inbox, row, self._options.id_type, self._console)
        ended = self._run(
            row.list_id,
            lambda ledger: run_cohort(
                options, self._settings, ledger, self._console, policy=self._options.policy,
                network=self._options.network, cohort=cohort,
            ),
        )
        if isinstance(ended, Ended) and isinstance(ended.report, CohortReport):
            unsettled = ended.exit_code >= _NO_FATE or ended.report.pending or ended.report.refused
            self._note(row.list_id, failed=bool(unsettled))

    def _deliver_events(self) -> bool:
        if not self._is_due(_PUSHED) or not self._inbox.events(1):
            return False
        options = EventsOptions(source=_PUSHED, rules=self._options.rules)
        since = self._expiring_since
        give_up = since is not None and self._options.now() >= since + GIVEN_UP_AFTER_S
        events = PushedEvents(self._inbox, give_up=give_up)
        ended = self._run(
            _PUSHED,
            lambda ledger: run_events(
                options, self._settings, ledger, self._console, policy=self._options.policy,
                network=self._options.network, events=events,
            ),
        )
        if ended is None:
            return False
        if events.dropped:
            self._expiring_since = None
        elif events.expired and since is None:
            self._expiring_since = self._options.now()
        self._note(_PUSHED, failed=not events.dropped)
        return events.dropped

    def _run(self, key: str, run: Callable[[Ledger], Ended]) -> Ended | None:
        """One run; None when it could not even start, which is told and noted as a failure."""
        try:
            with Ledger.open(self._settings.state_path) as ledger:
                ended = run(ledger)
        except Exception as error:  # one list that fails keeps none of the others waiting
            self._fail(key, error)
            return None
        self._metrics.observe(ended.report, self._options.now())
        if ended.error is not None:
            self._console.warn(f"cio-sync: {ended.error.message}. {ended.error.hint}")
        return ended

    def _fail(self, key: str, error: Exception) -> None:
        """It ended without a report. Of what nobody foresaw only the kind is told: its text may name people."""
        said = f"{type(error).__name__}; it is tried again"
        if isinstance(error, SyncError):
            said = f"{error.message}. {error.hint}"
        elif isinstance(error, sqlite3.Error):
            said = f"the state can't be read or written: {error}; it is tried again"
        self._console.warn(f"cio-sync: {said}")
        self._metrics.count_failure()
        self._note(key, failed=True)

    # -- patience -----------------------------------------------------------------------------------------------------
    def _is_due(self, key: str) -> bool:
        return self._options.now() >= self._due.get(key, 0.0)

    def _note(self, key: str, *, failed: bool) -> None:
        """After a failure the next try waits, twice as long each time."""
        failures = self._failures[key] = self._failures.get(key, 0) + 1 if failed else 0
        pause_s = min(MOST_PAUSE_S, FIRST_PAUSE_S * 2.0 ** min(failures - 1, 16)) if failures else 0.0
        self._due[key] = self._options.now() + pause_s
