"""Puts a mutant in force: the body of a function is exchanged, in place, for a call of what stands in for it.

Whoever holds the function, by whichever name and however long, calls the wrong one from then on, until it is put back.
One mutant at a time. Nothing here is ever reached unless somebody asks for a mutant by its name.
"""

from __future__ import annotations

import functools
import inspect
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from scenarios.mutants.mutant import Mutant, Patch

_in_force: list[str] = []


class CannotMutate(Exception):
    """The target does not exist, or is nothing that can be exchanged in place."""


def find_target(target: str) -> types.FunctionType:
    """The function that `module:function`, `module:Class.method` or `module:Class.property` names; raises
    CannotMutate."""
    module, _, path = target.partition(":")
    try:
        found: Any = functools.reduce(inspect.getattr_static, path.split("."), import_module(module))
    except (ImportError, AttributeError) as error:
        raise CannotMutate(f"there is no {target} ({error}); was it renamed? Then mend the mutant") from error
    if isinstance(found, property):
        found = found.fget
    found = inspect.unwrap(found) if callable(found) else found
    if not isinstance(found, types.FunctionType) or found.__code__.co_freevars:
        raise CannotMutate(f"{target} is no plain function; only those can be exchanged in place")
    return found


def exchange(patch: Patch, place: int = 0) -> Callable[[], None]:
    """Put one patch in force; returns what puts the function back. `place` tells the patches of a mutant apart."""
    function = find_target(patch.target)
    name = f"_mutant_in_place_{place}"
    code, defaults, kwdefaults = function.__code__, function.__defaults__, function.__kwdefaults__
    twin = types.FunctionType(code, function.__globals__, function.__name__, defaults)
    twin.__kwdefaults__ = kwdefaults
    function.__globals__[name] = functools.partial(patch.wrong, twin)
    stand_in = _yield_in_place if inspect.isgeneratorfunction(function) else _call_in_place
    function.__code__ = stand_in.__code__.replace(co_names=(name,))
    function.__defaults__ = function.__kwdefaults__ = None

    def put_back() -> None:
        function.__code__, function.__defaults__, function.__kwdefaults__ = code, defaults, kwdefaults
        del function.__globals__[name]

    return put_back


@contextmanager
def applied(mutant: Mutant) -> Iterator[None]:
    """Have it in force for a while. Raises CannotMutate, also while another one is in force."""
    if _in_force:
        raise CannotMutate(f"{_in_force[0]} is in force; one at a time")
    _in_force.append(mutant.name)
    undo: list[Callable[[], None]] = []
    try:
        for place, patch in enumerate(mutant.patches):
            undo.append(exchange(patch, place))
        yield
    finally:
        for put_back in undo:
            put_back()
        _in_force.clear()


def _call_in_place(*args: Any, **kwargs: Any) -> Any:
    return _mutant_in_place(*args, **kwargs)  # type: ignore[name-defined]  # noqa: F821 - of the target's module


def _yield_in_place(*args: Any, **kwargs: Any) -> Any:
    """For a generator, since a function may not become one, nor one a function."""
    return (yield from _mutant_in_place(*args, **kwargs))  # type: ignore[name-defined]  # noqa: F821 - as above
