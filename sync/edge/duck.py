"""DuckDB, which comes with the extra `scale`: whether it is there, and how it is opened.

Always a database of its own in memory, with bounded memory and threads, that spills into a private folder and fetches
nothing over the network: its extensions may not be installed by themselves.
"""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import duckdb

MOST_THREADS = 4


def is_installed() -> bool:
    return find_spec("duckdb") is not None


def open_database(folder: Path, *, most_memory: str) -> duckdb.DuckDBPyConnection:
    """An empty database that spills into `folder`. Raises ImportError without the extra."""
    import duckdb  # here, since it is an extra, and large

    config: dict[str, Any] = {
        "autoinstall_known_extensions": False, "autoload_known_extensions": False, "memory_limit": most_memory,
        "temp_directory": str(folder), "threads": min(MOST_THREADS, os.cpu_count() or 1),
    }  # fmt: skip
    return duckdb.connect(config=config)
