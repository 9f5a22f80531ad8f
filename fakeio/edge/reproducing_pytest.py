"""A reproduction for a test suite: a pytest file that sends the recorded requests to a workspace of its own.

It stops the clock at the moment of each request, so that what hangs on time ends the same, and asserts every status and
outcome that was recorded. It uses public names alone: the fixtures of the pytest plugin, and httpx.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from fakeio.core.weather import AFTER_COMMIT, Weather
from fakeio.edge.auth import BASIC, BEARER
from fakeio.edge.registry import US
from fakeio.edge.reproducing import WRONG, Key, Sent
from fakeio.edge.reproducing_start import Start

_LINE = 118
_BARE = ("reset", "close", "drop", "lose_reply")  # faults without fields
_ADDED = ("id", "match", "times", "seen", "fired")  # what a fault's JSON has besides its own fields
_DESCRIBED = ("status", "partial", "garbage", "delay_visibility")
_HEAD = '''\
import base64

import httpx
import pytest

UNTOLD = object()  # the recorded answer was made by a fault that is gone


class Again:
    """Sends recorded requests to a workspace and holds what becomes of them against what was recorded."""

    def __init__(self, customerio):
        self.customerio = customerio
        self.client = httpx.Client(trust_env=False, verify=False, timeout=30)
        self.recorded = {}

    def send(self, n, method, target, *, at, status, outcomes=None, auth=None, headers=(), body=b"", fault=None):
        """Request `n`, byte for byte; `status` is None for one that got no answer."""
        self.customerio.clock.set(at)
        if fault:
            self.customerio.fault(**fault, times=1)
        own = [("x-reproduces", str(n)), *([("authorization", auth)] if auth else [])]
        try:
            answer = self.client.request(
                method, self.customerio.url, headers=[*headers, *own], content=body,
                extensions={"target": target.encode("latin-1")},
            )
            got, said = answer.status_code, answer.text
        except httpx.TransportError as error:
            got, said = None, repr(error)
        assert status is UNTOLD or got == status, f"request {n} was answered {got} ({said}), recorded: {status}"
        self.recorded[str(n)] = outcomes

    def check_outcomes(self, *, at):
        """By `at`, every operation has come to what it came to."""
        self.client.close()
        self.customerio.clock.set(at)
        for request in self.customerio.requests:
            expected = self.recorded[request.headers["x-reproduces"]]
            came_to = [" ".join(filter(None, (each.operation, each.outcome, each.rule))) for each in request.operations]
            assert expected is None or came_to == expected, f"request {request.headers['x-reproduces']}: {came_to}"


def basic(user, secret):
    return "Basic " + base64.b64encode(f"{user}:{secret}".encode()).decode()
'''


class Case(NamedTuple):
    """What the file is made of. `now` is the end of the recording; `faults` by the number of the request they struck.

    `otherwise` are those that ended otherwise when the file's requests were tried; None when they were not tried.
    """

    recorded: Sequence[Sent]
    start: Start
    region: str
    now: float
    faults: Mapping[int, dict[str, Any]]
    otherwise: Sequence[int] | None


def write_pytest(case: Case) -> str:
    """The file's text. A request struck by a fault that can't be put in force again is sent without assertions."""
    workspace = _workspace(case)
    head = _HEAD if workspace else _HEAD.replace("import pytest\n", "")
    lines = [f'"""{_about(case)}"""', "", head, *workspace, "", "def test_recorded_requests(customerio):"]
    lines.append("    again = Again(customerio)")
    for sent in case.recorded:
        lines += [f"    # {ascii(sent.title)[1:-1]}", *_call(sent, case.faults.get(sent.n))]
    return "\n".join([*lines, f"    again.check_outcomes(at={case.now!r})", ""])


def fault_of(sent: Sent, weather: Weather) -> dict[str, Any] | None:
    """A fault that strikes this request as the recorded one did, by JSON fields; None when there is no telling."""
    if not sent.faults:
        return None
    kind = sent.faults[0]
    known = [fault.as_dict() for fault in weather.faults if fault.kind == kind]
    if kind in _BARE:
        return {"kind": kind, **({"when": known[-1]["when"]} if known else {})}
    if kind in _DESCRIBED and known:
        return {name: value for name, value in known[-1].items() if name not in _ADDED and value is not None}
    if kind in ("status", "throttle") and sent.status is not None:
        return {"kind": "status", "status": sent.status, **({"when": AFTER_COMMIT} if sent.outcomes else {})}
    return None


def _about(case: Case) -> str:
    told = [
        "Requests that a fakeio workspace recorded, sent again to a fresh one: each must end as it did.",
        "",
        "Run it with pytest where fakeio is installed. Requests carry the credentials of the fresh workspace; any that",
        "were not the recorded workspace's own are replaced by the word wrong.",
    ]
    if case.start.left_out:
        told.append(f"{case.start.left_out} seeded people whom no request names are left out.")
    if case.otherwise is None:
        told.append("There were too many requests to try this file before handing it out.")
    elif case.otherwise:
        numbers = ", ".join(map(str, case.otherwise))
        told.append(f"When it was written, these ended otherwise, for want of something that is gone: {numbers}.")
    return "\n".join([*told, ""])


def _workspace(case: Case) -> list[str]:
    seed, region = case.start.seed, case.region
    if not seed and region == US:
        return []
    told = [f"SEED = {_literal(seed)}", ""] if seed else []
    arguments = [*(["seed=SEED"] if seed else []), *([f"region={region!r}"] if region != US else [])]
    return [
        "", *told, "",
        "@pytest.fixture",
        "def customerio(fakeio_server):",
        '    """A workspace as it was before the first of these requests."""',
        f"    return fakeio_server.new_workspace({', '.join(arguments)})",
        "",
    ]  # fmt: skip


def _literal(seed: dict[str, Any]) -> str:
    """JSON values as Python source, one row a line."""
    lines = [
        f"    {name!r}: " + ("[\n" + "".join(f"        {row!r},\n" for row in rows) + "    ]," if isinstance(rows, list)
                             else f"{rows!r},")
        for name, rows in seed.items()
    ]  # fmt: skip
    return "\n".join(["{", *lines, "}"])


def _call(sent: Sent, fault: dict[str, Any] | None) -> list[str]:
    told = not sent.faults or fault is not None
    words = {
        "at": repr(sent.at),
        "status": repr(sent.status) if told else "UNTOLD",
        "outcomes": json.dumps(list(sent.outcomes)) if told else None,
        "auth": _auth(sent.key),
        "headers": repr([pair for pair in sent.headers if pair[0] != "x-workspace-id"]) if sent.headers else None,
        "body": repr(sent.body) if sent.body else None,
        "fault": repr(fault) if fault is not None else None,
    }
    given = [f"{sent.n}, {sent.method!r}, {sent.target!r}"]
    given += [f"{name}={value}" for name, value in words.items() if value is not None]
    flat = f"    again.send({', '.join(given)})"
    return [flat] if len(flat) <= _LINE else ["    again.send(", *(f"        {each}," for each in given), "    )"]


def _auth(key: Key | None) -> str | None:
    if key is None:
        return None
    user, secret = _value(key.user), _value(key.secret)
    if key.scheme == BASIC:
        return f"basic({user}, {secret})"
    return f'"Bearer " + {secret}' if key.scheme == BEARER else secret


def _value(name: str) -> str:
    return repr(name) if name in ("", WRONG) else f"customerio.{name}"
