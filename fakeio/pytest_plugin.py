"""The pytest plugin `fakeio`: one live server a session, one fresh workspace a test, and the option to sweep switches.

pytest loads this file at every start, in every project that has the distribution installed. Everything that costs
time to import is therefore imported by the fixtures, when a test asks for one.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from fakeio.testing import Fake, WorkspaceHandle

_OPTION = "--fakeio-ambiguity"


def pytest_addoption(parser: pytest.Parser) -> None:
    """The sweep: `pytest_ambiguity.py`."""
    group = parser.getgroup("fakeio", "a Customer.io for tests")
    group.addoption(
        _OPTION, default="off", metavar="SWITCHES",
        help="repeat each test marked fakeio_ambiguity under every choice of the switches it touches, and say which of "
        "them its result depends on: `all`, names with commas between them, or `off` (default)",
    )  # fmt: skip
    group.addoption(
        f"{_OPTION}-strict", action="store_true", help="with the sweep: a test that depends on a switch fails the run"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Announce the marker; set the sweep going when it is asked for."""
    config.addinivalue_line(
        "markers", f"fakeio_ambiguity: find out with {_OPTION} which undocumented behaviour the result depends on"
    )
    wanted: str = config.getoption(_OPTION)
    if wanted == "off":
        return
    # here, so that a run without the sweep does not load it
    from fakeio.pytest_ambiguity import Sweep, parse_switches

    switches = parse_switches(wanted)
    if switches:
        config.pluginmanager.register(Sweep(switches, strict=config.getoption(f"{_OPTION}-strict")), "fakeio-ambiguity")


@pytest.fixture(scope="session")
def fakeio_server() -> Iterator[Fake]:
    """A Customer.io on a free port of this machine, one for each process of the test run. Rate limits are off."""
    from fakeio.testing import Fake  # only when a test asks: it brings the whole server

    with Fake() as fake:
        yield fake


@pytest.fixture
def customerio(request: pytest.FixtureRequest, fakeio_server: Fake) -> Iterator[WorkspaceHandle]:
    """A workspace of this test's own: empty, with credentials that no other test has, gone when the test is over."""
    handle = _open_workspace(request.node, fakeio_server)
    yield handle
    fakeio_server.remove_workspace(handle)
    handle.raise_first_error()


def _open_workspace(item: pytest.Item, fake: Fake) -> WorkspaceHandle:
    sweep = item.config.pluginmanager.get_plugin("fakeio-ambiguity")
    return fake.new_workspace() if sweep is None else sweep.open_workspace(item, fake)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    """An exception that nobody expected inside the fake fails the test that caused it: it is a bug, not bad weather."""
    try:
        yield
    except Exception as failure:
        _raise_first_error(item, failure)
        raise
    _raise_first_error(item, None)


def _raise_first_error(item: pytest.Item, failure: Exception | None) -> None:
    fake: Fake | None = getattr(item, "funcargs", {}).get("fakeio_server")
    if fake is None:
        return
    try:
        fake.raise_first_error()
    except Exception as bug:
        raise bug from failure
