"""Every case of the catalogue, in the order of its files, and the choosing among them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from importlib import import_module
from pkgutil import iter_modules

from scenarios.catalogue import cases
from scenarios.catalogue.case import Case


class UnknownCase(LookupError):
    """There is no case of that name, or none of that tag; the message says what there is."""


def all_cases() -> tuple[Case, ...]:
    """The whole catalogue: `CASES` of every module in `cases/`."""
    names = (found.name for found in iter_modules(cases.__path__))
    return tuple(case for name in names for case in import_module(f"{cases.__name__}.{name}").CASES)


def choose(names: Sequence[str] = (), tags: Iterable[str] = ()) -> list[Case]:
    """Those of these names that have all these tags; without names, all that have. Raises UnknownCase."""
    catalogue = {case.name: case for case in all_cases()}
    for name in names:
        if name not in catalogue:
            raise UnknownCase(f"there is no case {name!r}{_near(name, catalogue)}; see: cio-scenarios list")
    wanted = set(tags)
    chosen = [catalogue[name] for name in names] if names else list(catalogue.values())
    found = [case for case in chosen if wanted <= {*case.tags, case.grade}]
    if wanted and not found:
        known = ", ".join(sorted({tag for case in catalogue.values() for tag in (*case.tags, case.grade)}))
        raise UnknownCase(f"no case has {' and '.join(sorted(wanted))}; the tags are {known}")
    return found


def _near(name: str, known: Iterable[str]) -> str:
    words = set(name.split("-"))
    near = max(known, key=lambda one: len(words & set(one.split("-"))), default="")
    return f"; did you mean {near!r}?" if words & set(near.split("-")) else ""
