"""What was given up goes out once more under its own id: visible once, reported like a run, and marked as settled."""

from __future__ import annotations

import io
import json
import sqlite3
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from fakeio import Fake
from sync import event_notes, run_events
from sync.core.budgets import V2_BATCH
from sync.core.errors import ConfigError
from sync.core.mapping import Rules
from sync.core.replaying import Replay
from sync.core.report import Ended
from sync.core.sending import RetryPolicy
from sync.core.ulids import decode_ulid, encode_ulids
from sync.core.wire_v2 import encode_batch
from sync.edge import migrations
from sync.edge.console import Console
from sync.edge.ledger import DeadLetter, Ledger
from sync.edge.pacing import SharedPacing
from sync.edge.transport import Network
from sync.run_events import EventsOptions
from sync.run_retry import run_retry
from tests.integration.cohort_engine import Engine as CohortEngine
from tests.integration.event_engine import BATCH_PATH, HASTE, IMPATIENT, Engine, counts, ended_report, row, wide
from tests.integration.test_events_faults import Choosy
from tests.integration.test_events_kill import Countdown, Killed
from tests.integration.test_events_notes import said


def retry(
    engine: Engine, scope: str = "all", policy: RetryPolicy = HASTE, network: Network | None = None
) -> Ended:
    with Ledger.open(engine.path) as ledger:
        console = Console(quiet=True, stream=engine.said)
        return run_retry(scope, engine.settings(), ledger, console, policy=policy, network=network)


def still_open(engine: Engine, run_id: str | None = None) -> list[DeadLetter]:
    with Ledger.open(engine.path) as ledger:
        return list(ledger.dead_letters(run_id, only_open=True))


def fail(engine: Engine, *rows: dict[str, Any]) -> str:
    """A run whose events all expire; returns its id."""
    engine.workspace.fault("status", status=503, match={"path": BATCH_PATH})
    report = ended_report(engine.run(*rows, policy=IMPATIENT))
    assert report.expired == len(rows)
    engine.workspace.clear_faults()
    return report.run_id


def test_what_expired_is_sent_again_and_settled(engine: Engine) -> None:
    run_id = fail(engine, row(1), row(2))
    ended = retry(engine, run_id)
    assert (ended.exit_code, counts(ended_report(ended))) == (0, {"received": 2, "delivered": 2})
    assert (engine.numbers(), still_open(engine)) == ([1, 2], [])
    assert counts(ended_report(retry(engine))) == {}
    assert counts(engine.report()) == {"received": 2, "duplicates": 2}


def test_the_next_run_over_the_source_settles_it_too(engine: Engine) -> None:
    fail(engine, row(1))
    engine.report()
    assert still_open(engine) == []
    assert len(engine.letters()) == 1  # what happened is still told by `show --people`


def test_an_event_that_had_arrived_after_all_stays_one(engine: Engine) -> None:
    engine.workspace.fault("status", status=503, when="after_commit", match={"path": BATCH_PATH})
    assert ended_report(engine.run(row(1), policy=IMPATIENT)).expired == 1
    engine.workspace.clear_faults()
    assert counts(ended_report(retry(engine))) == {"received": 1, "delivered": 1}
    assert engine.numbers() == [1]


def test_an_event_too_large_for_a_batch_goes_the_way_it_went(engine: Engine) -> None:
    large = row(1, event_properties={"n": 1, "text": "x" * 50_000}, user_id="a/b c")
    engine.workspace.fault("status", status=503, match={"path": "/api/v1/customers/*"})
    engine.run(row(0, user_id="a/b c"), large, row(2, user_id="a/b c"), policy=IMPATIENT)
    engine.workspace.clear_faults()
    sent = len(engine.sent())
    assert counts(ended_report(retry(engine))) == {"received": 1, "delivered": 1}
    assert engine.sent()[sent:] == ["/api/v1/customers/a%2Fb%20c/events"]
    assert engine.numbers() == [0, 2, 1]


def test_what_is_refused_again_has_one_open_letter_of_the_latest_run(engine: Engine) -> None:
    first = ended_report(engine.run(row(1), row(2, user_id="cio_no!")))
    assert first.refused == {"invalid": 1}
    ended = retry(engine, first.run_id)
    report = ended_report(ended)
    assert (ended.exit_code, counts(report)) == (1, {"received": 1, "refused": {"invalid": 1}})
    assert [one.run_id for one in still_open(engine)] == [report.run_id]
    again = ended_report(engine.run())
    assert [one.run_id for one in still_open(engine)] == [again.run_id]


def test_a_letter_that_stands_twice_is_sent_once(engine: Engine) -> None:
    ended = ended_report(engine.run(row(1), network=Choosy(b'"order"')))
    with Ledger.open(engine.path) as ledger:
        ledger.add_dead_letters(list(ledger.dead_letters(ended.run_id)))
    assert counts(ended_report(retry(engine))) == {"received": 2, "duplicates": 1, "delivered": 1}
    assert (engine.numbers(), still_open(engine)) == ([1], [])


def test_rows_that_never_became_events_stay_and_are_told(engine: Engine) -> None:
    engine.run(row(1, user_id=""))
    ended = retry(engine)
    assert (ended.exit_code, counts(ended_report(ended))) == (0, {})
    assert "mend their source" in engine.said.getvalue()
    assert [one.reason for one in still_open(engine)] == ["missing_identifier"]


# -- rows that never became events ------------------------------------------------------------------------------------
def anonymous(*numbers: int) -> list[dict[str, Any]]:
    return [row(n, user_id=None) for n in numbers]


def open_rows(engine: Engine) -> list[tuple[str, int]]:
    """File and number of each row whose letter is open."""
    items = [json.loads(bytes(one.item)) for one in still_open(engine)]
    return [(Path(item["file"]).name, item["row"]) for item in items]


def test_a_file_that_is_read_again_has_one_letter_a_row_and_none_of_what_was_mended(engine: Engine) -> None:
    for _ in range(2):
        engine.run(row(1), *anonymous(2, 3))
        assert open_rows(engine) == [("export.json", 2), ("export.json", 3)]
    engine.run(row(1), row(2), *anonymous(3))
    assert open_rows(engine) == [("export.json", 3)]
    engine.run(row(1), row(2), row(3))
    assert engine.letters() == []


@pytest.mark.parametrize(
    "rules",
    [
        pytest.param({"events": frozenset({"refund"})}, id="some events"),
        pytest.param({"since": 2_000_000_000}, id="some time"),
    ],
)
def test_what_was_left_out_by_choice_has_not_been_read_again(engine: Engine, rules: dict[str, Any]) -> None:
    engine.run(*anonymous(1))
    engine.run(**rules)
    assert open_rows(engine) == [("export.json", 1)]


@pytest.mark.parametrize(("then", "left"), [("daily", []), ("weekly", [("export.json", 1)])])
def test_a_sync_with_a_choice_of_events_reads_its_own_rows_again(
    engine: Engine, then: str, left: list[tuple[str, int]]
) -> None:
    for sync, rows in (("daily", anonymous(1)), (then, [row(1)])):
        options = EventsOptions(
            source=str(engine.export(*rows)), sync=sync, rules=Rules(events=frozenset({"order"}))
        )
        with Ledger.open(engine.path) as ledger:
            run_events.run_events(options, engine.settings(), ledger, Console(stream=engine.said), policy=HASTE)
    assert open_rows(engine) == left


def test_another_file_and_another_destination_close_nothing(fake: Fake, engine: Engine, tmp_path: Path) -> None:
    engine.run(*anonymous(1))
    other = Engine(fake, fake.new_workspace(), tmp_path)
    assert other.path == engine.path
    other.run(row(2))
    engine.file = tmp_path / "other.json"
    engine.run(*anonymous(3))
    assert open_rows(engine) == [("export.json", 1), ("other.json", 1)]


def test_a_file_of_the_same_name_elsewhere_is_another(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for day in ("monday", "tuesday"):
        (tmp_path / day).mkdir()
        monkeypatch.chdir(tmp_path / day)
        engine.file = Path("export.json")
        engine.run(*anonymous(1))
    files = [json.loads(bytes(one.item))["file"] for one in still_open(engine)]
    assert files == [str(tmp_path / day / "export.json") for day in ("monday", "tuesday")]


def test_standard_input_is_never_the_same_again(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in (1, 2):
        line = json.dumps(row(number, user_id=None)).encode()
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(line)))
        engine.run(source="-")
    assert open_rows(engine) == [("standard input", 1), ("standard input", 1)]


def test_of_many_rows_with_one_flaw_the_first_are_kept_and_all_are_counted(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (run_events, event_notes):
        monkeypatch.setattr(module, "MOST_ROWS", 3)
    lines = said(engine, *anonymous(*range(5)), row(9, event_time="soon"), quiet=True)
    assert lines == ["5 rows were discarded as missing_identifier: `cio-sync failed` lists the first 3 of them"]
    assert open_rows(engine) == [("export.json", 1), ("export.json", 2), ("export.json", 3), ("export.json", 6)]


def test_what_nobody_can_send_any_more_is_forgotten_after_some_time(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    expired, delivered_later = row(1), row(2)
    kept = fail(engine, expired)
    fail(engine, delivered_later)
    engine.run(delivered_later, *anonymous(3))
    assert [one.reason for one in engine.letters()] == ["expired", "expired", "missing_identifier"]
    engine.file = engine.file.with_name("later.json")
    monkeypatch.setattr(run_events, "KEPT_LETTERS_S", -10.0)
    engine.run(row(4))
    assert [(one.run_id, one.reason) for one in engine.letters()] == [(kept, "expired")]


# -- which ------------------------------------------------------------------------------------------------------------
def test_only_the_named_run_is_replayed(engine: Engine) -> None:
    first, second = fail(engine, row(1)), fail(engine, row(2))
    assert counts(ended_report(retry(engine, second))) == {"received": 1, "delivered": 1}
    assert engine.numbers() == [2]
    assert [one.run_id for one in still_open(engine)] == [first]


def test_letters_of_another_destination_are_left_alone(fake: Fake, engine: Engine) -> None:
    fail(engine, row(1))
    other = Engine(fake, fake.new_workspace(), engine.path.parent)
    assert counts(ended_report(retry(other))) == {}
    assert len(still_open(engine)) == 1


def test_many_letters_are_packed_into_batches(engine: Engine) -> None:
    rows = wide(*range(60))
    ended_report(engine.run(*rows, network=Choosy(b'"text"')))
    sent = len(engine.sent())
    assert counts(ended_report(retry(engine))) == {"received": 60, "delivered": 60}
    assert (engine.numbers(), len(engine.sent()) - sent) == (list(range(60)), 3)


def operation(number: int, size: int) -> bytes:
    """An operation of exactly so many bytes."""
    ulid = encode_ulids([number.to_bytes(16, "big")])[0].decode()
    bare = (
        f'{{"type":"person","action":"event","identifiers":{{"id":"42"}},"name":"order","id":"{ulid}","timestamp":1,'
        '"attributes":{"text":"%s"}}'
    )
    return (bare % ("x" * (size - len(bare) + 2))).encode()


@pytest.mark.parametrize("over", [0, 1])
def test_a_replayed_batch_is_filled_to_the_byte(over: int) -> None:
    sizes = [31_000] * 16
    sizes.append(V2_BATCH.most - len(encode_batch([])) - sum(sizes) - len(sizes) + over)
    items = [operation(n, size) for n, size in enumerate(sizes)]
    assert [len(item) for item in items] == sizes
    bodies = [batch.request(0, len(batch.items)).body or b"" for batch in Replay(set()).batches(items)]
    assert max(map(len, bodies)) <= V2_BATCH.most
    assert [len(json.loads(body)["batch"]) for body in bodies] == ([16, 1] if over else [17])


@pytest.mark.parametrize("after", [False, True], ids=["before a request", "after its answer"])
@pytest.mark.parametrize("steps", [2, 3])
def test_a_replay_that_is_killed_is_followed_by_one_that_ends_it(engine: Engine, steps: int, after: bool) -> None:
    ended_report(engine.run(*wide(*range(60)), network=Choosy(b'"text"')))
    try:
        retry(engine, network=Countdown(steps, after=after))
    except Killed:
        report = ended_report(retry(engine))
        assert report.delivered + report.duplicates == report.received
    assert (sorted(engine.numbers()), still_open(engine)) == (list(range(60)), [])


def test_refused_credentials_leave_the_letters_open(engine: Engine) -> None:
    run_id = fail(engine, row(1))
    engine.workspace.fault("status", status=401, match={"path": BATCH_PATH})
    ended = retry(engine, run_id)
    assert (ended.exit_code, counts(ended_report(ended))) == (4, {"received": 1, "pending": 1})
    assert len(still_open(engine)) == 1


def test_a_replay_keeps_to_what_another_process_was_told(engine: Engine) -> None:
    run_id = fail(engine, row(1))
    told, sent = SharedPacing(engine.path.parent, engine.workspace.site_id), len(engine.workspace.requests)
    told.hold("track", time.monotonic() + 3_600, time.monotonic())
    told.close()
    ended = retry(engine, run_id)
    assert (ended.error is not None and ended.error.reason, len(engine.workspace.requests)) == ("throttled", sent)


def test_a_run_that_nobody_knows_is_an_error(engine: Engine) -> None:
    fail(engine, row(1))
    with pytest.raises(ConfigError, match="is remembered"):
        retry(engine, "nonsense")


def test_a_cohort_run_is_mended_by_its_next_run(fake: Fake, tmp_path: Path) -> None:
    workspace = fake.new_workspace()
    workspace.add_people([{"id": "a"}])
    cohorts = CohortEngine(fake, workspace, tmp_path)
    fault = workspace.fault("status", status=400, match={"path": "/api/v1/segments/*/add_customers"})
    refused = cohorts.report("a")
    events = Engine(fake, workspace, tmp_path)
    with pytest.raises(ConfigError, match="next run of that cohort"):
        retry(events, refused.run_id)
    assert len(still_open(events)) == 1
    fault.remove()
    cohorts.report("a")
    assert still_open(events) == []


# -- ids as text ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("ulid", [bytes(16), b"\xff" * 16, bytes(range(16))])
def test_an_id_comes_back_from_its_text(ulid: bytes) -> None:
    assert decode_ulid(encode_ulids([ulid])[0].decode()) == ulid


@pytest.mark.parametrize("text", ["", "8" + "0" * 25, "0" * 27, "0" * 25 + "U", "0" * 25 + "a", "é" * 26])
def test_what_is_no_ulid_is_none(text: str) -> None:
    assert decode_ulid(text) is None


# -- ledgers of older versions ----------------------------------------------------------------------------------------
def old_ledger(path: Path, steps: int, site_id: str) -> None:
    """A ledger as an older version left it: after so many steps, with an events run that gave something up."""
    item = json.dumps({
        "type": "person", "action": "event", "identifiers": {"id": "42"}, "name": "order",
        "id": "01J00000000000000000000000", "timestamp": 1_700_000_000, "attributes": {"n": 7},
    }).encode()  # fmt: skip
    connection = sqlite3.connect(path)
    for script in migrations.STEPS[:steps]:
        connection.executescript(script)
    connection.execute(f"PRAGMA user_version = {steps}")
    connection.execute(
        "INSERT INTO runs (run_id, kind, sync_key, started_at, status, exit_code) VALUES"
        " ('old', 'events', ?, 1, 'partial', 1)",
        (site_id,),
    )
    connection.execute(
        "INSERT INTO dead_letters (run_id, kind, reason, field, message, item)"
        " VALUES ('old', 'events', 'expired', '', '', ?)",
        (item,),
    )
    delivered = b"".join(decode_ulid(text) or b"" for text in ["01J00000000000000000000001"])
    hour = int.from_bytes(delivered[:6], "big") // 3_600_000
    connection.execute("INSERT INTO delivered (site_id, bucket, ulids) VALUES (?, ?, ?)", (site_id, hour, delivered))
    connection.execute(
        "INSERT INTO syncs (sync_key, site_id, name, id_type, id_column, segment_id) VALUES"
        " ('k', ?, 'vip', 'id', 'user_id', 7)",
        (site_id,),
    )
    connection.commit()
    connection.close()


@pytest.mark.parametrize("steps", range(1, migrations.LATEST + 1))
def test_a_ledger_of_any_older_version_is_brought_up_and_keeps_what_it_knew(engine: Engine, steps: int) -> None:
    old_ledger(engine.path, steps, engine.workspace.site_id)
    with Ledger.open(engine.path) as ledger:
        assert ledger.connection.execute("PRAGMA user_version").fetchone() == (migrations.LATEST,)
        assert [run.run_id for run in ledger.runs()] == ["old"]
        sync = ledger.sync(engine.workspace.site_id, "vip")
        assert sync is not None
        assert sync.segment_id == 7
    assert counts(ended_report(retry(engine, "old"))) == {"received": 1, "delivered": 1}
    assert (engine.numbers(), still_open(engine)) == ([7], [])


def test_a_step_of_the_schema_that_fails_leaves_the_one_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "ledger.db"
    old_ledger(path, 1, "site")
    broken = (*migrations.STEPS[:1], "CREATE TABLE one (a);\nCREATE TABLE runs (a);\n")
    monkeypatch.setattr(migrations, "STEPS", broken)
    monkeypatch.setattr(migrations, "LATEST", 2)
    with pytest.raises(ConfigError):
        Ledger.open(path)
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA user_version").fetchone() == (1,)
    assert connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'one'").fetchone() == (0,)
    connection.close()
