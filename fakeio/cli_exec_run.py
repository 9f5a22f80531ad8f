"""What `fakeio exec` does: a private fake for one command, whose unmodified client calls Customer.io's own hosts.

Starts the fake, a proxy and the command, hands signals on, and tells at the end what arrived. All files are in one
private folder that goes with the run. What the command finds in its environment is `cli_exec_environment.py`.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.request import getproxies, proxy_bypass

from fakeio.app import build_app, build_universe
from fakeio.cli_exec_environment import PROXIES, Run, build_environment
from fakeio.cli_exec_report import read_expected, summarise, unmet
from fakeio.cli_serve import read_seed
from fakeio.cli_text import CommandFailed, complain, forget
from fakeio.core.seed_error import SeedError
from fakeio.edge.exchange import Universe
from fakeio.edge.proxy import FindUpstream, Proxy
from fakeio.edge.tls import Certificates
from fakeio.edge.views import workspace_view
from fakeio.server import ThreadedServer, Tls

NOT_FOUND, NOT_EXECUTABLE = 127, 126  # as a shell says it
_FORWARDED = ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2")
_FROM_A_KEYBOARD = (signal.SIGINT, getattr(signal, "SIGQUIT", signal.SIGINT))


def run_exec(options: argparse.Namespace) -> int:
    """Run it to its end: its own exit code if that is not 0, else 1 when an expectation fails. Raises CommandFailed."""
    command = _command(options.command)
    expected = read_expected(options.expect)
    universe = _universe(options)
    with Child() as child, tempfile.TemporaryDirectory(prefix="fakeio-exec-") as name, ExitStack() as stack:
        folder = Path(name)
        run = stack.enter_context(_serving(universe, folder))
        upstream, notes = _own_proxy(os.environ)
        proxy = Proxy(http_port=run.http_port, https_port=run.https_port, allowed=options.allow_host, upstream=upstream)
        stack.enter_context(proxy)
        status = child.run(command, build_environment(os.environ, run, proxy.url, folder))
        stack.close()  # what the command sent last is answered, and then on the tape
        failed = unmet(universe.registry.default, expected)
        try:
            for line in [*notes, *summarise(universe.registry, proxy), *failed]:
                complain(line)
        except BrokenPipeError:  # whoever read it has seen enough; the exit code is still the command's
            forget(sys.stderr)
    return status or int(bool(failed))


class Child:
    """The command as a process that gets the signals sent to this one. A context manager."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._early: list[int] = []
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Child:
        numbers = [getattr(signal, name) for name in _FORWARDED if hasattr(signal, name)]  # Windows has few
        for number in numbers:
            if signal.getsignal(number) != signal.SIG_IGN:  # as a shell or nohup may have asked
                self._before[number] = signal.signal(number, self._told)
        return self

    def __exit__(self, *exc_info: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def run(self, command: Sequence[str], environment: Mapping[str, str]) -> int:
        """Its exit code, 128 and the signal's number when a signal ended it; raises CommandFailed."""
        if self._early:  # told to stop before it began
            return 128 + self._early[0]
        try:
            self._process = subprocess.Popen(command, env=environment)
        except OSError as error:
            missing = isinstance(error, FileNotFoundError)
            raise CommandFailed(
                f"{command[0]} can't be run: {error.strerror}", status=NOT_FOUND if missing else NOT_EXECUTABLE
            ) from error
        for number in self._early:
            self._process.send_signal(number)
        status = self._process.wait()
        return 128 - status if status < 0 else status

    def _told(self, number: int, frame: Any) -> None:
        if self._process is None:
            self._early.append(number)
        elif number not in _FROM_A_KEYBOARD or not _in_the_foreground():
            self._process.send_signal(number)  # harmless when it has ended


def _in_the_foreground() -> bool:
    """Whether a key pressed at the terminal reaches the command by itself, as it reaches the whole group."""
    try:
        with open("/dev/tty", "rb") as terminal:
            return os.tcgetpgrp(terminal.fileno()) == os.getpgrp()
    except (OSError, AttributeError):
        return False


def _command(given: Sequence[str]) -> Sequence[str]:
    command = given[1:] if given[:1] == ["--"] else given
    if not command:
        raise CommandFailed("say which command to run: fakeio exec -- CMD ARG…", status=2)
    return command


def _universe(options: argparse.Namespace) -> Universe:
    try:
        return build_universe(region=options.region, seed=read_seed(options.seed))
    except SeedError as bad:
        raise CommandFailed(f"the seed {options.seed}: {bad}", status=2) from bad


@contextmanager
def _serving(universe: Universe, folder: Path) -> Iterator[Run]:
    """The fake on free ports, its certificates in `folder`."""
    with closing(Certificates(within=folder)) as certificates:
        tls = Tls(certificates.cert_file, certificates.key_file)
        with ThreadedServer(build_app(universe), tls=tls) as server:
            bound = server.bound
            assert bound.https_port is not None
            workspace = workspace_view(universe.registry.default)
            yield Run(bound.url, bound.port, bound.https_port, certificates.ca_file, workspace)


def _own_proxy(caller: Mapping[str, str]) -> tuple[FindUpstream, list[str]]:
    """How the caller's own proxy is found for an allowed host, and what to say of it."""
    proxies = getproxies()

    def find(scheme: str, host: str) -> str | None:
        return None if proxy_bypass(host) else proxies.get(scheme)

    named = [variable for variable in PROXIES if caller.get(variable)]
    note = f"{', '.join(named)}: replaced for the command; hosts of --allow-host are reached through yours"
    return find, [note] if named else []
