"""`fakeio.client`, the control API for programs, and the commands that stand on it: all routes, JSON, clear errors."""

from __future__ import annotations

import inspect
import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.routing import compile_path

from fakeio import Fake
from fakeio.app import build_app, build_universe
from fakeio.cli import main
from fakeio.client import CallFailed, ControlClient, NoServer, NotAFake, Refused
from fakeio.edge.control_app import ROUTES
from fakeio.edge.registry import Options
from fakeio.server import ThreadedServer
from tests.contract import controlling
from tests.contract.controlling import Control
from tests.contract.plain import deserted

fake, control = controlling.fake, controlling.control


class Watched(ControlClient):
    """Notes which calls were made."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.made: list[tuple[str, str]] = []

    def _call(self, method: str, path: str, document: Any = None) -> bytes:
        self.made.append((method, f"/_fakeio{path.partition('?')[0]}"))
        return super()._call(method, path, document)


@pytest.fixture
def client(fake: Fake, control: Control) -> Watched:
    return Watched(fake.url, workspace=control.handle.id)


@pytest.fixture
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """No variables of somebody's shell."""
    monkeypatch.delenv("FAKEIO_URL", raising=False)
    monkeypatch.delenv("FAKEIO_CONTROL_TOKEN", raising=False)


def test_a_workspace_is_filled_looked_at_and_changed(control: Control, client: ControlClient) -> None:
    (person,) = client.add_people([{"id": "1", "email": "a@example.com", "attributes": {"plan": "free"}}])
    segment = client.create_segment("VIP", description="the best")
    assert client.add_fault({"kind": "status", "status": 503, "match": {"path": "/nowhere"}})["id"] == 1
    control.identify("1", plan="pro")
    control.track("POST", f"/api/v1/segments/{segment['id']}/add_customers", {"ids": ["1"]})
    control.track("POST", "/api/v1/customers/1/events", {"name": "order"})
    control.track("DELETE", "/api/v1/customers/nobody", {})
    assert [one["attributes"]["plan"] for one in client.people(email="A@example.com")] == ["pro"]
    assert [one["id"] for one in client.members(segment["id"])] == ["1"]
    assert [one["name"] for one in client.events(name="order")] == ["order"]
    assert [one["name"] for one in client.segments()] == ["VIP"]
    assert [one["operation"] for one in client.ignored()] == ["delete_person"]
    assert [one["n"] for one in client.requests(method="DELETE")] == [4]
    assert client.request(4)["status"] == 200
    assert client.explain(4)["operations"][0]["rule"] == "person.unknown"
    assert client.explain_person(person["cio_id"], attribute="plan")["written_by"]["request"] == 1
    assert (client.last_request(), client.dropped()) == (4, 0)
    assert client.verify({"path": "/api/v1/customers/1", "times": 1})["ok"] is True
    assert "/api/v1/customers/nobody" in client.export("curl", 4)
    assert [one["type"] for one in client.activities(type="event")] == ["event"]
    assert (list(client.objects()), list(client.deliveries()), list(client.suppressions())) == ([], [], [])
    assert [one["kind"] for one in client.faults()] == ["status"]


def test_conditions_are_changed_and_the_workspace_is_emptied(control: Control, client: ControlClient) -> None:
    client.add_people([{"id": "1"}])
    assert client.turn_clock(now=1000) == {"now": 1000.0, "mode": "manual"}
    assert client.turn_clock(advance=1)["now"] == 1001.0
    assert client.clock()["mode"] == "manual"
    assert client.update_settings({"auto_merge": False})["auto_merge"] is False
    assert client.settings()["auto_merge"] is False
    client.replace_faults({"faults": [{"kind": "reset"}, {"kind": "close"}]})
    client.remove_fault(2)
    assert [one["kind"] for one in client.faults()] == ["reset"]
    client.clear_faults()
    client.flush()
    control.identify("2")
    client.clear_requests()
    assert list(client.requests()) == []
    twin = client.at(client.fork(name="twin")["id"])
    client.reset()
    assert (list(client.people()), [one["id"] for one in twin.people()]) == ([], ["1", "2"])
    assert twin.workspace()["name"] == "twin"
    assert [(one["kind"], one["path"]) for one in client.diff(twin.workspace()["id"]) if "people" in one["path"]] == [
        ("only_right", "people/1"), ("only_right", "people/2"),
    ]  # fmt: skip
    client.restore(twin.snapshot())
    assert [one["id"] for one in client.people()] == ["1", "2"]
    twin.delete()
    assert [one["name"] for one in client.workspaces() if one["name"] == "twin"] == []


def test_the_server_is_asked_about_itself(client: ControlClient) -> None:
    assert client.health()["status"] == "ok"
    assert {route["api"] for route in client.coverage()} >= {"track", "app"}
    made = client.create_workspace(name="own", region="eu")
    assert client.at(made["id"]).workspace() == made


# what a library of one's own has no need of: the descriptions that `fakeio limits` and its like print without a server
DESCRIPTIONS = {"/_fakeio/openapi.json", "/_fakeio/limits", "/_fakeio/settings-catalogue"}


def test_every_route_has_a_method(control: Control, client: Watched) -> None:
    with pytest.raises(Refused, match="request 1 is not"):
        client.export("curl", 1)
    for name in dir(ControlClient):
        if not name.startswith("_") and callable(getattr(client, name)):
            _call_somehow(getattr(client, name))
    unused = [(route.method, route.path) for route in ROUTES if not any(
        method == route.method and compile_path(route.path)[0].match(asked) for method, asked in client.made
    )]  # fmt: skip
    assert {path for _, path in unused} <= DESCRIPTIONS, unused


def _call_somehow(method: Callable[..., Any]) -> None:
    """With ones for whatever it needs; what it says of them does not matter here."""
    needed = [each for each in _parameters(method) if each.default is each.empty and each.kind is not each.VAR_KEYWORD]
    try:
        found = method(*[{} if "Mapping" in str(each.annotation) else "1" for each in needed])
        if isinstance(found, Iterator):
            list(found)
    except CallFailed:
        pass


def _parameters(method: Callable[..., Any]) -> list[Any]:
    return list(inspect.signature(method).parameters.values())


# ---- what can't be done ----------------------------------------------------------------------------------------------

def test_a_refusal_has_its_parts(client: ControlClient) -> None:
    with pytest.raises(Refused) as caught:
        client.request(99)
    refused = caught.value
    assert (refused.status, refused.code, refused.said) == (404, "unknown_request", "request 99 is not on the tape")
    assert str(refused) == f"{refused.said}; {refused.hint}"


def test_nobody_there_is_said_with_what_to_do(quiet: None) -> None:
    with deserted() as url, pytest.raises(NoServer, match="start one with: fakeio serve"):
        ControlClient(url).health()
    with pytest.raises(NoServer, match="no fake answers at nonsense"):
        ControlClient("nonsense").health()


def test_what_is_no_fake_is_told_apart(fake: Fake) -> None:
    with pytest.raises(NotAFake, match="check --url"):
        ControlClient(f"{fake.url}/elsewhere").health()
    with closing(_Parrot()) as parrot, pytest.raises(NotAFake, match="not like a fake"):
        ControlClient(parrot.url).health()


class _Parrot:
    """A server that answers one request with 200 and no JSON."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._answer)
        self._thread.start()

    def _answer(self) -> None:
        connection, _ = self._listener.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhello")

    def close(self) -> None:
        self._thread.join(30)
        self._listener.close()


def test_a_token_is_sent_and_asked_for(quiet: None, monkeypatch: pytest.MonkeyPatch) -> None:
    with ThreadedServer(build_app(build_universe(), token="t0ken")) as server:
        url = server.bound.url
        assert ControlClient(url, token="t0ken").health()["status"] == "ok"
        with pytest.raises(Refused, match="--control-token"):
            ControlClient(url, token="wrong").health()
        monkeypatch.setenv("FAKEIO_CONTROL_TOKEN", "t0ken")
        monkeypatch.setenv("FAKEIO_URL", url)
        assert ControlClient().health()["status"] == "ok"


# ---- commands --------------------------------------------------------------------------------------------------------

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def fakeio(fake: Fake, control: Control, capsys: pytest.CaptureFixture[str]) -> Command:
    """A command on the test's workspace: its exit code, stdout and stderr."""

    def run(*arguments: str) -> tuple[int, str, str]:
        code = main([*arguments, "--url", fake.url, "--workspace", str(control.handle.id)])
        return (code, *capsys.readouterr())

    return run


@pytest.mark.parametrize(("arguments", "keys"), [
    (["requests"], {"requests", "dropped"}), (["ignored"], {"ignored"}), (["people"], {"people"}),
    (["segments"], {"segments"}), (["fault"], {"faults"}), (["fault", "clear"], {"ok"}), (["clock"], {"now", "mode"}),
    (["reset"], {"ok"}), (["flush"], {"ok"}), (["settings"], {"settings"}), (["settings", "show"], {"settings"}),
    (["settings", "set", "auto_merge=false"], {"settings"}), (["snapshot"], {"version"}),
    (["export"], {"as", "text"}), (["fork"], {"id", "site_id"}), (["diff", "default"], {"differences"}),
    (["explain", "1"], {"n", "method", "path", "status", "faults", "operations", "hints"}),
])  # fmt: skip
def test_every_command_speaks_json(fakeio: Command, control: Control, arguments: list[str], keys: set[str]) -> None:
    control.identify("1")
    code, shown, said = fakeio(*arguments, "--json")
    differs = int(arguments[0] == "diff")  # as the command of that name does
    assert (code, json.loads(shown).keys() >= keys, said) == (differs, True, ""), shown


def test_what_came_to_nothing_is_listed_for_readers(fakeio: Command, control: Control) -> None:
    control.track("DELETE", "/api/v1/customers/nobody", {})
    _, shown, _ = fakeio("ignored")
    assert "person.unknown" in shown.splitlines()[1]


def test_settings_of_a_running_server_are_shown_and_set(fakeio: Command, control: Control) -> None:
    _, shown, _ = fakeio("settings", "set", "auto_merge=false", "app_rate_limit=3")
    told = [" ".join(line.split()) for line in shown.splitlines()]
    assert told == ["name value", "auto_merge false", "app_rate_limit 3"]
    assert (control.handle.settings["auto_merge"], control.handle.settings["app_rate_limit"]) == (False, 3)
    everything = {" ".join(line.split()) for line in fakeio("settings", "show")[1].splitlines()}
    assert set(told) < everything


def test_a_plan_of_faults_is_loaded_from_a_file(fakeio: Command, control: Control, tmp_path: Path) -> None:
    plan = tmp_path / "plan.json"
    plan.write_text('[{"kind": "status", "status": 503}, {"kind": "reset"}]', encoding="utf-8")
    assert fakeio("fault", "load", str(plan)) == (0, "2 faults are in force\n", "")
    assert [fault["kind"] for fault in control.get("/faults")["faults"]] == ["status", "reset"]
    plan.write_text('[{"kind": "close"}]', encoding="utf-8")
    assert fakeio("fault", "load", str(plan)) == (0, "1 fault is in force\n", "")


def test_a_snapshot_is_printed_saved_and_loaded(fakeio: Command, control: Control, tmp_path: Path) -> None:
    control.identify("1", plan="größer")
    path = tmp_path / "state.json"
    assert fakeio("snapshot", "save", str(path)) == (0, "", "")
    assert path.stat().st_mode & 0o077 == 0
    assert json.loads(path.read_text(encoding="utf-8")) == json.loads(fakeio("snapshot")[1])
    fakeio("reset")
    assert fakeio("snapshot", "load", str(path)) == (0, "", "")
    assert [person["attributes"] for person in control.get("/people")["people"]] == [{"plan": "größer"}]
    assert fakeio("snapshot", "save", str(tmp_path / "no" / "such.json"))[0] == 2


@pytest.mark.parametrize(("arguments", "code", "says"), [
    pytest.param(["snapshot", "save"], 2, "which file", id="no file to save to"),
    pytest.param(["snapshot", "load", "/nowhere/s.json"], 2, "can't be read", id="no file to load"),
    pytest.param(["settings", "set"], 2, "say which", id="no setting"),
    pytest.param(["settings", "set", "colour"], 2, "no FIELD=VALUE", id="no value"),
    pytest.param(["settings", "set", "colour=red"], 1, "no setting 'colour'", id="an unknown setting"),
    pytest.param(["fault", "load"], 2, "which file", id="no plan"),
    pytest.param(["export", "99", "--as", "har"], 1, "request 99 is not on the tape", id="an unknown request"),
    pytest.param(["explain", "one"], 1, "whole number", id="a request by name"),
])
def test_what_a_command_cannot_do_is_said_in_one_line(
    fakeio: Command, arguments: list[str], code: int, says: str
) -> None:
    ended = fakeio(*arguments)
    assert (ended[0], ended[1], ended[2].count("\n"), says in ended[2]) == (code, "", 1, True), ended


@pytest.mark.parametrize(
    ("how_far", "seconds"), [("90", 90), ("1.5s", 1.5), ("30m", 1800), ("72h", 259_200), ("2d", 172_800)]
)
def test_the_clock_is_advanced_by_more_than_seconds(fakeio: Command, how_far: str, seconds: float) -> None:
    fakeio("clock", "set", "1000000000")
    assert fakeio("clock", "advance", how_far) == (0, f"{1_000_000_000 + seconds:.3f} manual\n", "")


@pytest.mark.parametrize("moment", ["soon", "1e400", "nan", "h", "2w", "infd"])
def test_a_moment_that_is_no_number_is_a_mistake_of_usage(moment: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["clock", "set", moment])
    assert (ended.value.code, f"{moment!r} is no number of seconds" in capsys.readouterr().err) == (2, True)


def test_a_tape_that_has_dropped_some_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    universe = build_universe(Options(tape_limit=2, settings={"rate_limits": "off"}))
    keys = universe.registry.default.credentials
    with ThreadedServer(build_app(universe)) as server:
        for n in range(5):
            httpx.put(
                f"{server.bound.url}/api/v1/customers/{n}", auth=(keys.site_id, keys.track_api_key), json={},
                trust_env=False, verify=False,
            ).raise_for_status()  # fmt: skip
        client = ControlClient(server.bound.url)
        assert ([row["n"] for row in client.requests()], client.dropped()) == ([4, 5], 3)
        assert main(["requests", "--url", server.bound.url]) == 0
        assert "dropped 3 older exchanges" in capsys.readouterr().err
        for form in ("curl", "pytest", "har"):
            with pytest.raises(Refused, match="dropped") as caught:
                client.export(form)
            assert (caught.value.status, caught.value.code) == (409, "tape_incomplete")
        assert "/api/v1/customers/4" in client.export("curl", 5)
        verdict = client.verify({"path": "/api/v1/customers/0", "times": 0})
        assert (verdict["ok"], verdict["dropped"], "dropped 3 exchanges" in verdict["explanation"]) == (False, 3, True)
        client.clear_requests()
        assert client.export("curl")
