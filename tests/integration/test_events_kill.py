"""Events runs that are stopped or killed, at every request and every commit, and run again: same end."""

from __future__ import annotations

import contextlib
import gzip
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import httpx
import pytest
from isal import igzip_threaded

from fakeio import Fake
from sync import dispatch
from sync.core.batches import Packer
from sync.core.ulids import decode_ulid
from sync.edge.event_ledger import Settled, unpacked
from sync.edge.ledger import Ledger
from tests.integration.event_engine import BATCH_PATH, Engine, counts, ended_report, row, wide

PATIENCE_S = 60


class Stopping(httpx.BaseTransport):
    """The real wire; before the n-th request the process is asked to stop, as by Ctrl-C."""

    def __init__(self, left: int) -> None:
        self._left = left
        self._wire = httpx.HTTPTransport(verify=False)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.05)
        return self._wire.handle_request(request)

    def close(self) -> None:
        self._wire.close()


def test_a_run_that_is_stopped_tells_how_far_it_came(engine: Engine) -> None:
    ended = engine.run(*wide(*range(400)), network=Stopping(4))
    report = ended_report(ended)
    assert (ended.exit_code, report.status) == (130, "stopped")
    assert report.error is not None
    assert report.pending == report.received - report.delivered > 0
    again = engine.report()
    assert (again.received, again.delivered, again.duplicates) == (400, 400 - report.delivered, report.delivered)
    assert engine.numbers() == list(range(400))


@pytest.mark.parametrize("dry_run", [pytest.param(False, id="a run"), pytest.param(True, id="a dry run")])
@pytest.mark.parametrize("stop", [KeyboardInterrupt, MemoryError])
def test_a_run_that_stops_leaves_no_file_open_for_the_garbage_collector(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, stop: type[BaseException], dry_run: bool
) -> None:
    """A reader has a thread of its own. Collected while another thread is being started, it waits for ever."""
    opened: list[Any] = []
    unpacker: Any = igzip_threaded.open

    def watched(*given: Any, **more: Any) -> Any:
        opened.append(unpacker(*given, **more))
        return opened[-1]

    def stops(*_: object) -> None:
        raise stop

    monkeypatch.setattr(igzip_threaded, "open", watched)
    monkeypatch.setattr(Packer, "pack", stops)
    engine.file.write_bytes(gzip.compress(engine.export(*wide(*range(60))).read_bytes()))
    with pytest.raises(stop) if stop is MemoryError else nullcontext() as raised:
        ended = engine.run(dry_run=dry_run)
        assert ended.exit_code == 130
    assert [one.closed for one in opened] == [True, True], raised  # held until here, with all its frames


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_between_counting_and_writing_down_waits(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    left = [3]

    def settled(*what: Any) -> Settled:
        left[0] -= 1
        if left[0] == 0:
            signal.raise_signal(number)
        return Settled(*what)

    monkeypatch.setattr(dispatch, "Settled", settled)
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)  # as the command has it
    report = ended_report(engine.run(*wide(*range(300))))
    signal.signal(signal.SIGTERM, before)
    assert (report.status, 0 < report.delivered < 300) == ("stopped", True)
    again = engine.report()
    assert (again.delivered, again.duplicates) == (300 - report.delivered, report.delivered)
    assert engine.numbers() == list(range(300))


class Killed(BaseException):
    """Stands for a kill: nothing in the engine may catch it and go on."""


class Countdown(httpx.BaseTransport):
    """The real wire, until the n-th request; then a kill before it leaves, or right after it was answered."""

    def __init__(self, left: int, *, after: bool) -> None:
        self._left = left
        self._after = after
        self._wire = httpx.HTTPTransport(verify=False)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self._left -= 1
        if self._left < 0 or (self._left == 0 and not self._after):  # whoever is dead sends nothing on other lanes
            raise Killed
        answer = self._wire.handle_request(request)
        if self._left == 0:
            answer.read()
            raise Killed
        return answer

    def close(self) -> None:
        self._wire.close()


@pytest.mark.parametrize("after", [False, True], ids=["before a request", "after its answer"])
def test_a_kill_at_every_request_ends_in_the_same_place(fake: Fake, tmp_path: Path, after: bool) -> None:
    steps = 1
    while ends_the_same(engine_in(fake, tmp_path / str(steps)), Countdown(steps, after=after)):
        steps += 1
    assert steps > 5


@pytest.mark.parametrize("after", [False, True], ids=["before a commit", "after it"])
def test_a_kill_at_every_commit_ends_in_the_same_place(
    fake: Fake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: bool
) -> None:
    commits = Commits(after=after)
    monkeypatch.setattr(Ledger, "atomic", commits.atomic)
    steps = 1
    while ends_the_same(engine_in(fake, tmp_path / str(steps)), commits.until(steps), commits.spare):
        steps += 1
    assert steps > 6


def engine_in(fake: Fake, folder: Path) -> Engine:
    folder.mkdir()
    return Engine(fake, fake.new_workspace(), folder)


def ends_the_same(engine: Engine, network: httpx.BaseTransport, spare: Callable[[], None] = lambda: None) -> bool:
    """A run with one kill somewhere in it, then runs that come to their end. False: nobody was killed."""
    large = row(70, event_properties={"n": 70, "text": "x" * 60_000})
    engine.export(*wide(*range(70)), large, row(71), row(72, user_id=""))
    killed = False
    try:
        engine.run(network=network)
    except Killed:
        killed = True
    spare()
    first, second = ended_report(engine.run()), ended_report(engine.run())
    assert engine.numbers() == list(range(72))
    assert (first.received, first.delivered + first.duplicates) == (73, 72)
    assert counts(second) == {"received": 73, "duplicates": 72, "discarded": {"missing_identifier": 1}}
    engine.workspace.raise_first_error()
    with Ledger.open(engine.path) as ledger:
        assert ledger.connection.execute("SELECT count(*) FROM event_batches").fetchone() == (0,)
    return killed


class Commits:
    """The ledger's own steps, until the n-th commit; then a kill right before it, or right after."""

    def __init__(self, *, after: bool) -> None:
        self._after = after
        self._left = 0
        self._real = Ledger.atomic

    def until(self, left: int) -> httpx.BaseTransport:
        self._left = left
        return httpx.HTTPTransport(verify=False)

    def spare(self) -> None:
        self._left = 0

    @property
    def atomic(self) -> Callable[[Ledger], AbstractContextManager[sqlite3.Connection]]:
        @contextmanager
        def counted(ledger: Ledger) -> Iterator[sqlite3.Connection]:
            outermost = not ledger.connection.in_transaction
            with self._real(ledger) as connection:
                yield connection
                self._count(now=outermost and not self._after)
            self._count(now=outermost and self._after)

        return counted

    def _count(self, *, now: bool) -> None:
        self._left -= now
        if now and self._left == 0:
            raise Killed


class Witness(httpx.BaseTransport):
    """The real wire; looks, before each batch leaves, which of its events the ledger's file does not know."""

    def __init__(self, path: Path) -> None:
        self.batches = 0
        self.unwritten: list[str] = []
        self._path = path
        self._wire = httpx.HTTPTransport(verify=False)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == BATCH_PATH:
            self.batches += 1
            with contextlib.closing(sqlite3.connect(self._path)) as ledger:
                rows = ledger.execute("SELECT ulids FROM event_batches WHERE state = 0").fetchall()
            written = {ulid for (packed,) in rows for ulid in unpacked(packed)}
            ids = [one["id"] for one in json.loads(request.read())["batch"]]
            self.unwritten += [one for one in ids if decode_ulid(one) not in written]
        return self._wire.handle_request(request)

    def close(self) -> None:
        self._wire.close()


def test_every_event_is_written_down_before_it_leaves(engine: Engine) -> None:
    witness = Witness(engine.path)
    engine.report(*wide(*range(400)), network=witness)
    assert (witness.batches > 8, witness.unwritten) == (True, [])


def command(engine: Engine) -> tuple[list[str], dict[str, str]]:
    """The engine as a process of its own, and its environment."""
    own = {
        "CIO_SITE_ID": engine.workspace.site_id, "CIO_TRACK_API_KEY": engine.workspace.track_api_key,
        "CIO_TRACK_URL": engine.url, "CIO_APP_URL": engine.url, "CIO_SYNC_STATE": str(engine.path),
    }  # fmt: skip
    clean = {name: value for name, value in os.environ.items() if not name.startswith("CIO_")}
    return [sys.executable, "-m", "sync", "events", str(engine.file), "--json", "--track-rate", "0"], {**clean, **own}


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.01)


@pytest.mark.parametrize("when", ["before_commit", "after_commit"])
@pytest.mark.parametrize("nth", [1, 5])
def test_a_killed_process_is_followed_by_one_that_ends_the_work(engine: Engine, nth: int, when: str) -> None:
    engine.export(*wide(*range(200)))
    engine.workspace.fault("latency", seconds=0.3, match={"path": BATCH_PATH, "nth": nth}, when=when)
    arguments, environment = command(engine)
    process = subprocess.Popen(arguments, env=environment, stdout=subprocess.DEVNULL)
    wait_for(lambda: engine.sent().count(BATCH_PATH) >= nth or process.poll() is not None)
    process.kill()
    process.wait(PATIENCE_S)
    # what was held is carried out, whoever asked for it
    wait_for(lambda: all(one.status is not None for one in engine.workspace.requests))
    done = subprocess.run(arguments, env=environment, capture_output=True, check=False, timeout=PATIENCE_S)
    report = json.loads(done.stdout)
    assert (done.returncode, report["received"], report["delivered"] + report["duplicates"]) == (0, 200, 200)
    assert engine.numbers() == list(range(200))


def test_events_in_doubt_of_another_source_are_told_and_kept(engine: Engine, tmp_path: Path) -> None:
    first = engine.export(*wide(*range(60)))
    with pytest.raises(Killed):
        engine.run(network=Countdown(2, after=True))
    engine.file = tmp_path / "other.json"
    engine.report(row(1_000))
    assert "are still in doubt" in engine.said.getvalue()
    engine.said.truncate(0)
    engine.report(source=str(first))
    assert "in doubt" not in engine.said.getvalue()
    assert sorted(engine.numbers()) == [*range(60), 1_000]
