"""Which version of the engine this is, and the name under which it calls others."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version


def _version() -> str:
    try:
        return version("fakeio")
    except PackageNotFoundError:  # running from a source tree that was never installed
        return "0"


USER_AGENT = f"cio-sync/{_version()}"
