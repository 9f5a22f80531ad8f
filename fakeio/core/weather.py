"""Bad weather as values: a schedule of faults, and which of them strikes a request.

Decides when a fault fires, by counting alone: no clock, no global randomness (a coin is a number made of a seed and a
count, so a seed always tells the same story). What a kind of fault does is a value made by its file in `faults/`;
only the edge carries it out. Source of the counting rules: interface, "A fault".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Annotated, Any, ClassVar, Literal, NamedTuple, TypeVar

import msgspec

APIS = ("track", "app", "pipelines")
BEFORE_PARSE, BEFORE_COMMIT, AFTER_COMMIT = "before_parse", "before_commit", "after_commit"
MOMENTS = (BEFORE_PARSE, BEFORE_COMMIT, AFTER_COMMIT)
RESET, CLOSE = "reset", "close"


class Answer(NamedTuple):
    """Give this answer instead of the request's own."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes


class Pause(NamedTuple):
    """Wait, then go on with the request as if nothing had happened."""

    seconds: float


class Hold(NamedTuple):
    """Never answer. After so many seconds (None: never) the connection is closed; the request goes no further."""

    seconds: float | None


class Sever(NamedTuple):
    """End the connection without an answer: `reset` (TCP RST) or `close` (before the status line)."""

    how: str


class Postpone(NamedTuple):
    """Accept now and process later, in seconds on the workspace's clock; the answer is the usual one."""

    seconds: float


class Truncate(NamedTuple):
    """Close the connection after so many bytes of the answer's body, and always before its last one."""

    bytes: int


class Stall(NamedTuple):
    """Stop after so many bytes of the answer's body, go on later. The request is carried out as usual."""

    after_bytes: int
    seconds: float


class Slow(NamedTuple):
    """Send the answer's body at this rate. The request is carried out as usual."""

    bytes_per_s: float


class Drop(NamedTuple):
    """Answer as usual, and apply nothing."""


class FailItems(NamedTuple):
    """Refuse these items of a batch, counted from 0; their neighbours fare as usual."""

    indices: frozenset[int]


Action = Answer | Pause | Hold | Sever | Postpone | Truncate | Stall | Slow | Drop | FailItems


class Chance:
    """Coins of one request: the same seed and count give the same numbers, on every machine."""

    __slots__ = ("_state",)

    def __init__(self, seed: int, count: int) -> None:
        self._state = (seed * 0x9E3779B97F4A7C15 + count * 0xD1342543DE82EF95) & _MASK

    def draw(self) -> float:
        """The next number in [0, 1), by SplitMix64."""
        self._state = z = (self._state + 0x9E3779B97F4A7C15) & _MASK
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
        return ((z ^ (z >> 31)) >> 11) / (1 << 53)


_MASK = (1 << 64) - 1


class Effect(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What one kind of fault does. Its fields are the JSON fields of that kind, checked by their types."""

    kind: ClassVar[str] = ""
    moments: ClassVar[tuple[str, ...]] = MOMENTS  # those it may strike at
    moment: ClassVar[str] = BEFORE_COMMIT  # the one it strikes at unless told otherwise
    only_path: ClassVar[str | None] = None  # the one path it is about, whatever its match says

    def exceeded(self, memory: dict[str, float], now: float) -> bool:
        """Whether a request that counts is to be struck: the last word of kinds that strike by rate.

        `memory` is the fault's own, empty at first; `now` is the workspace's clock.
        """
        return True

    def act(self, api: str, chance: Chance) -> Action:
        """What the edge should do to one request of that API (`track`, `app` or `pipelines`): nothing, unless told."""
        return Pause(0.0)


class Match(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which requests count, and which of those fire. No field at all: every product request, each time.

    `path` is compared with the percent-encoded path as received; `*` stands for any characters, slashes too.
    """

    api: Literal["track", "app", "pipelines"] | None = None
    path: str | None = None
    method: str | None = None
    nth: Annotated[int, msgspec.Meta(ge=1)] | None = None
    every: Annotated[int, msgspec.Meta(ge=1)] | None = None
    probability: Annotated[float, msgspec.Meta(ge=0, le=1)] | None = None
    seed: int | None = None

    def counts(self, api: str, method: str, path: str) -> bool:
        """Whether such a request is one of those this fault is about."""
        return (
            (self.api is None or self.api == api)
            and (self.method is None or self.method.upper() == method)
            and (self.path is None or glob(self.path).fullmatch(path) is not None)
        )


@lru_cache(maxsize=1024)
def glob(pattern: str) -> re.Pattern[str]:
    """A pattern for whole paths: `*` is any characters, slashes too; everything else is itself."""
    literals = [re.escape(part) for part in re.split(r"\*+", pattern)]
    return re.compile(".*".join(literals), re.DOTALL)


class BadFault(ValueError):
    """The description of a fault that can't be one; the message says which part and what is allowed."""


class Fault:
    """A fault in force. `seen` counts matching requests since it was added, `fired` those it struck.

    `luck` is the seed of its coins unless its match has one: its place in the plan, so that a plan repeats itself.
    """

    __slots__ = ("_given", "_luck", "_memory", "effect", "fired", "id", "match", "seen", "times", "when")

    def __init__(
        self, *, id: int, effect: Effect, match: Match, times: int | None, when: str, given: Mapping[str, Any],
        luck: int,
    ) -> None:  # fmt: skip
        self.id = id
        self.effect = effect
        self.match = match
        self.times = times
        self.when = when
        self.seen = 0
        self.fired = 0
        self._given = given
        self._luck = luck if match.seed is None else match.seed
        self._memory: dict[str, float] = {}

    @property
    def kind(self) -> str:
        return self.effect.kind

    def as_dict(self) -> dict[str, Any]:
        """The fault as JSON: everything it was given, where and when it strikes, and its two counts."""
        own, match = msgspec.to_builtins(self.effect), msgspec.to_builtins(self.match)
        asked = self._given.get("match") or {}
        return {
            "id": self.id, "kind": self.kind, "match": {name: match[name] for name in match if name in asked},
            "times": self.times, "when": self.when, **{name: own[name] for name in own if name in self._given},
            "seen": self.seen, "fired": self.fired,
        }  # fmt: skip

    def counts(self, api: str, method: str, path: str) -> bool:
        """Whether such a request is one of those this fault is about."""
        only = self.effect.only_path
        return (only is None or path.rstrip("/") == only) and self.match.counts(api, method, path)

    def count(self, now: float) -> bool:
        """One more matching request: whether it fires, were it the only fault."""
        self.seen += 1
        match = self.match
        if self.times is not None and self.fired >= self.times:
            return False
        if match.nth is not None and self.seen != match.nth:
            return False
        if match.every is not None and self.seen % match.every:
            return False
        if match.probability is not None and self._coin().draw() >= match.probability:
            return False
        return self.effect.exceeded(self._memory, now)

    def strike(self, api: str) -> Drawn:
        """Fire: the request that was just counted gets this fault's action."""
        self.fired += 1
        coin = self._coin()
        coin.draw()  # the first number decided whether it fires
        return Drawn(self.id, self.kind, self.when, self.effect.act(api, coin))

    def _coin(self) -> Chance:
        return Chance(self._luck, self.seen)


class Drawn(NamedTuple):
    """What a fault does to one request: `when` names the moment, `action` is for the edge to carry out."""

    fault: int
    kind: str
    when: str
    action: Action


class Weather:
    """The faults of one workspace, in the order they were added. `kinds` tells the table of `faults/`, once one is."""

    __slots__ = ("_faults", "_kinds", "_last_id")

    def __init__(self, kinds: Callable[[], Mapping[str, type[Effect]]]) -> None:
        self._kinds = kinds
        self._faults: list[Fault] = []
        self._last_id = 0

    @property
    def faults(self) -> tuple[Fault, ...]:
        return tuple(self._faults)

    def __bool__(self) -> bool:
        return bool(self._faults)

    def add(self, document: Any) -> Fault:
        """A fault from its JSON object `{"kind", "match"?, "times"?, "when"?, …}`; raises BadFault."""
        (fault,) = self.add_all([document])
        return fault

    def add_all(self, documents: Iterable[Any]) -> list[Fault]:
        """A plan: its faults in order, all of them or, when one can't be (BadFault), none."""
        added: list[Fault] = []
        for document in documents:
            place = len(added) + 1
            luck = len(self._faults) + place
            try:
                added.append(_parse_fault(document, self._kinds(), fault_id=self._last_id + place, luck=luck))
            except BadFault as bad:
                raise BadFault(f"{bad} (fault {place} of the plan)" if place > 1 else str(bad)) from None
        self._last_id += len(added)
        self._faults += added
        return added

    def replace(self, documents: Iterable[Any]) -> list[Fault]:
        """This plan and no other fault, counted from the start; raises BadFault, and then nothing has changed."""
        fresh = Weather(self._kinds)
        fresh._last_id = self._last_id
        added = fresh.add_all(documents)
        self._faults, self._last_id = list(added), fresh._last_id
        return added

    def get(self, fault_id: int) -> Fault | None:
        return next((fault for fault in self._faults if fault.id == fault_id), None)

    def remove(self, fault_id: int) -> bool:
        """Take one away; False if there is none of that id."""
        kept = [fault for fault in self._faults if fault.id != fault_id]
        found = len(kept) != len(self._faults)
        self._faults = kept
        return found

    def clear(self) -> None:
        """Fair weather. Ids go on from where they were, so that an old id never names a new fault."""
        self._faults = []

    def draw(self, api: str, method: str, path: str, now: float = 0.0) -> Drawn | None:
        """Call once a product request. Every fault counts every request it matches; the first that fires strikes.

        `now` is the workspace's clock, which kinds that strike by rate go by.
        """
        struck: Fault | None = None
        for fault in self._faults:
            if fault.counts(api, method, path) and fault.count(now) and struck is None:
                struck = fault
        return None if struck is None else struck.strike(api)


COUNTS = ("id", "seen", "fired")  # told, never taken: a plan that was given out can be given back as it is


class _Frame(msgspec.Struct, forbid_unknown_fields=True):
    """The fields every fault has, whatever its kind."""

    kind: str
    match: Match | None = None
    times: Annotated[int, msgspec.Meta(ge=1)] | None = None
    when: Literal["before_parse", "before_commit", "after_commit"] | None = None


def _parse_fault(document: Any, kinds: Mapping[str, type[Effect]], *, fault_id: int, luck: int) -> Fault:
    if not isinstance(document, Mapping):
        raise BadFault('a fault is a JSON object such as {"kind": "status", "status": 503}')
    given = {name: value for name, value in document.items() if name not in COUNTS}
    common = {name: value for name, value in given.items() if name in _Frame.__struct_fields__}
    own = {name: value for name, value in given.items() if name not in common}
    effect_type = _kind(common.get("kind"), kinds)
    frame = _convert(common, _Frame, effect_type)
    effect = _convert(own, effect_type, effect_type)
    when = _moment(frame.when, effect_type)
    match = frame.match or Match()
    return Fault(id=fault_id, effect=effect, match=match, times=frame.times, when=when, given=given, luck=luck)


def _kind(name: Any, kinds: Mapping[str, type[Effect]]) -> type[Effect]:
    effect = kinds.get(name) if isinstance(name, str) else None
    if effect is None:
        said = "it has none" if name is None else f"there is no kind {_short(name)}"
        raise BadFault(f"a fault needs a kind and {said}; the kinds are {_listed(kinds)}")
    return effect


def _moment(when: str | None, effect: type[Effect]) -> str:
    if when is None:
        return effect.moment
    if when not in effect.moments:
        raise BadFault(f"a fault of kind {effect.kind} strikes {_listed(effect.moments)}, not {when}")
    return when


T = TypeVar("T")


def _convert(values: Mapping[str, Any], wanted: type[T], effect: type[Effect]) -> T:
    try:
        return msgspec.convert(values, wanted)
    except msgspec.ValidationError as error:
        fields = _listed((*effect.__struct_encode_fields__, *_Frame.__struct_fields__))
        said = str(error).replace("`$.", "`")
        raise BadFault(f"fault of kind {effect.kind}: {said} (its fields are {fields})") from None


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
