"""Identify: who is meant, who gets which identifier, who is created, and what is written.

The state machine of the Track API's identify for every workspace setting, the same for both dialects.
Source: Track API > Identify; Identifying people guide; activity log texts recorded 2025. Where the vendor contradicts
itself the switch `identify_relabel` decides.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from fakeio.core import attributes as attribute_rules
from fakeio.core import identifiers, merging, objects, triggering
from fakeio.core.identifiers import CIO_ID, CIO_PREFIX, EMAIL, ID, PHONE, Ref
from fakeio.core.outcomes import Applied, Ignored, Outcome, Refused
from fakeio.core.people import Person, Stamp

if TYPE_CHECKING:  # the workspace imports this module
    from fakeio.core.operations import Identify
    from fakeio.core.workspace import Workspace

TAKEN = "The identifier is already associated with a different profile."
NO_EMAIL = "The email is not a valid address."
_IDENTIFIER_KEYS = frozenset((ID, EMAIL, CIO_ID))


class _Claims:
    """The identifiers one identify carries: the address, those in the body, and those that must not be used."""

    __slots__ = ("address", "body", "by_cio_id")

    def __init__(self, address: Ref, body: dict[str, str | None]) -> None:
        self.address = address  # who is addressed
        self.body = body  # kind -> value to set; None clears
        self.by_cio_id = address.kind == CIO_ID  # only then may set identifiers change

    def refs(self) -> tuple[Ref, ...]:
        return (self.address, *(Ref(kind, value) for kind, value in self.body.items() if value))


def identify(space: Workspace, operation: Identify, now: float, request: int) -> Outcome:
    """Add or update a person; see the module's text for the rules."""
    claims = _claims(space, operation)
    stamp = Stamp(now, request, operation.timestamp)
    notes: list[Ignored] = []
    ignored = _drop_suppressed(space, claims, notes)
    if ignored is not None:
        return ignored
    malformed = _malformed_email(space, claims)
    found = _target(space, operation, claims, stamp, notes)
    if isinstance(found, Ignored):
        return found
    person, changed = found
    if malformed is not None:
        notes.append(Ignored("identifier.malformed", f"{malformed} is no address", person.cio_id))
        _log_failure(space, person, malformed, NO_EMAIL, stamp)
    changed |= _assign_identifiers(space, person, claims, stamp, notes)
    if not _rest_is_dropped(space, notes):
        changed |= _write_attributes(space, person, operation.attributes, stamp, notes)
    changed |= _claim_anonymous(space, person, operation.attributes.get("anonymous_id"), stamp, notes)
    if changed:
        return Applied(person.cio_id, tuple(notes))
    if notes:
        return Ignored(notes[0].rule, "; ".join(note.why for note in notes), person.cio_id)
    return Ignored("person.unchanged", "the person already has these values", person.cio_id)


def reach(space: Workspace, ref: Ref, now: float, request: int) -> Person | Ignored | Refused:
    """The person with that identifier, created blank when there is none, for writes that may create people."""
    refused = identifiers.check(ref)
    if refused is not None:
        return refused
    ignored = space.is_suppressed(ref)
    if ignored is not None:
        return ignored
    person = space.people.find(ref)
    return person if person is not None else _create(space, ref, Stamp(now, request))


# --- what is sent ---------------------------------------------------------------------------------------------------


def check_identify(space: Workspace, operation: Identify) -> Refused | None:
    """Every violation of one identify, reported together."""
    found = attribute_rules.check(operation.attributes)
    bad_id = _check_ids(space, operation)
    if bad_id is not None:
        found.insert(0, bad_id)
    if not found:
        return None
    first, *more = found
    return Refused(first.rule, first.reason, first.field, first.message, tuple(more))


def _check_ids(space: Workspace, operation: Identify) -> Refused | None:
    refused = identifiers.check(operation.ref)
    if refused is not None:
        return refused
    if ID not in operation.attributes:
        return None
    sent = operation.attributes[ID]
    number = isinstance(sent, int) and not isinstance(sent, bool) and space.settings.integer_body_id == "accept"
    if sent is not None and not isinstance(sent, str) and not number:
        return Refused("track.person.id.not_text", "invalid", "attributes.id", "id attribute must be a string value")
    text = str(sent) if sent is not None else ""
    by_cio_id = operation.ref.kind == CIO_ID
    if not text and not by_cio_id and operation.ref.kind == ID:
        return Refused("track.person.id.empty", "required", "attributes.id", identifiers.EMPTY_ID)
    ids_only = not space.settings.email_identifies
    if ids_only and operation.ref.kind == ID and text != operation.ref.value:
        message = "id attribute and identifier are not the same value"
        return Refused("track.person.id.mismatch", "invalid", "attributes.id", message)
    return identifiers.check(Ref(ID, text)) if text else None


def _claims(space: Workspace, operation: Identify) -> _Claims:
    sent = operation.attributes
    body: dict[str, str | None] = {}
    for kind in (ID, EMAIL):
        if kind in sent:
            body[kind] = _identifier_text(sent[kind])
    address = operation.ref
    named = sent.get(CIO_ID)
    if address.kind != CIO_ID and isinstance(named, str) and named:
        # the body's cio_id wins: the address in the path becomes one more identifier to set
        if address.kind in (ID, EMAIL):
            body.setdefault(address.kind, address.value)
        address = Ref(CIO_ID, named.removeprefix(CIO_PREFIX))
    held = body.get(address.kind)
    if held is not None and Ref(address.kind, held).key == address.key and address.kind == ID:
        del body[ID]
    return _Claims(address, body)


def _drop_suppressed(space: Workspace, claims: _Claims, notes: list[Ignored]) -> Ignored | None:
    """Why the whole call is dropped; a blocked identifier of the body may, by switch, go alone."""
    ignored = space.is_suppressed(*claims.refs())
    if ignored is None or space.settings.suppressed_in_body == "drop_call":
        return ignored
    for kind, value in list(claims.body.items()):
        blocked = space.is_suppressed(Ref(kind, value)) if value else None
        if blocked is not None:
            del claims.body[kind]
            notes.append(blocked)
    return space.is_suppressed(claims.address)


def _malformed_email(space: Workspace, claims: _Claims) -> Ref | None:
    """The email of the body when it is no address: it is taken out, whoever is meant."""
    email = claims.body.get(EMAIL)
    if not email or identifiers.may_be_email(email) or space.settings.email_malformed == "store":
        return None
    del claims.body[EMAIL]
    return Ref(EMAIL, email)


def _rest_is_dropped(space: Workspace, notes: list[Ignored]) -> bool:
    """Whether an identifier that could not be set takes the attributes beside it along."""
    failed = any(note.rule.startswith("identifier.") for note in notes)
    return failed and bool(space.settings.failed_identifier_rest == "drop")


def _identifier_text(value: Any) -> str | None:
    if value is None or value == "" or isinstance(value, bool | dict | list):
        return None
    return str(value)


# --- who is meant ---------------------------------------------------------------------------------------------------


def _target(
    space: Workspace, operation: Identify, claims: _Claims, stamp: Stamp, notes: list[Ignored],
) -> tuple[Person, bool] | Ignored:  # fmt: skip
    """The person to write to and whether finding it changed anything (created, re-labelled, merged)."""
    addressed = space.people.find(claims.address)
    if claims.by_cio_id:
        if addressed is None:
            return Ignored("person.unknown_cio_id", f"nobody has {claims.address}")
        return addressed, False
    other = _other_owner(space, claims, addressed)
    if addressed is not None and other is not None:
        return _two_people(space, claims, addressed, other, stamp, notes)
    if addressed is not None:
        return addressed, False
    if other is not None:
        return other, _relabel(space, other, claims.address, stamp, notes)
    if operation.update_only:
        space.log.add("failed_attribute_change", stamp.at, None, stamp.request, detail={"reason": "no such person"})
        return Ignored("person.update_only", f"nobody has {claims.address}, and the call may not create")
    created = _create(space, claims.address, stamp)
    return created if isinstance(created, Ignored) else (created, True)


def _other_owner(space: Workspace, claims: _Claims, addressed: Person | None) -> Person | None:
    """Whoever else owns an identifier of the body; id before email."""
    for kind, value in claims.body.items():
        if value and _identifies(space, kind):
            owner = space.people.find(Ref(kind, value))
            if owner is not None and owner is not addressed:
                return owner
    return None


def _identifies(space: Workspace, kind: str) -> bool:
    return space.settings.email_identifies if kind == EMAIL else kind == ID


def _two_people(
    space: Workspace, claims: _Claims, addressed: Person, other: Person, stamp: Stamp, notes: list[Ignored],
) -> tuple[Person, bool]:  # fmt: skip
    """Address and body belong to two people: auto-merge where the rule allows, else the addressed one is meant."""
    if not space.settings.auto_merge or not _complementary(claims, addressed, other):
        if space.settings.identify_two_people == "path":
            return addressed, False
        _note_taken(space, other, claims.address, stamp, notes)
        return other, False
    elder, younger = (addressed, other) if addressed.number < other.number else (other, addressed)
    merging.absorb(space, elder, younger, stamp)
    return elder, True


def _complementary(claims: _Claims, addressed: Person, other: Person) -> bool:
    """One has only an id, the other only an email, and the call names both."""
    if claims.address.kind == ID:
        with_id, with_email = addressed, other
    elif claims.address.kind == EMAIL:
        with_id, with_email = other, addressed
    else:
        return False
    return bool(with_id.id and not with_id.email and with_email.email and not with_email.id)


def _relabel(space: Workspace, person: Person, address: Ref, stamp: Stamp, notes: list[Ignored]) -> bool:
    """The address is new, an identifier of the body is known: its owner receives the address."""
    if address.kind not in (ID, EMAIL):
        return False
    held = person.identifier(address.kind)
    if held is not None and space.settings.identify_relabel != "replace":
        _note_fixed(space, person, address, stamp, notes)
        return False
    space.people.assign(person, address.kind, address.value)
    person.mark(address.kind, stamp)
    space.log.add(
        "attribute_change", stamp.at, person.cio_id, stamp.request, ((address.kind, held or "", address.value),)
    )
    return True


def _create(space: Workspace, ref: Ref, stamp: Stamp) -> Person | Ignored:
    """A blank person with that identifier. A cio_id or a phone alone creates nobody."""
    if ref.kind == CIO_ID:
        return Ignored("person.unknown_cio_id", f"nobody has {ref}")
    if ref.kind == PHONE:
        person = space.people.create(stamp)
        space.people.index_phone(person, ref.value)
        person.attributes[PHONE] = ref.value
    elif ref.kind == ID and not space.settings.id_identifies:
        return Ignored("person.email_required", f"{ref} is no email, and this workspace creates people by email")
    else:
        person = space.people.create(stamp)
        space.people.assign(person, ref.kind, ref.value)
    space.log.add("profile_create", stamp.at, person.cio_id, stamp.request)
    return person


# --- what is written ------------------------------------------------------------------------------------------------


def _assign_identifiers(
    space: Workspace, person: Person, claims: _Claims, stamp: Stamp, notes: list[Ignored],
) -> bool:  # fmt: skip
    changed = False
    for kind, value in claims.body.items():
        held = person.identifier(kind)
        if value == held or _keeps_spelling(space, kind, held, value):
            continue
        if value is None or not value:
            changed |= _clear_identifier(space, person, kind, claims, stamp)
        elif not _identifies(space, kind):
            changed |= _set_identifier(space, person, kind, value, stamp)
        elif _owner_of(space, kind, value) not in (None, person):
            _note_taken(space, person, Ref(kind, value), stamp, notes)
        elif held is None or _may_change(space, kind, held, value, claims):
            changed |= _set_identifier(space, person, kind, value, stamp)
        else:
            _note_fixed(space, person, Ref(kind, value), stamp, notes)
    return changed


def _keeps_spelling(space: Workspace, kind: str, held: str | None, value: str | None) -> bool:
    """An identifying email in another case is no other email: by switch, its first spelling stays."""
    if kind != EMAIL or not held or not value or held.lower() != value.lower() or not _identifies(space, kind):
        return False
    return bool(space.settings.email_case == "first_written")


def _owner_of(space: Workspace, kind: str, value: str) -> Person | None:
    return space.people.find(Ref(kind, value))


def _may_change(space: Workspace, kind: str, held: str, value: str, claims: _Claims) -> bool:
    if claims.by_cio_id:
        return True
    if kind == EMAIL and held.lower() == value.lower():
        return True  # the same address in another case: the last spelling is kept (assumed)
    return kind == EMAIL and space.settings.email_updates_by_id and claims.address.kind == ID


def _clear_identifier(space: Workspace, person: Person, kind: str, claims: _Claims, stamp: Stamp) -> bool:
    """Only a call by cio_id may clear an identifier; an email that identifies nobody is plain data."""
    if not claims.by_cio_id and _identifies(space, kind):
        return False
    return _set_identifier(space, person, kind, None, stamp)


def _set_identifier(space: Workspace, person: Person, kind: str, value: str | None, stamp: Stamp) -> bool:
    held = person.identifier(kind)
    space.people.assign(person, kind, value)
    person.mark(kind, stamp)
    if person.born is not stamp:  # creating is not changing; the same stamp object means this very operation
        changes = ((kind, held or "", value or ""),)
        space.log.add("attribute_change", stamp.at, person.cio_id, stamp.request, changes)
    return True


def _note_taken(space: Workspace, person: Person, ref: Ref, stamp: Stamp, notes: list[Ignored]) -> None:
    notes.append(Ignored("identifier.taken", f"{ref} belongs to another person", person.cio_id))
    _log_failure(space, person, ref, TAKEN, stamp)


def _note_fixed(space: Workspace, person: Person, ref: Ref, stamp: Stamp, notes: list[Ignored]) -> None:
    why = f"{ref} would change an identifier that is set; only a call by cio_id may do that"
    notes.append(Ignored("identifier.fixed", why, person.cio_id))
    _log_failure(space, person, ref, f"The {ref.kind} of a person changes only by cio_id.", stamp)


def _log_failure(space: Workspace, person: Person, ref: Ref, reason: str, stamp: Stamp) -> None:
    detail = {ref.kind: {"reason": reason, "value": ref.value}}
    space.log.add("failed_attribute_change", stamp.at, person.cio_id, stamp.request, detail=detail)


def _write_attributes(
    space: Workspace, person: Person, sent: Mapping[str, Any], stamp: Stamp, notes: list[Ignored],
) -> bool:  # fmt: skip
    plain = sent if _IDENTIFIER_KEYS.isdisjoint(sent) else {k: v for k, v in sent.items() if k not in _IDENTIFIER_KEYS}
    if PHONE in plain:
        phone = plain[PHONE]
        space.people.index_phone(person, phone if isinstance(phone, str) and phone else None)
    changes, stale, no_room = attribute_rules.write(person, plain, stamp, space.settings)
    if no_room:
        notes.append(Ignored("attribute.no_room", f"no room for {', '.join(no_room)}", person.cio_id))
        detail = {name: {"reason": "The person has too many attributes.", "value": plain[name]} for name in no_room}
        space.log.add("failed_attribute_change", stamp.at, person.cio_id, stamp.request, detail=detail)
    if stale:
        why = f"a newer write of {', '.join(stale)} stands"
        notes.append(Ignored("attribute.stale", why, person.cio_id))
        space.log.add("skipped_update", stamp.at, person.cio_id, stamp.request, detail={"attributes": list(stale)})
    if changes and person.born is not stamp:
        space.log.add("attribute_change", stamp.at, person.cio_id, stamp.request, changes)
    return bool(changes)


def _claim_anonymous(
    space: Workspace, person: Person, anonymous_id: Any, stamp: Stamp, notes: list[Ignored],
) -> bool:  # fmt: skip
    """Adopt the waiting events of an anonymous id. Source: Anonymous events guide."""
    if not space.settings.anonymous_merge or anonymous_id in (None, ""):
        return False
    again = space.settings.anonymous_late_events == "identify_again"
    waiting = space.anonymous.claim(str(anonymous_id), person.cio_id, stamp.at, again=again)
    if waiting is None:
        notes.append(Ignored("anonymous.used", "another person has used this anonymous id", person.cio_id))
        return False
    for event in waiting:
        event = space.log.give(event, person.cio_id)
        event.no_trigger = triggering.why_no_trigger(space.settings, event, stamp.at)
    links = objects.claim(space, str(anonymous_id), person, stamp)
    if waiting or links:
        detail = {"events": len(waiting), "relationships": links}
        space.log.add("anon_merge", stamp.at, person.cio_id, stamp.request, detail=detail)
    return bool(waiting or links)
