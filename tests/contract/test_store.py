"""The data file without a process around it: what is read back, when a journal is rewritten, and a full disk."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from shutil import copy
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import settings as profile

from fakeio.app import build_universe
from fakeio.core.snapshots import take
from fakeio.edge import journal
from fakeio.edge.control import build_control
from fakeio.edge.exchange import Universe
from fakeio.edge.recovering import leave, recover
from fakeio.edge.registry import HostedWorkspace
from fakeio.edge.store import Store, StoreError
from fakeio.edge.transport import FakeTransport
from tests.contract.serving import SITE, TRACK_KEY
from tests.unit.fakeio.histories import AT_ONCE, NOW, START, histories, settings


@contextmanager
def opened(path: Path, **given_settings: Any) -> Iterator[tuple[Universe, Store]]:
    """A server's state, kept in that file."""
    universe = build_universe(settings=given_settings, seed=START)
    with closing(Store(str(path), synced=True)) as store:
        recover(universe, store)
        yield universe, store


def client_of(universe: Universe) -> httpx.Client:
    transport = FakeTransport(universe, build_control(universe))
    return httpx.Client(transport=transport, base_url="http://127.0.0.1", auth=(SITE, TRACK_KEY))


def wait(store: Store) -> None:
    waiting = store.settled()
    assert waiting is None or waiting.result()


def live(hosted: HostedWorkspace, history: list[Any]) -> float:
    """Do all that as requests would, and write it down; the time at the end."""
    now = NOW
    assert hosted.journal is not None
    for step in history:
        if isinstance(step, float):
            now += step
            continue
        operation, delay_s = step
        delayed = None if isinstance(operation, AT_ONCE) else delay_s
        hosted.state.sweep(now)
        hosted.journal.take(operation)
        if delayed is None:
            hosted.state.apply(operation, now)
        else:
            hosted.state.accept(operation, now, 0, delayed)
        hosted.journal.took(now, delayed)
    return now


@profile(max_examples=40)
@given(values=settings, history=histories)
def test_whatever_happens_is_read_back_as_it_was(values: dict[str, Any], history: list[Any]) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "fake.db"
        with opened(path, **values) as (universe, _):
            state = universe.registry.default.state
            now = live(universe.registry.default, history)
        with opened(path) as (universe, _):
            again = universe.registry.default.state
        for each in (state, again):
            each.sweep(now)
        assert take(again) == take(state)


def test_a_journal_that_grows_long_becomes_a_snapshot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "_LONG_BYTES", 500)
    monkeypatch.setattr(journal, "_TIMES", 0)
    path = tmp_path / "fake.db"
    with opened(path) as (universe, store):
        for n in range(20):
            client_of(universe).put(f"/api/v1/customers/{n}", json={"n": n}).raise_for_status()
        wait(store)
        before = take(universe.registry.default.state)
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("select count(*) from journal").fetchone()[0] < 10
    with opened(path) as (universe, _):
        assert take(universe.registry.default.state) == before


def test_the_journal_of_a_workspace_that_was_removed_goes_with_it(tmp_path: Path) -> None:
    path = tmp_path / "fake.db"
    with opened(path) as (universe, _):
        made = universe.registry.create()
        made.note(journal.PEOPLE, NOW, [{"id": "1"}])
        universe.registry.remove(made)
    with closing(sqlite3.connect(path)) as db:
        counts = [db.execute(f"select count(*) from {table}").fetchone()[0] for table in ("journal", "workspaces")]
    assert counts == [0, 1]


def test_on_a_full_disk_nobody_is_told_that_something_was_kept(tmp_path: Path) -> None:
    path, told = tmp_path / "fake.db", threading.Event()
    with opened(path) as (universe, store):
        store.on_failure = told.set
        client = client_of(universe)
        client.put("/api/v1/customers/kept", json={}).raise_for_status()
        wait(store)
        store._db.execute("pragma max_page_count = 1")
        with pytest.raises(httpx.RemoteProtocolError):
            client.put("/api/v1/customers/lost", json={str(n): "x" * 900 for n in range(200)})
        assert told.wait(60)
        assert "can't be written" in str(store.failure)
        with pytest.raises(httpx.RemoteProtocolError):
            client.put("/api/v1/customers/later", json={})
        answer = client.post("/_fakeio/workspaces/default/people", json={"people": [{"id": "seeded"}]})
        assert (answer.status_code, answer.json()["error"]["code"]) == (500, "not_kept")
    with opened(path) as (universe, _):
        ids = {person.id for person in universe.registry.default.state.people}
    assert ids == {"1", "2", "kept"}


def test_people_and_segments_that_were_refused_are_not_there_after_a_restart(tmp_path: Path) -> None:
    path, control = tmp_path / "fake.db", "/_fakeio/workspaces/default"
    with opened(path) as (universe, _):
        client, state = client_of(universe), universe.registry.default.state
        before = take(state)
        assert client.post(f"{control}/people", json={"people": [{"id": "7"}, {"id": 8}]}).status_code == 400
        assert client.post(f"{control}/segments", json={"name": ""}).status_code == 400
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("select count(*) from journal").fetchone() == (0,)
    with opened(path) as (universe, _):
        assert take(universe.registry.default.state) == before


def asked(universe: Universe, times: int = 1) -> list[int]:
    """Requests that change nothing; their numbers."""
    client, tape = client_of(universe), universe.registry.default.tape
    numbers = []
    for _ in range(times):
        assert client.get("/api/v1/accounts/region").is_success
        numbers.append(tape.last)
    return numbers


def test_numbers_of_requests_go_on_after_a_stop(tmp_path: Path) -> None:
    path = tmp_path / "fake.db"
    with opened(path) as (universe, _):
        assert asked(universe, 3) == [1, 2, 3]
        leave(universe)
    with opened(path) as (universe, _):
        leave(universe)
    with opened(path) as (universe, _):
        told = client_of(universe).get("/_fakeio/workspaces/default/requests/3").json()["error"]
        assert (told["code"], "started again" in told["hint"]) == ("unknown_request", True)
        assert asked(universe, 2) == [4, 5]


@pytest.mark.parametrize("between", [0, 1, 999, 1000, 1001])
def test_no_number_is_given_twice_when_the_server_could_say_nothing_any_more(tmp_path: Path, between: int) -> None:
    path = tmp_path / "fake.db"
    with opened(path) as (universe, store):
        numbers = asked(universe, between)
        wait(store)
        copy(path, tmp_path / "killed.db")
        copy(f"{path}-wal", tmp_path / "killed.db-wal")
    with opened(tmp_path / "killed.db") as (universe, _):
        (later,) = asked(universe)
    assert all(later > number for number in numbers)
    assert later <= max([1, *numbers]) + journal.NUMBERS_AT_ONCE


def test_a_reset_numbers_requests_from_1_again_whatever_the_file_says(tmp_path: Path) -> None:
    path = tmp_path / "fake.db"
    with opened(path) as (universe, _):
        asked(universe, 2)
    with opened(path) as (universe, _):
        universe.registry.default.reset()
        assert asked(universe) == [1]


def test_a_journal_of_nonsense_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "fake.db"
    with opened(path) as (_, store):
        store.add_entry(1, b'["sing", 1]')
    with pytest.raises(StoreError, match="can't be read back"), opened(path):
        pass
