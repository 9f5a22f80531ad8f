"""Events from an export to a live fake: what arrives, what is reported, and that each event arrives once."""

from __future__ import annotations

import gzip
import io
import json
import stat
import sys
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import httpx
import pytest

from fakeio import Fake
from sync.core.properties import Select
from sync.core.report import EventsReport
from sync.edge import files
from sync.edge.ledger import Ledger
from tests.contract import plain
from tests.integration.event_engine import BATCH_PATH, Engine, counts, row

TEN_S = 1_784_023_200


@pytest.mark.parametrize("source", ["", "/*"], ids=["the folder", "a glob"])
def test_a_folder_may_hold_the_ledger_too(engine: Engine, source: str) -> None:
    engine.export(row(1))
    for delivered in (1, 0):  # the second run finds what the first one left there
        assert engine.report(source=f"{engine.path.parent}{source}").delivered == delivered


def test_an_event_arrives_whole(engine: Engine) -> None:
    columns: dict[str, Any] = {
        "event_type": " [Amplitude] Page Viewed ", "event_time": "2026-07-14 10:00:00.999999",
        "event_properties": {"total": 12.5, "items": [{"sku": "é"}], "coupon": None, "reply_to": "x@example.com"},
        "user_properties": {"plan": "pro"}, "group_properties": {"company": {"seats": 3}}, "groups": {"company": ["A"]},
    }  # fmt: skip
    report = engine.report(row(1, **columns))
    (event,) = engine.workspace.events()
    assert (event.type, event.name, event.timestamp) == ("event", "[Amplitude] Page Viewed", TEN_S)
    assert event.person is not None
    assert event.person.id == "42"
    assert event.data == {
        "total": 12.5, "items": [{"sku": "é"}], "amplitude_reply_to": "x@example.com",
        "user_properties": {"plan": "pro"}, "group_properties": {"company": {"seats": 3}}, "groups": {"company": ["A"]},
    }  # fmt: skip
    assert (report.status, report.mode, counts(report)) == ("success", "send", {"received": 1, "delivered": 1})
    assert (report.oldest_event_at, report.newest_event_at) == ("2026-07-14T10:00:00Z", "2026-07-14T10:00:00Z")
    (item,) = engine.workspace.requests[-1].body["batch"]
    assert len(item["id"]) == 26
    assert (item["type"], item["action"]) == ("person", "event")


def test_every_row_of_a_mixed_export_has_its_fate(engine: Engine) -> None:
    ended = engine.run(
        row(1), row(2, user_id=None), row(3, user_id="x" * 151), row(4, event_type=""), row(5, event_type="n" * 101),
        row(6, event_time="soon"), row(7, event_type="$identify"), row(1), b"{broken", row(8),
        row(9, event_properties={"n": 9, "text": "x" * 100_001}), row(10, event_properties="text"),
    )  # fmt: skip
    report = ended.report
    assert isinstance(report, EventsReport)
    assert counts(report) == {
        "received": 12, "filtered": 1, "delivered": 2, "duplicates": 1, "discarded": {
            "missing_identifier": 1, "id_too_long": 1, "event_name_blank": 1, "event_name_too_long": 1,
            "bad_timestamp": 1, "bad_row": 2, "event_too_large": 1},
    }  # fmt: skip
    assert (ended.exit_code, report.status, engine.numbers()) == (1, "partial", [1, 8])


def test_what_was_discarded_can_be_looked_up(engine: Engine) -> None:
    engine.run(row(1), row(2, user_id=None), b"{broken", row(3, event_time="soon"))
    letters = [(one.kind, one.reason, one.field, json.loads(bytes(one.item))) for one in engine.letters()]
    where = str(engine.file)
    ids = {"device_id": "d-1", "user_id": None, "event_type": "order"}
    assert letters == [
        ("events", "missing_identifier", "user_id", {
            "file": where, "row": 2, "event_time": "2026-07-14 10:00:02.500000", "$insert_id": "insert-2",
            "uuid": "uuid-2", **ids}),
        ("events", "bad_row", "", {"file": where, "row": 3, "text": "{broken"}),
        ("events", "bad_timestamp", "event_time", {
            "file": where, "row": 4, "event_time": "soon", "$insert_id": "insert-3", "uuid": "uuid-3", **ids,
            "user_id": "42"}),
    ]  # fmt: skip
    assert all(one.message for one in engine.letters())


@pytest.mark.parametrize(("name", "field"), [("user_id", "user_id"), ("mail", "user_properties.mail")])
def test_a_letter_says_where_nobody_was_named(engine: Engine, name: str, field: str) -> None:
    engine.run(row(1, user_id=None), id_property=name)
    assert [one.field for one in engine.letters()] == [field]


def test_nothing_lost_is_success(engine: Engine) -> None:
    ended = engine.run(row(1), row(1), row(2, event_type="$groupidentify"))
    assert (ended.exit_code, ended.report.status) == (0, "success")


# -- each event once --------------------------------------------------------------------------------------------------
def test_a_second_run_delivers_nothing(engine: Engine) -> None:
    rows = [row(n) for n in range(2_000)]
    first, second = engine.report(*rows), engine.report(*rows)
    assert (counts(first), counts(second)) == (
        {"received": 2_000, "delivered": 2_000}, {"received": 2_000, "duplicates": 2_000},
    )  # fmt: skip
    assert (second.status, second.requests) == ("success", 1)
    assert len(engine.workspace.events()) == 2_000


def test_another_path_delivers_nothing_twice(engine: Engine, tmp_path: Path) -> None:
    rows = [row(n) for n in range(50)]
    engine.report(*rows)
    export = tmp_path / "export.zip"
    with zipfile.ZipFile(export, "w") as archive:
        lines = "\n".join(json.dumps({**one, "processed_time": "later"}) for one in (*rows, row(50)))
        archive.writestr("1/1_2026-07-14_10#0.json.gz", gzip.compress(lines.encode()))
    assert counts(engine.report(source=str(export))) == {"received": 51, "delivered": 1, "duplicates": 50}
    assert engine.numbers() == list(range(51))


def test_another_machine_sends_the_same_ids_and_customer_io_keeps_one(engine: Engine, tmp_path: Path) -> None:
    engine.report(row(1))
    elsewhere = engine.settings(state_path=tmp_path / "elsewhere.db")
    engine.path = elsewhere.state_path
    assert counts(engine.report(settings=elsewhere)) == {"received": 1, "delivered": 1}
    first, second = [one.body["batch"] for one in engine.workspace.requests if one.method == "POST"]
    assert first == second
    assert engine.numbers() == [1]


def test_one_insert_id_on_two_devices_is_two_events(engine: Engine) -> None:
    report = engine.report(row(1), {**row(1), "device_id": "d-2"})
    assert (counts(report), len(engine.workspace.events())) == ({"received": 2, "delivered": 2}, 2)


def test_another_workspace_is_another_memory(fake: Fake, engine: Engine) -> None:
    engine.report(row(1))
    other = fake.new_workspace()
    settings = engine.settings(site_id=other.site_id, track_api_key=other.track_api_key)
    assert counts(engine.report(settings=settings)) == {"received": 1, "delivered": 1}
    assert len(other.events()) == 1


def test_events_of_many_hours_are_remembered(engine: Engine) -> None:
    rows = [row(n, event_time=f"20{n:02}-01-01 00:00:00") for n in range(70)]
    rows += [row(70, event_time="1969-12-31 23:59:59"), row(71, event_time="9999-12-31 23:59:59")]
    first = engine.report(*rows)
    assert (first.oldest_event_at, first.newest_event_at) == ("1969-12-31T23:59:59Z", "9999-12-31T23:59:59Z")
    assert counts(engine.report(*rows, row(72))) == {"received": 73, "delivered": 1, "duplicates": 72}
    assert [event.timestamp for event in engine.workspace.events()][-3:-1] == [-1, 253_402_300_799]


# -- people -----------------------------------------------------------------------------------------------------------
def test_each_person_gets_their_own_events(engine: Engine) -> None:
    awkward = "a/b?c#d%20 é@x"
    engine.workspace.add_person(id="known", email="known@example.com")
    cio_id = engine.workspace.add_person(id="by-cio-id").cio_id
    people = [awkward, "KNOWN@example.com", f"cio_{cio_id}", "newcomer", "  spaces  ", "cio_unknown"]
    engine.report(*(row(n, user_id=value) for n, value in enumerate(people)))
    found = {event.data["n"]: event.person and event.person.id for event in engine.workspace.events()}
    assert found == {0: awkward, 1: "known", 2: "by-cio-id", 3: "newcomer", 4: "  spaces  "}
    assert {person.id for person in engine.workspace.people} == set(found.values())
    assert len(engine.workspace.ignored) == 1


@pytest.mark.parametrize("size", [1_000, 60_000])
@pytest.mark.parametrize("value", ["a/b?c#d%20 é@x", "42", "a@example.com", "line one\nline two", "100%", "+1 2"])
def test_both_ways_lead_to_the_same_person(engine: Engine, value: str, size: int) -> None:
    engine.report(row(1, user_id=value, event_properties={"n": 1, "text": "x" * size}))
    (event,), (person,) = engine.workspace.events(), engine.workspace.people
    assert (person.email if value == "a@example.com" else person.id) == value
    assert len(event.data["text"]) == size
    assert engine.sent()[0].startswith(BATCH_PATH if size == 1_000 else "/api/v1/customers/")


def test_a_large_event_keeps_its_place_among_those_of_its_person(engine: Engine) -> None:
    large = {"n": 3, "text": "é" * 30_000}
    engine.report(row(1), row(2), row(3, event_properties=large), row(4), row(5))
    assert engine.numbers() == [1, 2, 3, 4, 5]
    assert [path.split("/")[2] for path in engine.sent()] == ["v2", "v1", "v2"]


def test_an_event_that_only_its_path_could_carry_to_the_wrong_person_is_not_sent(engine: Engine) -> None:
    rows = [row(1, user_id="a@example.com"), row(2, user_id="a@example.com", event_properties={"text": "x" * 60_000})]
    report = engine.report(*rows, id_type="id")
    assert counts(report) == {"received": 2, "delivered": 1, "discarded": {"identifier_ambiguous": 1}}
    assert [person.id for person in engine.workspace.people] == ["a@example.com"]


def test_an_event_of_a_suppressed_person_is_accepted_and_ignored(engine: Engine) -> None:
    engine.workspace.add_person(id="42")
    engine.run(row(0, user_id="somebody"))
    auth = (engine.workspace.site_id, engine.workspace.track_api_key)
    plain.post(f"{engine.url}/api/v1/customers/42/suppress", auth=auth).raise_for_status()
    assert counts(engine.report(row(1))) == {"received": 1, "delivered": 1}
    assert engine.numbers() == [0]
    assert len(engine.workspace.ignored) == 1


@pytest.mark.parametrize("count", [301, 1_000])
def test_an_event_with_more_properties_than_a_person_may_have_is_whole(engine: Engine, count: int) -> None:
    engine.report(row(1, event_properties={f"q{n}": n for n in range(count)}))
    assert len(engine.workspace.events()[0].data) == count


# -- rules ------------------------------------------------------------------------------------------------------------
def test_rules_choose_what_is_sent(engine: Engine) -> None:
    rows = [row(1, event_type="a", user_properties={"mail": "a@example.com", "n": 7}), row(2, event_type="b")]
    report = engine.report(*rows, events=frozenset({"a"}), properties=frozenset({"n"}), id_property="mail", parity=True)
    (event,) = engine.workspace.events()
    assert counts(report) == {"received": 2, "filtered": 1, "delivered": 1}
    assert (event.person and event.person.email, event.data) == (
        "a@example.com", {"n": "1", "user_properties": {"n": "7"}},
    )  # fmt: skip
    engine.report(row(3), properties=Select.NONE)
    assert engine.workspace.events()[-1].data == {}


def test_odd_values_arrive_as_documented(engine: Engine) -> None:
    line = json.dumps(row(1, event_properties={})).replace(
        '"event_properties": {}',
        '"event_properties": {"nan": NaN, "big": 9223372036854775808, "long": 1e400, "deep": %s, "": 1, "a.b": 2,'
        ' "half": "\\ud800", "nul": "a\\u0000b"}' % ("[" * 41 + "]" * 41),
    )
    engine.report(line.encode())
    data = engine.workspace.events()[0].data
    assert {key: value for key, value in data.items() if key != "deep"} == {
        "big": 9223372036854775808, "": 1, "a.b": 2, "half": "\ufffd", "nul": "a\ufffdb",
    }  # fmt: skip
    assert json.dumps(data["deep"]) == "[" * 41 + "]" * 41


# -- sources ----------------------------------------------------------------------------------------------------------
def test_standard_input_is_a_source(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    data = gzip.compress("\n".join(json.dumps(row(n)) for n in range(3)).encode())
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
    assert counts(engine.report(source="-")) == {"received": 3, "delivered": 3}


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(gzip.compress(json.dumps(row(1)).encode())[:-6], id="cut short"),
        pytest.param(b"hello", id="of an unknown type"),
    ],
)
def test_a_doubtful_source_sends_nothing(engine: Engine, data: bytes) -> None:
    engine.file.write_bytes(data)
    ended = engine.run()
    assert (ended.exit_code, ended.report.status, engine.sent()) == (3, "failed", [])
    assert ended.error is not None
    assert "nothing was sent" in ended.error.message
    assert isinstance(ended.report, EventsReport)
    assert counts(ended.report) == {}


def test_damage_found_on_the_way_keeps_what_was_delivered(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "PROVEN_BYTES", 10)
    folder = tmp_path / "exports"
    folder.mkdir()
    good = [row(n, event_properties={"n": n, "text": "x" * 1_000}) for n in range(3_000)]
    (folder / "1.json").write_text("\n".join(map(json.dumps, good)))
    last = b"\n" * 3_000_000 + json.dumps(row(3_000)).encode()
    (folder / "2.gz").write_bytes(gzip.compress(last)[:-6])
    ended = engine.run(source=str(folder))
    assert isinstance(ended.report, EventsReport)
    assert (ended.exit_code, ended.report.status) == (3, "failed")
    assert counts(ended.report) == {"received": 3_000, "delivered": 3_000}
    assert ended.error is not None
    assert "3000 events before that were delivered" in ended.error.message
    (folder / "2.gz").write_bytes(gzip.compress(last))
    mended = engine.report(source=str(folder))
    assert counts(mended) == {"received": 3_001, "delivered": 1, "duplicates": 3_000}
    assert engine.numbers() == list(range(3_001))


# -- dry run, ledger, secrecy -----------------------------------------------------------------------------------------
def test_a_dry_run_says_what_would_happen_and_leaves_no_trace(engine: Engine) -> None:
    rows = [row(1), row(1), row(2, user_id=None)]
    expected = {"received": 3, "delivered": 1, "duplicates": 1, "discarded": {"missing_identifier": 1}}
    report = engine.report(*rows, dry_run=True)
    assert (report.mode, counts(report), report.requests) == ("dry_run", expected, 0)
    assert not engine.path.exists()
    assert engine.sent() == []
    assert counts(engine.report(*rows)) == expected
    known = {**expected, "duplicates": 2, "delivered": 0}
    before = engine.path.read_bytes()
    assert counts(engine.report(*rows, dry_run=True)) == {key: value for key, value in known.items() if value}
    assert engine.path.read_bytes() == before


def test_the_ledger_is_private_and_remembers_the_run(engine: Engine) -> None:
    report = engine.report(row(1))
    assert stat.S_IMODE(engine.path.stat().st_mode) == 0o600
    with Ledger.open(engine.path) as ledger:
        (run,) = ledger.runs()
        left = ledger.connection.execute("SELECT count(*) FROM event_batches").fetchone()
    assert (run.run_id, run.kind, run.sync, run.status, run.exit_code) == (report.run_id, "events", None, "success", 0)
    assert left == (0,)


def test_no_secret_and_nobody_is_named_outside_the_ledger(engine: Engine) -> None:
    ended = engine.run(row(1, user_id="secret-person"), row(2, user_id="secret-person" * 20), b"{secret-line")
    told = engine.said.getvalue() + repr(ended.report) + str(ended.error)
    assert "secret" not in told
    assert engine.workspace.track_api_key not in told


def test_memory_stays_bounded_by_batches(engine: Engine) -> None:
    rows = [row(n, event_properties={"n": n, "text": "x" * 20_000}) for n in range(120)]
    report = engine.report(*rows)
    bodies = [one.body for one in engine.workspace.requests if one.path == BATCH_PATH]
    assert [len(json.dumps(body, separators=(",", ":"))) <= 499_999 for body in bodies] == [True] * len(bodies)
    assert (report.requests, report.delivered, engine.numbers()) == (len(bodies) + 1, 120, list(range(120)))


def test_memory_does_not_grow_with_the_source(engine: Engine) -> None:
    """Sixty million bytes of events with one lane: what a run holds at most is buffers of the unpacker, and batches
    that are still to be sent or to be collected."""
    lines = (json.dumps(row(n, event_properties={"n": n, "text": "x" * 30_000})) + "\n" for n in range(2_000))
    with (
        zipfile.ZipFile(engine.file, "w") as archive, archive.open("1/1_2026-07-14_10#0.json.gz", "w") as member,
        gzip.open(member, "wb", compresslevel=1) as packed,
    ):  # fmt: skip
        packed.writelines(line.encode() for line in lines)
    sink = httpx.MockTransport(lambda request: httpx.Response(200, json={"region": "us", "environment_id": 1}))
    tracemalloc.start()
    try:
        report = engine.report(network=sink, settings=engine.settings(workers=1))
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert report.delivered == 2_000
    assert most < 50_000_000
