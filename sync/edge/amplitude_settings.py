"""Which Amplitude project to read, from the environment. The secret key never shows."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from sync.core.errors import ConfigError
from sync.edge.settings import EU, US, check_credential, check_origin

ORIGINS = {US: "https://amplitude.com", EU: "https://analytics.eu.amplitude.com"}
VARIABLES = {
    "api_key": "AMPLITUDE_API_KEY",
    "secret_key": "AMPLITUDE_SECRET_KEY",
    "region": "AMPLITUDE_REGION",
    "url": "AMPLITUDE_URL",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class AmplitudeSettings:
    """One project's keys and where to ask; `url` is an origin that wins over the region's."""

    api_key: str = field(default="", repr=False)
    secret_key: str = field(default="", repr=False)
    region: str = US
    url: str = ""

    @property
    def origin(self) -> str:
        return self.url or ORIGINS[self.region]

    @property
    def project(self) -> str:
        """A name for this project in the ledger that does not give its key away."""
        return hashlib.sha256(f"{self.origin}\n{self.api_key}".encode()).hexdigest()[:16]

    def require(self, names: Mapping[str, str] = VARIABLES) -> None:
        """Raise ConfigError unless both keys are there; `names` says how the variables are called."""
        missing = [names[key] for key in ("api_key", "secret_key") if not getattr(self, key)]
        if missing:
            raise ConfigError(
                f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not set; nothing was sent",
                hint="set the keys of the Amplitude project in the environment; `cio-sync check` proves them",
            )


def read_amplitude_settings(environ: Mapping[str, str], names: Mapping[str, str] = VARIABLES) -> AmplitudeSettings:
    """The project that the variables called `names` describe. Raises ConfigError."""
    texts = {key: environ.get(variable, "").strip() for key, variable in names.items()}
    region = texts.get("region", "").lower() or US
    if region not in ORIGINS:
        raise ConfigError(
            f"{names['region']} is {region!r}", hint="set it to us or eu; empty means us, Amplitude has no way to ask"
        )
    return AmplitudeSettings(
        api_key=check_credential(names["api_key"], texts["api_key"]),
        secret_key=check_credential(names["secret_key"], texts["secret_key"]),
        region=region,
        url=check_origin(names.get("url", "AMPLITUDE_URL"), texts.get("url", "")),
    )
