"""`cio-scenarios run --live`: the catalogue against a real workspace, and `report`, what such a run has taught.

Asks for consent, keeps the run inside a prefix of its own, and cleans up whatever happens; `--clean PREFIX` does so
for a run that was killed.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

from scenarios.catalogue.case import Case, RunError
from scenarios.catalogue.conformance import DIFFERS, Result, as_dict, is_ok, tell
from scenarios.catalogue.live import RATES, LiveError, Pacer, PatientWire, check_prefix, clean, run_live
from scenarios.catalogue.live_report import live_report
from scenarios.catalogue.places import Keys
from scenarios.catalogue.writing import app, track
from scenarios.cli_catalogue_arguments import CONSENT
from sync.core.errors import ConfigError
from sync.edge.settings import EU, HOSTS, US, read_settings
from sync.edge.streams import heard_or_not

OK, DIFFERENT, USAGE, UNCLEAN, INTERRUPTED = 0, 1, 2, 4, 130


class NoConsent(RunError):
    """Nobody has said yes; the message says how to."""


def ask_live(options: argparse.Namespace, cases: Sequence[Case]) -> int:
    """Run and clean up, or only clean up. Raises RunError."""
    keys = _keys(os.environ)
    if options.clean:
        check_prefix(options.clean)
    _can_be_written(options.report)
    prefix = options.clean or f"fakeio-live-{secrets.token_hex(4)}-"
    _consent(options, keys, prefix)
    signal.signal(signal.SIGTERM, _interrupt)
    with closing(PatientWire(keys, Pacer(RATES))) as wire:
        keys, region = _in_region(keys, wire)
    with closing(PatientWire(keys, Pacer(RATES))) as wire:
        _prove_app_key(wire)
        results: list[Result] = []
        try:
            if not options.clean:
                _play(keys, wire, cases, prefix, results)
        except KeyboardInterrupt:
            _warn("interrupted; cleaning up")
            return _cleaned(wire, cases, prefix) or INTERRUPTED
        except BaseException:
            _cleaned(wire, cases, prefix)
            raise
        unclean = _cleaned(wire, cases, prefix)
    return unclean or (OK if options.clean else _told(results, region, options))


def _can_be_written(report: Path | None) -> None:
    """Raises RunError before anything is sent, not when everything was asked."""
    if report is not None:
        try:
            report.open("a").close()
        except OSError as error:
            raise RunError(f"nothing was sent: {report} can't be written ({error.strerror})") from None


def _play(keys: Keys, wire: PatientWire, cases: Sequence[Case], prefix: str, results: list[Result]) -> None:
    _warn(f"everything bears the prefix {prefix}; after a kill: cio-scenarios run --live --clean {prefix}")
    for result in run_live(keys, wire, cases, prefix):
        results.append(result)
        if not result.why:
            _warn(f"{'differs' if result.fate == DIFFERS else 'ok':<8} {result.case.name}")


def _cleaned(wire: PatientWire, cases: Sequence[Case], prefix: str) -> int:
    """0 when nothing is left; else says how to go on."""
    try:
        clean(wire, cases, prefix)
    except (LiveError, KeyboardInterrupt) as error:
        _warn(f"not everything was cleaned up ({str(error) or 'interrupted'}); go on: "
              f"cio-scenarios run --live --clean {prefix}")
        return UNCLEAN
    _warn("cleaned up")
    return OK


def _told(results: Sequence[Result], region: str, options: argparse.Namespace) -> int:
    where = f"a workspace of the {region} region"
    if options.report is not None:
        taught = live_report(results, date=datetime.now(UTC).isoformat(timespec="seconds"), region=region)
        options.report.write_text(json.dumps(taught, indent=1) + "\n", encoding="utf-8")
    text = json.dumps(as_dict(results, where)) if options.json else "\n".join(tell(results, where))
    with heard_or_not():
        sys.stdout.write(f"{text}\n")
    return OK if is_ok(results) else DIFFERENT


def _keys(environ: Mapping[str, str]) -> Keys:
    """Raises RunError when a credential is missing."""
    try:
        settings = read_settings(environ)
        settings.require("site_id", "track_api_key", "app_api_key")
    except ConfigError as error:
        raise RunError(f"{error.message}; {error.hint}") from None
    hosts = HOSTS[settings.region or US]
    return Keys(
        settings.track_url or hosts["track"], settings.app_url or hosts["app"],
        settings.site_id, settings.track_api_key, settings.app_api_key,
    )  # fmt: skip


def _in_region(keys: Keys, wire: PatientWire) -> tuple[Keys, str]:
    """The same keys at the hosts of the account's own region. Raises LiveError when they are refused."""
    answer = wire.once(track("GET", "/api/v1/accounts/region"))
    region = (answer.body or {}).get("region") if answer.status == 200 else None
    if region not in (US, EU):
        raise LiveError(f"the Track API answered {answer.status or 'nothing'}; `cio-sync check` says what is wrong")
    origins = {host: HOSTS[region][api] for each in HOSTS.values() for api, host in each.items()}
    track_url, app_url = (origins.get(url, url) for url in (keys.track_url, keys.app_url))
    return keys._replace(track_url=track_url, app_url=app_url), region


def _prove_app_key(wire: PatientWire) -> None:
    """Raises LiveError when it opens nothing: before anything is written, which it would be needed to clean up."""
    answer = wire.once(app("GET", "/v1/segments"))
    if answer.status != 200:
        raise LiveError(f"the App API answered {answer.status or 'nothing'}; `cio-sync check` says what is wrong")


def _consent(options: argparse.Namespace, keys: Keys, prefix: str) -> None:
    if options.yes or os.environ.get(CONSENT) == "yes":
        return
    question = (
        f"This writes to the workspace behind {keys.track_url}: people, events and segments whose names start with\n"
        f"{prefix}, which are deleted at the end. Campaigns that react to new people or events may react to them."
    )
    if sys.stdin.isatty():
        _warn(question)
        _warn("Type yes to go on:")
        if sys.stdin.readline().strip() == "yes":
            return
    raise NoConsent(f"nothing was sent. {question}\nTo consent add --yes, or set {CONSENT}=yes")


def _interrupt(number: int, frame: object) -> NoReturn:
    raise KeyboardInterrupt


def _warn(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201 - this is a command
