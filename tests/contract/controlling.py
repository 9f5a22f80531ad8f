"""The control API of a fake for the tests of its routes: one server a module, one fresh workspace a test, no socket.

Modules name the fixtures they use: `fake, control = controlling.fake, controlling.control`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from fakeio import Fake, WorkspaceHandle

ADDRESS = "http://127.0.0.1"


class Control:
    """The control API of one workspace, and its Track API, without a socket."""

    def __init__(self, fake: Fake, handle: WorkspaceHandle) -> None:
        self.handle = handle
        self.client = httpx.Client(transport=fake.transport, base_url=ADDRESS)
        self.base = f"/_fakeio/workspaces/{handle.id}"

    def get(self, path: str, /, **query: Any) -> Any:
        answer = self.client.get(self.base + path, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def send(self, method: str, path: str, document: Any = None) -> httpx.Response:
        return self.client.request(method, self.base + path, json=document)

    def identify(self, identifier: str, **attributes: Any) -> httpx.Response:
        return self.track("PUT", f"/api/v1/customers/{identifier}", attributes)

    def track(self, method: str, path: str, document: Any) -> httpx.Response:
        return self.client.request(method, path, json=document, auth=(self.handle.site_id, self.handle.track_api_key))


@pytest.fixture(scope="module")
def fake() -> Iterator[Fake]:
    with Fake() as fake:
        yield fake


@pytest.fixture
def control(fake: Fake) -> Iterator[Control]:
    handle = fake.new_workspace()
    yield Control(fake, handle)
    handle.raise_first_error()
