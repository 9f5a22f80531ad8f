"""The `run` command: the syncs of a configuration file, on their schedules or once."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from sync.alone import Order
from sync.core.configuration import Notifications, choose, spoken
from sync.core.errors import ConfigError
from sync.core.page import render
from sync.core.report import Ended
from sync.crew import Crew
from sync.edge.config_file import read_configuration
from sync.edge.console import Console
from sync.edge.metrics import Metrics
from sync.edge.notifying import check_address, notify
from sync.edge.settings import Settings
from sync.edge.streams import OutputLost, heard_or_not
from sync.running import Runner, Surroundings, worst

STATUSES = {0: "success", 1: "partial", 5: "stopped", 130: "stopped"}


def add_run_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("names", nargs="*", metavar="SYNC", help="which syncs of the file (all that are enabled)")
    add("--config", default="sync.toml", type=Path, metavar="FILE", help="the configuration (sync.toml)")
    add(
        "--once", action="store_true",
        help="run what is due, or the syncs that are named, whether due or not; then end",
    )
    add(
        "--metrics", type=_address, metavar="[HOST:]PORT",
        help="answer Prometheus there while it runs, on 127.0.0.1 unless a host is named",
    )


def _address(value: str) -> tuple[str, int]:
    host, _, port = value.rpartition(":")
    if not (port.isascii() and port.isdigit() and int(port[:6]) < 1 << 16):
        raise argparse.ArgumentTypeError("write a port such as 9102, or HOST:PORT")
    return host.strip("[]") or "127.0.0.1", int(port)


def run(arguments: argparse.Namespace, settings: Settings, console: Console) -> int:
    """Run until there is nothing more to do, or until SIGINT or SIGTERM. Returns the gravest exit code of `--once`.

    Raises ConfigError, before anything is run.
    """
    configuration = read_configuration(arguments.config)
    syncs = choose(configuration, arguments.names)
    teller = Teller(configuration.notifications, os.environ, console, as_json=arguments.json)
    flags = {name: getattr(arguments, name) for name in ("track_rate", "app_rate", "workers")}
    around = Surroundings(folder=arguments.config.resolve().parent, flags=flags)
    runner = Runner(configuration, syncs, around, console, teller.tell)
    order = Order(configuration, "", str(around.folder), flags, quiet=arguments.json, log=console.log)
    code = 0
    with _metrics(arguments.metrics, teller, console):
        try:
            if not arguments.once:
                _forever(runner, order, console, teller)
            else:
                code = _once(runner, order, console, teller, named=bool(arguments.names))
        except KeyboardInterrupt:
            code = 130 if arguments.once else 0  # a scheduler is stopped by a signal, and only so
    teller.close(code)
    return code


def _forever(runner: Runner, order: Order, console: Console, teller: Teller) -> None:
    if not _side_by_side(runner, order):
        runner.run_forever()
        return
    with _crew(runner, order, console, teller) as crew:
        crew.run_forever()


def _once(runner: Runner, order: Order, console: Console, teller: Teller, *, named: bool) -> int:
    """The gravest exit code."""
    if not _side_by_side(runner, order):
        return worst(runner.run_all() if named else runner.run_due())
    with _crew(runner, order, console, teller) as crew:
        return crew.run_all() if named else crew.run_due()


def _side_by_side(runner: Runner, order: Order) -> bool:
    return min(len(runner.names), order.configuration.engine.syncs_at_once) > 1


def _crew(runner: Runner, order: Order, console: Console, teller: Teller) -> Crew:
    return Crew(runner, order, console, teller.tell, most=order.configuration.engine.syncs_at_once)


@contextlib.contextmanager
def _metrics(address: tuple[str, int] | None, teller: Teller, console: Console) -> Iterator[None]:
    if address is None:
        yield
        return
    with teller.metrics.served(*address) as url:
        console.note(f"metrics at {url}")
        yield


class Teller:
    """Prints each run and notifies of it. Under `--json` nothing is printed until the one object at the end, which
    holds the last report of each sync."""

    def __init__(
        self, notifications: Notifications, environ: Mapping[str, str], console: Console, *, as_json: bool
    ) -> None:
        """Raises ConfigError for an address that can't be one."""
        self._on = frozenset(notifications.on)
        self._url = ""
        if notifications.webhook:
            url = environ.get(notifications.webhook, "").strip()
            if not url:
                name = spoken([notifications.webhook])[0]
                raise ConfigError(f"{name} is not set", hint="set it to the address to notify")
            self._url = check_address(notifications.webhook, url)
            console.hide(url)
        self.metrics = Metrics()
        self._console = console
        self._as_json = as_json
        self._reports: dict[str, msgspec.Struct] = {}

    def tell(self, name: str, ended: Ended, disabled: bool) -> None:  # noqa: FBT001 the shape of running.Told
        """A run has ended."""
        self._reports[name] = ended.report
        self.metrics.observe(ended.report, time.time())
        if disabled:
            self._console.fail(f"{name} is not run any more until its table is edited, or it is named")
        if not self._as_json:
            self._print(name, ended)
        if self._url and ended.report.status in self._on:
            why = notify(self._url, name, ended, disabled=disabled)
            if why:
                self._console.fail(f"nobody could be notified of {name}: {why}")

    def _print(self, name: str, ended: Ended) -> None:
        """What can't be printed ends no scheduler: the ledger has it, and the next sync is due."""
        try:
            with heard_or_not():
                self._console.tell(render(ended))
        except OutputLost as lost:
            self._console.fail(f"{name}: {lost}")

    def close(self, code: int) -> None:
        """Say what `--json` says."""
        if self._as_json:
            document = {"kind": "run", "status": STATUSES.get(code, "failed"), "runs": self._reports}
            with heard_or_not():
                sys.stdout.buffer.write(msgspec.json.encode(document) + b"\n")
