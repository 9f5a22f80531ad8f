"""People put straight into a workspace: what a row of a seed may say, and all rows of a call or none.

Rows are read before anybody is touched, so that a bad one leaves everything as it was. Whether a row's identifiers
belong to two people depends on the rows before it; where that may be, the call is tried on a fork first.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from fakeio.core import attributes as attribute_rules
from fakeio.core import identifiers
from fakeio.core.forking import fork
from fakeio.core.identifiers import CIO_ID, CIO_PREFIX, EMAIL, ID, PHONE, Ref
from fakeio.core.people import Device, Person, Stamp
from fakeio.core.seed_error import SeedError
from fakeio.core.workspace import Workspace

# those behind `devices` are told by a list of people or a snapshot; of them, only `unsubscribed: true` can be seeded
_KEYS = frozenset((
    "id", "email", "cio_id", "attributes", "devices", "segments", "created_at", "unsubscribed", "number", "timestamp",
    "written",
))  # fmt: skip


class _Row(NamedTuple):
    """One person, read: `where` names the row in an error."""

    where: str
    refs: list[Ref]
    attributes: dict[str, Any]
    devices: list[Device]


def add_people(space: Workspace, rows: Iterable[Any], now: float, request: int = 0) -> list[Person]:
    """Upsert people without activities: `{"id"?, "email"?, "cio_id"?, "attributes"?, "devices"?}`.

    Raises SeedError, which names the row, and then nothing has changed.
    """
    stamp = Stamp(now, request)
    read = [_parse_row(row, f"people[{at}]", stamp) for at, row in enumerate(rows)]
    if _may_name_two(space, read):
        trial = fork(space, id=space.id, name=space.name)
        for row in read:
            _plant(trial, row, stamp)
    return [_plant(space, row, stamp) for row in read]


def _parse_row(row: Any, where: str, stamp: Stamp) -> _Row:
    if not isinstance(row, Mapping):
        raise SeedError(f"{where}: a person is an object")
    unknown = row.keys() - _KEYS
    if unknown:
        raise SeedError(f"{where}: a person has no {', '.join(sorted(unknown))}; put attributes under `attributes`")
    refs, attributes = person_refs(row, where), plain_attributes(row, where)
    if row.get("unsubscribed") is True:
        attributes.setdefault("unsubscribed", True)
    devices = [
        _parse_device(device, f"{where}.devices[{at}]", stamp)
        for at, device in enumerate(list_of(row, "devices", where))
    ]
    return _Row(where, refs, attributes, devices)


def _parse_device(row: Any, where: str, stamp: Stamp) -> Device:
    token = row.get("token") or row.get("id") if isinstance(row, Mapping) else None
    platform = row.get("platform") if isinstance(row, Mapping) else None
    if not isinstance(token, str) or platform not in ("ios", "android"):
        raise SeedError(f"{where}: a device has a token (text) and a platform, ios or android")
    last_used = row.get("last_used")
    attributes = row.get("attributes") or {}
    used_at = last_used if isinstance(last_used, int) else int(stamp.at)
    return Device(token, platform, used_at, dict(attributes) if isinstance(attributes, Mapping) else {})


def person_refs(row: Mapping[str, Any], where: str) -> list[Ref]:
    """The identifiers of a row, at least one; raises SeedError."""
    refs = []
    for kind in (ID, EMAIL, CIO_ID):
        value = row.get(kind)
        if value is None:
            continue
        if not isinstance(value, str):
            raise SeedError(f"{where}: {kind} is text, not {type(value).__name__}; write it in quotes")
        ref = Ref(kind, value.removeprefix(CIO_PREFIX) if kind == CIO_ID else value)
        refused = identifiers.check(ref)
        if refused is not None:
            raise SeedError(f"{where}: {refused.message}")
        refs.append(ref)
    if not refs:
        raise SeedError(f"{where}: a person needs an id, an email or a cio_id")
    return refs


def plain_attributes(row: Mapping[str, Any], where: str) -> dict[str, Any]:
    """The attributes of a row, without identifiers; raises SeedError."""
    sent = row.get("attributes")
    sent = {} if sent is None else sent
    if not isinstance(sent, Mapping):
        raise SeedError(f"{where}: attributes are an object")
    plain = {name: value for name, value in sent.items() if name not in (ID, EMAIL, CIO_ID)}
    refused = attribute_rules.check(plain)
    if refused:
        raise SeedError(f"{where}: {refused[0].message}")
    return plain


def list_of(document: Mapping[str, Any], key: str, where: str = "") -> list[Any]:
    """The list under a key, empty where there is none; raises SeedError."""
    value = document.get(key)
    value = [] if value is None else value
    if not isinstance(value, list):
        raise SeedError(f"{where}: {key} is a list" if where else f"{key} is a list")
    return value


def _identifying(space: Workspace, refs: Sequence[Ref]) -> list[Ref]:
    uses_email = space.settings.email_identifies
    return [ref for ref in refs if ref.kind != EMAIL or uses_email or len(refs) == 1]


def _may_name_two(space: Workspace, rows: Sequence[_Row]) -> bool:
    """Whether a row may name two people. Never says no to one that does; identifiers that a row frees still count."""
    owners: dict[tuple[str, str], str | int] = {}  # cio_ids, and the rows that make somebody new
    for at, row in enumerate(rows):
        found = [owners.get(ref.key, _owner(space, ref)) for ref in _identifying(space, row.refs)]
        known = {owner for owner in found if owner is not None}
        if len(known) > 1:
            return True
        owners |= dict.fromkeys((ref.key for ref in row.refs), next(iter(known), at))
    return False


def _owner(space: Workspace, ref: Ref) -> str | None:
    person = space.people.find(ref)
    return None if person is None else person.cio_id


def _plant(space: Workspace, row: _Row, stamp: Stamp) -> Person:
    person = _find_one(space, row)
    if person is None:
        named = next((ref.value for ref in row.refs if ref.kind == CIO_ID), None)
        person = space.people.create(stamp, named)
    for ref in row.refs:
        if ref.kind != CIO_ID:
            space.people.assign(person, ref.kind, ref.value)
    if isinstance(row.attributes.get(PHONE), str):
        space.people.index_phone(person, row.attributes[PHONE])
    attribute_rules.write(person, row.attributes, stamp)
    for device in row.devices:
        _plant_device(space, person, device)
    space.touch(person.cio_id, stamp.at, stamp.request)
    return person


def _find_one(space: Workspace, row: _Row) -> Person | None:
    owners = [space.people.find(ref) for ref in _identifying(space, row.refs)]
    known = {person.cio_id: person for person in owners if person is not None}
    if len(known) > 1:
        raise SeedError(f"{row.where}: its identifiers belong to different people")
    return next(iter(known.values()), None)


def _plant_device(space: Workspace, person: Person, device: Device) -> None:
    owner = space.people.by_device(device.token)
    if owner is not None and owner is not person:
        owner.device_map = {name: held for name, held in owner.devices.items() if name != device.token}
    person.device_map = {**person.devices, device.token: device}
    space.people.index_device(device.token, person)
