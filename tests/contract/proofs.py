"""Which test proves which row of the fidelity page: found by reading the tests, so that the page can't promise more.

A test proves a rule or a switch when it names it, in its own text, in its decorators or in a table of its module that
it uses; it proves a route when it, or a function of its module that it calls, asks for a path of the route's shape.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

TESTS = Path(__file__).resolve().parents[1]
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_PRODUCTS = ("test_track", "test_app", "test_rules", "test_dialects")
_OPEN = "\N{OBJECT REPLACEMENT CHARACTER}"  # stands for a part of an f-string that only running would tell


class Proof(NamedTuple):
    """One test: its module, its name and every text it mentions."""

    module: str
    name: str
    texts: frozenset[str]

    @property
    def paths(self) -> list[str]:
        """Those of its texts that could be paths."""
        return [text for text in self.texts if text.startswith(("/", _OPEN))]

    def __str__(self) -> str:
        return f"{self.module}: {self.name.removeprefix('test_').replace('_', ' ').strip()}"


@cache
def proofs() -> tuple[Proof, ...]:
    """Every test of the fake, units first: the closest proof is the one to show."""
    units = sorted((TESTS / "unit" / "fakeio").glob("test_*.py"))
    contracts = sorted((TESTS / "contract").glob("test_*.py"))
    return tuple(proof for path in (*units, *contracts) for proof in _proofs_in(path))


def naming(word: str) -> Proof | None:
    """The first test that names a rule or a switch."""
    return next((proof for proof in proofs() if word in proof.texts), None)


def asking(method: str, path: str) -> Proof | None:
    """The first test that asks for a path of this shape; `#` parts a v2 action from its path."""
    template, _, action = path.partition("#")
    products = [proof for proof in proofs() if proof.module.startswith(_PRODUCTS)]
    if action:
        kind, _, verb = action.partition(".")
        entities = [proof for proof in products if "/api/v2/entity" in proof.texts]
        return next((proof for proof in entities if {kind, verb} <= proof.texts), None)
    shape = re.compile(re.sub(r"\\{[^}]*\\}", "[^/?]+", re.escape(template)) + r"(\?.*)?\Z")
    return next((proof for proof in products if any(shape.match(text) for text in proof.paths)), None)


def _proofs_in(path: Path) -> Iterator[Proof]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    shared = _shared(tree)
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            yield Proof(path.stem, node.name, frozenset(_mentioned(node, shared)))


def _shared(tree: ast.Module) -> dict[str, ast.AST]:
    """What a module's tests may use by name: its tables and its helpers."""
    found: dict[str, ast.AST] = {}
    for node in tree.body:
        if isinstance(node, ast.Assign):
            found |= {target.id: node for target in node.targets if isinstance(target, ast.Name)}
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            found[node.target.id] = node
        elif isinstance(node, _DEFINITIONS) and not node.name.startswith("test_"):
            found[node.name] = node
    return found


def _mentioned(start: ast.AST, shared: dict[str, ast.AST]) -> set[str]:
    texts: set[str] = set()
    seen: set[str] = set()
    waiting: list[ast.AST] = [start]
    while waiting:
        for node in ast.walk(waiting.pop()):
            texts |= set(_texts(node))
            if isinstance(node, ast.Name) and node.id in shared and node.id not in seen:
                seen.add(node.id)
                waiting.append(shared[node.id])
    return texts


def _texts(node: ast.AST) -> Iterable[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return (node.value,)
    if isinstance(node, ast.JoinedStr):
        return ("".join(str(part.value) if isinstance(part, ast.Constant) else _OPEN for part in node.values),)
    if isinstance(node, ast.keyword) and node.arg is not None:
        return (node.arg,)  # settings are often given by keyword
    return ()
