"""`serve --data`: whatever was answered is there after the process was killed, and a bad file is refused."""

from __future__ import annotations

import signal
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.contract.serving import APP_KEY, PATIENCE_S, SITE, TRACK_KEY, Served, identify, run, serving, url_of

DAY_S = 86_400


@contextmanager
def kept(file: Path, *options: str) -> Iterator[tuple[Served, httpx.Client]]:
    """A server on that data file, and a client of it."""
    with (
        serving("--data", str(file), "--quiet", *options) as served,
        httpx.Client(base_url=url_of(served), trust_env=False, timeout=PATIENCE_S) as client,
    ):
        yield served, client


def control(client: httpx.Client, method: str, path: str, document: Any = None) -> Any:
    answer = client.request(method, f"/_fakeio/workspaces{path}", json=document)
    assert answer.is_success, answer.text
    return answer.json() if answer.content else None


def fill(client: httpx.Client) -> dict[str, Any]:
    """Some of everything through every door that changes a state; what the second workspace is."""
    made: dict[str, Any] = control(client, "POST", "", {"name": "second", "region": "eu", "account": "shared"})
    control(client, "PUT", "/default/clock", {"now": 1_700_000_000})
    control(client, "PUT", "/default/clock", {"advance": 60})
    control(client, "POST", "/default/people", {"people": [{"id": "seeded", "attributes": {"n": 1}}]})
    refused = client.post("/_fakeio/workspaces/default/people", json={"people": [{"id": "first"}, {"id": 5}]})
    assert refused.status_code == 400, "and neither of the two was added"
    control(client, "POST", "/default/segments", {"name": "manual"})
    conditions = {"event": {"name": "order"}, "times": 1, "within": DAY_S}
    control(client, "POST", "/default/segments", {"name": "buyers", "type": "dynamic", "conditions": conditions})
    control(client, "PATCH", "/default/settings", {"propagation_delay_s": 30})
    auth = (SITE, TRACK_KEY)
    client.put("/api/v1/customers/1", json={"email": "a@example.com", "anonymous_id": "anon"}, auth=auth)
    client.post("/api/v1/customers/1/events", json={"name": "order", "data": {"total": 1.50}}, auth=auth)
    control(client, "POST", "/default/flush")
    client.put("/api/v1/customers/later", json={"n": 2}, auth=auth)
    client.post("/api/v1/segments/1/add_customers", json={"ids": ["1", "nobody"]}, auth=auth)
    batch = [{"type": "person", "identifiers": {"id": "b"}, "action": "identify", "attributes": {}}] * 2
    client.post("/api/v2/batch", json={"batch": batch}, auth=auth)
    app = {"authorization": f"Bearer {APP_KEY}"}
    client.post("/v1/exports/customers", json={"filters": {"segment": {"id": 2}}}, headers=app)
    client.post("/v1/segments", json={"segment": {"name": "made"}}, headers=app)
    client.put(
        "/api/v1/customers/elsewhere", json={}, auth=(made["site_id"], made["track_api_key"])
    ).raise_for_status()
    return made


def snapshots(client: httpx.Client) -> dict[int, Any]:
    """The state of every workspace, with what else is told of it."""
    rows = control(client, "GET", "")["workspaces"]
    return {row["id"]: (row, control(client, "GET", f"/{row['id']}/snapshot")) for row in rows}


def test_everything_that_was_answered_survives_kill_9(tmp_path: Path) -> None:
    file = tmp_path / "fake.db"
    with kept(file) as (served, client):
        second = fill(client)
        control(client, "PUT", "/2/snapshot", control(client, "GET", "/default/snapshot"))
        control(client, "PUT", "/2/clock", {"advance": DAY_S})
        fork = control(client, "POST", "/default/fork", {"name": "fork"})
        control(client, "POST", f"/{fork['id']}/people", {"people": [{"id": "of the fork"}]})
        gone = control(client, "POST", "")
        control(client, "DELETE", f"/{gone['id']}")
        before = snapshots(client)
        assert served.stop(signal.SIGKILL) == -signal.SIGKILL
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}
    with kept(file) as (served, client):
        assert snapshots(client) == before
        assert client.get("/auth", auth=(second["site_id"], second["track_api_key"])).status_code == 200
        assert control(client, "POST", "")["id"] == gone["id"] + 1, "an id is never given twice"
        control(client, "PUT", "/default/clock", {"advance": 30})
        assert control(client, "GET", "/default/people?id=later")["people"], "what was accepted becomes visible"
        control(client, "POST", f"/{fork['id']}/reset")
        assert control(client, "GET", f"/{fork['id']}/people?id=of the fork")["people"] == []
        assert control(client, "GET", f"/{fork['id']}/people?id=1")["people"], "a fork is reset to what it was made of"
        assert control(client, "GET", f"/{fork['id']}/clock") == {"now": 1_700_000_060, "mode": "manual"}
        after = snapshots(client)
        assert served.stop() == 0
    with kept(file) as (_, client):
        assert snapshots(client) == after


def test_a_kill_in_the_middle_of_a_stream_of_writes_loses_nothing_that_was_answered(tmp_path: Path) -> None:
    file, answered = tmp_path / "fake.db", [set[str]() for _ in range(4)]
    with kept(file) as (served, client):
        url = url_of(served)
        enough = threading.Event()
        writers = [threading.Thread(target=write, args=(url, str(n), answered[n], enough)) for n in range(4)]
        for writer in writers:
            writer.start()
        assert enough.wait(PATIENCE_S)
        served.stop(signal.SIGKILL)
        for writer in writers:
            writer.join(PATIENCE_S)
    with kept(file) as (_, client):
        there = set[str]()
        start: str | None = "0"
        while start is not None:
            page = control(client, "GET", f"/default/people?limit=1000&start={start}")
            there |= {person["id"] for person in page["people"]}
            start = page["next"]
    assert set().union(*answered) <= there
    assert len(there) <= sum(map(len, answered)) + len(answered), "besides, at most what was on its way"


def write(url: str, writer: str, answered: set[str], enough: threading.Event) -> None:
    """Identify one after the other, until nobody answers."""
    with httpx.Client(base_url=url, trust_env=False, timeout=PATIENCE_S) as client:
        try:
            for n in range(1_000_000):
                answer = client.put(f"/api/v1/customers/{writer}-{n}", json={"n": n}, auth=(SITE, TRACK_KEY))
                assert answer.status_code == 200
                answered.add(f"{writer}-{n}")
                if n == 100:
                    enough.set()
        except httpx.HTTPError:
            enough.set()


def test_without_waiting_for_the_disk_a_clean_stop_still_keeps_everything(tmp_path: Path) -> None:
    file = tmp_path / "fake.db"
    with kept(file, "--data-sync", "off") as (served, client):
        fill(client)
        before, last = snapshots(client), control(client, "GET", "/default/requests")["last"]
        assert served.stop() == 0
    with kept(file, "--data-sync", "off") as (_, client):
        assert snapshots(client) == before
        assert control(client, "GET", "/default/requests")["last"] == last > 0, "numbers go on without a gap"


def test_seed_and_settings_are_for_a_new_file_and_for_a_reset(tmp_path: Path) -> None:
    file, seed, settings = tmp_path / "fake.db", tmp_path / "seed.json", tmp_path / "settings.toml"
    seed.write_text('{"people": [{"id": "seeded"}]}')
    settings.write_text('rate_limits = "off"')
    options = ("--seed", str(seed), "--settings", str(settings))
    with kept(file, *options) as (_, client):
        control(client, "PATCH", "/default/settings", {"rate_limits": "enforced"})
        client.request("DELETE", "/api/v1/customers/seeded", auth=(SITE, TRACK_KEY))
    with kept(file, *options) as (_, client):
        assert control(client, "GET", "/default/people")["people"] == []
        assert control(client, "GET", "/default/settings")["rate_limits"] == "enforced"
        control(client, "POST", "/default/reset")
    with kept(file, *options) as (_, client):
        assert [person["id"] for person in control(client, "GET", "/default/people")["people"]] == ["seeded"]
        assert control(client, "GET", "/default/settings")["rate_limits"] == "off"


def test_a_file_is_used_by_one_process_at_a_time(tmp_path: Path) -> None:
    file = tmp_path / "fake.db"
    with kept(file) as (served, _):
        ended = run("serve", "--port", "0", "--data", str(file))
        assert (ended.returncode, ended.stdout) == (2, "")
        assert "open in another process" in ended.stderr
        assert identify(url_of(served)).status_code == 200


def newer(path: Path) -> None:
    with serving("--data", str(path), "--quiet") as served:
        assert served.stop() == 0
    with closing(sqlite3.connect(path)) as db:
        db.execute("pragma user_version = 99")


def foreign(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db:
        db.execute("create table notes (text)")


def damaged(path: Path) -> None:
    with serving("--data", str(path), "--quiet") as served:
        assert served.stop() == 0
    with closing(sqlite3.connect(path)) as db:
        db.execute("update workspaces set snapshot = ?", (b'{"version": 99}',))
        db.commit()


def european(path: Path) -> None:
    with serving("--data", str(path), "--quiet", "--region", "eu") as served:
        assert served.stop() == 0


@pytest.mark.parametrize(("spoil", "words"), [
    pytest.param(newer, "written by a newer fakeio", id="of a later version"),
    pytest.param(foreign, "a database of something else", id="somebody else's database"),
    pytest.param(lambda path: path.write_text("notes, not a database; " * 100), "no data file of fakeio", id="a text"),
    pytest.param(lambda path: path.mkdir(), "can't be opened", id="a folder"),
    pytest.param(damaged, "can't be read back", id="a state that can not be"),
    pytest.param(european, "start with --region eu", id="of another region"),
])
def test_a_file_that_can_not_be_used_is_refused_with_2(tmp_path: Path, spoil: Any, words: str) -> None:
    file = tmp_path / "fake.db"
    spoil(file)
    before = file.read_bytes() if file.is_file() else b""
    ended = run("serve", "--port", "0", "--data", str(file))
    assert (ended.returncode, ended.stdout) == (2, "")
    assert words in ended.stderr
    assert len(ended.stderr.splitlines()) == 1
    if spoil is foreign:
        assert file.read_bytes() == before, "it is left as it was"
