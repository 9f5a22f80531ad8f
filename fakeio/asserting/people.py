"""Is there such a person? If not: whether nobody is there or somebody differs, and who wrote what is there instead."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fakeio.asserting.losses import PARTLY, Loss, losses
from fakeio.asserting.subjects import add_meant, is_about, person_words
from fakeio.asserting.tape import add_incomplete
from fakeio.core.identifiers import Ref
from fakeio.core.matching import Difference, differences
from fakeio.core.operations import DeletePerson, Identify, MergePeople, Suppress
from fakeio.core.outcomes import Applied
from fakeio.core.people import Person
from fakeio.core.wording import DIFFERENCES, NEAR_MISSES, Report, first, several
from fakeio.core.workspace import Workspace
from fakeio.edge.exchange import Universe
from fakeio.edge.meant import operations_of
from fakeio.edge.registry import HostedWorkspace
from fakeio.edge.tape import Exchange
from fakeio.edge.tape_words import by_request, request_label, request_words
from fakeio.edge.views import person_view

_ATTRIBUTES = "attributes."
_ENDINGS = (DeletePerson, Suppress, MergePeople)  # what leaves nobody behind
_ENDED = tuple(ending.name for ending in _ENDINGS)


def found_by(space: Workspace, refs: list[Ref]) -> Person | None:
    """The person of the first identifier that anybody has."""
    return next((person for ref in refs if (person := space.people.find(ref)) is not None), None)


def unlike(person: Person, refs: list[Ref], attributes: Mapping[str, Any]) -> list[Difference]:
    """Where the person is not as wanted; an email's case is no difference."""
    found = []
    for ref in refs:
        held = person.identifier(ref.kind)
        if held is None or Ref(ref.kind, held).key != ref.key:
            found.append(Difference(ref.kind, ref.value, held))
    return [*found, *differences({"attributes": attributes}, person_view(person))]


def nobody_there(universe: Universe, hosted: HostedWorkspace, refs: list[Ref]) -> str:
    """Why nobody has these identifiers."""
    lost = [loss for loss in losses(universe, hosted, Identify.name.__eq__) if _concerns(hosted.state, loss, refs)]
    lost.sort(key=lambda loss: loss.meant is None)  # those that surely were about them first
    ended = _end(universe, hosted, refs)
    report = Report(f"nobody has {' or '.join(map(str, refs))}{_because(lost, ended)}")
    for loss in lost[:NEAR_MISSES]:
        loss.add_to(report)
    if ended is not None:
        report.add(request_label(ended), request_words(ended))
    add_meant(report, hosted.state, refs)
    report.add("in all", f"{several(len(hosted.state.people), 'person', 'people')} in the workspace")
    add_incomplete(report, hosted.tape)
    return str(report)


def different(universe: Universe, hosted: HostedWorkspace, person: Person, found: list[Difference]) -> str:
    """In what somebody differs, and which request wrote that."""
    report = Report(f"the person is there, but differs in {several(len(found), 'field')}")
    report.add("person", person_words(person))
    report.add("differs", *first([_blamed(hosted, person, one) for one in found], DIFFERENCES))
    refs = list(person.refs())
    lost = [loss for loss in losses(universe, hosted, Identify.name.__eq__)
            if loss.meant is not None and not loss.is_harmless and _concerns(hosted.state, loss, refs)]  # fmt: skip
    for loss in lost[-NEAR_MISSES:]:
        loss.add_to(report)
    add_incomplete(report, hosted.tape)
    return str(report)


def unwanted_person(hosted: HostedWorkspace, person: Person) -> str:
    """That somebody is there, and since which request."""
    report = Report("there is a person who should not be there")
    report.add("found", f"{person_words(person)}, created by {by_request(hosted.tape, person.born.request)}")
    return str(report)


def _blamed(hosted: HostedWorkspace, person: Person, found: Difference) -> str:
    name = found.field.removeprefix(_ATTRIBUTES).partition(".")[0]
    if person.value_of(name) is None:
        return str(found)
    return f"{found}; written by {by_request(hosted.tape, person.stamp(name).request)}"


def _concerns(space: Workspace, loss: Loss, refs: list[Ref]) -> bool:
    """Whether a lost operation was about one of them; one that can't be read may have been."""
    if loss.meant is None:
        return loss.fate != PARTLY
    ref = getattr(loss.meant, "ref", None)
    return isinstance(ref, Ref) and is_about(space, ref, refs)


def _because(lost: list[Loss], ended: Exchange | None) -> str:
    if lost and lost[0].meant is not None:
        return f": {lost[0].name} was {lost[0].because}"
    return f", since request {ended.n}" if ended is not None else ""


def _end(universe: Universe, hosted: HostedWorkspace, refs: list[Ref]) -> Exchange | None:
    """The last request that took somebody of that identifier away."""
    for exchange in reversed(list(hosted.tape)):
        if any(name in _ENDED for name, _ in exchange.operations) and _ends(universe, hosted, exchange, refs):
            return exchange
    return None


def _ends(universe: Universe, hosted: HostedWorkspace, exchange: Exchange, refs: list[Ref]) -> bool:
    meant = operations_of(universe, hosted, exchange)
    keys = {ref.key for ref in refs}
    for one, (_, outcome) in zip(meant, exchange.operations, strict=True):
        ref = getattr(one, "secondary" if isinstance(one, MergePeople) else "ref", None)
        if isinstance(one, _ENDINGS) and isinstance(outcome, Applied) and isinstance(ref, Ref) and ref.key in keys:
            return True
    return False
