"""Whether tests that a table names exist: by module, function and, where one row of a table is meant, the row's id.

A table that names its proofs can't outlive them. Ids are written as pytest prints them, without the folder:
`test_app_segments.py::test_a_page_holds[none]`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from tests.contract.proofs import proofs

_ID = re.compile(r"(?P<module>\w+)\.py::(?P<name>\w+)(\[(?P<row>.+)\])?\Z")


class EdgeCase(NamedTuple):
    """One numbered case of the reference: what it says, in words of our own, and the tests that hold it."""

    says: str
    tests: tuple[str, ...]


def case(says: str, *tests: str) -> EdgeCase:
    """A case and at least one test."""
    return EdgeCase(says, tests)


def unknown_tests(ids: Iterable[str]) -> list[str]:
    """Those of the ids that name no test, or no row of a test's table."""
    return [each for each in ids if not _exists(each)]


def _exists(node_id: str) -> bool:
    match = _ID.match(node_id)
    if match is None:
        return False
    found = [one for one in proofs() if (one.module, one.name) == (match["module"], match["name"])]
    return bool(found) and (match["row"] is None or match["row"] in found[0].texts)
