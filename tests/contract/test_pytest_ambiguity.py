"""The ambiguity sweep as a stranger's project meets it: whole test runs with `--fakeio-ambiguity`.

The tests inside write down each of their runs in a file, so that a repeat can be seen and not only guessed.
"""

from __future__ import annotations

import pytest

from fakeio import Fake
from fakeio.core.settings import CATALOGUE
from fakeio.pytest_ambiguity import SWITCHES, parse_switches

pytest_plugins = ["pytester"]

RUN = ("-p", "no:cacheprovider", "-p", "no:randomly")
SWEEP = "--fakeio-ambiguity=all"

PROJECT = """
    import os
    from pathlib import Path

    import httpx
    import pytest

    @pytest.fixture
    def auth(customerio):
        return customerio.site_id, customerio.track_api_key

    @pytest.fixture(autouse=True)
    def note_each_run(request, tmp_path_factory):
        with Path(__file__).with_name("runs.txt").open("a") as runs:
            runs.write(request.node.name + "\\n")

    def add_to_segment(customerio, auth, *ids):
        segment = customerio.add_segment("vip")
        url = f"{customerio.url}/api/v1/segments/{segment.id}/add_customers"
        httpx.post(url, json={"ids": ids}, auth=auth, trust_env=False).raise_for_status()
        return [member["id"] for member in customerio.segment(segment.id).members]
"""
DEPENDS = """
    @pytest.mark.fakeio_ambiguity
    def test_strangers_stay_outside(customerio, auth):
        assert add_to_segment(customerio, auth, "nobody") == []
"""
INDEPENDENT = """
    @pytest.mark.fakeio_ambiguity
    def test_an_event_is_accepted(customerio, auth):
        url = f"{customerio.url}/api/v1/customers/1/events"
        assert httpx.post(url, json={"name": "order"}, auth=auth, trust_env=False).status_code == 200
"""
LINE = "*::test_strangers_stay_outside depends on segment_unknown_person (default ignore [[]documented[]]; *"


def runs(pytester: pytest.Pytester) -> list[str]:
    """The names of the tests that ran, once for each run."""
    return sorted((pytester.path / "runs.txt").read_text(encoding="utf-8").splitlines())


@pytest.fixture
def project(pytester: pytest.Pytester) -> pytest.Pytester:
    """A project with a test that depends on what becomes of strangers and one that does not."""
    pytester.makepyfile(test_project=PROJECT + DEPENDS + INDEPENDENT)
    return pytester


def test_a_test_that_depends_on_a_switch_is_reported_with_switch_choice_grade_and_reason(
    project: pytest.Pytester,
) -> None:
    result = project.runpytest_inprocess(*RUN, SWEEP)
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines([
        "*undocumented behaviour that results depend on*",
        f"{LINE}fails under create: *AssertionError: *)",
        "",
        "switch *default *grade *choice *tests *what it decides",
        "segment_unknown_person *ignore *documented *create *1 *an unknown person in an add call",
        "",
        "2 marked, repeated * times in all; 1 depend on undocumented behaviour",
    ])
    assert result.ret == pytest.ExitCode.OK


def test_a_test_that_depends_on_nothing_is_not_reported(project: pytest.Pytester) -> None:
    result = project.runpytest_inprocess(*RUN, SWEEP)
    result.stdout.no_fnmatch_line("*test_an_event_is_accepted depends*")
    assert runs(project).count("test_an_event_is_accepted") > 1


def test_it_works_in_parallel(project: pytest.Pytester) -> None:
    result = project.runpytest_subprocess(*RUN, SWEEP, "-n", "2")
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines([f"{LINE}fails under create: *"])
    result.stdout.no_fnmatch_line("*test_an_event_is_accepted depends*")


@pytest.mark.parametrize(
    "option", [pytest.param((), id="no option"), pytest.param(("--fakeio-ambiguity=off",), id="off")]
)
def test_nothing_repeats_unless_asked(project: pytest.Pytester, option: tuple[str, ...]) -> None:
    result = project.runpytest_inprocess(*RUN, *option)
    result.assert_outcomes(passed=2)
    result.stdout.no_fnmatch_line("*undocumented behaviour*")
    assert runs(project) == ["test_an_event_is_accepted", "test_strangers_stay_outside"]


def test_a_test_without_the_marker_is_not_repeated(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(PROJECT + DEPENDS.replace("@pytest.mark.fakeio_ambiguity", ""))
    result = pytester.runpytest_inprocess(*RUN, SWEEP)
    result.assert_outcomes(passed=1)
    result.stdout.no_fnmatch_line("*undocumented behaviour*")
    assert runs(pytester) == ["test_strangers_stay_outside"]


def test_only_the_switches_that_are_named_are_swept(project: pytest.Pytester) -> None:
    result = project.runpytest_inprocess(*RUN, "--fakeio-ambiguity=batch_empty,segment_unknown_id")
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(["2 marked, repeated 0 times in all; 0 depend on undocumented behaviour"])


def test_a_switch_that_the_test_chooses_itself_is_left_alone(pytester: pytest.Pytester) -> None:
    chosen = "customerio.update_settings(segment_unknown_person='ignore')\n        assert add"
    pytester.makepyfile(PROJECT + DEPENDS.replace("assert add", chosen))
    result = pytester.runpytest_inprocess(*RUN, "--fakeio-ambiguity=segment_unknown_person")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["1 marked, repeated 0 times in all; 0 depend on undocumented behaviour"])


def test_a_dependence_fails_a_strict_run(project: pytest.Pytester) -> None:
    result = project.runpytest_inprocess(*RUN, SWEEP, "--fakeio-ambiguity-strict")
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines([f"{LINE}fails under create: *", "the run fails, as --fakeio-ambiguity-strict asks"])
    assert result.ret == pytest.ExitCode.TESTS_FAILED


def test_a_strict_run_in_which_nothing_depends_passes(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(PROJECT + INDEPENDENT)
    result = pytester.runpytest_subprocess(*RUN, SWEEP, "--fakeio-ambiguity-strict", "-n", "1")
    result.assert_outcomes(passed=1)
    assert result.ret == pytest.ExitCode.OK


def test_every_case_of_a_parametrised_test_is_judged_alone(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        PROJECT
        + """
    @pytest.mark.fakeio_ambiguity
    @pytest.mark.parametrize("known", [True, False])
    def test_adding(customerio, auth, known):
        if known:
            customerio.add_person(id="1")
        assert add_to_segment(customerio, auth, "1") == (["1"] if known else [])
"""
    )
    result = pytester.runpytest_inprocess(*RUN, "--fakeio-ambiguity=segment_unknown_person")
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(["*::test_adding[[]False[]] depends on segment_unknown_person (*"])
    result.stdout.no_fnmatch_line("*test_adding[[]True[]] depends*")


def test_a_test_keeps_the_outcome_of_its_first_run(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(PROJECT + DEPENDS.replace("== []", "== ['nobody']"))
    result = pytester.runpytest_inprocess(*RUN, SWEEP)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([
        "*::test_strangers_stay_outside depends on segment_unknown_person"
        " (default ignore [[]documented[]]; passes under create)"
    ])


def test_a_marked_test_without_a_workspace_is_named(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("""
        import pytest

        @pytest.mark.fakeio_ambiguity
        def test_nothing(): ...
    """)
    result = pytester.runpytest_inprocess(*RUN, SWEEP)
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["*::test_nothing could not be examined: it never used the fixture `customerio`"])


def test_fixtures_of_one_test_are_fresh_in_every_repeat_and_wider_ones_are_shared(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        PROJECT
        + """
    made = []

    @pytest.fixture(scope="module")
    def wide():
        made.append("wide")

    @pytest.fixture
    def narrow():
        made.append("narrow")
        return []

    @pytest.mark.fakeio_ambiguity
    def test_swept(wide, narrow, customerio, auth):
        assert narrow == [] == customerio.people == customerio.requests
        narrow.append(1)
        add_to_segment(customerio, auth, "nobody")

    def test_afterwards(wide):
        assert made == ["wide", "narrow", "narrow"]
"""
    )
    result = pytester.runpytest_inprocess(*RUN, "--fakeio-ambiguity=segment_unknown_person")
    result.assert_outcomes(passed=2)


def test_a_name_that_is_no_switch_is_refused_with_those_that_are(pytester: pytest.Pytester) -> None:
    result = pytester.runpytest_inprocess(*RUN, "--fakeio-ambiguity=auto_merge")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*there is no switch 'auto_merge'; name one or several of *batch_empty*"])


@pytest.mark.parametrize("text", [pytest.param("", id="nothing"), pytest.param(" , ", id="a comma")])
def test_no_name_at_all_is_refused(text: str) -> None:
    with pytest.raises(pytest.UsageError, match="no switch is named"):
        parse_switches(text)


def test_all_means_every_switch_with_choices() -> None:
    assert parse_switches("all") == SWITCHES
    assert parse_switches(" batch_empty, rate_limits") == ("batch_empty", "rate_limits")
    assert all(CATALOGUE[name].kind == "switch" and len(CATALOGUE[name].choices) > 1 for name in SWITCHES)


def test_a_watched_workspace_tells_what_it_asks_and_not_what_was_chosen() -> None:
    with Fake() as fake:
        workspace = fake.new_workspace(settings={"event_creates_person": False})
        read = workspace.watch_settings()
        assert workspace.settings["event_creates_person"] is False
        assert read == set()
        workspace.add_person(id="1", email="a@x.io")
        workspace.reset()
        workspace._hosted.state.settings.batch_empty  # noqa: B018  reading is what is tested
        assert "batch_empty" in read
        workspace.update_settings(batch_all_invalid="400")
        workspace._hosted.state.settings.batch_all_invalid  # noqa: B018  reading is what is tested
        assert "batch_all_invalid" not in read
