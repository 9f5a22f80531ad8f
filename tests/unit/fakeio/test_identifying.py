"""Identify under every workspace setting: who is meant, who gets which identifier, what is written."""

from __future__ import annotations

from typing import Any

import pytest

from fakeio.core import operations as op
from fakeio.core.outcomes import Applied, Ignored, Refused
from tests.unit.fakeio.spaces import Space, ref


def rule_of(outcome: object) -> str | None:
    return outcome.rule if isinstance(outcome, Ignored | Refused) else None


def test_an_unknown_id_creates_a_person_and_a_known_one_is_updated() -> None:
    space = Space()
    assert isinstance(space.identify("id:42", plan="free", city="Bern"), Applied)
    assert isinstance(space.identify("id:42", plan="pro"), Applied)
    assert space.people() == [{"id": "42", "email": None, "plan": "pro", "city": "Bern"}]
    assert space.activities() == ["profile_create", "attribute_change"]


def test_the_same_values_again_change_nothing() -> None:
    space = Space()
    space.identify("id:42", plan="pro", n=1)
    assert rule_of(space.identify("id:42", plan="pro", n=1)) == "person.unchanged"
    assert isinstance(space.identify("id:42", n=True), Applied), "true is not 1"


def test_a_new_id_with_a_known_email_relabels_the_existing_person() -> None:
    space = Space()
    space.identify("email:a@x.io", plan="pro")
    before = space.person("email:a@x.io").cio_id
    assert isinstance(space.identify("id:7", email="A@x.io"), Applied)
    assert space.people() == [{"id": "7", "email": "A@x.io", "plan": "pro"}]
    assert space.person("id:7").cio_id == before


@pytest.mark.parametrize(
    ("switch", "id_after", "rule"),
    [("when_unset", "1", "identifier.fixed"), ("replace", "2", None)],
)
def test_a_new_id_with_the_email_of_somebody_who_has_an_id(switch: str, id_after: str, rule: str | None) -> None:
    space = Space(identify_relabel=switch)
    space.identify("id:1", email="a@x.io")
    outcome = space.identify("id:2", email="a@x.io")
    assert [person["id"] for person in space.people()] == [id_after]
    assert rule_of(outcome) == rule


def test_an_email_of_somebody_else_is_not_applied_and_the_failure_is_logged() -> None:
    space = Space()
    space.identify("id:a", email="a@x.io")
    space.identify("id:b", email="b@x.io")
    outcome = space.identify("id:a", email="b@x.io", plan="pro")
    assert isinstance(outcome, Applied)
    assert [note.rule for note in outcome.notes] == ["identifier.taken"]
    assert space.people() == [
        {"id": "a", "email": "a@x.io", "plan": "pro"},
        {"id": "b", "email": "b@x.io"},
    ]
    failure = space.workspace.log.after(0, 9, type="failed_attribute_change")[0]
    reason = "The identifier is already associated with a different profile."
    assert failure.info == {"email": {"reason": reason, "value": "b@x.io"}}


@pytest.mark.parametrize(("merge", "count"), [(True, 1), (False, 2)])
@pytest.mark.parametrize(("address", "body"), [("id:1", {"email": "a@x.io"}), ("email:a@x.io", {"id": "1"})])
def test_an_id_only_and_an_email_only_person_become_one(
    merge: bool,
    count: int,
    address: str,
    body: dict[str, str],
) -> None:
    space = Space(auto_merge=merge)
    space.identify("email:a@x.io", city="Bern")
    elder = space.person("email:a@x.io").cio_id
    space.identify("id:1", plan="pro")
    outcome = space.identify(address, **body)
    assert len(space.people()) == count
    if merge:
        assert isinstance(outcome, Applied)
        assert space.people() == [{"id": "1", "email": "a@x.io", "city": "Bern", "plan": "pro"}]
        assert space.person("id:1").cio_id == elder, "the older profile is primary"
    else:
        assert rule_of(outcome) == "identifier.taken"


@pytest.mark.parametrize(("allowed", "email"), [(False, "a@x.io"), (True, "new@x.io")])
def test_an_email_changes_through_an_id_path_by_setting_only(
    allowed: bool,
    email: str,
) -> None:
    space = Space(email_updates_by_id=allowed)
    space.identify("id:1", email="a@x.io")
    space.identify("id:1", email="new@x.io")
    assert space.person("id:1").email == email


@pytest.mark.parametrize("identifiers", ["email_or_id", "email", "id"])
@pytest.mark.parametrize("email", ["notmail", "a b@x.io", "@x.io", "a@", "a@b@c", 5, "a@x.io\n"])
def test_an_email_that_is_no_address_is_not_set_and_the_failure_is_logged(identifiers: str, email: object) -> None:
    space = Space(identifiers=identifiers)
    address = "email:p@x.io" if identifiers == "email" else "id:1"
    space.identify(address)
    before = space.people()
    one_id = {"id": "1"} if identifiers == "id" else {}
    kept = space.identify(address, email=email, plan="pro", **one_id)
    assert isinstance(kept, Applied)
    assert [note.rule for note in kept.notes] == ["identifier.malformed"]
    assert space.people() == [{**before[0], "plan": "pro"}]
    [failed] = [line for line in space.workspace.log.after(0, 10) if line.type == "failed_attribute_change"]
    assert failed.detail == {"email": {"reason": "The email is not a valid address.", "value": str(email)}}


@pytest.mark.parametrize("email", ["a@x.io", "a@localhost", '"a b"@x.io', "\u00e9@\u00e9.io", "a+b@x.io"])
def test_an_email_that_may_be_an_address_is_set(email: str) -> None:
    space = Space()
    space.identify("id:1", email=email)
    assert space.people() == [{"id": "1", "email": email}]


def test_an_email_that_is_no_address_is_stored_by_switch() -> None:
    space = Space(email_malformed="store")
    assert isinstance(space.identify("id:1", email="notmail"), Applied)
    assert space.people() == [{"id": "1", "email": "notmail"}]


def test_a_call_by_cio_id_changes_and_clears_identifiers() -> None:
    space = Space()
    space.identify("id:1", email="a@x.io")
    cio_id = space.person("id:1").cio_id
    space.identify(f"cio_id:{cio_id}", id="2", email="b@x.io")
    assert space.people() == [{"id": "2", "email": "b@x.io"}]
    space.identify(f"cio_id:{cio_id}", email="")
    assert space.people() == [{"id": "2", "email": None}]
    assert space.person("id:2").cio_id == cio_id
    assert space.workspace.people.find(ref("id:1")) is None


def test_a_cio_id_in_the_body_addresses_that_person_and_the_path_becomes_its_id() -> None:
    space = Space()
    space.identify("id:1", email="a@x.io")
    cio_id = space.person("id:1").cio_id
    space.identify("id:9", cio_id=f"cio_{cio_id}", plan="pro")
    assert space.people() == [{"id": "9", "email": "a@x.io", "plan": "pro"}]


def test_an_unknown_cio_id_drops_the_call() -> None:
    space = Space()
    assert rule_of(space.identify("cio_id:nope", plan="pro")) == "person.unknown_cio_id"
    assert space.people() == []


def test_update_only_never_creates() -> None:
    space = Space()
    outcome = space.do(op.Identify(ref=ref("id:1"), attributes={"plan": "pro"}, update_only=True))
    assert rule_of(outcome) == "person.update_only"
    assert space.people() == []
    assert space.activities() == ["failed_attribute_change"]


def test_an_older_timestamp_does_not_overwrite_a_newer_write() -> None:
    space = Space()
    space.do(op.Identify(ref=ref("id:1"), attributes={"plan": "pro"}, timestamp=200))
    outcome = space.do(op.Identify(ref=ref("id:1"), attributes={"plan": "old", "city": "Bern"}, timestamp=100))
    assert isinstance(outcome, Applied)
    assert [note.rule for note in outcome.notes] == ["attribute.stale"]
    assert space.people() == [{"id": "1", "email": None, "plan": "pro", "city": "Bern"}]
    assert space.activities("skipped_update") == ["skipped_update"]


@pytest.mark.parametrize(
    ("value", "unsubscribed"),
    [
        ("TRUE", True), ("true", True), (1, True), ("1", True), (True, True),
        ("yes", False), (2, False), ("true ", False), (False, False), (None, False),
    ],
    ids=repr,
)  # fmt: skip
def test_truthiness_of_unsubscribed(value: Any, unsubscribed: bool) -> None:
    space = Space()
    space.identify("id:1", unsubscribed=value)
    assert space.person("id:1").unsubscribed is unsubscribed


def test_one_topic_changes_by_dot_path_and_the_whole_object_replaces() -> None:
    space = Space()
    space.identify("id:1", cio_subscription_preferences={"topics": {"topic_1": True, "topic_2": True}})
    space.identify("id:1", **{"cio_subscription_preferences.topics.topic_2": False})
    held = space.person("id:1").attributes["cio_subscription_preferences"]
    assert held == {"topics": {"topic_1": True, "topic_2": False}}
    space.identify("id:1", **{"cio_subscription_preferences.topics.topic_1": ""})
    assert space.person("id:1").attributes["cio_subscription_preferences"] == {"topics": {"topic_2": False}}
    space.identify("id:1", cio_subscription_preferences={"topics": {"topic_9": True}})
    assert space.person("id:1").attributes["cio_subscription_preferences"] == {"topics": {"topic_9": True}}


@pytest.mark.parametrize("empty", [None, ""])
def test_null_and_empty_text_remove_an_attribute(empty: object) -> None:
    space = Space()
    space.identify("id:1", plan="pro")
    space.identify("id:1", plan=empty)
    assert space.people() == [{"id": "1", "email": None}]


def test_a_workspace_of_ids_only_wants_one_id_and_keeps_email_as_data() -> None:
    space = Space(identifiers="id")
    assert rule_of(space.identify("id:5", id="6")) == "track.person.id.mismatch"
    space.identify("id:5", email="a@x.io")
    space.identify("id:6", email="A@x.io")
    assert [person.id for person in space.workspace.people.by_email("a@x.io")] == ["5", "6"]
    assert isinstance(space.identify("id:5", email=""), Applied)
    assert [person.id for person in space.workspace.people.by_email("a@x.io")] == ["6"]


def test_a_workspace_of_emails_only_creates_by_email_only() -> None:
    space = Space(identifiers="email")
    assert rule_of(space.identify("id:5", plan="pro")) == "person.email_required"
    assert isinstance(space.identify("email:a@x.io", plan="pro"), Applied)


@pytest.mark.parametrize(
    ("switch", "value", "rule"),
    [
        pytest.param("accept", 5, None, id="a number is taken as text"),
        pytest.param("refuse", 5, "track.person.id.not_text", id="unless the switch refuses it"),
        pytest.param("accept", True, "track.person.id.not_text", id="true is no number"),
        pytest.param("accept", {"a": 1}, "track.person.id.not_text", id="nor is an object"),
        pytest.param("accept", "", "track.person.id.empty", id="empty"),
    ],
)
def test_the_id_in_a_body_is(switch: str, value: object, rule: str | None) -> None:
    space = Space(integer_body_id=switch)
    assert rule_of(space.identify("id:5", id=value)) == rule


@pytest.mark.parametrize(
    ("attributes", "rules"),
    [
        pytest.param({f"k{n}": n for n in range(300)}, [], id="300 attributes fit"),
        pytest.param({f"k{n}": n for n in range(301)}, ["track.attributes"], id="301 do not"),
        pytest.param({"n" * 150: 1}, [], id="a name of 150 bytes fits"),
        pytest.param({"é" * 76: 1}, ["track.attribute.name"], id="one of 152 does not"),
        pytest.param({"v": "x" * 1000}, [], id="a value of 1000 bytes fits"),
        pytest.param({"v": "é" * 501}, ["track.attribute.value"], id="one of 1002 does not"),
        pytest.param({"v": {"k": "x" * 992}}, [], id="a nested value is measured on its JSON text"),
        pytest.param({"v": {"k": "x" * 993}}, ["track.attribute.value"], id="and refused when that is too long"),
        pytest.param({"v": 10**1001}, ["track.attribute.value"], id="a number of 1002 digits is too long"),
        pytest.param(
            {"a": "x" * 1001, "b": "x" * 1001}, ["track.attribute.value"] * 2, id="violations are reported together"
        ),
    ],
)
def test_limits_of_attributes(attributes: dict[str, object], rules: list[str]) -> None:
    outcome = Space().identify("id:1", **attributes)
    found = [outcome, *outcome.more] if isinstance(outcome, Refused) else []
    assert [each.rule for each in found] == rules


def test_an_id_and_a_value_that_break_rules_are_reported_together() -> None:
    outcome = Space(identifiers="id").identify("id:5", id="6", token="x" * 1001)
    assert isinstance(outcome, Refused)
    assert [outcome.message, *(each.message for each in outcome.more)] == [
        "id attribute and identifier are not the same value",
        "value for attribute 'token' cannot be longer than 1000 bytes",
    ]


def test_blame_remembers_which_request_wrote_what() -> None:
    space = Space()
    space.identify("id:1", plan="free", city="Bern")
    space.identify("id:1", plan="pro")
    person = space.person("id:1")
    assert (person.stamp("plan").request, person.stamp("city").request, person.stamp("id").request) == (2, 1, 1)
