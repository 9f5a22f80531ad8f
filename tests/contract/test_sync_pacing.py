"""One pace for all threads and processes: what one learns the others keep to, and what can't be read is forgotten."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import threading
import time
from bisect import bisect_left
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from conftest import HandTurnedClock
from fakeio import Fake
from sync.core.errors import LedgerError
from sync.core.pace import SLACK_S
from sync.core.sending import Failure, FateKind, Reply, Request, RetryPolicy
from sync.edge.pacing import Pacing, SharedPacing
from sync.run import Driver
from tests.contract.test_sync_driver import World

PATIENCE_S = 60
RATES = {"track": 10.0, "app": 10.0}


@pytest.fixture
def two(tmp_path: Path) -> Iterator[tuple[SharedPacing, SharedPacing]]:
    """What two processes have: the same files, opened twice."""
    one, other = SharedPacing(tmp_path, "site", RATES), SharedPacing(tmp_path, "site", RATES)
    yield one, other
    one.close()
    other.close()


def test_two_processes_share_one_budget(two: tuple[SharedPacing, SharedPacing]) -> None:
    taken = [two[n % 2].take("track", 1_000.0) for n in range(11)]
    assert taken[:10] == [0.0] * 10
    assert taken[10] > 1


def test_those_who_ask_at_the_same_moment_share_it_too(tmp_path: Path) -> None:
    together = threading.Barrier(6)

    def granted(_: int) -> int:
        pacing = SharedPacing(tmp_path, "site", {"track": 500.0})
        together.wait(PATIENCE_S)
        count = sum(pacing.take("track", 1_000.0) == 0 for _ in range(300))
        pacing.close()
        return count

    often, before = 1e-6, sys.getswitchinterval()
    sys.setswitchinterval(often)
    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(granted, range(6))) == 500
    sys.setswitchinterval(before)


def test_each_api_has_a_budget_of_its_own(two: tuple[SharedPacing, SharedPacing]) -> None:
    assert [two[0].take("track", 1_000.0) for _ in range(10)] == [0.0] * 10
    assert two[1].take("app", 1_000.0) == 0.0


def test_each_destination_has_a_budget_of_its_own(tmp_path: Path, two: tuple[SharedPacing, SharedPacing]) -> None:
    assert [two[0].take("track", 1_000.0) for _ in range(10)] == [0.0] * 10
    other = SharedPacing(tmp_path, "another site", RATES)
    assert other.take("track", 1_000.0) == 0.0
    other.close()


def test_what_one_is_told_holds_for_the_other(two: tuple[SharedPacing, SharedPacing]) -> None:
    two[0].hold("track", 1_007.0, 1_000.0)
    assert two[1].take("track", 1_000.0) == 7.0
    assert two[1].take("app", 1_000.0) == 0.0
    two[1].hold("track", 1_003.0, 1_000.0)  # of a request that was under way: it takes nothing back
    assert two[0].take("track", 1_000.0) == 7.0


def test_a_request_that_was_late_counts_later_for_the_other_too(two: tuple[SharedPacing, SharedPacing]) -> None:
    assert [two[n % 2].take("track", 1_000.0) for n in range(10)] == [0.0] * 10
    for pacing in two:
        pacing.heed("track", struggling=False, sent_at=1_000.0, now=1_000.5)
    assert two[0].take("track", 1_000.5) == pytest.approx(0.5 + SLACK_S)  # the eight others stand for themselves
    assert [two[0].take("track", 1_001.02) for _ in range(8)] == [0.0] * 8
    assert two[1].take("track", 1_001.02) == pytest.approx(0.48)


def test_what_slows_one_slows_the_other_and_recovery_is_shared_too(two: tuple[SharedPacing, SharedPacing]) -> None:
    assert two[1].take("track", 1_000.0) == 0.0
    two[0].heed("track", struggling=True, sent_at=1_000.0, now=1_000.0)
    assert two[1].take("track", 1_000.0) == pytest.approx(0.2)
    for second in range(1, 7):
        two[1].heed("track", struggling=False, sent_at=1_000.0 + second, now=1_000.0 + second)
    assert [two[0].take("track", 1_012.0) for _ in range(10)] == [0.0] * 10


@pytest.mark.parametrize("content", [b"", b"\x00" * 40, b"nonsense", b"\x92\x01"])
def test_a_file_that_cannot_be_read_counts_for_nothing(tmp_path: Path, content: bytes) -> None:
    SharedPacing(tmp_path, "site", RATES).close()
    for path in tmp_path.iterdir():
        path.write_bytes(content)
    pacing = SharedPacing(tmp_path, "site", RATES)
    assert [pacing.take("track", 1_000.0) for _ in range(10)] == [0.0] * 10
    assert pacing.take("track", 1_000.0) > 1
    pacing.close()


def test_what_was_written_before_the_machine_was_started_anew_counts_for_nothing(
    two: tuple[SharedPacing, SharedPacing],
) -> None:
    two[0].hold("track", 900_300.0, 900_000.0)
    assert two[1].take("track", 50.0) == 0.0


def test_what_was_written_by_somebody_who_looked_at_the_clock_later_counts(
    two: tuple[SharedPacing, SharedPacing],
) -> None:
    """On a busy machine seconds may pass between looking at the clock and having the lock."""
    assert [two[0].take("track", 1_005.0) for _ in range(5)] == [0.0] * 5
    assert [two[1].take("track", 1_000.0) for _ in range(5)] == [0.0] * 5
    assert two[1].take("track", 1_000.0) > 5
    assert two[0].take("track", 1_006.0) == pytest.approx(SLACK_S)


def test_its_files_are_for_their_owner_alone(tmp_path: Path, two: tuple[SharedPacing, SharedPacing]) -> None:
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}


def test_a_folder_that_is_not_there_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match="share the pace"):
        SharedPacing(tmp_path / "nowhere", "site", RATES)


def test_a_turn_that_cannot_be_written_down_is_not_taken(
    two: tuple[SharedPacing, SharedPacing], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "pwrite", full)
        with pytest.raises(LedgerError, match="the disk is full: the file of the pace"):
            two[0].take("track", 1_000.0)
    assert [two[n % 2].take("track", 1_000.0) for n in range(10)] == [0.0] * 10  # all that a second has


# -- the driver goes by it --------------------------------------------------------------------------------------------
TRACK = Request("track", "GET", "/")


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_destination_that_struggles_is_asked_less_often(clock: HandTurnedClock, status: int) -> None:
    world = World(clock, [Reply(status), Reply(200)])
    drives = Driver(world, pacing=Pacing({"track": 10}), policy=RetryPolicy(base_s=0.0), clock=world)
    start = clock()
    drives.send(TRACK)
    drives.send(TRACK)
    first, second, third = [at - start for at, _ in world.sent]
    assert (first, round(second, 6)) == (0.0, 0.2)
    assert 0.15 < third - second < 0.2  # it has begun to recover


def test_a_driver_counts_a_request_from_when_it_may_have_arrived(clock: HandTurnedClock) -> None:
    class Slow(World):
        def send(self, request: Request) -> Reply | Failure:
            reply = super().send(request)
            clock.sleep(0.3 if len(self.sent) == 1 else 0.0)
            return reply

    world = Slow(clock, [Reply(200)])
    drives = Driver(world, pacing=Pacing({"track": 2}), clock=world)
    start = clock()
    for _ in range(4):
        drives.send(TRACK)
    assert [round(at - start, 2) for at, _ in world.sent] == [0.0, 0.3, 1.3, 1.31]


def test_a_longer_wait_than_there_is_patience_ends_it_without_a_try(clock: HandTurnedClock) -> None:
    world = World(clock, [Reply(429, {"retry-after": "3600"}), Reply(200)])
    drives = Driver(world, pacing=Pacing({"track": 0}), policy=RetryPolicy(budget_s=300), clock=world)
    first, second = drives.send(TRACK), drives.send(TRACK)
    assert [(one.kind, one.attempts) for one in (first, second)] == [(FateKind.THROTTLED, 1), (FateKind.THROTTLED, 0)]
    assert clock.slept == []


def test_slow_answers_count_against_the_patience(clock: HandTurnedClock) -> None:
    class Slow(World):
        def send(self, request: Request) -> Reply:
            clock.sleep(40)
            super().send(request)
            return Reply(503)

    world = Slow(clock, [Reply(503)])
    drives = Driver(world, pacing=Pacing({"track": 0}), policy=RetryPolicy(base_s=0.0, budget_s=100), clock=world)
    assert (drives.send(TRACK).kind, len(world.sent)) == (FateKind.IN_DOUBT, 3)


def test_nothing_leaves_a_driver_that_was_stopped(clock: HandTurnedClock) -> None:
    world = World(clock, [Reply(200)])
    drives = Driver(world, pacing=Pacing({"track": 0}), clock=world)
    drives.stop()
    assert (drives.send(TRACK).kind, world.sent) == (FateKind.STOPPED, [])


# -- real processes ---------------------------------------------------------------------------------------------------
TAKE = """
import sys, time
from pathlib import Path
from sync.edge.pacing import SharedPacing
pacing = SharedPacing(Path(sys.argv[1]), "site", {"track": 40.0})
for _ in range(45):
    while wait_s := pacing.take("track", now := time.monotonic()):
        time.sleep(wait_s)
    print(now)
"""


def test_processes_together_never_break_the_cap_in_any_second(tmp_path: Path) -> None:
    line = [sys.executable, "-c", TAKE, str(tmp_path)]
    running = [subprocess.Popen(line, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    moments = sorted(float(text) for one in running for text in one.communicate(timeout=PATIENCE_S)[0].split())
    assert len(moments) == 90
    assert max(bisect_left(moments, start + 1) - n for n, start in enumerate(moments)) <= 40


def test_runs_of_several_processes_arrive_at_the_pace_of_one(tmp_path: Path) -> None:
    """By the times on the fake's tape: six requests at two a second take more than two seconds, and what is sent in
    time may arrive late, never early."""
    with Fake() as fake:
        workspace = fake.new_workspace()
        workspace.add_people([{"id": "a"}])
        file = tmp_path / "cohort.csv"
        file.write_text('"amplitude_id","user_id"\n"1","a"\n')
        own = {
            "CIO_SITE_ID": workspace.site_id, "CIO_TRACK_API_KEY": workspace.track_api_key,
            "CIO_APP_API_KEY": workspace.app_api_key, "CIO_TRACK_URL": fake.url, "CIO_APP_URL": fake.url,
            "CIO_SYNC_STATE": str(tmp_path / "ledger.db"), "CIO_TRACK_RATE": "2", "CIO_APP_RATE": "0",
        }  # fmt: skip
        clean = {name: value for name, value in os.environ.items() if not name.startswith("CIO_")}
        lines = [[sys.executable, "-m", "sync", "cohort", str(file), "--name", name, "--json"] for name in "xyz"]
        began = time.time()
        running = [subprocess.Popen(one, env={**clean, **own}, stdout=subprocess.DEVNULL) for one in lines]
        assert [one.wait(PATIENCE_S) for one in running] == [0, 0, 0]
        tape = httpx.get(f"{fake.url}/_fakeio/workspaces/{workspace.id}/requests?api=track").json()
        arrived = [one["at"] - began for one in tape["requests"]]
        workspace.raise_first_error()
    assert len(arrived) == 6
    assert max(arrived) > 2
