"""All state of one workspace, and `apply`: the only way to change it.

Takes an operation and the time, returns an outcome; knows no status code, no dialect and no clock. What needs more
than a few lines has a file of its own: `identifying.py`, `merging.py`, `eventing.py`, `joining.py`. What only the App
API does (`managing.py`) is loaded by the first operation that needs it: most workspaces never see one, and a server
should start fast.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from fakeio.core import attributes as attribute_rules
from fakeio.core import (
    deliveries,
    eventing,
    forms,
    identifiers,
    identifying,
    joining,
    merging,
    objects,
    relating,
)
from fakeio.core import operations as op
from fakeio.core.activities import Activities, Event
from fakeio.core.addresses import Addresses
from fakeio.core.agenda import Agenda
from fakeio.core.anonymous import Anonymous
from fakeio.core.content import Content
from fakeio.core.exports import Exports
from fakeio.core.intake import Held, Intake, Settle
from fakeio.core.outcomes import Applied, Ignored, Outcome, Refused
from fakeio.core.people import Device, People, Person, Stamp
from fakeio.core.segments import DYNAMIC, MANUAL, Segments
from fakeio.core.settings import Settings
from fakeio.core.shelf import Shelf
from fakeio.core.suppression import Suppressions

if TYPE_CHECKING:  # these modules import this one, or are loaded by whoever needs them
    from fakeio.core.building import Builder
    from fakeio.core.imports import Import


class Workspace:
    """One workspace: settings, people, segments, log, suppressions, waiting anonymous events."""

    def __init__(self, *, id: int, name: str, region: str, settings: Settings | None = None) -> None:
        self.id = id
        self.name = name
        self.region = region
        self.settings = settings or Settings()
        self.people = People()
        self.segments = Segments()
        self.log = Activities()
        self.suppressions = Suppressions()
        self.anonymous = Anonymous()
        self.intake = Intake()
        self.seen_event_ids: dict[str, float] = {}  # by key, when it was last recorded
        self.objects = objects.Objects()
        self.deliveries = deliveries.Deliveries()
        self.content = Content()
        self.addresses = Addresses()
        self.agenda = Agenda()
        self.exports = Exports()
        self.imports: Shelf[Import] = Shelf()
        self.builder: Builder | None = None  # only where there are data-driven segments with conditions
        self.forms: dict[str, forms.Form] = {}

    def apply(self, operation: op.Operation, now: float, request: int = 0) -> Outcome:
        """Carry out one operation at `now` (Unix seconds); `request` is its number on the tape, kept for blame."""
        refused = self.check(operation)
        return self.process(operation, now, request) if refused is None else refused

    def check(self, operation: op.Operation) -> Refused | None:
        """What a caller is told at once: which limits or shapes the operation breaks. Changes nothing."""
        return _CHECKS.get(type(operation), _check_other)(self, operation)

    def process(self, operation: op.Operation, now: float, request: int) -> Outcome:
        """Carry out an operation that `check` has passed."""
        outcome = _HANDLERS.get(type(operation), _handle_other)(self, operation, now, request)
        if self.builder is not None and isinstance(outcome, Applied) and outcome.person is not None:
            self.builder.touch(outcome.person, now, request)
        return outcome

    def accept(
        self, operation: op.Operation, now: float, request: int = 0, delay_s: float = 0, settle: Settle | None = None
    ) -> Outcome | None:
        """Take an operation in: refused at once, carried out at once, or (None) carried out after `delay_s`.

        What waits keeps its order per person: nothing overtakes an earlier operation that names the same identifier.
        `settle` is called with outcome and time when it is carried out later.
        """
        refused = self.check(operation)
        if refused is not None:
            return refused
        due = self.intake.due(operation, now + delay_s)
        if due <= now:
            return self.process(operation, now, request)
        self.intake.hold(Held(due, operation, request, now, settle), operation)
        return None

    def flush(self, now: float) -> None:
        """Carry out everything accepted, in order, whatever its time."""
        self._process_held(self.intake.take(None), now)

    def _process_held(self, held: Iterable[Held], now: float | None = None) -> None:
        for each in held:
            at = each.due if now is None else now
            outcome = self.process(each.operation, at, each.request)
            if each.settle is not None:
                each.settle(outcome, at)

    def sweep(self, now: float) -> None:
        """Let fall due what is due by `now`: accepted operations, promises, old anonymous events, segments.

        In the order in which it is due, so that one long wait does what many short ones do.
        """
        if self.intake or self.agenda or self.builder is not None:
            at = -math.inf
            while (due := self._next_due()) < now:
                # later each time, if only by a hair: what is over only after its time is over then
                at = max(due, math.nextafter(at, math.inf))
                self._fall_due(at)
        self._fall_due(now)

    def _next_due(self) -> float:
        building = math.inf if self.builder is None else self.builder.next_due()
        return min(self.intake.next_due(), self.agenda.next_due(), self.anonymous.next_due(), building)

    def _fall_due(self, now: float) -> None:
        if self.intake:
            self._process_held(self.intake.take(now))
        if self.agenda:
            from fakeio.core.managing import run_due  # see the module's text

            run_due(self, self.agenda, now)
        for event in self.anonymous.expire(now):
            self.log.drop(event)
        if self.builder is not None:
            self.builder.sweep(now)

    def events(self, place: int = 0, person: str | None = None) -> Iterator[Event]:
        """Events with a number above `place`, in order of arrival."""
        return self.log.events(place, person)

    def is_suppressed(self, *refs: identifiers.Ref) -> Ignored | None:
        """The outcome of a call that names a blocked identifier, None when none is."""
        for ref in refs:
            suppression = self.suppressions.find(ref)
            if suppression is not None:
                since = f"was suppressed by request {suppression.request}" if suppression.request else "is suppressed"
                return Ignored("person.suppressed", f"the person with {ref} {since}")
        return None

    def forget(self, person: Person) -> None:
        """Remove a person from everywhere: memberships, events, indexes."""
        self.leave_all(person)
        objects.drop_links(self, person)
        self.log.forget_events(person.cio_id)
        self.people.remove(person)

    def write_attributes(self, person: Person, sent: dict[str, Any], now: float, request: int) -> None:
        """Write attributes that a rule, not an identify, sets; logged as a change."""
        changes = attribute_rules.write(person, sent, Stamp(now, request)).changes
        if changes:
            self.log.add("attribute_change", now, person.cio_id, request, changes)

    def touch(self, cio_id: str, now: float, request: int) -> None:
        """Judge somebody again, whom no operation has changed, by the data-driven segments."""
        if self.builder is not None:
            self.builder.touch(cio_id, now, request)

    def leave_all(self, person: Person) -> None:
        """End every membership of a person who is about to go."""
        for segment_id in person.segments:
            segment = self.segments.get(segment_id)
            if segment is not None:
                segment.members.discard(person.cio_id)
                segment.joined_by.pop(person.cio_id, None)


def _delete_person(space: Workspace, operation: op.DeletePerson, now: float, request: int) -> Outcome:
    """Source: Track API > Delete. Not a suppression: the next write by that identifier makes a blank person."""
    ignored = space.is_suppressed(operation.ref)
    if ignored is not None:
        return ignored
    person = space.people.find(operation.ref)
    if person is None:
        return Ignored("person.unknown", f"nobody has {operation.ref}")
    space.forget(person)
    space.log.add("profile_delete", now, person.cio_id, request)
    return Applied(person.cio_id)


def _suppress(space: Workspace, operation: op.Suppress, now: float, request: int) -> Outcome:
    """Delete the profile for good and block its identifiers; block the one named when nobody owns it.

    The log keeps what happened, of somebody without a name. Source: Track API > Suppress; Suppressing people guide.
    """
    if space.suppressions.find(operation.ref) is not None:
        return Ignored("person.already_suppressed", f"{operation.ref} is suppressed already")
    person = space.people.find(operation.ref)
    if person is None:
        if operation.ref.kind == identifiers.CIO_ID:
            return Ignored("person.unknown_cio_id", f"nobody has {operation.ref}")
        space.suppressions.add((operation.ref,), now, request)
        return Applied()
    blocked = person.refs() if space.settings.email_identifies else person.refs()[:1]
    space.forget(person)
    space.log.anonymise(person.cio_id)
    space.people.forget_name(person.cio_id)
    space.suppressions.add((*blocked, identifiers.Ref(identifiers.CIO_ID, person.cio_id)), now, request)
    space.log.add("profile_delete", now, person.cio_id, request, detail={"suppressed": True})
    return Applied(person.cio_id)


def _unsuppress(space: Workspace, operation: op.Unsuppress, now: float, request: int) -> Outcome:
    """Free the identifier and those blocked with it. The profile does not come back."""
    suppression = space.suppressions.find(operation.ref)
    if suppression is None:
        return Ignored("person.not_suppressed", f"{operation.ref} is not suppressed")
    space.suppressions.remove(suppression)
    return Applied()


def _add_device(space: Workspace, operation: op.AddDevice, now: float, request: int) -> Outcome:
    """Upsert by token; a token that another person has moves here (assumed). Source: Track API > Devices."""
    known = space.people.find(operation.ref) is not None or space.is_suppressed(operation.ref) is not None
    if not known and not space.settings.device_creates_person:
        return Ignored("person.unknown", f"nobody has {operation.ref}, and devices create nobody here")
    found = identifying.reach(space, operation.ref, now, request)
    if not isinstance(found, Person):
        return found
    last_used = int(now) if operation.last_used is None else operation.last_used
    new = Device(operation.token, operation.platform, last_used, operation.attributes)
    if found.devices.get(operation.token) == new:
        return Ignored("device.unchanged", f"device {operation.token!r} is as it was", found.cio_id)
    if operation.token not in found.devices and 0 < space.settings.person_devices <= len(found.devices):
        return Ignored("device.no_room", f"{len(found.devices)} devices are all that a person may have", found.cio_id)
    _take_device_from_others(space, found, operation.token)
    if found.device_map is None:
        found.device_map = {}
    found.device_map[operation.token] = new
    found.mark(f"device:{operation.token}", Stamp(now, request))
    space.log.add("device_change", now, found.cio_id, request, detail={"token": operation.token})
    return Applied(found.cio_id)


def _take_device_from_others(space: Workspace, person: Person, token: str) -> None:
    owner = space.people.by_device(token)
    if owner is not None and owner is not person and owner.device_map is not None:
        if space.settings.device_token_taken == "keep_both":
            return
        owner.device_map.pop(token, None)
    space.people.index_device(token, person)


def _remove_device(space: Workspace, operation: op.RemoveDevice, now: float, request: int) -> Outcome:
    ignored = space.is_suppressed(operation.ref)
    if ignored is not None:
        return ignored
    person = space.people.find(operation.ref)
    if person is None:
        return Ignored("person.unknown", f"nobody has {operation.ref}")
    if operation.token not in person.devices or person.device_map is None:
        return Ignored("device.unknown", f"no device {operation.token!r}", person.cio_id)
    del person.device_map[operation.token]
    space.people.index_device(operation.token, None)
    space.log.add("device_change", now, person.cio_id, request, detail={"token": operation.token, "removed": True})
    return Applied(person.cio_id)


def _create_segment(space: Workspace, operation: op.CreateSegment, now: float, request: int) -> Outcome:
    """Source: App API > Segments > create. Names may repeat unless the switch says otherwise."""
    segment = space.segments.create(operation.segment_name, operation.description, MANUAL, now)
    return Applied(result=segment.id)


def _delete_segment(space: Workspace, operation: op.DeleteSegment, now: float, request: int) -> Outcome:
    segment = space.segments.get(operation.segment_id)
    assert segment is not None, "the check before has refused"
    for cio_id in segment.members:
        person = space.people.get(cio_id)
        if person is not None and person.segment_set is not None:
            person.segment_set.discard(segment.id)
    space.segments.remove(segment)
    if space.builder is not None:
        from fakeio.core.building import end  # who has a builder has loaded it

        end(space, segment, now, request)
    return Applied(result=segment.id)


def _check_ref(space: Workspace, operation: _OnePerson) -> Refused | None:
    return identifiers.check(operation.ref)


def _check_merge(space: Workspace, operation: op.MergePeople) -> Refused | None:
    return identifiers.check(operation.primary) or identifiers.check(operation.secondary)


def _check_segment_name(space: Workspace, operation: op.CreateSegment) -> Refused | None:
    if not operation.segment_name:
        return Refused("app.segment.name", "required", "segment.name", "bad request")
    if space.settings.segment_name_duplicate == "400" and space.segments.named(operation.segment_name) is not None:
        return Refused("app.segment.name", "invalid", "segment.name", "a segment of that name exists")
    return None


def _check_segment_deletable(space: Workspace, operation: op.DeleteSegment) -> Refused | None:
    segment = space.segments.get(operation.segment_id)
    if segment is None:
        return Refused("app.not_found", "invalid", "segment_id", "not found")
    if space.settings.delete_segment_dynamic == "reject" and segment.type == DYNAMIC:
        return Refused("app.segment.dynamic", "invalid", "segment_id", "unable to delete data-driven segment")
    if space.settings.delete_segment_in_use == "reject":
        from fakeio.core.uses import is_used  # see the module's text

        if is_used(space, segment):
            return Refused("app.segment.in_use", "invalid", "segment_id", "unable to delete segment in use")
    return None


def _check_nothing(space: Workspace, operation: op.Operation) -> None:
    return None


def _check_other(space: Workspace, operation: op.Operation) -> Refused | None:
    from fakeio.core.managing import CHECKS  # see the module's text

    return CHECKS.get(type(operation), _check_nothing)(space, operation)


def _handle_other(space: Workspace, operation: op.Operation, now: float, request: int) -> Outcome:
    from fakeio.core.managing import HANDLERS  # see the module's text

    return HANDLERS[type(operation)](space, operation, now, request)


_OnePerson = op.DeletePerson | op.Suppress | op.Unsuppress | op.AddDevice | op.RemoveDevice
_Check = Callable[[Workspace, Any], Refused | None]
_Handler = Callable[[Workspace, Any, float, int], Outcome]

_CHECKS: dict[type[op.Operation], _Check] = {
    op.Identify: identifying.check_identify,
    op.DeletePerson: _check_ref,
    op.Suppress: _check_ref,
    op.Unsuppress: _check_ref,
    op.MergePeople: _check_merge,
    op.RecordEvent: eventing.check_event,
    op.AddDevice: _check_ref,
    op.RemoveDevice: _check_ref,
    op.CreateSegment: _check_segment_name,
    op.DeleteSegment: _check_segment_deletable,
    op.JoinSegment: joining.check_segment,
    op.LeaveSegment: joining.check_segment,
    op.IdentifyObject: relating.check_attributes,
    op.DeleteObject: relating.check_object,
    op.Relate: relating.check_attributes,
    op.Unrelate: relating.check_object,
    op.ReportMetric: deliveries.check_metric,
    op.Unsubscribe: _check_nothing,
    op.ConnectForm: _check_nothing,
    op.SubmitForm: forms.check_form,
}
_HANDLERS: dict[type[op.Operation], _Handler] = {
    op.Identify: identifying.identify,
    op.DeletePerson: _delete_person,
    op.Suppress: _suppress,
    op.Unsuppress: _unsuppress,
    op.MergePeople: merging.merge_people,
    op.RecordEvent: eventing.record_event,
    op.AddDevice: _add_device,
    op.RemoveDevice: _remove_device,
    op.CreateSegment: _create_segment,
    op.DeleteSegment: _delete_segment,
    op.JoinSegment: joining.join,
    op.LeaveSegment: joining.leave,
    op.IdentifyObject: relating.identify_object,
    op.DeleteObject: relating.delete_object,
    op.Relate: relating.relate,
    op.Unrelate: relating.unrelate,
    op.ReportMetric: deliveries.report_metric,
    op.Unsubscribe: deliveries.unsubscribe,
    op.ConnectForm: forms.connect_form,
    op.SubmitForm: forms.submit_form,
}
OWN_OPERATIONS: tuple[type[op.Operation], ...] = tuple(_HANDLERS)
