"""People put straight into a workspace: every row of a call, or none and a word on which is wrong."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fakeio.core.forking import fork
from fakeio.core.seed_error import SeedError
from fakeio.core.seeding_people import add_people
from fakeio.core.snapshots import take
from fakeio.core.workspace import Workspace
from tests.unit.fakeio.spaces import NOW, Space

GOOD: list[dict[str, Any]] = [
    {"id": "1", "attributes": {"plan": "pro", "phone": "+1"}, "devices": [{"token": "t", "platform": "ios"}]},
    {"id": "new", "email": "new@x.io"},
]


def busy(**settings: Any) -> Workspace:
    """With two people who know nothing of each other, one of them with a device."""
    space = Space(**settings).workspace
    devices = [{"token": "t", "platform": "android"}]
    add_people(space, [{"cio_id": "a1", "id": "1"}, {"cio_id": "a2", "email": "q@x.io", "devices": devices}], NOW)
    return space


@pytest.mark.parametrize(
    ("bad", "where"),
    [
        pytest.param(7, "people[2]", id="no object"),
        pytest.param({"id": 7}, "people[2]", id="a number as id"),
        pytest.param({}, "people[2]", id="nobody"),
        pytest.param({"id": "2", "name": "x"}, "people[2]", id="an attribute beside the others"),
        pytest.param({"id": "2", "attributes": []}, "people[2]", id="attributes that are no object"),
        pytest.param({"id": "2", "attributes": {"a" * 151: 1}}, "people[2]", id="an attribute that may not be"),
        pytest.param({"id": "2", "devices": {}}, "people[2]", id="devices that are no list"),
        pytest.param({"id": "2", "devices": [{"token": "u", "platform": "ios"}, {"token": "v"}]},
                     "people[2].devices[1]", id="its second device"),
        pytest.param({"id": "1", "email": "q@x.io"}, "people[2]", id="two people who were there"),
        pytest.param({"id": "1", "email": "new@x.io"}, "people[2]", id="one who was there and one of this call"),
    ],
)  # fmt: skip
def test_a_bad_row_is_named_and_leaves_nothing_changed(bad: Any, where: str) -> None:
    space = busy()
    before = take(space)
    with pytest.raises(SeedError) as caught:
        add_people(space, [*GOOD, bad], NOW + 1)
    assert str(caught.value).startswith(f"{where}: ")
    assert take(space) == before


def test_an_identifier_that_an_earlier_row_has_freed_is_free() -> None:
    space = busy()
    added = add_people(space, [{"cio_id": "a1", "id": "2"}, {"id": "1", "email": "q@x.io"}], NOW)
    assert [(person.cio_id, person.id, person.email) for person in added] == [("a1", "2", None), ("a2", "1", "q@x.io")]


def one_by_one(space: Workspace, rows: list[dict[str, Any]]) -> bool:
    """What the call comes to: each row by itself; whether all of them could be added."""
    try:
        for row in rows:
            add_people(space, [row], NOW)
    except SeedError:
        return False
    return True


values = {
    "id": st.sampled_from(["1", "2", "3"]), "email": st.sampled_from(["q@x.io", "Q@x.io", "r@x.io"]),
    "cio_id": st.sampled_from(["a1", "a2", "a3"]),
}  # fmt: skip
rows = st.lists(st.fixed_dictionaries({}, optional=values).filter(bool), max_size=5)


@example(rows=[{"cio_id": "a1", "id": "2"}, {"id": "1", "email": "q@x.io"}], identifiers="email_or_id")
@given(rows=rows, identifiers=st.sampled_from(["email_or_id", "id", "email"]))
def test_a_call_does_what_its_rows_do_one_by_one_or_nothing(rows: list[dict[str, Any]], identifiers: str) -> None:
    space = busy(identifiers=identifiers)
    model = fork(space, id=1, name="test")
    before = take(space)
    added = one_by_one(model, rows)
    try:
        add_people(space, rows, NOW)
    except SeedError:
        assert not added
        assert take(space) == before
    else:
        assert added
        assert take(space) == take(model)
