"""Event runs of the engine: what becomes of the rows of an export."""

from __future__ import annotations

from typing import Any

from scenarios.catalogue.case import DOCUMENTED, Case, Ending, Given, Sync
from scenarios.catalogue.matching import ABSENT
from scenarios.catalogue.writing import delete, suppress

_SOURCE = "the engine's contract: events"
_TIME = "2026-05-28 20:26:40.000000"
_AT = 1_780_000_000
ADA = {"id": "ada"}
_ANYBODY = Given(people=(ADA,))


def _row(**fields: Any) -> dict[str, Any]:
    """A row of the export; what every row has is added by the runner."""
    return {"user_id": "ada", "event_time": _TIME, "$insert_id": "i1", **fields}


def _case(name: str, words: str, *steps: Any, given: Given = _ANYBODY, tags: tuple[str, ...] = (), **more: Any) -> Case:
    return Case(
        name=f"export-{name}", tags=("engine", "events", *tags), words=words, grade=DOCUMENTED, source=_SOURCE,
        given=given, steps=steps, **more,
    )


def _discarded(name: str, words: str, reason: str, *rows: dict[str, Any]) -> Case:
    return _case(
        name, words,
        Sync(events=rows, code=1, report={
            "status": "partial", "received": len(rows), "delivered": 0, "discarded": {reason: len(rows)}}),
        tags=("discarded",), ending=Ending(people=(ADA,), events=()),
    )


def _timed(name: str, words: str, written: str, at: int = _AT) -> Case:
    return _case(name, words, Sync(events=(_row(event_time=written),), report={"delivered": 1}), tags=("time",),
                 ending=Ending(events=({"name": "buy", "timestamp": at},)))


CASES = (
    _case("one-event", "An event arrives with its name, its own time and its properties.",
          Sync(events=(_row(event_properties={"total": 3}),), report={
              "status": "success", "mode": "send", "received": 1, "delivered": 1}),
          ending=Ending(events=(
              {"name": "buy", "type": "event", "timestamp": _AT, "person": ADA, "data": {"total": 3}},))),
    _case("of-a-new-person", "An event creates the person it names, unlike a cohort.",
          Sync(events=(_row(),), report={"delivered": 1}), given=Given(),
          rules=("event_creates_person",), ending=Ending(people=(ADA,), events=({"person": ADA},))),
    _case("of-somebody-deleted", "An event of somebody who was deleted makes a blank person.",
          delete("ada"), Sync(events=(_row(),), report={"delivered": 1}),
          given=Given(people=({**ADA, "attributes": {"plan": "pro"}},)),
          ending=Ending(people=({**ADA, "attributes": {"plan": ABSENT}},), events=({"name": "buy"},))),
    _case("of-somebody-suppressed", "An event of a suppressed person is accepted, and nothing is there.",
          suppress("ada"), Sync(events=(_row(),), report={"delivered": 1}), rules=("person.suppressed",),
          ending=Ending(people=(), events=(), ignored=("person.suppressed",))),
    _case("page-viewed", "Amplitude's page view is an event of that name.",
          Sync(events=(_row(event_type="[Amplitude] Page Viewed"),), report={"delivered": 1}),
          ending=Ending(events=({"type": "event", "name": "[Amplitude] Page Viewed"},))),
    _discarded("without-a-user-id", "An event of nobody is left out.", "missing_identifier",
               _row(user_id=None), _row(user_id="", **{"$insert_id": "i2"})),
    _discarded("with-an-id-of-151-bytes", "An id that is too long leaves its event out.", "id_too_long",
               _row(user_id="x" * 151)),
    _discarded("with-a-blank-name", "An event has a name.", "event_name_blank", _row(event_type="  ")),
    _discarded("with-a-name-of-101-bytes", "A name has 100 bytes at most.", "event_name_too_long",
               _row(event_type="n" * 101)),
    _discarded("over-100-kb", "An event of more than 100,000 bytes of data is left out.", "event_too_large",
               _row(event_properties={"x": "v" * 100_001})),
    _discarded("at-no-time", "An event is never given the time of its arrival.", "bad_timestamp",
               _row(event_time="yesterday")),
    _discarded("without-a-time", "An event without a time is left out.", "bad_timestamp",
               _row(event_time="")),
    _timed("time-with-a-fraction", "A fraction of a second is cut off.", "2026-05-28 20:26:40.999999"),
    _timed("time-with-a-letter", "A T between day and time, and a Z behind it, change nothing.",
           "2026-05-28T20:26:40Z"),
    _timed("time-without-a-fraction", "A time may have no fraction.", "2026-05-28 20:26:40"),
    _timed("time-of-the-future", "A device with a wrong clock: its event keeps its time.",
           "2026-05-29 20:26:40.000000", _AT + 86_400),
    _timed("time-of-long-ago", "An old event keeps its time.", "2026-04-28 20:26:40.000000", _AT - 30 * 86_400),
    _case("repeated-in-one-file", "Rows of one device and one `$insert_id` are one event.",
          Sync(events=(_row(), _row()), report={"received": 2, "delivered": 1, "duplicates": 1}),
          ending=Ending(events=({"name": "buy"},))),
    _case("repeated-in-a-later-run", "An event that an earlier run delivered is not sent again.",
          Sync(events=(_row(),), report={"delivered": 1}),
          Sync(events=(_row(),), report={"delivered": 0, "duplicates": 1}),
          ending=Ending(events=({"name": "buy"},))),
    _case("of-two-devices", "One `$insert_id` on two devices is two events.",
          Sync(events=(_row(), _row(device_id="d2")), report={"delivered": 2, "duplicates": 0}),
          ending=Ending(events=({"name": "buy"}, {"name": "buy"}))),
    _case("with-301-properties", "The limit of 300 is about people, so the event is delivered whole.",
          Sync(events=(_row(event_properties={f"p{n}": n for n in range(301)}),), report={"delivered": 1}),
          ending=Ending(events=({"name": "buy", "data": {"p0": 0, "p300": 300}},))),
    _case("of-60-kb", "What does not fit a batch goes alone.",
          Sync(events=(_row(event_properties={"x": "v" * 60_000}),), report={"delivered": 1}), rules=("track.v2.item",),
          tags=("limits",), ending=Ending(events=({"name": "buy", "data": {"x": "v" * 60_000}},), refused=())),
    _case("with-properties-that-redirect-mail", "Names that would redirect mail never go out by those names.",
          Sync(events=(_row(event_properties={"recipient": "x@example.com", "total": 1}),), report={"delivered": 1}),
          ending=Ending(events=({"data": {"recipient": ABSENT, "amplitude_recipient": "x@example.com", "total": 1}},))),
    _case("with-nested-properties", "Nested values, letters and numbers keep their form.",
          Sync(events=(_row(event_properties={"a": {"b": [1, 2.5, True]}, "é": "ü"}),), report={"delivered": 1}),
          ending=Ending(events=({"data": {"a": {"b": [1, 2.5, True]}, "é": "ü"}},))),
    _case("with-user-properties", "Properties of the user stand below a name of their own.",
          Sync(events=(_row(user_properties={"plan": "pro"}),), report={"delivered": 1}),
          ending=Ending(events=({"data": {"user_properties": {"plan": "pro"}}},))),
    _case("with-chosen-properties", "Only the properties that were asked for are sent.",
          Sync(events=(_row(event_properties={"a": 1, "b": 2}),), flags=("--properties", "a"), report={"delivered": 1}),
          ending=Ending(events=({"data": {"a": 1, "b": ABSENT}},))),
    _case("of-chosen-names", "Only the events that were asked for are sent; the others are filtered.",
          Sync(events=(_row(), _row(event_type="view", **{"$insert_id": "i2"})), flags=("--event", "view"), report={
              "received": 2, "delivered": 1, "filtered": 1, "status": "success"}),
          ending=Ending(events=({"name": "view"},))),
    _case("of-identify-calls", "Amplitude's own `$identify` is no activity.",
          Sync(events=(_row(event_type="$identify"),), report={"filtered": 1, "delivered": 0, "status": "success"}),
          ending=Ending(events=())),
    _case("of-an-email", "A value shaped like an address means the person with that email.",
          Sync(events=(_row(user_id="Ada@Example.com"),), report={"delivered": 1}), tags=("identifiers",),
          given=Given(people=({**ADA, "email": "ada@example.com"},)),
          ending=Ending(people=({**ADA, "email": "ada@example.com"},), events=({"person": ADA},))),
    _case("of-an-odd-id", "An id with slashes, question marks and spaces arrives as it is.",
          Sync(events=(_row(user_id="a/b?c#d%20 é"),), report={"delivered": 1}), tags=("identifiers",), given=Given(),
          ending=Ending(people=({"id": "a/b?c#d%20 é"},))),
    _case("dry-run", "A dry run sends nothing.",
          Sync(events=(_row(),), flags=("--dry-run",), report={"mode": "dry_run", "received": 1}),
          ending=Ending(events=())),
    _case("through-server-errors", "An answer of 503 is tried again.",
          Sync(events=(_row(),), faults=({"kind": "status", "status": 503, "times": 2},), report={
              "status": "success", "delivered": 1}),
          tags=("faults",), ending=Ending(events=({"name": "buy"},))),
    _case("through-a-lost-answer", "What was applied and not answered is sent again and is there once.",
          Sync(events=(_row(),), faults=({"kind": "lose_reply", "times": 1, "match": {"path": "*batch*"}},), report={
              "delivered": 1, "retries": 1}),
          tags=("faults",), rules=("event.duplicate",),
          ending=Ending(events=({"name": "buy"},), ignored=("event.duplicate",))),
    _case("with-one-item-refused", "An item that Customer.io fails is told from those around it.",
          Sync(events=(_row(), _row(event_type="view", **{"$insert_id": "i2"})), code=1,
               faults=({"kind": "partial", "indices": [0], "match": {"path": "*batch*"}},), report={"delivered": 1}),
          tags=("faults",), ending=Ending(events=({"name": "view"},))),
    _case("with-refused-credentials", "Credentials that are refused end the run at once.",
          Sync(events=(_row(),), faults=({"kind": "status", "status": 401},), code=4, report={"status": "failed"}),
          tags=("faults", "credentials"), ending=Ending(events=())),
)  # fmt: skip
