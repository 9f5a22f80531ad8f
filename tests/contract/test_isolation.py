"""Thousands of workspaces in one server: nothing that is done with one's credentials can be seen in another."""

from __future__ import annotations

import gc
import tracemalloc
from collections import Counter
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakeio import Fake, WorkspaceHandle
from fakeio.edge.registry import HostedWorkspace
from tests.contract import handling
from tests.contract.handling import identify, track

fake, client = handling.fake, handling.client

MANY = 2_000
ENOUGH = 400  # for the memory of each to be told from noise; what is measured is ten times as slow
BYTES_EACH = 40_000  # an empty workspace with nothing on its tape; 16,000 when this was written
SECRETS = (
    "site_id", "track_api_key", "app_api_key", "pipelines_write_key", "service_token", "webhook_signing_key",
)  # fmt: skip


@pytest.fixture(scope="module")
def many(fake: Fake) -> list[WorkspaceHandle]:
    return [fake.new_workspace() for _ in range(MANY)]


def test_no_two_workspaces_share_a_credential(fake: Fake, many: list[WorkspaceHandle]) -> None:
    secrets = Counter(getattr(space, name) for space in [fake.workspace, *many] for name in SECRETS)
    assert (len(secrets), max(secrets.values())) == ((MANY + 1) * len(SECRETS), 1)
    assert len({space.id for space in many}) == MANY


def test_a_write_reaches_its_own_workspace_alone(
    fake: Fake, client: httpx.Client, many: list[WorkspaceHandle]
) -> None:
    for n, space in enumerate(many):
        assert identify(client, space, "same", number=n).status_code == 200
    assert [[person.attributes for person in space.people] for space in many] == [[{"number": n}] for n in range(MANY)]
    assert {len(space.requests) for space in many} == {1}
    assert fake.workspace.people == []


def test_a_key_of_one_workspace_does_not_open_another_with_the_site_id_of_that(
    client: httpx.Client, many: list[WorkspaceHandle]
) -> None:
    one, other = many[0], many[1]
    crossed = client.put("/api/v1/customers/x", json={}, auth=(one.site_id, other.track_api_key))
    assert crossed.status_code == 401
    assert (one.person(id="x"), other.person(id="x")) == (None, None)


@pytest.fixture
def only_what_is_new() -> None:
    """Have the collector see only what a test makes: not what others left behind, of which there may be very much."""
    gc.freeze()


@pytest.mark.usefixtures("only_what_is_new")
def test_a_workspace_takes_little_memory(fake: Fake) -> None:
    tracemalloc.start()
    try:
        spaces = [fake.new_workspace() for _ in range(ENOUGH)]
        gc.collect()
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert taken / len(spaces) < BYTES_EACH
    for space in spaces:
        fake.remove_workspace(space)


@pytest.mark.usefixtures("only_what_is_new")
def test_what_is_removed_is_forgotten(fake: Fake) -> None:
    def alive() -> int:
        gc.collect()
        return sum(isinstance(each, HostedWorkspace) for each in gc.get_objects())

    spaces = [fake.new_workspace() for _ in range(100)]
    assert alive() == 100
    while spaces:
        fake.remove_workspace(spaces.pop())
    assert alive() == 0


WORKSPACES = 4
ACTIONS = st.one_of(
    st.tuples(st.just("identify"), st.integers(0, WORKSPACES - 1), st.sampled_from("abc"), st.integers(0, 9)),
    st.tuples(st.just("delete"), st.integers(0, WORKSPACES - 1), st.sampled_from("abc"), st.just(0)),
    st.tuples(st.just("reset"), st.integers(0, WORKSPACES - 1), st.just(""), st.just(0)),
    st.tuples(st.just("fault"), st.integers(0, WORKSPACES - 1), st.just(""), st.just(0)),
    st.tuples(st.just("settings"), st.integers(0, WORKSPACES - 1), st.just(""), st.just(0)),
    st.tuples(st.just("clock"), st.integers(0, WORKSPACES - 1), st.just(""), st.integers(1, 100_000)),
)


@given(actions=st.lists(ACTIONS, max_size=25))
def test_whatever_is_done_in_whatever_order_no_workspace_sees_another(
    fake: Fake, actions: list[tuple[str, int, str, int]]
) -> None:
    spaces = [fake.new_workspace() for _ in range(WORKSPACES)]
    truth: list[dict[str, dict[str, Any]]] = [{} for _ in spaces]
    with httpx.Client(transport=fake.transport, base_url=fake.url) as client:
        for action, which, person, value in actions:
            _do(client, spaces[which], truth[which], action, person, value)
    for space, expected in zip(spaces, truth, strict=True):
        assert {one.id: one.attributes for one in space.people} == expected
        fake.remove_workspace(space)


def _do(
    client: httpx.Client, space: WorkspaceHandle, truth: dict[str, dict[str, Any]], action: str, person: str, value: int
) -> None:
    match action:
        case "identify":
            assert identify(client, space, person, value=value).status_code == 200
            truth[person] = {"value": value}
        case "delete":
            assert track(client, space, "DELETE", f"/customers/{person}", {}).status_code == 200
            truth.pop(person, None)
        case "reset":
            space.reset()
            truth.clear()
        case "fault":  # strikes the next request of this workspace, and no other's
            space.fault("status", status=503, times=1)
            assert identify(client, space, "struck").status_code == 503
        case "settings":
            space.update_settings(event_creates_person=not space.settings["event_creates_person"])
        case _:
            space.clock.advance(seconds=value)
