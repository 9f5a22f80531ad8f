"""The `listen` command: its flags, and a receiver and its worker until somebody stops them."""

from __future__ import annotations

import argparse
import json
import os
import sys
import threading

from sync.cli_cohort import filled
from sync.cli_events import add_rule_arguments, parse_rules
from sync.core.errors import ConfigError
from sync.core.intents import ID_TYPES
from sync.edge.console import Console
from sync.edge.inbox import Inbox
from sync.edge.metrics import Metrics
from sync.edge.receiver import Receiver
from sync.edge.serving import LOOPBACK, serve
from sync.edge.settings import Settings
from sync.edge.streams import OutputLost, heard_or_not
from sync.listening import ListenOptions, Worker

SECRET = "CIO_SYNC_LISTEN_SECRET"
LAST_RUN_S = 15.0  # for the run under way when a signal comes; after that it is cut off, as a kill would


def add_listen_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add(
        "--host", default="127.0.0.1", type=filled, metavar="HOST",
        help=f"where to listen (127.0.0.1); others need {SECRET}",
    )
    add("--port", default=7098, type=int, metavar="PORT", help="the port (7098), 0 for any")
    add(
        "--cohort-id-property", default="user_id", type=filled, metavar="NAME",
        help="user_id, or the user property of a webhook",
    )
    add("--cohort-id-type", default="id", choices=ID_TYPES, help="what kind of identifier pushed cohorts hold (id)")
    add_rule_arguments(parser)


def listen(arguments: argparse.Namespace, settings: Settings, console: Console) -> int:
    """Receive and deliver until SIGINT or SIGTERM; returns 0. Raises ConfigError."""
    settings.require("site_id", "track_api_key", "app_api_key")
    secret = os.environ.get(SECRET, "").strip()
    if SECRET in os.environ and not secret:
        raise ConfigError(
            f"{SECRET} is set and empty, so anybody could push; nothing was sent",
            hint="set it to the secret that Amplitude sends, or unset it to take pushes from this machine alone",
        )
    if arguments.host not in LOOPBACK and not secret:
        raise ConfigError(
            f"listening on {arguments.host} lets others push into segments, and {SECRET} is not set",
            hint=f"set {SECRET}, and have Amplitude send it as a header (x-webhook-secret) or as the API key",
        )
    console.hide(secret)
    options = ListenOptions(id_type=arguments.cohort_id_type, rules=parse_rules(arguments))
    metrics = Metrics()
    with Inbox(settings.state_path.with_name(f"{settings.state_path.name}-inbox")) as inbox:
        receiver = Receiver(
            inbox, secret=secret, id_property=arguments.cohort_id_property,
            metrics=lambda: metrics.text(receiver.taken, inbox.waiting()),
        )  # fmt: skip
        worker = Worker(inbox, settings, console, metrics, options)
        _serve(receiver, worker, arguments, console)
    return 0


def _serve(receiver: Receiver, worker: Worker, arguments: argparse.Namespace, console: Console) -> None:
    stop = threading.Event()
    thread = threading.Thread(target=worker.run, args=(stop,), daemon=True)

    def ready(url: str) -> None:
        thread.start()
        line = f"{json.dumps({'url': url, 'pid': os.getpid()})}\n" if arguments.json else _line(url)
        try:
            with heard_or_not():
                sys.stdout.write(line)
        except OutputLost as lost:  # no reason to take nothing: most know the address that they asked for
            console.fail(str(lost))

    try:
        serve(receiver.app(), arguments.host, arguments.port, ready)
    finally:
        stop.set()
        if thread.is_alive():
            thread.join(LAST_RUN_S)
        if thread.is_alive():
            console.fail("stopped in the middle of a run; the next start goes on there")


def _line(url: str) -> str:
    return f"cio-sync listening at {url}\n"
