"""Cohort runs of the engine: what a file and a workspace lead to, and what happens in between."""

from __future__ import annotations

from typing import Any

from scenarios.catalogue.case import DOCUMENTED, Case, Ending, Given, Sync
from scenarios.catalogue.writing import app, delete, identify, join, leave, merge, suppress

_TAGS = ("engine", "cohort")
_SOURCE = "the engine's contract: cohorts"
_NAME = "[Amplitude] vip"
_ABC = Given(people=({"id": "a"}, {"id": "b"}, {"id": "c"}, {"id": "d"}))
_THE_SEGMENT = app("GET", "/v1/segments", keep={"vip": "segments.0.id"})


def _case(name: str, words: str, *steps: Any, given: Given = _ABC, tags: tuple[str, ...] = (), **more: Any) -> Case:
    return Case(
        name=f"cohort-{name}", tags=(*_TAGS, *tags), words=words, grade=DOCUMENTED, source=_SOURCE, given=given,
        steps=steps, **more,
    )


def _members(*ids: str) -> Ending:
    return Ending(members={_NAME: ids})


def _one_id(name: str, words: str, who: str) -> Case:
    """A cohort of one id, which somebody has."""
    return _case(name, words, Sync(cohort=(who,), report={"in_cohort": 1, "added": 1}), tags=("identifiers",),
                 given=Given(people=({"id": who},)), ending=_members(who))


CASES = (
    _case("first-run", "The first run makes the segment and adds everybody.",
          Sync(cohort=("a", "b"), report={
              "status": "success", "mode": "full", "segment": {"name": _NAME, "created": True}, "source_rows": 2,
              "in_cohort": 2, "added": 2, "not_found": 0, "removed": 0}),
          ending=_members("a", "b")),
    _case("second-run-sends-the-difference", "A second run adds who came and removes who left, and nobody else.",
          Sync(cohort=("a", "b", "c")),
          Sync(cohort=("b", "c", "d"), flags=("--max-removal-share", "1"), report={
              "mode": "incremental", "already_members": 2, "added": 1, "removed": 1, "segment": {"created": False}}),
          ending=_members("b", "c", "d")),
    _case("unchanged-cohort", "A cohort that has not changed is told as such, and nothing is written.",
          Sync(cohort=("a", "b")),
          Sync(cohort=("a", "b"), report={"already_members": 2, "added": 0, "removed": 0, "status": "success"}),
          ending=_members("a", "b")),
    _case("of-1001", "A thousand and one people are two calls.",
          Sync(cohort=tuple(f"p{n}" for n in range(1001)), report={"in_cohort": 1001, "added": 1001}),
          given=Given(people=tuple({"id": f"p{n}"} for n in range(1001))), tags=("limits",),
          rules=("track.segment.ids",), ending=Ending(refused=())),
    _case("emptied", "An empty cohort stops the run: the segment stays as it is.",
          Sync(cohort=("a", "b")),
          Sync(cohort=(), code=5, report={"status": "stopped", "removed": 0}),
          tags=("guards",), ending=_members("a", "b")),
    _case("emptied-on-purpose", "With leave an empty cohort empties the segment.",
          Sync(cohort=("a", "b")),
          Sync(cohort=(), flags=("--allow-empty",), report={"status": "success", "removed": 2}),
          tags=("guards",), ending=_members()),
    _case("that-lost-most", "Removing more than the allowed share of at least ten stops the run.",
          Sync(cohort=tuple(f"p{n}" for n in range(20))),
          Sync(cohort=("p0", "p1"), code=5, report={"status": "stopped", "removed": 0}),
          given=Given(people=tuple({"id": f"p{n}"} for n in range(20))), tags=("guards",),
          ending=Ending(members={_NAME: tuple(f"p{n}" for n in range(20))})),
    _case("with-anonymous-rows", "Rows without a user id are left out and counted.",
          Sync(cohort=("a", ""), code=1, report={
              "status": "partial", "source_rows": 2, "in_cohort": 1, "skipped": {"unresolved_mapping": 1}, "added": 1}),
          ending=_members("a")),
    _case("that-names-somebody-twice", "Two Amplitude users of one id are one person.",
          Sync(cohort=("a", "a", "b"), report={
              "source_rows": 3, "in_cohort": 2, "collapsed_duplicates": 1, "added": 2}),
          ending=_members("a", "b")),
    _case("half-of-a-shared-id-leaves", "Who shares an id stays as long as one of them does.",
          Sync(cohort=(("1", "a"), ("2", "a"), ("3", "b"))),
          Sync(cohort=(("2", "a"), ("3", "b")), report={"already_members": 2, "removed": 0}),
          ending=_members("a", "b")),
    _one_id("id-of-150-bytes", "An id of 150 bytes is sent as it is.", "é" * 75),
    _case("id-of-151-bytes", "An id of 151 bytes is left out: shortened it could be somebody else.",
          Sync(cohort=("x" * 151, "a"), code=1, report={"skipped": {"id_too_long": 1}, "added": 1}),
          tags=("identifiers", "limits"), rules=("track.person.id",), ending=_members("a")),
    _one_id("id-with-leading-zeros", "An id is text: zeros in front stay.", "00123"),
    _one_id("id-with-a-leading-space", "A space in front of an id stays.", " 123"),
    _one_id("id-like-a-number", "What looks like a number is text.", "1e3"),
    _one_id("id-like-a-truth-value", "What looks like a truth value is text.", "true"),
    _one_id("id-like-null", "What looks like null is text.", "null"),
    _one_id("id-with-a-comma-and-quotes", "Commas and quotes are part of an id.", 'a,"b"'),
    _one_id("id-with-a-line-break", "A line break is part of an id.", "a\nb"),
    _one_id("id-with-an-emoji", "An id may hold any letter.", "ada-🦊"),
    _case("ids-that-differ-in-case", "Ids that differ in case are two people.",
          Sync(cohort=("Ada", "ada"), report={"in_cohort": 2, "added": 2}),
          given=Given(people=({"id": "Ada"}, {"id": "ada"})), tags=("identifiers",), ending=_members("Ada", "ada")),
    _case("emails-that-differ-in-case", "Emails that differ in case are one person.",
          Sync(cohort=("Ada@example.com", "ada@example.com"), flags=("--id-type", "email"), report={
              "in_cohort": 1, "collapsed_duplicates": 1, "added": 1}),
          given=Given(people=({"email": "ada@example.com"},)), tags=("identifiers",),
          ending=_members("ada@example.com")),
    _case("by-another-column", "The ids may stand in another column.",
          Sync(header=("amplitude_id", "user_id", "crm_id"), cohort=(("1", "x", "a"), ("2", "y", "b")),
               flags=("--id-column", "crm_id"), report={"added": 2}),
          ending=_members("a", "b")),
    _case("by-a-changed-column", "The same name with another column is another mapping: the run stops.",
          Sync(cohort=("a",)),
          Sync(header=("amplitude_id", "user_id", "crm_id"), cohort=(("1", "x", "b"),), code=5,
               flags=("--id-column", "crm_id"), report={"status": "stopped"}),
          tags=("guards",), ending=_members("a")),
    _case("of-unknown-people", "Whom Customer.io does not know is not found, and nobody is created.",
          Sync(cohort=("a", "ghost"), code=1, report={"status": "partial", "added": 1, "not_found": 1}),
          rules=("segment.person_unknown",),
          ending=Ending(gone=("ghost",), members={_NAME: ("a",)}, ignored=("segment.person_unknown",))),
    _case("of-somebody-who-signs-up-later", "Who was not found is asked for again by the next run.",
          Sync(cohort=("a", "late"), code=1),
          identify("late", {}),
          Sync(cohort=("a", "late"), report={"status": "success", "added": 1, "not_found": 0}),
          ending=_members("a", "late")),
    _case("of-somebody-deleted-and-back", "Who is deleted and comes back becomes a member again.",
          Sync(cohort=("a", "b")), delete("b"),
          Sync(cohort=("a", "b"), flags=("--full",), code=1, report={"not_found": 1}),
          identify("b", {}), Sync(cohort=("a", "b"), report={"not_found": 0}),
          ending=_members("a", "b")),
    _case("of-somebody-suppressed", "A suppressed person is not found, and that is no failure.",
          suppress("b"), Sync(cohort=("a", "b"), code=1, report={"added": 1, "not_found": 1, "refused": {}}),
          rules=("person.suppressed",), ending=_members("a")),
    _case("of-somebody-merged-away", "Who was merged into somebody else is not brought back.",
          merge({"id": "a"}, {"id": "b"}),
          Sync(cohort=("a", "b"), code=1, report={"added": 1, "not_found": 1}),
          ending=Ending(gone=("b",), members={_NAME: ("a",)})),
    _case("changed-by-hand", "A full run puts back whom somebody took out by hand; whom somebody added stays.",
          Sync(cohort=("a", "b")), _THE_SEGMENT, join("$vip", ["z"]), leave("$vip", ["a"]),
          Sync(cohort=("a", "b"), flags=("--full",), report={"mode": "full", "already_members": 2, "removed": 0}),
          given=Given(people=({"id": "a"}, {"id": "b"}, {"id": "z"})), ending=_members("a", "b", "z")),
    _case("whose-segment-was-deleted", "When the segment is gone the run fails and says what to do.",
          Sync(cohort=("a",)), _THE_SEGMENT, app("DELETE", "/v1/segments/$vip", status=204),
          Sync(cohort=("a",), code=4, report={"status": "failed"})),
    _case("whose-segment-is-made-again", "With leave it is made anew and filled.",
          Sync(cohort=("a",)), _THE_SEGMENT, app("DELETE", "/v1/segments/$vip", status=204),
          Sync(cohort=("a",), flags=("--recreate",), report={"status": "success", "segment": {"created": True}}),
          ending=_members("a")),
    _case("whose-name-is-taken", "A segment of that name that somebody made is not taken over.",
          Sync(cohort=("a",), code=4, report={"status": "failed"}),
          given=Given(people=({"id": "a"},), segments=({"name": _NAME},)), ending=_members()),
    _case("into-an-adopted-segment", "A segment that is named on purpose is taken over.",
          _THE_SEGMENT, Sync(cohort=("a",), flags=("--segment-id=$vip",), report={"status": "success", "added": 1}),
          given=Given(people=({"id": "a"},), segments=({"name": _NAME},)), ending=_members("a")),
    _case("into-a-data-driven-segment", "A data-driven segment is refused before any id is sent.",
          _THE_SEGMENT, Sync(cohort=("a",), flags=("--segment-id=$vip",), code=4, report={"status": "failed"}),
          given=Given(people=({"id": "a"},), seed={"segments": [{"name": "pros", "type": "dynamic", "conditions": {
              "attribute": {"field": "plan", "operator": "exists"}}}]}),
          ending=Ending(members={"pros": ()}, ignored=())),
    _case("with-an-id-in-its-name", "A cohort's id becomes part of the segment's name.",
          Sync(cohort=("a",), flags=("--cohort-id", "q3x"), report={"segment": {"name": "[Amplitude] vip: q3x"}}),
          ending=Ending(members={"[Amplitude] vip: q3x": ("a",)})),
    _case("dry-run", "A dry run writes nothing at all.",
          Sync(cohort=("a", "b"), flags=("--dry-run",), report={"mode": "dry_run", "in_cohort": 2}),
          app("GET", "/v1/segments", answer={"segments": []})),
    _case("through-server-errors", "An answer of 503 is tried again, and nobody is lost.",
          Sync(cohort=("a", "b"), faults=({"kind": "status", "status": 503, "times": 2},), report={
              "status": "success", "added": 2, "retries": 2}),
          tags=("faults",), ending=_members("a", "b")),
    _case("through-a-lost-answer", "A call that was applied and whose answer was lost does no harm.",
          Sync(cohort=("a", "b"), faults=({"kind": "lose_reply", "times": 1, "match": {"path": "*add_customers*"}},),
               report={"status": "success", "added": 2}),
          tags=("faults",), ending=_members("a", "b")),
    _case("through-a-reset", "A connection that is reset is opened again.",
          Sync(cohort=("a", "b"), faults=({"kind": "reset", "times": 1, "match": {"path": "*add_customers*"}},),
               report={"status": "success", "added": 2}),
          tags=("faults",), ending=_members("a", "b")),
    _case("through-a-web-page", "A web page in place of an answer is no answer.",
          Sync(cohort=("a", "b"), faults=({"kind": "garbage", "as": "html", "times": 1},), report={
              "status": "success", "added": 2}),
          tags=("faults",), ending=_members("a", "b")),
    _case("with-refused-credentials", "Credentials that stop working end the run at once.",
          Sync(cohort=("a", "b"), faults=({"kind": "status", "status": 401, "match": {"path": "*add_customers*"}},),
               code=4, report={"status": "failed", "added": 0}),
          tags=("faults", "credentials"), ending=_members()),
    _case("that-is-accepted-and-lost", "What was accepted and never applied is seen by looking, and stays pending.",
          Sync(cohort=("a",), faults=({"kind": "drop", "match": {"path": "*add_customers*"}},), code=1, report={
              "status": "partial", "added": 0, "pending": 1}),
          tags=("faults",), ending=_members()),
    _case("without-looking", "A run that does not look says what was accepted.",
          Sync(cohort=("a", "ghost"), flags=("--verify", "none"), report={"added": 2, "not_found": 0}),
          ending=_members("a")),
)  # fmt: skip
