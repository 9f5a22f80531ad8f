"""Control routes that hand out reproductions: a shell script, a test, or an archive of what the tape recorded."""

from __future__ import annotations

from fakeio.edge.control_http import Call, Result, parse_number
from fakeio.edge.exporting import Exporter, export


def export_one(call: Call) -> Result:
    """One exchange as a runnable reproduction; `as` is curl, pytest or har."""
    return _exported(call, parse_number(call.params["n"], "n", at_least=1))


def export_all(call: Call) -> Result:
    """All exchanges as one runnable reproduction; `as` is curl, pytest or har."""
    return _exported(call, None)


def _exported(call: Call, n: int | None) -> Result:
    with call.opened() as hosted:
        found = export(Exporter(hosted, call.desk.universe, call.origin), call.query.get("as"), n)
    return Result(200, text=found) if isinstance(found, str) else Result(200, found)
