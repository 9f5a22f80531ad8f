"""What a person is linked to and was sent is found without looking at what others have, and never differs from a look
at everything. Forks keep indexes of their own.
"""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from fakeio.core.deliveries import Deliveries, Delivery
from fakeio.core.objects import Key, Link, Object, Objects
from fakeio.core.operations import ObjectRef
from fakeio.core.people import Stamp

STAMP = Stamp(1.0, 0)
WHO = st.sampled_from(["ann", "bob", "cyd"])


# ---- deliveries ------------------------------------------------------------------------------------------------------


def sent(*people: str | None) -> Deliveries:
    """One delivery each, in that order; a delivery's id is its place."""
    made = Deliveries()
    for at, person in enumerate(people, start=1):
        made.add(Delivery(id=str(at), type="email", person=person, created_at=at))
    return made


def walk(deliveries: Deliveries, person: str | None, size: int) -> list[list[str]]:
    """The ids of every page, from the newest to the oldest."""
    pages: list[list[str]] = []
    place = 0
    while not pages or place:
        found, place = deliveries.find(lambda _: True, place, size, person)
        pages.append([one.id for one in found])
    return pages


def cut(ids: list[str], size: int) -> list[list[str]]:
    return [ids[at : at + size] for at in range(0, len(ids), size)] or [[]]


@given(people=st.lists(WHO | st.none(), max_size=40), size=st.integers(1, 7))
def test_pages_of_a_person_are_those_of_everybody_without_the_others(people: list[str | None], size: int) -> None:
    deliveries = sent(*people)
    newest_first = list(reversed(list(enumerate(people, start=1))))
    for who in ("ann", "bob", "cyd"):
        assert walk(deliveries, who, size) == cut([str(at) for at, one in newest_first if one == who], size)
    assert walk(deliveries, None, size) == cut([str(at) for at, _ in newest_first], size)


@given(people=st.lists(WHO, max_size=20), below=st.integers(0, 40), who=WHO)
def test_any_place_to_start_from_is_a_place(people: list[str], below: int, who: str) -> None:
    deliveries = sent(*people)
    top = below or len(people) + 1
    expected = [str(at) for at, one in enumerate(people, start=1) if at < top and one == who][::-1]
    assert [one.id for one in deliveries.find(lambda _: True, below, 99, who)[0]] == expected


def test_what_others_were_sent_is_not_looked_at() -> None:
    deliveries = sent("ann", *["bob"] * 1000, "ann")
    looked_at: list[str] = []

    def wanted(one: Delivery) -> bool:
        looked_at.append(one.id)
        return True

    deliveries.find(wanted, 0, 10, "ann")
    assert looked_at == ["1002", "1"]


def test_a_later_page_starts_where_it_starts() -> None:
    deliveries = sent(*["ann"] * 1000)
    looked_at: list[str] = []

    def unwanted(one: Delivery) -> bool:
        looked_at.append(one.id)
        return False

    steps: list[object] = []

    class Counted(list[int]):
        def __getitem__(self, at: Any) -> Any:
            steps.append(at)
            return super().__getitem__(at)

    deliveries._previous = Counted(deliveries._previous)
    for person in ("ann", None):
        assert deliveries.find(unwanted, 4, 10, person) == ([], 0)
    assert looked_at == ["3", "2", "1"] * 2
    assert len(steps) == 3, "the newer ones are not walked through"


def test_what_is_sent_after_a_fork_is_sent_on_one_side() -> None:
    ours = sent("ann", "bob")
    theirs = ours.fork()
    ours.add(Delivery(id="ours", type="email", person="ann", created_at=9))
    theirs.add(Delivery(id="theirs", type="email", person="ann", created_at=9))
    assert (walk(ours, "ann", 9), walk(theirs, "ann", 9)) == ([["ours", "1"]], [["theirs", "1"]])


# ---- objects ---------------------------------------------------------------------------------------------------------

STEPS = st.lists(
    st.tuples(st.sampled_from(["link", "end", "wait", "claim", "remove", "fork"]), st.sampled_from("abcd"), WHO),
    max_size=40,
)


def reach(objects: Objects, name: str) -> Object:
    ref = ObjectRef("1", name, "")
    return objects.find(ref) or objects.create(ref, STAMP)


def change(objects: Objects, step: str, name: str, who: str) -> None:
    found = reach(objects, name)
    if step == "link":
        objects.keep_link(found, who, Link({}, STAMP))
    elif step == "end":
        objects.end_link(found, who)
    elif step == "wait":
        objects.keep_waiting(found, who, Link({}, STAMP))
    elif step == "claim" and who in found.waiting:
        objects.end_waiting(found, who)
    elif step == "remove":
        objects.remove(found)


def indexed(objects: Objects) -> list[tuple[list[Key], list[Key]]]:
    whos = ("ann", "bob", "cyd")
    return [([o.key for o in objects.of(w)], [o.key for o in objects.with_waiting(w)]) for w in whos]


def scanned(objects: Objects) -> list[tuple[list[Key], list[Key]]]:
    everything = sorted(objects, key=lambda one: one.number)
    whos = ("ann", "bob", "cyd")
    return [([o.key for o in everything if w in o.people], [o.key for o in everything if w in o.waiting]) for w in whos]


@given(steps=STEPS)
def test_links_are_found_as_by_looking_at_every_object(steps: list[tuple[str, str, str]]) -> None:
    objects = Objects()
    left_behind: list[tuple[Objects, Any]] = []
    for step, name, who in steps:
        if step == "fork":
            left_behind.append((objects.fork(), indexed(objects)))
        else:
            change(objects, step, name, who)
        assert indexed(objects) == scanned(objects)
    for fork, then in left_behind:
        assert indexed(fork) == scanned(fork) == then


def test_objects_of_others_are_not_looked_at() -> None:
    objects = Objects()
    for at in range(1000):
        objects.keep_link(reach(objects, str(at)), "bob", Link({}, STAMP))
    objects.keep_link(reach(objects, "7"), "ann", Link({}, STAMP))
    looked_at: list[Key] = []

    class Watched(dict[Key, Object]):
        def __getitem__(self, key: Key) -> Object:
            looked_at.append(key)
            return super().__getitem__(key)

        def values(self) -> Any:
            raise AssertionError("everything was looked at")

    objects._by_key = Watched(objects._by_key)
    assert [found.object_id for found in objects.of("ann")] == ["7"]
    assert (looked_at, objects.with_waiting("ann")) == ([("1", "7")], [])
