"""Control routes that change the conditions: faults, the clock, settings, and making accepted writes visible."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from fakeio.core.settings import BadSetting
from fakeio.core.weather import BadFault
from fakeio.edge.clock import LATEST, MODES
from fakeio.edge.control_http import Call, ControlError, Result, bad_request, parse_number, refuse_unknown
from fakeio.edge.journal import CLOCK, FLUSH, SETTINGS
from fakeio.edge.registry import HostedWorkspace

_EXAMPLE = 'for example {"kind": "status", "status": 503, "times": 1, "match": {"path": "/api/v1/*"}}'


def list_faults(call: Call) -> Result:
    """The faults in force, spent ones too, with what they counted."""
    page = call.page()
    with call.opened() as hosted:
        rows = ((fault.id, fault) for fault in hosted.weather.faults if fault.id > page.start)
        return page.result("faults", rows, lambda fault: fault.as_dict())


def add_fault(call: Call) -> Result:
    """Put a fault in force, or several: a plan, `{"faults": […]}`, all of it or nothing."""
    document = call.document()
    with call.opened() as hosted, _in_words():
        if "faults" in document:
            added = hosted.weather.add_all(_plan(document))
            return Result(201, {"faults": [fault.as_dict() for fault in added]})
        return Result(201, hosted.weather.add(document).as_dict())


def put_faults(call: Call) -> Result:
    """This plan and no other fault, counted from the start. What GET gave can be put as it is."""
    plan = _plan(call.document())
    with call.opened() as hosted, _in_words():
        added = hosted.weather.replace(plan)
        return Result(200, {"faults": [fault.as_dict() for fault in added], "next": None})


def _plan(document: dict[str, Any]) -> list[Any]:
    refuse_unknown("field", document, ("faults", "next"))
    plan = document.get("faults")
    if not isinstance(plan, list):
        raise bad_request("bad_fault", "faults is no list of faults", _EXAMPLE)
    return plan


@contextmanager
def _in_words() -> Iterator[None]:
    """A fault that can't be, as an answer."""
    try:
        yield
    except BadFault as bad:
        raise bad_request("bad_fault", str(bad), _EXAMPLE) from bad


def clear_faults(call: Call) -> Result:
    """Fair weather."""
    with call.opened() as hosted:
        hosted.weather.clear()
    return Result(204)


def remove_fault(call: Call) -> Result:
    """Take one fault away."""
    fault_id = parse_number(call.params["id"], "id", at_least=1)
    with call.opened() as hosted:
        if not hosted.weather.remove(fault_id):
            hint = "GET /_fakeio/workspaces/{w}/faults lists those in force"
            raise ControlError(404, "unknown_fault", f"there is no fault {fault_id}", hint)
    return Result(204)


def get_clock(call: Call) -> Result:
    """The workspace's time and whether it runs by itself."""
    with call.opened() as hosted:
        return Result(200, clock_view(hosted))


def put_clock(call: Call) -> Result:
    """Exactly one of `now` (stops the clock there), `advance` (seconds) and `mode`; then what is due falls due."""
    document = call.document()
    if len(document) != 1:
        raise _bad_clock(f"it has {len(document)} fields")
    (field, value), = document.items()
    with call.opened() as hosted:
        turn_clock(hosted, field, value)
        return Result(200, clock_view(hosted))


def turn_clock(hosted: HostedWorkspace, field: str, value: Any) -> None:
    """Move a workspace's clock and let fall due what is due; raises ControlError. The caller holds the lock."""
    clock = hosted.clock
    if field == "mode":
        if value not in MODES:
            raise _bad_clock(f"mode is {value!r:.40}")
        clock.use(value)
    else:
        number = _seconds(field, value, most=LATEST if field == "now" else LATEST - clock.now())
        (clock.set if field == "now" else clock.advance)(number)
    now = clock.now()
    hosted.state.sweep(now)
    hosted.note(CLOCK, now, clock.as_dict())


def clock_view(hosted: HostedWorkspace) -> dict[str, Any]:
    return {"now": hosted.clock.now(), "mode": hosted.clock.mode}


def get_settings(call: Call) -> Result:
    """Every setting by name."""
    with call.opened() as hosted:
        return Result(200, hosted.state.settings.as_dict())


def patch_settings(call: Call) -> Result:
    """Change some settings; the others stay. They take effect with the next request."""
    changes = call.document()
    with call.opened() as hosted:
        try:
            hosted.state.settings = hosted.state.settings.with_(changes)
        except BadSetting as bad:
            raise bad_request("bad_setting", str(bad), "GET /_fakeio/settings-catalogue says what each is for") from bad
        hosted.note(SETTINGS, hosted.clock.now(), changes)
        return Result(200, hosted.state.settings.as_dict())


def flush(call: Call) -> Result:
    """Everything accepted is visible when this returns, whatever the settings would have delayed."""
    with call.opened() as hosted:
        now = hosted.clock.now()
        hosted.state.flush(now)
        hosted.note(FLUSH, now)
    return Result(204)


def _seconds(field: str, value: Any, *, most: float) -> float:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not 0 <= value <= most:  # infinity and NaN fail the comparison too
        raise _bad_clock(f"{field} is {value!r:.40}")
    return float(value)


def _bad_clock(what: str) -> ControlError:
    return bad_request(
        "bad_clock", f"the clock can't be set: {what}",
        'send {"now": unix seconds}, {"advance": seconds, at least 0} or {"mode": "real" or "manual"}',
    )  # fmt: skip
