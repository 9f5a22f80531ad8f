"""Updates of people: what a history of rows comes to, whatever is remembered."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from sync.core.mapping import Mapping, Rules
from sync.core.person_updates import PersonUpdates, Sent
from sync.core.properties import Select
from sync.core.rows import parse_rows
from sync.core.user_properties import UserProperties

NAMES = ("a", "b", "c")
VALUES = st.one_of(st.integers(0, 2), st.sampled_from(["", "x"]))
PROPERTIES = st.dictionaries(st.sampled_from(NAMES), VALUES)
SAYINGS = st.one_of(
    PROPERTIES,
    st.builds(lambda given: {"$set": given}, PROPERTIES),
    st.builds(lambda given: {"$unset": dict.fromkeys(given, "-")}, PROPERTIES),
)


class Remembered(dict[bytes, Sent]):
    def sent(self, person: bytes) -> Sent:
        return self.setdefault(person, Sent())


def operations(planner: PersonUpdates, second: int, said: Any) -> list[dict[str, Any]]:
    moment = f"2026-07-14 10:{second // 60:02}:{second % 60:02}"
    columns = {"event_type": "$identify", "event_time": moment, "user_id": "42", "user_properties": said}
    chunk = json.dumps(columns).encode()
    mapped = Mapping(Rules(user_properties=Select.ALL)).map_rows(parse_rows(chunk), chunk)
    return [json.loads(one.item) for intent in mapped.intents for one in planner.plan(intent).operations]


def planner(wanted: UserProperties = Select.ALL, memory: Remembered | None = None) -> PersonUpdates:
    return PersonUpdates(wanted, Remembered() if memory is None else memory)


@given(st.lists(SAYINGS, max_size=8))
def test_what_was_sent_adds_up_to_what_was_said(history: list[dict[str, Any]]) -> None:
    made, said, sent = planner(), dict[str, Any](), dict[str, Any]()
    for second, saying in enumerate(history):
        new = operations(made, second, saying)
        for operation in new:
            sent |= operation["attributes"]
        for name in saying.get("$unset", {}):
            said[name] = ""
        said |= saying.get("$set", {name: value for name, value in saying.items() if name in NAMES})
        assert {name: value for name, value in sent.items() if value != ""} == {
            name: value for name, value in said.items() if value != ""
        }
        assert operations(made, second, saying) == []


@given(st.permutations(range(6)))
def test_in_whatever_order_rows_come_the_last_word_is_the_youngest_rows(order: list[int]) -> None:
    made = planner(("a",))
    new = [operation["attributes"]["a"] for second in order for operation in operations(made, second, {"a": second})]
    assert new == sorted(new)
    assert new[-1] == 5


def test_rows_of_one_moment_count_in_their_order_but_not_again_in_another_run() -> None:
    memory = Remembered()
    made = planner(memory=memory)
    first = [operations(made, 1, {"a": value}) for value in ("x", "y")]
    assert [one["attributes"] for found in first for one in found] == [{"a": "x"}, {"a": "y"}]
    (sent,) = memory.values()
    sent.fresh = False  # as read from a ledger
    assert [operations(made, 1, {"a": value}) for value in ("x", "y")] == [[], []]


def test_rows_with_operations_that_are_not_replayed_are_counted_once_each() -> None:
    made = planner(("a",))
    for second, said in enumerate([{"$add": {"a": 1}, "$append": {"a": 2}}, {"$prepend": {"b": 1}}, {"a": 1}]):
        operations(made, second, said)
    assert made.waiting == 1


def test_what_was_removed_gives_way_to_what_is_new() -> None:
    made = planner()
    operations(made, 1, {f"n{n:03}": 1 for n in range(300)})
    assert operations(made, 2, {"new": 1}) == []
    operations(made, 3, {"$unset": {"n007": "-"}})
    (operation,) = operations(made, 4, {"new": 1})
    assert (operation["attributes"], made.left_out.total()) == ({"new": 1}, 1)
