"""Wrong variants of the fake: people, segments and what a workspace keeps. Those of its answers are `of_answers.py`.

Each stands for a bug that another fake has (`parlel`, read line by line, is the closest one), or for a fact of the
vendor's pages that is easily got wrong. `original` is the function as it was.
"""

from __future__ import annotations

from typing import Any

from scenarios.mutants.mutant import FAKE, Collection, of

HERE = Collection(FAKE)
_CORE = "fakeio.core."


@HERE.mutant(
    "merge-loses-attributes", _CORE + "merging:_absorb_attributes",
    "a merge keeps nothing that only the secondary had", "parlel: merge deletes the secondary and copies nothing",
)  # fmt: skip
def _(original: Any, *_: Any) -> None: ...


@HERE.mutant(
    "merge-loses-events", _CORE + "merging:_absorb_events",
    "the secondary's events are gone after a merge", "parlel: merge deletes the secondary and copies nothing",
)  # fmt: skip
def _(original: Any, space: Any, primary: Any, secondary: Any, now: float) -> None:
    space.log.forget_events(secondary.cio_id)


@HERE.mutant(
    "merge-loses-memberships", _CORE + "merging:_absorb_segments",
    "the secondary's segments are lost in a merge", "Merge people guide: the primary joins the secondary's segments",
)  # fmt: skip
def _(original: Any, *_: Any) -> None: ...


@HERE.mutant(
    "email-case-sensitive", _CORE + "people:People._look_up",
    "the same address in another case is somebody else", "Identifying people guide: email ignores case",
)  # fmt: skip
def _(original: Any, people: Any, ref: Any) -> Any:
    found = original(people, ref)
    return None if found is not None and ref.kind == "email" and found.email != ref.value else found


@HERE.mutant(
    "add-creates-people", _CORE + "joining:_member",
    "adding somebody unknown to a segment creates them", "Manual segments guide: unknown people are ignored",
)  # fmt: skip
def _(original: Any, space: Any, operation: Any, now: float, request: int) -> Any:
    found = original(space, operation, now, request)
    if getattr(found, "rule", "") == "segment.person_unknown":
        return of(original, "identifying").reach(space, operation.ref, now, request)
    return found


@HERE.mutant(
    "remove-ignored", _CORE + "joining:leave",
    "a removal is answered with 200 and nobody leaves", "parlel: other operations are accepted and dropped silently",
)  # fmt: skip
def _(original: Any, space: Any, operation: Any, now: float, request: int) -> Any:
    return of(original, "Applied")()


@HERE.mutant(
    "segment-made-twice", _CORE + "workspace:_create_segment",
    "one call makes two segments of one name", "App API > Segments > create: one segment a call",
)  # fmt: skip
def _(original: Any, space: Any, operation: Any, now: float, request: int) -> Any:
    original(space, operation, now, request)
    return original(space, operation, now, request)


@HERE.mutant(
    "suppressed-accepted", _CORE + "workspace:Workspace.is_suppressed",
    "the next identify brings a suppressed person back", "parlel: the next identify recreates a suppressed person",
)  # fmt: skip
def _(original: Any, *_: Any) -> None: ...


@HERE.mutant(
    "suppress-blocks-one-identifier", _CORE + "suppression:Suppressions.add",
    "only the first identifier of a suppressed person is blocked",
    "Track API > Suppress: every identifier of the person is blocked",
)  # fmt: skip
def _(original: Any, self: Any, identifiers: Any, at: float, request: int) -> None:
    original(self, tuple(identifiers)[:1], at, request)


@HERE.mutant(
    "delete-ignored", _CORE + "workspace:_delete_person",
    "a deletion is answered with 200 and nobody goes", "parlel: other operations are accepted and dropped silently",
)  # fmt: skip
def _(original: Any, space: Any, operation: Any, now: float, request: int) -> Any:
    return of(original, "Applied")()


@HERE.mutant(
    "delete-keeps-membership", _CORE + "workspace:Workspace.leave_all",
    "the deleted are still counted as members", "Track API > Delete: a deleted person leaves every segment",
)  # fmt: skip
def _(original: Any, *_: Any) -> None: ...


@HERE.mutant(
    "delete-keeps-events", _CORE + "activities:Activities.forget_events",
    "a deleted person's events stay", "Track API > Delete: the person's history goes with them",
)  # fmt: skip
def _(original: Any, *_: Any) -> None: ...


@HERE.mutant(
    "relabel-allowed", _CORE + "identifying:_may_change",
    "any identify may change an id or email that is set", "Identifying people guide: only a call by cio_id may",
)  # fmt: skip
def _(original: Any, *_: Any) -> bool:
    return True


@HERE.mutant(
    "event-id-not-deduped", _CORE + "eventing:_seen",
    "an event sent twice under one id is there twice", "Track API > Events > id: a repeated id is dropped",
)  # fmt: skip
def _(original: Any, *_: Any) -> bool:
    return False


@HERE.mutant(
    "event-time-of-arrival", _CORE + "eventing:_event",
    "an event gets the time at which it arrived", "Track API > Events > timestamp: when it happened",
)  # fmt: skip
def _(original: Any, *args: Any) -> Any:
    event = original(*args)
    event.timestamp = int(event.at)
    return event


@HERE.mutant(
    "event-creates-nobody", _CORE + "eventing:_owner",
    "an event for somebody unknown is dropped", "parlel: events of unknown people are stored without linking",
)  # fmt: skip
def _(original: Any, space: Any, operation: Any, now: float, request: int) -> Any:
    if operation.ref is not None and space.people.find(operation.ref) is None:
        return of(original, "Ignored")("event.person_unknown", "nobody is created here")
    return original(space, operation, now, request)


@HERE.mutant(
    "anonymous-events-wait-for-ever", _CORE + "anonymous:Anonymous.expire",
    "anonymous events are associated after 30 days, too", "Anonymous events guide: they wait 30 days",
)  # fmt: skip
def _(original: Any, *_: Any) -> list[Any]:
    return []


@HERE.also("anonymous-events-wait-for-ever", _CORE + "anonymous:Anonymous.claim")
def _(original: Any, self: Any, anonymous_id: str, person: str, now: float, **options: Any) -> Any:
    waiting = list(self._waiting.get(anonymous_id, {}).values())
    found = original(self, anonymous_id, person, now, **options)
    return waiting if found is not None and waiting else found


@HERE.mutant(
    "anonymous-events-never-claimed", _CORE + "anonymous:Anonymous.claim",
    "an identify does not adopt the events of its anonymous id", "parlel: a later identify never claims them",
)  # fmt: skip
def _(original: Any, *_: Any, **__: Any) -> list[Any]:
    return []


@HERE.mutant(
    "write-order-ignored", _CORE + "attributes:_is_stale",
    "a late write of an older `_timestamp` wins", "Track API > Identify > _timestamp: newer writes win",
)  # fmt: skip
def _(original: Any, *_: Any) -> bool:
    return False


@HERE.mutant(
    "empty-value-kept", _CORE + "attributes:_removes",
    "null and empty text are values", "parlel: an empty or null value never removes an attribute",
)  # fmt: skip
def _(original: Any, *_: Any) -> bool:
    return False


@HERE.mutant(
    "unsubscribed-by-truthiness", _CORE + "people:Person.unsubscribed",
    "unsubscribed: \"false\" unsubscribes", "Track API > Identify > unsubscribed: true, 1 and their texts only",
)  # fmt: skip
def _(original: Any, person: Any) -> bool:
    return bool(person.attributes.get("unsubscribed"))


@HERE.mutant(
    "device-kept-after-remove", _CORE + "workspace:_remove_device",
    "a removed device is still there", "Track API > Devices: delete takes the token away",
)  # fmt: skip
def _(original: Any, space: Any, operation: Any, now: float, request: int) -> Any:
    return of(original, "Applied")()


@HERE.mutant(
    "id-limit-in-characters", _CORE + "identifiers:check",
    "150 characters of an id fit, whatever their bytes", "Track API > Identify > id: 150 bytes",
)  # fmt: skip
def _(original: Any, ref: Any) -> Any:
    return None if 0 < len(ref.value) <= 150 else original(ref)


@HERE.mutant(
    "id-limit-off-by-one", _CORE + "identifiers:check",
    "an id of 151 bytes fits", "Track API > Identify > id: 150 bytes",
)  # fmt: skip
def _(original: Any, ref: Any) -> Any:
    return None if 0 < len(ref.value.encode()) <= 151 else original(ref)


@HERE.mutant(
    "no-event-name-limit", _CORE + "eventing:_too_long",
    "an event's name may be as long as it likes", "parlel: no limits on sizes, counts and names",
)  # fmt: skip
def _(original: Any, *_: Any) -> None: ...


@HERE.mutant(
    "data-driven-never-again", _CORE + "building:Builder.touch",
    "a data-driven segment is built once and never again", "Segments guide: people enter and leave as they change",
)  # fmt: skip
def _(original: Any, *_: Any) -> None: ...


@HERE.mutant(
    "search-and-is-or", _CORE + "filters:_all_of",
    "`and` in a search finds whoever matches any part", "App API > Customers > search",
)  # fmt: skip
def _(original: Any, nodes: Any) -> Any:
    return of(original, "any_of")(nodes)
