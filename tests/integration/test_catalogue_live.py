"""Cases on a real workspace: a fake stands in for it, seen through its public APIs alone."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from typing import NoReturn

import pytest

from fakeio import Fake, WorkspaceHandle
from scenarios.catalogue import live
from scenarios.catalogue.asking import Wire
from scenarios.catalogue.case import Case, Ending, Given
from scenarios.catalogue.collection import all_cases
from scenarios.catalogue.live import LiveError, Pacer, PatientWire, clean, run_live
from scenarios.catalogue.live_report import live_report, render, shape
from scenarios.catalogue.places import Keys
from scenarios.catalogue.public import prefix_of, why_not_live
from scenarios.catalogue.writing import app, identify
from scenarios.cli import main

LIVE = [case for case in all_cases() if case.live]
RUN = "fakeio-live-0123abcd-"
FEW = ("identify-nothing", "email-of-somebody-else", "join-of-an-unknown-person", "create-a-segment")
WITHIN_S = 60


@pytest.fixture(scope="module")
def fake() -> Iterator[Fake]:
    with Fake() as running:
        yield running


@pytest.fixture
def real(fake: Fake) -> WorkspaceHandle:
    """A workspace that plays the real one, with somebody in it who must not be touched."""
    workspace = fake.new_workspace()
    workspace.add_person(id="ada", email="ada@example.com", attributes={"plan": "pro"})
    workspace.add_segment("vip")
    return workspace


@pytest.fixture(autouse=True)
def in_haste(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(live.PATIENCE, "visible_within_s", 0.05)
    monkeypatch.setitem(live.PATIENCE, "look_every_s", 0.01)
    for api in live.RATES:
        monkeypatch.setitem(live.RATES, api, 10_000.0)


def keys(real: WorkspaceHandle) -> Keys:
    url = str(real.url)
    return Keys(url, url, real.site_id, real.track_api_key, real.app_api_key)


def environment(real: WorkspaceHandle) -> dict[str, str]:
    return {**keys(real).environment(""), "CIO_REGION": ""}


def untouched(real: WorkspaceHandle) -> bool:
    """Whether nothing is there but what was there before."""
    (person,) = real.people
    return (person.id, person.attributes) == ("ada", {"plan": "pro"}) and [one.name for one in real.segments] == ["vip"]


def test_what_a_real_workspace_can_be_asked_holds_there_and_leaves_nothing_behind(real: WorkspaceHandle) -> None:
    with closing(PatientWire(keys(real))) as wire:
        results = list(run_live(keys(real), wire, LIVE, RUN))
        made = len(real.people)
        clean(wire, LIVE, RUN)
    assert {result.case.name: list(map(str, result.differences)) or result.why
            for result in results if result.fate != "ok"} == {}
    assert len(results) >= 60
    assert made > len(LIVE) // 2
    assert untouched(real)


@pytest.mark.parametrize("case", LIVE, ids=lambda case: case.name)
def test_a_case_marked_as_live_names_nobody_without_the_prefix(case: Case) -> None:
    assert why_not_live(case) == ""


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        pytest.param({"steps": (identify("ada", {}),)}, "it names 'ada' without the prefix ~", id="a path"),
        pytest.param({"steps": (identify("~ada", {"email": "a@example.com"}),)},
                     "it names 'a@example.com' without the prefix ~", id="a body"),
        pytest.param({"steps": (app("POST", "/v1/segments", {"segment": {"name": "vip"}}),)},
                     "it names 'vip' without the prefix ~", id="a segment"),
        pytest.param({"given": Given(people=({"id": "ada"},))},
                     "it names 'ada' without the prefix ~", id="who is given"),
        pytest.param({"given": Given(settings={"identifiers": "id"})}, "it needs what only a fake has", id="settings"),
        pytest.param({"steps": (identify("~ada", {}, after_s=9),)}, "it needs what only a fake has", id="time"),
        pytest.param({"steps": (app("POST", "/v1/campaigns/1/triggers", {}),)},
                     "it reaches what can't be undone", id="a broadcast"),
        pytest.param({"live": False}, "only a fake can be asked", id="not marked"),
    ],
)  # fmt: skip
def test_what_could_touch_others_is_never_asked(real: WorkspaceHandle, changed: dict[str, object], why: str) -> None:
    fields = {"name": "x", "tags": ("x",), "words": "x.", "grade": "assumed", "source": "x", "live": True,
              "steps": (identify("~ada", {}),), **changed}  # fmt: skip
    case = Case(**fields)  # type: ignore[arg-type]  # a table of fields
    with closing(PatientWire(keys(real))) as wire:
        (result,) = run_live(keys(real), wire, [case], RUN)
    assert (result.fate, result.why) == ("skipped", why)
    assert untouched(real)
    assert real.requests == []


def test_a_rule_that_the_workspace_breaks_is_contradicted_and_nobody_is_named(real: WorkspaceHandle) -> None:
    real.update_settings(segment_unknown_person="create", event_dedupe_key="ulid_only")
    cases = [case for case in LIVE if case.name in ("join-of-an-unknown-person", "event-id-that-is-no-ulid", *FEW)]
    with closing(PatientWire(keys(real))) as wire:
        results = list(run_live(keys(real), wire, cases, RUN))
        clean(wire, cases, RUN)
    report = live_report(results, date="2026-08-17T10:00:00+00:00", region="us")
    verdicts = {row["rule"]: (row["confirmed"], row["contradicted"]) for row in report["rules"]}
    assert verdicts["identifier.taken"] == (["email-of-somebody-else"], [])
    assert verdicts["segment.person_unknown"] == ([], ["join-of-an-unknown-person"])
    assert verdicts["event_dedupe_key"] == ([], ["event-id-that-is-no-ulid"])
    assert RUN not in json.dumps(report)
    assert "ghost" not in json.dumps(report)
    assert untouched(real)


def test_a_report_is_a_page_with_the_least_certain_rules_first() -> None:
    rule = {"rule": "b", "grade": "documented", "confirmed": ["one", "two"], "contradicted": []}
    guess = {"rule": "a", "grade": "assumed", "confirmed": [], "contradicted": ["three"]}
    report = {"date": "2026-08-17T10:00:00+00:00", "region": "eu", "rules": [rule, guess],
              "totals": {"ok": 2, "differs": 1, "skipped": 4}}  # fmt: skip
    assert render(report) == (
        "Asked on 2026-08-17, region eu: 2 cases as expected, 1 different, 4 not asked.\n"
        "\n"
        "| rule | grade | confirmed by | contradicted by |\n"
        "| --- | --- | --- | --- |\n"
        "| `a` | assumed |  | three |\n"
        "| `b` | documented | one, two |  |\n"
    )


def test_a_shape_holds_no_value() -> None:
    assert shape({"id": "ada", "n": [1, 2], "no": [], "x": None, "b": True}) == {
        "id": "text", "n": ["number"], "no": [], "x": "null", "b": "boolean",
    }  # fmt: skip


def test_a_rate_is_kept_by_waiting() -> None:
    now, slept = [100.0], list[float]()

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        now[0] += seconds

    pacer = Pacer({"track": 10.0, "app": 4.0}, now=lambda: now[0], sleep=sleep)
    for api in ("app", "track", "app", "app", "track"):
        pacer(api)
    assert slept == pytest.approx([0.25, 0.25])  # the second Track request comes half a second after the first
    assert now == [100.5]


def test_a_request_that_comes_too_soon_is_asked_again(real: WorkspaceHandle) -> None:
    real.fault("status", status=429, retry_after=0, times=2)
    with closing(PatientWire(keys(real))) as wire:
        assert wire.send(identify("~ada".replace("~", RUN), {})).status == 200
    assert [request.status for request in real.requests] == [429, 429, 200]


def test_an_interrupt_in_the_middle_of_an_exchange_spoils_no_later_one(
    real: WorkspaceHandle, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(connection: HTTPConnection) -> NoReturn:
        raise KeyboardInterrupt

    with closing(Wire(keys(real))) as wire:
        with monkeypatch.context() as patch:
            patch.setattr(HTTPConnection, "getresponse", interrupted)
            with pytest.raises(KeyboardInterrupt):
                wire.send(identify(f"{RUN}ada", {}))
        assert wire.send(identify(f"{RUN}ada", {})).status == 200


def test_only_a_prefix_of_a_run_can_be_cleaned(real: WorkspaceHandle) -> None:
    with closing(PatientWire(keys(real))) as wire:
        for prefix in ("", "a", "fakeio-live-", "fakeio-live-0123abcd", "fakeio-live-0123ABCD-"):
            with pytest.raises(LiveError, match="no prefix of a run"):
                clean(wire, LIVE, prefix)
    assert real.requests == []


def test_what_a_case_needs_and_does_not_get_is_a_reason_to_skip_it(real: WorkspaceHandle) -> None:
    real.fault("status", status=500, match={"path": "/api/v2/entity"})
    (case,) = [case for case in LIVE if case.name == "email-of-somebody-else"]
    with closing(PatientWire(keys(real))) as wire:
        (result,) = run_live(keys(real), wire, [case], RUN)
    assert result.fate == "skipped"
    assert "was answered with 500" in result.why


def test_an_ending_that_never_comes_is_told(real: WorkspaceHandle) -> None:
    case = Case(name="x", tags=("x",), words="x.", grade="assumed", source="x", live=True,
                steps=(identify("~ada", {}),), ending=Ending(people=({"id": "~ada", "attributes": {"plan": "pro"}},)))
    with closing(PatientWire(keys(real))) as wire:
        (result,) = run_live(keys(real), wire, [case], RUN)
    assert [difference.where for difference in result.differences] == ["people[0].attributes.plan"]


# -- the command -------------------------------------------------------------------------------------------------------


@pytest.fixture
def command(real: WorkspaceHandle, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """`cio-scenarios run …` in this process, with the workspace's credentials in the environment."""
    for name in [name for name in os.environ if name.startswith("CIO_")]:
        monkeypatch.delenv(name)
    for name, value in environment(real).items():
        monkeypatch.setenv(name, value)
    return lambda *arguments: main(["run", *arguments])


def test_nothing_is_sent_without_consent(
    command: Callable[..., int], real: WorkspaceHandle, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    assert command("--live", *FEW) == 2
    assert "To consent add --yes, or set CIO_SCENARIOS_LIVE=yes" in capsys.readouterr().err
    assert real.requests == []


@pytest.mark.parametrize(("typed", "code"), [("yes\n", 0), ("y\n", 2), ("\n", 2)])
def test_consent_can_be_typed(
    command: Callable[..., int], monkeypatch: pytest.MonkeyPatch, typed: str, code: int
) -> None:
    class Terminal:
        isatty = staticmethod(lambda: True)
        readline = staticmethod(lambda: typed)

    monkeypatch.setattr("sys.stdin", Terminal())
    assert command("--live", FEW[0]) == code


def test_a_live_run_reports_and_cleans_up(
    command: Callable[..., int], real: WorkspaceHandle, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setenv("CIO_SCENARIOS_LIVE", "yes")
    file = tmp_path / "report.json"
    assert command("--live", "--json", "--report", str(file), *FEW, "anonymous-event-after-29-days") == 0
    told = capsys.readouterr()
    prefix = re.search(r"--clean (\S+)", told.err)
    assert prefix is not None
    assert json.loads(told.out)["totals"] == {"ok": len(FEW), "differs": 0, "skipped": 1}
    assert [key for key in (real.track_api_key, real.app_api_key, prefix[1]) if key in file.read_text("utf-8")] == []
    assert main(["report", str(file)]) == 0
    assert "4 cases as expected, 0 different, 1 not asked" in capsys.readouterr().out
    assert untouched(real)


def test_a_difference_on_a_real_workspace_is_exit_code_one(
    command: Callable[..., int], real: WorkspaceHandle, capsys: pytest.CaptureFixture[str]
) -> None:
    real.update_settings(segment_unknown_person="create")
    assert command("--live", "--yes", "join-of-an-unknown-person") == 1
    assert "DIFFERS  join-of-an-unknown-person" in capsys.readouterr().out
    assert untouched(real)


def test_what_a_killed_run_left_is_cleaned_by_its_prefix(
    command: Callable[..., int], real: WorkspaceHandle, capsys: pytest.CaptureFixture[str]
) -> None:
    with closing(PatientWire(keys(real))) as wire:
        list(run_live(keys(real), wire, LIVE, RUN))
    assert len(real.people) > 1
    assert command("--live", "--yes", "--clean", RUN) == 0
    assert capsys.readouterr().err == "cleaned up\n"
    assert untouched(real)


def test_a_cleaning_that_fails_says_how_to_go_on(
    command: Callable[..., int], real: WorkspaceHandle, capsys: pytest.CaptureFixture[str]
) -> None:
    real.fault("status", status=500, match={"path": "/api/v2/batch"})
    assert command("--live", "--yes", FEW[0]) == 4
    assert re.search(r"people could not be deleted.*go on: cio-scenarios run --live --clean fakeio-live-\w+-",
                     capsys.readouterr().err)


@pytest.mark.parametrize(
    ("name", "said"),
    [("CIO_TRACK_API_KEY", "CIO_TRACK_API_KEY is not set"), ("CIO_SITE_ID", "CIO_SITE_ID is not set")],
)
def test_missing_credentials_are_named(
    command: Callable[..., int], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
    name: str, said: str,
) -> None:  # fmt: skip
    monkeypatch.delenv(name)
    assert command("--live", "--yes") == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(("name", "api"), [("CIO_TRACK_API_KEY", "Track"), ("CIO_APP_API_KEY", "App")])
def test_refused_credentials_end_the_run_before_anything_is_written(
    command: Callable[..., int], real: WorkspaceHandle, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch, name: str, api: str,
) -> None:  # fmt: skip
    monkeypatch.setenv(name, "0" * 20)
    assert command("--live", "--yes") == 2
    assert f"the {api} API answered 401" in capsys.readouterr().err
    assert untouched(real)


def test_a_prefix_that_is_none_is_refused_before_anything_is_asked(
    command: Callable[..., int], real: WorkspaceHandle, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("--live", "--yes", "--clean", "x") == 2
    assert "'x' is no prefix of a run" in capsys.readouterr().err
    assert real.requests == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_an_interrupted_run_cleans_up(real: WorkspaceHandle, number: signal.Signals) -> None:
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "scenarios", "run", "--live", "--yes"],
        env={**os.environ, **environment(real)}, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )
    deadline = time.monotonic() + WITHIN_S
    while len(real.people) == 1 and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(number)
    _, said = process.communicate(timeout=WITHIN_S)
    assert (process.returncode, said.splitlines()[-2:]) == (130, ["interrupted; cleaning up", "cleaned up"])
    assert untouched(real)


def test_prefixes_of_two_cases_differ() -> None:
    assert len({prefix_of(RUN, case) for case in LIVE}) == len(LIVE)
