"""A full disk: it is told as what it is, loses nothing, and the next run goes on."""

from __future__ import annotations

import errno
import os
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from sync.core.errors import LedgerError
from sync.core.report import Ended
from sync.edge.console import Console
from sync.edge.disk import is_full, unusable
from sync.edge.inbox import Inbox
from sync.edge.ledger import Ledger
from sync.run_cohort import CohortOptions, run_cohort
from tests.integration.cohort_engine import HASTE, Engine, counts

FULL = "the disk is full: the state file {path} can't grow, so nothing more was sent; nothing was lost"


def pages(ledger: Ledger, name: str, value: int | None = None) -> int:
    pragma = f"PRAGMA {name}" if value is None else f"PRAGMA {name} = {value}"
    return int(ledger.connection.execute(pragma).fetchone()[0])


def run_with_room_for(engine: Engine, more: int) -> Ended:
    """One run with so many pages left on the disk."""
    with Ledger.open(engine.path) as ledger:
        pages(ledger, "max_page_count", pages(ledger, "page_count") + more)
        options = CohortOptions(source=str(engine.file), name="vip")
        return run_cohort(options, engine.settings(), ledger, Console(stream=engine.said), policy=HASTE)


@pytest.mark.parametrize("room", [0, 1, 5, 30, 60])
def test_a_run_on_a_full_disk_says_so_and_the_next_goes_on(engine: Engine, room: int) -> None:
    ids = [f"{'x' * 100}-{n:04}" for n in range(2_000)]
    engine.people(*ids)
    assert counts(engine.report("a", *ids[:3])) == {"added": 3, "not_found": 1}
    engine.cohort("a", *ids)
    with pytest.raises(LedgerError) as full:
        run_with_room_for(engine, room)
    assert full.value.message.startswith(FULL.format(path=engine.path))
    assert full.value.hint == "make room on that disk, then run it again: it goes on where it stopped"
    assert full.value.exit_code == 2
    report = engine.report()
    assert (engine.members(), report.in_cohort, report.not_found) == (set(ids), 2_001, 1)


@pytest.mark.parametrize("where", ["open", "mkdir"])
@pytest.mark.parametrize(
    ("number", "says"),
    [
        pytest.param(errno.ENOSPC, "the disk is full", id="no room"),
        pytest.param(errno.EDQUOT, "the disk is full", id="no room left of one's share"),
        pytest.param(errno.EROFS, "can't be used: Read-only file system", id="another trouble"),
    ],
)
def test_a_file_that_can_not_be_made_is_told_by_what_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str, number: int, says: str
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise OSError(number, os.strerror(number))

    path = tmp_path / "new" / "ledger.db"
    with monkeypatch.context() as patched:
        patched.setattr(os, where, refuse)
        with pytest.raises(LedgerError) as refused:
            Ledger.open(path)
    assert says in refused.value.message
    assert ("make room" in refused.value.hint) == (number != errno.EROFS)


def test_a_lease_holds_though_nobody_could_write_its_holder_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with Ledger.open(tmp_path / "ledger.db") as ledger:
        monkeypatch.setattr(os, "write", refuse)
        with ledger.lease("vip"), pytest.raises(Exception, match="another run") as held, ledger.lease("vip", wait_s=0):
            raise AssertionError("two runs of one sync")
        assert "process unknown" in str(held.value)


def test_an_inbox_without_room_is_told_as_such(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("sync.edge.inbox.make_private", refuse)
    with pytest.raises(LedgerError, match="the disk is full: the inbox"):
        Inbox(tmp_path / "inbox.db")


def test_an_error_without_a_word_of_its_own_is_still_a_sentence(tmp_path: Path) -> None:
    assert "can't be used: the system refused;" in unusable(tmp_path, OSError()).message
    assert not is_full(sqlite3.OperationalError("database or disk is full"))  # its code counts, words are for people
