"""`cio-sync listen` as a process, and whom its receiver turns away."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from conftest import HandTurnedClock
from fakeio import Fake
from tests.integration.cohort_engine import Engine
from tests.integration.listening_engine import Listening, webhook

PATIENCE_S = 60.0


# -- what is refused --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        pytest.param("/cohorts", webhook("a", in_cohort="true"), 400, id="in_cohort as text"),
        pytest.param("/cohorts", {**webhook(), "users": None}, 400, id="no users"),
        pytest.param("/cohorts", webhook(), 200, id="nobody: nothing to do"),
        pytest.param("/cohorts", webhook("a", extra=1, computed_time=7), 200, id="unknown fields, a number for a time"),
        pytest.param("/cohorts", b"{", 400, id="no JSON"),
        pytest.param("/lists", {}, 400, id="a list without a name"),
        pytest.param("/lists/unknown/add", {"ids": ["a"]}, 404, id="a list that nobody made"),
        pytest.param("/lists/add", {"ids": ["a"]}, 404, id="a list that is not named"),
        pytest.param("/lists/unknown/add", {"ids": []}, 400, id="no identifiers"),
        pytest.param("/events", b"[]", 400, id="no events"),
        pytest.param("/events", b"x" * 2000, 413, id="too long"),
        pytest.param("/elsewhere", {}, 404, id="no such path"),
    ],
)  # fmt: skip
def test_what_can_not_be_kept_is_refused(
    fake: Fake, tmp_path: Path, clock: HandTurnedClock, path: str, body: object, status: int
) -> None:
    one = Listening(Engine(fake, fake.new_workspace(), tmp_path), clock, most_bytes=1000)
    assert one.push(body, path) == status
    assert one.inbox.waiting() == {"cohorts": int(status == 200 and "extra" in str(body)), "events": 0}
    one.inbox.close()


def test_a_long_body_is_refused_also_where_its_length_was_not_declared(
    fake: Fake, tmp_path: Path, clock: HandTurnedClock
) -> None:
    one = Listening(Engine(fake, fake.new_workspace(), tmp_path), clock, most_bytes=1000)

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(2):
            yield b"x" * 600

    assert one.web.post("/events", content=chunks()).status_code == 413
    one.inbox.close()


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        pytest.param({}, 401, id="none"),
        pytest.param({"x-webhook-secret": "wrong"}, 401, id="wrong"),
        pytest.param({"x-webhook-secret": "s3cret"}, 200, id="a header"),
        pytest.param({"x-api-key": "s3cret"}, 200, id="an API key"),
        pytest.param({"authorization": "Bearer s3cret"}, 200, id="Bearer"),
        pytest.param({"authorization": f"Basic {b64encode(b's3cret:').decode()}"}, 200, id="Basic, as the user"),
        pytest.param({"authorization": f"Basic {b64encode(b'x:s3cret').decode()}"}, 200, id="Basic, as the password"),
        pytest.param({"authorization": "Basic ???"}, 401, id="Basic that is none"),
        pytest.param({"authorization": "s3cret"}, 401, id="no scheme"),
    ],
)
def test_a_shared_secret_is_asked_for(
    fake: Fake, tmp_path: Path, clock: HandTurnedClock, headers: dict[str, str], status: int
) -> None:
    one = Listening(Engine(fake, fake.new_workspace(), tmp_path), clock, secret="s3cret")
    assert one.push(webhook("a"), **headers) == status
    one.inbox.close()


# -- the command ------------------------------------------------------------------------------------------------------
def command(engine: Engine, *arguments: str, **variables: str) -> subprocess.Popen[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("CIO_", "AMPLITUDE_"))}
    own = {
        "CIO_SITE_ID": engine.workspace.site_id, "CIO_TRACK_API_KEY": engine.workspace.track_api_key,
        "CIO_APP_API_KEY": engine.workspace.app_api_key, "CIO_TRACK_URL": engine.url, "CIO_APP_URL": engine.url,
        "CIO_SYNC_STATE": str(engine.path), "CIO_TRACK_RATE": "0", "CIO_APP_RATE": "0",
    }  # fmt: skip
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "sync", "listen", "--port", "0", *arguments], env={**kept, **own, **variables},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def ready_url(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, process.communicate()[1]
    return str(json.loads(line)["url"])


def test_what_was_answered_survives_a_kill_and_is_delivered_by_the_next_start(listening: Listening) -> None:
    engine = listening.engine
    engine.workspace.fault("status", match={"api": "track"}, status=503)
    killed = command(engine, "--json")
    assert httpx.post(ready_url(killed), json=webhook("a", "b")).status_code == 200
    killed.kill()
    killed.communicate()
    engine.workspace.clear_faults()
    again = command(engine, "--json")
    url = ready_url(again)
    deadline = time.monotonic() + PATIENCE_S
    while not engine.workspace.segments or engine.members() != {"a", "b"}:
        assert time.monotonic() < deadline, "not delivered"
        time.sleep(0.05)
    while (health := httpx.get(f"{url}/health").json()) != {"status": "ok", "waiting": {"cohorts": 0, "events": 0}}:
        assert time.monotonic() < deadline, health
    assert "cio_sync_runs_total" in httpx.get(f"{url}/metrics").text
    again.send_signal(signal.SIGTERM)
    assert again.wait(PATIENCE_S) == 0
    again.communicate()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        pytest.param(["--host", "0.0.0.0"], "CIO_SYNC_LISTEN_SECRET", id="open to others without a secret"),
        pytest.param(["--port", "99999"], "can't be used", id="no port"),
    ],
)
def test_an_address_that_will_not_do_is_a_configuration_error(
    listening: Listening, arguments: list[str], says: str
) -> None:
    process = command(listening.engine, *arguments)
    _, said = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, says in said) == (2, True)
