"""The project speaks of itself alone, says what is true today, and stays small enough to read.

Looks at every text file that is committed or would be: no path of somebody's machine, no number of somebody's
tracker, no host of a package registry, no promise to finish later; files and functions no longer than agreed.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache

import pytest

from tests.contract.source_tree import CHECKOUT, ROOTS, Module, modules, parse_module

SKIPPED_FOLDERS = frozenset({
    ".git", ".venv", ".hypothesis", ".mypy_cache", ".pytest_cache", ".ruff_cache", "__pycache__", "build", "dist",
})
TEXT_SUFFIXES = frozenset({
    "", ".py", ".js", ".cjs", ".mjs", ".rb", ".go", ".md", ".toml", ".yaml", ".yml", ".json", ".jsonl", ".csv", ".txt",
    ".typed",
})
MOST_LINES = 400
MOST_LINES_OF_A_FUNCTION = 50

# Written in pieces, so that this file does not hold what it looks for.
FOREIGN = {
    "a path of somebody's machine": r"(?<![\w.])/(?:work|farm|home|Users|root)/\w",
    "a folder of somebody's machine": r"/tmp/" + r"venv|\.libr" + r"ary\b",
    "a number of somebody's tracker": r"\b(?:[Ii]ssue|[Tt]icket|PR) " + r"?#?\d+\b|(?<![\w&#/])#\d+\b",
    "a host of a package registry": r"pypi\.(?:" + r"org|python)|python" + r"hosted|npm" + r"js\.|registry\.n" + r"pm",
    "a tool of somebody's workplace": r"\bthis session\b|\bAI " + r"assistant|\bLLM\b|[Cc]hat" + r"GPT|[Cc]lau" + r"de",
}
UNFINISHED = {
    "unfinished work": r"\b(?:TO" + r"DO|FIX" + r"ME|XX" + r"X|HA" + r"CK)\b",
    "a promise to finish": r"NotImplemented" + r"Error|\bnot implemented\b|\bfor n" + r"ow\b|\bplace" + r"holder\b",
}


@cache
def texts() -> tuple[tuple[str, str], ...]:
    """Every text file of the checkout that is the project's own, with its path from the root."""
    return tuple(_read_texts())


def _read_texts() -> Iterator[tuple[str, str]]:
    for path in sorted(CHECKOUT.rglob("*")):
        relative = path.relative_to(CHECKOUT)
        if path.is_file() and not SKIPPED_FOLDERS.intersection(relative.parts) and path.suffix in TEXT_SUFFIXES:
            yield str(relative), path.read_text(encoding="utf-8", errors="replace")


def finds(pattern: str, name: str, text: str) -> list[str]:
    """Where a pattern stands in a text, as `file:line: the line`. Case counts: `todo` is a good name for a variable."""
    wanted = re.compile(pattern)
    if not wanted.search(text):
        return []
    return [f"{name}:{n}: {line.strip()}" for n, line in enumerate(text.splitlines(), 1) if wanted.search(line)]


@pytest.mark.parametrize("what", FOREIGN)
def test_no_file_contains(what: str) -> None:
    assert [found for name, text in texts() for found in finds(FOREIGN[what], name, text)] == []


@pytest.mark.parametrize("what", UNFINISHED)
def test_no_source_contains(what: str) -> None:
    source = [module for root in ROOTS for module in modules(root)]
    assert [found for module in source for found in finds(UNFINISHED[what], module.name, module.text)] == []


@pytest.mark.parametrize(
    ("what", "text"),
    [
        pytest.param("a path of somebody's machine", "see /home/" + "ann/notes", id="home"),
        pytest.param("a number of somebody's tracker", "as issue " + "12 says", id="number"),
        pytest.param("a number of somebody's tracker", "fixes #" + "12", id="short number"),
        pytest.param("a host of a package registry", "https://pypi" + ".org/simple", id="index"),
    ],
)
def test_a_foreign_word_is_noticed(what: str, text: str) -> None:
    assert finds(FOREIGN[what], "x", text) == [f"x:1: {text}"]


@pytest.mark.parametrize("text", ["a workspace/person", "&#39; and #fff", "a network/work path", "Track API > #events"])
def test_an_innocent_word_passes(text: str) -> None:
    assert [what for what, pattern in FOREIGN.items() if finds(pattern, "x", text)] == []


def functions(module: Module) -> Iterator[tuple[str, int]]:
    """Every function of a module as `module:line name` with its length in lines, decorators not counted."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield f"{module.name}:{node.lineno} {node.name}", (node.end_lineno or node.lineno) - node.lineno + 1


@pytest.mark.parametrize("root", ROOTS)
def test_no_function_is_longer_than_a_page(root: str) -> None:
    measured = [found for module in modules(root) for found in functions(module)]
    assert [name for name, length in measured if length > MOST_LINES_OF_A_FUNCTION] == []


def test_a_long_function_is_noticed() -> None:
    text = "def short(): ...\n\n@x\ndef long():\n" + "    pass\n" * MOST_LINES_OF_A_FUNCTION
    assert list(functions(parse_module("m", text))) == [("m:1 short", 1), ("m:4 long", MOST_LINES_OF_A_FUNCTION + 1)]


@pytest.mark.parametrize("root", ROOTS)
def test_no_file_is_longer_than_a_newcomer_reads(root: str) -> None:
    assert [module.name for module in modules(root) if len(module.lines) > MOST_LINES] == []


@pytest.mark.parametrize("root", ROOTS)
def test_every_file_says_what_it_decides(root: str) -> None:
    silent = [module.name for module in modules(root) if module.text.strip() and not ast.get_docstring(module.tree)]
    assert silent == []


def excuses() -> Iterator[str]:
    """Every word to a checker that it should look away, in the source, as `file:line: the line`."""
    pattern = r"#\s*(?:type:\s*ig" + r"nore|no" + r"qa|pragma:\s*no\s)"
    for root in ROOTS:
        for module in modules(root):
            yield from finds(pattern, module.name, module.text)


def test_every_excuse_to_a_checker_names_its_code_and_its_reason() -> None:
    reasoned = re.compile(
        r"#\s*type:\s*ig" + r"nore\[[\w, -]+\]\s+#\s*\S+|#\s*no" + r"qa:\s*[A-Z]+\d+(?:,\s*[A-Z]+\d+)*\s+(?:#\s*)?\S+"
        r"|#\s*pragma:\s*no \w+\s+(?:#\s*)?\S+"
    )
    assert [found for found in excuses() if not reasoned.search(found)] == []


def test_the_top_level_holds_what_was_agreed() -> None:
    agreed = {"pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md", "conftest.py", *ROOTS}
    there = {path.name for path in CHECKOUT.iterdir() if not path.name.startswith(".")}
    assert there - {"build", "dist", "__pycache__"} == agreed
