"""Pages taken apart and put together: fenced blocks, links, and the tables that are rendered from the code.

A block opened with `python` or `bash` is run by `test_docs.py`; `python test` is run as a test file; `sh`, `console`
and `text` are for reading. `python -m tests.contract.readme` writes every rendered table anew.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from fakeio.app_routes import ROUTES
from fakeio.core.limits import LIMITS
from fakeio.core.rules import REFUSED, RULES
from fakeio.core.settings import ROWS
from fakeio.edge.routing import Route
from scenarios.catalogue import live_report
from scenarios.samples.anomalies import COHORT_ANOMALIES, export_anomalies
from tests.contract.proofs import Proof, asking, naming
from tests.contract.source_tree import CHECKOUT
from tests.contract.wishes import WISHES, Wish

LIVE_REPORT = CHECKOUT / "scenarios" / "catalogue" / "live-report.json"
_FENCE = re.compile(r"^```([a-z ]+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_LINK = re.compile(r"\]\(([^)#]+)[^)]*\)")


class Block(NamedTuple):
    """One fenced block: what it is opened with, its text, and the heading it stands under."""

    kind: str
    text: str
    heading: str


def blocks(page: str) -> list[Block]:
    """Every fenced block of a page, in order. A heading inside a block is a comment, not a heading."""
    headings = [(found.start(), found[1]) for found in _HEADING.finditer(_FENCE.sub(_blanked, page))]
    return [Block(found[1], found[2], _last_before(found.start(), headings)) for found in _FENCE.finditer(page)]


def _blanked(found: re.Match[str]) -> str:
    return " " * len(found[0])


def _last_before(place: int, headings: Iterable[tuple[int, str]]) -> str:
    return [text for start, text in headings if start < place][-1]


def links(page: str) -> list[str]:
    """The targets of all links that stay within the project."""
    return [target for target in _LINK.findall(page) if not target.startswith(("http://", "https://"))]


# -- rendered parts ----------------------------------------------------------------------------------------------------


def between(page: str, mark: str) -> str:
    """What stands between `<!-- mark -->` and `<!-- /mark -->`, without the lines of the marks."""
    return page.split(f"<!-- {mark} -->\n", 1)[1].split(f"<!-- /{mark} -->\n", 1)[0]


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines)


def limits_table() -> str:
    """The published limits."""
    return table(
        ("rule", "at most", "in", "one over is", "in words"),
        [(f"`{row.rule}`", _figure(row.strict, row.lenient), row.unit, row.breach, row.says) for row in LIMITS],
    )


def _figure(strict: int, lenient: int) -> str:
    return f"{strict:,}" if strict == lenient else f"{strict:,} to {lenient:,}"


def routes_table() -> str:
    """The operations that are imitated."""
    imitated = [route for route in ROUTES if route.imitated]
    return table(
        ("API", "operation", "method and path", "grade", "proved by"),
        [
            (row.api, row.operation, f"`{row.method} {row.path}`", _grade(row), _proof(asking(row.method, row.path)))
            for row in imitated
        ],
    )


def _grade(route: Route) -> str:
    return f"{route.grade} (minimum: holds nothing)" if route.minimum else route.grade


def absent_table() -> str:
    """The operations that are published and not imitated, by API."""
    absent = [route for route in ROUTES if not route.imitated]
    apis = dict.fromkeys(route.api for route in absent)
    return table(
        ("API", "operations that answer as unknown"),
        [(api, ", ".join(dict.fromkeys(row.operation for row in absent if row.api == api))) for api in apis],
    )


def ignored_table() -> str:
    """The rules by which an accepted operation changes nothing, or less than it says."""
    ignored = [rule for rule in RULES.values() if rule.effect != REFUSED]
    return table(
        ("rule", "in words", "what becomes of the operation", "grade", "source", "proved by"),
        [
            (f"`{rule.id}`", rule.says, rule.effect, rule.grade, rule.source, _proof(naming(rule.id)))
            for rule in ignored
        ],
    )


def refused_table() -> str:
    """The rules that refuse an operation, limits left out: they have a table of their own."""
    limited = {row.rule for row in LIMITS}
    refused = [rule for rule in RULES.values() if rule.effect == REFUSED and rule.id not in limited]
    return table(
        ("rule", "in words", "grade", "source", "proved by"),
        [(f"`{rule.id}`", rule.says, rule.grade, rule.source, _proof(naming(rule.id))) for rule in refused],
    )


def settings_table() -> str:
    """Settings and switches."""
    units = {row.name: "a number" if row.name.endswith("_s") else "a whole number" for row in ROWS}
    return table(
        ("name", "default", "choices", "what it decides", "grade", "source", "proved by"),
        [
            (
                f"`{row.name}`", _json(row.default), _choices(row.choices) or units[row.name], row.says, row.grade,
                row.source,
                _proof(naming(row.name)),
            )
            for row in ROWS
        ],
    )


def anomalies_table() -> str:
    """Everything odd in the samples."""
    rows = [
        *((row.name, "cohort", row.becomes, row.reason, row.rule) for row in COHORT_ANOMALIES),
        *((row.name, "export", row.becomes, row.reason, row.rule) for row in export_anomalies("")),
    ]
    return table(
        ("what", "file", "becomes", "the engine's word", "rule"),
        [(what, file, becomes, f"`{reason}`" if reason else "", rule) for what, file, becomes, reason, rule in rows],
    )


def wishes_table() -> str:
    """What users of other fakes want, and what answers it."""
    return table(
        ("", "asked of", "wanted", "answer"),
        [(str(number), f"{row.peer}: {row.threads}", row.says, _answer(row)) for number, row in WISHES.items()],
    )


def live_page() -> str:
    """The kept report of a run on a real workspace."""
    if not LIVE_REPORT.exists():
        return "None is kept yet: every grade above rests on what is published, recorded or tested by clients.\n"
    return live_report.render(json.loads(LIVE_REPORT.read_text(encoding="utf-8")))


def _answer(wish: Wish) -> str:
    page = f"[{wish.page}]({wish.page})" if wish.page.endswith(".md") else f"\"{wish.page}\" above" if wish.page else ""
    tests = [test.replace(".py::test_", ": ").replace("_", " ") for test in wish.tests]
    return "; ".join(filter(None, (page, *tests, wish.because)))


def _proof(proof: Proof | None) -> str:
    return str(proof) if proof is not None else ""


def _json(value: object) -> str:
    return f"`{json.dumps(value)}`"


def _choices(values: Sequence[object]) -> str:
    return ", ".join(map(_json, values))


RENDERED: dict[tuple[str, str], Callable[[], str]] = {
    ("README.md", "limits"): limits_table,
    ("fakeio/README.md", "routes"): routes_table,
    ("fakeio/README.md", "absent"): absent_table,
    ("fakeio/README.md", "ignored"): ignored_table,
    ("fakeio/README.md", "refused"): refused_table,
    ("fakeio/README.md", "settings"): settings_table,
    ("fakeio/README.md", "wishes"): wishes_table,
    ("fakeio/README.md", "live"): live_page,
    ("scenarios/README.md", "anomalies"): anomalies_table,
}


def write_rendered(root: Path) -> None:
    """Puts the current tables into the pages."""
    for (name, mark), render in RENDERED.items():
        path = root / name
        start, _, rest = path.read_text(encoding="utf-8").partition(f"<!-- {mark} -->\n")
        _, end, after = rest.partition(f"<!-- /{mark} -->\n")
        path.write_text(f"{start}<!-- {mark} -->\n{render()}{end}{after}", encoding="utf-8")


if __name__ == "__main__":
    write_rendered(CHECKOUT)
