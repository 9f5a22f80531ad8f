"""One sync that is pulled from Amplitude, and pushed to the receiver as well."""

from __future__ import annotations

from collections.abc import Iterable

from sync.core.diff import Ids
from sync.core.facts import SnapshotFacts
from sync.edge.console import Console
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
