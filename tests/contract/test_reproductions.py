"""Reproductions: what the tape recorded, handed out as a shell script, a test file and an archive, and run again."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from fakeio import Fake, WorkspaceHandle
from tests.contract import controlling
from tests.contract.controlling import Control

fake, control = controlling.fake, controlling.control

PATIENCE_S = 120  # a bound on hanging, never a measure
NOW = 1_780_000_000.0


def run_script(text: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        ["/bin/sh"], input=text.encode(), capture_output=True, timeout=PATIENCE_S, check=True,
        env={"PATH": os.environ["PATH"], "no_proxy": "*", **environment},
    )  # fmt: skip


def run_tests(folder: Path, **texts: str) -> subprocess.CompletedProcess[str]:
    """These texts as the only test files of an empty folder."""
    for name, text in texts.items():
        (folder / f"test_{name}.py").write_text(text, encoding="utf-8")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "FAKEIO_"))}
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error", "--rootdir", str(folder), "."],
        capture_output=True, text=True, timeout=PATIENCE_S, cwd=folder, env=environment, check=False,
    )  # fmt: skip


def exported(control: Control, form: str, n: int | None = None) -> str:
    place = f"/requests/{n}/export" if n is not None else "/export"
    answer = control.client.get(control.base + place, params={"as": form})
    assert answer.status_code == 200, answer.text
    return answer.text


def search(control: Control, document: Any) -> Any:
    bearer = {"authorization": f"Bearer {control.handle.app_api_key}"}
    return control.client.post("/v1/customers", json=document, headers=bearer)


def send(control: Control, method: str, path: str, **more: Any) -> Any:
    return control.client.request(method, path, auth=(control.handle.site_id, control.handle.track_api_key), **more)


def tell_a_story(control: Control) -> None:
    """v1, a v2 batch in which one item fails, an App search, one refused, one ignored, one with wrong credentials."""
    control.identify("1", email="a@example.com", plan="it's \"pro\"")
    good = {"type": "person", "action": "identify", "identifiers": {"id": "2"}, "attributes": {"plan": "pro"}}
    control.track("POST", "/api/v2/batch", {"batch": [good, {"type": "person", "action": "dance"}]})
    search(control, {"filter": {"segment": {"id": 9}}})
    control.track("POST", "/api/v1/customers/1/events", {"name": ""})
    control.track("POST", "/api/v1/customers/1/suppress", {})
    control.track("POST", "/api/v1/customers/1/events", {"name": "order"})
    control.client.put("/api/v1/customers/1", json={}, auth=(control.handle.site_id, "somebody's real key"))


def fates(handle: WorkspaceHandle) -> list[Any]:
    return [
        (each.method, each.path, each.query, each.body, each.status,
         [(one.operation, one.outcome, one.rule) for one in each.operations])
        for each in handle.requests
    ]  # fmt: skip


# ---- curl ------------------------------------------------------------------------------------------------------------

BODIES = [
    pytest.param(b'{"plan":"it\'s $HOME `date` \\\\n"}', id="what a shell would change"),
    pytest.param("{\"plan\":\"Größe 靴 👟\"}".encode(), id="beyond ASCII"),
    pytest.param(b"@/etc/passwd", id="what curl would read from a file"),
    pytest.param(b"\x1f\x8b\x00\xff\x00 binary", id="binary"),
    pytest.param(b"", id="none"),
    pytest.param(b'{"a":"' + b"x" * 200_000 + b'"}', id="longer than an argument may be"),
    pytest.param(b"line\r\n\tline\n", id="lines"),
]


@pytest.mark.parametrize("body", BODIES)
def test_a_shell_sends_the_very_same_bytes_again(fake: Fake, control: Control, body: bytes) -> None:
    send(control, "PUT", "/api/v1/customers/a%2Fb%20%27?x=[1-3]&y={a,b}", content=body)
    script = exported(control, "curl", 1).replace("http://127.0.0.1/", fake.url + "/")
    run_script(script, FAKEIO_URL=fake.url)
    first, again = [fake._universe.registry.get(control.handle.id).tape.get(n).request for n in (1, 2)]  # type: ignore[union-attr]  # both are there
    assert (again.method, again.path, again.query, again.body) == (first.method, first.path, first.query, first.body)
    assert again.header(b"content-type") == first.header(b"content-type")


def test_a_body_in_chunks_is_sent_whole(fake: Fake, control: Control) -> None:
    def chunks() -> Any:
        yield b'{"plan":'
        yield b'"pro"}'

    send(control, "PUT", "/api/v1/customers/1", content=chunks(), headers={"content-type": "application/json"})
    run_script(exported(control, "curl", 1), FAKEIO_URL=fake.url)
    first, again = fates(control.handle)
    assert again[:5] == first[:5]


def test_a_script_runs_as_it_is_against_the_server_it_came_from(fake: Fake, control: Control) -> None:
    """Over the socket the script knows by itself where to go and whose credentials to use."""
    tell_a_story(control)
    recorded = fates(control.handle)
    answer = httpx.get(f"{fake.url}{control.base}/export", params={"as": "curl"}, trust_env=False, verify=False)
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    script = answer.text
    assert f"${{FAKEIO_URL:-{fake.url}}}" in script
    assert "somebody" not in script
    printed = run_script(script).stdout
    again = fates(control.handle)[len(recorded):]
    assert [row[:5] for row in again] == [row[:5] for row in recorded]
    assert printed.count(b"HTTP/1.1 401") == 1


def test_a_script_goes_to_another_workspace_when_told(fake: Fake, control: Control) -> None:
    control.identify("1", plan="pro")
    other = fake.new_workspace()
    run_script(
        exported(control, "curl"), FAKEIO_URL=fake.url, CIO_SITE_ID=other.site_id, CIO_TRACK_API_KEY=other.track_api_key
    )
    assert [person.attributes for person in other.people] == [{"plan": "pro"}]


def test_a_regional_host_is_asked_for_again(fake: Fake, control: Control) -> None:
    send(control, "PUT", "/api/v1/customers/1", json={}, headers={"host": "track-eu.customer.io"})
    run_script(exported(control, "curl"), FAKEIO_URL=fake.url)
    first, again = control.handle.requests
    assert (again.status, again.headers["host"]) == (first.status, "track-eu.customer.io")


# ---- pytest ----------------------------------------------------------------------------------------------------------

def test_a_test_file_of_a_whole_tape_passes_and_can_fail(control: Control, tmp_path: Path) -> None:
    control.handle.clock.set(NOW)
    tell_a_story(control)
    text = exported(control, "pytest")
    assert "ended otherwise" not in text
    assert control.handle.track_api_key not in text
    assert "import pytest" not in text  # which it has no need of
    assert text.count("person.suppressed") == 2  # in the comment and in the assertion
    outcome = text.replace('"record_event ignored person.suppressed"', '"record_event applied"')
    ended = run_tests(tmp_path, right=text, outcome=outcome, status=text.replace("status=207", "status=200"))
    assert "2 failed, 1 passed" in ended.stdout, ended.stdout + ended.stderr
    assert "AssertionError: request 6: ['record_event ignored person.suppressed']" in ended.stdout
    assert "AssertionError: request 2 was answered 207" in ended.stdout


def test_tests_bring_along_what_they_depend_on(fake: Fake, tmp_path: Path) -> None:
    texts = {"story": _one_of_a_story(fake), "seeded": _seeded(fake), "forked": _forked(fake), "faulty": _faulty(fake)}
    assert [name for name, text in texts.items() if "ended otherwise" in text] == []
    ended = run_tests(tmp_path, **texts)
    assert "4 passed" in ended.stdout, ended.stdout + ended.stderr


def _one_of_a_story(fake: Fake) -> str:
    """A test of one request needs those before it only when it ends otherwise without them."""
    control = Control(fake, fake.new_workspace())
    tell_a_story(control)
    assert exported(control, "pytest", 1).count("again.send(") == 1
    dependent = exported(control, "pytest", 6)
    assert 1 < dependent.count("again.send(") < 6
    return dependent


def _seeded(fake: Fake) -> str:
    """A test starts from what was seeded, in another region and under other settings too."""
    handle = fake.new_workspace(region="eu", seed={
        "people": [{"id": "1", "attributes": {"plan": "free"}}], "suppressions": [{"identifiers": [{"id": "9"}]}],
    })  # fmt: skip
    control = Control(fake, handle)
    handle.update_settings(event_creates_person=False, propagation_delay_s=60)
    handle.add_person(id="2", email="b@example.com", devices=[{"token": "d", "platform": "ios"}])
    handle.add_segment("VIP")
    handle.add_segment("Paying", type="dynamic", conditions={"attribute": {"field": "plan", "operator": "exists"}})
    handle.clock.set(NOW)
    control.identify("1", plan="pro")
    control.track("POST", "/api/v1/customers/9/events", {"name": "order"})
    control.track("POST", "/api/v1/customers/8/events", {"name": "order"})
    control.track("POST", "/api/v1/segments/1/add_customers", {"ids": ["2", "7"]})
    handle.clock.advance(seconds=120)
    text = exported(control, "pytest")
    assert ("'plan': 'free'" in text, "'plan': 'pro'" in text) == (True, False)
    return text


def _forked(fake: Fake) -> str:
    """What a fork brings along counts as the past, though its stamps name requests of another tape."""
    before = Control(fake, fake.new_workspace())
    before.identify("1", email="a@example.com", plan="pro")
    before.track("POST", "/api/v1/customers/2/suppress", {})
    control = Control(fake, before.handle.fork())
    control.identify("1", plan="pro")
    control.track("POST", "/api/v1/customers/2/events", {"name": "order"})
    text = exported(control, "pytest")
    assert ("person.unchanged" in text, "'email': 'a@example.com'" in text) == (True, True)
    return text


def test_a_snapshot_of_another_workspace_is_the_past_though_its_numbers_are_those_of_this_tape(fake: Fake) -> None:
    before, control = Control(fake, fake.new_workspace()), Control(fake, fake.new_workspace())
    before.handle.clock.set(NOW)
    before.identify("1", plan="pro")
    control.handle.clock.set(NOW + 10)
    control.identify("2", plan="pro")
    assert control.send("PUT", "/snapshot", before.get("/snapshot")).status_code == 204
    control.handle.clock.set(NOW + 20)
    control.identify("1", plan="pro")
    text = exported(control, "pytest", control.handle.requests[-1].n)
    assert ("person.unchanged" in text, "'id': '1'" in text, "ended otherwise" in text) == (True, True, False)


def _faulty(fake: Fake) -> str:
    """Faults strike again where they are still known; where they are not, an answer they made is no promise."""
    control = Control(fake, fake.new_workspace())
    for at, (fault, _) in enumerate(FAULTS):
        with suppress(httpx.TransportError):
            control.handle.fault(**fault, times=1)
            control.identify(str(at), plan="pro")
    text = exported(control, "pytest")
    for told in {told for _, told in FAULTS}:
        assert text.count(told) == sum(told == each for _, each in FAULTS), told
    return text


FAULTS: list[tuple[dict[str, Any], str]] = [
    ({"kind": "status", "status": 503}, "status=503"),
    ({"kind": "reset"}, "status=None"),
    ({"kind": "lose_reply"}, "status=None"),
    ({"kind": "latency", "seconds": 0.01}, "status=UNTOLD"),
]


def test_an_answer_made_by_a_fault_that_is_gone_is_made_again_by_its_status(control: Control) -> None:
    with control.handle.fault("status", status=418, body="tea"):
        control.identify("1")
    assert "fault={'kind': 'status', 'status': 418}" in exported(control, "pytest")


def test_a_test_says_what_it_cannot_bring_about_again(control: Control) -> None:
    control.handle.add_person(id="1", attributes={"plan": "pro"})
    control.identify("1", plan="pro")
    control.track("DELETE", "/api/v1/customers/1", {})
    assert "ended otherwise, for want of something that is gone: 1." in exported(control, "pytest")


def test_people_nobody_asked_for_are_left_out_and_counted(control: Control) -> None:
    control.handle.add_people([{"id": str(n)} for n in range(300)])
    control.track("DELETE", "/api/v1/customers/7", {})
    control.identify("8", plan="pro")
    text = exported(control, "pytest")
    assert "298 seeded people" in text or "299 seeded people" in text
    assert "'id': '8'" in text


# ---- HAR -------------------------------------------------------------------------------------------------------------

REQUIRED: dict[str, tuple[str, ...]] = {
    "log": ("version", "creator", "entries"),
    "creator": ("name", "version"),
    "entry": ("startedDateTime", "time", "request", "response", "cache", "timings"),
    "request": ("method", "url", "httpVersion", "cookies", "headers", "queryString", "headersSize", "bodySize"),
    "response": ("status", "statusText", "httpVersion", "cookies", "headers", "content", "redirectURL", "headersSize",
                 "bodySize"),
    "content": ("size", "mimeType"),
    "timings": ("send", "wait", "receive"),
}  # fmt: skip


def check_har(document: dict[str, Any]) -> list[dict[str, Any]]:
    """The entries of an archive that has every field HAR 1.2 requires, and none of its own without an underscore."""
    log = document["log"]
    assert log["version"] == "1.2"
    parts = [("log", log), ("creator", log["creator"])]
    for entry in log["entries"]:
        parts += [("entry", entry), ("request", entry["request"]), ("response", entry["response"]),
                  ("content", entry["response"]["content"]), ("timings", entry["timings"])]  # fmt: skip
    for name, part in parts:
        optional = {"comment", "pages", "postData", "text", "encoding", "compression", "serverIPAddress", "connection"}
        assert set(REQUIRED[name]) <= part.keys(), name
        assert [field for field in part if field not in {*REQUIRED[name], *optional} and field[0] != "_"] == []
    entries: list[dict[str, Any]] = log["entries"]
    return entries


def test_an_archive_has_every_field_that_har_requires(control: Control) -> None:
    control.handle.clock.set(NOW)
    tell_a_story(control)
    send(control, "PUT", "/api/v1/customers/1?a=1&b=", content=b"\xff\xfe")
    entries = check_har(control.get("/export", **{"as": "har"}))
    first, binary = entries[0], entries[-1]
    assert first["startedDateTime"] == "2026-05-28T20:26:40.000Z"
    assert first["request"]["url"] == "http://127.0.0.1/api/v1/customers/1"
    assert first["request"]["postData"]["text"] == '{"email":"a@example.com","plan":"it\'s \\"pro\\""}'
    content = first["response"]["content"]
    assert (content["size"], content["text"].strip()) == (len(content["text"]), "{}")
    assert {"name": "authorization", "value": "Basic ***"} in first["request"]["headers"]
    assert first["_fakeio"]["credentials"] == {"scheme": "basic", "user": "site_id", "secret": "track_api_key"}
    assert [one["outcome"] for one in first["_fakeio"]["operations"]] == ["applied"]
    assert entries[6]["_fakeio"]["credentials"] == {"scheme": "basic", "user": "site_id", "secret": "wrong"}
    assert binary["request"]["queryString"] == [{"name": "a", "value": "1"}, {"name": "b", "value": ""}]
    assert base64.b64decode(binary["request"]["postData"]["text"]) == b"\xff\xfe"
    assert binary["request"]["postData"]["_encoding"] == "base64"
    (only,) = check_har(control.get("/requests/3/export", **{"as": "har"}))
    assert only["_fakeio"]["n"] == 3


def test_a_cut_and_a_regional_host_are_told_as_browsers_do(control: Control) -> None:
    with control.handle.fault("reset"), pytest.raises(httpx.ReadError):
        control.identify("1")
    send(control, "PUT", "/api/v1/customers/1", json={}, headers={"host": "track.customer.io"})
    cut, regional = check_har(control.get("/export", **{"as": "har"}))
    assert (cut["response"]["status"], cut["response"]["statusText"], cut["_fakeio"]["cut"]) == (0, "", "reset")
    assert regional["request"]["url"] == "https://track.customer.io/api/v1/customers/1"


# ---- from Python -----------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("form", ["curl", "pytest", "har"])
def test_a_handle_gives_the_same_as_the_control_api(control: Control, form: str) -> None:
    control.handle.clock.set(NOW)
    tell_a_story(control)
    for n in (None, 6):
        mine = control.handle.export(form, n).replace(control.handle.url or "", controlling.ADDRESS)
        assert mine == exported(control, form, n)


@pytest.mark.parametrize(("asked", "says"), [(("postman",), "as=curl"), (("curl", 7), "request 7 is not on the tape")])
def test_a_handle_says_what_it_cannot_export(control: Control, asked: Any, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        control.handle.export(*asked)


# ---- what can't be exported ------------------------------------------------------------------------------------------

@pytest.mark.parametrize(("path", "status", "code"), [
    pytest.param("/export", 400, "bad_form", id="no form"),
    pytest.param("/export?as=postman", 400, "bad_form", id="an unknown form"),
    pytest.param("/requests/1/export?as=curl", 404, "unknown_request", id="an unknown request"),
    pytest.param("/requests/one/export?as=curl", 400, "bad_n", id="no number"),
    pytest.param("/export?as=har&limit=1", 400, "unknown_parameter", id="an unknown parameter"),
])
def test_what_cannot_be_exported_is_said(control: Control, path: str, status: int, code: str) -> None:
    answer = control.client.get(control.base + path)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


@pytest.mark.parametrize(("options", "settings"), [({"tape_limit": 2}, 3), ({"tape_bytes": 4000}, 5)])
def test_a_tape_that_has_dropped_some_is_not_exported_whole(options: Any, settings: int) -> None:
    with Fake(**options) as fake:
        control = Control(fake, fake.workspace)
        for n in range(settings):
            control.identify(str(n), about="x" * 500)
        for form in ("curl", "pytest", "har"):
            refused = control.client.get(f"{control.base}/export", params={"as": form})
            assert (refused.status_code, refused.json()["error"]["code"]) == (409, "tape_incomplete")
            assert "has dropped" in refused.json()["error"]["message"]
        with pytest.raises(ValueError, match="has dropped"):
            control.handle.export("curl")
        assert f"/api/v1/customers/{settings - 1}" in exported(control, "curl", settings)
        gone = control.client.get(f"{control.base}/requests/1/export", params={"as": "curl"})
        assert (gone.status_code, "dropped by the tape's bounds" in gone.json()["error"]["hint"]) == (404, True)
        control.send("DELETE", "/requests")
        assert exported(control, "curl")


@pytest.mark.parametrize("form", ["curl", "pytest", "har"])
def test_an_empty_tape_is_an_empty_reproduction(control: Control, form: str) -> None:
    assert exported(control, form)


