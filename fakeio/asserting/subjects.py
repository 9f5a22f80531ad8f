"""Whom an expectation names: people by one or several identifiers, and who else may have been meant."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fakeio.core.identifiers import CIO_ID, CIO_PREFIX, EMAIL, ID, Ref, looks_like_email
from fakeio.core.near_misses import of_identifier
from fakeio.core.people import Person
from fakeio.core.wording import NEAR_MISSES, Report, first, pairs
from fakeio.core.workspace import Workspace
from fakeio.edge.views import identifiers_view

KINDS = (ID, EMAIL, CIO_ID)


def named_refs(id: str | None, email: str | None, cio_id: str | None) -> list[Ref]:
    """The identifiers that were given, a cio_id without its prefix; raises TypeError when none was."""
    given = ((ID, id), (EMAIL, email), (CIO_ID, None if cio_id is None else cio_id.removeprefix(CIO_PREFIX)))
    refs = [Ref(kind, value) for kind, value in given if value is not None]
    if not refs:
        raise TypeError("name the person by id, email or cio_id")
    return refs


def refs_of_text(text: str) -> list[Ref]:
    """What a bare text may name: a cio_id, an id, or (if it looks like one) an email."""
    refs = [Ref(ID, text), Ref(CIO_ID, text.removeprefix(CIO_PREFIX))]
    return [*refs, Ref(EMAIL, text)] if looks_like_email(text) else refs


def known_of(space: Workspace, ref: Ref) -> dict[str, Any]:
    """All identifiers of whom `ref` names, a person there is or one that was suppressed; at least `ref` itself."""
    known: dict[str, Any] = dict.fromkeys(KINDS)
    suppression = space.suppressions.find(ref)
    if suppression is not None:
        known |= {one.kind: one.value for one in suppression.identifiers}
    person = space.people.find(ref)
    if person is not None:
        known |= identifiers_view(space, person.cio_id) or {}
    return {**known, ref.kind: ref.value}


def is_about(space: Workspace, said: Ref, wanted: list[Ref]) -> bool:
    """Whether an operation's identifier names whom any of the wanted ones names."""
    known = known_of(space, said)
    return any(known.get(ref.kind) is not None and Ref(ref.kind, known[ref.kind]).key == ref.key for ref in wanted)


def person_in_brief(known: Mapping[str, Any] | None) -> str:
    """The first identifier there is, `id '42'`; nobody for None."""
    if known is None:
        return "nobody"
    return next(pairs({kind: known[kind]}) for kind in KINDS if known[kind] is not None)


def person_words(person: Person) -> str:
    """`id '42', email 'ann@example.com', cio_id 'a3000001'`."""
    return pairs({kind: value for kind in KINDS if (value := person.identifier(kind)) is not None})


def add_meant(report: Report, space: Workspace, refs: list[Ref]) -> None:
    """People whom identifiers that found nobody may have meant."""
    found = [line for ref in refs if space.people.find(ref) is None for line in of_identifier(space, ref)]
    if found:
        report.add("perhaps", *first(list(dict.fromkeys(found)), NEAR_MISSES))
