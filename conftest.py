"""What every test of this project shares: Hypothesis profiles, a hand-turned clock, and the rule that CI skips nothing.

The live server, its workspaces and their clean-up come from the pytest plugin that fakeio installs.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Generator

import pytest

from scenarios import profiles
from scenarios.scratch import IN_MEMORY

IN_CI = bool(os.environ.get("CI"))
PROXIES = ("http_proxy", "https_proxy", "all_proxy")  # in either case of letters; whoever tests one names it
ROOM_BYTES = 2 * 2**30  # a whole run fills a few hundred megabytes


def pytest_configure(config: pytest.Config) -> None:
    """The Hypothesis profile (`dev` at a desk, `ci` on a CI machine), no proxy, kept bytecode, and the one marker."""
    profiles.load()
    for name in PROXIES:
        os.environ.pop(name, None)
        os.environ.pop(name.upper(), None)  # every server of a test is on this machine
    keep_files_in_memory()
    # pytest compiles all that comes with a plugin, which is all of this project, and dozens of tests start a pytest
    sys.dont_write_bytecode = False
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    # a shell that starts a run in the background has it ignore interrupts, and every process it starts with it
    signal.signal(signal.SIGINT, signal.default_int_handler)
    config.addinivalue_line("markers", "may_skip_in_ci(why): needs something that no package index has")


def keep_files_in_memory() -> None:
    """Have `tmp_path` in memory where that has room and programs may be run from it: the engine waits for the disk.

    What a killed process has written is still there, as on a disk. Whoever names a place for it gets that.
    """
    try:
        there = os.statvfs(IN_MEMORY)
    except OSError:
        return
    roomy = there.f_bavail * there.f_frsize >= ROOM_BYTES and os.access(IN_MEMORY, os.W_OK)
    if roomy and not there.f_flag & os.ST_NOEXEC:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(IN_MEMORY))


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """What is collected stays to the end: the garbage collector need not look through it, now or during any test.

    There are so many modules and tests that it would otherwise take a third of the time.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.freeze()


def pytest_unconfigure() -> None:
    """Let the interpreter clear up as it always does when it ends."""
    gc.unfreeze()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """In CI a skipped test is a failed one: what it needs must be installed there, not missed in silence."""
    report = yield
    if IN_CI and report.skipped and not hasattr(report, "wasxfail") and not item.get_closest_marker("may_skip_in_ci"):
        report.outcome = "failed"
        report.longrepr = f"skipped in CI, where nothing may be missing: {report.longrepr}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """The same for a module that skips itself while it is collected."""
    report = yield
    if IN_CI and report.skipped:
        report.outcome = "failed"
        report.longrepr = f"skipped in CI, where nothing may be missing: {report.longrepr}"
    return report


class HandTurnedClock:
    """Time that moves only when a test says so, or when the code under test sleeps on it. Unix seconds."""

    def __init__(self, now: float) -> None:
        self._now = now
        self.slept: list[float] = []

    def __call__(self) -> float:
        """The time, for code that takes a clock as a function."""
        return self._now

    def advance(self, seconds: float) -> None:
        """Lets this much time pass."""
        self._now += seconds

    def sleep(self, seconds: float) -> None:
        """Stands in for `time.sleep`: passes at once and remembers how long it would have taken."""
        self.slept.append(seconds)
        self.advance(seconds)


@pytest.fixture
def clock() -> HandTurnedClock:
    """A clock at noon of 1 May 2026, UTC, that a test turns by hand."""
    return HandTurnedClock(1_777_636_800.0)
