"""What a command writes to may be closed, full or of another encoding, and arguments and names of files no text: none
of that ends in a traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sync.cli import main
from sync.edge.cohort_files import read_cohort
from sync.edge.files import EventFiles
from sync.edge.ledger import Ledger
from sync.edge.membership import Spool

PATIENCE_S = 60.0
FULL = Path("/dev/full")


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """That of a command whose ledger remembers one run, of a sync called é."""
    with Ledger.open(tmp_path / "ledger.db") as ledger:
        ledger.start_run("01", "cohort", "é", "key")
    return {**os.environ, "CIO_SYNC_STATE": str(tmp_path / "ledger.db")}


def history(environment: dict[str, str], redirected: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """`cio-sync history`, its streams redirected by a shell."""
    shell = ["sh", "-c", f'exec "$@" {redirected}', "sh"]
    return subprocess.run(
        [*shell, sys.executable, "-P", "-m", "sync", "history", *arguments], env=environment, capture_output=True,
        text=True, timeout=PATIENCE_S, check=False,
    )  # fmt: skip


def test_an_encoding_without_a_letter_gets_it_escaped(environment: dict[str, str]) -> None:
    done = history({**environment, "PYTHONIOENCODING": "ascii"}, "")
    assert (done.returncode, " \\xe9 " in done.stdout, done.stderr) == (0, True, "")


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-"])
def test_a_stream_that_is_closed_loses_what_goes_there_and_nothing_else(
    environment: dict[str, str], closed: str
) -> None:
    done = history(environment, closed, "--log", "json")
    assert (done.returncode, done.stderr, "01" in done.stdout) == (0, "", closed == "2>&-")


@pytest.mark.skipif(not FULL.exists(), reason="this system has no device that is always full")
def test_output_that_can_not_be_written_is_told(environment: dict[str, str]) -> None:
    done = history(environment, f"> {FULL}")
    said = "cio-sync: the output can't be written: No space left on device. `cio-sync history` lists what was done.\n"
    assert (done.returncode, done.stderr) == (2, said)


def test_an_argument_that_is_no_text_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["cohort", "cohort.csv", "--name", os.fsdecode(b"caf\xe9")])
    assert (ended.value.code, r"'caf\udce9' is not UTF-8 text" in capsys.readouterr().err) == (2, True)


def test_a_file_whose_name_is_no_text_is_read_and_can_be_named(tmp_path: Path) -> None:
    name = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.json"))
    try:
        name.write_bytes(b'{"user_id":"a"}\n')
    except OSError:
        pytest.skip("this file system takes only names that are text")
    with EventFiles(str(tmp_path)) as files:
        assert [piece.name for piece in files.pieces()] == [f"{tmp_path}/caf\ufffd.json"]
    with Spool() as spool:
        assert read_cohort(f"{tmp_path}/*", "user_id", "id", spool).kept == 1
