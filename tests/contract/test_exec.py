"""`fakeio exec`: exit codes, expectations, the summary, signals, the environment, and that nothing of a run is left.

Which clients it reaches is `test_exec_clients.py`, what its proxy does with each request `test_exec_proxy.py`.
"""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from fakeio import Fake
from fakeio.cli import main
from fakeio.cli_exec_run import Child
from tests.contract.exec_world import Inside, inside_exec, program
from tests.contract.serving import APP_KEY, FAKEIO, PATIENCE_S, SITE, TRACK_KEY, own

SHELL = ("sh", "-c")
SEED = {
    "people": [{"id": "1", "email": "ann@example.com", "attributes": {"plan": "pro"}}],
    "segments": [{"name": "vip", "type": "manual", "members": [{"id": "1"}]}],
}
SEND = """
import os, sys, httpx
auth, url = (os.environ["CIO_SITE_ID"], os.environ["CIO_TRACK_API_KEY"]), "https://track.customer.io/api/v1/customers"
with httpx.Client(auth=auth) as http:
    http.post(f"{url}/1/events", json={"name": "order", "data": {"total": 3}}).raise_for_status()
    http.post(f"{url}/9/suppress").raise_for_status()
    http.put(f"{url}/9", json={"plan": "pro"}).raise_for_status()
    http.put(f"{url}/9", json={"plan": "free"}).raise_for_status()
    http.put(f"{url}/", json={})
sys.exit(int(sys.argv[1]))
"""


class Ended(NamedTuple):
    """What came of a run."""

    code: int
    out: str
    err: str


Execute = Callable[..., Ended]


@pytest.fixture
def execute(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Execute:
    """Runs `fakeio exec` with these arguments in this process; variables are set for that run's sake."""

    def run(*arguments: str, **environment: str) -> Ended:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        try:
            code = main(["exec", *arguments])
        except SystemExit as stop:  # as argparse ends
            code = int(stop.code or 0)
        return Ended(code, *capfd.readouterr())

    return run


def written(path: Path, document: Any) -> str:
    path.write_text(json.dumps(document), encoding="utf-8")
    return str(path)


# -- exit codes --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "code"),
    [
        pytest.param([*SHELL, "exit 0"], 0, id="content"),
        pytest.param([*SHELL, "exit 7"], 7, id="its own code"),
        pytest.param([*SHELL, "kill -TERM $$"], 128 + signal.SIGTERM, id="ended by a signal"),
        pytest.param([*SHELL, 'test "$1" = --seed', "sh", "--seed"], 0, id="its options are its own"),
    ],
)
def test_the_commands_exit_code_is_handed_on(execute: Execute, command: list[str], code: int) -> None:
    ended = execute("--", *command)
    assert (ended.code, ended.out, ended.err) == (code, "", "fakeio: no request arrived\n")


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        pytest.param([], 2, "say which command to run: fakeio exec -- CMD ARG…", id="no command"),
        pytest.param(["--"], 2, "say which command to run: fakeio exec -- CMD ARG…", id="nothing after the dashes"),
        pytest.param(["--", "no-such-command"], 127, "no-such-command can't be run: No such file or directory",
                     id="no such command"),
        pytest.param(["--", os.curdir], 126, ".: Permission denied", id="no program"),
        pytest.param(["--seed", "nowhere.json", "--", "true"], 2, "the seed nowhere.json can't be read", id="no seed"),
        pytest.param(["--expect", "nowhere.json", "--", "true"], 2, "the expectations nowhere.json can't be read",
                     id="no expectations"),
        pytest.param(["--allow-host", "https://example.com/", "--", "true"], 2, "is no host; write its name alone",
                     id="a url for a host"),
    ],
)  # fmt: skip
def test_what_can_not_be_done_is_one_clear_line(
    execute: Execute, arguments: list[str], code: int, message: str
) -> None:
    ended = execute(*arguments)
    assert ended.code == code
    assert message.replace(".: ", "can't be run: ") in ended.err
    assert "Traceback" not in ended.err


def test_the_exit_code_stays_when_nobody_reads_the_summary() -> None:
    """As in `fakeio exec … 2>&1 | head -1`."""
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as nobody:
        command = [*FAKEIO, "exec", "--", *SHELL, "exit 7"]
        usual = own({"PYTHONUNBUFFERED": ""})  # what is not yet written is then kept, and tried again at the end
        ended = subprocess.run(command, env=usual, stderr=nobody, timeout=PATIENCE_S, check=False)
    assert ended.returncode == 7


# -- what arrived, and what was expected -------------------------------------------------------------------------------


EXPECTED = {
    "people": [{"id": "1", "attributes": {"plan": "pro"}}],
    "events": [{"name": "order", "data": {"total": 3}, "id": "1"}, {"person": {"email": "ann@example.com"}}],
    "segments": [{"name": "vip", "count": 1, "members": [{"id": "1"}]}],
}
ARRIVED = """\
fakeio: 5 requests arrived: 5 at track.customer.io
fakeio: 2 applied, 2 ignored, 1 refused
fakeio: ignored: 2 × identify by person.suppressed, first request 3: """


@pytest.mark.parametrize(
    ("own_code", "plan", "code"),
    [
        pytest.param(0, "pro", 0, id="all met"),
        pytest.param(0, "free", 1, id="one is not met"),
        pytest.param(5, "free", 5, id="one is not met and the command failed"),
    ],
)
def test_expectations_decide_when_the_command_is_content(
    execute: Execute, tmp_path: Path, own_code: int, plan: str, code: int
) -> None:
    seed = written(tmp_path / "seed.json", SEED)
    people = [{"id": "1", "attributes": {"plan": plan}}]
    expect = written(tmp_path / "expect.json", {**EXPECTED, "people": people})
    ended = execute("--seed", seed, "--expect", expect, "--", sys.executable, "-c", SEND, str(own_code))
    assert ended.code == code
    assert ended.err.startswith(ARRIVED)
    assert ("expected: no person" in ended.err) == (plan == "free")
    assert ("attributes.plan is 'pro', expected 'free'" in ended.err) == (plan == "free")


@pytest.fixture(scope="module")
def inside() -> Iterator[Inside]:
    with inside_exec() as found:
        yield found


def test_the_environment_holds_what_is_documented(inside: Inside) -> None:
    found = inside.environment
    proxies = {found[name] for name in ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy")}
    bundles = {found[name] for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS")}
    (proxy,) = proxies
    assert proxy.startswith("http://127.0.0.1:")
    assert found["NO_PROXY"] == found["no_proxy"] == "localhost,127.0.0.1,::1"
    assert all(Path(bundle).read_text(encoding="utf-8").count("BEGIN CERTIFICATE") > 1 for bundle in bundles)
    assert "--require" in found["NODE_OPTIONS"]
    credentials = {name: found[name] for name in found if name.startswith("CIO_")}
    assert credentials == {
        "CIO_SITE_ID": SITE, "CIO_TRACK_API_KEY": TRACK_KEY, "CIO_APP_API_KEY": APP_KEY, "CIO_REGION": "us",
        "CIO_TRACK_URL": found["FAKEIO_URL"], "CIO_APP_URL": found["FAKEIO_URL"],
    }  # fmt: skip


def test_a_workspace_may_be_european(execute: Execute) -> None:
    ask = "import os, httpx; auth = (os.environ['CIO_SITE_ID'], os.environ['CIO_TRACK_API_KEY'])\n"
    ask += "print(os.environ['CIO_REGION'], httpx.get('https://track-eu.customer.io/auth', auth=auth).status_code)"
    ended = execute("--region", "eu", "--", sys.executable, "-c", ask)
    assert (ended.code, ended.out) == (0, "eu 200\n")


# -- what the caller had set -------------------------------------------------------------------------------------------


def test_a_sitecustomize_and_the_path_of_the_caller_stay_in_force(execute: Execute, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("import builtins; builtins.theirs = __name__\n", encoding="utf-8")
    (tmp_path / "own_module.py").write_text("name = 'own'\n", encoding="utf-8")
    look = "import own_module, sys; print(theirs, own_module.name, sys.modules['sitecustomize'].__file__)"
    ended = execute("--", sys.executable, "-c", look, PYTHONPATH=str(tmp_path))
    assert ended.out.split() == ["sitecustomize", "own", str(tmp_path / "sitecustomize.py")]


def test_the_options_of_the_callers_node_stay_in_force(
    execute: Execute, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    space = tmp_path / "a folder"
    space.mkdir()
    (space / "own.cjs").write_text("globalThis.own = 'theirs'\n", encoding="utf-8")
    monkeypatch.setattr(tempfile, "tempdir", str(space))  # the folder of the run, too, has a space in its path
    ended = execute("--", program("node"), "-p", "own", NODE_OPTIONS=f'--require "{space / "own.cjs"}"')
    assert (ended.code, ended.out) == (0, "theirs\n")


def test_authorities_that_the_caller_chose_are_trusted_beside_the_runs(execute: Execute) -> None:
    with Fake() as another:
        curl = [program("curl"), "--silent", "--output", os.devnull, "--write-out", "%{http_code} "]
        command = [*curl, f"{another.https_url}/auth", "--next", *curl[1:], "https://track.customer.io/auth"]
        ended = execute("--", *command, CURL_CA_BUNDLE=another.ca_file)
    assert (ended.code, ended.out.split()) == (0, ["401", "401"])


def test_a_proxy_of_the_callers_is_replaced_and_that_is_said(execute: Execute) -> None:
    ended = execute("--", *SHELL, 'echo "$HTTPS_PROXY"', HTTPS_PROXY="http://name:secret@proxy.example:8080")
    assert ended.out.startswith("http://127.0.0.1:")
    assert "HTTPS_PROXY: replaced for the command" in ended.err
    assert "secret" not in ended.err


# -- other hosts -------------------------------------------------------------------------------------------------------


def test_another_host_is_refused_unless_it_is_allowed(execute: Execute) -> None:
    with Fake() as another:
        curl = [program("curl"), "--silent", "--noproxy", "", "--cacert", another.ca_file, f"{another.https_url}/auth"]
        refused, allowed = execute("--", *curl), execute("--allow-host", "127.0.0.1", "--", *curl)
        assert (refused.code, refused.out) == (56, "")
        assert "127.0.0.1 was refused 1 time; let it through with --allow-host 127.0.0.1" in refused.err
        assert (allowed.code, json.loads(allowed.out)) == (0, {"meta": {"error": "Unauthorized request"}})
        assert [request.path for request in another.workspace.requests] == ["/auth"]


# -- what is left ------------------------------------------------------------------------------------------------------


@pytest.fixture
def desk(tmp_path: Path) -> dict[str, str]:
    """Where a command might leave something: a home, a working folder and a place for temporary files, all empty."""
    for name in ("home", "cwd", "tmp"):
        (tmp_path / name).mkdir()
    return {"HOME": str(tmp_path / "home"), "TMPDIR": str(tmp_path / "tmp")}


def left(tmp_path: Path) -> list[str]:
    return sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*"))


LIST = """
import json, os, pathlib
folder = pathlib.Path(os.environ["TMPDIR"])
files = [path for path in folder.rglob("*") if path.is_file()]
print(json.dumps({"modes": sorted({oct(path.stat().st_mode & 0o777) for path in folder.iterdir()}),
                  "keys": [path.read_text() for path in files if "PRIVATE KEY" in path.read_text("latin-1")],
                  "authority": next(path.read_text() for path in files if path.name == "ca.pem")}))
"""


def test_everything_is_in_one_private_folder_that_goes_with_the_run(desk: dict[str, str], tmp_path: Path) -> None:
    command = [*FAKEIO, "exec", "--", sys.executable, "-c", LIST]
    ended = subprocess.run(
        command, cwd=tmp_path / "cwd", env=own(desk), capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    assert ended.returncode == 0, ended.stderr
    assert left(tmp_path) == ["cwd", "home", "tmp"]
    found = json.loads(ended.stdout)
    authority = x509.load_pem_x509_certificate(found["authority"].encode()).public_key()
    keys = [load_pem_private_key(key.encode(), None).public_key() for key in found["keys"]]
    assert found["modes"] == [oct(stat.S_IRWXU)]
    assert len(keys) == 1
    assert authority not in keys


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
def test_a_signal_reaches_the_command_and_nothing_is_left(number: int, desk: dict[str, str], tmp_path: Path) -> None:
    script = "trap 'echo told; exit 9' INT TERM; echo ready; for _ in $(seq 400); do sleep 0.05; done"
    command = [*FAKEIO, "exec", "--", *SHELL, script]
    with subprocess.Popen(command, env=own(desk), stdout=subprocess.PIPE, text=True, start_new_session=True) as process:
        try:
            assert process.stdout
            assert process.stdout.readline() == "ready\n"
            process.send_signal(number)
            assert (process.stdout.read(), process.wait(PATIENCE_S)) == ("told\n", 9)
        finally:
            process.kill()
    assert left(tmp_path) == ["cwd", "home", "tmp"]


def test_a_signal_before_the_command_began_ends_the_run() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with Child() as child:
        os.kill(os.getpid(), signal.SIGTERM)
        assert child.run(["no-such-command"], {}) == 128 + signal.SIGTERM
    assert signal.getsignal(signal.SIGTERM) == before


def test_a_signal_that_was_to_be_ignored_still_is() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with Child():
            assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


COUNT = """
import signal, sys, time
told = []
signal.signal(signal.SIGINT, lambda *_: told.append(1))
print("ready", flush=True)
while not told:
    time.sleep(0.01)
time.sleep(0.3)
sys.exit(10 + len(told))
"""
AT_A_TERMINAL = "import os, sys; os.login_tty(int(sys.argv[1])); os.execv(sys.argv[2], sys.argv[2:])"


def test_a_key_pressed_at_the_terminal_reaches_the_command_once() -> None:
    """The terminal tells the whole group, so that what it said need not be handed on."""
    ours, theirs = os.openpty()
    command = [sys.executable, "-c", AT_A_TERMINAL, str(theirs), *FAKEIO, "exec", "--", sys.executable, "-c", COUNT]
    with os.fdopen(ours, "rb+", buffering=0) as terminal:
        process = subprocess.Popen(command, env=own(None), pass_fds=[theirs])
        os.close(theirs)
        try:
            said = b""
            while b"ready" not in said:
                said += terminal.read(1024)
            terminal.write(b"\x03")
            assert process.wait(PATIENCE_S) == 11
        finally:
            process.kill()
