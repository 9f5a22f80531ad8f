"""Assertions on people and memberships: true, or told which request is to blame. Whole texts are compared."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from fakeio import WorkspaceHandle
from tests.contract import handling
from tests.contract.handling import failure, identify, track

fake, space, client = handling.fake, handling.space, handling.client


# ---- people ----------------------------------------------------------------------------------------------------------

def test_a_person_who_is_there_is_returned(client: httpx.Client, space: WorkspaceHandle) -> None:
    identify(client, space, "42", email="Ann@example.com", plan="pro", address={"city": "Faro", "zip": "8000"})
    found = space.assert_person(id="42", email="ann@EXAMPLE.com", attributes={"address": {"city": "Faro"}})
    assert space.assert_person(cio_id=f"cio_{found.cio_id}") == found == space.person(id="42")
    space.assert_no_person(id="7", email="somebody@example.com")


def test_a_person_in_whom_something_differs_is_told_with_who_wrote_it(
    client: httpx.Client, space: WorkspaceHandle
) -> None:
    identify(client, space, "42", email="ann@example.com", plan="pro", seats=3)
    identify(client, space, "42", plan="free")
    identify(client, space, "42", plan="free")
    identify(client, space, "42", nickname="x" * 1_001)
    told = failure(lambda: space.assert_person(
        id="42", email="bob@example.com", attributes={"plan": "pro", "seats": "3", "vip": True}))  # fmt: skip
    assert told.splitlines() == [
        "the person is there, but differs in 4 fields",
        "  person      id '42', email 'ann@example.com', cio_id 'a3000001'",
        "  differs     email is 'ann@example.com', expected 'bob@example.com'; written by request",
        "                1 (PUT /api/v1/customers/42, answered 200)",
        "              attributes.plan is 'free', expected 'pro'; written by request 2 (PUT",
        "                /api/v1/customers/42, answered 200)",
        "              attributes.seats is 3, expected '3'; written by request 1 (PUT",
        "                /api/v1/customers/42, answered 200)",
        "              attributes.vip is missing, expected True",
        "  request 4   PUT /api/v1/customers/42, answered 400",
        "              identify was refused: value for attribute 'nickname' cannot be longer than",
        "                1000 bytes [track.attribute.value]",
    ]


def test_a_seeded_value_is_nobodys_request(space: WorkspaceHandle) -> None:
    space.add_person(id="42", attributes={"plan": "pro"})
    told = failure(lambda: space.assert_person(id="42", attributes={"plan": "free"}))
    assert "written by a seed or a handle" in told


def test_somebody_who_was_ignored_is_told_with_the_reason(client: httpx.Client, space: WorkspaceHandle) -> None:
    track(client, space, "POST", "/customers/42/suppress", {})
    identify(client, space, "42", plan="pro")
    assert failure(lambda: space.assert_person(id="42")).splitlines() == [
        "nobody has id '42': identify was accepted and ignored, because the person with id '42' was suppressed by "
        "request 1",
        "  request 2   PUT /api/v1/customers/42, answered 200",
        "              identify was accepted and ignored: the person with id '42' was suppressed",
        "                by request 1 [person.suppressed]",
        "  request 1   POST /api/v1/customers/42/suppress, answered 200",
        "  in all      0 people in the workspace",
    ]


def delete(client: httpx.Client, space: WorkspaceHandle) -> None:
    track(client, space, "DELETE", "/customers/42", {})


def suppress(client: httpx.Client, space: WorkspaceHandle) -> None:
    track(client, space, "POST", "/customers/42/suppress", {})


def merge(client: httpx.Client, space: WorkspaceHandle) -> None:
    track(client, space, "POST", "/merge_customers", {"primary": {"id": "7"}, "secondary": {"id": "42"}})


def delete_in_a_batch(client: httpx.Client, space: WorkspaceHandle) -> None:
    items = [{"type": "person", "action": "delete", "identifiers": {"id": who}} for who in ("nobody", "42")]
    client.post("/api/v2/batch", json={"batch": items}, auth=(space.site_id, space.track_api_key))


@pytest.mark.parametrize("end", [delete, suppress, merge, delete_in_a_batch])
def test_somebody_who_is_gone_is_told_with_the_request_that_did_it(
    client: httpx.Client, space: WorkspaceHandle, end: Any
) -> None:
    identify(client, space, "7")
    identify(client, space, "42")
    end(client, space)
    track(client, space, "DELETE", "/customers/nobody", {})
    told = failure(lambda: space.assert_person(id="42")).splitlines()
    assert told[0] == "nobody has id '42', since request 3"
    assert told[1].startswith("  request 3   ")


def test_who_may_have_been_meant_is_named(client: httpx.Client, space: WorkspaceHandle) -> None:
    identify(client, space, "Ann", email="ann@example.com")
    told = failure(lambda: space.assert_person(id="ann"))
    assert "perhaps     'Ann' is the id of person" in told
    track(client, space, "PUT", "/custmers/ann", {})
    assert "[route.unknown]" in failure(lambda: space.assert_person(id="ann"))


def test_somebody_who_should_not_be_there_is_told_with_the_request(
    client: httpx.Client, space: WorkspaceHandle
) -> None:
    identify(client, space, "42")
    assert failure(lambda: space.assert_no_person(id="42")).splitlines() == [
        "there is a person who should not be there",
        "  found       id '42', cio_id 'a3000001', created by request 1 (PUT",
        "                /api/v1/customers/42, answered 200)",
    ]


@pytest.mark.parametrize("name", ["assert_person", "assert_no_person"])
def test_a_person_is_named_by_something(space: WorkspaceHandle, name: str) -> None:
    with pytest.raises(TypeError, match="id, email or cio_id"):
        getattr(space, name)()


# ---- members ---------------------------------------------------------------------------------------------------------

def join(client: httpx.Client, space: WorkspaceHandle, segment: int, *ids: str) -> None:
    track(client, space, "POST", f"/segments/{segment}/add_customers", {"ids": ids})


def test_a_member_is_found_by_every_name(client: httpx.Client, space: WorkspaceHandle) -> None:
    ann = space.add_person(id="42", email="ann@example.com")
    vip = space.add_segment("VIP")
    join(client, space, vip.id, "42")
    for segment in (vip, vip.id, "VIP"):
        for person in (ann, "42", "Ann@example.com", ann.cio_id, f"cio_{ann.cio_id}", space.segment(vip.id).members[0]):
            assert space.assert_member(segment, person).id == "42"
    assert failure(lambda: space.assert_not_member("VIP", "42")).splitlines() == [
        "segment 1 'VIP' has a member it should not have",
        "  member      id '42', email 'ann@example.com', cio_id 'a3000001'",
        "  because     added by request 1",
        "  request 1   POST /api/v1/segments/1/add_customers, answered 200",
    ]
    space.assert_not_member("VIP", "somebody")


@pytest.mark.parametrize("named", [{"id": "42"}, {"email": "Ann@example.com"}, {"cio_id": "a3000001"}], ids=str)
def test_a_member_is_named_as_in_the_other_assertions(
    client: httpx.Client, space: WorkspaceHandle, named: dict[str, Any]
) -> None:
    space.add_person(id="42", email="ann@example.com")
    vip = space.add_segment("VIP")
    space.assert_not_member(segment=vip.id, **named)
    join(client, space, vip.id, "42")
    assert space.assert_member(vip.id, **named).id == "42"
    with pytest.raises(TypeError, match="name the person once"):
        space.assert_member(vip.id, "42", **named)


@pytest.mark.parametrize("name", ["assert_member", "assert_not_member"])
def test_a_member_is_named_by_something(space: WorkspaceHandle, name: str) -> None:
    with pytest.raises(TypeError, match="id, email or cio_id"):
        getattr(space, name)(space.add_segment("VIP").id)


def test_a_segment_that_is_not_there_is_a_mistake_of_the_test(space: WorkspaceHandle) -> None:
    space.add_segment("VIP")
    for assertion in (space.assert_member, space.assert_not_member):
        with pytest.raises(LookupError, match=r"there is no segment 'VPI' in workspace .*; there are: 1 'VIP'"):
            assertion("VPI", "42")


def test_an_add_call_that_was_ignored_is_told_with_the_reason(client: httpx.Client, space: WorkspaceHandle) -> None:
    space.add_segment("VIP")
    join(client, space, 1, "7", "42")
    assert failure(lambda: space.assert_member("VIP", "42")).splitlines() == [
        "segment 1 'VIP' lacks '42': join_segment was accepted and ignored, because nobody has id '42'",
        "  request 1   POST /api/v1/segments/1/add_customers, answered 200",
        "              join_segment was accepted and ignored: nobody has id '42'",
        "                [segment.person_unknown]",
        "  in all      0 members",
    ]


def test_an_add_call_that_named_the_person_wrongly_is_told(client: httpx.Client, space: WorkspaceHandle) -> None:
    space.add_person(id="42", email="ann@example.com")
    space.add_segment("VIP")
    join(client, space, 1, "Ann@example.com")
    assert failure(lambda: space.assert_member("VIP", "42")).splitlines() == [
        "segment 1 'VIP' lacks id '42': join_segment was accepted and ignored, because nobody has id 'Ann@example.com'",
        "  request 1   POST /api/v1/segments/1/add_customers, answered 200",
        "              join_segment was accepted and ignored: nobody has id 'Ann@example.com'",
        "                [segment.person_unknown]",
        "  perhaps     'Ann@example.com' is the email of person a3000001, not the id",
        "              'ann@example.com' is the email of person a3000001 and differs only in case",
        "                or white space",
        "  in all      0 members",
    ]


def test_a_person_nobody_added_is_told_apart(client: httpx.Client, space: WorkspaceHandle) -> None:
    space.add_person(id="42")
    space.add_segment("VIP")
    space.add_segment("Pros", type="dynamic", conditions={"attribute": {"field": "plan", "operator": "exists"}})
    join(client, space, 2, "42")
    assert failure(lambda: space.assert_member("VIP", "42")).splitlines() == [
        "segment 1 'VIP' lacks id '42': no add call has reached it", "  in all      0 members",
    ]  # fmt: skip
    assert failure(lambda: space.assert_member("VIP", "7")).startswith("nobody has id '7'")
    assert failure(lambda: space.assert_member("Pros", "42")).startswith(
        "segment 2 'Pros' lacks id '42': join_segment was accepted and ignored, because segment 2 is data-driven"
    )


def test_somebody_who_was_taken_out_is_told_with_the_request(client: httpx.Client, space: WorkspaceHandle) -> None:
    space.add_person(id="42", email="ann@example.com")
    space.add_segment("VIP")
    join(client, space, 1, "42")
    track(client, space, "POST", "/segments/1/remove_customers", {"ids": ["7"]})
    track(client, space, "POST", "/segments/1/remove_customers", {"ids": ["9", "42"]})
    assert failure(lambda: space.assert_member("VIP", "ann@example.com")).splitlines() == [
        "segment 1 'VIP' lacks id '42': taken out by request 3",
        "  request 3   POST /api/v1/segments/1/remove_customers, answered 200",
        "  in all      0 members",
    ]


def test_a_data_driven_membership_is_explained_too(client: httpx.Client, space: WorkspaceHandle) -> None:
    space.add_segment("Pros", type="dynamic", conditions={"attribute": {"field": "plan", "operator": "exists"}})
    identify(client, space, "42", plan="pro")
    told = failure(lambda: space.assert_not_member("Pros", "42"))
    assert "its conditions hold, since request 1" in told
    identify(client, space, "42", plan="")
    assert failure(lambda: space.assert_member("Pros", "42")).startswith("segment 1 'Pros' lacks id '42': data-driven:")
