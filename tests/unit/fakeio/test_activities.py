"""The log read backwards, the types that are published, and who the deleted were."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakeio.core.activities import Activities
from fakeio.core.activity_types import TYPES, is_published
from fakeio.core.content import Topic
from fakeio.core.identifiers import CIO_ID, EMAIL, ID, PHONE, Ref
from fakeio.core.operations import DeletePerson, Identify
from fakeio.core.people import Gone
from fakeio.core.subscriptions import computed_preferences, is_subscribed
from fakeio.core.workspace import Workspace


@given(
    owners=st.lists(st.sampled_from(["a", "b", None]), max_size=20),
    place=st.integers(0, 22),
    limit=st.integers(1, 22),
    person=st.sampled_from(["a", "b", "nobody", None]),
)
def test_reading_backwards_is_reading_all_and_turning_it_round(
    owners: list[str | None], place: int, limit: int, person: str | None
) -> None:
    log = Activities()
    for owner in owners:
        log.add("event" if owner else "page", 1.0, owner, 0)
    naive = [n for n in range(len(owners), 0, -1) if (not place or n < place) and owners[n - 1] != "b"]
    naive = [n for n in naive if person is None or owners[n - 1] == person]
    found = log.before(place, limit, lambda line: line.person != "b", person)
    assert [line.number for line in found] == naive[:limit]


@pytest.mark.parametrize(
    ("type_", "published"),
    [
        pytest.param("event", True, id="an event"),
        pytest.param("dropped_whatasapp", True, id="misspelt, as published"),
        pytest.param("dropped_whatsapp", False, id="spelt well"),
        pytest.param("opened_whatsapp", False, id="a metric that has no word"),
        pytest.param("_o:12:create", True, id="an object of a type"),
        pytest.param("_r:12:attribute_change", True, id="a relationship to a type"),
        pytest.param("_r:12:create", False, id="relationships are not created"),
        pytest.param("_o::create", False, id="an object of no type"),
        pytest.param("_o:1:create\n", False, id="a line more"),
        pytest.param("", False, id="nothing"),
    ],
)
def test_a_type_is_published(type_: str, published: bool) -> None:
    assert is_published(type_) is published


def test_the_published_types_are_counted() -> None:
    assert len(TYPES) == 109


def test_who_was_deleted_is_remembered_until_somebody_takes_the_place() -> None:
    space = Workspace(id=1, name="w", region="us")
    space.apply(Identify(ref=Ref(ID, "1"), attributes={"email": "A@example.com"}), 1.0)
    person = space.people.find(Ref(ID, "1"))
    assert person is not None
    assert space.people.gone(person.cio_id) is None
    space.apply(DeletePerson(ref=Ref(ID, "1")), 2.0)
    assert space.people.gone(person.cio_id) == Gone("1", "A@example.com")
    named = [Ref(ID, "1"), Ref(EMAIL, "a@EXAMPLE.com"), Ref(CIO_ID, person.cio_id), Ref(PHONE, "1"), Ref(ID, "2")]
    assert [bool(space.people.find_gone(ref)) for ref in named] == [True, True, True, False, False]


NEWS, OFFERS = Topic(id=6, name="News"), Topic(id=7, name="Offers", subscribed_by_default=False)


@pytest.mark.parametrize(
    ("said", "subscribed"),
    [
        pytest.param(None, (True, False), id="nothing was said"),
        pytest.param({"topics": {"topic_6": False, "topic_7": True}}, (False, True), id="both were said"),
        pytest.param({"topics": {"topic_6": "FALSE", "topic_7": "true"}}, (False, True), id="in words"),
        pytest.param({"topics": {"topic_6": "", "topic_7": None}}, (True, False), id="emptied"),
        pytest.param({"topics": {"topic_6": "maybe"}}, (True, False), id="neither yes nor no"),
        pytest.param({"topics": [1]}, (True, False), id="topics that are none"),
        pytest.param("all", (True, False), id="words alone"),
    ],
)
def test_a_person_is_subscribed(said: object, subscribed: tuple[bool, bool]) -> None:
    space = Workspace(id=1, name="w", region="us")
    attributes = {} if said is None else {"cio_subscription_preferences": said}
    space.apply(Identify(ref=Ref(ID, "1"), attributes=attributes), 1.0)
    person = space.people.find(Ref(ID, "1"))
    assert person is not None
    assert (is_subscribed(person, NEWS), is_subscribed(person, OFFERS)) == subscribed
    assert computed_preferences(person, []) == said
    computed = computed_preferences(person, [NEWS, OFFERS])["topics"]
    assert (computed["topic_6"], computed["topic_7"]) == subscribed
