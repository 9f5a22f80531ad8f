"""`cio-sync events` as it is typed: flags become rules, one JSON object, exit codes."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fakeio import Fake
from sync.cli import main
from sync.cli_events import add_events_arguments, parse_rules
from sync.core.conditions import Condition
from sync.core.conversions import Conversions
from sync.core.errors import ConfigError
from sync.core.mapping import Rules
from sync.core.properties import Select
from tests.integration.event_engine import Engine, row


def rules(*flags: str) -> Rules:
    parser = argparse.ArgumentParser(allow_abbrev=False, exit_on_error=False)
    add_events_arguments(parser)
    return parse_rules(parser.parse_args(["export.zip", *flags]))


@pytest.fixture(autouse=True)
def names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with files of names."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "names").write_text("\ufefforder\n\n  spaced  \r\nwith, comma\n@at\nline\u2028end\n")
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")


NAMED = frozenset({"order", "spaced", "with, comma", "@at", "line\u2028end"})
FLAGS = [
    pytest.param([], Rules(), id="none"),
    pytest.param(["--event", "a", "--event", "b,c"], Rules(events=frozenset({"a", "b,c"})), id="names"),
    pytest.param(["--event", "@names"], Rules(events=NAMED), id="names from a file"),
    pytest.param(["--event", "x", "--event", "@names"], Rules(events=NAMED | {"x"}), id="both"),
    pytest.param(["--exclude", " a "], Rules(exclude=frozenset({"a"})), id="a name to leave out, trimmed"),
    pytest.param(["--properties", "all"], Rules(), id="all properties"),
    pytest.param(["--properties", "none"], Rules(properties=Select.NONE), id="no properties"),
    pytest.param(["--properties", "a", "--properties", " b"], Rules(properties=frozenset({"a", " b"})), id="some"),
    pytest.param(
        ["--properties", "@names"],
        Rules(properties=frozenset({"order", "  spaced  ", "with, comma", "@at", "line\u2028end"})),
        id="properties from a file, to the letter",
    ),
    pytest.param(["--id-property", "e", "--id-type", "email"], Rules(id_property="e", id_type="email"), id="who"),
    pytest.param(["--parity"], Rules(parity=True), id="parity"),
    pytest.param(["--since", "2026-07-14", "--until", "1784023200"], Rules(since=1_783_987_200, until=1_784_023_200),
                 id="a window"),
    pytest.param(["--user-properties", "b", "--user-properties", "a"], Rules(user_properties=("b", "a")),
                 id="attributes, in the order given"),
    pytest.param(["--user-properties", "all"], Rules(user_properties=Select.ALL), id="all attributes"),
    pytest.param(["--where", "country is not US", "--where", "user:plan contains pro"],
                 Rules(where=(Condition("", "country", "is not", "US"), Condition("user", "plan", "contains", "pro"))),
                 id="conditions"),
    pytest.param(["--date-key", "born", "--date-key", "died", "--safe-ints", "--max-depth", "3"],
                 Rules(conversions=Conversions(date_keys=frozenset({"born", "died"}), safe_ints=True, max_depth=3)),
                 id="conversions"),
    pytest.param(["--long-names", "hash"], Rules(hash_long_names=True), id="long names"),
]  # fmt: skip


@pytest.mark.parametrize(("flags", "expected"), FLAGS)
def test_flags_become_rules(flags: list[str], expected: Rules) -> None:
    assert rules(*flags) == expected


@pytest.mark.parametrize(
    "flags",
    [
        pytest.param(["--properties", "all", "--properties", "a"], id="all and one"),
        pytest.param(["--properties", "none", "--properties", "all"], id="none and all"),
        pytest.param(["--user-properties", "all", "--user-properties", "a"], id="all attributes and one"),
        pytest.param(["--event", "@nowhere"], id="a file that is not there"),
        pytest.param(["--event", "@binary"], id="a file that is no text"),
        pytest.param(["--event", "@empty"], id="no name of an event in a file"),
        pytest.param(["--event", "a", "--event", "@empty"], id="names, and a file without any"),
        pytest.param(["--exclude", "@empty"], id="no name to leave out in a file"),
        pytest.param(["--properties", "@empty"], id="no property in a file"),
        pytest.param(["--user-properties", "@empty"], id="no attribute in a file"),
        pytest.param(["--date-key", "@empty"], id="no date in a file"),
        pytest.param(["--event", ""], id="an empty name"),
        pytest.param(["--properties", "a", "--properties", " "], id="a name and a blank one"),
        pytest.param(["--event", "a", "--exclude", " a"], id="every event left out again"),
        pytest.param(["--since", "2026-07-14", "--until", "2026-07-14"], id="no time between"),
    ],
)
def test_flags_that_make_no_sense_are_a_configuration_error(flags: list[str]) -> None:
    with pytest.raises(ConfigError) as error:
        rules(*flags)
    assert error.value.hint


def test_a_file_without_names_is_told_by_its_name_and_with_a_way_out() -> None:
    told = {}
    for flag in ("--event", "--properties"):
        with pytest.raises(ConfigError) as error:
            rules(flag, "@empty")
        told[flag] = (error.value.message, error.value.hint)
    assert told == {
        "--event": (
            "there is no name in empty, which --event reads; nothing was sent",
            "write one name a line there, or leave --event out",
        ),
        "--properties": (
            "there is no name in empty, which --properties reads; nothing was sent",
            "write one name a line there, or leave --properties out, or say --properties none",
        ),
    }


def test_user_properties_may_be_kept_without_any_event() -> None:
    flags = ["--event", "a", "--exclude", "a", "--user-properties", "plan"]
    assert rules(*flags).user_properties == ("plan",)


@pytest.mark.parametrize(
    "flags",
    [
        ["--since", "yesterday"], ["--id-type", "phone"], ["--until", ""], ["--where", "a = b"], ["--max-depth", "0"],
        ["--long-names", "cut"], ["--id-property", " "],
    ],
)  # fmt: skip
def test_a_word_that_is_no_choice_is_a_usage_error(flags: list[str]) -> None:
    with pytest.raises(argparse.ArgumentError):
        rules(*flags)


# -- the command ------------------------------------------------------------------------------------------------------
@pytest.fixture
def engine(fake: Fake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    engine = Engine(fake, fake.new_workspace(), tmp_path)
    own = {
        "CIO_SITE_ID": engine.workspace.site_id, "CIO_TRACK_API_KEY": engine.workspace.track_api_key,
        "CIO_TRACK_URL": engine.url, "CIO_APP_URL": engine.url, "CIO_SYNC_STATE": str(engine.path), "CIO_REGION": "",
        "CIO_TRACK_RATE": "0", "CIO_APP_API_KEY": "",
    }  # fmt: skip
    for name, value in own.items():
        monkeypatch.setenv(name, value)
    yield engine
    engine.workspace.raise_first_error()


def report_of(capfd: pytest.CaptureFixture[str]) -> dict[str, Any]:
    report: dict[str, Any] = json.loads(capfd.readouterr().out)
    return report


def test_json_is_one_object_with_exactly_the_published_keys(engine: Engine, capfd: pytest.CaptureFixture[str]) -> None:
    code = main(["events", str(engine.export(row(1), row(2, user_id=None))), "--json"])
    report = report_of(capfd)
    assert (code, list(report)) == (1, [
        "run_id", "kind", "sync", "status", "mode", "received", "filtered", "delivered", "duplicates", "discarded",
        "refused", "expired", "pending", "requests", "retries", "oldest_event_at", "newest_event_at", "duration_s",
    ])  # fmt: skip
    assert (report["kind"], report["sync"], report["discarded"]) == ("events", None, {"missing_identifier": 1})


@pytest.mark.parametrize(
    ("make", "code", "status"),
    [
        pytest.param(lambda engine: engine.export(row(1)), 0, "success", id="all settled"),
        pytest.param(lambda engine: engine.export(row(1, user_id="")), 1, "partial", id="something discarded"),
        pytest.param(lambda engine: "nowhere.zip", 3, "failed", id="no such file"),
        pytest.param(lambda engine: "amplitude:exports", 3, "failed", id="a source that nobody knows"),
        pytest.param(lambda engine: engine.export(b"hello"), 3, "failed", id="no export at all"),
    ],
)
def test_the_exit_code_is(engine: Engine, capfd: pytest.CaptureFixture[str], make: Any, code: int, status: str) -> None:
    assert main(["events", str(make(engine)), "--json"]) == code
    report = report_of(capfd)
    assert (report["status"], set(report.get("error", {}))) == (
        status, {"code", "message", "hint"} if code >= 3 else set(),
    )  # fmt: skip


def test_wrong_credentials_end_with_4(
    engine: Engine, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CIO_TRACK_API_KEY", "not-the-key")
    assert main(["events", str(engine.export(row(1))), "--json"]) == 4
    out = capfd.readouterr()
    assert json.loads(out.out)["status"] == "failed"
    assert "not-the-key" not in out.out + out.err


def test_no_credentials_are_a_configuration_error(
    engine: Engine, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CIO_SITE_ID", "")
    assert main(["events", str(engine.export(row(1)))]) == 2
    assert "CIO_SITE_ID" in capfd.readouterr().err


def test_a_person_reads_a_page(engine: Engine, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["events", str(engine.export(row(1), row(2, user_id=None)))]) == 1
    page = capfd.readouterr().out
    assert "missing_identifier" in page
    assert "42" not in page


def test_what_was_given_up_is_listed(engine: Engine, capfd: pytest.CaptureFixture[str]) -> None:
    main(["events", str(engine.export(row(2, event_time="soon"))), "--json"])
    run_id = report_of(capfd)["run_id"]
    assert main(["failed", "--json"]) == 0
    (entry,) = report_of(capfd)["failed"]
    assert (entry["run_id"], entry["kind"], entry["reason"], entry["field"]) == (
        run_id, "events", "bad_timestamp", "event_time",
    )  # fmt: skip
    assert (entry["item"]["row"], entry["item"]["$insert_id"]) == (1, "insert-2")


def test_what_was_given_up_is_sent_again(engine: Engine, capfd: pytest.CaptureFixture[str]) -> None:
    fault = engine.workspace.fault("status", status=400, match={"path": "/api/v2/batch"})
    assert main(["events", str(engine.export(row(1))), "--json"]) == 1
    run_id = report_of(capfd)["run_id"]
    fault.remove()
    assert main(["retry", run_id, "--workers", "1", "--json"]) == 0
    report = report_of(capfd)
    assert (report["kind"], report["received"], report["delivered"], report["status"]) == ("events", 1, 1, "success")
    assert main(["failed", "--json"]) == 0
    assert report_of(capfd) == {"failed": []}
    assert main(["retry", "all"]) == 0
    assert "nothing" not in capfd.readouterr().err
    assert engine.numbers() == [1]


@pytest.mark.parametrize("run", ["all", "01J00000000000000000000000"])
def test_without_a_ledger_or_such_a_run_there_is_nothing_to_send_again(
    engine: Engine, capfd: pytest.CaptureFixture[str], run: str
) -> None:
    if run != "all":
        main(["events", str(engine.export(row(1))), "--json"])
    assert main(["retry", run]) == 2
    assert "remembered" in capfd.readouterr().err
    assert engine.path.exists() == (run != "all")
