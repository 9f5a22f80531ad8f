"""What a `sync.toml` says: named sources, destinations and syncs. Types, names, choices: all of them are checked here.

Pure: a parsed document in, values out. A key that nobody knows is a mistake. Credentials are never in the file, only
the names of the variables that hold them; reading those and the file is for `edge/config_file.py`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from typing import Annotated, Literal

import msgspec

from sync.core.conditions import parse_condition
from sync.core.errors import ConfigError
from sync.core.schedule import Cadence


class Source(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An Amplitude project, by the names of the variables with its keys, or files, by a path or glob."""

    files: str = ""
    amplitude: Literal["", "us", "eu"] = ""
    api_key: str = "AMPLITUDE_API_KEY"
    secret_key: str = "AMPLITUDE_SECRET_KEY"
    url: str = ""


class Target(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A Customer.io workspace, by the names of the variables with its credentials."""

    region: Literal["", "us", "eu"] = ""
    site_id: str = "CIO_SITE_ID"
    track_api_key: str = "CIO_TRACK_API_KEY"
    app_api_key: str = "CIO_APP_API_KEY"
    track_url: str = ""
    app_url: str = ""


class Sync(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One sync. The keys after `cadence` are the flags of its kind; one of the other kind is a mistake."""

    kind: Literal["cohort", "events"]
    source: str
    destination: str
    enabled: bool = True
    cadence: Cadence = "hourly"
    # cohort
    cohort: str = ""  # its id at an Amplitude project
    name: str = ""  # of the sync and its segment; the table's own name without it
    cohort_id: str = ""
    id_column: str = ""
    segment_id: int | None = None
    recreate: bool = False
    verify: Literal["", "membership", "search", "none"] = ""
    max_removal_share: float | None = None
    allow_empty: bool = False
    # events
    events: list[str] | None = None
    exclude: list[str] | None = None
    properties: Literal["all", "none"] | list[str] | None = None
    user_properties: Literal["all", "none"] | list[str] | None = None
    id_property: str = ""
    parity: bool = False
    where: list[str] | None = None
    date_keys: list[str] | None = None
    safe_ints: bool = False
    max_depth: Annotated[int, msgspec.Meta(ge=1)] | None = None
    long_names: Literal["reject", "hash"] = "reject"
    # both
    id_type: Literal["", "auto", "id", "email", "cio_id"] = ""

    def digest(self) -> str:
        """Changes whenever the table does: an edited sync gets a new slot."""
        return hashlib.sha256(msgspec.json.encode(self)).hexdigest()[:16]


class Notifications(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where to tell of runs: `webhook` names the variable that holds the address, for it may hold a secret."""

    webhook: str = ""
    on: tuple[Literal["success", "partial", "failed", "stopped"], ...] = ("partial", "failed", "stopped")


class Engine(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What holds for every sync; flags and the environment win over it."""

    state: str = ""
    track_rate: float | None = None
    app_rate: float | None = None
    workers: int | None = None
    diff: Literal["", "auto", "python", "duckdb"] = ""
    syncs_at_once: Annotated[int, msgspec.Meta(ge=1, le=32)] = 4


class Configuration(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A whole file."""

    engine: Engine = msgspec.field(default_factory=Engine)
    sources: dict[str, Source] = {}
    destinations: dict[str, Target] = {}
    syncs: dict[str, Sync] = {}
    notifications: Notifications = msgspec.field(default_factory=Notifications)


_VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]*")
_COHORT_ONLY = (
    "cohort", "name", "cohort_id", "id_column", "segment_id", "recreate", "verify", "max_removal_share", "allow_empty",
)  # fmt: skip
_EVENTS_ONLY = (
    "events", "exclude", "properties", "user_properties", "id_property", "parity", "where", "date_keys", "safe_ints",
    "max_depth", "long_names",
)  # fmt: skip


def parse_configuration(document: object) -> Configuration:
    """The configuration that a parsed file stands for. Raises ConfigError that names the place and the way out."""
    try:
        configuration = msgspec.convert(document, Configuration)
    except msgspec.ValidationError as error:
        where, why = _misfit(document) or ("", str(error))
        said = f"[{where}] is wrong: {why}" if where else f"the configuration is wrong: {why}"
        raise ConfigError(f"{said}; nothing was sent", hint="see `sync.toml` in sync/README.md") from error
    for name, source in configuration.sources.items():
        _check_texts(f"sources.{name}", source)
        if bool(source.files) == bool(source.amplitude):
            raise _wrong(f"sources.{name}", "needs either `files` or `amplitude` (us or eu)")
    for name, sync in configuration.syncs.items():
        _check(name, sync, configuration)
    _check_apart(configuration)
    return configuration


def _misfit(document: object) -> tuple[str, str] | None:
    """The first table that is not what its section holds, and why; None when it is none of those with names."""
    for section, kind in (("sources", Source), ("destinations", Target), ("syncs", Sync)):
        tables = document.get(section) if isinstance(document, dict) else None
        for name, table in tables.items() if isinstance(tables, dict) else ():
            try:
                msgspec.convert(table, kind)
            except msgspec.ValidationError as error:
                return f"{section}.{name}", str(error)
    return None


def _check(name: str, sync: Sync, configuration: Configuration) -> None:
    where = f"syncs.{name}"
    _check_texts(where, sync)
    if sync.source not in configuration.sources:
        raise _wrong(where, f"names the source {sync.source!r}, and there is no [sources.{sync.source}]")
    if sync.destination not in configuration.destinations:
        raise _wrong(where, f"names the destination {sync.destination!r}, and there is no such table")
    _check_kind(where, sync)
    pulled = bool(configuration.sources[sync.source].amplitude)
    if sync.kind == "cohort" and pulled != bool(sync.cohort):
        raise _wrong(where, "needs `cohort`, its id at Amplitude" if pulled else "reads files, which have no `cohort`")


def _check_apart(configuration: Configuration) -> None:
    """No two syncs that are enabled may fill one segment: each would take out the other's people, run by run."""
    filled: dict[tuple[str, str | int], str] = {}
    for name, sync in configuration.syncs.items():
        if sync.kind != "cohort" or not sync.enabled:
            continue
        site = configuration.destinations[sync.destination].site_id
        segments: tuple[str | int | None, ...] = (sync.name or name, sync.segment_id)
        for segment in segments:
            other = name if segment is None else filled.setdefault((site, segment), name)
            if other != name:
                raise _wrong(f"syncs.{name}", f"fills the segment of [syncs.{other}]; by `name` each has its own")


def _check_kind(where: str, sync: Sync) -> None:
    others = _EVENTS_ONLY if sync.kind == "cohort" else _COHORT_ONLY
    plain = Sync(kind=sync.kind, source=sync.source, destination=sync.destination)
    strange = [key for key in others if getattr(sync, key) != getattr(plain, key)]
    if strange:
        raise _wrong(where, f"is of kind {sync.kind}, which has no {' or '.join(strange)}")
    for condition in sync.where or ():
        parse_condition(condition)
    _check_selection(where, sync)
    if sync.kind == "cohort" and sync.id_type == "auto":
        raise _wrong(where, "needs an id_type of id, email or cio_id: a cohort's ids are of one kind")
    if sync.max_removal_share is not None and not 0 <= sync.max_removal_share <= 1:
        raise _wrong(where, "has a max_removal_share that is not between 0 and 1")


def _check_texts(where: str, table: msgspec.Struct) -> None:
    """No name may be blank: it would match nothing, and nobody would be told."""
    for key in table.__struct_fields__:
        value = getattr(table, key)
        texts = value if isinstance(value, list) else [value] if isinstance(value, str) and value else []
        if not all(text.strip() for text in texts):
            raise _wrong(where, f"has a `{key}` that is blank")


def _check_selection(where: str, sync: Sync) -> None:
    """A choice of nothing is a mistake, unless it is put into words."""
    if sync.events == []:
        raise _wrong(where, "names no event in `events`: name some, or take the key out to send all of them")
    if sync.properties == []:
        raise _wrong(where, 'names no property in `properties`: name some, or write "none" or "all"')
    named, left_out = ({name.strip() for name in names or ()} for names in (sync.events, sync.exclude))
    if named and named <= left_out and sync.user_properties in (None, "none", []):
        raise _wrong(where, "leaves out with `exclude` every event that it names in `events`")


def _wrong(where: str, why: str) -> ConfigError:
    return ConfigError(f"[{where}] {why}; nothing was sent", hint="see `sync.toml` in sync/README.md")


def spoken(names: Iterable[str]) -> list[str]:
    """The names of variables as an error may repeat them. What is not written like one may be the credential itself,
    put where its name should be."""
    return [name if _VARIABLE.fullmatch(name) else "(a name that is not in capitals)" for name in names]


def choose(configuration: Configuration, names: list[str]) -> dict[str, Sync]:
    """The syncs of these names, disabled ones included; without names, all that are enabled. Raises ConfigError."""
    if not configuration.syncs:
        raise ConfigError(
            "the configuration has no syncs; nothing was sent", hint="write a [syncs.NAME] table, or name another file"
        )
    unknown = [name for name in names if name not in configuration.syncs]
    if unknown:
        known = ", ".join(configuration.syncs) or "none"
        raise ConfigError(f"there is no sync {unknown[0]!r}; nothing was sent", hint=f"the file has: {known}")
    if names:
        return {name: configuration.syncs[name] for name in names}
    return {name: sync for name, sync in configuration.syncs.items() if sync.enabled}

