"""`~` and `$name` in the texts of a case, replaced by the prefix of the run and by what the run has learnt."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

PREFIX = "~"
_NAME = re.compile(r"\$([a-z][a-z0-9_]*)")
S = TypeVar("S", bound=msgspec.Struct)


def fill(value: Any, prefix: str, learnt: Mapping[str, Any]) -> Any:
    """The value with every text in it filled; what nobody has learnt stays as it is written."""
    if isinstance(value, str):
        return _fill_text(value, prefix, learnt)
    if isinstance(value, Mapping):
        return {fill(key, prefix, {}): fill(held, prefix, learnt) for key, held in value.items()}
    if isinstance(value, list | tuple):
        return [fill(held, prefix, learnt) for held in value]
    return value


def fill_struct(struct: S, prefix: str, learnt: Mapping[str, Any]) -> S:
    """The same for a part of a case."""
    return msgspec.convert(fill(msgspec.to_builtins(struct), prefix, learnt), type(struct))


def _fill_text(text: str, prefix: str, learnt: Mapping[str, Any]) -> Any:
    whole = _NAME.fullmatch(text)
    if whole is not None:
        return learnt.get(whole[1], text)
    return _NAME.sub(lambda found: str(learnt.get(found[1], found[0])), text).replace(PREFIX, prefix)
