"""What must hold whatever happens: the sixteen invariants, each a function that says which one it is.

They take plain values (sets, lists of ids, reports, rows of the tape) and raise `Broken` with a sentence; who gathers
the values, and when, is for the machines and for a user's own test. Numbers are typed from the published limits once
more. `INVARIANTS` is the table of them all.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from typing import Any, Final
from urllib.parse import unquote, urlsplit

MOST_IDS, MOST_ID_BYTES, MOST_NAME_BYTES = 1_000, 150, 100
#: "Smaller than 500 KB", "smaller than 32 KB" in the harshest reading, and 100,000 bytes for one event's data.
MOST_BATCH_BYTES, MOST_CALL_BYTES, MOST_EVENT_BYTES = 499_999, 31_999, 100_000
_BODIES = {"/api/v2/batch": MOST_BATCH_BYTES, "/api/v2/entity": MOST_CALL_BYTES}  # by the end of the path
_SHOWN = 5

Row = Mapping[str, Any]


class Broken(AssertionError):
    """An invariant does not hold; the text begins with its number."""


def final_membership(members: Collection[Hashable], expected: Collection[Hashable]) -> None:
    """I1. After a run that nothing disturbs the segment is the cohort, as far as its people exist."""
    _same("I1", "members of the segment", set(expected), set(members))


def safety_during_faults(
    sent: Iterable[str], members: Iterable[str], ever: Collection[str], by_hand: Collection[str] = ()
) -> None:
    """I2. At every moment: nobody is sent, and nobody but who was added `by_hand` is a member, who was never named by
    a cohort (`ever`)."""
    strangers = sorted(set(sent) - set(ever))
    _hold("I2", not strangers, f"sent, though no cohort ever named them: {_few(strangers)}")
    strangers = sorted(set(members) - set(ever) - set(by_hand))
    _hold("I2", not strangers, f"members without a cause: {_few(strangers)}")


def minimality(
    added: Sequence[str], removed: Sequence[str], before: Collection[str], after: Collection[str],
    wanting: Collection[str] = (),
) -> None:  # fmt: skip
    """I3. Without faults or drift a run sends exactly what changed from the snapshot `before` to `after`, each id once;
    beside it only `wanting`: those who were not found before, who are asked for again and need not be taken out."""
    for way, ids in (("added", added), ("removed", removed)):
        twice = [one for one, times in Counter(ids).items() if times > 1]
        _hold("I3", not twice, f"{way} more than once in one run: {_few(twice)}")
    joining, leaving = set(after) - set(before), set(before) - set(after)
    missing = sorted((joining | (leaving - set(wanting))) - set(added) - set(removed))
    _hold("I3", not missing, f"changed and not sent: {_few(missing)}")
    needless = sorted((set(added) - joining - set(wanting)) | (set(removed) - leaving))
    _hold("I3", not needless, f"sent, though nothing changed for them: {_few(needless)}")


def idempotence(writes: Sequence[Any]) -> None:
    """I4. A second run with nothing changed makes no write: `writes` are the requests of that run that would."""
    _hold("I4", not writes, f"a run with nothing to do wrote {len(writes)} times: {_few(writes)}")


def crash_equivalence(undisturbed: Row, killed: Row) -> None:
    """I5. Killed at any boundary and started again, a run ends as one that was left alone: equal endings, such as the
    members and the totals of the report."""
    for key in sorted({*undisturbed, *killed}):
        _same("I5", f"{key} after a kill", undisturbed.get(key), killed.get(key))


def commutativity_of_receivers(in_order: Collection[Hashable], as_arrived: Collection[Hashable]) -> None:
    """I6. In whatever order and however often messages arrive, the members are those of the order of computation."""
    _same("I6", "members by the messages' own times", set(in_order), set(as_arrived))


def batch_law(calls: Iterable[Sequence[str]], planned: Collection[str] | None = None) -> None:
    """I7. Each call holds 1 to 1,000 ids, none twice; all calls together hold what was `planned`, where that is
    known."""
    told: set[str] = set()
    for ids in calls:
        _hold("I7", 1 <= len(ids) <= MOST_IDS, f"a call of {len(ids)} ids")
        twice = [one for one, times in Counter(ids).items() if times > 1]
        _hold("I7", not twice, f"twice in one call: {_few(twice)}")
        told |= set(ids)
    if planned is not None:
        _same("I7", "ids of all calls", set(planned), told)


def accounting(report: Row) -> None:
    """I8. Every row of the source has exactly one fate: the sums of a report close, for a cohort and for events."""
    refused = sum(report["refused"].values())
    if "source_rows" in report:
        left_out = report["collapsed_duplicates"] + sum(report["skipped"].values())
        _sum("I8", "source_rows", report["source_rows"], report["in_cohort"] + left_out)
        settled = report["already_members"] + report["added"] + report["not_found"] + report["pending"] + refused
        _sum("I8", "in_cohort", report["in_cohort"], settled)
    else:
        lost = sum(report["discarded"].values()) + refused + report["expired"] + report["pending"]
        fates = report["filtered"] + report["delivered"] + report["duplicates"] + lost
        _sum("I8", "received", report["received"], fates)


def exactly_once_visibility(there: Counter[Any], expected: Counter[Any]) -> None:
    """I9. Each distinct event is at Customer.io once if it ought to be, and never more than once."""
    often = there - expected
    _hold("I9", not often, f"there more often than it ought to be: {_few(often.elements())}")
    missing = expected - there
    _hold("I9", not missing, f"not there: {_few(missing.elements())}")


def time_law(stamps: Iterable[tuple[Any, float | None, float | None]]) -> None:
    """I10. An event keeps its own time: for each (what, its own time, the time it was sent with), Unix seconds, less
    than a second lies between the two, and one that has a time never goes without."""
    for what, own, told in stamps:
        if own is not None:
            _hold("I10", told is not None, f"{what} was sent without its time")
            assert told is not None
            _hold("I10", abs(told - own) < 1, f"{what} happened at {own} and was sent with {told}")


def size_law(requests: Iterable[Row]) -> None:
    """I11. No request exceeds a published limit. Measured here in bytes, from the rows of the tape."""
    for row in requests:
        for measure in _MEASURES:
            measure(row)


def secrecy(told: Iterable[str], secrets: Iterable[str]) -> None:
    """I12. None of the `secrets` (credentials, personal values) is in anything `told`: logs, reports, error texts."""
    hidden = [secret for secret in secrets if secret]
    for text in told:
        leaked = sum(secret in text for secret in hidden)  # the message must not leak them in its turn
        _hold("I12", not leaked, f"{leaked} of {len(hidden)} secrets are in a text of {len(text)} characters")


def credentials_stay_home(asked: Iterable[tuple[str, Mapping[str, str]]], home: str) -> None:
    """I12. Of requests as (host, headers in lower case), only those to `home` carry an Authorization."""
    for host, headers in asked:
        _hold("I12", host == home or "authorization" not in headers, f"an Authorization went to {host}")


def isolation(before: Any, after: Any) -> None:
    """I13. What belongs to another sync (its segment, its state, its counts) is the same before and after."""
    _same("I13", "another sync", before, after)


def determinism(first: Sequence[Any], second: Sequence[Any]) -> None:
    """I14. The same inputs under the same faults lead to the same requests and reports, in the same order."""
    for place, (one, other) in enumerate(zip(first, second, strict=False)):
        _same("I14", f"step {place}", one, other)
    _same("I14", "how many steps", len(first), len(second))


def liveness(unsettled_by_run: Sequence[int], within: int) -> None:
    """I15. With faults that end, everything pending is settled or reported after at most `within` runs."""
    _hold("I15", 0 in unsettled_by_run[:within], f"unsettled after each of {within} runs: {list(unsettled_by_run)}")


def round_trip(sent: Any, returned: Any) -> None:
    """I16. Any identifier and any JSON value comes back from Customer.io as it was sent."""
    _same("I16", "what came back", _canonical(sent), _canonical(returned))


#: Number -> the functions that decide it.
INVARIANTS: Final[Mapping[str, tuple[Callable[..., None], ...]]] = {
    "I1": (final_membership,), "I2": (safety_during_faults,), "I3": (minimality,), "I4": (idempotence,),
    "I5": (crash_equivalence,), "I6": (commutativity_of_receivers,), "I7": (batch_law,), "I8": (accounting,),
    "I9": (exactly_once_visibility,), "I10": (time_law,), "I11": (size_law,),
    "I12": (secrecy, credentials_stay_home), "I13": (isolation,), "I14": (determinism,), "I15": (liveness,),
    "I16": (round_trip,),
}  # fmt: skip


# -- sizes ----------------------------------------------------------------------------------------------------------
def _measure_body(row: Row) -> None:
    path = urlsplit(row["path"]).path
    most = next((bytes_ for end, bytes_ in _BODIES.items() if path.endswith(end)), None)
    if most is not None and row["body"] is not None:
        size = len(_canonical(row["body"]).encode())
        _hold("I11", size <= most, f"request {row['n']} holds {size} bytes; {path} takes {most}")


def _measure_items(row: Row) -> None:
    body = row["body"]
    batch = body.get("batch", ()) if isinstance(body, Mapping) else ()
    for item in batch:
        size = len(_canonical(item).encode())
        _hold("I11", size <= MOST_CALL_BYTES, f"request {row['n']} holds an item of {size} bytes")
        _measure_event(row, item)
        for identifier in item.get("identifiers", {}).values():
            _measure_id(row, identifier)


def _measure_single(row: Row) -> None:
    path, body = urlsplit(row["path"]).path, row["body"]
    if path.startswith("/api/v1/customers/"):
        _measure_id(row, unquote(path.split("/")[4]))
    if isinstance(body, Mapping) and path.endswith("/events"):
        _measure_event(row, body)
        size = len(_canonical(body.get("data", {})).encode())
        _hold("I11", size <= MOST_EVENT_BYTES, f"request {row['n']} holds an event's data of {size} bytes")


def _measure_event(row: Row, event: Row) -> None:
    name = event.get("name")
    if isinstance(name, str):
        size = len(name.encode())
        _hold("I11", size <= MOST_NAME_BYTES, f"request {row['n']} holds an event's name of {size} bytes")


def _measure_ids(row: Row) -> None:
    body = row["body"]
    for one in body.get("ids", ()) if isinstance(body, Mapping) else ():
        _measure_id(row, one)


def _measure_id(row: Row, identifier: Any) -> None:
    size = len(str(identifier).encode())
    _hold("I11", size <= MOST_ID_BYTES, f"request {row['n']} holds an identifier of {size} bytes")


_MEASURES: Final[tuple[Callable[[Row], None], ...]] = (_measure_body, _measure_items, _measure_single, _measure_ids)


# -- words ----------------------------------------------------------------------------------------------------------
def _hold(number: str, holds: object, sentence: str) -> None:
    if not holds:
        raise Broken(f"{number}: {sentence}")


def _same(number: str, what: str, expected: Any, found: Any) -> None:
    if expected == found:
        return
    if isinstance(expected, set) and isinstance(found, set):
        missing, more = sorted(expected - found, key=repr), sorted(found - expected, key=repr)
        raise Broken(f"{number}: {what}: missing {_few(missing)}; there and not expected {_few(more)}")
    raise Broken(f"{number}: {what}: expected {_short(expected)}, found {_short(found)}")


def _sum(number: str, what: str, told: int, summed: int) -> None:
    _hold(number, told == summed, f"{what} is {told}, and its parts are {summed}")


def _few(values: Iterable[Any]) -> str:
    rest = [_short(value) for value in values]
    more = f" and {len(rest) - _SHOWN} more" if len(rest) > _SHOWN else ""
    return (", ".join(rest[:_SHOWN]) or "nothing") + more


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 300 else f"{text[:300]}…"


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
