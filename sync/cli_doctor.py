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
from sync.cli_check import PATIENCE, Proof, prove_destination, prove_project
from sync.core.configuration import Configuration, spoken
from sync.core.errors import ConfigError, SyncError, renamed
from sync.core.health import Finding, Level, encode_findings, render_findings, skew, worst
from sync.core.wire_account import REGION
from sync.destination import Destination
from sync.edge.amplitude_settings import VARIABLES as AMPLITUDE
from sync.edge.amplitude_settings import AmplitudeSettings, read_amplitude_settings
from sync.edge.config_file import called_of, project_of, read_configuration, settings_of, state_of
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
    configuration, told = _configuration(arguments.config, os.environ)
    places: dict[str, Settings] = {}
    projects: dict[str, AmplitudeSettings] = {}
    if configuration is not None:
        try:
            places, projects = _places(configuration, os.environ), _projects(configuration, os.environ)
        except ConfigError as error:
            told.append(Finding("config", WRONG, error.message, error.hint))
    state = state_of(configuration, settings, os.environ)
    findings = [look_at_python(), *look_at_room(state)]
    findings += look_at_state(state, settings.site_id or next((one.site_id for one in places.values()), ""))
    findings += _variables(os.environ, configured=bool(told))
    findings += told
    if not arguments.offline:
        findings += _destinations(settings, places, console, network)
        findings += _amplitudes(configuration, projects, console)
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


def _configuration(given: Path | None, environ: Mapping[str, str]) -> tuple[Configuration | None, list[Finding]]:
    """The file, if there is one that can be read, and what is to say of it."""
    path = given or (DEFAULT_CONFIG if DEFAULT_CONFIG.exists() else None)
    if path is None:
        return None, []
    try:
        configuration = read_configuration(path)
    except SyncError as error:
        return None, [Finding("config", WRONG, error.message, error.hint)]
    missing = [name for name in _named(configuration) if not environ.get(name, "").strip()]
    enabled = sum(sync.enabled for sync in configuration.syncs.values())
    if missing:
        said = f"{path} names {', '.join(spoken(missing))}, which {_verb(missing)} not set"
        return configuration, [Finding("config", WRONG, said, "set what it names")]
    return configuration, [Finding("config", OK, f"{path}: {enabled} of {len(configuration.syncs)} syncs are enabled")]


def _places(configuration: Configuration, environ: Mapping[str, str]) -> dict[str, Settings]:
    """How each destination that an enabled sync sends to is reached, of those whose variables are set. Raises
    ConfigError for what can be no credential."""
    names = dict.fromkeys(sync.destination for sync in configuration.syncs.values() if sync.enabled)
    targets = {name: configuration.destinations[name] for name in names}
    return {
        name: settings_of(configuration, target, environ, {}) for name, target in targets.items()
        if all(environ.get(getattr(target, key), "").strip() for key in CREDENTIALS)
    }  # fmt: skip


def _projects(configuration: Configuration, environ: Mapping[str, str]) -> dict[str, AmplitudeSettings]:
    """The same of each Amplitude project that an enabled sync reads."""
    names = dict.fromkeys(sync.source for sync in configuration.syncs.values() if sync.enabled)
    sources = {name: configuration.sources[name] for name in names if configuration.sources[name].amplitude}
    return {
        name: project_of(source, environ) for name, source in sources.items()
        if environ.get(source.api_key, "").strip() and environ.get(source.secret_key, "").strip()
    }  # fmt: skip


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


def _destinations(
    settings: Settings, places: Mapping[str, Settings], console: Console, network: Network | None
) -> Iterator[Finding]:
    """Those of the configuration, and that of the usual variables where it is none of them."""
    ours = _credentials(settings)
    if all(ours) and ours not in map(_credentials, places.values()):
        yield from _destination("", settings, console, network)
    for name, place in places.items():
        yield from _destination(f"[destinations.{name}]: ", place, console, network)


def _amplitudes(
    configuration: Configuration | None, projects: Mapping[str, AmplitudeSettings], console: Console
) -> Iterator[Finding]:
    """The same of projects."""
    ours = read_amplitude_settings(os.environ)
    if ours.api_key and ours.secret_key and ours.api_key not in {one.api_key for one in projects.values()}:
        yield _proof(prove_project(Project(settings=ours, policy=PATIENCE), console), "", {})
    for name, project in projects.items():
        assert configuration is not None, "it names them"
        proof = prove_project(Project(settings=project, policy=PATIENCE), console)
        yield _proof(proof, f"[sources.{name}]: ", called_of(configuration.sources[name]))


def _credentials(settings: Settings) -> tuple[str, ...]:
    return tuple(getattr(settings, name) for name in CREDENTIALS)


def _destination(whose: str, settings: Settings, console: Console, network: Network | None) -> Iterator[Finding]:
    with Destination(settings, console, policy=PATIENCE, network=network) as destination:
        for proof in prove_destination(destination):
            yield _proof(proof, whose, settings.called)
            if proof.error is None and proof.what == "Track API":
                reply = destination.driver.send(REGION).reply
                if reply is not None:
                    yield skew(reply.headers.get("date", ""), reply.received_at)


def _proof(proof: Proof, whose: str, called: Mapping[str, str]) -> Finding:
    if proof.error is None:
        return Finding(proof.what, OK, f"{whose}{renamed(proof.said, called)}")
    proof.error.call(called)
    level = WRONG if proof.error.exit_code > 1 else WARN
    return Finding(proof.what, level, f"{whose}{proof.error.message}", proof.error.hint)
