"""`cio-sync doctor`: each thing that can be wrong is told, with what to do, and nothing is changed by looking."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest

from fakeio import Fake
from sync.cli import main
from sync.core.pushes import ListName, Members
from sync.edge import health, migrations
from sync.edge.event_ledger import EventLedger
from sync.edge.inbox import Inbox
from sync.edge.ledger import DeadLetter, Ledger
from sync.edge.schedules import Schedules
from tests.integration.cohort_engine import Engine
from tests.integration.scheduled_syncs import DESTINATION

Look = Callable[..., tuple[int, dict[str, tuple[str, str]]]]


class Usage(NamedTuple):
    free: int


@pytest.fixture
def engine(fake: Fake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Engine:
    engine = Engine(fake, fake.new_workspace(), tmp_path)
    workspace = engine.workspace
    for name in ("AMPLITUDE_API_KEY", "AMPLITUDE_SECRET_KEY", "CIO_REGION", "CIO_SYNC_LOG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in (
        ("CIO_SITE_ID", workspace.site_id), ("CIO_TRACK_API_KEY", workspace.track_api_key),
        ("CIO_APP_API_KEY", workspace.app_api_key), ("CIO_TRACK_URL", fake.url), ("CIO_APP_URL", fake.url),
        ("CIO_SYNC_STATE", str(engine.path)),
    ):  # fmt: skip
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    return engine


@pytest.fixture
def look(engine: Engine, capsys: pytest.CaptureFixture[str]) -> Look:
    """The exit code, and the level and hint of each check (the gravest of one name)."""

    def look(*flags: str) -> tuple[int, dict[str, tuple[str, str]]]:
        code = main(["doctor", "--json", *flags])
        document: dict[str, Any] = json.loads(capsys.readouterr().out)
        found: dict[str, tuple[str, str]] = {}
        for one in sorted(document["checks"], key=lambda one: ("ok", "warn", "wrong").index(one["level"])):
            found[one["check"]] = (one["level"], one["message"])
            assert bool(one["hint"]) or one["level"] == "ok", one
        assert document["status"] == ("ok", "warn", "wrong")[code]
        return code, found

    return look


def test_where_all_is_well_it_says_so_and_changes_nothing(engine: Engine, look: Look) -> None:
    engine.people("a")
    engine.report("a")
    before = {path.name: path.read_bytes() for path in engine.path.parent.iterdir()}
    writes = engine.writes()
    code, found = look()
    assert {check: level for check, (level, _) in found.items()} == dict.fromkeys(
        ("python", "disk", "temp", "state", "schema", "integrity", "in doubt", "dead letters", "cut off", "leases",
         "variables", "Track API", "clock", "App API"), "ok",
    )  # fmt: skip
    assert (code, engine.writes()) == (0, writes)
    assert {path.name: path.read_bytes() for path in engine.path.parent.iterdir()} == before


def test_before_the_first_run_there_is_nothing_to_mend(engine: Engine, look: Look) -> None:
    code, found = look("--offline")
    assert (code, "the first run makes it" in found["state"][1]) == (0, True)
    assert not engine.path.exists()


def test_at_a_terminal_it_is_a_line_each(engine: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--offline"]) == 0
    assert [line[:6].strip() for line in capsys.readouterr().out.splitlines()] == ["ok"] * 6


@pytest.mark.parametrize(
    ("items", "said", "advice"),
    [
        pytest.param(["{}"], "1 were given up", "lists them, `retry all` sends them", id="an event"),
        pytest.param(
            ['{"file":"a","row":1}', "{}"], "2 were given up, 1 of them rows that never became events",
            "lists them, `retry all` sends the others, mend the source", id="an event and a row",
        ),
        pytest.param(
            ['{"file":"a","row":1}'], "1 were given up, 1 of them rows that never became events",
            "lists them, mend the source", id="a row",
        ),
    ],
)  # fmt: skip
def test_what_was_given_up_is_told_with_what_can_be_done_about_it(
    engine: Engine, capsys: pytest.CaptureFixture[str], items: list[str], said: str, advice: str
) -> None:
    with Ledger.open(engine.path) as ledger:
        letters = [DeadLetter("01", "events", "x", "", "", msgspec.Raw(item.encode())) for item in items]
        ledger.add_dead_letters(letters)
    assert main(["doctor", "--json", "--offline"]) == 1
    found = {one["check"]: one for one in json.loads(capsys.readouterr().out)["checks"]}
    assert found["dead letters"]["message"] == said
    assert advice in found["dead letters"]["hint"]


def test_what_waits_for_somebody_is_counted(engine: Engine, look: Look) -> None:
    with Ledger.open(engine.path) as ledger:
        site = engine.workspace.site_id
        ledger.start_run("01", "events", None, site)
        EventLedger(ledger, site, "01").step(planned=[(0, [b"0" * 16, b"1" * 16])])
        ledger.add_dead_letters([DeadLetter("01", "events", "http_400", "", "", msgspec.Raw(b"{}"))])
        schedules = Schedules(ledger)
        schedules.slots("vip", "digest", "hourly", 0.0)
        schedules.finish("vip", 0, "the cohort is archived")
    code, found = look("--offline")
    assert code == 1
    assert {check: found[check] for check in ("in doubt", "dead letters", "cut off", "schedule")} == {
        "in doubt": ("warn", "2 events may have been delivered or not"), "dead letters": ("warn", "1 were given up"),
        "cut off": ("warn", "1 runs are under way, or were cut off"),
        "schedule": ("warn", "vip ended: the cohort is archived"),
    }  # fmt: skip


def test_what_a_later_run_went_on_with_waits_for_nobody(engine: Engine, look: Look) -> None:
    engine.people("a")
    engine.report("a")
    with Ledger.open(engine.path) as ledger:
        (done,) = ledger.runs("vip")
        key = ledger.connection.execute("SELECT sync_key FROM runs").fetchone()[0]
        ledger.start_run("02", "cohort", "vip", key)
        ledger.start_run("03", "cohort", "other", "another key")
    assert done.exit_code == 0
    assert look("--offline")[1]["cut off"] == ("warn", "2 runs are under way, or were cut off")
    engine.report("a")
    assert look("--offline")[1]["cut off"] == ("warn", "1 runs are under way, or were cut off")


def test_a_lease_that_is_held_is_named_and_one_that_is_free_is_not(engine: Engine, look: Look) -> None:
    engine.people("a")
    engine.report("a")
    engine.report("a", name="other")
    with Ledger.open(engine.path) as ledger, ledger.lease(f"cohort {engine.workspace.site_id} vip"):
        _, found = look("--offline")
        assert found["leases"][1].startswith("held: cohort vip by process ")
    assert look("--offline")[1]["leases"] == ("ok", "none is held")


@pytest.mark.parametrize(
    ("received_at", "applied", "level"),
    [
        pytest.param(0.0, False, "warn", id="old messages"),
        pytest.param(1e11, False, "ok", id="messages of this moment"),
        pytest.param(1e11, True, "warn", id="a list that nobody delivers"),
    ],
)
def test_the_inbox_is_looked_into(engine: Engine, look: Look, received_at: float, applied: bool, level: str) -> None:
    with Ledger.open(engine.path):
        pass
    with Inbox(engine.path.with_name("ledger.db-inbox")) as inbox:
        inbox.put_members([Members(ListName("vip", "1"), True, ("a",), at=1.0, message_id="m")], received_at)
        if applied:
            inbox.apply_members()
    assert look("--offline")[1]["inbox"][0] == level


# -- what is wrong ----------------------------------------------------------------------------------------------------
def readable(path: Path) -> None:
    path.chmod(0o644)


def newer(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute(f"PRAGMA user_version = {migrations.LATEST + 1}")
    connection.close()


def older(path: Path) -> None:
    path.unlink()
    with sqlite3.connect(path) as connection:
        connection.executescript(migrations.STEPS[0])
        connection.execute("PRAGMA user_version = 1")
    connection.close()
    path.chmod(0o600)


def garbled(path: Path) -> None:
    path.write_bytes(b"SQLite format 3\0" + b"x" * 8000)


def torn(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    path.write_bytes(content)


def not_an_inbox(path: Path) -> None:
    path.with_name(f"{path.name}-inbox").write_bytes(b"x" * 100)


@pytest.mark.parametrize(
    ("damage", "check", "level"),
    [
        pytest.param(readable, "state", "warn", id="others may read it"),
        pytest.param(newer, "schema", "wrong", id="of a newer version"),
        pytest.param(older, "schema", "ok", id="of an older version"),
        pytest.param(garbled, "schema", "wrong", id="no such file"),
        pytest.param(torn, "integrity", "wrong", id="torn"),
        pytest.param(not_an_inbox, "inbox", "wrong", id="an inbox that is none"),
    ],
)
def test_a_state_file_is_judged(
    engine: Engine, look: Look, damage: Callable[[Path], None], check: str, level: str
) -> None:
    engine.people("a")
    engine.report("a")
    damage(engine.path)
    code, found = look("--offline")
    assert (code, found[check][0]) == (("ok", "warn", "wrong").index(level), level)


@pytest.mark.parametrize(
    ("free", "level"), [(health.NO_ROOM_BYTES - 1, "wrong"), (health.LITTLE_BYTES - 1, "warn"), (1 << 40, "ok")]
)
def test_a_full_disk_is_told(look: Look, monkeypatch: pytest.MonkeyPatch, free: int, level: str) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: Usage(free))
    _, found = look("--offline")
    assert (found["disk"][0], found["temp"][0]) == (level, level)


def test_files_that_can_not_be_written_are_told(engine: Engine, look: Look, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert look("--offline")[1]["state"][0] == "wrong"
    engine.path.touch()
    assert look("--offline")[1]["state"][0] == "wrong"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        pytest.param({"CIO_APP_API_KEY": ""}, "CIO_APP_API_KEY is not set", id="one is missing"),
        pytest.param({"AMPLITUDE_API_KEY": "key"}, "AMPLITUDE_SECRET_KEY is not set", id="half a pair"),
    ],
)
def test_variables_are_told_by_name(
    look: Look, monkeypatch: pytest.MonkeyPatch, change: dict[str, str], words: str
) -> None:
    for name, value in change.items():
        monkeypatch.setenv(name, value)
    code, found = look()
    assert (code, found["variables"]) == (2, ("wrong", words))


CONFIG = """
[sources.shop]
amplitude = "us"
[destinations.production]
site_id = "PROD_SITE_ID"
[syncs.vip]
kind = "cohort"
source = "shop"
cohort = "abc"
destination = "production"
"""


def test_a_configuration_is_read_and_its_variables_looked_for(
    engine: Engine, look: Look, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    Path("sync.toml").write_text(CONFIG)
    code, found = look("--offline")
    assert (code, found["config"]) == (
        2, ("wrong", "sync.toml names PROD_SITE_ID, AMPLITUDE_API_KEY, AMPLITUDE_SECRET_KEY, which are not set")
    )  # fmt: skip
    for name in ("PROD_SITE_ID", "AMPLITUDE_API_KEY", "AMPLITUDE_SECRET_KEY"):
        monkeypatch.setenv(name, "x" * 20)
    for name in ("CIO_SITE_ID", "CIO_TRACK_API_KEY", "CIO_APP_API_KEY"):
        monkeypatch.delenv(name)
    code, found = look("--offline")
    assert (found["config"][1], found["variables"][0]) == (
        "sync.toml names CIO_TRACK_API_KEY, CIO_APP_API_KEY, which are not set", "ok"
    )  # fmt: skip
    Path("sync.toml").write_text(f"{CONFIG}enabled = false\n")
    assert look("--offline")[1]["config"] == ("ok", "sync.toml: 0 of 1 syncs are enabled")
    Path("other.toml").write_text("nonsense")
    assert look("--offline", "--config", "other.toml")[1]["config"][0] == "wrong"


PLACES = DESTINATION + """
[engine]
state = "own.db"
[sources.shop]
amplitude = "us"
api_key = "SHOP_KEY"
secret_key = "SHOP_SECRET"
url = "{url}"
[sources.files]
files = "*.json"
[syncs.vip]
kind = "cohort"
source = "shop"
cohort = "abc"
destination = "production"
[syncs.orders]
kind = "events"
source = "files"
destination = "production"
"""


@pytest.fixture
def configured(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """A `sync.toml` with names of its own for everything, and nothing in the usual variables."""
    Path("sync.toml").write_text(PLACES.format(url=engine.url))
    for name in ("SITE_ID", "TRACK_API_KEY", "APP_API_KEY", "TRACK_URL", "APP_URL", "SYNC_STATE"):
        monkeypatch.delenv(f"CIO_{name}")
    workspace = engine.workspace
    for name, value in (
        ("PROD_SITE_ID", workspace.site_id), ("PROD_TRACK_KEY", workspace.track_api_key),
        ("PROD_APP_KEY", workspace.app_api_key), ("SHOP_KEY", "k" * 20), ("SHOP_SECRET", "s" * 20),
    ):  # fmt: skip
        monkeypatch.setenv(name, value)


@pytest.mark.usefixtures("configured")
def test_what_a_configuration_names_is_proved_and_called_by_its_names(
    engine: Engine, look: Look, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, found = look()
    site, app = "PROD_SITE_ID and PROD_TRACK_KEY work; region US", "PROD_APP_KEY works"
    assert (found["Track API"][0], site in found["Track API"][1]) == ("ok", True)
    assert found["App API"] == ("ok", f"[destinations.production]: {app}")
    assert (code, found["Amplitude"][0]) == (2, "wrong")  # no Amplitude at all
    assert found["Amplitude"][1].startswith("[sources.shop]: ")
    monkeypatch.setenv("PROD_APP_KEY", "0" * 32)
    said = "[destinations.production]: PROD_APP_KEY was refused (Customer.io answered 401)"
    assert look()[1]["App API"] == ("wrong", said)
    monkeypatch.setenv("SHOP_SECRET", "two words")
    assert look()[1]["config"] == ("wrong", "SHOP_SECRET holds a space or a letter that no credential has")


@pytest.mark.usefixtures("configured")
def test_a_workspace_that_is_the_usual_one_too_is_proved_once(
    engine: Engine, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for usual, own in (("SITE_ID", "SITE_ID"), ("TRACK_API_KEY", "TRACK_KEY"), ("APP_API_KEY", "APP_KEY")):
        monkeypatch.setenv(f"CIO_{usual}", os.environ[f"PROD_{own}"])
    monkeypatch.setenv("CIO_TRACK_URL", engine.url)
    monkeypatch.setenv("CIO_APP_URL", engine.url)
    without_amplitude = PLACES.replace('source = "shop"\n', 'source = "shop"\nenabled = false\n')
    Path("sync.toml").write_text(without_amplitude.format(url=engine.url))
    assert main(["doctor"]) == 0
    told = capsys.readouterr().out
    assert (told.count("Track API"), told.count("Amplitude  ")) == (1, 0)


@pytest.mark.usefixtures("configured")
def test_the_state_file_of_a_configuration_lies_from_where_that_is(
    look: Look, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    looked = ("--offline", "--config", str(tmp_path / "sync.toml"))
    assert str(tmp_path / "own.db") in look(*looked)[1]["state"][1]
    monkeypatch.setenv("CIO_SYNC_STATE", str(elsewhere / "mine.db"))
    assert str(elsewhere / "mine.db") in look(*looked)[1]["state"][1]


def test_credentials_are_proved_one_by_one(look: Look, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CIO_APP_API_KEY", "0" * 32)
    code, found = look()
    assert (code, found["Track API"][0], found["App API"][0], "0" * 32 in str(found)) == (2, "ok", "wrong", False)
    monkeypatch.setenv("CIO_TRACK_API_KEY", "0" * 32)
    assert look()[1]["Track API"][0] == "wrong"


def test_a_project_of_amplitude_is_proved_too(look: Look, monkeypatch: pytest.MonkeyPatch, fake: Fake) -> None:
    for name in ("AMPLITUDE_API_KEY", "AMPLITUDE_SECRET_KEY"):
        monkeypatch.setenv(name, "x" * 20)
    monkeypatch.setenv("AMPLITUDE_URL", fake.url)  # no Amplitude at all
    assert look()[1]["Amplitude"][0] == "wrong"
