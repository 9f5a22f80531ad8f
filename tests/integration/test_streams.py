"""What a command writes to may be closed, full, unread or of another encoding, and arguments and names of files no
text: none of that ends in a traceback, or a run half-way."""

from __future__ import annotations

import errno
import io
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, BinaryIO, cast

import pytest

from fakeio import Fake
from fakeio.testing import WorkspaceHandle
from sync import cli_listen
from sync.cli import main
from sync.cli_run import Teller
from sync.core.configuration import Notifications
from sync.core.report import Ended, EventsReport
from sync.edge.cohort_files import read_cohort
from sync.edge.console import Console
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


# ---- nobody reads it -------------------------------------------------------------------------------------------------

PROGRAMS = ("sync", "fakeio", "scenarios")


class Unwritable(io.StringIO):
    """Takes nothing, for that reason."""

    def __init__(self, reason: int) -> None:
        super().__init__()
        self.reason = reason

    @property
    def buffer(self) -> BinaryIO:
        return cast(BinaryIO, self)

    def write(self, text: str) -> int:
        raise OSError(self.reason, os.strerror(self.reason))  # a BrokenPipeError where the reason is EPIPE


def ended(command: list[str], stdout: IO[bytes], environment: dict[str, str]) -> tuple[int, str]:
    """Exit code and stderr; what is written is kept until the end, as it is when nobody asks for something else."""
    done = subprocess.run(
        [sys.executable, "-P", "-m", *command], env={**environment, "PYTHONUNBUFFERED": ""}, stdout=stdout,
        stderr=subprocess.PIPE, text=True, timeout=PATIENCE_S, check=False,
    )  # fmt: skip
    return done.returncode, done.stderr


@pytest.fixture
def unread() -> Iterator[IO[bytes]]:
    """A pipe whose reader has gone, as that of `… | head -1` may have."""
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as pipe:
        yield pipe


@pytest.mark.parametrize("program", PROGRAMS)
def test_help_that_nobody_reads_is_no_error(environment: dict[str, str], unread: IO[bytes], program: str) -> None:
    assert ended([program, "--help"], unread, environment) == (0, "")


@pytest.mark.skipif(not FULL.exists(), reason="this system has no device that is always full")
@pytest.mark.parametrize("program", PROGRAMS)
def test_help_that_can_not_be_written_is_told(environment: dict[str, str], program: str) -> None:
    with FULL.open("wb") as full:
        code, said = ended([program, "--help"], full, environment)
    assert (code, said.count("\n"), "the output can't be written: No space left on device" in said) == (2, 1, True)


def test_a_usage_error_that_nobody_reads_is_still_2(environment: dict[str, str], unread: IO[bytes]) -> None:
    command = [sys.executable, "-P", "-m", "sync", "histroy"]
    usual = {**environment, "PYTHONUNBUFFERED": ""}
    done = subprocess.run(command, env=usual, stderr=unread, timeout=PATIENCE_S, check=False)
    assert done.returncode == 2


@pytest.fixture
def workspace(fake: Fake) -> WorkspaceHandle:
    return fake.new_workspace()


@pytest.fixture
def cohort(fake: Fake, workspace: WorkspaceHandle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The arguments of a run in which one of two people is found, so that its exit code is 1."""
    own = {
        "CIO_SITE_ID": workspace.site_id, "CIO_TRACK_API_KEY": workspace.track_api_key,
        "CIO_APP_API_KEY": workspace.app_api_key, "CIO_TRACK_URL": fake.url, "CIO_APP_URL": fake.url,
        "CIO_SYNC_STATE": str(tmp_path / "own.db"),
    }  # fmt: skip
    for name, value in own.items():
        monkeypatch.setenv(name, value)
    workspace.add_people([{"id": "a"}])
    (tmp_path / "cohort.csv").write_text("user_id\na\nb\n")
    return ["cohort", str(tmp_path / "cohort.csv"), "--name", "vip", "--track-rate", "0", "--app-rate", "0"]


TROUBLE = pytest.mark.parametrize("reason", [errno.EPIPE, errno.ENOSPC, errno.EIO], ids=["unread", "full", "hung up"])


@TROUBLE
def test_a_log_that_can_not_be_written_ends_no_run(
    cohort: list[str], workspace: WorkspaceHandle, monkeypatch: pytest.MonkeyPatch, reason: int
) -> None:
    monkeypatch.setattr(sys, "stderr", Unwritable(reason))
    assert main(cohort) == 1
    assert [person.id for person in workspace.segments[0].members] == ["a"]


@TROUBLE
@pytest.mark.parametrize("flags", [[], ["--json"]], ids=["a page", "an object"])
def test_a_report_that_can_not_be_written_changes_no_exit_code(
    cohort: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], reason: int,
    flags: list[str],
) -> None:  # fmt: skip
    monkeypatch.setattr(sys, "stdout", Unwritable(reason))
    assert main([*cohort, *flags]) == 1
    assert ("the output can't be written" in capsys.readouterr().err) == (reason != errno.EPIPE)


@TROUBLE
def test_what_is_wrong_is_in_the_exit_code_of_check_even_unread(
    cohort: list[str], monkeypatch: pytest.MonkeyPatch, reason: int
) -> None:
    monkeypatch.setenv("CIO_APP_API_KEY", "0" * 32)
    monkeypatch.setattr(sys, "stdout", Unwritable(reason))
    assert main(["check"]) == (4 if reason == errno.EPIPE else 2)


def test_a_bar_ends_no_run_on_a_terminal_that_hung_up(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Unwritable(errno.EIO)
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    with Console(stream=terminal).progress("add members", 2, "people") as advance:
        advance(2)


@TROUBLE
def test_a_report_that_can_not_be_printed_ends_no_scheduler(monkeypatch: pytest.MonkeyPatch, reason: int) -> None:
    monkeypatch.setattr(sys, "stdout", Unwritable(reason))
    said = io.StringIO()
    teller = Teller(Notifications(), {}, Console(stream=said), as_json=False)
    for name in ("vip", "orders"):
        report = EventsReport(run_id="01", sync=name, status="success", mode="send")
        teller.tell(name, Ended(report, 0), False)
    why = f"the output can't be written: {os.strerror(reason)}."
    assert said.getvalue() == ("" if reason == errno.EPIPE else f"cio-sync: vip: {why}\ncio-sync: orders: {why}\n")


@TROUBLE
@pytest.mark.usefixtures("cohort")
def test_a_receiver_whose_address_nobody_reads_takes_what_is_pushed(
    monkeypatch: pytest.MonkeyPatch, reason: int
) -> None:
    served: list[str] = []

    def serve(app: object, host: str, port: int, ready: Callable[[str], None]) -> None:
        ready("http://127.0.0.1:7098")
        served.append(host)

    monkeypatch.setattr(cli_listen, "serve", serve)
    monkeypatch.setattr(sys, "stdout", Unwritable(reason))
    assert main(["listen"]) == 0
    assert served == ["127.0.0.1"]
