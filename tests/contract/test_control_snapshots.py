"""Forks, snapshots and differences through the control API and the handle."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakeio import Fake, WorkspaceHandle
from tests.contract import controlling
from tests.contract.controlling import Control
from tests.contract.readme import blocks
from tests.contract.serving import PATIENCE_S
from tests.contract.source_tree import CHECKOUT

fake, control = controlling.fake, controlling.control

NOW = 1_700_000_000


def fill(control: Control) -> None:
    """Some of everything, told through the product routes, with the clock standing still."""
    handle = control.handle
    handle.clock.set(NOW)
    handle.add_people([{"id": str(n), "email": f"{n}@example.com", "attributes": {"n": n}} for n in range(3)])
    handle.add_segment("manual")
    handle.add_segment("recent", type="dynamic", conditions={"event": {"name": "order"}, "within": 3600})
    control.identify("1", plan="pro", nested={"deep": [1, None, {"a": "b"}]})
    control.track("POST", "/api/v1/segments/1/add_customers", {"ids": ["0", "1"]})
    control.track("POST", "/api/v1/customers/1/events", {"name": "order", "data": {"total": 1.50}})
    control.track("POST", "/api/v1/events", {"name": "seen", "anonymous_id": "anon"})
    control.track("POST", "/api/v1/customers/2/suppress", {})
    handle.update_settings(propagation_delay_s=60)
    control.identify("9", later=True)


def test_what_is_put_back_is_what_was_got(fake: Fake, control: Control) -> None:
    fill(control)
    document = control.get("/snapshot")
    assert document["version"] == 1
    assert document["clock"] == {"now": NOW, "mode": "manual"}
    assert [row["operation"] for row in document["waiting"]["operations"]] == ["identify"]
    other = Control(fake, fake.new_workspace())
    assert other.send("PUT", "/snapshot", document).status_code == 204
    assert other.get("/snapshot") == document
    for each in (control, other):
        each.handle.clock.advance(seconds=7200)
    assert other.get("/snapshot") == control.get("/snapshot"), "it goes on as the original"
    assert other.handle.person(id="9") is not None
    assert [segment.count for segment in other.handle.segments] == [2, 0], "the hour of the order has passed"


def test_nothing_of_the_workspace_itself_is_in_a_snapshot(control: Control) -> None:
    fill(control)
    text = json.dumps(control.get("/snapshot"))
    handle = control.handle
    secrets = (handle.site_id, handle.track_api_key, handle.app_api_key, handle.service_token)
    assert not any(secret in text for secret in secrets)
    assert f'"{handle.name}"' not in text


def test_a_snapshot_is_a_seed(fake: Fake, control: Control) -> None:
    fill(control)
    document = control.get("/snapshot")
    made = fake.new_workspace(seed=document)
    assert made.snapshot() == document
    made.clock.advance(seconds=10)
    made.add_person(id="new")
    made.reset()
    assert made.snapshot() == document
    some = {key: document[key] for key in ("people", "segments", "events", "clock")}
    part = fake.new_workspace(seed=some)
    assert [person.id for person in part.people] == ["0", "1"]
    assert [event.name for event in part.events()] == ["order", "seen"]


def test_a_restored_clock_stands_or_runs_as_it_did(control: Control) -> None:
    running = control.get("/snapshot")
    control.handle.clock.set(NOW)
    standing = control.get("/snapshot")
    control.send("PUT", "/snapshot", running)
    assert ("clock" in running, control.get("/clock")["mode"]) == (False, "real")
    control.send("PUT", "/snapshot", standing)
    assert control.get("/clock") == {"now": NOW, "mode": "manual"}


def test_a_snapshot_written_by_hand_may_leave_out_nearly_everything(control: Control) -> None:
    control.handle.add_person(id="old")
    people = [{"id": "1", "email": "a@example.com", "attributes": {"plan": "pro"}}, {"email": "b@example.com"}]
    segments = [{"name": "vip", "members": [{"id": "1"}]}]
    events = [{"name": "order", "person": {"id": "1"}, "data": {"total": 3}}, {"name": "seen", "anonymous_id": "anon"}]
    document = {"version": 1, "people": people, "segments": segments, "events": events}
    assert control.send("PUT", "/snapshot", document).status_code == 204
    handle = control.handle
    assert [(person.id, person.email) for person in handle.people] == [("1", "a@example.com"), (None, "b@example.com")]
    assert [who.id for who in handle.segment(1).members] == ["1"]
    control.identify("1", anonymous_id="anon")
    assert [event.name for event in handle.events(person="1")] == ["order", "seen"]


@pytest.mark.parametrize(("document", "words"), [
    pytest.param({}, "version 1", id="no version"),
    pytest.param({"version": 2}, "version 2", id="a later version"),
    pytest.param({"version": True}, "version True", id="no number for a version"),
    pytest.param({"version": 1, "persons": []}, "persons", id="a key nobody knows"),
    pytest.param({"version": 1, "people": [{"number": "1"}]}, "people[0].number", id="a wrong type"),
    pytest.param({"version": 1, "people": [{"id": "1"}, {"id": "1"}]}, "people[1]", id="an id twice"),
    pytest.param({"version": 1, "people": [{"cio_id": "a"}, {"cio_id": "a"}]}, "people[1]", id="a cio_id twice"),
    pytest.param({"version": 1, "people": [{"number": 10**12}]}, "number", id="a number out of reach"),
    pytest.param({"version": 1, "people": [{"number": 2}, {"number": 1}]}, "people[1]", id="numbers out of order"),
    pytest.param({"version": 1, "settings": {"storms": 1}}, "settings: ", id="a setting nobody knows"),
    pytest.param({"version": 1, "segments": [{"name": "a", "members": ["1"]}]}, "nobody", id="an unknown member"),
    pytest.param({"version": 1, "segments": [{"name": "a", "type": "odd"}]}, "segments[0]", id="a third type"),
    pytest.param({"version": 1, "segments": [{"name": "a", "id": 1}] * 2}, "segments[1]", id="a segment twice"),
    pytest.param({"version": 1, "segments": [{"name": "a", "used_by": {"you": []}}]}, "used_by", id="an odd use"),
    pytest.param({"version": 1, "segments": [{"name": "a", "type": "dynamic", "state": "finished",
                                              "conditions": {"odd": 1}}]}, "segments[0]", id="odd conditions"),
    pytest.param({"version": 1, "people": [{"id": "1"}], "segments": [
        {"name": "a", "members": ["1"], "places": []}]}, "places", id="members without places"),
    pytest.param({"version": 1, "people": [{"id": "1"}], "segments": [
        {"name": "a", "members": ["1"], "places": [0]}]}, "places grow", id="a place below 1"),
    pytest.param({"version": 1, "suppressions": [{"identifiers": [{"fax": "1"}]}]}, "suppressions[0]", id="a fax"),
    pytest.param({"version": 1, "events": [{"data": {}}]}, "events", id="an event without a name"),
    pytest.param({"version": 1, "events": [{"name": "a", "day": 1}]}, "'day'", id="an odd field of an event"),
    pytest.param({"version": 1, "events": [{"name": "a", "number": -1}]}, "a line has", id="a number below 0"),
    pytest.param({"version": 1, "events": [{"name": "a", "number": 1}] * 2}, "twice", id="a number twice"),
    pytest.param({"version": 1, "events": [{"name": "a", "at": 1e300}]}, "a line has", id="a time out of reach"),
    pytest.param({"version": 1, "objects": [{"object_type_id": "1", "object_id": ""}]}, "objects[0]", id="no object"),
    pytest.param({"version": 1, "objects": [{"object_type_id": "1", "object_id": "a"}] * 2}, "objects[1]",
                 id="an object twice"),
    pytest.param({"version": 1, "objects": [
        {"object_type_id": "1", "object_id": "a", "cio_object_id": "o"},
        {"object_type_id": "1", "object_id": "b", "cio_object_id": "o"}]}, "objects[1]", id="a cio_object_id twice"),
    pytest.param({"version": 1, "objects": [
        {"object_type_id": "1", "object_id": "a", "number": 2},
        {"object_type_id": "1", "object_id": "b", "number": 1}]}, "objects[1]", id="objects out of order"),
    pytest.param({"version": 1, "deliveries": [{"id": "a", "type": "fax", "person": None, "created_at": 1}]},
                 "deliveries[0]", id="a delivery by fax"),
    pytest.param({"version": 1, "forms": [{"created_at": 1}]}, "forms[0]", id="a form without an id"),
    pytest.param({"version": 1, "esp_suppressions": {"odd": [
        {"email": "a", "created": 1, "reason": "", "status": ""}]}}, "esp_suppressions.odd[0]", id="an odd list"),
    pytest.param({"version": 1, "exports": [{
        "id": 1, "type": "customers", "description": "", "wanted": {"operation": "suppress", "ref": ["id", "1"]},
        "created_at": 1, "updated_at": 1, "status": "done"}]}, "exports[0]", id="an export of nothing"),
    pytest.param({"version": 1, "export_links": {"t": {"export_id": 1, "expires_at": 1}}}, "export_links[0]",
                 id="a link to no export"),
    pytest.param({"version": 1, "imports": [{"id": 1, "wanted": {"type": "fax", "title": ""}, "created_at": 1,
                                             "updated_at": 1}]}, "imports[0]", id="an import by fax"),
    pytest.param({"version": 1, "waiting": {"operations": [{"due": 1, "accepted_at": 1, "operation": "storm"}]}},
                 "waiting.operations[0]", id="an operation nobody knows"),
    pytest.param({"version": 1, "waiting": {"operations": [
        {"due": 1, "accepted_at": 1, "operation": "delete_segment", "segment_id": 1}]}},
        "waiting.operations[0]", id="an operation that never waits"),
    pytest.param({"version": 1, "waiting": {"operations": [
        {"due": 1, "accepted_at": 1, "operation": "suppress", "ref": ["id", ""]}]}},
        "waiting.operations[0]", id="an operation that is refused"),
    pytest.param({"version": 1, "waiting": {"broadcasts": [{"trigger": "1:1"}]}}, "waiting.broadcasts[0]",
                 id="a trigger of no broadcast"),
    pytest.param({"version": 1, "waiting": {"tasks": [{"due": 1, "what": "import", "key": 1}]}}, "waiting.tasks[0]",
                 id="an import that is not there"),
    pytest.param({"version": 1, "waiting": {"tasks": [{"due": 1, "what": "sing", "key": 1}]}}, "waiting.tasks[0]",
                 id="a task nobody knows"),
    pytest.param({"version": 1, "waiting": {"anonymous_events": [1]}}, "waiting.anonymous_events", id="no such event"),
    pytest.param({"version": 1, "people": [{"cio_id": "a"}], "known": {"deleted_people": {"a": {}}}}, "known",
                 id="somebody deleted who is there"),
    pytest.param({"version": 1, "known": {"shared_emails": {"a@x.io": ["a"]}}}, "known", id="nobody shares it"),
    pytest.param({"version": 1, "known": {"phones": {"1": "a"}}}, "known", id="nobody's phone"),
    pytest.param({"version": 1, "counters": {"people": 10**12}}, "counters", id="a counter out of reach"),
    pytest.param({"version": 1, "clock": {"now": "soon"}}, "clock: ", id="no time"),
    pytest.param({"version": 1, "templates": [{"name": "a", "type": "fax"}]}, "templates[0]", id="a template by fax"),
])  # fmt: skip
def test_what_can_not_be_a_snapshot_is_refused_and_changes_nothing(
    control: Control, document: dict[str, Any], words: str
) -> None:
    control.handle.clock.set(NOW)
    control.handle.add_person(id="1", attributes={"plan": "pro"})
    before = control.get("/snapshot")
    answer = control.send("PUT", "/snapshot", document)
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert error["code"] == "bad_snapshot"
    assert words in error["message"]
    assert control.get("/snapshot") == before


@given(data=st.data())
def test_a_damaged_snapshot_is_taken_or_refused_and_never_breaks_anything(fake: Fake, data: st.DataObject) -> None:
    control = Control(fake, fake.new_workspace())
    fill(control)
    document = control.get("/snapshot")
    damage(document, data)
    other = Control(fake, fake.new_workspace())
    before = other.handle.snapshot()
    answer = other.send("PUT", "/snapshot", document)
    assert answer.status_code in (204, 400)
    if answer.status_code == 400:
        assert other.handle.snapshot() == before
    other.handle.clock.advance(hours=2)
    assert other.client.get(other.base + "/people").status_code == 200
    assert other.get("/snapshot")["version"] == 1
    fake.remove_workspace(control.handle)
    fake.remove_workspace(other.handle)


def damage(document: Any, data: st.DataObject) -> None:
    """Replace one thing, somewhere, by something else."""
    while True:
        keys = list(document) if isinstance(document, dict) else list(range(len(document)))
        key = data.draw(st.sampled_from(keys))
        inner = document[key]
        if not isinstance(inner, dict | list) or not inner or data.draw(st.booleans()):
            document[key] = data.draw(st.sampled_from([None, -1, 0, 2, 10**30, 1.5, "", "x", True, [], {}, [1], ["x"]]))
            return
        document = inner


def test_a_fork_has_the_state_and_the_time_but_other_credentials_and_an_empty_tape(control: Control) -> None:
    fill(control)
    control.handle.fault("status", status=503)
    made = control.send("POST", "/fork", {"name": "mine"})
    assert made.status_code == 201
    row = made.json()
    assert row["name"] == "mine"
    assert row["site_id"] != control.handle.site_id
    base = f"/_fakeio/workspaces/{row['id']}"
    assert control.client.get(f"{base}/snapshot").json() == control.get("/snapshot")
    assert control.client.get(f"{base}/requests").json()["requests"] == []
    assert control.client.get(f"{base}/faults").json()["faults"] == []
    assert control.client.get("/auth", auth=(row["site_id"], row["track_api_key"])).status_code == 200


def test_a_fork_is_reset_to_what_it_was_forked_as(control: Control) -> None:
    fill(control)
    fork = control.handle.fork()
    before = fork.snapshot()
    fork.add_person(id="0", attributes={"n": "changed"})
    fork.clock.advance(days=1)
    control.handle.add_person(id="0", attributes={"n": "elsewhere"})
    fork.reset()
    assert fork.snapshot() == before, "the clock that stood included"


def test_blame_in_a_fork_never_points_at_its_own_tape(fake: Fake, control: Control) -> None:
    control.identify("1", plan="pro")
    fork = control.handle.fork()
    mine = Control(fake, fork)
    person = fork.person(id="1")
    assert person is not None
    blame = mine.get(f"/people/{person.cio_id}/explain", attribute="plan")["written_by"]["request"]
    mine.identify("1", plan="free")
    assert (blame, [exchange["n"] for exchange in mine.get("/requests")["requests"]]) == (1, [2])


def test_differences_are_told_field_by_field(control: Control) -> None:
    fill(control)
    fork = control.handle.fork()
    assert control.handle.diff(fork) == []
    fork.add_person(id="1", attributes={"plan": "free", "a/b": 1})
    fork.add_person(id="0", attributes={"n": 0.0})
    fork.update_settings(auto_merge=False)
    fork.add_segment("third")
    found = control.get("/diff", **{"with": fork.id})
    assert found["next"] is None
    assert found["differences"] == control.handle.diff(fork)
    third = found["differences"].pop()
    assert (third["path"], third["kind"], third["right"]["name"]) == ("segments/3", "only_right", "third")
    assert found["differences"] == [
        {"path": "settings/auto_merge", "kind": "changed", "left": True, "right": False},
        {"path": "people/0/attributes/n", "kind": "changed", "left": 0, "right": 0.0},
        {"path": "people/1/attributes/plan", "kind": "changed", "left": "pro", "right": "free"},
        {"path": "people/1/attributes/a~1b", "kind": "only_right", "right": 1},
    ]
    turned = fork.diff(control.handle)
    assert turned[0] == {"path": "settings/auto_merge", "kind": "changed", "left": False, "right": True}
    assert turned[-1]["kind"] == "only_left"


def test_people_who_were_filled_in_separately_are_compared_by_id(fake: Fake) -> None:
    left, right = fake.new_workspace(), fake.new_workspace()
    for handle, ids in ((left, ["1", "2"]), (right, ["2", "1"])):
        handle.clock.set(NOW)
        handle.add_people({"id": id, "cio_id": f"c{id}", "email": f"{id}@example.com"} for id in ids)
    left.add_segment("vip")
    right.add_segment("vip")
    client = Control(fake, left)
    client.track("POST", "/api/v1/segments/1/add_customers", {"ids": ["1"]})
    assert left.diff(right) == [{"path": "segments/1/members/1", "kind": "only_left", "left": True}]


def test_differences_come_in_pages(control: Control) -> None:
    fork = control.handle.fork()
    fork.add_people({"id": str(n)} for n in range(5))
    met: list[str] = []
    start: str | None = "0"
    while start is not None:
        page = control.get("/diff", **{"with": fork.id, "limit": 2, "start": start})
        met += [row["path"] for row in page["differences"]]
        start = page["next"]
    assert met == [f"people/{n}" for n in range(5)]


@pytest.mark.parametrize(("query", "status", "code"), [
    pytest.param("", 400, "bad_with", id="nobody to compare with"),
    pytest.param("?with=0", 404, "unknown_workspace", id="an unknown one"),
])
def test_a_difference_needs_two_workspaces(control: Control, query: str, status: int, code: str) -> None:
    answer = control.client.get(f"{control.base}/diff{query}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


def test_the_example_of_a_fork_for_each_test_passes(tmp_path: Path) -> None:
    page = blocks((CHECKOUT / "fakeio" / "README.md").read_text(encoding="utf-8"))
    (example,) = (block.text for block in page if block.kind == "python test" and ".fork()" in block.text)
    (tmp_path / "test_example.py").write_text(example, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert ended.returncode == 0, ended.stdout
    assert "2 passed" in ended.stdout


def test_restoring_from_python_says_what_is_wrong(control: Control) -> None:
    handle: WorkspaceHandle = control.handle
    with pytest.raises(ValueError, match="version 1"):
        handle.restore({"people": []})
