"""One sync that is pulled from Amplitude, and pushed to the receiver as well."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator

import pytest

from sync.core.diff import Ids
from sync.core.facts import SnapshotFacts
from sync.edge.console import Console
from sync.edge.ledger import Ledger
from sync.edge.membership import Spool
from sync.run_cohort import CohortOptions, run_cohort
from tests.integration.amplitude_project import Pull
from tests.integration.cohort_engine import HASTE
from tests.integration.ledgers import opened


class Pushed:
    """What a receiver has of the cohort."""

    def read(self, spool: Spool) -> SnapshotFacts:
        spool.add([b"b", b"c"])
        return SnapshotFacts(2, {})

    def complete(self, spool: Spool, members: Iterable[Ids]) -> int:
        return 0

    def agreed(self) -> None:
        return None


def test_a_cohort_that_was_pushed_meanwhile_is_downloaded_again(pull: Pull) -> None:
    """Though Amplitude has not computed it anew: what is agreed is what was pushed."""
    pull.report()
    engine = pull.engine
    with opened(engine.path) as ledger:
        options = CohortOptions(source="pushed", name="vip", allow_empty=True)
        run_cohort(options, engine.settings(), ledger, Console(stream=engine.said), policy=HASTE, cohort=Pushed())
    assert engine.members() == {"b", "c"}
    assert pull.report().added == 1
    assert engine.members() == {"a", "b", "c"}


def test_a_computation_that_was_agreed_while_the_push_waited_for_its_turn_is_forgotten_too(
    pull: Pull, monkeypatch: pytest.MonkeyPatch
) -> None:
    pull.report()
    engine, lease = pull.engine, Ledger.lease

    @contextlib.contextmanager
    def after_a_pull(self: Ledger, name: str) -> Iterator[None]:
        with lease(self, name):
            self.connection.executemany("INSERT OR REPLACE INTO amplitude_snapshots VALUES (?, ?, ?, ?, ?)", agreed)
            yield

    with opened(engine.path) as ledger:
        assert ledger is not None
        agreed = ledger.connection.execute("SELECT * FROM amplitude_snapshots").fetchall()
        assert len(agreed) == 1
        monkeypatch.setattr(Ledger, "lease", after_a_pull)
        options = CohortOptions(source="pushed", name="vip", allow_empty=True)
        run_cohort(options, engine.settings(), ledger, Console(stream=engine.said), policy=HASTE, cohort=Pushed())
        assert ledger.connection.execute("SELECT * FROM amplitude_snapshots").fetchall() == []
