"""Reads `sync.toml`, and turns one sync's tables and the environment into what a run needs.

Flags win over the environment, the environment over the file. The file holds names of variables; what they hold is
read here and goes no further than the settings of a run.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from msgspec import structs

from sync.core.configuration import Configuration, Source, Target, parse_configuration, spoken
from sync.core.errors import ConfigError
from sync.edge.amplitude_settings import AmplitudeSettings, read_amplitude_settings
from sync.edge.settings import CREDENTIALS, VARIABLES, Settings, read_settings

#: What words of ours mean to whoever runs a configuration: keys of its tables, and the command that proves it.
CALLED = {"CIO_REGION": "`region`", "cio-sync check": "cio-sync doctor"}


def read_configuration(path: Path) -> Configuration:
    """The configuration at `path`. Raises ConfigError."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise ConfigError(
            f"the configuration {path} can't be read: {error.strerror}", hint="name the file with --config"
        ) from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"the configuration {path} is not UTF-8 text", hint="save it as UTF-8") from error
    except (tomllib.TOMLDecodeError, RecursionError) as error:  # the latter: brackets thousands deep
        raise ConfigError(f"the configuration {path} is not TOML: {error}", hint="mend it there") from error
    configuration = parse_configuration(document)
    if not configuration.engine.state:
        return configuration
    state = str(path.absolute().parent / Path(configuration.engine.state).expanduser())  # from where the file is
    return structs.replace(configuration, engine=structs.replace(configuration.engine, state=state))


def settings_of(
    configuration: Configuration, target: Target, environ: Mapping[str, str], flags: Mapping[str, str | None]
) -> Settings:
    """The settings that reach a destination; `flags` are those of pace, as typed. Raises ConfigError."""
    variables = {name: getattr(target, name) for name in CREDENTIALS}
    _require(variables.values(), environ)
    engine = configuration.engine
    from_file = {
        "region": target.region, "track_url": target.track_url, "app_url": target.app_url, "state": engine.state,
        "track_rate": engine.track_rate, "app_rate": engine.app_rate, "workers": engine.workers,
        "diff": engine.diff,
    }  # fmt: skip
    texts = {VARIABLES[name]: str(value) for name, value in from_file.items() if value not in ("", None)}
    texts.update((name, text) for name, text in environ.items() if text.strip())
    texts.update((VARIABLES[name], environ[variable]) for name, variable in variables.items())
    called = {VARIABLES[name]: variable for name, variable in variables.items()} | CALLED
    try:
        return replace(read_settings(texts, **flags), called=called)
    except ConfigError as error:
        error.call(called)
        raise


def state_of(configuration: Configuration | None, settings: Settings, environ: Mapping[str, str]) -> Path:
    """The state file of its runs; `settings` are those of whoever has no configuration."""
    named = configuration.engine.state if configuration is not None else ""
    return Path(named) if named and not environ.get(VARIABLES["state"], "").strip() else settings.state_path


def called_of(source: Source) -> dict[str, str]:
    """Names of ours for a project, and what its table calls the same."""
    keys = {"AMPLITUDE_API_KEY": source.api_key, "AMPLITUDE_SECRET_KEY": source.secret_key}
    return {**keys, "AMPLITUDE_REGION": "`amplitude`", **CALLED}


def project_of(source: Source, environ: Mapping[str, str]) -> AmplitudeSettings:
    """The Amplitude project of a source. `AMPLITUDE_URL` wins over the file's `url`. Raises ConfigError."""
    _require((source.api_key, source.secret_key), environ)
    texts = {
        "AMPLITUDE_API_KEY": environ[source.api_key], "AMPLITUDE_SECRET_KEY": environ[source.secret_key],
        "AMPLITUDE_REGION": source.amplitude, "AMPLITUDE_URL": environ.get("AMPLITUDE_URL", "").strip() or source.url,
    }  # fmt: skip
    try:
        return read_amplitude_settings(texts)
    except ConfigError as error:
        error.call(called_of(source))
        raise


def _require(variables: Iterable[str], environ: Mapping[str, str]) -> None:
    missing = [name for name in variables if not environ.get(name, "").strip()]
    if missing:
        raise ConfigError(
            f"{' and '.join(spoken(missing))} {'is' if len(missing) == 1 else 'are'} not set; nothing was sent",
            hint="set what the configuration names in the environment; it holds names of variables, never credentials",
        )
