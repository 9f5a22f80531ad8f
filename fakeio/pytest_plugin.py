"""The pytest plugin `fakeio`: one live server a session, one fresh workspace a test.

pytest loads this file at every start, in every project that has the distribution installed. Everything that costs
time to import is therefore imported by the fixtures, when a test asks for one.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from fakeio.testing import Fake, WorkspaceHandle


@pytest.fixture(scope="session")
def fakeio_server() -> Iterator[Fake]:
    """A Customer.io on a free port of this machine, one for each process of the test run. Rate limits are off."""
    from fakeio.testing import Fake  # only when a test asks: it brings the whole server

    with Fake() as fake:
        yield fake


@pytest.fixture
def customerio(fakeio_server: Fake) -> Iterator[WorkspaceHandle]:
    """A workspace of this test's own: empty, with credentials that no other test has, gone when the test is over."""
    handle = fakeio_server.new_workspace()
    yield handle
    fakeio_server.remove_workspace(handle)
    handle.raise_first_error()


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
