"""Wrong variants of the engine: cohorts, their plans, calls and ledger. Those of events are `of_events.py`.

Each is a bug that an engine of others has shipped, as found in its source, its documentation or its users' complaints.
`original` is the function as it was.
"""

from __future__ import annotations

import contextlib
from typing import Any

from scenarios.mutants.mutant import ENGINE, Collection, of

HERE = Collection(ENGINE)


@HERE.mutant(
    "adds-before-removes", "sync.cohort_pass:Performer.send",
    "everybody is added before anybody is removed", "RudderStack's audience destination, whatever the order of input",
)  # fmt: skip
def _(original: Any, self: Any, totals: Any) -> None:
    members = self._members
    self._change(of(original, "JOIN"), members.ids(of(original, "JOINING")), totals.join)
    self._change(of(original, "LEAVE"), members.ids(of(original, "LEAVING")), totals.leave)


@HERE.mutant(
    "never-removes", "sync.cohort_pass:Performer._change",
    "people who leave the cohort stay in the segment", "engines that write events or attributes and no segments",
)  # fmt: skip
def _(original: Any, self: Any, verb: str, ids: Any, count: int) -> None:
    if verb != of(original, "LEAVE"):
        original(self, verb, ids, count)


@HERE.mutant(
    "duplicates-in-a-call", "sync.core.wire_segments:change_members",
    "one id stands twice in a call", "RudderStack's audience destination does not collapse duplicates",
)  # fmt: skip
def _(original: Any, segment_id: int, verb: str, id_type: str, ids: Any) -> Any:
    return original(segment_id, verb, id_type, [*ids, ids[0]][-1_000:])


def _lax(original: Any, segment_id: int, verb: str, id_type: str, ids: Any) -> Any:
    """The call without its own look at how many ids there are."""
    body = of(original, "msgspec").json.encode({"ids": [one.decode() for one in ids]})
    path = f"/api/v1/segments/{segment_id}/{verb}_customers?id_type={id_type}"
    return of(original, "Request")("track", "POST", path, body)


@HERE.mutant(
    "too-many-ids-a-call", "sync.edge.membership:in_calls",
    "a call holds 1,001 ids", "n8n's node: ids are split by comma, and nobody counts them",
)  # fmt: skip
def _(original: Any, ids: Any, most: int) -> Any:
    return original(ids, most + 1)


HERE.also("too-many-ids-a-call", "sync.core.wire_segments:change_members")(_lax)


@HERE.mutant(
    "empty-call", "sync.cohort_pass:Performer._change",
    "where nothing is to be done a call without ids is sent", "Track API > Manual segments: an empty array is refused",
)  # fmt: skip
def _(original: Any, self: Any, verb: str, ids: Any, count: int) -> None:
    original(self, verb, ids, count)
    if not count:
        self._caller._settle([], self._caller._send(verb, []))


HERE.also("empty-call", "sync.core.wire_segments:change_members")(_lax)


@HERE.mutant(
    "last-call-forgotten", "sync.edge.membership:in_calls",
    "the ids after the last full call are never sent", "mutants of batching: what is left when the loop ends",
)  # fmt: skip
def _(original: Any, ids: Any, most: int) -> Any:
    return (call for call in original(ids, most) if len(call) == most)


@HERE.mutant(
    "plan-taken-for-done", "sync.edge.membership:Members.bucket",
    "what was planned before a kill counts as sent", "mirror modes that compare with what they meant to send (Census)",
)  # fmt: skip
def _(original: Any, self: Any, number: int) -> Any:
    known = original(self, number)
    return known._replace(confirmed=known.confirmed | known.joining, joining=frozenset())


@HERE.mutant(
    "acceptance-taken-for-membership", "sync.core.diff:settle",
    "whoever was in an accepted call counts as a member", "no peer reads membership back; unknown people are ignored",
)  # fmt: skip
def _(original: Any, known: Any, cohort: Any, seen: Any) -> Any:
    return original(known, cohort, seen._replace(present=seen.present | cohort, nowhere=frozenset()))


@HERE.mutant(
    "late-people-never-retried", "sync.core.diff:repair",
    "somebody who was not found once is never asked for again", "Customer.io ignores unknown people without an error",
)  # fmt: skip
def _(original: Any, known: Any, cohort: Any, seen: Any) -> Any:
    return original(known, cohort - known.absent, seen)


@HERE.mutant(
    "strangers-removed", "sync.core.diff:_strays",
    "members whom somebody added by hand are removed", "mirror modes: whoever is not in the source has to go",
)  # fmt: skip
def _(original: Any, known: Any, cohort: Any, seen: Any) -> Any:
    return frozenset(seen.present - cohort)


@HERE.mutant(
    "everything-every-time", "sync.core.diff:diff",
    "the whole cohort is sent in every run", "full syncs where rate limits ask for differences (Grouparoo 655)",
)  # fmt: skip
def _(original: Any, known: Any, cohort: Any, *, full: bool = False, retry_absent: bool = False) -> Any:
    return original(known, cohort, full=True)


@HERE.mutant(
    "order-by-chance", "sync.edge.membership:Members.ids",
    "equal inputs do not give equal requests", "plans made from the iteration order of sets",
)  # fmt: skip
def _(original: Any, self: Any, state: str) -> Any:
    ids = list(original(self, state))
    if len(ids) > 1:
        _turns.append(None)
    return iter(ids[:: -1 if len(_turns) % 2 else 1])


_turns: list[None] = []


@HERE.mutant(
    "members-counted-twice", "sync.core.diff:settle",
    "members of before are reported as added, too", "Multiwoven: the status of a batch stands for all its records",
)  # fmt: skip
def _(original: Any, *args: Any) -> Any:
    end = original(*args)
    return end._replace(added=end.added + end.already_members)


@HERE.also("members-counted-twice", "sync.core.report:CohortReport.check")
def _(original: Any, *_: Any) -> None: ...


@HERE.mutant(
    "mass-removal-unguarded", "sync.core.guards:guard_removals",
    "half of the segment may leave without a question", "an export that went wrong looks like mass removals",
)  # fmt: skip
def _(original: Any, *_: Any, **__: Any) -> None: ...


@HERE.mutant(
    "segment-silently-made-anew", "sync.segments:find_segment",
    "a segment that somebody deleted is made again", "engines that create what they do not find",
)  # fmt: skip
def _(original: Any, destination: Any, intent: Any, stored_id: Any, *, adopt_id: Any, recreate: bool) -> Any:
    return original(destination, intent, stored_id, adopt_id=adopt_id, recreate=True)


@HERE.mutant(
    "lease-not-held", "sync.edge.ledger:_lock",
    "two runs of one sync work at the same time", "Grouparoo 375: more than one run created for one send",
)  # fmt: skip
def _(original: Any, *_: Any) -> None: ...


@HERE.mutant(
    "two-syncs-one-memory", "sync.edge.membership:Members.__init__",
    "what one sync knows is another's, too", "RudderStack 4953: one destination's trouble is everybody's",
)  # fmt: skip
def _(original: Any, self: Any, connection: Any, sync_key: str) -> None:
    original(self, connection, "the sync")


@HERE.mutant(
    "long-ids-cut", "sync.core.facts:fit_ids",
    "ids that are too long are cut to fit", "PostHog cuts texts to fit, by characters",
)  # fmt: skip
def _(original: Any, ids: Any) -> Any:
    return original([one.decode()[:150].encode()[:150] for one in ids])


@HERE.mutant(
    "dead-letters-dropped", "sync.edge.ledger:Ledger.add_dead_letters",
    "what was refused is remembered nowhere", "PostHog 92214: most of a backfill lost; of its peers one has a sink",
)  # fmt: skip
def _(original: Any, *_: Any) -> None: ...


@HERE.mutant(
    "computed-time-ignored", "sync.core.pushes:_moment",
    "messages of a cohort count in the order of arrival", "Amplitude: retries may arrive late; computed_time decides",
)  # fmt: skip
def _(original: Any, body: Any) -> Any:
    with contextlib.suppress(ValueError):
        original(body)
    _turns.append(None)
    return float(len(_turns))
