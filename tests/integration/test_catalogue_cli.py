"""`cio-scenarios list`, `show` and `run`: the catalogue at the command line, on a fake."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fakeio import Fake
from scenarios.catalogue.case import Ask, Case, CaseError, encode_case, parse_case
from scenarios.catalogue.collection import all_cases, choose
from scenarios.catalogue.filling import fill
from scenarios.catalogue.matching import ABSENT, ANY, any_order, compare, starting
from scenarios.catalogue.writing import identify
from scenarios.cli import main
from tests.contract.plain import deserted

Saying = Callable[..., tuple[int, str, str]]


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Saying:
    """Runs the command in this process: the exit code, stdout and stderr."""

    def command(*arguments: str) -> tuple[int, str, str]:
        code = main(arguments)
        told = capsys.readouterr()
        return code, told.out, told.err

    return command


def own_case(tmp_path: Path, **changes: Any) -> str:
    """A file with a case of one's own, wrong on purpose where `changes` say so."""
    document = {
        "name": "mine", "tags": ["mine"], "words": "Mine.", "grade": "assumed", "source": "me",
        "steps": [{"step": "ask", "method": "PUT", "path": "/api/v1/customers/ada", "body": {"plan": "pro"}}],
        "ending": {"people": [{"id": "ada", "attributes": {"plan": "pro"}}]}, **changes,
    }  # fmt: skip
    file = tmp_path / "mine.json"
    file.write_text(json.dumps(document), encoding="utf-8")
    return str(file)


# -- list and show -----------------------------------------------------------------------------------------------------


def test_the_list_has_a_line_for_every_case(say: Saying) -> None:
    code, told, _ = say("list")
    assert (code, len(told.splitlines())) == (0, len(all_cases()))


def test_the_list_is_narrowed_by_tags_and_grades_together(say: Saying) -> None:
    code, told, _ = say("list", "--tag", "segments", "--tag", "assumed", "--json")
    rows = json.loads(told)["cases"]
    assert code == 0
    assert rows == [row for row in rows if "segments" in row["tags"] and row["grade"] == "assumed"]
    assert "join-twice" in {row["name"] for row in rows}
    assert set(rows[0]) == {"name", "tags", "words", "grade", "source", "rules", "live"}


def test_a_tag_that_nothing_has_is_told_with_those_that_there_are(say: Saying) -> None:
    code, _, said = say("list", "--tag", "nothing")
    assert code == 2
    assert said.startswith("cio-scenarios: no case has nothing; the tags are activities, anonymous, app,")


def test_a_case_is_shown_in_full(say: Saying) -> None:
    assert say("show", "join-twice") == (0, (
        "join-twice\n"
        "  Adding a member again changes nothing.\n"
        "  assumed; Manual segments guide\n"
        "  tags: track, segments; can be asked of a real workspace\n"
        "  rules: segment.already_member\n"
        "given\n"
        '    people: [{"id": "~ada"}, {"id": "~bob"}]\n'
        '    segments: [{"name": "~vip", "members": ["~ada"]}]\n'
        "step 1: POST /api/v1/segments/$vip/add_customers   (track, credentials: own)\n"
        '    body: {"ids": ["~ada"]}\n'
        "    answers 200\n"
        "in the end\n"
        '    members: {"~vip": ["~ada"]}\n'
        '    ignored: ["segment.already_member"]\n'
    ), "")  # fmt: skip


def test_a_run_of_the_engine_and_time_are_shown(say: Saying) -> None:
    _, engine, _ = say("show", "cohort-emptied-on-purpose")
    assert "step 2: cio-sync cohort FILE --allow-empty\n" in engine
    assert "    exits with 0\n" in engine
    _, later, _ = say("show", "anonymous-event-after-29-days")
    assert "step 2, 2,505,600 s later: PUT /api/v1/customers/ada" in later
    _, long, _ = say("show", "event-data-of-100000-bytes")
    assert "… (100000 characters)" not in long  # the text is longer than the data in it
    assert "characters)" in long


def test_an_unknown_name_is_told_with_a_near_one(say: Saying) -> None:
    code, _, said = say("show", "join-a-segment-twice")
    assert (code, said) == (2, (
        "cio-scenarios: there is no case 'join-a-segment-twice'; did you mean 'join-a-segment'?; "
        "see: cio-scenarios list\n"
    ))  # fmt: skip
    assert say("show", "zzz")[2] == "cio-scenarios: there is no case 'zzz'; see: cio-scenarios list\n"


# -- run ---------------------------------------------------------------------------------------------------------------


def test_a_run_is_told_with_totals_by_grade_and_tag(say: Saying) -> None:
    code, told, _ = say("run", "join-twice", "identify-nothing")
    assert code == 0
    assert told.splitlines()[-1] == "a private fake: 2 ok, 0 differ, 0 skipped"
    assert [line.split() for line in told.splitlines()[1:-1]] == [
        ["grade", "recorded", "1", "0", "0"], ["grade", "assumed", "1", "0", "0"],
        ["identify", "1", "0", "0"], ["segments", "1", "0", "0"], ["track", "2", "0", "0"],
    ]  # fmt: skip


def test_the_report_as_json_has_every_case(say: Saying) -> None:
    code, told, _ = say("run", "join-twice", "--json")
    report = json.loads(told)
    assert code == 0
    assert report["cases"] == [{
        "name": "join-twice", "tags": ["track", "segments"], "grade": "assumed", "rules": ["segment.already_member"],
        "fate": "ok",
    }]  # fmt: skip
    assert (report["ok"], report["totals"]) == (True, {"ok": 1, "differs": 0, "skipped": 0})
    assert report["by_tag"]["segments"] == report["by_grade"]["assumed"] == report["totals"]


def test_a_running_fake_is_asked_in_workspaces_that_go_again(say: Saying) -> None:
    with Fake() as fake:
        code, told, _ = say("run", "join-twice", "cohort-first-run", "--url", str(fake.url))
        left = fake.workspace.people
    assert (code, left) == (0, [])
    assert told.endswith(f"the fake at {fake.url}: 2 ok, 0 differ, 0 skipped\n")


def test_where_no_fake_runs_the_run_says_so(say: Saying) -> None:
    with deserted() as url:
        code, _, said = say("run", "join-twice", "--url", url)
    assert code == 2
    assert said.startswith(f"cio-scenarios: no fake answers at {url}")


def test_a_case_of_ones_own_is_played_alone(say: Saying, tmp_path: Path) -> None:
    code, told, _ = say("run", "--file", own_case(tmp_path))
    assert (code, told.splitlines()[-1]) == (0, "a private fake: 1 ok, 0 differ, 0 skipped")


def test_what_differs_is_told_place_by_place(say: Saying, tmp_path: Path) -> None:
    file = own_case(tmp_path, ending={"people": [{"id": "ada", "attributes": {"plan": "free"}}], "ignored": ["x"]})
    code, told, _ = say("run", "--file", file)
    assert code == 1
    assert told.startswith(
        "DIFFERS  mine: Mine.\n"
        "           people[0].attributes.plan: expected 'free', got 'pro'\n"
        "           ignored: expected ['x'], got []\n"
        "           to look closer: cio-scenarios show mine\n"
    )
    _, told, _ = say("run", "--file", file, "--json")
    assert json.loads(told)["cases"][0]["differences"][0] == {
        "where": "people[0].attributes.plan", "expected": "free", "actual": "pro",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        pytest.param({"colour": "red"}, "unknown field `colour`", id="an unknown field"),
        pytest.param({"grade": "sure"}, "the grade is one of documented, recorded", id="an unknown grade"),
        pytest.param({"steps": [{"step": "sync"}]}, "has either a cohort or events", id="a run of nothing"),
        pytest.param({"steps": [{"step": "sync", "cohort": ["a"]}], "live": True}, "take `live` away", id="a live run"),
        pytest.param({"steps": [{"step": "ask", "method": "GET", "path": "/", "auth": "mine"}]},
                     "credentials are own, other", id="unknown credentials"),
    ],
)  # fmt: skip
def test_a_case_that_can_not_be_is_told(say: Saying, tmp_path: Path, changes: dict[str, Any], said: str) -> None:
    code, _, told = say("run", "--file", own_case(tmp_path, **changes))
    assert code == 2
    assert said in told


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(("run", "--file", "nowhere.json"), "nowhere.json can't be read", id="no file"),
        pytest.param(("run", "--clean", "x"), "--clean and --report go with --live", id="clean without live"),
        pytest.param(("run", "--live", "--url", "http://127.0.0.1:1"), "either --live or --url", id="two places"),
        pytest.param(("report", "nowhere.json"), "nowhere.json is no report of a run", id="no report"),
    ],
)
def test_a_misuse_is_told(say: Saying, arguments: tuple[str, ...], said: str) -> None:
    code, _, told = say(*arguments)
    assert code == 2
    assert said in told


# -- the parts ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expected", "actual", "places"),
    [
        pytest.param({"a": 1}, {"a": 1, "b": 2}, [], id="more is fine"),
        pytest.param({"a": 1}, {}, ["x.a"], id="missing"),
        pytest.param({"a": ABSENT}, {"a": None}, ["x.a"], id="null is there"),
        pytest.param({"a": ABSENT}, {}, [], id="absent"),
        pytest.param({"a": ANY}, {}, ["x.a"], id="any, and nothing"),
        pytest.param({"a": ANY}, {"a": None}, [], id="any, and null"),
        pytest.param(starting("ab"), "abc", [], id="starting"),
        pytest.param(starting("ab"), "ba", ["x"], id="not starting"),
        pytest.param(starting("<"), None, ["x"], id="not even text"),
        pytest.param(any_order([1, 2]), [2, 1], [], id="any order"),
        pytest.param(any_order([1, 2]), [1, 2, 2], ["x"], id="one too many"),
        pytest.param(any_order([]), "", ["x"], id="no list"),
        pytest.param([1, 2], [1], ["x"], id="a list of another length"),
        pytest.param((1, 2), [1, 3], ["x[1]"], id="in a list"),
        pytest.param(True, 1, ["x"], id="true is not one"),
        pytest.param(1, 1.0, [], id="one is one"),
        pytest.param("a" * 500, "b" * 500, ["x"], id="long texts"),
    ],
)
def test_values_are_compared(expected: Any, actual: Any, places: list[str]) -> None:
    found = compare(expected, actual, "x")
    assert [one.where for one in found] == places
    assert all(len(str(one)) < 400 for one in found)


def test_texts_are_filled_with_the_prefix_and_what_was_learnt() -> None:
    value = {"~a": ["~b", "/x/$vip/y", "$vip", "$unknown", 7, None], "$insert_id": "i"}
    assert fill(value, "p-", {"vip": 12}) == {"p-a": ["p-b", "/x/12/y", 12, "$unknown", 7, None], "$insert_id": "i"}


def test_a_case_survives_its_json() -> None:
    case = Case(name="x", tags=("x",), words="x.", grade="assumed", source="x",
                steps=(identify("ada", {"a": None}), Ask(method="GET", path="/x", answer=None)))  # fmt: skip
    assert parse_case(encode_case(case)) == case
    with pytest.raises(CaseError, match="prints one to start from"):
        parse_case("[]")


def test_names_and_tags_narrow_each_other() -> None:
    assert [case.name for case in choose(["join-twice", "identify-nothing"], ["segments"])] == ["join-twice"]
