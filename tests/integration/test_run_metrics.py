"""`cio-sync run --metrics` answers Prometheus with what its runs came to, for as long as it runs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from sync.cli import build_parser, main
from sync.core.errors import ConfigError
from sync.core.report import EventsReport
from sync.edge.metrics import Metrics
from tests.integration.event_engine import Engine, row

PATIENCE_S = 60.0
FILE = """
[sources.files]
files = "export.json"

[destinations.production]

[syncs.orders]
kind = "events"
source = "files"
destination = "production"
cadence = "daily"
"""


@pytest.fixture
def environment(engine: Engine) -> dict[str, str]:
    engine.export(row(1), row(2, user_id=None))
    engine.path.with_name("sync.toml").write_text(FILE)
    workspace = engine.workspace
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("CIO_", "AMPLITUDE_"))}
    return kept | {
        "CIO_SITE_ID": workspace.site_id, "CIO_TRACK_API_KEY": workspace.track_api_key, "CIO_TRACK_URL": engine.url,
        "CIO_APP_API_KEY": workspace.app_api_key, "CIO_APP_URL": engine.url, "CIO_SYNC_STATE": str(engine.path),
    }  # fmt: skip


def scheduler(environment: dict[str, str], *arguments: str) -> subprocess.Popen[str]:
    folder = Path(environment["CIO_SYNC_STATE"]).parent
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "sync", "run", "--config", str(folder / "sync.toml"), *arguments],
        env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def test_a_scheduler_tells_prometheus_what_its_runs_came_to(environment: dict[str, str]) -> None:
    with scheduler(environment, "--metrics", "0") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        url = next(line.split()[-1] for line in process.stderr if line.startswith("metrics at "))
        assert "events orders: partial" in next(line for line in process.stdout if "orders" in line)
        told = httpx.get(url).text
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE_S) == 0
    assert 'cio_sync_runs_total{kind="events",status="partial"} 1.0' in told
    assert 'cio_sync_items_total{fate="delivered",kind="events"} 1.0' in told
    assert 'cio_sync_items_total{fate="missing_identifier",kind="events"} 1.0' in told
    assert 'cio_sync_last_run_timestamp_seconds{status="partial",sync="orders"}' in told


def test_nothing_answers_any_more_when_it_has_ended() -> None:
    metrics = Metrics()
    metrics.observe(EventsReport(run_id="01", sync="orders", delivered=3), 1.0)
    with metrics.served("127.0.0.1", 0) as url:
        assert 'fate="delivered",kind="events"} 3.0' in httpx.get(url).text
    with pytest.raises(httpx.ConnectError):
        httpx.get(url)


def test_an_address_that_is_taken_is_a_configuration_error() -> None:
    with Metrics().served("127.0.0.1", 0) as url:
        port = httpx.URL(url).port or 0
        with pytest.raises(ConfigError, match="taken") as refused, Metrics().served("127.0.0.1", port):
            pass
    assert "--metrics" in refused.value.hint


@pytest.mark.parametrize("address", ["x", "70000", "127.0.0.1:", "localhost", ""])
def test_an_address_that_is_none_is_a_usage_error(address: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["run", "--metrics", address])
    assert (ended.value.code, "write a port such as 9102" in capsys.readouterr().err) == (2, True)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        pytest.param("9102", ("127.0.0.1", 9102), id="a port"),
        pytest.param("0.0.0.0:9102", ("0.0.0.0", 9102), id="a host and a port"),
        pytest.param("[::1]:0", ("::1", 0), id="IPv6"),
    ],
)
def test_an_address_is_a_port_or_a_host_and_a_port(address: str, expected: tuple[str, int]) -> None:
    assert build_parser().parse_args(["run", "--metrics", address]).metrics == expected
