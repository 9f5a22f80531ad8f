"""The pytest plugin as a stranger's project meets it: whole test runs, in one process and in two."""

from __future__ import annotations

import pytest

pytest_plugins = ["pytester"]

RUN = ("-p", "no:cacheprovider", "-p", "no:randomly")

USES_THE_FIXTURES = """
    import httpx

    def identify(customerio, identifier, **attributes):
        url = f"{customerio.url}/api/v1/customers/{identifier}"
        return httpx.put(url, json=attributes, auth=(customerio.site_id, customerio.track_api_key), trust_env=False)

    def test_one(customerio):
        assert identify(customerio, "42", plan="pro").status_code == 200
        assert customerio.person(id="42").attributes["plan"] == "pro"

    def test_the_next_begins_empty(customerio):
        assert customerio.people == []
        assert customerio.requests == []
        customerio.add_person(id="1")

    def test_they_share_a_server(customerio, fakeio_server):
        assert customerio.url == fakeio_server.url
        assert customerio.id != fakeio_server.workspace.id
        assert identify(fakeio_server.workspace, "42").status_code == 200
        assert customerio.people == []

    def test_those_of_earlier_tests_are_gone(customerio, fakeio_server):
        listed = httpx.get(f"{fakeio_server.url}/_fakeio/workspaces", trust_env=False).json()["workspaces"]
        assert [workspace["id"] for workspace in listed] == [1, customerio.id]

    def test_it_begins_anew_whenever_asked(customerio):
        assert identify(customerio, "42").status_code == 200
        customerio.reset()
        assert (customerio.people, customerio.requests) == ([], [])
        assert identify(customerio, "43").status_code == 200
"""

BREAKS_THE_FAKE = """
    import httpx
    import pytest

    def broken(*anything):
        raise RuntimeError("a bug of the fake")

    @pytest.fixture
    def bug(customerio, monkeypatch):
        monkeypatch.setattr(customerio._hosted.state, "apply", broken, raising=True)

    def test_passes_but_for_the_bug(bug, customerio):
        url = f"{customerio.url}/api/v1/customers/1"
        auth = (customerio.site_id, customerio.track_api_key)
        assert httpx.put(url, json={}, auth=auth, trust_env=False).status_code == 500

    def test_fails_because_of_the_bug(bug, customerio):
        url = f"{customerio.url}/api/v1/customers/1"
        auth = (customerio.site_id, customerio.track_api_key)
        assert httpx.put(url, json={}, auth=auth, trust_env=False).status_code == 200

    def test_fails_because_of_a_bug_in_the_control_api(customerio, monkeypatch):
        monkeypatch.setattr("fakeio.edge.control_people.person_view", broken)
        customerio.add_person(id="1")
        url = f"{customerio.url}/_fakeio/workspaces/{customerio.id}/people"
        assert httpx.get(url, trust_env=False).status_code == 500

    def test_has_nothing_to_do_with_it(customerio):
        customerio.add_person(id="1")
"""


def test_the_fixtures_give_a_server_and_a_fresh_workspace(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(USES_THE_FIXTURES)
    pytester.runpytest_subprocess(*RUN).assert_outcomes(passed=5)


def test_the_fixtures_work_in_parallel(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(USES_THE_FIXTURES)
    pytester.runpytest_subprocess(*RUN, "-n", "2").assert_outcomes(passed=5)


def test_a_bug_inside_the_fake_fails_the_test_that_met_it_and_no_other(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(BREAKS_THE_FAKE)
    result = pytester.runpytest_subprocess(*RUN)
    result.assert_outcomes(failed=3, passed=1)
    result.stdout.fnmatch_lines(["*RuntimeError: a bug of the fake*"])


def test_a_project_may_have_a_server_of_its_own_making(pytester: pytest.Pytester) -> None:
    pytester.makeconftest("""
        import fakeio
        import pytest

        @pytest.fixture(scope="session")
        def fakeio_server():
            with fakeio.Fake(tape_limit=7, settings={"auto_merge": False}) as fake:
                yield fake
    """)
    pytester.makepyfile("""
        def test_it_is_used(customerio, fakeio_server):
            assert (customerio._hosted.tape.limit, customerio.settings["auto_merge"]) == (7, False)
            assert customerio.url == fakeio_server.url
    """)
    pytester.runpytest_inprocess(*RUN).assert_outcomes(passed=1)


def test_a_failing_assertion_points_at_the_line_of_the_test(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("""
        def test_it(customerio):
            customerio.assert_event("order")
    """)
    result = pytester.runpytest_inprocess(*RUN)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([
        '>*customerio.assert_event("order")',
        "E*AssertionError: no event 'order' like this was recorded",
        "*:2: AssertionError",
    ])
    result.stdout.no_fnmatch_line("*assertions.py*")


def test_the_fixtures_are_listed_with_what_they_are_for(pytester: pytest.Pytester) -> None:
    result = pytester.runpytest_subprocess("--fixtures", *RUN)
    result.stdout.fnmatch_lines(["*fakeio_server*", "*Customer.io on a free port*"])
    result.stdout.fnmatch_lines(["*customerio*", "*workspace of this test's own*"])


def test_a_run_that_asks_for_no_fixture_pays_for_nothing(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("""
        import sys

        def test_nothing_is_loaded():
            heavy = {"uvicorn", "starlette", "cryptography", "hypothesis", "fakeio.testing", "msgspec"}
            assert heavy & set(sys.modules) == set()
    """)
    pytester.runpytest_subprocess(*RUN, "-p", "no:hypothesispytest").assert_outcomes(passed=1)
