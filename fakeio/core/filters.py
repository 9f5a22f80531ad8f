"""The people filter of the App API: its grammar, and a search that uses the indexes where it can.

`and`, `or` and `not` over segment membership and attribute `eq` or `exists`; several keys in one node mean `and`.
Source: App API > Customers > search.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from fakeio.core.identifiers import CIO_ID, CIO_PREFIX, EMAIL, ID, Ref
from fakeio.core.outcomes import Refused
from fakeio.core.people import People, Person, as_text
from fakeio.core.segments import Segments

_DEEPEST = 32  # nesting; nobody writes more by hand, and a bomb must not exhaust the stack


class Filter(NamedTuple):
    """`test` says whether a person matches; `candidates` yields a superset of the matches, None for everybody.

    `about` is what a condition on one value asks for, so that many of them in one `or` become a single look-up.
    `segments` and `document` are told of a whole filter only, not of its parts.
    """

    test: Callable[[People, Segments, Person], bool]
    candidates: Callable[[People, Segments], Iterator[Person]] | None
    about: tuple[str | None, Hashable] | None = None  # (field, text) of an `eq`; (None, id) of a segment
    segments: frozenset[int] = frozenset()  # those that a whole filter names
    document: Any = None  # what a whole filter was parsed from


class _Bad(Exception):
    """Where a filter breaks the grammar and what would be right there."""

    def __init__(self, pointer: str, message: str) -> None:
        super().__init__(message)
        self.refused = Refused("app.filter", "invalid", pointer, message)


def parse_filter(document: Any) -> Filter | Refused:
    """The filter in `document` (the value of the body's `filter` key), or what is wrong with it."""
    try:
        if not isinstance(document, dict) or len(document) != 1:
            raise _Bad("/filter", "a filter has exactly one of and, or, not, segment, attribute at its top")
        return _node(document, "/filter", 0)._replace(segments=frozenset(_segments_in(document)), document=document)
    except _Bad as bad:
        return bad.refused


def _segments_in(document: Any) -> Iterator[int]:
    """The ids of the segments that a filter names; its grammar was checked."""
    for node in document if isinstance(document, list) else [document]:
        for key, value in node.items():
            if key == "segment":
                yield value["id"]
            elif key in ("and", "or", "not"):
                yield from _segments_in(value)


def search(people: People, segments: Segments, wanted: Filter, place: int, limit: int) -> list[Person]:
    """At most `limit` matching people with a number above `place`, in order of creation."""
    found: list[Person] = []
    for person in _candidates(people, segments, wanted, place):
        if wanted.test(people, segments, person):
            found.append(person)
            if len(found) >= limit:
                break
    return found


def _candidates(people: People, segments: Segments, wanted: Filter, place: int) -> Iterable[Person]:
    if wanted.candidates is None:
        return people.iter_after(place)
    unique = {person.number: person for person in wanted.candidates(people, segments)}
    return [unique[number] for number in sorted(unique) if number > place]


def _node(document: Any, pointer: str, depth: int) -> Filter:
    if not isinstance(document, dict) or not document:
        raise _Bad(pointer, "a condition is an object with one of and, or, not, segment, attribute")
    if depth > _DEEPEST:
        raise _Bad(pointer, f"conditions nest at most {_DEEPEST} deep")
    parts = [_part(key, value, f"{pointer}/{key}", depth) for key, value in document.items()]
    return parts[0] if len(parts) == 1 else _all_of(parts)


def _part(key: str, value: Any, pointer: str, depth: int) -> Filter:
    if key in ("and", "or"):
        if not isinstance(value, list):
            raise _Bad(pointer, f"{key} takes a list of conditions")
        nodes = [_node(each, f"{pointer}/{at}", depth + 1) for at, each in enumerate(value)]
        return _all_of(nodes) if key == "and" else any_of(nodes)
    if key == "not":
        return _negation(_node(value, pointer, depth + 1))
    if key == "segment":
        return _segment(value, pointer)
    if key == "attribute":
        return _attribute(value, pointer)
    raise _Bad(pointer, "a condition is one of and, or, not, segment, attribute")


def _all_of(nodes: list[Filter]) -> Filter:
    narrow = next((node.candidates for node in nodes if node.candidates is not None), None)
    return Filter(lambda people, segments, who: all(n.test(people, segments, who) for n in nodes), narrow)


def any_of(nodes: Sequence[Filter]) -> Filter:
    """Whoever matches any of them; nobody when there are none. A thousand values of one field cost as much as one."""
    wanted: dict[str | None, set[Any]] = {}
    for node in nodes:
        if node.about is not None:
            wanted.setdefault(node.about[0], set()).add(node.about[1])
    merged = [_members(values) if field is None else _equals(field, values) for field, values in wanted.items()]
    return _either([*merged, *(node for node in nodes if node.about is None)])


def _either(nodes: list[Filter]) -> Filter:
    if len(nodes) == 1:
        return Filter(nodes[0].test, nodes[0].candidates)
    sources = [node.candidates for node in nodes if node.candidates is not None]

    def candidates(people: People, segments: Segments) -> Iterator[Person]:
        for source in sources:
            yield from source(people, segments)

    indexed = len(sources) == len(nodes)
    return Filter(
        lambda people, segments, who: any(n.test(people, segments, who) for n in nodes),
        candidates if indexed else None,
    )


def _negation(node: Filter) -> Filter:
    return Filter(lambda people, segments, who: not node.test(people, segments, who), None)


def _segment(value: Any, pointer: str) -> Filter:
    """Members of a segment; an unknown segment matches nobody, without an error."""
    segment_id = value.get("id") if isinstance(value, dict) else None
    if not isinstance(segment_id, int) or isinstance(segment_id, bool):
        raise _Bad(f"{pointer}/id", "segment takes a whole number as id")
    return _members({segment_id})._replace(about=(None, segment_id))


def _members(ids: set[int]) -> Filter:
    def candidates(people: People, segments: Segments) -> Iterator[Person]:
        for segment_id in ids:
            segment = segments.get(segment_id)
            for cio_id in segment.members if segment is not None else ():
                person = people.peek(cio_id)
                if person is not None:
                    yield person

    return Filter(lambda _people, _segments, who: not ids.isdisjoint(who.segments), candidates)


def _attribute(value: Any, pointer: str) -> Filter:
    if not isinstance(value, dict) or not isinstance(value.get("field"), str):
        raise _Bad(f"{pointer}/field", "attribute needs a field")
    field, operator = value["field"], value.get("operator")
    if operator == "exists":
        return Filter(lambda _people, _segments, who: who.value_of(field) is not None, None)
    if operator != "eq":
        raise _Bad(f"{pointer}/operator", "operator is eq or exists")
    sent = value.get("value")
    if sent is None or isinstance(sent, dict | list):
        raise _Bad(f"{pointer}/value", "eq needs a value")
    return _equals(field, {as_text(sent)})._replace(about=(field, as_text(sent)))


def _equals(field: str, texts: set[str]) -> Filter:
    if field == EMAIL:
        folded = {text.lower() for text in texts}
        return Filter(
            lambda _people, _segments, who: who.email is not None and who.email.lower() in folded,
            lambda people, _segments: (person for text in folded for person in people.by_email(text)),
        )
    if field in (ID, CIO_ID):
        values = {text.removeprefix(CIO_PREFIX) if field == CIO_ID else text for text in texts}
        refs = [Ref(field, value) for value in values]
        return Filter(
            lambda _people, _segments, who: who.identifier(field) in values,
            lambda people, _segments: (person for ref in refs if (person := people.find(ref)) is not None),
        )
    return Filter(lambda _people, _segments, who: _shown(who, field) in texts, None)


def _shown(person: Person, field: str) -> str | None:
    value = person.value_of(field)
    return None if value is None else as_text(value)
