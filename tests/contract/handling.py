"""A fake and a workspace in hand, for the tests of the Python interface: one server a module, one workspace a test.

Modules name the fixtures they use: `fake, space, client = handling.fake, handling.space, handling.client`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from fakeio import Fake, WorkspaceHandle
from fakeio.core.wording import WIDTH


@pytest.fixture(scope="module")
def fake() -> Iterator[Fake]:
    with Fake() as fake:
        yield fake


@pytest.fixture
def space(fake: Fake) -> Iterator[WorkspaceHandle]:
    handle = fake.new_workspace()
    yield handle
    handle.raise_first_error()


@pytest.fixture
def client(fake: Fake) -> Iterator[httpx.Client]:
    with httpx.Client(transport=fake.transport, base_url=fake.url) as client:
        yield client


def track(client: httpx.Client, space: WorkspaceHandle, method: str, path: str, document: Any) -> httpx.Response:
    return client.request(method, f"/api/v1{path}", json=document, auth=(space.site_id, space.track_api_key))


def identify(client: httpx.Client, space: WorkspaceHandle, identifier: str, **attributes: Any) -> httpx.Response:
    return track(client, space, "PUT", f"/customers/{identifier}", attributes)


def failure(assertion: Callable[[], object]) -> str:
    """What a failing assertion says. Fits a terminal: never wider than agreed, but for its headline."""
    with pytest.raises(AssertionError) as failed:
        assertion()
    text = str(failed.value)
    assert [line for line in text.splitlines()[1:] if len(line) > WIDTH] == []
    return text
