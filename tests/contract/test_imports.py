"""Who may import whom, read from the syntax trees.

The rules are those of the rooms: `core` is pure, `edge` touches the world, fakeio and sync have never heard of each
other, scenarios see only what any user sees, nobody needs the tests. Each rule is also shown a text that breaks it.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable

import pytest

from tests.contract.source_tree import PACKAGES, ROOTS, Import, Module, imports, modules, parse_module

# What lies lower may not import what lies higher. The longest prefix that fits a module decides.
LAYERS: dict[str, dict[str, int]] = {
    "fakeio": {
        "fakeio.core": 0,
        "fakeio.faults": 1,
        "fakeio.edge": 2,
        "fakeio.app": 3,
        "fakeio.server": 4,
        "fakeio.testing": 5,
        "fakeio.pytest_plugin": 6,
        "fakeio.cli": 6,
        "fakeio": 5,  # the public names, and what stands beside `testing`
        "fakeio.__main__": 7,
    },
    "sync": {"sync.core": 0, "sync.edge": 1, "sync.run": 2, "sync": 2, "sync.cli": 3, "sync.__main__": 4},
}
STRANGERS = {"fakeio": ("sync", "scenarios"), "sync": ("fakeio", "scenarios"), "scenarios": (), "tests": ()}

IMPURE = frozenset({
    "asyncio", "http.client", "http.server", "httptools", "httpx", "logging", "os", "platformdirs", "random", "rich",
    "secrets", "select", "shutil", "signal", "socket", "sqlite3", "sqlite_utils", "ssl", "starlette", "subprocess",
    "tempfile", "threading", "time", "urllib.request", "uuid", "uvicorn", "uvloop",
})
IMPURE_CALLS = frozenset({"open", "print", "input", "datetime.now", "datetime.utcnow", "datetime.today", "date.today"})

# A library that one file uses is a library that one file replaces.
CONFINED = {
    "starlette": ("fakeio.edge", "fakeio.app", "scenarios.amplitude", "scenarios.asgi", "sync.edge.receiver"),
    "uvicorn": ("fakeio.server", "fakeio.server_protocol", "scenarios.amplitude_server", "sync.edge.serving"),
    "httpx": (
        "fakeio.edge.transport", "fakeio.testing", "sync.edge.transport",
        "sync.edge.amplitude_transport", "sync.edge.notifying", "scenarios.wires",
    ),
    "sqlite_utils": ("sync.edge.ledger", "sync.edge.migrations"),
    "cryptography": ("fakeio.edge.tls",),
    "isal": ("sync.edge",),
    "platformdirs": ("sync.edge.settings",),
}


def within(name: str, package: str) -> bool:
    """True for the package itself and all below it."""
    return name == package or name.startswith(package + ".")


def layer(module: str) -> tuple[str, int] | None:
    """The package of a module and its height there; None outside the layered packages."""
    package = module.partition(".")[0]
    heights = LAYERS.get(package, {})
    best = max((known for known in heights if _fits(module, known)), key=len, default=None)
    return (package, heights[best]) if best else None


def _fits(module: str, known: str) -> bool:
    # sync.run_cohort stands where sync.run stands; `fakeio` alone means the package's own __init__
    return within(module, known) or (known.count(".") == 1 and module.startswith(known + "_"))


def targets(item: Import, known: frozenset[str]) -> list[str]:
    """The module an import reaches: the submodule where the imported name is one."""
    inner = f"{item.module}.{item.name}"
    return [inner] if item.name and inner in known else [item.module]


def breaks_of_room(module: Module) -> Iterable[str]:
    """A package that it must never have heard of, or the tests."""
    root = module.name.partition(".")[0]
    banned = STRANGERS[root] if root == "tests" else (*STRANGERS[root], "tests")
    for item in imports(module):
        if any(within(item.module, stranger) for stranger in banned):
            yield f"{module.name}:{item.line} imports {item.module}"


def breaks_of_layer(module: Module) -> Iterable[str]:
    """An import that goes up."""
    here = layer(module.name)
    for item in imports(module):
        there = layer(item.module)
        if here and there and here[0] == there[0] and there[1] > here[1]:
            yield f"{module.name}:{item.line} reaches up to {item.module}"


def breaks_of_purity(module: Module) -> Iterable[str]:
    """Something of the world inside a core: a module that does I/O, or a call that reads a clock or a file."""
    if module.name.split(".")[1:2] != ["core"]:
        return
    for item in imports(module):
        if any(within(item.module, banned) for banned in IMPURE):
            yield f"{module.name}:{item.line} imports {item.module}"
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in IMPURE_CALLS:
            yield f"{module.name}:{node.lineno} calls {ast.unparse(node.func)}"


def breaks_of_confinement(module: Module) -> Iterable[str]:
    """A library used outside the files that it belongs to."""
    for item in imports(module):
        if item.module == "starlette.types":  # names of shapes, no behaviour
            continue
        homes = CONFINED.get(item.module.partition(".")[0])
        if homes and not any(within(module.name, home) for home in homes) and not item.typing_only:
            yield f"{module.name}:{item.line} imports {item.module}"


def breaks_of_privacy(module: Module) -> Iterable[str]:
    """A private name of another package."""
    root = module.name.partition(".")[0]
    for item in imports(module):
        other = item.module.partition(".")[0]
        if other in PACKAGES and other != root and any(_private(part) for part in (*item.module.split("."), item.name)):
            yield f"{module.name}:{item.line} imports {item.module} {item.name}"


def _private(name: str) -> bool:
    return name.startswith("_") and not name.endswith("__")


def breaks_of_place(module: Module) -> Iterable[str]:
    """An import inside a function without a comment, at it or above its group, that says why it is not at the top."""
    for item in imports(module):
        if item.deferred and not any("#" in line for line in _group(module.lines, item.line)):
            yield f"{module.name}:{item.line} imports {item.module} {item.name} inside a function and does not say why"


def _group(lines: list[str], line: int) -> list[str]:
    """The line of an import, those of the imports right above it, and the line above them."""
    first = line - 1
    while lines[first].lstrip().startswith(("import ", "from ")):
        first -= 1
    return lines[first:line]


RULES: dict[str, tuple[tuple[str, ...], Callable[[Module], Iterable[str]]]] = {
    "rooms": (ROOTS, breaks_of_room),
    "layers": (("fakeio", "sync"), breaks_of_layer),
    "purity": (("fakeio", "sync"), breaks_of_purity),
    "confinement": (PACKAGES, breaks_of_confinement),
    "privacy": (("scenarios",), breaks_of_privacy),
    "place": (PACKAGES, breaks_of_place),
}


@pytest.mark.parametrize("rule", RULES)
def test_every_module_keeps_the_rule_of(rule: str) -> None:
    roots, breaks = RULES[rule]
    assert [found for root in roots for module in modules(root) for found in breaks(module)] == []


BROKEN = [
    pytest.param("rooms", "fakeio.app", "from sync.core import diff", id="the fake knows the engine"),
    pytest.param("rooms", "sync.run", "def f():\n    import fakeio", id="the engine knows the fake, lazily"),
    pytest.param("rooms", "scenarios.demo", "from tests.unit import x", id="somebody needs the tests"),
    pytest.param("layers", "fakeio.core.people", "from fakeio.edge import tape", id="core reaches up to edge"),
    pytest.param("layers", "fakeio.faults.reset", "from fakeio.edge.http import Cut", id="a fault reaches up"),
    pytest.param("layers", "fakeio.edge.auth", "import fakeio", id="an edge needs the whole package"),
    pytest.param("layers", "sync.edge.ledger", "from sync.run_cohort import run", id="the ledger calls the shell"),
    pytest.param("purity", "sync.core.pace", "import time", id="a clock in the core"),
    pytest.param("purity", "sync.core.pace", "from urllib.request import urlopen", id="a socket in the core"),
    pytest.param("purity", "sync.core.pace", "from datetime import datetime\ndatetime.now(UTC)", id="a hidden clock"),
    pytest.param("purity", "fakeio.core.limits", "text = open('x').read()", id="a file in the core"),
    pytest.param("confinement", "sync.run", "import httpx", id="a second user of httpx"),
    pytest.param("confinement", "sync.core.diff", "import sqlite_utils.db", id="a second user of sqlite-utils"),
    pytest.param("privacy", "scenarios.demo", "from fakeio.core.limits import _READ_ON", id="a private name"),
    pytest.param("privacy", "scenarios.demo", "import sync.edge._pool", id="a private module"),
    pytest.param("place", "sync.cli", "def f():\n    x = 1\n    import rich", id="a late import without a reason"),
]


@pytest.mark.parametrize(("rule", "name", "text"), BROKEN)
def test_the_rule_notices(rule: str, name: str, text: str) -> None:
    assert len(list(RULES[rule][1](parse_module(name, text)))) == 1


KEPT = [
    pytest.param("layers", "fakeio.app", "from fakeio.edge import tape", id="down one"),
    pytest.param("layers", "sync.run_events", "from sync.run import Driver", id="beside"),
    pytest.param("purity", "fakeio.edge.clock", "import time", id="an edge has a clock"),
    pytest.param("confinement", "fakeio.edge.control", "from starlette.routing import Route", id="starlette at home"),
    pytest.param("privacy", "scenarios.demo", "from fakeio import __version__", id="a dunder is public"),
    pytest.param("place", "sync.cli", "def f():\n    # slow to import\n    import rich", id="a late import explained"),
    pytest.param("place", "sync.cli", "def f():\n    import a  # slow\n    import b", id="one reason for two"),
]


@pytest.mark.parametrize(("rule", "name", "text"), KEPT)
def test_the_rule_allows(rule: str, name: str, text: str) -> None:
    assert list(RULES[rule][1](parse_module(name, text))) == []


def import_graph(package: str) -> dict[str, set[str]]:
    """Which module of a package imports which, at import time."""
    known = frozenset(module.name for module in modules(package))
    graph: dict[str, set[str]] = {}
    for module in modules(package):
        at_import = [item for item in imports(module) if not item.deferred and not item.typing_only]
        reached = {name for item in at_import for name in targets(item, known)}
        graph[module.name] = (reached & known) - {module.name}
    return graph


def cycle_in(graph: dict[str, set[str]]) -> list[str]:
    """One cycle of a graph as the path that closes; [] where there is none."""
    done: set[str] = set()

    def walk(node: str, path: list[str]) -> list[str]:
        if node in path:
            return [*path[path.index(node) :], node]
        if node in done:
            return []
        for following in sorted(graph.get(node, ())):
            if found := walk(following, [*path, node]):
                return found
        done.add(node)
        return []

    return next((found for node in sorted(graph) if (found := walk(node, []))), [])


@pytest.mark.parametrize("package", PACKAGES)
def test_no_module_imports_itself_through_others(package: str) -> None:
    assert cycle_in(import_graph(package)) == []


@pytest.mark.parametrize(
    ("graph", "cycle"),
    [
        pytest.param({"a": {"b"}, "b": {"c"}, "c": {"b"}}, ["b", "c", "b"], id="two that need each other"),
        pytest.param({"a": {"b", "c"}, "b": {"c"}, "c": set()}, [], id="a diamond is no cycle"),
    ],
)
def test_a_cycle_is_found(graph: dict[str, set[str]], cycle: list[str]) -> None:
    assert cycle_in(graph) == cycle


ROOMS = ["fakeio.core", "fakeio.edge", "sync.core", "sync.edge", "scenarios", "tests.contract"]


@pytest.mark.parametrize("room", ROOMS)
def test_the_rules_have_read(room: str) -> None:
    assert any(module.name.startswith(room + ".") for module in modules(room.partition(".")[0]))
