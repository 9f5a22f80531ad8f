"""Where the engine's settings come from: flags, then the environment. Checks them and keeps the secrets out of sight.

Nothing here connects anywhere; which region an account is in is found out in `sync/destination.py`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import platformdirs

from sync.core.errors import ConfigError
from sync.core.pace import DEFAULT_RATE_PER_S

DEFAULT_WORKERS, MOST_WORKERS = 4, 32
DIFFS = ("auto", "python", "duckdb")
US, EU = "us", "eu"
REGIONS = (US, EU)
HOSTS = {
    US: {"track": "https://track.customer.io", "app": "https://api.customer.io"},
    EU: {"track": "https://track-eu.customer.io", "app": "https://api-eu.customer.io"},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything a run needs to know about its destination and its state. Credentials don't show in its repr."""

    site_id: str = ""
    track_api_key: str = field(default="", repr=False)
    app_api_key: str = field(default="", repr=False)
    region: str = ""  # us | eu | empty: find out
    track_url: str = ""  # an origin that wins over the region's host
    app_url: str = ""
    track_rate_per_s: float = DEFAULT_RATE_PER_S["track"]  # 0: no cap
    app_rate_per_s: float = DEFAULT_RATE_PER_S["app"]
    workers: int = DEFAULT_WORKERS  # requests in flight at a time
    diff: str = DIFFS[0]  # who compares cohorts; auto: whoever is there and fast
    state_path: Path
    called: Mapping[str, str] = field(default_factory=dict)  # names of ours, and what a configuration calls the same

    def require(self, *names: str) -> None:
        """Raise ConfigError unless the named settings are there, naming the variables to set."""
        missing = [VARIABLES[name] for name in names if not getattr(self, name)]
        if missing:
            raise ConfigError(
                f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not set; nothing was sent",
                hint="set the missing variables in the environment; `cio-sync check` proves them",
            )


CREDENTIALS = ("site_id", "track_api_key", "app_api_key")
VARIABLES = {
    "site_id": "CIO_SITE_ID",
    "track_api_key": "CIO_TRACK_API_KEY",
    "app_api_key": "CIO_APP_API_KEY",
    "region": "CIO_REGION",
    "track_url": "CIO_TRACK_URL",
    "app_url": "CIO_APP_URL",
    "track_rate": "CIO_TRACK_RATE",
    "app_rate": "CIO_APP_RATE",
    "workers": "CIO_WORKERS",
    "diff": "CIO_DIFF",
    "state": "CIO_SYNC_STATE",
}


def read_settings(
    environ: Mapping[str, str], *, track_rate: str | None = None, app_rate: str | None = None,
    workers: str | None = None,
) -> Settings:
    """The settings of this process. Flags (rates and workers, as typed) win over `environ`. Raises ConfigError."""
    texts = {name: environ.get(variable, "").strip() for name, variable in VARIABLES.items()}
    return Settings(
        site_id=check_credential("CIO_SITE_ID", texts["site_id"]),
        track_api_key=check_credential("CIO_TRACK_API_KEY", texts["track_api_key"]),
        app_api_key=check_credential("CIO_APP_API_KEY", texts["app_api_key"]),
        region=_region(texts["region"]),
        track_url=check_origin("CIO_TRACK_URL", texts["track_url"]),
        app_url=check_origin("CIO_APP_URL", texts["app_url"]),
        track_rate_per_s=_rate("track", track_rate, texts["track_rate"]),
        app_rate_per_s=_rate("app", app_rate, texts["app_rate"]),
        workers=_workers(workers if workers is not None else texts["workers"]),
        diff=_diff(texts["diff"]),
        state_path=_state_path(texts["state"]),
    )


def secrets_of(environ: Mapping[str, str]) -> Iterator[str]:
    """Whatever the environment holds that must never show: values of variables named like credentials of ours."""
    for name, value in environ.items():
        if name.startswith(("CIO_", "AMPLITUDE_")) and name.endswith(("_KEY", "_SECRET")):
            yield value.strip()


def check_credential(variable: str, text: str) -> str:
    """`text` if it can be a credential. Raises ConfigError that names the variable and not what it holds."""
    if not all(33 <= ord(letter) < 127 for letter in text):  # also the only letters a header may hold
        raise ConfigError(f"{variable} holds a space or a letter that no credential has", hint="copy it again")
    return text


def _region(text: str) -> str:
    if text and text.lower() not in REGIONS:
        raise ConfigError(f"CIO_REGION is {text!r}", hint="set it to us or eu, or leave it empty to find out")
    return text.lower()


def check_origin(name: str, text: str) -> str:
    """`text` as an origin without a trailing slash, or empty. Raises ConfigError that names the variable."""
    if not text:
        return ""
    hint = "give an origin such as http://127.0.0.1:7099"
    try:
        parts = urlsplit(text)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        good = False
    if not good or "@" in parts.netloc:
        raise ConfigError(f"{name} is not an origin (http or https, a host, perhaps a port)", hint=hint)
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise ConfigError(f"{name} has more than a scheme, a host and a port", hint=hint)
    return f"{parts.scheme}://{parts.netloc}"


def _rate(api: str, flag: str | None, text: str) -> float:
    value = flag if flag is not None else text
    if not value:
        return DEFAULT_RATE_PER_S[api]
    try:
        rate = float(value)
    except ValueError:
        rate = math.nan
    if not 0 <= rate < math.inf:
        raise ConfigError(
            f"the {api} rate {value!r} is not a number of requests a second, at least 0",
            hint=f"use --{api}-rate 50, or 0 for no limit",
        )
    return rate


def _workers(text: str) -> int:
    if not text:
        return DEFAULT_WORKERS
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= MOST_WORKERS):
        raise ConfigError(
            f"the number of workers {text!r} is not a whole number from 1 to {MOST_WORKERS}", hint="use --workers 4"
        )
    return int(text)


def _diff(text: str) -> str:
    if text and text.lower() not in DIFFS:
        raise ConfigError(f"CIO_DIFF is {text!r}", hint=f"set it to {', '.join(DIFFS)}, or leave it empty")
    return text.lower() or DIFFS[0]


def _state_path(text: str) -> Path:
    if text:
        return Path(text).expanduser()
    return Path(platformdirs.user_state_dir("cio-sync", appauthor=False)) / "ledger.db"
