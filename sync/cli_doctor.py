"""The `doctor` command: everything that a run needs, looked at once; a line each, and what to do about it.

Writes nothing, and sends nothing but the two calls by which credentials are proved. `edge/health.py` looks at this
machine; here are the variables, the configuration and the destination.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from sync.amplitude_pull import Project
from sync.cli_check import PATIENCE, prove_destination, prove_project
from sync.core.configuration import Configuration, spoken
from sync.core.errors import SyncError
from sync.core.health import Finding, Level, encode_findings, render_findings, skew, worst
from sync.core.wire_account import REGION
from sync.destination import Destination
from sync.edge.amplitude_settings import VARIABLES as AMPLITUDE
from sync.edge.amplitude_settings import read_amplitude_settings
from sync.edge.config_file import read_configuration
from sync.edge.console import Console
from sync.edge.health import look_at_python, look_at_room, look_at_state
from sync.edge.settings import CREDENTIALS, VARIABLES, Settings
from sync.edge.streams import heard_or_not
from sync.edge.transport import Network

OK, WARN, WRONG = Level.OK, Level.WARN, Level.WRONG
DEFAULT_CONFIG = Path("sync.toml")


def add_doctor_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--config", type=Path, metavar="FILE", help="the configuration (sync.toml, where there is one)")
    add("--offline", action="store_true", help="do not ask Customer.io and Amplitude")


def doctor(
    arguments: argparse.Namespace, settings: Settings, console: Console, *, network: Network | None = None
) -> int:
    """Look at everything; returns 0 when all is well, 1 for warnings, 2 when something is wrong."""
    findings = [look_at_python(), *look_at_room(settings.state_path)]
    findings += look_at_state(settings.state_path, settings.site_id)
    path = arguments.config or (DEFAULT_CONFIG if DEFAULT_CONFIG.exists() else None)
    findings += _variables(os.environ, configured=path is not None)
    findings += _configuration(path, os.environ) if path is not None else ()
    if not arguments.offline:
        findings += _destination(settings, console, network)
        findings += _project(console)
    with heard_or_not():
        if arguments.json:
            sys.stdout.buffer.write(encode_findings(findings) + b"\n")
        else:
            for line in render_findings(findings):
                console.tell(line)
    return int(worst(findings))


def _variables(environ: Mapping[str, str], *, configured: bool) -> Iterator[Finding]:
    """Which are set and which are missing, by name. `configured`: there is a file, which may name others."""
    ours, theirs = [VARIABLES[name] for name in CREDENTIALS], [AMPLITUDE["api_key"], AMPLITUDE["secret_key"]]
    for names, needed, without in (
        (ours, not configured, "the configuration may name others"), (theirs, False, "only to read from Amplitude"),
    ):  # fmt: skip
        missing = [name for name in names if not environ.get(name, "").strip()]
        there = [name for name in names if name not in missing]
        if not missing:
            yield Finding("variables", OK, f"{', '.join(names)} are set")
        elif there or needed:
            said = f"{', '.join(missing)} {_verb(missing)} not set"
            yield Finding("variables", WRONG, said, "set what is missing in the environment")
        else:
            yield Finding("variables", OK, f"{', '.join(names)} are not set: {without}")


def _verb(names: list[str]) -> str:
    return "is" if len(names) == 1 else "are"


def _configuration(path: Path, environ: Mapping[str, str]) -> Iterator[Finding]:
    try:
        configuration = read_configuration(path)
    except SyncError as error:
        yield Finding("config", WRONG, error.message, error.hint)
        return
    missing = [name for name in _named(configuration) if not environ.get(name, "").strip()]
    enabled = sum(sync.enabled for sync in configuration.syncs.values())
    if missing:
        said = f"{path} names {', '.join(spoken(missing))}, which {_verb(missing)} not set"
        yield Finding("config", WRONG, said, "set what it names")
    else:
        yield Finding("config", OK, f"{path}: {enabled} of {len(configuration.syncs)} syncs are enabled")


def _named(configuration: Configuration) -> list[str]:
    """The variables that enabled syncs need, each once, in order."""
    names: dict[str, None] = {}
    for sync in configuration.syncs.values():
        if sync.enabled:
            source, target = configuration.sources[sync.source], configuration.destinations[sync.destination]
            names.update(dict.fromkeys((target.site_id, target.track_api_key, target.app_api_key)))
            names.update(dict.fromkeys((source.api_key, source.secret_key) if source.amplitude else ()))
    names.update(dict.fromkeys(filter(None, [configuration.notifications.webhook])))
    return list(names)


def _destination(settings: Settings, console: Console, network: Network | None) -> Iterator[Finding]:
    if not all(getattr(settings, name) for name in CREDENTIALS):
        return  # told under `variables`
    with Destination(settings, console, policy=PATIENCE, network=network) as destination:
        for proof in prove_destination(destination):
            yield _proof(proof.what, proof.error, proof.said)
            if proof.error is None and proof.what == "Track API":
                reply = destination.driver.send(REGION).reply
                if reply is not None:
                    yield skew(reply.headers.get("date", ""), reply.received_at)


def _project(console: Console) -> Iterator[Finding]:
    settings = read_amplitude_settings(os.environ)
    if settings.api_key and settings.secret_key:
        proof = prove_project(Project(settings=settings, policy=PATIENCE), console)
        yield _proof(proof.what, proof.error, proof.said)


def _proof(what: str, error: SyncError | None, said: str) -> Finding:
    if error is None:
        return Finding(what, OK, said)
    return Finding(what, WRONG if error.exit_code > 1 else WARN, error.message, error.hint)
