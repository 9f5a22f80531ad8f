"""Each invariant holds where it should and breaks where it should: shown by two cases for every one of them."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from scenarios import invariants
from scenarios.invariants import INVARIANTS, Broken

COHORT = {
    "source_rows": 5, "in_cohort": 3, "collapsed_duplicates": 1, "skipped": {"id_too_long": 1}, "already_members": 1,
    "added": 1, "not_found": 1, "pending": 0, "refused": {},
}  # fmt: skip
EVENTS = {
    "received": 6, "filtered": 1, "delivered": 2, "duplicates": 1, "discarded": {"bad_row": 1},
    "refused": {"bad_event": 1}, "expired": 0, "pending": 0,
}  # fmt: skip


def call(path: str, body: Any) -> list[dict[str, Any]]:
    return [{"n": 1, "path": path, "body": body}]


def batch(**item: Any) -> list[dict[str, Any]]:
    return call("/api/v2/batch", {"batch": [{"identifiers": {"id": "a"}, **item}]})


HOLDS = [
    pytest.param("final_membership", [{"a"}, {"a"}], id="I1"),
    pytest.param("safety_during_faults", [["a"], ["a", "x"], {"a", "b"}, {"x"}], id="I2"),
    pytest.param("minimality", [["b", "n"], ["a"], {"a", "n"}, {"b", "n"}, {"n"}], id="I3"),
    pytest.param("idempotence", [[]], id="I4"),
    pytest.param("crash_equivalence", [{"members": {"a"}}, {"members": {"a"}}], id="I5"),
    pytest.param("commutativity_of_receivers", [{"a"}, {"a"}], id="I6"),
    pytest.param("batch_law", [[["a"], [str(n) for n in range(1_000)]]], id="I7"),
    pytest.param("batch_law", [[["a"], ["b"]], {"a", "b"}], id="I7 with a plan"),
    pytest.param("accounting", [COHORT], id="I8 of a cohort"),
    pytest.param("accounting", [EVENTS], id="I8 of events"),
    pytest.param("exactly_once_visibility", [Counter("ab"), Counter("ab")], id="I9"),
    pytest.param("time_law", [[("e", 5.5, 5), ("f", None, None)]], id="I10"),
    pytest.param("size_law", [batch(name="x" * 100)], id="I11"),
    pytest.param("size_law", [call("/api/v1/customers/" + "%C3%A9" * 75 + "/events", {"name": "e"})], id="I11 in v1"),
    pytest.param("size_law", [call("/v1/segments", None)], id="I11 without a body"),
    pytest.param("secrecy", [["a text"], ["s3cret", ""]], id="I12"),
    pytest.param("credentials_stay_home", [[("a", {"authorization": "x"}), ("b", {})], "a"], id="I12 of hosts"),
    pytest.param("isolation", [{"s": 1}, {"s": 1}], id="I13"),
    pytest.param("determinism", [["a", "b"], ["a", "b"]], id="I14"),
    pytest.param("liveness", [[3, 1, 0], 3], id="I15"),
    pytest.param("round_trip", [{"b": 1, "a": ["é"]}, {"a": ["é"], "b": 1}], id="I16"),
]
BREAKS = [
    pytest.param("final_membership", [{"a"}, {"b"}], "missing 'b'", id="I1"),
    pytest.param("safety_during_faults", [["x"], [], {"a"}], "no cohort ever named them", id="I2 sent"),
    pytest.param("safety_during_faults", [[], ["x"], {"a"}], "members without a cause", id="I2 member"),
    pytest.param("minimality", [["a", "a"], [], set(), {"a"}], "more than once", id="I3 twice"),
    pytest.param("minimality", [[], [], set(), {"a"}], "changed and not sent", id="I3 too little"),
    pytest.param("minimality", [["a"], [], {"a"}, {"a"}], "nothing changed for them", id="I3 too much"),
    pytest.param("idempotence", [["/add_customers"]], "wrote 1 times", id="I4"),
    pytest.param("crash_equivalence", [{"added": 1}, {"added": 2}], "added after a kill: expected 1", id="I5"),
    pytest.param("commutativity_of_receivers", [{"a"}, set()], "missing 'a'", id="I6"),
    pytest.param("batch_law", [[[]]], "a call of 0 ids", id="I7 empty"),
    pytest.param("batch_law", [[[str(n) for n in range(1_001)]]], "a call of 1001 ids", id="I7 full"),
    pytest.param("batch_law", [[["a", "a"]]], "twice in one call: 'a'", id="I7 twice"),
    pytest.param("batch_law", [[["a"]], {"a", "b"}], "missing 'b'", id="I7 unsent"),
    pytest.param("accounting", [{**COHORT, "source_rows": 6}], "source_rows is 6", id="I8 rows"),
    pytest.param("accounting", [{**COHORT, "pending": 1}], "in_cohort is 3", id="I8 people"),
    pytest.param("accounting", [{**EVENTS, "expired": 1}], "received is 6", id="I8 events"),
    pytest.param("exactly_once_visibility", [Counter("aa"), Counter("a")], "more often", id="I9 twice"),
    pytest.param("exactly_once_visibility", [Counter(), Counter("a")], "not there", id="I9 lost"),
    pytest.param("time_law", [[("e", 5.0, 6.0)]], "happened at 5.0 and was sent with 6.0", id="I10"),
    pytest.param("time_law", [[("e", 5.0, None)]], "without its time", id="I10 none"),
    pytest.param("size_law", [batch(name="é" * 51)], "name of 102 bytes", id="I11 name"),
    pytest.param("size_law", [batch(identifiers={"id": "é" * 76})], "identifier of 152 bytes", id="I11 id"),
    pytest.param("size_law", [batch(attributes={"a": "x" * 32_000})], "an item of", id="I11 item"),
    pytest.param("size_law", [call("/api/v2/batch", {"batch": [{"a": "x" * 30_000}] * 17})], "499999", id="I11 batch"),
    pytest.param("size_law", [call("/api/v1/customers/a/events", {"data": "x" * 100_000})], "data of", id="I11 data"),
    pytest.param("size_law", [call("/api/v1/segments/1/add_customers", {"ids": ["x" * 151]})], "151", id="I11 ids"),
    pytest.param("secrecy", [["my s3cret text"], ["s3cret"]], "1 of 1 secrets", id="I12"),
    pytest.param("credentials_stay_home", [[("b", {"authorization": "x"})], "a"], "went to b", id="I12 of hosts"),
    pytest.param("isolation", [{"s": 1}, {"s": 2}], "another sync", id="I13"),
    pytest.param("determinism", [["a"], ["b"]], "step 0: expected 'a'", id="I14"),
    pytest.param("determinism", [["a"], ["a", "b"]], "how many steps: expected 1", id="I14 more"),
    pytest.param("liveness", [[3, 1, 1], 3], "after each of 3 runs", id="I15"),
    pytest.param("round_trip", ["é", "e\u0301"], "what came back", id="I16"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "arguments"), HOLDS)
def test_it_holds_for(name: str, arguments: list[Any]) -> None:
    getattr(invariants, name)(*arguments)


@pytest.mark.parametrize(("name", "arguments", "said"), BREAKS)
def test_it_is_broken_by(name: str, arguments: list[Any], said: str) -> None:
    with pytest.raises(Broken) as caught:
        getattr(invariants, name)(*arguments)
    assert said in str(caught.value)
    number = next(number for number, functions in INVARIANTS.items() if name in [one.__name__ for one in functions])
    assert str(caught.value).startswith(f"{number}: ")


def test_a_broken_secrecy_keeps_the_secret() -> None:
    with pytest.raises(Broken) as caught:
        invariants.secrecy(["my s3cret text"], ["s3cret"])
    assert "s3cret" not in str(caught.value)


def test_each_number_has_its_functions_and_each_cites_its_number() -> None:
    assert list(INVARIANTS) == [f"I{number}" for number in range(1, 17)]
    cited = {function: (function.__doc__ or "").split(".")[0] for some in INVARIANTS.values() for function in some}
    assert cited == {function: number for number, some in INVARIANTS.items() for function in some}


def test_every_function_is_shown_to_break() -> None:
    shown = {str(case.values[0]) for case in BREAKS}
    assert shown == {function.__name__ for some in INVARIANTS.values() for function in some}
