"""Private folders for files that must have a name, since somebody else's library opens them.

They hold people, and go away when they are left. A killed process leaves its folder behind; whoever makes the next one
takes that away: a folder whose lock nobody holds is nobody's. What needs no name is a `tempfile.TemporaryFile`.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

PREFIX = "cio-sync-"
_LOCK = "held"


@contextlib.contextmanager
def private_folder() -> Iterator[Path]:
    """An empty folder, of mode 0700. Raises OSError where none can be made."""
    _sweep(Path(tempfile.gettempdir()))
    with tempfile.TemporaryDirectory(prefix=PREFIX) as name, _held(Path(name)):
        yield Path(name)


@contextlib.contextmanager
def _held(folder: Path) -> Iterator[None]:
    handle = os.open(folder / "new", os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        os.rename(folder / "new", folder / _LOCK)  # under this name nobody ever sees it unlocked
        yield
    finally:
        os.close(handle)


def _sweep(parent: Path) -> None:
    for folder in parent.glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):  # gone meanwhile, or not ours to touch
            if _is_ours(folder.lstat()) and _is_left(folder / _LOCK):
                shutil.rmtree(folder, ignore_errors=True)


def _is_ours(found: os.stat_result) -> bool:
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid()


def _is_left(lock: Path) -> bool:
    """Whether nobody holds it. Raises OSError where there is none: then nobody can say."""
    handle = os.open(lock, os.O_RDWR | os.O_NOFOLLOW)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(handle)
    return True
