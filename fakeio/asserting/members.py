"""Is somebody a member of a segment? If not, or if so against the wish: why, and by which request."""

from __future__ import annotations

from fakeio.asserting.losses import Loss, add_causes, losses
from fakeio.asserting.people import nobody_there
from fakeio.asserting.subjects import (
    KINDS,
    add_meant,
    is_about,
    named_refs,
    person_in_brief,
    person_words,
    refs_of_text,
)
from fakeio.asserting.tape import add_incomplete
from fakeio.core.explaining import explain_membership
from fakeio.core.identifiers import CIO_ID, CIO_PREFIX, EMAIL, ID, Ref
from fakeio.core.operations import JoinSegment, LeaveSegment
from fakeio.core.outcomes import Applied
from fakeio.core.people import Person
from fakeio.core.segments import Segment
from fakeio.core.wording import NEAR_MISSES, Report, several, shown
from fakeio.core.workspace import Workspace
from fakeio.edge.exchange import Universe
from fakeio.edge.meant import operations_of
from fakeio.edge.registry import HostedWorkspace
from fakeio.edge.tape import Exchange
from fakeio.edge.tape_words import request_label, request_words
from fakeio.records import PersonRecord, SegmentRecord, Who


def segment_of(space: Workspace, which: int | str | SegmentRecord) -> Segment:
    """By id, by exact name, or as handed out before; raises LookupError."""
    if isinstance(which, str):
        found = space.segments.named(which)
    else:
        found = space.segments.get(which.id if isinstance(which, SegmentRecord) else which)
    if found is None:
        known = ", ".join(f"{one.id} {shown(one.name)}" for one in space.segments) or "none"
        named = which.id if isinstance(which, SegmentRecord) else which
        raise LookupError(f"there is no segment {named!r} in workspace {space.id}; there are: {known}")
    return found


def refs_of(person: str | PersonRecord | Who | None, **named: str | None) -> list[Ref]:
    """Whom a test means: somebody handed out before, or an id, a cio_id or an email as text, or by its kind.

    Raises TypeError when nobody is meant, or two.
    """
    if person is None:
        return named_refs(named.get(ID), named.get(EMAIL), named.get(CIO_ID))
    if any(value is not None for value in named.values()):
        raise TypeError("name the person once: alone, or by id, email or cio_id")
    if isinstance(person, str):
        return refs_of_text(person)
    return [Ref(CIO_ID, person.cio_id.removeprefix(CIO_PREFIX))]


def not_a_member(
    universe: Universe, hosted: HostedWorkspace, segment: Segment, person: Person | None, refs: list[Ref]
) -> str:
    """Why the person is no member, as well as can be told."""
    lost = _lost_joins(universe, hosted, segment, refs if person is None else list(person.refs()))
    if person is None and not lost:
        return nobody_there(universe, hosted, refs)
    left = None if person is None else _last_leave(universe, hosted, segment, list(person.refs()))
    report = Report(f"{_named(segment)} lacks {_who(person, refs)}: {_why_not(hosted, segment, person, lost, left)}")
    for loss in lost[-NEAR_MISSES:]:
        loss.add_to(report)
    add_causes(report, hosted, lost[-NEAR_MISSES:])
    add_meant(report, hosted.state, [loss.meant.ref for loss in lost if isinstance(loss.meant, JoinSegment)])
    if left is not None:
        report.add(request_label(left), request_words(left))
    report.add("in all", several(segment.count, "member"))
    add_incomplete(report, hosted.tape)
    return str(report)


def a_member(hosted: HostedWorkspace, segment: Segment, person: Person) -> str:
    """Why the person is a member."""
    report = Report(f"{_named(segment)} has a member it should not have")
    report.add("member", person_words(person))
    joined = segment.joined_by.get(person.cio_id)
    report.add("because", str(explain_membership(hosted.state, person, segment.id)["why"]))
    exchange = hosted.tape.get(joined) if joined else None
    if exchange is not None:
        report.add(request_label(exchange), request_words(exchange))
    return str(report)


def _lost_joins(universe: Universe, hosted: HostedWorkspace, segment: Segment, refs: list[Ref]) -> list[Loss]:
    found = losses(universe, hosted, JoinSegment.name.__eq__)
    return [loss for loss in found if _is_join_of(hosted.state, loss, segment, refs)]


def _is_join_of(space: Workspace, loss: Loss, segment: Segment, refs: list[Ref]) -> bool:
    meant = loss.meant
    if not isinstance(meant, JoinSegment):
        return meant is None and loss.name == JoinSegment.name  # refused before anybody read whom it was about
    spelt_alike = meant.ref.value.casefold() in {ref.value.casefold() for ref in refs}  # an email sent as an id
    return meant.segment_id == segment.id and (spelt_alike or is_about(space, meant.ref, refs))


def _why_not(
    hosted: HostedWorkspace, segment: Segment, person: Person | None, lost: list[Loss], left: Exchange | None
) -> str:
    if left is not None and not (lost and lost[-1].exchange.n > left.n):
        return f"taken out by request {left.n}"
    if lost or person is None:
        return f"{lost[-1].name} was {lost[-1].because}"
    return str(explain_membership(hosted.state, person, segment.id)["why"])


def _last_leave(universe: Universe, hosted: HostedWorkspace, segment: Segment, refs: list[Ref]) -> Exchange | None:
    """The newest request that took the person out."""
    for exchange in reversed(list(hosted.tape)):
        if any(name == LeaveSegment.name and isinstance(end, Applied) for name, end in exchange.operations):
            for one, (_, end) in zip(operations_of(universe, hosted, exchange), exchange.operations, strict=True):
                if not isinstance(one, LeaveSegment) or not isinstance(end, Applied):
                    continue
                if one.segment_id == segment.id and is_about(hosted.state, one.ref, refs):
                    return exchange
    return None


def _named(segment: Segment) -> str:
    return f"segment {segment.id} {shown(segment.name)}"


def _who(person: Person | None, refs: list[Ref]) -> str:
    if person is None:
        return shown(refs[0].value)
    return person_in_brief({kind: person.identifier(kind) for kind in KINDS})
