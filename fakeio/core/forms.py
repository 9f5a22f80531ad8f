"""Form submissions: an identify and an event in one, with a form connection made on first sight.

Source: Track API > Forms. Every value is text; exactly one of id and email names the person; a form that nobody has
seen is connected even when the submission itself is refused. Which attribute a field of the page becomes is mapped in
the vendor's pages for people, here by a seed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from fakeio.core import operations as op
from fakeio.core.identifiers import EMAIL, ID, Ref
from fakeio.core.outcomes import Applied, Ignored, Outcome, Refused

if TYPE_CHECKING:  # the workspace imports this module
    from fakeio.core.workspace import Workspace

IGNORED_KEYS = frozenset({"form_id", "form_name", "form_type", "form_url", "form_url_param"})


class Form(msgspec.Struct, frozen=True, kw_only=True):
    """A connected form. `fields` map names of the page to attributes, where they are not the same."""

    id: str
    created_at: int
    fields: dict[str, str] = {}


def connect_form(space: Workspace, operation: op.ConnectForm, now: float, request: int) -> Outcome:
    """Remember a form on first sight."""
    if operation.form_id in space.forms:
        return Ignored("form.connected", f"form {operation.form_id!r} is connected already")
    space.forms[operation.form_id] = Form(id=operation.form_id, created_at=int(now))
    return Applied()


def submit_form(space: Workspace, operation: op.SubmitForm, now: float, request: int) -> Outcome:
    """Identify the person and record the submission."""
    fields = _fields(space, operation)
    kind = ID if fields.get(ID) else EMAIL
    ref = Ref(kind, str(fields.pop(kind)))
    other = EMAIL if kind == ID else ID
    if not fields.get(other):
        fields.pop(other, None)
    identified = space.apply(op.Identify(ref=ref, attributes=fields), now, request)
    if isinstance(identified, Refused) or (isinstance(identified, Ignored) and identified.rule == "person.suppressed"):
        return identified
    data = msgspec.json.encode({"form_id": operation.form_id, **fields})
    return space.apply(op.RecordEvent(ref=ref, event="form_submission", data=data), now, request)


def _fields(space: Workspace, operation: op.SubmitForm) -> dict[str, Any]:
    form = space.forms.get(operation.form_id)
    mapped = form.fields if form is not None else {}
    return {mapped.get(name, name): value for name, value in operation.data.items() if name not in IGNORED_KEYS}


def check_form(space: Workspace, operation: op.SubmitForm) -> Refused | None:
    """All values are text and exactly one identifier is given."""
    fields = _fields(space, operation)
    for name, value in fields.items():
        nullable = name in (ID, EMAIL) and space.settings.identifiers == "email_or_id"
        if not isinstance(value, str) and not (value is None and nullable):
            return Refused("track.form", "invalid", f"data.{name}", f"form field '{name}' must be a string")
    given = [kind for kind in (ID, EMAIL) if fields.get(kind)]
    if not given:
        return Refused("track.form", "required", "data", "form data must contain an id or an email")
    if len(given) > 1 and space.settings.form_identifiers == "one":
        return Refused("track.form", "invalid", "data", "form data must contain only one identifier")
    return None
