"""`cio-sync reconcile` at the destination of a configuration."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from sync.cli import main
from tests.integration.cohort_engine import Engine
from tests.integration.scheduled_syncs import DESTINATION

FILE = DESTINATION + """
[engine]
state = "{state}"
track_rate = 0
app_rate = 0

[sources.files]
files = "cohort.csv"

[syncs.gold]
kind = "cohort"
source = "files"
destination = "production"
name = "vip"
{more}

[syncs.orders]
kind = "events"
source = "files"
destination = "production"
"""


@pytest.fixture
def shell(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """One agreed member, a stranger beside them, and a configuration that alone says where they are."""
    for name in [name for name in os.environ if name.startswith(("CIO_", "AMPLITUDE_"))]:
        monkeypatch.delenv(name)
    settings = engine.settings()
    monkeypatch.setenv("PROD_SITE_ID", settings.site_id)
    monkeypatch.setenv("PROD_TRACK_KEY", settings.track_api_key)
    monkeypatch.setenv("PROD_APP_KEY", settings.app_api_key)
    monkeypatch.chdir(engine.path.parent)
    write(engine)
    engine.people("a", "z", *(f"stranger-{n}" for n in range(11)))
    engine.report("a")
    engine.edit_by_hand("add", "z")
    return engine


def write(engine: Engine, more: str = "", name: str = "sync.toml") -> Path:
    path = engine.path.with_name(name)
    path.write_text(FILE.format(state=engine.path, url=engine.url, more=more))
    return path


def drift(capsys: pytest.CaptureFixture[str]) -> object:
    return json.loads(capsys.readouterr().out)["drift"]


@pytest.mark.parametrize("name", ["gold", "vip"])
def test_without_a_site_id_the_file_beside_says_where(
    shell: Engine, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    assert main(["reconcile", name, "--json"]) == 1
    assert drift(capsys) == {"missing": 0, "leftover": 0, "strangers": 1}
    assert main(["reconcile", name, "--repair"]) == 0
    assert shell.members() == {"a"}


def test_a_file_that_is_named_wins_over_the_environment(
    shell: Engine, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CIO_SITE_ID", "another")
    assert main(["reconcile", "gold"]) == 2  # the environment names a destination, and none of its keys
    assert "CIO_TRACK_API_KEY and CIO_APP_API_KEY are not set" in capsys.readouterr().err
    path = write(shell, name="other.toml")
    assert main(["reconcile", "gold", "--config", str(path), "--json"]) == 1
    assert drift(capsys) == {"missing": 0, "leftover": 0, "strangers": 1}


def test_the_guard_of_its_table_holds_unless_the_command_says_otherwise(shell: Engine) -> None:
    for n in range(11):
        shell.edit_by_hand("add", f"stranger-{n}")
    assert main(["reconcile", "gold", "--repair"]) == 5
    write(shell, "max_removal_share = 0.99")
    assert main(["reconcile", "gold", "--repair", "--max-removal-share", "0.2"]) == 5
    assert main(["reconcile", "gold", "--repair"]) == 0
    assert shell.members() == {"a"}


def test_a_table_that_lets_a_cohort_be_empty_lets_its_repair(shell: Engine) -> None:
    for n in range(11):
        shell.edit_by_hand("add", f"stranger-{n}")
    write(shell, "allow_empty = true")
    assert main(["reconcile", "gold", "--repair"]) == 0
    assert shell.members() == {"a"}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        pytest.param(["nobody"], "there is no sync 'nobody'", id="no such table"),
        pytest.param(["orders"], "only a cohort's segment can drift", id="a sync of events"),
        pytest.param(["gold", "--config", "none.toml"], "none.toml can't be read", id="no such file"),
        pytest.param(["gold", "--track-rate", "x"], "the track rate 'x'", id="a rate that is none"),
    ],
)
def test_what_is_wrong_is_told_before_anything_is_asked(
    shell: Engine, capsys: pytest.CaptureFixture[str], arguments: list[str], says: str
) -> None:
    asked = len(shell.workspace.requests)
    assert main(["reconcile", *arguments]) == 2
    assert says in capsys.readouterr().err
    assert len(shell.workspace.requests) == asked
