"""Parquet files as identifiers or as lines of an export, in bounded memory, read by DuckDB.

DuckDB comes with the extra `scale`; without it such a file is an error that names the extra. A text column of
properties that holds JSON is read as what it says, for that is how warehouses store objects.
"""

from __future__ import annotations

import glob
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sync.core.errors import SourceError
from sync.edge.duck import open_database
from sync.edge.folders import private_folder

if TYPE_CHECKING:
    import duckdb

MAGIC = b"PAR1"
IDS_AT_ONCE, LINES_AT_ONCE = 20_000, 500
MOST_MEMORY = "256MB"
_TABLE = "read_parquet(?, binary_as_string = true)"
_OBJECTS = frozenset({"event_properties", "user_properties", "group_properties", "groups"})


def read_values(path: Path, name: str) -> Iterator[list[Any]]:
    """The values of one column, some thousands at a time: texts, integers, None and whatever else is there.

    Raises SourceError; with the code `no_id_column` when there is no such column.
    """
    with _opened(path) as connection:
        columns = _columns(connection, path)
        if name not in columns:
            raise SourceError(
                f"{path} has no column {name!r}; its columns are: {', '.join(columns)[:500]}; nothing was sent",
                hint="name the column that holds the identifiers with --id-column",
                code="no_id_column",
            )
        whole = columns[name].startswith("DECIMAL") and columns[name].endswith(",0)")  # as warehouses write integers
        value = f"{_quoted(name)}::HUGEINT" if whole else _quoted(name)
        rows = connection.execute(f"SELECT {value} FROM {_TABLE}", [_literal(path)])
        while chunk := rows.fetchmany(IDS_AT_ONCE):
            yield [value for (value,) in chunk]


def read_lines(path: Path) -> Generator[bytes]:
    """The rows as JSON objects, one a line, some hundred lines at a time. Raises SourceError."""
    with _opened(path) as connection:
        columns = _columns(connection, path)
        texts = [_quoted(name) for name, kind in columns.items() if name in _OBJECTS and kind == "VARCHAR"]
        parsed = ", ".join(f"CASE WHEN json_valid({one}) THEN {one}::JSON END AS {one}" for one in texts)
        chosen = f"* REPLACE ({parsed})" if parsed else "*"
        query = f"SELECT to_json(line) FROM (SELECT {chosen} FROM {_TABLE}) AS line"
        rows = connection.execute(query, [_literal(path)])
        while chunk := rows.fetchmany(LINES_AT_ONCE):
            yield "".join(f"{line}\n" for (line,) in chunk).encode()


@contextmanager
def _opened(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A database of its own in memory; every way in which reading can fail, as one clear error without content."""
    try:
        import duckdb  # here, since it is an extra, and large
    except ImportError as error:
        raise SourceError(
            f"{path} is a Parquet file, which needs the extra `scale`; nothing was sent",
            hint="pip install 'fakeio[scale]', or save it as CSV or JSONL",
            code="scale_missing",
        ) from error
    with private_folder() as folder:  # should it ever spill
        try:
            with open_database(folder, most_memory=MOST_MEMORY) as connection:
                yield connection
        except duckdb.OutOfMemoryException as error:
            raise SourceError(f"{path} has rows too large to read", hint="save it as JSONL") from error
        except duckdb.Error as error:
            raise SourceError(f"{path} is a damaged Parquet file, or cut short", hint="export it again") from error


def _columns(connection: duckdb.DuckDBPyConnection, path: Path) -> dict[str, str]:
    """The columns with their types, in order."""
    rows = connection.execute(f"DESCRIBE SELECT * FROM {_TABLE}", [_literal(path)]).fetchall()
    return {str(name): str(kind) for name, kind, *_ in rows}


def _literal(path: Path) -> str:
    """The path itself, though its name may look like a pattern."""
    return glob.escape(str(path.resolve()))


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
