"""`fakeio export` and `fakeio replay`: a recording sent again to another workspace, and what it can't explain."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from fakeio import Fake, WorkspaceHandle
from fakeio.cli import main
from tests.contract import handling

NOW = 1_780_000_000.0
PATIENCE_S = 60

fake, space = handling.fake, handling.space


class Track:
    """Requests of one workspace over a socket."""

    def __init__(self, space: WorkspaceHandle) -> None:
        self.space = space
        self.client = httpx.Client(base_url=space.url or "", trust_env=False, verify=False, timeout=PATIENCE_S)

    def __call__(self, method: str, path: str, document: Any = None, **more: Any) -> httpx.Response:
        keys = {"auth": (self.space.site_id, self.space.track_api_key), **more}
        return self.client.request(method, path, json=document, **keys)

    def search(self) -> httpx.Response:
        bearer = {"authorization": f"Bearer {self.space.app_api_key}"}
        return self("POST", "/v1/customers", {"filter": {"segment": {"id": 9}}}, auth=None, headers=bearer)


@pytest.fixture
def track(space: WorkspaceHandle) -> Iterator[Track]:
    track = Track(space)
    yield track
    track.client.close()


Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def fakeio(space: WorkspaceHandle, capsys: pytest.CaptureFixture[str]) -> Command:
    """A command of `fakeio` on the test's workspace, or on another: its exit code, stdout and stderr."""

    def run(*arguments: str, on: WorkspaceHandle = space) -> tuple[int, str, str]:
        code = main([*arguments, "--url", on.url or "", "--workspace", str(on.id)])
        return (code, *capsys.readouterr())

    return run


def tell_a_story(track: Track) -> None:
    track("PUT", "/api/v1/customers/a%2Fb", {"email": "a@example.com", "plan": "größer"})
    track("POST", "/api/v1/customers/a%2Fb/suppress", {})
    track("POST", "/api/v1/customers/a%2Fb/events", {"name": "order"})
    track("POST", "/api/v1/customers/1/events", {"name": ""})
    track("PUT", "/api/v1/customers/1?dry=1", content=b"\xff\xfe", headers={"content-type": "text/plain"})
    track.search()
    track("PUT", "/api/v1/customers/1", {}, auth=(track.space.site_id, "wrong"))
    track("PUT", "/api/v1/customers/1", {}, headers={"host": "track.customer.io"})
    with track.space.fault("status", status=503):
        track("PUT", "/api/v1/customers/2", {})


def fates(space: WorkspaceHandle) -> list[Any]:
    return [
        (each.method, each.path, each.query, each.body, each.status, each.headers.get("host", "").endswith(".io"),
         [(one.operation, one.outcome, one.rule) for one in each.operations])
        for each in space.requests
    ]  # fmt: skip


def written(folder: Path, document: Any) -> str:
    path = folder / "recording"
    path.write_text(document if isinstance(document, str) else json.dumps(document), encoding="utf-8")
    return str(path)


# ---- our own recordings ----------------------------------------------------------------------------------------------

@pytest.mark.parametrize("command", [("export", "--as", "har"), ("requests", "--json")])
def test_our_own_recording_is_explained_by_another_workspace(
    fake: Fake, space: WorkspaceHandle, track: Track, fakeio: Command, tmp_path: Path, command: tuple[str, ...]
) -> None:
    tell_a_story(track)
    code, recording, _ = fakeio(*command)
    assert code == 0
    other = fake.new_workspace()
    told = fakeio("replay", written(tmp_path, recording), "--json", on=other)
    assert (told[0], json.loads(told[1])) == (
        0, {"requests": 9, "sent": 8, "explained": 9, "not_compared": 1, "unexplained": []},
    )  # fmt: skip
    # the request that a fault had kept from doing anything is the last one, and is not sent
    assert fates(other) == fates(space)[:-1]


def test_what_ends_otherwise_is_shown_with_why(
    fake: Fake, track: Track, fakeio: Command, tmp_path: Path
) -> None:
    track("POST", "/api/v1/customers/1/suppress", {})
    track("POST", "/api/v1/customers/1/events", {"name": "order"})
    track("POST", "/api/v1/customers/2/events", {"name": "order"})
    recording = written(tmp_path, fakeio("export", "--as", "har")[1])
    other = fake.new_workspace()
    strangers = Track(other)
    strangers("POST", "/api/v1/customers/2/suppress", {})
    strangers.client.close()
    code, shown, said = fakeio("replay", recording, on=other)
    (line,) = [line for line in shown.splitlines() if line.startswith("3 ")]
    assert (code, "outcome" in line, "record_event ignored person.suppressed" in line) == (1, True, True)
    assert "3 of 3 requests sent, 0 not compared; 1 unexplained" in said


def test_a_status_that_differs_is_not_explained(
    fake: Fake, track: Track, fakeio: Command, tmp_path: Path
) -> None:
    track("PUT", "/api/v1/customers/1", {"plan": "pro"})
    har = json.loads(fakeio("export", "1", "--as", "har")[1])
    har["log"]["entries"][0]["response"]["status"] = 207
    code, shown, _ = fakeio("replay", written(tmp_path, har), "--json")
    (one,) = json.loads(shown)["unexplained"]
    assert (code, one["recorded_status"], one["status"], [each["code"] for each in one["problems"]]) == (
        1, 207, 200, ["status"],
    )  # fmt: skip


def test_a_request_refused_for_its_rate_is_tried_again(
    fake: Fake, track: Track, fakeio: Command, tmp_path: Path
) -> None:
    for _ in range(4):
        track.search()
    recording = written(tmp_path, fakeio("export", "--as", "har")[1])
    strict = fake.new_workspace(settings={"rate_limits": "enforced", "app_rate_limit": 3})
    assert fakeio("replay", recording, on=strict)[0] == 0
    assert 429 in [request.status for request in strict.requests]


# ---- other tools' ----------------------------------------------------------------------------------------------------

def entry(method: str, url: str, status: int, *, headers: Any = (), **more: Any) -> dict[str, Any]:
    """An entry as browsers and proxies write it."""
    request = {
        "method": method, "url": url, "httpVersion": "h2", "cookies": [], "queryString": [], "headersSize": -1,
        "bodySize": 0, "headers": [{"name": name, "value": value} for name, value in headers], **more,
    }  # fmt: skip
    response = {"status": status, "statusText": "", "httpVersion": "h2", "cookies": [], "headers": [],
                "content": {"size": 0, "mimeType": "application/json"}, "redirectURL": "", "headersSize": -1,
                "bodySize": 0}  # fmt: skip
    return {"startedDateTime": "2026-05-28T20:26:40Z", "time": 1, "request": request, "response": response,
            "cache": {}, "timings": {"send": 0, "wait": 1, "receive": 0}}  # fmt: skip


def har(*entries: Any) -> dict[str, Any]:
    return {"log": {"version": "1.2", "creator": {"name": "a proxy", "version": "5"}, "entries": list(entries)}}


IDENTIFY = "https://track.customer.io/api/v1/customers/"
JSON_BODY = {"postData": {"mimeType": "application/json", "text": '{"plan":"pro"}'}}
REAL = ("Authorization", "Basic c29tZWJvZHk6cmVhbCBrZXk=")
H2 = ((":authority", "track.customer.io"), ("Accept-Encoding", "br"), ("Content-Length", "14"))
FORM = {"postData": {"mimeType": "application/x-www-form-urlencoded", "params": [{"name": "plan", "value": "pro"}]}}
GZIPPED = {"postData": {"mimeType": "application/json", "text": "eyJwbGFuIjoicHJvIn0=", "encoding": "base64"}}


@pytest.mark.parametrize("recorded", [
    pytest.param(entry("PUT", IDENTIFY + "1", 200, headers=[*H2, REAL], **JSON_BODY), id="real credentials replaced"),
    pytest.param(entry("PUT", IDENTIFY + "1", 200, **JSON_BODY), id="credentials left out by the browser"),
    pytest.param(entry("PUT", IDENTIFY + "1", 200, headers=[REAL], **GZIPPED), id="a body in base64"),
    pytest.param(entry("PUT", IDENTIFY + "größe ü?a=b c", 200, headers=[REAL], **JSON_BODY), id="a url not encoded"),
    pytest.param(entry("PUT", IDENTIFY + "1", 401, headers=[REAL], **JSON_BODY), id="credentials refused"),
    pytest.param(entry("PUT", IDENTIFY + "1", 401, **JSON_BODY), id="no credentials"),
    pytest.param(entry("PUT", IDENTIFY + "1", 401, headers=[("Authorization", "Token x")]), id="a strange scheme"),
    pytest.param(entry("GET", "https://api.customer.io/v1/segments", 200), id="the App API without credentials"),
    pytest.param(entry("GET", "https://api.customer.io/v1/segments", 401, headers=[("authorization", "Bearer x")]),
                 id="the App API refused"),
    pytest.param(entry("GET", "http://localhost:9/v1/segments", 200), id="another fake"),
    pytest.param(entry("PUT", IDENTIFY + "1", 0, **JSON_BODY), id="no answer recorded"),
])  # fmt: skip
def test_a_recording_of_another_tool_is_explained(
    space: WorkspaceHandle, fakeio: Command, tmp_path: Path, recorded: Any
) -> None:
    told = fakeio("replay", written(tmp_path, har(recorded)), "--json")
    assert (told[0], json.loads(told[1])["unexplained"]) == (0, [])
    assert all("real key" not in str(request) for request in space.requests)


@pytest.mark.parametrize(("recorded", "code"), [
    pytest.param(entry("GET", "https://www.example.com/a.js", 200), "foreign_host", id="somebody else's host"),
    pytest.param(entry("GET", "https://track.customer.io/nowhere", 404), "unknown_route", id="a route nobody knows"),
    pytest.param(entry("POST", "https://cdp.customer.io/v1/page", 200, **JSON_BODY), "route_not_imitated",
                 id="a route not imitated"),
    pytest.param(entry("PUT", IDENTIFY + "1", 200, **FORM), "status", id="another status"),
    pytest.param(entry("PUT", "https://track-eu.customer.io/api/v1/customers/1", 200, **JSON_BODY), "status",
                 id="the other region"),
    pytest.param({"request": {"method": "GET"}}, "unreadable", id="an entry without what HAR requires"),
    pytest.param("GET /", "unreadable", id="an entry that is no object"),
    pytest.param(entry("GET /\r\nX:", "https://track.customer.io/", 200), "unreadable", id="two lines as method"),
    pytest.param(entry("GET", "https://track.customer.io/auth", 200, headers=[("x", "1\r\ny: 2")]), "unreadable",
                 id="two lines as header"),
    pytest.param(entry("GET", "https://track.customer.io/auth", 200, headers=[("x y", "1")]), "unreadable",
                 id="two words as the name of a header"),
    pytest.param({**entry("GET", "https://track.customer.io/auth", 200),
                  "_fakeio": {"credentials": {"scheme": "basic", "user": "site_id", "secret": "password"}}},
                 "unreadable", id="credentials that no workspace has"),
])  # fmt: skip
def test_what_cannot_be_explained_is_reported_and_nothing_leaves_the_fake(
    fakeio: Command, tmp_path: Path, recorded: Any, code: str
) -> None:
    fine = entry("PUT", IDENTIFY + "9", 200, **JSON_BODY)
    told = fakeio("replay", written(tmp_path, har(recorded, fine)), "--json")
    (one,) = json.loads(told[1])["unexplained"]
    assert (told[0], one["request"], code in [each["code"] for each in one["problems"]]) == (1, 1, True), one
    assert all(each["says"] for each in one["problems"])


def test_other_hosts_can_be_left_out(fakeio: Command, tmp_path: Path) -> None:
    recording = har(entry("GET", "https://www.example.com/", 200), entry("PUT", IDENTIFY + "1", 200, **JSON_BODY))
    code, _, said = fakeio("replay", written(tmp_path, recording), "--skip-foreign")
    assert (code, "1 of 1 requests sent" in said) == (0, True)


def test_no_answer_is_told_as_such(space: WorkspaceHandle, fakeio: Command, tmp_path: Path) -> None:
    space.fault("reset")
    told = fakeio("replay", written(tmp_path, har(entry("PUT", IDENTIFY + "1", 200, **JSON_BODY))))
    assert (told[0], "recorded 200, now no answer" in told[1]) == (1, True)


@pytest.mark.parametrize("content", [
    pytest.param("[]", id="a list"), pytest.param("{}", id="nothing"), pytest.param("{", id="no JSON"),
    pytest.param('{"log": {"entries": 1}}', id="entries that are no list"), pytest.param(None, id="no file"),
])
def test_a_file_without_a_recording_is_a_usage_error(fakeio: Command, tmp_path: Path, content: str | None) -> None:
    path = written(tmp_path, content) if content is not None else str(tmp_path / "nowhere")
    code, shown, said = fakeio("replay", path)
    assert (code, shown, said.count("\n"), "the recording" in said) == (2, "", 1, True)

