"""The ledger on a real disk: private, durable, refused when it is not ours to read."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync.core.diff import Known
from sync.core.errors import ConfigError, LeaseHeld, LedgerError, LedgerTooNew
from sync.edge import ledger as module
from sync.edge.ledger import DeadLetter, Ledger, SyncRow
from sync.edge.membership import BUCKETS, IDS_PER_ROW, Members, Spool, in_calls


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger.open(tmp_path / "state" / "ledger.db") as opened:
        yield opened


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_every_file_of_it_is_for_its_owner_alone(ledger: Ledger) -> None:
    ledger.start_run("r1", "cohort", "vip", "k")
    with ledger.lease("vip"):
        files = sorted(ledger.path.parent.iterdir())
    assert len(files) == 4  # the file, its log, its index, the lease
    assert {mode(path) for path in files} == {0o600}
    assert mode(ledger.path.parent) == 0o700


def test_a_file_that_others_could_read_is_closed_to_them(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    path.touch(mode=0o644)
    path.chmod(0o644)
    with Ledger.open(path):
        assert mode(path) == 0o600


def test_commits_are_on_disk_when_they_return(ledger: Ledger) -> None:
    pragmas = [ledger.connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous")]
    assert pragmas == ["wal", 2]


def fail_after_storing(ledger: Ledger, segment_id: int) -> None:
    with ledger.atomic():
        ledger.store_sync("site", "vip", SyncRow("k", "id", "user_id", segment_id))
        with ledger.atomic():
            Members(ledger.connection, "k").write(0, "confirmed", [b"a"])
        raise RuntimeError


def test_a_step_that_fails_leaves_nothing(ledger: Ledger) -> None:
    with pytest.raises(RuntimeError):
        fail_after_storing(ledger, 7)
    assert ledger.sync("site", "vip") is None
    assert Members(ledger.connection, "k").bucket(0) == Known()


def test_an_inner_step_that_fails_can_be_survived(ledger: Ledger) -> None:
    with ledger.atomic():
        ledger.store_sync("site", "vip", SyncRow("k", "id", "user_id", 7))
        with pytest.raises(RuntimeError):
            fail_after_storing(ledger, 8)
    assert ledger.sync("site", "vip") == SyncRow("k", "id", "user_id", 7)


KILLED = """
import os, sys
from pathlib import Path
from sync.edge.ledger import Ledger, SyncRow
from sync.edge.membership import Members
ledger = Ledger.open(Path(sys.argv[1]))
ledger.store_sync("site", "vip", SyncRow("k", "id", "user_id", 7))
with ledger.atomic():
    Members(ledger.connection, "k").write(0, "confirmed", [b"a"])
    ledger.store_sync("site", "vip", SyncRow("k", "id", "user_id", 8))
    os.kill(os.getpid(), 9)
"""


def test_a_kill_inside_a_step_leaves_the_step_before(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    done = subprocess.run([sys.executable, "-c", KILLED, str(path)], check=False, timeout=60)
    assert done.returncode == -9
    with Ledger.open(path) as ledger:
        assert ledger.sync("site", "vip") == SyncRow("k", "id", "user_id", 7)
        assert Members(ledger.connection, "k").bucket(0) == Known()


def test_a_newer_file_is_refused_and_left_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    before = path.read_bytes()
    for opening in (Ledger.open, Ledger.peek):
        with pytest.raises(LedgerTooNew, match="newer version") as raised:
            opening(path)
        assert raised.value.exit_code == 2
    assert path.read_bytes() == before


@pytest.mark.parametrize("content", [b"no database at all, by any means" * 100, b"SQLite format 3\0" + b"\1" * 4_096])
def test_a_file_of_another_kind_is_refused_and_left_as_it_was(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "ledger.db"
    path.write_bytes(content)
    with pytest.raises(LedgerError, match="can't be used") as raised:
        Ledger.open(path)
    assert "CIO_SYNC_STATE" in raised.value.hint
    assert path.read_bytes() == content


def test_a_path_that_cannot_be_written_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(LedgerError, match="can't be used"):
        Ledger.open(tmp_path / "file" / "ledger.db")
    with pytest.raises(LedgerError, match="can't be used"):
        Ledger.open(tmp_path)


def test_peeking_makes_no_file_and_changes_none(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    assert Ledger.peek(path) is None
    with Ledger.open(path) as ledger:
        ledger.store_sync("site", "vip", SyncRow("k", "id", "user_id", 7))
    before = {one.name: one.read_bytes() for one in tmp_path.iterdir()}
    with Ledger.peek(path) or ledger as peeked:
        assert peeked.sync("site", "vip") == SyncRow("k", "id", "user_id", 7)
        with pytest.raises(LedgerError):
            peeked.store_sync("site", "vip", SyncRow("k", "id", "user_id", 8))
    assert {one.name: one.read_bytes() for one in tmp_path.iterdir()} == before


def test_one_lease_a_sync_at_a_time(ledger: Ledger) -> None:
    with ledger.lease("vip"):
        with pytest.raises(LeaseHeld, match=f"process {os.getpid()}"), ledger.lease("vip", wait_s=0):
            raise AssertionError("two runs of one sync")
        with ledger.lease("other", wait_s=0):
            pass
    with ledger.lease("vip", wait_s=0):
        pass


HOLDER = """
import sys, time
from pathlib import Path
from sync.edge.ledger import Ledger
with Ledger.open(Path(sys.argv[1])) as ledger, ledger.lease("vip"):
    print("held", flush=True)
    time.sleep(600)
"""


def test_a_lease_whose_process_was_killed_is_free_at_once(ledger: Ledger) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLDER, str(ledger.path)], stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(LeaseHeld, match=f"process {holder.pid}"), ledger.lease("vip", wait_s=0):
            raise AssertionError("two runs of one sync")
        holder.kill()
        holder.wait(60)
        with ledger.lease("vip", wait_s=0):
            pass


def test_a_sync_is_known_by_destination_and_name(ledger: Ledger) -> None:
    ledger.store_sync("site", "vip", SyncRow("k1", "id", "user_id", None))
    ledger.store_sync("other", "vip", SyncRow("k2", "id", "user_id", 7))
    ledger.store_sync("site", "vip", SyncRow("k3", "email", "email", 8))
    assert ledger.sync("site", "vip") == SyncRow("k3", "email", "email", 8)
    assert ledger.sync("other", "vip") == SyncRow("k2", "id", "user_id", 7)
    assert ledger.sync("site", "nobody") is None


def test_runs_are_remembered_latest_first(ledger: Ledger) -> None:
    ledger.start_run("r1", "cohort", "vip", "k")
    ledger.finish_run("r1", "partial", 1, b"{}")
    ledger.start_run("r2", "events", None, None)
    assert [(run.run_id, run.status, run.exit_code, run.report) for run in ledger.runs()] == [
        ("r2", None, None, None), ("r1", "partial", 1, b"{}")
    ]
    assert [run.run_id for run in ledger.runs("vip")] == ["r1"]
    one = ledger.run("r1")
    assert one is not None
    assert one.finished_at is not None
    assert one.finished_at >= one.started_at
    assert ledger.run("nothing") is None


def test_the_oldest_runs_of_a_sync_are_forgotten_unless_somebody_may_ask_for_them(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "KEPT_RUNS", 2)
    for sync, key in (("vip", "k1"), ("vip", "k2"), (None, "k1"), (None, "k2")):
        ledger.start_run(f"0 of {sync} {key}", "events", sync, key)
        ledger.finish_run(f"0 of {sync} {key}", "success", 0, b"{}")
    ledger.start_run("1 was cut off", "events", None, "k1")
    for run_id in ("2 has a letter", "3", "4", "5"):
        ledger.start_run(run_id, "events", None, "k1")
        if run_id == "2 has a letter":
            ledger.add_dead_letters([DeadLetter(run_id, "events", "refused", "", "bad", msgspec.Raw(b"{}"))])
        ledger.finish_run(run_id, "success", 0, b"{}")
    assert sorted(run.run_id for run in ledger.runs()) == [
        "0 of None k2", "0 of vip k1", "0 of vip k2", "1 was cut off", "2 has a letter", "4", "5"
    ]


def test_dead_letters_keep_their_order_and_their_item(ledger: Ledger) -> None:
    letters = [
        DeadLetter("r1", "cohort", "http_400", "", "bad", msgspec.Raw(b'{"id":"a"}')),
        DeadLetter("r2", "events", "refused", "name", "blank", msgspec.Raw(b'{"event_type":"x"}')),
    ]
    ledger.add_dead_letters(letters)
    assert [msgspec.json.encode(one) for one in ledger.dead_letters()] == [msgspec.json.encode(one) for one in letters]
    assert [one.run_id for one in ledger.dead_letters("r2")] == ["r2"]


def test_letters_of_a_cohort_are_settled_by_its_next_run_and_forgotten_after_some_time(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = (("r1", "cohort", "k"), ("r2", "cohort", "k"), ("other", "cohort", "x"), ("events", "events", "k"))
    for run_id, kind, key in runs:
        ledger.start_run(run_id, kind, "vip", key)
        ledger.add_dead_letters([DeadLetter(run_id, kind, "http_400", "", "bad", msgspec.Raw(b"{}"))])
    ledger.settle_cohort_letters("k", "r2")
    assert [one.run_id for one in ledger.dead_letters()] == ["r1", "r2", "other", "events"]
    assert [one.run_id for one in ledger.dead_letters(only_open=True)] == ["r2", "other", "events"]
    monkeypatch.setattr(module, "KEPT_LETTERS_S", -10.0)
    ledger.settle_cohort_letters("x", "r3")
    ledger.settle_cohort_letters("k", "r2")
    assert [one.run_id for one in ledger.dead_letters()] == ["r2", "events"]


def test_a_big_bucket_is_kept_in_rows_of_a_bounded_size(ledger: Ledger) -> None:
    members = Members(ledger.connection, "k")
    ids = {f"{n:06}".encode() for n in range(IDS_PER_ROW * 2 + 1)}
    with ledger.atomic():
        members.write(3, "confirmed", ids)
    assert ledger.connection.execute("SELECT count(*) FROM members").fetchone() == (3,)
    assert members.bucket(3) == Known(frozenset(ids))
    assert list(members.ids("confirmed")) == sorted(ids)
    with ledger.atomic():
        members.write(3, "confirmed", [b"a"])
    assert members.bucket(3) == Known(frozenset([b"a"]))
    members.forget()
    assert members.bucket(3) == Known()


anything = st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1).map(str.encode), max_size=60)


@given(anything, st.integers(1, 20))
@settings(deadline=None)
def test_a_spool_gives_back_what_it_got_on_disk_or_not(ids: list[bytes], spill_at: int) -> None:
    with Spool(spill_at=spill_at) as spilled, Spool() as held:
        for call in in_calls(ids, 7):
            spilled.add(call)
            held.add(call)
        for number in range(BUCKETS):
            assert sorted(spilled.bucket(number)) == sorted(held.bucket(number))
        assert sorted(one for number in range(BUCKETS) for one in spilled.bucket(number)) == sorted(ids)
        assert spilled.count == len(ids)


def test_a_spool_without_room_is_one_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", os.devnull)
    with Spool(spill_at=1) as spool, pytest.raises(ConfigError, match="temporary file") as raised:
        spool.add([b"a"])
    assert "TMPDIR" in raised.value.hint


@pytest.mark.parametrize(
    ("count", "sizes"),
    [(0, []), (1, [1]), (999, [999]), (1_000, [1_000]), (1_001, [1_000, 1]), (2_501, [1_000, 1_000, 501])],
)
def test_calls_are_full_but_the_last_and_never_empty(count: int, sizes: list[int]) -> None:
    ids = [str(n).encode() for n in range(count)]
    calls = list(in_calls(iter(ids), 1_000))
    assert [len(call) for call in calls] == sizes
    assert [one for call in calls for one in call] == ids
