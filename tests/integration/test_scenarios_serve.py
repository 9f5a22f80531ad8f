"""A fake Customer.io and a fake Amplitude side by side: the engine goes from one to the other with what is printed."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from fakeio.client import ControlClient
from scenarios.cli import main
from scenarios.engine import run_engine
from scenarios.serving import Stand, serve_both, tell_stand

WITHIN_S = 60


def start(*arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-P", "-m", "scenarios", "serve", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ})


@pytest.fixture(scope="module")
def served() -> Iterator[dict[str, Any]]:
    """What `serve --json` prints; stopped by a signal, with exit code 0."""
    process = start("--port", "0", "--json")
    assert process.stdout is not None
    yield json.loads(process.stdout.readline())
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=WITHIN_S)
    assert (process.returncode, said) == (0, "")


def test_it_says_where_both_are_and_what_to_export(served: dict[str, Any]) -> None:
    assert set(served) == {"url", "amplitude_url", "environment", "pid", "cohorts"}
    assert set(served["environment"]) == {
        "CIO_SITE_ID", "CIO_TRACK_API_KEY", "CIO_APP_API_KEY", "CIO_TRACK_URL", "CIO_APP_URL", "CIO_SYNC_STATE",
        "FAKEIO_URL", "AMPLITUDE_API_KEY", "AMPLITUDE_SECRET_KEY", "AMPLITUDE_URL",
    }  # fmt: skip


def test_a_cohort_goes_from_one_to_the_other(served: dict[str, Any]) -> None:
    (cohort,) = served["cohorts"]
    ended = run_engine(["cohort", f"amplitude:{cohort['id']}", "--name", "vip"], served["environment"])
    assert ended.code == 1, ended.said  # the sample is full of oddities
    assert ended.report["added"] > 50
    (segment,) = ControlClient(served["url"]).segments()
    assert (segment["name"], segment["count"]) == (f"[Amplitude] vip: {cohort['id']}", ended.report["added"])


def test_events_go_from_one_to_the_other(served: dict[str, Any]) -> None:
    ended = run_engine(
        ["events", "amplitude:export", "--since", "2026-08-17", "--until", "2026-08-19"], served["environment"]
    )
    assert ended.code == 1, ended.said
    assert ended.report["delivered"] > 50
    assert len(list(ControlClient(served["url"]).events())) > 50


def test_in_words_it_can_be_copied_into_a_shell(served: dict[str, Any]) -> None:
    text = tell_stand(Stand(served["url"], served["amplitude_url"], served["environment"]))
    lines = text.splitlines()
    assert lines[:2] == [f"fake Customer.io at {served['url']}", f"fake Amplitude at {served['amplitude_url']}"]
    assert len([line for line in lines if re.fullmatch(r"export [A-Z_]+=\S+", line)]) == 10
    assert "cio-sync check" in lines


def test_a_port_that_was_asked_for_and_is_taken_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert main(["serve", "--port", str(taken.getsockname()[1])]) == 2
    assert re.fullmatch(r"cio-scenarios: port \d+ can't be had \(.*\); --port 0 takes a free one\n",
                        capsys.readouterr().err)


def test_without_a_port_it_takes_the_usual_one_or_another(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        monkeypatch.setattr("scenarios.serving._DEFAULT_PORT", taken.getsockname()[1])
        with serve_both() as stand:
            assert not stand.url.endswith(f":{taken.getsockname()[1]}")
            assert ControlClient(stand.url).health()["status"] == "ok"
