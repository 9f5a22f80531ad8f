"""What DuckDB is asked about ids: how many of them are fit, and who is on one side only.

It reads files that we wrote and know to be plain, so nothing is left to its guesses; still, an error of its own, or
another number of rows than we counted, means that it is not asked.
"""

from __future__ import annotations

import glob
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from sync.core.budgets import PERSON_ID
from sync.edge.csv_column import PlainRows, Shape, read_column
from sync.edge.duck import open_database
from sync.edge.membership import Spool, Taken

if TYPE_CHECKING:
    import duckdb

MOST_MEMORY = "160MB"
ROWS_AT_ONCE = 20_000
_BLANK = "trim(id, ' \t\n\r\x0b\x0c') = ''"  # as bytes.isspace() has it
_TOO_LONG = f"strlen(id) > {PERSON_ID.most}"


class Source(NamedTuple):
    """A file that DuckDB can read, and the query that gives its ids, with the file's path as a parameter."""

    path: Path
    query: str

    @property
    def pattern(self) -> str:
        """The path as DuckDB wants it: of this one file, whatever is in its name."""
        return glob.escape(str(self.path))


def lines_at(path: Path) -> Source:
    """Ids that are fit, one a line, after a line that is none."""
    return Source(path, _reading(Shape(width=1, at=0, quoted=False, line_end=b"\n"), "\x1f"))


class Table:
    """A private file of rows of one shape."""

    def __init__(self, path: Path, shape: Shape) -> None:
        self.path = path
        self.shape = shape
        self.lines = 0
        self.is_fit = False  # nothing in it has to be left out
        # a first row that is no data: DuckDB would take a byte order mark off it
        path.write_bytes(shape.line(b"id"))

    def write(self, rows: PlainRows) -> None:
        self.lines += rows.lines
        with self.path.open("ab") as file:
            file.write(rows.block)

    def values(self) -> Iterator[list[bytes]]:
        """All values of the wanted field, some thousands at a time."""
        with self.path.open("rb") as file:
            for found in read_column(file, lambda _: self.shape.at):
                yield found.values() if isinstance(found, PlainRows) else found

    @property
    def every(self) -> Source:
        return Source(self.path, _reading(self.shape, ","))

    @property
    def source(self) -> Source:
        """Of those that are fit."""
        fit = "" if self.is_fit else f" WHERE NOT ({_BLANK} OR {_TOO_LONG})"
        return Source(self.path, f"SELECT id FROM ({self.every.query}){fit}")


def _reading(shape: Shape, delimiter: str) -> str:
    quote = '"' if shape.quoted else ""
    # an empty field is NULL to it, whatever it is told
    columns = ", ".join(f"'c{number}': 'VARCHAR'" for number in range(shape.width))
    return (
        f"SELECT coalesce(c{shape.at}, '') AS id FROM read_csv(?, header = true, delim = '{delimiter}',"
        f" quote = '{quote}', escape = '{quote}', columns = {{{columns}}}, auto_detect = false, strict_mode = true)"
    )


def count_fit(tables: Sequence[Table], folder: Path) -> Taken | None:
    """How many ids of the tables are fit, and how many are not; None: DuckDB does not read what is there."""
    import duckdb  # here, since it is an extra, and large

    total = Taken(0, 0, 0)
    try:
        with open_database(folder / "spilled", most_memory=MOST_MEMORY) as database:
            for table in tables:
                found = _count(database, table)
                if found is None:
                    return None
                total = Taken(*map(sum, zip(total, found, strict=True)))
    except duckdb.Error:
        return None
    return total


def _count(database: duckdb.DuckDBPyConnection, table: Table) -> Taken | None:
    # as in fit_ids: two quick looks at them all
    quick = f"count(*), coalesce(min(id) >= '!' AND max(strlen(id)) <= {PERSON_ID.most}, false)"
    lines, is_fit = _row(database, quick, table)
    if lines != table.lines:
        return None
    table.is_fit = bool(is_fit)
    if table.is_fit:
        return Taken(table.lines, 0, 0)
    exact = f"count(*) FILTER ({_BLANK}), count(*) FILTER ({_TOO_LONG} AND NOT {_BLANK})"
    blank, too_long = _row(database, exact, table)
    return Taken(table.lines - blank - too_long, blank, too_long)


def _row(database: duckdb.DuckDBPyConnection, what: str, table: Table) -> tuple[int, ...]:
    query = f"SELECT {what} FROM ({table.every.query})"
    (row,) = database.execute(query, [table.every.pattern]).fetchall()
    return tuple(row)


def find_differences(
    cohort: Sequence[Source], others: Sequence[Source], folder: Path, into: tuple[Spool, Spool, Spool]
) -> bool:
    """Compare the cohort with `others`: the confirmed members, and those the ledger knows something else about. Those
    of the cohort alone, of the members alone, and of both, the last only as far as they are among the second `others`,
    go `into` three spools. False: DuckDB did not do it."""
    import duckdb  # here, since it is an extra, and large

    try:
        with open_database(folder / "spilled", most_memory=MOST_MEMORY) as database:
            _find(database, cohort, others, into=into)
    except duckdb.Error:
        return False
    return True


def _find(
    database: duckdb.DuckDBPyConnection, cohort: Sequence[Source], others: Sequence[Source], *,
    into: tuple[Spool, Spool, Spool],
) -> None:
    new, gone, both = into
    known, *touched = others
    also = f" OR c.id IN ({touched[0].query})" if touched else ""
    database.execute("SET preserve_insertion_order = false")  # buckets have no order, and keeping one takes memory
    rows = database.execute(
        f"SELECT c.id, k.id FROM ({' UNION ALL '.join(one.query for one in cohort)}) AS c"
        f" FULL JOIN ({known.query}) AS k ON c.id = k.id WHERE c.id IS NULL OR k.id IS NULL{also}",
        [one.pattern for one in (*cohort, *others)],
    )
    while chunk := rows.fetchmany(ROWS_AT_ONCE):
        new.add([one.encode() for one, other in chunk if other is None])
        gone.add([other.encode() for one, other in chunk if one is None])
        both.add([one.encode() for one, other in chunk if one is not None and other is not None])
