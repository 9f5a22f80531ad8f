"""App API, triggering a broadcast: the one audience that a request may name, with the flags that go with it.

Decides shapes; who is meant is `core/broadcasts.py`. A list may also be a file of JSON Lines by URL. Source: App API >
Broadcasts > trigger; that flags of another form are refused is what official clients rely on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fakeio.core.app_operations import Audience, Recipient, TriggerBroadcast
from fakeio.core.filters import parse_filter
from fakeio.core.identifiers import EMAIL, ID, Ref
from fakeio.core.limits import TRIGGER_PEOPLE
from fakeio.core.outcomes import Applied, Outcome, Refused
from fakeio.core.workspace import Workspace
from fakeio.edge.app_api.reading import bad_body, number_in_path
from fakeio.edge.app_api.table import app_route
from fakeio.edge.decode import Malformed, parse_json, parse_object
from fakeio.edge.errors import app_error, app_json
from fakeio.edge.fetching import Fetched
from fakeio.edge.http import Reply
from fakeio.edge.routing import Quota
from fakeio.edge.work import Answered, Call, Errand, Work, refuse

OPERATION = "trigger_broadcast"
POINTER = "/data/attributes"
_ALL_FLAGS = ("id_ignore_missing", "email_ignore_missing", "email_add_duplicates")
_FORMS: Mapping[str, tuple[str, ...]] = {
    "recipients": (),
    "emails": ("email_ignore_missing", "email_add_duplicates"),
    "ids": ("id_ignore_missing",),
    "per_user_data": _ALL_FLAGS,
    "data_file_url": _ALL_FLAGS,
}


def trigger(call: Call) -> Work | Answered | Errand:
    """Start a broadcast now, to its own audience or to the one in the body."""
    broadcast_id = number_in_path(call, OPERATION, 0)
    if isinstance(broadcast_id, Answered):
        return broadcast_id
    body = parse_object(call.request.body or b"{}")
    if isinstance(body, Malformed):
        return bad_body(OPERATION, "", body.why)
    refused = _bad_form(body)
    if refused is not None:
        return _refuse(refused)
    if "data_file_url" in body:
        return _fetch_list(broadcast_id, body)
    audience = _audience(body, call)
    return _refuse(audience) if isinstance(audience, Refused) else _work(broadcast_id, audience, body)


def _work(broadcast_id: int, audience: Audience, body: Mapping[str, Any]) -> Work:
    data = body.get("data")
    audience = audience._replace(
        id_ignore_missing=body.get("id_ignore_missing") is True,
        email_ignore_missing=body.get("email_ignore_missing") is True,
        email_add_duplicates=body.get("email_add_duplicates") is True,
    )
    data = data if isinstance(data, dict) else {}
    wanted = TriggerBroadcast(broadcast_id=broadcast_id, audience=audience, data=data)
    return Work((wanted,), _answer)


def _answer(outcomes: Sequence[Outcome | None], state: Workspace) -> Reply:
    outcome = outcomes[0]
    if isinstance(outcome, Applied):
        return app_json({"id": outcome.result})
    assert isinstance(outcome, Refused), "a trigger is accepted or refused"
    if outcome.rule == "app.not_found":
        return app_error(404, outcome.message)
    return app_error(422, outcome.message, pointer=outcome.field)


def _refuse(refused: Refused, status: int = 422) -> Answered:
    return refuse(OPERATION, refused, app_error(status, refused.message, pointer=refused.field))


def _audience_refused(name: str, message: str) -> Refused:
    return Refused("app.broadcast.audience", "invalid", f"{POINTER}/{name}", message)


def _bad_form(body: Mapping[str, Any]) -> Refused | None:
    """More than one audience, or a flag that does not belong to it."""
    forms = [name for name in _FORMS if body.get(name) is not None]
    if len(forms) > 1:
        return _audience_refused(forms[1], f"only one of {', '.join(_FORMS)} is allowed")
    allowed = _FORMS[forms[0]] if forms else ()
    extra = next((name for name in _ALL_FLAGS if name in body and name not in allowed), None)
    if extra is not None:
        return _audience_refused(extra, f"{extra} is not allowed with {forms[0] if forms else 'the default audience'}")
    if body.get("data") is not None and not isinstance(body["data"], dict):
        return _audience_refused("data", "data must be an object")
    return None


def _audience(body: Mapping[str, Any], call: Call) -> Audience | Refused:
    if body.get("recipients") is not None:
        return _filtered(body["recipients"])
    name = next((name for name in ("emails", "ids", "per_user_data") if body.get(name) is not None), None)
    if name is None:
        return Audience()
    rows = body[name]
    if not isinstance(rows, list):
        return _audience_refused(name, f"{name} must be a list")
    if name != "emails" and len(rows) > TRIGGER_PEOPLE.strict:
        message = f"{name} cannot have more than {TRIGGER_PEOPLE.strict} entries"
        return Refused(TRIGGER_PEOPLE.rule, "invalid", f"{POINTER}/{name}", message)
    if name == "per_user_data":
        return Audience(recipients=tuple(_entry(at + 1, row) for at, row in enumerate(rows)))
    kind = ID if name == "ids" else EMAIL
    return Audience(recipients=tuple(_entry(at + 1, {kind: row}) for at, row in enumerate(rows)))


def _filtered(recipients: Any) -> Audience | Refused:
    if recipients == {}:
        return _audience_refused("recipients", "empty recipients filter is not valid")
    wanted = parse_filter(recipients)
    if isinstance(wanted, Refused):
        return Refused(wanted.rule, wanted.reason, f"{POINTER}/recipients", wanted.message)
    return Audience(filter=wanted)


def _entry(line: int, row: Any) -> Recipient:
    """One entry; without a person in it when it names none, or two."""
    if not isinstance(row, dict):
        return Recipient(line, None, {})
    refs = [Ref(kind, str(row[kind])) for kind in (ID, EMAIL) if isinstance(row.get(kind), str | int)]
    data = row.get("data")
    return Recipient(line, refs[0] if len(refs) == 1 else None, data if isinstance(data, dict) else {})


def _fetch_list(broadcast_id: int, body: Mapping[str, Any]) -> Errand | Answered:
    url = body["data_file_url"]
    if not isinstance(url, str):
        return _refuse(_audience_refused("data_file_url", "data_file_url must be a URL"))
    return Errand(url, lambda fetched: _work(broadcast_id, _listed(fetched), body))


def _listed(fetched: Fetched) -> Audience:
    """The entries of a file of JSON Lines; those that can't be read are told in the error report."""
    if fetched.error:
        return Audience(recipients=(), problems=(fetched.error,))
    recipients: list[Recipient] = []
    problems: list[str] = []
    for at, line in enumerate(fetched.body.splitlines()):
        row = parse_json(line) if line.strip() else None
        if isinstance(row, Malformed):
            problems.append(f"line {at + 1}: not JSON")
        elif row is not None:
            recipients.append(_entry(at + 1, row))
    return Audience(recipients=tuple(recipients), problems=tuple(problems))


ROUTES = (
    app_route(
        "POST", "/v1/campaigns/{broadcast_id}/triggers", OPERATION, trigger, tier=1, limited=False, fetches=True,
        quota=Quota(1, 10, tells_when=True),
    ),
)  # fmt: skip
