"""`customerio-node` in a process of its own, driven call by call from a test through `node/driver.js`.

Needs node, and a `node_modules` folder with the package, named by FAKEIO_NODE_MODULES. Without them tests skip, which
CI does not let pass.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.contract.sdk_world import Call, World

VERSION = "5.2.0"
VERSIONS = {"customerio-node": VERSION, "customerio-node-4": "4.4.0"}  # the older one under a name of its own
DRIVER = Path(__file__).with_name("node") / "driver.js"
PATIENCE_S = 60  # a bound on hanging, never a measure
AT_ONCE = {"minTimeoutMs": 1, "maxTimeoutMs": 2}  # between two attempts


class SdkError(Exception):
    """What a call threw: the error's class in JavaScript, its message, and the status it carries, if any."""

    def __init__(self, name: str, message: str, status: int | None) -> None:
        super().__init__(message)
        self.name = name
        self.status = status


class NodeSdk:
    """The running library. One call at a time."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def track(self, world: World, one: Call, *, key: str | None = None, origin: str | None = None) -> Any:
        """Make a call of `TrackClient`; raises SdkError."""
        keys = [world.handle.site_id, key or world.handle.track_api_key]
        return self._make("TrackClient", keys, f"{origin or world.fake.url}/api/v1", one)

    def app(self, world: World, one: Call, *, key: str | None = None) -> Any:
        """Make a call of `APIClient`; raises SdkError."""
        return self._make("APIClient", [key or world.handle.app_api_key], f"{world.fake.url}/v1", one)

    def methods(self, client: str) -> set[str]:
        """What the class offers, methods it means for itself alone included."""
        return set(self._ask({"client": client}))

    def _make(self, client: str, keys: list[str], url: str, one: Call) -> Any:
        options = {"url": url, "retry": AT_ONCE}
        return self._ask(
            {"client": client, "keys": keys, "options": options, "method": one.method, "args": list(one.args)}
        )

    def _ask(self, request: dict[str, Any]) -> Any:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        if "error" in answer:
            raise SdkError(**answer["error"])
        return answer.get("value")


@contextmanager
def running(**environment: str) -> Iterator[NodeSdk]:
    """The library in a process of its own, with these variables besides the caller's; skips the test without it."""
    command = [_node(), str(DRIVER)]
    env = {**os.environ, "FAKEIO_NODE_MODULES": str(node_modules()), **environment}
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env) as process:
        try:
            yield NodeSdk(process)
            assert process.stdin
            process.stdin.close()
            assert process.wait(PATIENCE_S) == 0
        finally:
            process.kill()


@pytest.fixture(scope="module")
def node() -> Iterator[NodeSdk]:
    """The library, one process for the tests of a module."""
    with running() as sdk:
        yield sdk


def _node() -> str:
    found = shutil.which("node")
    if found is None:
        pytest.skip("there is no node on the PATH")
    return found


def node_modules(package: str = "customerio-node") -> Path:
    """The folder that has this package, in the version that the tests know; skips the test without it."""
    wanted = VERSIONS[package]
    named_so = "" if package == "customerio-node" else f"{package}@npm:"
    package_there = f"{named_so}customerio-node@{wanted}"
    install = f"run `npm install {package_there}` somewhere and set FAKEIO_NODE_MODULES to its node_modules"
    named = os.environ.get("FAKEIO_NODE_MODULES")
    if not named:
        pytest.skip(f"no {package}: {install}")
    about = Path(named).resolve() / package / "package.json"
    if not about.is_file():
        pytest.skip(f"FAKEIO_NODE_MODULES has no {package}: {install}")
    version = json.loads(about.read_text(encoding="utf-8"))["version"]
    if version != wanted:
        pytest.skip(f"these tests know customerio-node {wanted}, not {version}: {install}")
    return about.parent.parent
