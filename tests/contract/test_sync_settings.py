"""Settings from flags and the environment: what wins, what is refused, what never shows."""

from __future__ import annotations

from pathlib import Path

import pytest

from sync.core.errors import ConfigError
from sync.edge.settings import Settings, read_settings

CREDENTIALS = {"CIO_SITE_ID": "site", "CIO_TRACK_API_KEY": "track-secret", "CIO_APP_API_KEY": "app-secret"}


def test_an_empty_environment_gives_the_defaults() -> None:
    settings = read_settings({})
    assert (settings.region, settings.track_url, settings.app_url) == ("", "", "")
    assert (settings.track_rate_per_s, settings.app_rate_per_s, settings.workers) == (100, 10, 4)
    assert settings.state_path.parts[-2:] == ("cio-sync", "ledger.db")


def test_everything_can_be_set() -> None:
    settings = read_settings({
        **CREDENTIALS, "CIO_REGION": "EU", "CIO_TRACK_URL": "http://127.0.0.1:7099/", "CIO_APP_URL": "https://fake.test",
        "CIO_TRACK_RATE": "50", "CIO_APP_RATE": "0", "CIO_WORKERS": "8", "CIO_SYNC_STATE": "~/state.db",
    })  # fmt: skip
    assert settings == Settings(
        site_id="site", track_api_key="track-secret", app_api_key="app-secret", region="eu",
        track_url="http://127.0.0.1:7099", app_url="https://fake.test", track_rate_per_s=50, app_rate_per_s=0,
        workers=8, state_path=Path.home() / "state.db",
    )  # fmt: skip


def test_a_flag_wins_over_the_environment() -> None:
    settings = read_settings({"CIO_TRACK_RATE": "50", "CIO_APP_RATE": "5"}, track_rate="0", app_rate=None)
    assert (settings.track_rate_per_s, settings.app_rate_per_s) == (0, 5)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        pytest.param("CIO_REGION", "de", id="no such region"),
        pytest.param("CIO_TRACK_URL", "track.customer.io", id="no scheme"),
        pytest.param("CIO_TRACK_URL", "ftp://track.customer.io", id="another scheme"),
        pytest.param("CIO_TRACK_URL", "http://", id="no host"),
        pytest.param("CIO_TRACK_URL", "http://host:port", id="a port that is no number"),
        pytest.param("CIO_TRACK_URL", "http://host:99999", id="a port that cannot be"),
        pytest.param("CIO_TRACK_URL", "http://[::1", id="half an address"),
        pytest.param("CIO_APP_URL", "https://api.customer.io/v1", id="a path"),
        pytest.param("CIO_APP_URL", "https://api.customer.io?x=1", id="a query"),
        pytest.param("CIO_APP_URL", "https://user:pass@api.customer.io", id="credentials in the url"),
        pytest.param("CIO_TRACK_RATE", "fast", id="a rate that is a word"),
        pytest.param("CIO_WORKERS", "0", id="nobody to work"),
        pytest.param("CIO_WORKERS", "33", id="too many workers"),
        pytest.param("CIO_WORKERS", "a few", id="workers that are a word"),
        pytest.param("CIO_TRACK_RATE", "-1", id="a negative rate"),
        pytest.param("CIO_APP_RATE", "inf", id="an endless rate"),
        pytest.param("CIO_APP_RATE", "nan", id="a rate that is no number"),
        pytest.param("CIO_SITE_ID", "two words", id="a blank in a credential"),
        pytest.param("CIO_APP_API_KEY", "schlüssel", id="a letter no header can carry"),
    ],
)
def test_what_cannot_be_is_refused_with_a_hint(variable: str, value: str) -> None:
    with pytest.raises(ConfigError) as raised:
        read_settings({variable: value})
    assert (raised.value.exit_code, bool(raised.value.hint)) == (2, True)
    assert "pass" not in raised.value.message
    assert not variable.endswith(("KEY", "ID")) or value not in raised.value.message


def test_missing_credentials_are_named_together() -> None:
    with pytest.raises(ConfigError, match="CIO_TRACK_API_KEY and CIO_APP_API_KEY are not set"):
        read_settings({"CIO_SITE_ID": "site"}).require("site_id", "track_api_key", "app_api_key")
    with pytest.raises(ConfigError, match="CIO_SITE_ID is not set"):
        read_settings({}).require("site_id")
    read_settings(CREDENTIALS).require("site_id", "track_api_key", "app_api_key")


def test_credentials_do_not_show() -> None:
    assert "secret" not in repr(read_settings(CREDENTIALS))
