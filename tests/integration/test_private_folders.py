"""Folders that hold people for somebody else's library: private, gone afterwards, and gone after a kill too."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from sync.edge.folders import PREFIX, private_folder
from sync.edge.membership import Spool
from sync.edge.scale import LineSpool

HOLDER = """
import sys
from sync.edge.folders import private_folder
with private_folder() as folder:
    (folder / "people").write_text("ann")
    print(folder, flush=True)
    sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def parent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_it_is_private_and_goes_away(parent: Path) -> None:
    with private_folder() as folder:
        assert (folder.parent, stat.S_IMODE(folder.stat().st_mode)) == (parent, 0o700)
    assert list(parent.iterdir()) == []


def test_what_a_killed_process_left_goes_with_the_next_and_what_is_held_stays(
    parent: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(parent))
    with subprocess.Popen([sys.executable, "-c", HOLDER], stdin=-1, stdout=-1, text=True) as process:
        assert process.stdout is not None
        held = Path(process.stdout.readline().strip())
        with private_folder():
            assert (held / "people").exists()
        process.send_signal(signal.SIGKILL)
        process.wait(timeout=60)
    assert (held / "people").exists()
    with private_folder() as folder:
        assert list(parent.iterdir()) == [folder]


def test_what_is_not_one_of_them_is_left_alone(parent: Path) -> None:
    others = [parent / f"{PREFIX}file", parent / f"{PREFIX}folder", parent / "elsewhere"]
    others[0].write_text("x")
    others[1].mkdir()
    others[2].mkdir()
    (others[2] / "held").write_text("")
    link = parent / f"{PREFIX}link"
    link.symlink_to(others[2])
    with private_folder() as folder:
        assert sorted(parent.iterdir()) == sorted([folder, link, *others])
    assert (others[2] / "held").exists()


def test_ids_of_a_spool_have_no_name_on_the_disk(parent: Path) -> None:
    with Spool(spill_at=1) as spool:
        spool.add([b"ann"])
        assert list(parent.iterdir()) == []


def test_a_spool_for_duckdb_takes_its_folder_with_it(parent: Path) -> None:
    with LineSpool(worth_ids=0) as spool:
        spool.add([b"ann"])
        assert spool.sources(1) is not None
        assert len(list(parent.iterdir())) == 1
    assert list(parent.iterdir()) == []


def test_what_another_user_left_is_left_alone(parent: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = parent / f"{PREFIX}theirs"
    theirs.mkdir()
    (theirs / "held").write_text("")
    monkeypatch.setattr(os, "getuid", lambda: theirs.stat().st_uid + 1)
    with private_folder():
        assert theirs.exists()
    monkeypatch.undo()
    monkeypatch.setattr(tempfile, "tempdir", str(parent))
    with private_folder():
        assert not theirs.exists()
