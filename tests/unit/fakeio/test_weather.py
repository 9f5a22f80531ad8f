"""Which request a fault strikes: the counting rules as tables, and against a model of a few lines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakeio.core.weather import (
    Answer,
    BadFault,
    Chance,
    Drop,
    FailItems,
    Hold,
    Pause,
    Postpone,
    Sever,
    Slow,
    Stall,
    Truncate,
    Weather,
)
from fakeio.faults import KINDS

PATH = "/api/v1/customers/a%2Fb"
OUTAGE: Mapping[str, Any] = {"kind": "status", "status": 503}


def fair_weather() -> Weather:
    """Before anybody adds a fault."""
    return Weather(lambda: KINDS)


def struck(documents: list[dict[str, Any]], requests: int) -> list[int | None]:
    """Which fault strikes each of so many equal requests."""
    weather = fair_weather()
    for document in documents:
        weather.add({**OUTAGE, **document})
    drawn = [weather.draw("track", "PUT", PATH) for _ in range(requests)]
    return [None if one is None else one.fault for one in drawn]


@pytest.mark.parametrize(("document", "requests"), [
    pytest.param({}, [1, 1, 1, 1, 1, 1], id="no match: each one"),
    pytest.param({"times": 2}, [1, 1, None, None, None, None], id="times"),
    pytest.param({"match": {"nth": 3}}, [None, None, 1, None, None, None], id="the third"),
    pytest.param({"match": {"every": 2}}, [None, 1, None, 1, None, 1], id="every second"),
    pytest.param({"match": {"every": 2}, "times": 2}, [None, 1, None, 1, None, None], id="every second, twice"),
    pytest.param({"match": {"probability": 0}}, [None] * 6, id="never by chance"),
    pytest.param({"match": {"probability": 1}}, [1] * 6, id="always by chance"),
    pytest.param({"match": {"nth": 4, "every": 2}}, [None, None, None, 1, None, None], id="both must hold"),
])
def test_a_fault_strikes(document: dict[str, Any], requests: list[int | None]) -> None:
    assert struck([document], 6) == requests


def test_every_fault_counts_every_matching_request_and_the_first_that_fires_strikes() -> None:
    faults: list[dict[str, Any]] = [{"match": {"nth": 2}}, {"match": {"every": 2}}, {"times": 2}]
    assert struck(faults, 6) == [3, 1, 3, 2, None, 2]


def test_a_fault_that_is_not_the_first_keeps_its_times() -> None:
    assert struck([{"times": 2}, {"times": 2}], 5) == [1, 1, 2, 2, None]


@pytest.mark.parametrize(("match", "counts"), [
    pytest.param({}, True, id="no field"),
    pytest.param({"api": "track"}, True, id="its api"),
    pytest.param({"api": "app"}, False, id="another api"),
    pytest.param({"method": "put"}, True, id="its method, in any case"),
    pytest.param({"method": "POST"}, False, id="another method"),
    pytest.param({"path": PATH}, True, id="its path, as received"),
    pytest.param({"path": "/api/v1/customers/a/b"}, False, id="its path, decoded"),
    pytest.param({"path": "/api/*/customers/*"}, True, id="stars"),
    pytest.param({"path": "*%2F*"}, True, id="a star within a segment"),
    pytest.param({"path": "/*b"}, True, id="a star across segments"),
    pytest.param({"path": "/api/v1/customers"}, False, id="only its beginning"),
    pytest.param({"path": "/api/v1/customers/a.2Fb"}, False, id="a dot is a dot"),
    pytest.param({"api": "track", "path": "*", "method": "GET"}, False, id="all must hold"),
])
def test_a_match_counts_a_request(match: dict[str, Any], counts: bool) -> None:
    assert struck([{"match": match}], 1) == [1 if counts else None]


@pytest.mark.parametrize(("document", "says"), [
    pytest.param([], "a fault is a JSON object", id="not an object"),
    pytest.param({}, "a fault needs a kind and it has none; the kinds are status", id="no kind"),
    pytest.param({"kind": "storm"}, "there is no kind 'storm'", id="unknown kind"),
    pytest.param({"kind": ["status"]}, "there is no kind ['status']", id="a kind that is no text"),
    pytest.param({"kind": "status"}, "missing required field `status`", id="a field is missing"),
    pytest.param({"kind": "status", "status": 199}, ">= 200 - at `status`", id="a status that ends nothing"),
    pytest.param({"kind": "status", "status": 503, "colour": 1}, "unknown field `colour`", id="unknown field"),
    pytest.param({**OUTAGE, "match": {"host": "x"}}, "unknown field `host` - at `match`", id="unknown match field"),
    pytest.param({**OUTAGE, "match": {"nth": 0}}, ">= 1 - at `match.nth`", id="counting starts at one"),
    pytest.param({**OUTAGE, "match": {"api": "cdp"}}, "'cdp' - at `match.api`", id="unknown api"),
    pytest.param({**OUTAGE, "match": {"probability": 1.5}}, "<= 1.0 - at `match.probability`", id="beyond certain"),
    pytest.param({**OUTAGE, "times": 0}, ">= 1 - at `times`", id="never"),
    pytest.param({**OUTAGE, "when": "later"}, "'later' - at `when`", id="unknown moment"),
    pytest.param({**OUTAGE, "retry_after": "1\r\nx: y"}, "at `retry_after`", id="a header with a line break"),
    pytest.param({**OUTAGE, "body": "\ud800"}, "surrogates not allowed", id="a body that cannot be sent"),
    pytest.param({"kind": "latency", "seconds": -1}, ">= 0.0 - at `seconds`", id="back in time"),
    pytest.param({"kind": "garbage"}, "missing required field `as`", id="garbage of no kind"),
    pytest.param({"kind": "garbage", "as": "xml"}, "'xml' - at `as`", id="garbage of an unknown kind"),
    pytest.param({"kind": "partial", "indices": []}, "length >= 1 - at `indices`", id="no item"),
    pytest.param({"kind": "partial", "indices": [-1]}, ">= 0 - at `indices[0]`", id="an item before the first"),
    pytest.param({"kind": "slow_body", "bytes_per_s": 0}, "> 0.0 - at `bytes_per_s`", id="no byte, ever"),
    pytest.param({"kind": "throttle"}, "its fields are per_s, retry_after, kind, match", id="a rate is missing"),
    pytest.param({"kind": "truncate", "bytes": -1}, ">= 0 - at `bytes`", id="less than nothing"),
    pytest.param({"kind": "stall", "seconds": 1}, "missing required field `after_bytes`", id="a stall nowhere"),
    pytest.param({"kind": "timeout", "seconds": -1}, ">= 0.0 - at `seconds`", id="a hold back in time"),
    pytest.param({"kind": "lose_reply", "when": "before_parse"}, "strikes after_commit", id="a moment it cannot have"),
])
def test_a_fault_that_cannot_be_is_refused_in_words(document: Any, says: str) -> None:
    weather = fair_weather()
    with pytest.raises(BadFault) as refused:
        weather.add(document)
    assert says in str(refused.value)
    assert weather.faults == ()


def test_a_fault_is_shown_as_it_was_given_with_its_counts() -> None:
    weather = fair_weather()
    weather.add({"kind": "status", "status": 503, "retry_after": 2, "times": 1, "match": {"api": "app"}})
    weather.draw("app", "GET", "/v1/segments")
    weather.draw("app", "GET", "/v1/segments")
    assert [fault.as_dict() for fault in weather.faults] == [{
        "id": 1, "kind": "status", "match": {"api": "app"}, "times": 1, "when": "before_commit",
        "status": 503, "retry_after": 2, "seen": 2, "fired": 1,
    }]  # fmt: skip


def test_a_removed_fault_strikes_no_more_and_its_id_is_not_used_again() -> None:
    weather = fair_weather()
    weather.add(dict(OUTAGE))
    assert (weather.remove(1), weather.remove(1)) == (True, False)
    assert weather.draw("track", "PUT", PATH) is None
    assert weather.add(dict(OUTAGE)).id == 2
    weather.clear()
    assert (list(weather.faults), weather.get(2)) == ([], None)


TRACK_503 = b'{\n  "meta": {\n    "error": "Service Unavailable"\n  }\n}\n'
APP_503 = b'{\n  "errors": [\n    {\n      "detail": "Service Unavailable",\n      "status": "503"\n    }\n  ]\n}\n'
JSON = (b"content-type", b"application/json; charset=utf-8")
TEXT = (b"content-type", b"text/plain; charset=utf-8")


@pytest.mark.parametrize(("fields", "api", "answer"), [
    pytest.param({"status": 503}, "track", Answer(503, (JSON,), TRACK_503), id="track's own words"),
    pytest.param({"status": 503}, "app", Answer(503, (JSON,), APP_503), id="the App API's own words"),
    pytest.param({"status": 503, "body": "busy"}, "app", Answer(503, (TEXT,), b"busy"), id="text"),
    pytest.param({"status": 503, "body": ""}, "app", Answer(503, (), b""), id="no body"),
    pytest.param({"status": 503, "body": None}, "app", Answer(503, (JSON,), b"null\n"), id="null"),
    pytest.param({"status": 418, "body": [1]}, "app", Answer(418, (JSON,), b"[\n  1\n]\n"), id="JSON"),
    pytest.param({"status": 200}, "track", Answer(200, (JSON,), b"{}\n"), id="a success"),
    pytest.param({"status": 204}, "track", Answer(204, (), b""), id="a status that has no body"),
    pytest.param({"status": 429, "body": "", "retry_after": 7}, "app", Answer(429, ((b"retry-after", b"7"),), b""),
                 id="retry after seconds"),
    pytest.param({"status": 599, "body": ""}, "app", Answer(599, (), b""), id="a status without a name"),
])
def test_a_status_fault_answers(fields: dict[str, Any], api: str, answer: Answer) -> None:
    weather = fair_weather()
    weather.add({"kind": "status", **fields})
    drawn = weather.draw(api, "GET", "/")
    assert drawn is not None
    assert drawn.action == answer


@pytest.mark.parametrize(("kind", "when", "action"), [
    pytest.param({"kind": "reset"}, "before_commit", Sever("reset"), id="reset"),
    pytest.param({"kind": "close"}, "before_commit", Sever("close"), id="close"),
    pytest.param({"kind": "close", "when": "before_parse"}, "before_parse", Sever("close"), id="close, early"),
    pytest.param({"kind": "lose_reply"}, "after_commit", Sever("close"), id="lose_reply"),
    pytest.param({"kind": "latency", "seconds": 2}, "before_commit", Pause(2.0), id="latency"),
    pytest.param({"kind": "timeout"}, "before_commit", Hold(None), id="timeout"),
    pytest.param({"kind": "timeout", "seconds": 2}, "before_commit", Hold(2.0), id="timeout, for a while"),
    pytest.param({"kind": "stall", "after_bytes": 1, "seconds": 2}, "before_commit", Stall(1, 2.0), id="stall"),
    pytest.param({"kind": "truncate", "bytes": 1}, "before_commit", Truncate(1), id="truncate"),
    pytest.param({"kind": "slow_body", "bytes_per_s": 9}, "before_commit", Slow(9.0), id="slow_body"),
    pytest.param({"kind": "drop"}, "before_commit", Drop(), id="drop"),
    pytest.param({"kind": "delay_visibility", "seconds": 9}, "before_commit", Postpone(9.0), id="delay_visibility"),
])
def test_a_kind_asks_the_edge_for(kind: dict[str, Any], when: str, action: object) -> None:
    weather = fair_weather()
    weather.add(kind)
    drawn = weather.draw("track", "PUT", PATH)
    assert drawn is not None
    assert (drawn.kind, drawn.when, drawn.action) == (kind["kind"], when, action)


def test_every_kind_is_found_under_its_own_name() -> None:
    assert {name: effect.kind for name, effect in KINDS.items()} == {name: name for name in KINDS}


@given(seed=st.integers(), jitter=st.floats(0, 100))
def test_jitter_adds_at_most_what_it_says_and_a_seed_repeats_it(seed: int, jitter: float) -> None:
    document = {"kind": "latency", "seconds": 1, "jitter": jitter, "match": {"probability": 1.0, "seed": seed}}
    pauses = []
    for weather in (fair_weather(), fair_weather()):
        weather.add(document)
        drawn = weather.draw("track", "PUT", PATH)
        assert drawn is not None
        assert isinstance(drawn.action, Pause)
        pauses.append(drawn.action.seconds)
    assert pauses[0] == pauses[1]
    assert 1 <= pauses[0] <= 1 + jitter


@given(seed=st.integers(), count=st.integers(0))
def test_a_coin_is_a_share_of_one(seed: int, count: int) -> None:
    assert 0 <= Chance(seed, count).draw() < 1


def test_coins_fall_evenly() -> None:
    heads = sum(Chance(7, count).draw() < 0.3 for count in range(10_000))
    assert 2_800 < heads < 3_200


class CountingModel:
    """What the interface says about counting, in as few lines as it takes."""

    def __init__(self, faults: list[dict[str, Any]]) -> None:
        self.faults = faults
        self.seen = [0] * len(faults)
        self.fired = [0] * len(faults)

    def request(self, method: str) -> int | None:
        ready = []
        for n, fault in enumerate(self.faults):
            if fault.get("method") in (None, method):
                self.seen[n] += 1
                if self.fires(n, fault):
                    ready.append(n)
        if not ready:
            return None
        self.fired[ready[0]] += 1
        return ready[0] + 1

    def fires(self, n: int, fault: dict[str, Any]) -> bool:
        return (
            fault.get("nth") in (None, self.seen[n])
            and self.seen[n] % fault.get("every", 1) == 0
            and self.fired[n] < fault.get("times", 10**9)
        )


FAULTS = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "nth": st.integers(1, 6), "every": st.integers(1, 4), "times": st.integers(1, 3),
            "method": st.sampled_from(["PUT", "POST"]),
        },
    ),
    max_size=4,
)  # fmt: skip


@given(faults=FAULTS, methods=st.lists(st.sampled_from(["PUT", "POST", "DELETE"]), max_size=20))
def test_any_weather_strikes_as_the_model_says(faults: list[dict[str, Any]], methods: list[str]) -> None:
    weather, model = fair_weather(), CountingModel(faults)
    for fault in faults:
        match = {name: fault[name] for name in ("nth", "every", "method") if name in fault}
        weather.add({**OUTAGE, "match": match, **({"times": fault["times"]} if "times" in fault else {})})
    for method in methods:
        drawn = weather.draw("track", method, PATH)
        assert (None if drawn is None else drawn.fault) == model.request(method)
    assert [(fault.seen, fault.fired) for fault in weather.faults] == list(zip(model.seen, model.fired, strict=True))


# ---- kinds with a rate, kinds with a path ----------------------------------------------------------------------------


def throttled(per_s: float, at: list[float]) -> list[bool]:
    """Which of the requests at those moments a throttle strikes."""
    weather = fair_weather()
    weather.add({"kind": "throttle", "per_s": per_s})
    return [weather.draw("track", "PUT", PATH, moment) is not None for moment in at]


@pytest.mark.parametrize(("per_s", "at", "struck_at"), [
    pytest.param(2, [0, 0, 0, 0], [2, 3], id="no more than a second's worth at once"),
    pytest.param(2, [0, 0, 0, 0.5, 0.5, 1], [2, 4], id="it refills steadily"),
    pytest.param(2, [0, 0, 100, 100, 100], [4], id="and no further than it can hold"),
    pytest.param(0.5, [0, 1, 2, 3, 4], [1, 3], id="less than one a second"),
    pytest.param(0, [0, 100], [0, 1], id="none at all"),
    pytest.param(1, [10, 10, 5, 5, 6], [1, 2, 3], id="a clock set back refills nothing"),
    pytest.param(10, [0.1 * n for n in range(50)], [], id="just the rate"),
])
def test_a_throttle_strikes_beyond_its_rate(per_s: float, at: list[float], struck_at: list[int]) -> None:
    assert [place for place, struck in enumerate(throttled(per_s, at)) if struck] == struck_at


@given(per_s=st.integers(1, 20), steps=st.lists(st.integers(0, 8), max_size=60))
def test_a_throttle_passes_what_fits_and_never_more(per_s: int, steps: list[int]) -> None:
    at, now = [], 0.0
    for eighths in steps:
        now += eighths / 8
        at.append(now)
    passed = [moment for moment, struck in zip(at, throttled(per_s, at), strict=True) if not struck]
    for place, moment in enumerate(passed):
        within = sum(moment <= later < moment + 1 for later in passed[place:])
        assert within <= 2 * per_s  # a full bucket, and what flowed in meanwhile
    assert len(passed) <= per_s * (1 + now)
    assert len(passed) == len(at) or len(passed) >= min(len(at), per_s)


def test_a_throttle_counts_its_429s_and_not_what_it_lets_pass() -> None:
    weather = fair_weather()
    (throttle,) = weather.add_all([{"kind": "throttle", "per_s": 1, "times": 2, "retry_after": 3}])
    drawn = [weather.draw("track", "PUT", PATH, 0.0) for _ in range(5)]
    assert [one is not None for one in drawn] == [False, True, True, False, False]
    assert (throttle.seen, throttle.fired) == (5, 2)
    answers = [one.action for one in drawn if one is not None]
    assert [isinstance(one, Answer) and one.headers[-1] for one in answers] == [(b"retry-after", b"3")] * 2


@pytest.mark.parametrize(("path", "counts"), [
    ("/api/v2/batch", True), ("/api/v2/batch/", True), ("/api/v2/entity", False), ("/x/api/v2/batch", False),
])  # fmt: skip
def test_items_fail_in_batches_alone(path: str, counts: bool) -> None:
    weather = fair_weather()
    fault = weather.add({"kind": "partial", "indices": [2, 0, 2]})
    drawn = weather.draw("track", "POST", path)
    assert ((drawn and drawn.action), fault.seen) == ((FailItems(frozenset({0, 2})), 1) if counts else (None, 0))


# ---- plans -----------------------------------------------------------------------------------------------------------


def test_a_plan_is_added_whole_or_not_at_all() -> None:
    weather = fair_weather()
    with pytest.raises(BadFault, match=r"no kind 'storm'.*\(fault 3 of the plan\)"):
        weather.add_all([dict(OUTAGE), dict(OUTAGE), {"kind": "storm"}])
    assert weather.faults == ()
    assert [fault.id for fault in weather.add_all([dict(OUTAGE), dict(OUTAGE)])] == [1, 2]


def test_a_plan_takes_the_place_of_another_whole_or_not_at_all() -> None:
    weather = fair_weather()
    weather.add(dict(OUTAGE))
    with pytest.raises(BadFault):
        weather.replace([{"kind": "reset"}, {"kind": "storm"}])
    assert [fault.kind for fault in weather.faults] == ["status"]
    assert [(fault.id, fault.kind) for fault in weather.replace([{"kind": "reset"}])] == [(2, "reset")]
    assert weather.add(dict(OUTAGE)).id == 3


def coins(weather: Weather) -> list[int | None]:
    """The place in the plan of the fault that strikes each of forty requests."""
    ids = [fault.id for fault in weather.faults]
    drawn = [weather.draw("track", "PUT", PATH) for _ in range(40)]
    return [None if one is None else ids.index(one.fault) for one in drawn]


@given(probabilities=st.lists(st.floats(0.05, 0.95), min_size=1, max_size=3), seed=st.none() | st.integers())
def test_a_plan_tells_one_story_whatever_came_before_it(probabilities: list[float], seed: int | None) -> None:
    own = {} if seed is None else {"seed": seed}
    plan = [{**OUTAGE, "match": {"probability": probability, **own}} for probability in probabilities]
    fresh, used = fair_weather(), fair_weather()
    used.add_all([dict(OUTAGE)] * 7)
    fresh.add_all(plan)
    used.replace(plan)
    assert coins(fresh) == coins(used)


def test_faults_of_one_plan_throw_coins_of_their_own() -> None:
    weather = fair_weather()
    weather.add_all([{**OUTAGE, "match": {"probability": 0.5}}] * 2)
    struck_by = coins(weather)
    assert {0, 1, None} == set(struck_by)


@given(
    nth=st.none() | st.integers(1, 12), every=st.none() | st.integers(1, 4), times=st.none() | st.integers(1, 3),
    probability=st.none() | st.sampled_from([0, 0.5, 1]), seed=st.integers(),
)  # fmt: skip
def test_every_condition_must_hold_for_a_strike(
    nth: int | None, every: int | None, times: int | None, probability: float | None, seed: int
) -> None:
    given = {"nth": nth, "every": every, "probability": probability}
    match = {name: value for name, value in given.items() if value is not None}
    weather = fair_weather()
    (fault,) = weather.add_all([{**OUTAGE, "match": {**match, "seed": seed}, "times": times}])
    struck_at = [n for n in range(1, 25) if weather.draw("track", "PUT", PATH) is not None]
    assert (fault.seen, fault.fired) == (24, len(struck_at))
    assert all(nth in (None, n) and n % (every or 1) == 0 for n in struck_at)
    assert len(struck_at) <= (24 if times is None else times)
    if probability == 0:
        assert struck_at == []
    if probability in (None, 1):
        wanted = [n for n in range(1, 25) if nth in (None, n) and n % (every or 1) == 0]
        assert struck_at == wanted[:times]
