"""The conformance report: what became of every case, with totals by tag and by grade, as text and as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from scenarios.catalogue.case import GRADES, Case
from scenarios.catalogue.matching import Difference

OK, DIFFERS, SKIPPED = "ok", "differs", "skipped"
FATES = (OK, DIFFERS, SKIPPED)


class Result(NamedTuple):
    """What became of one case. `why` says why it was skipped."""

    case: Case
    fate: str
    differences: Sequence[Difference] = ()
    why: str = ""


def as_dict(results: Sequence[Result], where: str) -> dict[str, Any]:
    """The report as JSON: `where` it was played, whether all is `ok`, totals, and every case."""
    return {
        "where": where,
        "ok": is_ok(results),
        "totals": _counted(results),
        "by_grade": {grade: _counted(_of_grade(results, grade)) for grade in GRADES},
        "by_tag": {tag: _counted(_of_tag(results, tag)) for tag in _tags(results)},
        "cases": [_row(result) for result in results],
    }


def tell(results: Sequence[Result], where: str) -> Iterator[str]:
    """The report in lines: whatever is not ok in full, then the totals."""
    for result in results:
        if result.fate == DIFFERS:
            yield f"DIFFERS  {result.case.name}: {result.case.words}"
            yield from (f"           {difference}" for difference in result.differences)
            yield f"           to look closer: cio-scenarios show {result.case.name}"
    skipped = [result for result in results if result.fate == SKIPPED]
    for why, count in Counter(result.why for result in skipped).most_common():
        yield f"skipped  {count}: {why}"
    yield f"{'':28}{'ok':>6}{'differs':>9}{'skipped':>9}"
    yield from (_line(f"grade {grade}", _of_grade(results, grade)) for grade in GRADES if _of_grade(results, grade))
    yield from (_line(tag, _of_tag(results, tag)) for tag in _tags(results))
    counts = _counted(results)
    yield f"{where}: {counts[OK]} ok, {counts[DIFFERS]} differ, {counts[SKIPPED]} skipped"


def is_ok(results: Iterable[Result]) -> bool:
    """Whether nothing differs."""
    return all(result.fate != DIFFERS for result in results)


def _row(result: Result) -> dict[str, Any]:
    case = result.case
    row: dict[str, Any] = {
        "name": case.name, "tags": list(case.tags), "grade": case.grade, "rules": list(case.rules), "fate": result.fate,
    }  # fmt: skip
    if result.fate == DIFFERS:
        row["differences"] = [difference._asdict() for difference in result.differences]
    return {**row, **({"why": result.why} if result.why else {})}


def _line(name: str, results: Sequence[Result]) -> str:
    counts = _counted(results)
    return f"  {name:<26}{counts[OK]:>6}{counts[DIFFERS]:>9}{counts[SKIPPED]:>9}"


def _counted(results: Iterable[Result]) -> dict[str, int]:
    counts = Counter(result.fate for result in results)
    return {fate: counts[fate] for fate in FATES}


def _of_grade(results: Sequence[Result], grade: str) -> list[Result]:
    return [result for result in results if result.case.grade == grade]


def _of_tag(results: Sequence[Result], tag: str) -> list[Result]:
    return [result for result in results if tag in result.case.tags]


def _tags(results: Iterable[Result]) -> list[str]:
    return sorted({tag for result in results for tag in result.case.tags})
