"""A folder for what need not outlive the process: worlds that are played by the hundred, each with a ledger of its own.

The engine waits for the disk at every commit, as it must. In a folder in memory, where the system offers one, that
costs nothing, so a search takes the time of its work and not of a disk.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

IN_MEMORY = Path("/dev/shm")  # Linux; small in some containers
_ROOM_BYTES = 32 * 2**20


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """An empty folder that is removed at the end."""
    with TemporaryDirectory(prefix="fakeio-scratch-", dir=_place()) as name:
        yield Path(name)


def _place() -> Path | None:
    """In memory where there is room; None: wherever temporary files belong."""
    try:
        fits = os.access(IN_MEMORY, os.W_OK) and shutil.disk_usage(IN_MEMORY).free >= _ROOM_BYTES
    except OSError:
        return None
    return IN_MEMORY if fits else None
