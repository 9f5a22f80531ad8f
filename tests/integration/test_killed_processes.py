"""`retry` and `run` as processes of their own, killed by SIGKILL while a request is under way, and started again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from sync.crew import COMMAND
from sync.edge.ledger import Ledger
from tests.integration.event_engine import BATCH_PATH, Engine, ended_report, wide
from tests.integration.scheduled_syncs import DESTINATION
from tests.integration.test_events_faults import Choosy
from tests.integration.test_events_kill import PATIENCE_S, wait_for

ADD_PATH = "/api/v1/segments/*/add_customers"
NEVER, ALREADY = "before_commit", "after_commit"
NUMBERS = list(range(110))
PEOPLE = [f"p{n}" for n in range(1_500)]  # two calls
FILE = DESTINATION + """
[engine]
state = "{state}"
track_rate = 0
app_rate = 0

[sources.cohort]
files = "cohort.csv"

[sources.export]
files = "export.json"

[syncs.vip]
kind = "cohort"
source = "cohort"
destination = "production"
cadence = "daily"

[syncs.orders]
kind = "events"
source = "export"
destination = "production"
cadence = "daily"
"""


def start(engine: Engine, *arguments: str) -> subprocess.Popen[str]:
    """A command of the engine's, about that workspace."""
    workspace, clean = engine.workspace, {name: one for name, one in os.environ.items() if not name.startswith("CIO_")}
    own = {
        "CIO_SITE_ID": workspace.site_id, "CIO_TRACK_API_KEY": workspace.track_api_key, "CIO_TRACK_URL": engine.url,
        "CIO_APP_URL": engine.url, "CIO_TRACK_RATE": "0", "CIO_SYNC_STATE": str(engine.path),
        "PROD_SITE_ID": workspace.site_id, "PROD_TRACK_KEY": workspace.track_api_key,
        "PROD_APP_KEY": workspace.app_api_key,
    }  # fmt: skip
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "sync", *arguments], env={**clean, **own}, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def kill_at(engine: Engine, path: str, nth: int, when: str, *arguments: str) -> None:
    """Start that, and kill it while it waits for the answer to its n-th request to `path`, which does not come: the
    request is never carried out (`before_commit`), or has been (`after_commit`)."""
    engine.workspace.fault("timeout", match={"path": path, "nth": nth}, when=when)
    process = start(engine, *arguments)
    wait_for(lambda: engine.workspace.faults[0]["fired"] == 1 or process.poll() is not None)
    process.kill()
    process.communicate(timeout=PATIENCE_S)  # its stderr ends with the last of the processes that it started
    assert process.returncode == -signal.SIGKILL, "it was over before it was killed"


def finish(engine: Engine, *arguments: str) -> Any:
    """What a command that ends well tells as JSON."""
    process = start(engine, *arguments, "--json")
    told, said = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, told + said
    return json.loads(told)


def open_letters(engine: Engine) -> int:
    with Ledger.open(engine.path) as ledger:
        return len(list(ledger.dead_letters(only_open=True)))


@pytest.mark.parametrize(
    ("nth", "when"),
    [pytest.param(1, ALREADY, id="in its first request"), pytest.param(4, NEVER, id="in its fourth")],
)
def test_a_replay_that_was_killed_is_followed_by_one_that_ends_it(engine: Engine, nth: int, when: str) -> None:
    ended_report(engine.run(*wide(*NUMBERS), network=Choosy(b'"text"')))
    assert (engine.numbers(), open_letters(engine)) == ([], len(NUMBERS))
    kill_at(engine, BATCH_PATH, nth, when, "retry", "all")
    report = finish(engine, "retry", "all")
    assert report["delivered"] + report["duplicates"] == report["received"]
    assert (sorted(engine.numbers()), open_letters(engine)) == (NUMBERS, 0)


def test_a_replay_that_was_killed_is_ended_by_a_run_over_the_source_too(engine: Engine) -> None:
    ended_report(engine.run(*wide(*NUMBERS), network=Choosy(b'"text"')))
    kill_at(engine, BATCH_PATH, 3, ALREADY, "retry", "all")
    report = finish(engine, "events", str(engine.file))
    assert report["delivered"] + report["duplicates"] == report["received"] == len(NUMBERS)
    assert (sorted(engine.numbers()), open_letters(engine)) == (NUMBERS, 0)


@pytest.mark.parametrize(
    ("cut_off", "path", "nth", "when"),
    [
        pytest.param("vip", "/v1/segments", 2, ALREADY, id="before the segment is known"),
        pytest.param("vip", ADD_PATH, 2, NEVER, id="among members"),
        pytest.param("orders", BATCH_PATH, 1, NEVER, id="in the first batch"),
        pytest.param("orders", BATCH_PATH, 4, ALREADY, id="among batches"),
    ],
)
def test_a_scheduler_that_was_killed_is_followed_by_one_that_runs_what_was_cut_off(
    engine: Engine, tmp_path: Path, cut_off: str, path: str, nth: int, when: str
) -> None:
    config = tmp_path / "sync.toml"
    config.write_text(FILE.format(state=engine.path, url=engine.url))
    (tmp_path / "cohort.csv").write_text("user_id\n" + "\n".join(PEOPLE))
    engine.export(*wide(*NUMBERS))
    engine.workspace.add_people([{"id": one} for one in PEOPLE])
    kill_at(engine, path, nth, when, "run", "--config", str(config))
    told = finish(engine, "run", "--config", str(config), "--once")
    assert cut_off in told["runs"]  # the other may have ended beside it
    assert sorted(engine.numbers()) == NUMBERS
    (segment,) = engine.workspace.segments
    assert {one.id for one in segment.members} == set(PEOPLE)
    assert finish(engine, "run", "--config", str(config), "--once")["runs"] == {}


START = """
import subprocess, sys
subprocess.Popen([*sys.argv[1:], str(__import__("os").getpid())], stdin=0)
print("started", flush=True)
sys.stdin.read()
"""


def test_a_run_ends_with_the_scheduler_that_started_it() -> None:
    """It would wait for its order for ever: whoever holds the other end is alive."""
    crew = subprocess.Popen(
        [sys.executable, "-c", START, *COMMAND], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert crew.stdout is not None
    assert crew.stderr is not None
    assert crew.stdout.readline() == b"started\n"
    crew.kill()
    crew.wait(PATIENCE_S)
    ended = threading.Thread(target=crew.stderr.read, daemon=True)  # to the end of the last process that has it
    ended.start()
    ended.join(PATIENCE_S)
    assert not ended.is_alive()
    assert crew.stdin is not None
    crew.stdin.close()
    ended.join(PATIENCE_S)
    crew.stdout.close()
    crew.stderr.close()
