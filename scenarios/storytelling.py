"""A failure as a story: at most thirty lines of Python that play the shortest way to it, run by pytest as they are.

Writes stories and plays them; finding one is for `exploring.py`. A story that is kept in `stories/` is played by the
project's own test suite from then on.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from hashlib import sha256
from itertools import groupby
from pathlib import Path
from types import MappingProxyType
from typing import Any

from fakeio import Fake
from scenarios.machines import MACHINES
from scenarios.machines.base import Machine, Move, aimed

MOST_LINES = 30
_AROUND = 16  # lines of a story that are no moves
_LONGEST_RUN = 40  # a text of more equal characters than this is written as a product
_WIDTH = 110


def play(name: str, moves: Callable[[Any], None], fake: Fake | None = None) -> Machine:
    """Play the moves on a fresh workspace, of a fake of its own unless one is given; every law is looked at after every
    move. Returns the machine as it ended. Raises what the machine finds wrong."""
    if fake is None:
        with Fake() as own:
            return play(name, moves, own)
    state = aimed(MACHINES[name], fake)()
    try:
        moves(state)
    finally:
        state.teardown()
    return state


def encode_story(name: str, moves: Sequence[Move], error: BaseException, seed: int | None) -> str:
    """The module: a docstring that says what was wrong, the moves, and a test that plays them."""
    says = " ".join(str(error).split()) or type(error).__name__
    found = f" Found with --seed {seed}." if seed is not None else ""
    docstring = f"{_cut(says).rstrip('.')}.{found}".replace("\\", "/").replace('"""', "'''")
    return "\n".join((
        f'"""{docstring}"""', "", "from __future__ import annotations", "",
        "from typing import Any", "", *_imports(moves),
        "from scenarios.storytelling import play as played", "", f'MACHINE = "{name}"', "", "",
        "def play(state: Any) -> None:", *_lines(moves), "", "", "def test_it_ends_well() -> None:",
        "    played(MACHINE, play)", "",
    ))  # fmt: skip


def save_story(folder: Path, name: str, text: str) -> Path:
    """Write it to a file whose name says which machine found it; equal stories have one name."""
    folder.mkdir(parents=True, exist_ok=True)
    moves = text.partition("MACHINE = ")[2]
    path = folder / f"story_{name}_{sha256(moves.encode()).hexdigest()[:8]}.py"
    path.write_text(text, encoding="utf-8")
    return path


def _lines(moves: Sequence[Move]) -> list[str]:
    """A line a move; with more moves than there are lines, several to a line."""
    calls = [f"state.{one.name}({', '.join(f'{key}={_literal(value)}' for key, value in one.arguments.items())})"
             for one in moves]  # fmt: skip
    room = MOST_LINES - _AROUND - len(_imports(moves))
    each = -(-len(calls) // room)
    return [f"    {'; '.join(calls[place:place + each])}" for place in range(0, len(calls), each)]


def _imports(moves: Sequence[Move]) -> list[str]:
    named = sorted({(type(one).__module__, type(one).__name__) for one in _records(move.arguments for move in moves)})
    return [
        f"from {module} import {', '.join(name for _, name in group)}"
        for module, group in groupby(named, key=lambda one: one[0])
    ]


def _records(values: Iterable[Any]) -> Iterable[Any]:
    """Every named tuple anywhere in the values."""
    for value in values:
        if hasattr(value, "_fields"):
            yield value
        if isinstance(value, Mapping):
            yield from _records(value.values())
        elif isinstance(value, list | tuple | set | frozenset):
            yield from _records(value)


def _literal(value: Any) -> str:
    if hasattr(value, "_fields"):
        given = {key: one for key, one in value._asdict().items() if value._field_defaults.get(key, _NONE) != one}
        return f"{type(value).__name__}({', '.join(f'{key}={_literal(one)}' for key, one in given.items())})"
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, dict | MappingProxyType):
        return f"{{{', '.join(f'{_literal(key)}: {_literal(one)}' for key, one in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(_literal, value))}]"
    if isinstance(value, tuple):
        return f"({''.join(f'{_literal(one)}, ' for one in value).removesuffix(' ')})"
    if isinstance(value, frozenset):
        return f"frozenset({{{', '.join(map(_literal, sorted(value)))}}})" if value else "frozenset()"
    return repr(value)


_NONE = object()


def _text(value: str) -> str:
    """Short even where the text is long: it is mostly one character, over and over."""
    run = max(re.finditer(r"(.)\1*", value, re.DOTALL), key=lambda one: len(one[0]), default=None)
    if run is None or len(run[0]) <= _LONGEST_RUN:
        return repr(value)
    parts = (value[: run.start()], f"{run[1]!r} * {len(run[0])}", value[run.end() :])
    return " + ".join(one if place == 1 else repr(one) for place, one in enumerate(parts) if one)


def _cut(text: str) -> str:
    return text if len(text) <= _WIDTH else f"{text[: _WIDTH - 1]}…"
