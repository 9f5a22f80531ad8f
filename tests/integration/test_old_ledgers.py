"""Ledgers that earlier versions of the engine really wrote: nothing in them is lost, and their runs go on.

Each `ledgers/schema-N.sql` is the dump of a file that the engine left when N was its newest schema: two cohorts, an
export, whatever that version knew besides, then a cohort run and an events run that were killed with a request on the
wire. When a step is added to `sync/edge/migrations.py`, a dump of the schema before it belongs here.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from fakeio import Fake
from sync.core.report import EventsReport
from sync.edge import migrations
from sync.edge.ledger import Ledger
from tests.integration import cohort_engine, event_engine
from tests.integration.event_engine import row

LEDGERS = Path(__file__).with_name("ledgers")
VERSIONS = sorted(int(path.stem.removeprefix("schema-")) for path in LEDGERS.glob("*.sql"))


@pytest.fixture(scope="module")
def own_fake() -> Iterator[Fake]:
    with Fake() as server:
        yield server


@pytest.fixture
def old(own_fake: Fake, tmp_path: Path) -> Iterator[cohort_engine.Engine]:
    """The workspace as the killed runs left it, at the credentials that the ledgers name."""
    own_fake.workspace.reset()
    one = cohort_engine.Engine(own_fake, own_fake.workspace, tmp_path)
    one.people("a", "b", "c", "d", "42")
    yield one
    own_fake.workspace.raise_first_error()


def restore(path: Path, version: int) -> None:
    with sqlite3.connect(path) as connection:
        connection.executescript(LEDGERS.joinpath(f"schema-{version}.sql").read_text(encoding="utf-8"))
    connection.close()


def tables(connection: sqlite3.Connection) -> dict[str, list[str]]:
    """The columns of every table."""
    names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
    found = [name for (name,) in names]
    return {name: [column for _, column, *_ in connection.execute(f"PRAGMA table_info({name})")] for name in found}


def rows(connection: sqlite3.Connection, wanted: dict[str, list[str]]) -> dict[str, list[Any]]:
    return {
        name: sorted(connection.execute(f"SELECT {', '.join(columns)} FROM {name}").fetchall(), key=repr)
        for name, columns in wanted.items()
    }


def test_there_is_a_ledger_of_every_schema_before_the_newest() -> None:
    assert set(range(1, migrations.LATEST)) <= set(VERSIONS) <= set(range(1, migrations.LATEST + 1))


@pytest.mark.parametrize("version", VERSIONS)
def test_every_row_of_an_old_ledger_is_kept(tmp_path: Path, version: int) -> None:
    path = tmp_path / "ledger.db"
    restore(path, version)
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (version,)
        known = tables(connection)
        before = rows(connection, known)
    connection.close()
    assert [name for name, kept in before.items() if not kept] == []  # a table without rows would prove nothing
    with Ledger.open(path) as ledger:
        assert ledger.connection.execute("PRAGMA user_version").fetchone() == (migrations.LATEST,)
        assert rows(ledger.connection, known) == before
        assert ledger.connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


@pytest.mark.parametrize("version", VERSIONS)
def test_an_old_schema_becomes_the_one_of_a_new_ledger(tmp_path: Path, version: int) -> None:
    restore(tmp_path / "old.db", version)
    with Ledger.open(tmp_path / "old.db") as old, Ledger.open(tmp_path / "new.db") as new:
        assert tables(old.connection) == tables(new.connection)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_cohort_run_that_an_older_version_was_killed_in_goes_on(old: cohort_engine.Engine, version: int) -> None:
    restore(old.path, version)
    with Ledger.open(old.path) as ledger:
        sync = ledger.sync(old.workspace.site_id, "vip")
    assert sync is not None
    make_segment(old, sync.sync_key)
    report = old.report("b", "c", "d", "nobody")
    assert (report.segment.id, report.mode) == (sync.segment_id, "incremental")
    assert cohort_engine.counts(report) == {"already_members": 2, "added": 1, "not_found": 1, "removed": 1}
    assert (old.calls("remove"), old.calls("add")[1:]) == ([["a"]], [["d"]])
    assert old.members() == {"b", "c", "d"}


def make_segment(engine: cohort_engine.Engine, key: str) -> None:
    """The segment as the old version had made and filled it."""
    body = {"segment": {"name": "[Amplitude] vip", "description": f"cio-sync:{key}"}}
    headers = {"authorization": f"Bearer {engine.workspace.app_api_key}"}
    made = httpx.post(f"{engine.url}/v1/segments", json=body, headers=headers).raise_for_status().json()
    assert made["segment"]["id"] == 1
    auth = (engine.workspace.site_id, engine.workspace.track_api_key)
    filling = {"ids": ["a", "b", "c"]}
    httpx.post(f"{engine.url}/api/v1/segments/1/add_customers", json=filling, auth=auth).raise_for_status()


@pytest.mark.parametrize("version", VERSIONS)
def test_events_that_an_older_version_delivered_are_not_sent_again(
    old: cohort_engine.Engine, own_fake: Fake, version: int
) -> None:
    restore(old.path, version)
    engine = event_engine.Engine(own_fake, own_fake.workspace, old.path.parent)
    delivered, in_doubt = (row(1), row(2)), (row(6), row(7))
    report = engine.run(*delivered, *in_doubt, row(8)).report
    assert isinstance(report, EventsReport)
    assert (report.duplicates, report.delivered, report.pending) == (2, 3, 0)
    assert sorted(event.data["n"] for event in own_fake.workspace.events()) == [6, 7, 8]
    with Ledger.open(engine.path) as ledger:
        (again,) = ledger.connection.execute("SELECT count(*) FROM event_batches WHERE state = 0").fetchone()
    assert again == 0
