"""Objects, their types, and the relationships that link people to them.

An object belongs to a type that exists beforehand (Companies, type 1, does in every workspace); there are no links
from object to object. State only: what callers may do is decided in `relating.py`.
Source: Track API > v2 > objects and relationships; Objects guide.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import msgspec

from fakeio.core.attributes import fits_object
from fakeio.core.operations import ObjectRef
from fakeio.core.outcomes import Applied, Ignored, Outcome
from fakeio.core.people import Person, Stamp

if TYPE_CHECKING:  # the workspace imports this module
    from fakeio.core.workspace import Workspace

NO_ROOM = "The attributes are too many, or too long together."  # our own words
Key = tuple[str, str]  # object_type_id, object_id
Index = dict[str, tuple[Key, ...]]  # tuples: forks may share them


class Link(msgspec.Struct, gc=False):
    """One relationship, seen from the object: its attributes and who wrote it."""

    attributes: dict[str, Any]
    stamp: Stamp


class Object(msgspec.Struct):
    """One object. `people` maps cio_ids to links; `waiting` maps anonymous ids to links not yet anybody's."""

    type_id: str
    object_id: str
    cio_object_id: str
    born: Stamp
    attributes: dict[str, Any]
    stamps: dict[str, Stamp]
    people: dict[str, Link]
    waiting: dict[str, Link]
    number: int = 0  # the order of creation

    @property
    def key(self) -> Key:
        """Type and id: what callers address it by."""
        return self.type_id, self.object_id


class Objects:
    """The objects and object types of a workspace."""

    def __init__(self) -> None:
        self.types: dict[str, str] = {"1": "Companies"}
        self._by_key: dict[Key, Object] = {}
        self._by_cio_id: dict[str, Object] = {}
        self._made = 0
        self._linked: Index = {}  # by cio_id
        self._awaiting: Index = {}  # by anonymous id
        self._owned: set[int] | None = None  # the numbers of those that are ours alone; None: all

    def fork(self) -> Objects:
        """The same for another workspace; from now on each of the two copies whatever it writes to."""
        other = Objects()
        other.types, other._made = self.types.copy(), self._made
        other._by_key, other._by_cio_id = self._by_key.copy(), self._by_cio_id.copy()
        other._linked, other._awaiting = self._linked.copy(), self._awaiting.copy()
        self._owned, other._owned = set(), set()
        return other

    @property
    def last(self) -> int:
        """The number of the newest, there or gone."""
        return self._made

    def leave_out(self, last: int) -> None:
        """Go on counting behind that number."""
        self._made = max(self._made, last)

    def own(self, found: Object) -> Object:
        """The object as it may be written to: a copy, the first time after a fork."""
        if self._owned is None or found.number in self._owned:
            return found
        self._owned.add(found.number)
        mine = msgspec.structs.replace(
            found, attributes=found.attributes.copy(), stamps=found.stamps.copy(), people=found.people.copy(),
            waiting=found.waiting.copy(),
        )  # fmt: skip
        self._by_key[mine.key] = self._by_cio_id[mine.cio_object_id] = mine
        return mine

    def __len__(self) -> int:
        return len(self._by_key)

    def __iter__(self) -> Iterator[Object]:
        return iter(self._by_key.values())

    def find(self, ref: ObjectRef) -> Object | None:
        """The object meant, by cio_object_id or by type and id. Those met by iterating are only read."""
        if ref.cio_object_id:
            found = self._by_cio_id.get(ref.cio_object_id)
        else:
            found = self._by_key.get((ref.type_id, ref.object_id))
        return None if found is None else self.own(found)

    def create(self, ref: ObjectRef, stamp: Stamp) -> Object:
        """A new object of a type that exists."""
        self._made += 1
        while f"ob{self._made:06x}" in self._by_cio_id:  # a seed may have taken it
            self._made += 1
        cio_object_id = ref.cio_object_id or f"ob{self._made:06x}"
        made = Object(ref.type_id, ref.object_id, cio_object_id, stamp, {}, {}, {}, {}, self._made)
        self._by_key[made.key] = made
        self._by_cio_id[cio_object_id] = made
        if self._owned is not None:
            self._owned.add(made.number)
        return made

    def remove(self, found: Object) -> None:
        """Forget an object; the people it was linked to stay."""
        del self._by_key[found.key]
        del self._by_cio_id[found.cio_object_id]
        for cio_id in found.people:
            _unlist(self._linked, cio_id, found.key)
        for anonymous_id in found.waiting:
            _unlist(self._awaiting, anonymous_id, found.key)

    def of(self, cio_id: str) -> list[Object]:
        """The objects one person is linked to, in order of creation."""
        return self._listed(self._linked, cio_id)

    def with_waiting(self, anonymous_id: str) -> list[Object]:
        """The objects that an anonymous id is to be linked to, in order of creation."""
        return self._listed(self._awaiting, anonymous_id)

    def _listed(self, index: Index, who: str) -> list[Object]:
        return sorted((self._by_key[key] for key in index.get(who, ())), key=lambda found: found.number)

    def keep_link(self, found: Object, cio_id: str, link: Link) -> None:
        """Link a person to an object of ours, in place of any link there was."""
        found.people[cio_id] = link
        _enlist(self._linked, cio_id, found.key)

    def end_link(self, found: Object, cio_id: str) -> Link | None:
        """The link that is no more; None where there was none."""
        _unlist(self._linked, cio_id, found.key)
        return found.people.pop(cio_id, None)

    def keep_waiting(self, found: Object, anonymous_id: str, link: Link) -> None:
        """Keep a link for whoever an anonymous id turns out to be."""
        found.waiting[anonymous_id] = link
        _enlist(self._awaiting, anonymous_id, found.key)

    def end_waiting(self, found: Object, anonymous_id: str) -> Link:
        """The link that waits no longer."""
        _unlist(self._awaiting, anonymous_id, found.key)
        return found.waiting.pop(anonymous_id)


def _enlist(index: Index, who: str, key: Key) -> None:
    held = index.get(who, ())
    if key not in held:
        index[who] = (*held, key)


def _unlist(index: Index, who: str, key: Key) -> None:
    left = tuple(each for each in index.get(who, ()) if each != key)
    if left:
        index[who] = left
    else:
        index.pop(who, None)


def claim(space: Workspace, anonymous_id: str, person: Person, stamp: Stamp) -> int:
    """Relationships of an anonymous id become the person's; returns how many."""
    claimed = [space.objects.own(found) for found in space.objects.with_waiting(anonymous_id)]
    for found in claimed:
        link(space, found, person, space.objects.end_waiting(found, anonymous_id).attributes, stamp)
    return len(claimed)


def move_links(space: Workspace, source: Person, target: Person) -> None:
    """Relationships that the target lacks, with their attributes, on a merge."""
    for found in map(space.objects.own, space.objects.of(source.cio_id)):
        ended = space.objects.end_link(found, source.cio_id)
        if ended is not None and target.cio_id not in found.people:
            space.objects.keep_link(found, target.cio_id, ended)


def drop_links(space: Workspace, person: Person) -> None:
    """End every relationship of a person who is about to go."""
    for found in map(space.objects.own, space.objects.of(person.cio_id)):
        space.objects.end_link(found, person.cio_id)


def link(space: Workspace, found: Object, person: Person, sent: dict[str, Any], stamp: Stamp) -> Outcome:
    """Link a person to an object, or change the link's attributes."""
    held = found.people.get(person.cio_id)
    if sent and not fits_object({**(held.attributes if held is not None else {}), **sent}, space.settings):
        return _fail(space, found, person, stamp)
    if held is None:
        kept = {name: value for name, value in sent.items() if value not in (None, "")}
        space.objects.keep_link(found, person.cio_id, Link(kept, stamp))
        log_both(space, found, person, "add_relationship", stamp)
        return Applied(person.cio_id)
    after = {name: value for name, value in {**held.attributes, **sent}.items() if value not in (None, "")}
    if after == held.attributes:
        return Ignored("relationship.unchanged", "the relationship is as it was", person.cio_id)
    space.objects.keep_link(found, person.cio_id, Link(after, stamp))
    space.log.add("relationship_attribute_change", stamp.at, person.cio_id, stamp.request, detail=shown(found))
    space.log.add(f"_r:{found.type_id}:attribute_change", stamp.at, None, stamp.request, detail=_seen_by(found, person))
    return Applied(person.cio_id)


def _fail(space: Workspace, found: Object, person: Person, stamp: Stamp) -> Ignored:
    """The relationship stays as it was: its attributes would be too many, or too long together."""
    detail = {**_seen_by(found, person), "reason": NO_ROOM}
    what = "relationship_failed_attribute_change"
    space.log.add(what, stamp.at, person.cio_id, stamp.request, detail=detail)
    space.log.add(f"_r:{found.type_id}:failed_attribute_change", stamp.at, None, stamp.request, detail=detail)
    return Ignored("relationship.no_room", "the relationship may not have so many attributes", person.cio_id)


def log_both(space: Workspace, found: Object, person: Person, what: str, stamp: Stamp) -> None:
    """A relationship begins or ends: a line of the person, and one of the object."""
    space.log.add(what, stamp.at, person.cio_id, stamp.request, detail=shown(found))
    space.log.add(f"_o:{found.type_id}:{what}", stamp.at, None, stamp.request, detail=_seen_by(found, person))


def _seen_by(found: Object, person: Person) -> dict[str, Any]:
    return {**shown(found), "person": {"id": person.id, "email": person.email, "cio_id": person.cio_id}}


def shown(found: Object) -> dict[str, Any]:
    """What the log says about an object."""
    return {"object_type_id": found.type_id, "object_id": found.object_id, "cio_object_id": found.cio_object_id}
