"""The conditions of a data-driven segment: what they may say, whether a person meets them, and which one fails.

The people filter's grammar and events performed, in the shape that the App API shows: `{"event": {"name", "type"?,
"filters"?}, "times"?, "within"?, "inverse"?}`, `within` in seconds. Who has performed what is counted by `tallies.py`;
when people are looked at again is decided by `building.py`. Source: App API > Segments; the shape is client-tested.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from fakeio.core.activities import EVENT_TYPES
from fakeio.core.filters import Filter, any_of, parse_filter
from fakeio.core.outcomes import Refused
from fakeio.core.people import People, Person, as_text
from fakeio.core.segments import Segments

_DEEPEST = 32  # as in a people filter
_ONE_OF = "a condition is an object with one of and, or, not, segment, attribute, event"


class BadConditions(ValueError):
    """Conditions that mean nothing here; the message says where and what would be right."""


class View(Protocol):
    """What conditions are judged by: the state, the time, and who has performed what."""

    people: People
    segments: Segments
    now: float

    def performed(self, condition: Performed, cio_id: str) -> int:
        """How often, counted no further than the condition asks for."""


class Condition(Protocol):
    """A node of the conditions."""

    def holds(self, view: View, person: Person) -> bool:
        """Whether the person meets it."""

    def failures(self, view: View, person: Person) -> list[str]:
        """Which of its parts fail, each with where it stands; empty when it holds."""

    def parts(self) -> Iterator[Condition]:
        """Itself and everything below it."""


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """An attribute or a membership, judged as a people search does. `segment` is the one it asks about, if any."""

    where: str
    wanted: Filter
    words: str
    field: str | None
    segment: int | None

    def holds(self, view: View, person: Person) -> bool:
        return self.wanted.test(view.people, view.segments, person)

    def failures(self, view: View, person: Person) -> list[str]:
        if self.holds(view, person):
            return []
        held = f": it is {person.value_of(self.field)!r:.80}" if self.field is not None else ""
        return [f"{self.where} fails ({self.words}){held}"]

    def parts(self) -> Iterator[Condition]:
        yield self


@dataclass(frozen=True, slots=True, eq=False)
class Performed:
    """At least `times` events of that name and type, with such data, in the last `within_s` seconds (None: ever)."""

    where: str
    name: str
    type: str
    times: int
    within_s: int | None
    data: tuple[Callable[[Mapping[str, Any]], bool], ...]

    def holds(self, view: View, person: Person) -> bool:
        return view.performed(self, person.cio_id) >= self.times

    def failures(self, view: View, person: Person) -> list[str]:
        count = view.performed(self, person.cio_id)
        if count >= self.times:
            return []
        when = f" within {self.within_s} s" if self.within_s is not None else ""
        return [f"{self.where} fails ({self.type} {self.name!r:.80} at least {self.times} times{when}): it is {count}"]

    def parts(self) -> Iterator[Condition]:
        yield self


_FIELDS = {"event": ("id", "name", "type", "filters"), "attribute": ("field", "operator", "value"), "segment": ("id",)}
_BESIDE = {"event": ("times", "within", "inverse"), "attribute": ("inverse",), "segment": ("inverse",)}


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """All of its nodes, or any one of them: then `known` are those that a people search could ask for, as one."""

    where: str
    nodes: tuple[Condition, ...]
    every: bool
    known: Filter | None
    judged: tuple[Condition, ...]  # one by one: all of the nodes, or those that `known` leaves

    def holds(self, view: View, person: Person) -> bool:
        every = self.every
        if self.known is not None and self.known.test(view.people, view.segments, person):
            return True
        for node in self.judged:  # not all() or any(): a generator costs more than most conditions
            if node.holds(view, person) is not every:
                return not every
        return every

    def failures(self, view: View, person: Person) -> list[str]:
        if self.holds(view, person):
            return []
        found = [text for node in self.nodes for text in node.failures(view, person)]
        return found or [f"{self.where} fails: any one of none"]

    def parts(self) -> Iterator[Condition]:
        yield self
        for node in self.nodes:
            yield from node.parts()


@dataclass(frozen=True, slots=True, eq=False)
class Inverse:
    """The opposite of a node."""

    where: str
    node: Condition

    def holds(self, view: View, person: Person) -> bool:
        return not self.node.holds(view, person)

    def failures(self, view: View, person: Person) -> list[str]:
        return [] if self.holds(view, person) else [f"{self.where} fails: what it turns round does hold"]

    def parts(self) -> Iterator[Condition]:
        yield self
        yield from self.node.parts()


def parse_conditions(document: Any) -> Condition:
    """The conditions in `document`; raises BadConditions."""
    return _node(document, "conditions", 0)


def segments_named(condition: Condition) -> set[int]:
    """The ids of the segments it asks about."""
    return {part.segment for part in condition.parts() if isinstance(part, Known) and part.segment is not None}


def _node(document: Any, where: str, depth: int) -> Condition:
    if not isinstance(document, dict) or not document:
        raise BadConditions(f"{where}: {_ONE_OF}")
    if depth > _DEEPEST:
        raise BadConditions(f"{where}: conditions nest at most {_DEEPEST} deep")
    document = _with_all_beside(document, where)
    keys = document.keys() - {"inverse", "times", "within"}
    if not keys:
        raise BadConditions(f"{where}: {_ONE_OF}")
    if "event" not in keys and keys != document.keys() - {"inverse"}:
        raise BadConditions(f"{where}: times and within stand beside an event")
    parts = [_part(key, document, f"{where}/{key}", depth) for key in document if key in keys]
    node = parts[0] if len(parts) == 1 else _all_of(where, parts)
    return _turned(document, node, where, alone=len(parts) == 1)


def _with_all_beside(document: Mapping[str, Any], where: str) -> Mapping[str, Any]:
    """The same with what stands in a condition though it belongs beside it; raises for what would count for nothing."""
    for kind, fields in _FIELDS.items():
        inside = document.get(kind)
        if not isinstance(inside, dict):
            continue
        moved = {key: inside[key] for key in _BESIDE[kind] if key in inside}
        _refuse_unknown(inside, (*fields, *_BESIDE[kind]), f"{where}/{kind}")
        document = {**moved, **document}
    return document


def _refuse_unknown(document: Mapping[str, Any], known: tuple[str, ...], where: str) -> None:
    unknown = next((key for key in document if key not in known), None)
    if unknown is not None:
        raise BadConditions(f"{where}: unknown field {unknown!r:.60}; those known here are {', '.join(known)}")


def _turned(document: Mapping[str, Any], node: Condition, where: str, *, alone: bool = True) -> Condition:
    inverse = document.get("inverse")
    if inverse is not None and not isinstance(inverse, bool):
        raise BadConditions(f"{where}/inverse: inverse is true or false")
    if inverse and not alone:
        raise BadConditions(f"{where}/inverse: inverse stands beside one condition; put each into an object of its own")
    return Inverse(f"{where}/inverse", node) if inverse else node


def _part(key: str, document: Mapping[str, Any], where: str, depth: int) -> Condition:
    value = document[key]
    if key in ("and", "or"):
        if not isinstance(value, list):
            raise BadConditions(f"{where}: {key} takes a list of conditions")
        nodes = [_node(each, f"{where}/{at}", depth + 1) for at, each in enumerate(value)]
        return _all_of(where, nodes) if key == "and" else _any_of(where, nodes)
    if key == "not":
        return Inverse(where, _node(value, where, depth + 1))
    if key == "event":
        return _performed(value, document, where)
    return _known(key, value, where)


def _all_of(where: str, nodes: list[Condition]) -> Group:
    return Group(where, tuple(nodes), every=True, known=None, judged=tuple(nodes))


def _any_of(where: str, nodes: list[Condition]) -> Group:
    known = [node.wanted for node in nodes if isinstance(node, Known)]
    judged = tuple(node for node in nodes if not isinstance(node, Known))
    return Group(where, tuple(nodes), every=False, known=any_of(known) if known else None, judged=judged)


def _known(key: str, value: Any, where: str) -> Known:
    wanted = parse_filter({key: value})
    if isinstance(wanted, Refused):
        at = wanted.field.removeprefix(f"/filter/{key}")
        raise BadConditions(f"{where}{at}: {_ONE_OF if key not in ('segment', 'attribute') else wanted.message}")
    if key == "segment":
        return Known(where, wanted, f"a member of segment {value['id']}", None, value["id"])
    operand = f" {as_text(value['value'])!r:.80}" if value["operator"] == "eq" else ""
    return Known(where, wanted, f"{value['field']:.80} {value['operator']}{operand}", value["field"], None)


def _performed(event: Any, beside: Mapping[str, Any], where: str) -> Performed:
    if not isinstance(event, dict) or not isinstance(event.get("name"), str) or not event["name"]:
        raise BadConditions(f"{where}/name: an event has a name")
    kind = event.get("type") or "event"
    if kind not in EVENT_TYPES:
        raise BadConditions(f"{where}/type: an event's type is one of {', '.join(EVENT_TYPES)}")
    times = _whole(beside, "times", where) or 1
    within_s = _whole(beside, "within", where) or None
    return Performed(where, event["name"], kind, times, within_s, _data_filters(event.get("filters"), where))


def _whole(document: Mapping[str, Any], key: str, where: str) -> int:
    value = document.get(key)
    if value is None:
        return 0
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        unit = " of seconds" if key == "within" else ""
        raise BadConditions(f"{where.removesuffix('/event')}/{key}: {key} is a whole number{unit}")
    return value


def _data_filters(filters: Any, where: str) -> tuple[Callable[[Mapping[str, Any]], bool], ...]:
    if filters is None:
        return ()
    rows = filters.get("and") if isinstance(filters, dict) and len(filters) == 1 else None
    if not isinstance(rows, list):
        raise BadConditions(f'{where}/filters: filters are {{"and": [{{"field", "operator", "value", "inverse"}}]}}')
    return tuple(_data_filter(row, f"{where}/filters/and/{at}") for at, row in enumerate(rows))


def _data_filter(row: Any, where: str) -> Callable[[Mapping[str, Any]], bool]:
    """A test of an event's data: `eq` compares as text, like attributes."""
    if not isinstance(row, dict) or not isinstance(row.get("field"), str):
        raise BadConditions(f"{where}/field: a filter has a field")
    _refuse_unknown(row, ("field", "operator", "value", "inverse"), where)
    field, operator, sent, inverse = row["field"], row.get("operator"), row.get("value"), row.get("inverse") or False
    if operator not in ("eq", "exists"):
        raise BadConditions(f"{where}/operator: operator is eq or exists")
    if operator == "eq" and (sent is None or isinstance(sent, dict | list)):
        raise BadConditions(f"{where}/value: eq needs a value")
    if not isinstance(inverse, bool):
        raise BadConditions(f"{where}/inverse: inverse is true or false")
    if operator == "exists":
        return lambda data: (data.get(field) is not None) is not inverse
    text = as_text(sent)
    return lambda data: (data.get(field) is not None and as_text(data[field]) == text) is not inverse
