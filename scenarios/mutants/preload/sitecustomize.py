"""Loaded first by every Python of a command that runs against a mutant: exchanges functions once they are imported.

Reads which mutant from the environment, and leaves a file in the folder named there when the mutant is in force, so
that whoever started the command can tell a suite that noticed nothing from one that never met it. Nothing elsewhere.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Callable
from importlib.machinery import ModuleSpec, PathFinder
from typing import Any, cast

VARIABLE, MARKS = "FAKEIO_MUTANT", "FAKEIO_MUTANT_MARKS"
_ONCE = "_fakeio_mutant_hook"


class First(list[Any]):
    """The list of finders, in which ours stays the first: pytest, too, puts itself in front of all others."""

    def insert(self, index: Any, item: Any) -> None:
        """As a list does, but behind the first."""
        super().insert(index or 1, item)


class ThenPatch:
    """A module's loader, and what is to be done once the module has run."""

    def __init__(self, loader: Any, then: Callable[[], None]) -> None:
        self._loader = loader
        self._then = then

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)

    def exec_module(self, module: Any) -> None:
        """Run it, then patch it."""
        self._loader.exec_module(module)
        self._then()


class AfterImport:
    """A finder that finds what others find, and has the mutant's patches applied once their module has run."""

    def __init__(self, name: str, marks: str) -> None:
        self._name = name
        self._marks = marks
        self._waiting: dict[str, list[tuple[int, Any]]] = {}

    def install(self) -> None:
        """Learn what to wait for. Importing the list of mutants imports nothing of what they spoil."""
        from scenarios.mutants.catalogue import MUTANTS  # only here: a process that is no mutant's pays nothing

        for place, patch in enumerate(MUTANTS[self._name].patches):
            self._waiting.setdefault(patch.module, []).append((place, patch))
        sys.meta_path = First([self, *sys.meta_path])

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        """As the import system asks; None for every module that nobody waits for."""
        if name not in self._waiting:
            return None
        for finder in sys.meta_path:
            spec = None if finder is self else finder.find_spec(name, path, target)
            if spec is not None:
                spec.loader = cast("Any", ThenPatch(spec.loader, lambda: self._apply(name)))
                return spec
        return None

    def _apply(self, name: str) -> None:
        from scenarios.mutants.applying import exchange  # as above

        for place, patch in self._waiting.pop(name, ()):
            exchange(patch, place)
        with open(os.path.join(self._marks, str(os.getpid())), "a", encoding="utf-8") as file:
            file.write(f"{name}\n")


def run_hidden_sitecustomize(here: str) -> None:
    """Run the `sitecustomize` that would have been found without this one."""
    others = [entry for entry in sys.path if os.path.abspath(entry or os.curdir) != here]
    spec = PathFinder.find_spec("sitecustomize", others)
    if spec is None or spec.loader is None:
        return
    module = importlib.util.module_from_spec(spec)
    sys.modules["sitecustomize"] = module
    spec.loader.exec_module(module)


def install(here: str) -> None:
    """Once a process, however many of these hide one another."""
    name = os.environ.get(VARIABLE)
    if not name or getattr(sys, _ONCE, False):
        return
    setattr(sys, _ONCE, True)
    run_hidden_sitecustomize(here)
    AfterImport(name, os.environ.get(MARKS, os.curdir)).install()


install(os.path.dirname(os.path.abspath(__file__)))
