"""The project's own source as syntax trees, for the tests that judge how it is written.

Reads the checkout, not the installed wheel: it is the text that people edit which must keep the rules.
"""

from __future__ import annotations

import ast
import gc
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

CHECKOUT = Path(__file__).resolve().parents[2]
PACKAGES = ("fakeio", "sync", "scenarios")
ROOTS = (*PACKAGES, "tests")


class Import(NamedTuple):
    """One imported thing: the module it is taken from, the name ("" for a plain import), where, and when."""

    module: str
    name: str
    line: int
    deferred: bool  # inside a function: runs when called, not when the module is imported
    typing_only: bool  # under `if TYPE_CHECKING:`: never runs


class Module(NamedTuple):
    """One source file under its dotted name."""

    name: str
    text: str
    tree: ast.Module
    is_package: bool = False

    @property
    def lines(self) -> list[str]:
        """The text, line by line, without ends."""
        return self.text.splitlines()


def parse_module(name: str, text: str, *, is_package: bool = False) -> Module:
    """A module from its text."""
    return Module(name, text, ast.parse(text), is_package)


@cache
def modules(root: str) -> tuple[Module, ...]:
    """Every module of one root folder, sorted by name."""
    collected = gc.isenabled()
    gc.disable()  # trees are kept, and looking through them over and over takes longer than making them
    try:
        return tuple(_read_modules(CHECKOUT / root))
    finally:
        if collected:
            gc.enable()


def _read_modules(folder: Path) -> Iterator[Module]:
    for path in sorted(folder.rglob("*.py")):
        parts = path.relative_to(CHECKOUT).with_suffix("").parts
        is_package = parts[-1] == "__init__"
        name = ".".join(parts[:-1] if is_package else parts)
        yield parse_module(name, path.read_text(encoding="utf-8"), is_package=is_package)


@cache
def imports(module: Module) -> tuple[Import, ...]:
    """Everything a module imports, wherever in its text, in order of lines."""
    found: list[Import] = []
    _collect(module.tree, found, deferred=False, typing_only=False)
    return tuple(found)


def _collect(node: ast.AST, found: list[Import], *, deferred: bool, typing_only: bool) -> None:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            found += [Import(alias.name, "", child.lineno, deferred, typing_only) for alias in child.names]
        elif isinstance(child, ast.ImportFrom):
            source = child.module or ""
            found += [Import(source, alias.name, child.lineno, deferred, typing_only) for alias in child.names]
        elif not isinstance(child, ast.expr):  # which can hold no import, and is most of a tree
            inside = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef)
            guarded = isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test)
            _collect(child, found, deferred=deferred or inside, typing_only=typing_only or guarded)
