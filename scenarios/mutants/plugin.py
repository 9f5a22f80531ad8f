"""For pytest: `-p scenarios.mutants.plugin --mutants NAME,NAME TEST TEST` passes when each test fails on its mutant.

The first test is for the first name and so on; none may stand there twice. All in one process, with the mutant in force
from the test's setup to its teardown, so that dozens are done in seconds. No part of anybody's normal run.
"""

from __future__ import annotations

from collections.abc import Generator

import pytest

from scenarios.mutants.applying import applied
from scenarios.mutants.catalogue import MUTANTS

_MUTANT = pytest.StashKey[str]()
_NOTICED = pytest.StashKey[bool]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--mutants`."""
    parser.addoption("--mutants", metavar="NAME=TEST", action="append", default=[], help="a mutant and its killer")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Give every test its mutant. Raises UsageError for a pair whose test is not there."""
    wanted = dict(reversed(pair.split("=", 1)) for pair in config.getoption("--mutants"))
    if missing := wanted.keys() - {item.nodeid for item in items}:
        raise pytest.UsageError(f"there is no test {', '.join(sorted(missing))}; what kills its mutant now?")
    items[:] = [item for item in items if item.nodeid in wanted]
    for item in items:
        item.stash[_MUTANT] = wanted[item.nodeid]
        item.stash[_NOTICED] = False


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """The whole test, setup and teardown included, against its mutant."""
    with applied(MUTANTS[item.stash[_MUTANT]]):
        return (yield)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A failure is what is wanted; a test that has not failed by its end has noticed nothing."""
    report = yield
    if report.failed:
        item.stash[_NOTICED] = True
        report.outcome, report.longrepr = "passed", None
    if report.when == "teardown" and not item.stash[_NOTICED]:
        report.outcome, report.longrepr = "failed", f"{item.stash[_MUTANT]} was not noticed by this test"
    return report
