"""What somebody probably meant: the mistakes that real integrations make, looked for only when a person asks why.

Each finding is one sentence that names both sides. Nothing here changes an outcome; it may walk the whole workspace.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from fakeio.core.activities import Event
from fakeio.core.identifiers import CIO_ID, CIO_PREFIX, EMAIL, ID, PHONE, Ref

if TYPE_CHECKING:  # the workspace imports nothing from here, but is only needed by name
    from fakeio.core.people import Person
    from fakeio.core.workspace import Workspace

_EARLIEST_MS = 100_000_000_000  # Unix seconds beyond the year 5138: somebody sent milliseconds
_OFTEN = 5  # events of one name before it counts as established


def of_identifier(space: Workspace, ref: Ref) -> list[str]:
    """People whom an identifier that found nobody may have meant, and slips in the identifier itself."""
    found = [*_slips(ref), *_other_kinds(space, ref), *_lookalikes(space, ref)]
    return list(dict.fromkeys(found))


def _slips(ref: Ref) -> Iterator[str]:
    if ref.kind == CIO_ID and ref.value.startswith(CIO_PREFIX):
        yield f"the prefix {CIO_PREFIX!r} is doubled: {ref.value!r} is held without it"
    if ref.kind == ID and ref.value.startswith(CIO_PREFIX):
        yield f"{ref.value!r} looks like a cio_id, and was read as an id"
    if ref.value != ref.value.strip():
        yield f"{ref.value!r} begins or ends with white space, which is part of the identifier"


def _other_kinds(space: Workspace, ref: Ref) -> Iterator[str]:
    for kind in (ID, EMAIL, CIO_ID, PHONE):
        value = ref.value.removeprefix(CIO_PREFIX) if kind == CIO_ID else ref.value
        person = space.people.find(Ref(kind, value))
        if kind != ref.kind and person is not None:
            yield f"{value!r} is the {kind} of {_name(person)}, not the {ref.kind}"


def _lookalikes(space: Workspace, ref: Ref) -> Iterator[str]:
    folded = ref.value.strip().casefold()
    for person in space.people:
        for kind in (ID, EMAIL):
            held = person.identifier(kind)
            if held is not None and held.strip().casefold() == folded and held != ref.value:
                yield f"{held!r} is the {kind} of {_name(person)} and differs only in case or white space"


def of_person(space: Workspace, person: Person) -> list[str]:
    """Other people who are probably the same human being: the same email in another case, or as an id."""
    found = []
    for kind in (ID, EMAIL):
        held = person.identifier(kind)
        if held is not None:
            found += [line for line in _lookalikes(space, Ref(kind, held)) if _name(person) not in line]
            found += list(_other_kinds(space, Ref(kind, held)))
    return list(dict.fromkeys(found))


def of_event(space: Workspace, event: Event) -> list[str]:
    """A timestamp in milliseconds; a name one character from one that is used often."""
    found = []
    if event.timestamp >= _EARLIEST_MS:
        found.append(f"timestamp {event.timestamp} looks like milliseconds and is read as seconds")
    names = Counter(other.name for other in space.events())
    for name, count in names.items():
        if count >= _OFTEN and names[event.name] < count and is_one_edit(name, event.name):
            found.append(f"{event.name!r} is one character from {name!r}, which was recorded {count} times")
    return found


def is_one_edit(left: str, right: str) -> bool:
    """True when one character was added, dropped, changed, or two neighbours swapped."""
    if left == right or abs(len(left) - len(right)) > 1:
        return False
    start = next((at for at, (a, b) in enumerate(zip(left, right, strict=False)) if a != b), min(len(left), len(right)))
    a, b = left[start:], right[start:]
    swapped = len(a) > 1 and len(b) > 1 and a[0] == b[1] and a[1] == b[0] and a[2:] == b[2:]
    return a[1:] == b[1:] or a[1:] == b or a == b[1:] or swapped


def _name(person: Person) -> str:
    return f"person {person.cio_id}"
