"""Events pulled through the Export API: hours, cursors, stragglers, ranges too large, archives that are damaged."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from conftest import HandTurnedClock
from fakeio import Fake
from scenarios.amplitude import FakeAmplitude, Trouble
from scenarios.amplitude_server import AmplitudeServer
from sync import export_source
from sync.amplitude_pull import Project
from sync.core.conditions import parse_condition
from sync.core.errors import SourceError
from sync.core.mapping import Rules
from sync.core.report import Ended, EventsReport
from sync.core.sending import RetryPolicy
from sync.edge.amplitude_ledger import AmplitudeLedger
from sync.edge.amplitude_settings import AmplitudeSettings
from sync.edge.console import Console
from sync.edge.files import pieces_of_archive
from sync.edge.ledger import Ledger
from sync.export_source import EXPORT
from sync.run_events import EventsOptions, run_events
from tests.integration.amplitude_project import EngineClock
from tests.integration.event_engine import BATCH_PATH, HASTE, Engine, row
from tests.integration.ledgers import opened

NOON = 1_777_636_800  # where the hand-turned clock starts, 2026-05-01
HOUR = NOON // 3600


class Export:
    """A project with events, and an engine that reads its export."""

    def __init__(self, fake: FakeAmplitude, url: str, engine: Engine, clock: HandTurnedClock) -> None:
        self.fake = fake
        self.engine = engine
        self.clock = clock
        self.settings = AmplitudeSettings(api_key=fake.api_key, secret_key=fake.secret_key, url=url)

    def upload(self, number: int, hours_ago: int) -> None:
        """An event that was uploaded in the hour so long ago, and happened then."""
        hour = f"2026-05-01 {12 - hours_ago:02}" if hours_ago <= 12 else f"2026-04-30 {36 - hours_ago:02}"
        times = {"event_time": f"{hour}:10:00.000000", "server_upload_time": f"{hour}:11:00.000000"}
        self.fake.events.append(row(number, **times))

    def run(self, *, policy: RetryPolicy = HASTE, dry_run: bool = False, **rules: Any) -> Ended:
        options = EventsOptions(source=EXPORT, rules=Rules(**rules), dry_run=dry_run)
        patience = RetryPolicy(retries=2, base_s=1, cap_s=2, budget_s=20)
        project = Project(settings=self.settings, policy=patience, clock=EngineClock(self.clock))
        path = self.engine.path
        console = Console(stream=self.engine.said)
        with opened(path, dry_run=dry_run) as ledger:
            return run_events(options, self.engine.settings(), ledger, console, policy=policy, project=project)

    def report(self, **flags: Any) -> EventsReport:
        ended = self.run(**flags)
        assert isinstance(ended.report, EventsReport)
        assert ended.error is None, ended.error
        return ended.report

    def cursor(self) -> int | None:
        with Ledger.open(self.engine.path) as ledger:
            return AmplitudeLedger(ledger, self.settings.project).next_hour(self.engine.workspace.site_id)

    def numbers(self) -> list[int]:
        return sorted(event.data["n"] for event in self.engine.workspace.events())

    def ranges(self) -> list[str]:
        return [one.query for one in self.fake.asked if one.path == "/api/2/export"]


@pytest.fixture
def export(fake: Fake, amplitude: AmplitudeServer, tmp_path: Path, clock: HandTurnedClock) -> Iterator[Export]:
    workspace = fake.new_workspace()
    project = FakeAmplitude(now=clock)
    amplitude.play(project)
    yield Export(project, amplitude.url, Engine(fake, workspace, tmp_path), clock)
    workspace.raise_first_error()


def test_a_404_of_somebody_else_is_not_taken_for_hours_without_events(export: Export) -> None:
    export.upload(1, 3)
    export.fake.troubles.append(Trouble("/api/2/export", 404, b"<html>nothing here</html>"))
    ended = export.run()
    assert ended.error is not None
    assert (ended.exit_code, ended.error.reason) == (3, "export_unknown")
    assert (export.cursor(), export.report().delivered) == (None, 1)


@pytest.mark.parametrize("body", [b"", b'{"error":"busy"}', b"<html>"], ids=["nothing", "an object", "a page"])
def test_what_is_no_archive_is_not_taken_for_hours_without_events(export: Export, body: bytes) -> None:
    export.upload(1, 3)
    export.fake.troubles.append(Trouble("/api/2/export", 200, body, times=99))
    ended = export.run()
    assert ended.error is not None
    assert (ended.exit_code, ended.error.reason) == (3, "export_damaged")
    export.fake.troubles.clear()
    assert (export.cursor(), export.report().delivered) == (None, 1)


def test_while_it_is_read_an_export_has_no_name_on_the_disk(
    export: Export, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A kill would leave a file with a name behind, full of people."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    read, seen = pieces_of_archive, list[list[Path]]()

    def watched(*arguments: Any) -> Iterator[Any]:
        for piece in read(*arguments):
            seen.append(list(folder.rglob("*")))
            yield piece

    monkeypatch.setattr(export_source, "pieces_of_archive", watched)
    export.upload(1, 3)
    assert (export.report().delivered, seen) == (1, [[]])


# -- hours and the cursor ---------------------------------------------------------------------------------------------
def test_a_first_run_reads_a_day_of_available_hours(export: Export) -> None:
    for number, hours_ago in enumerate((2, 3, 20, 26, 27)):
        export.upload(number, hours_ago)
    report = export.report()
    assert (report.status, report.received, report.delivered) == ("success", 3, 3)
    assert export.numbers() == [1, 2, 3]  # number 0 is not available yet, number 4 older than a day
    assert export.cursor() == HOUR - 2
    assert export.ranges() == ["start=20260430T10&end=20260430T21", "start=20260430T22&end=20260501T09"]


def test_the_next_run_reads_the_new_hour_and_two_again_without_repeating(export: Export) -> None:
    export.upload(1, 3)
    export.upload(2, 2)
    export.report()
    export.clock.advance(3600)
    export.upload(3, 4)  # a straggler: uploaded in an hour that was read already
    report = export.report()
    assert (report.delivered, report.duplicates) == (2, 1)
    assert export.numbers() == [1, 2, 3]
    assert export.ranges()[-1] == "start=20260501T08&end=20260501T10"
    assert export.cursor() == HOUR - 1


def test_a_row_without_anybody_that_is_read_again_has_one_letter(export: Export) -> None:
    export.upload(1, 3)
    export.fake.events[-1] = {**export.fake.events[-1], "user_id": None}
    for _ in range(2):
        assert export.run().exit_code == 1
        with Ledger.open(export.engine.path) as ledger:
            (letter,) = ledger.dead_letters(only_open=True)
        assert (letter.reason, json.loads(bytes(letter.item))["file"]) == (
            "missing_identifier", "amplitude:export!123456/123456_2026-05-01_9#0.json.gz",
        )  # fmt: skip
        export.clock.advance(3600)


def test_what_one_choice_of_events_left_out_another_still_sends(export: Export) -> None:
    export.upload(1, 3)
    export.fake.events.append({**export.fake.events[0], "event_type": "refund", "$insert_id": "r"})
    sent = [export.report(events=frozenset({name})) for name in ("order", "refund", "order")]
    assert [(one.received, one.delivered, one.filtered) for one in sent] == [(2, 1, 1), (2, 1, 1), (0, 0, 0)]


@pytest.mark.parametrize(
    "rules",
    [
        pytest.param({"events": frozenset({"refund"})}, id="by name"),
        pytest.param({"exclude": frozenset({"order"})}, id="by exclusion"),
        pytest.param({"where": (parse_condition("n is 2"),)}, id="by a condition"),
    ],
)
def test_a_new_choice_goes_on_from_where_everything_was_sent(export: Export, rules: dict[str, Any]) -> None:
    export.report()
    export.clock.advance(3600)
    export.report(**rules)
    assert export.ranges()[-1] == "start=20260501T08&end=20260501T10"
    assert export.cursor() == HOUR - 2  # that of everything stays where it was


def test_nothing_is_asked_before_an_hour_has_become_available(export: Export) -> None:
    export.report()
    export.fake.asked.clear()
    report = export.report()
    assert (report.received, report.status, export.ranges()) == (0, "success", [])


def test_hours_without_events_are_empty_and_passed(export: Export) -> None:
    assert export.report().received == 0
    assert export.cursor() == HOUR - 2


def test_a_back_fill_leaves_the_cursor_alone(export: Export) -> None:
    export.upload(1, 3)
    export.report()
    export.upload(2, 30)
    report = export.report(since=NOON - 31 * 3600, until=NOON - 29 * 3600)
    assert (report.delivered, export.numbers(), export.cursor()) == (1, [1, 2], HOUR - 2)


def test_a_back_fill_of_years_finds_what_is_there_in_few_requests(export: Export) -> None:
    times = {"event_time": "2023-02-03 10:10:00.000000", "server_upload_time": "2023-02-03 10:11:00.000000"}
    export.fake.events.append(row(1, **times))
    export.upload(2, 3)
    report = export.report(since=NOON - 5 * 365 * 86_400)
    assert (report.received, report.delivered, export.numbers()) == (2, 2, [1, 2])
    assert len(export.ranges()) < 100


def test_a_back_fill_without_a_start_reads_the_day_before_its_end(export: Export) -> None:
    export.upload(1, 30)
    export.upload(2, 10)
    report = export.report(until=NOON - 12 * 3600)
    assert (report.delivered, export.numbers()) == (1, [1])
    assert "of that time" not in export.engine.said.getvalue()
    export.report(since=NOON + 3600)
    assert "no hour of that time has become available" in export.engine.said.getvalue()


def test_a_dry_run_reads_and_writes_nothing(export: Export) -> None:
    export.upload(1, 3)
    report = export.report(dry_run=True)
    assert (report.mode, report.delivered, export.engine.path.exists()) == ("dry_run", 1, False)
    assert export.numbers() == []
    Ledger.open(export.engine.path).close()
    assert (export.report(dry_run=True).delivered, export.cursor()) == (1, None)


@pytest.mark.parametrize("count", [pytest.param(1, id="expired"), pytest.param(120, id="expired, and never sent")])
def test_events_in_doubt_keep_the_cursor_back(export: Export, count: int) -> None:
    for number in range(count):
        export.upload(number, 20)
        export.fake.events[-1] = {**export.fake.events[-1], "event_properties": {"n": number, "text": "x" * 30_000}}
    outage = export.engine.workspace.fault("status", match={"path": BATCH_PATH}, status=503)
    first = export.run(policy=RetryPolicy(retries=0)).report
    assert isinstance(first, EventsReport)
    assert (first.delivered, first.expired + first.pending) == (0, count)
    assert (first.expired > 0, first.pending > 0) == (True, count > 1)
    outage.remove()
    export.clock.advance(30 * 3600)  # so that only who was kept back looks so far back
    assert export.report().delivered == count
    assert export.cursor() == HOUR + 28


# -- what goes wrong --------------------------------------------------------------------------------------------------
def test_a_range_that_is_too_large_is_halved(export: Export) -> None:
    for number, hours_ago in enumerate((3, 9, 15, 21)):
        export.upload(number, hours_ago)
    export.fake.troubles.append(Trouble("/api/2/export", status=400, times=3))
    assert export.report().delivered == 4
    assert export.ranges()[:4] == [
        "start=20260430T10&end=20260430T21",
        "start=20260430T10&end=20260430T15",
        "start=20260430T10&end=20260430T12",
        "start=20260430T10&end=20260430T11",
    ]


@pytest.mark.parametrize("status", [400, 504])
def test_a_range_that_is_too_large_is_not_asked_for_again(export: Export, status: int) -> None:
    """A gateway that gives up (504) would do so each time, and every time after minutes."""
    export.upload(1, 3)
    export.fake.troubles.append(Trouble("/api/2/export", status=status, times=4))
    assert export.report().delivered == 1
    assert export.ranges() == [
        "start=20260430T10&end=20260430T21",
        "start=20260430T10&end=20260430T15",
        "start=20260430T10&end=20260430T12",
        "start=20260430T10&end=20260430T11",
        "start=20260430T10&end=20260430T10",
        "start=20260430T11&end=20260430T11",
        "start=20260430T12&end=20260430T12",
        "start=20260430T13&end=20260430T15",
        "start=20260430T16&end=20260430T21",
        "start=20260430T22&end=20260501T09",
    ]
    assert export.clock.slept == []


@pytest.mark.parametrize("status", [400, 504])
def test_a_single_hour_is_tried_again_only_where_that_may_help(export: Export, status: int) -> None:
    export.upload(1, 3)
    export.report()
    export.clock.advance(3_600)
    asked = len(export.ranges())
    export.fake.troubles.append(Trouble("/api/2/export", status=status, times=3))
    again = export.run()
    first = ["start=20260501T08&end=20260501T10", "start=20260501T08&end=20260501T09"]
    hour = "start=20260501T08&end=20260501T08"
    if status == 504:
        assert (again.error, export.ranges()[asked : asked + 4]) == (None, [*first, hour, hour])
    else:
        assert isinstance(again.error, SourceError)
        assert (again.error.reason, export.ranges()[asked:]) == ("export_too_large", [*first, hour])


def test_a_day_whose_every_hour_is_just_small_enough_is_read_hour_by_hour(export: Export) -> None:
    hours = range(3, 27)
    for number, hours_ago in enumerate(hours):
        export.upload(number, hours_ago)
    export.fake.most_export_bytes = _bytes_of_an_hour(export) * 3 // 2
    assert export.report().delivered == len(hours)
    assert export.numbers() == list(range(len(hours)))
    alone = [one for one in export.ranges() if len({part.partition("=")[2] for part in one.split("&")}) == 1]
    assert (len(set(alone)), export.cursor()) == (len(hours), HOUR - 2)


def _bytes_of_an_hour(export: Export) -> int:
    """Of the answer for one of them; none is half as large again, and two together are."""
    of_hour = {"start": "20260501T09", "end": "20260501T09"}
    auth = (export.settings.api_key, export.settings.secret_key)
    return len(httpx.get(f"{export.settings.url}/api/2/export", params=of_hour, auth=auth).content)


def test_an_hour_that_is_too_large_ends_the_run_where_it_was(export: Export) -> None:
    export.upload(1, 20)
    export.upload(2, 3)
    export.report()
    export.clock.advance(7200)
    export.upload(3, 2)
    export.upload(4, 1)
    export.fake.most_export_bytes = 0
    ended = export.run()
    assert isinstance(ended.error, SourceError)
    assert (ended.exit_code, ended.error.reason) == (3, "export_too_large")
    assert export.cursor() == HOUR - 2
    export.fake.most_export_bytes = 2**30
    assert export.report().delivered == 2
    assert export.numbers() == [1, 2, 3, 4]


def test_a_damaged_archive_is_downloaded_again(export: Export) -> None:
    export.upload(1, 3)
    export.fake.troubles.append(Trouble("/api/2/export", status=200, body=b"PK\x03\x04 damaged", times=1))
    assert export.report().delivered == 1


def test_a_corrupt_hour_is_not_passed_and_the_hours_before_it_are_delivered(export: Export) -> None:
    export.upload(1, 9)
    export.report()
    export.clock.advance(4 * 3600)
    export.upload(2, 2)
    export.upload(3, 1)
    export.fake.damaged_hours.add(HOUR - 1)
    ended = export.run()
    assert isinstance(ended.error, SourceError)
    assert ended.error.reason == "export_damaged"
    assert "hour 20260501T11 is damaged" in ended.error.message
    assert "1 events before that were delivered and are remembered" in ended.error.message
    assert export.numbers() == [1, 2]
    assert export.cursor() == HOUR - 1
    export.fake.damaged_hours.clear()
    assert export.report().delivered == 1
    assert export.numbers() == [1, 2, 3]


def test_a_wrong_key_sends_nothing(export: Export) -> None:
    export.fake.secret_key = "c" * 32
    ended = export.run()
    assert isinstance(ended.error, SourceError)
    assert (ended.exit_code, ended.error.reason) == (3, "amplitude_credentials")
    assert export.engine.workspace.requests[-1].path == "/api/v1/accounts/region"


def test_trouble_that_stays_ends_the_run_where_it_was(export: Export) -> None:
    export.fake.troubles.append(Trouble("/api/2/export", status=503, times=99))
    ended = export.run()
    assert isinstance(ended.error, SourceError)
    assert ended.error.reason == "amplitude_unreachable"
    assert ended.error.message.count("nothing was sent") == 1
    assert export.cursor() is None
