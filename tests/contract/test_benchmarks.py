"""What decides about the figures that benchmarks show: turns, ratios, verdicts, the written table; the sink's framing.

No figure is taken here: that is what `python -m tests.benchmarks` is for.
"""

from __future__ import annotations

import io
import json
from functools import partial
from pathlib import Path

import pytest

from scenarios.samples.formats import EXPORT_KEYS
from tests.benchmarks import engine_parts
from tests.benchmarks.e2_diff import CHURN, ids, write
from tests.benchmarks.e4_requests import USED, paced_results
from tests.benchmarks.export import lines
from tests.benchmarks.f6_in_process import compare
from tests.benchmarks.harness import Result, Target, alternate, print_result, render_rows
from tests.benchmarks.limited_sink import RATE, TOO_MANY, Limited, Window
from tests.benchmarks.load import content_length
from tests.benchmarks.peers import BATCH_BYTES, pack
from tests.benchmarks.sink import REGION, TAKEN, Swallow

MORE_IS_BETTER = Target("bare", first=0.5, goal=1.0, at_least=True)
LESS_IS_BETTER = Target("bare", first=2.0, goal=1.2, at_least=False)


def test_sides_take_turns_and_nobody_is_always_second() -> None:
    taken: list[str] = []

    def measure(name: str) -> float:
        taken.append(name)
        return 1.0

    samples = alternate({name: partial(measure, name) for name in ("ours", "bare")}, rounds=3)
    assert taken == ["ours", "bare", "bare", "ours", "ours", "bare"]
    assert samples == {"ours": [1.0] * 3, "bare": [1.0] * 3}


@pytest.mark.parametrize(
    ("target", "ratio", "verdict"),
    [
        pytest.param(MORE_IS_BETTER, 1.0, "goal", id="at the goal"),
        pytest.param(MORE_IS_BETTER, 0.5, "first", id="at the first bound"),
        pytest.param(MORE_IS_BETTER, 0.49, "missed", id="too slow"),
        pytest.param(LESS_IS_BETTER, 1.2, "goal", id="as few seconds as hoped for"),
        pytest.param(LESS_IS_BETTER, 2.0, "first", id="as few as needed"),
        pytest.param(LESS_IS_BETTER, 2.01, "missed", id="too many seconds"),
    ],
)
def test_a_ratio_is_judged(target: Target, ratio: float, verdict: str) -> None:
    assert target.verdict(ratio) == verdict


SAMPLES = {"ours": [1.0, 3.0, 2.0], "bare": [2.0, 2.0, 2.0]}
RESULT = Result("F0", "a thing", "s", SAMPLES, "ours", [LESS_IS_BETTER], "a note")


def test_ratios_are_taken_round_by_round() -> None:
    assert RESULT.ratios(LESS_IS_BETTER) == [0.5, 1.5, 1.0]


def test_a_result_becomes_a_row() -> None:
    assert render_rows(RESULT) == [
        "| F0 | a thing | 2 (1 to 3) s | bare: 2 (2 to 2) s | **1 (0.5 to 1.5)x** | ≤ 2x | ≤ 1.2x | goal |"
    ]


def test_a_result_is_printed_with_its_note() -> None:
    out = io.StringIO()
    print_result(RESULT, out)
    assert out.getvalue().splitlines()[-2:] == [
        "  against bare                       1 (0.5 to 1.5)x; at most 2x first, 1.2x as the goal: goal",
        "  a note",
    ]


def test_in_process_requests_are_compared_with_the_same_nothing() -> None:
    taken: list[str] = []

    def take(way: str) -> float:
        taken.append(way)
        return {"transport": 100.0, "app": 120.0, "nothing": 80.0, "fixture": 20.0}[way]

    transport, app, fixture = compare(take, rounds=2)
    assert taken == ["transport", "app", "nothing", "nothing", "app", "transport", "fixture", "fixture"]
    assert [result.ratios(result.targets[0]) for result in (transport, app, fixture)] == [
        [1.25] * 2, [1.5] * 2, [0.004] * 2,
    ]  # fmt: skip
    assert {result.id for result in (transport, app, fixture)} == {"F6"}


class Wire:
    """Stands where a transport stands, and keeps what is written."""

    def __init__(self) -> None:
        self.written = b""

    def write(self, data: bytes) -> None:
        """As a transport's."""
        self.written += data


REQUESTS = b"".join([
    b"POST /a HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello",
    b"GET /b HTTP/1.1\r\nHost: x\r\n\r\n",
    b"PUT /c HTTP/1.1\r\ncontent-length: 1\r\n\r\n!",
])


@pytest.mark.parametrize("piece", [1, 2, 7, 44, len(REQUESTS)])
def test_the_sink_answers_every_request_however_its_bytes_come(piece: int) -> None:
    wire, sink = Wire(), Swallow()
    sink.connection_made(wire)  # type: ignore[arg-type]  # only `write` is used
    for start in range(0, len(REQUESTS), piece):
        sink.data_received(REQUESTS[start : start + piece])
    assert wire.written == TAKEN + REGION + TAKEN


def test_the_load_reads_the_length_of_an_answer() -> None:
    assert content_length(b"HTTP/1.1 200 OK\r\nContent-Length: 12\r\nx: y") == 12


def test_peers_pack_within_the_budget_and_lose_nothing() -> None:
    items = [b'"%s"' % (b"x" * 30_000)] * 40
    bodies = list(pack(items))
    assert max(map(len, bodies)) <= BATCH_BYTES
    assert [item for body in bodies for item in json.loads(body)["batch"]] == ["x" * 30_000] * 40


def test_the_export_has_rows_of_the_real_shape_each_different() -> None:
    rows = [json.loads(line) for line in lines(100, hour=3)]
    assert {tuple(row) for row in rows} == {EXPORT_KEYS}
    assert len({row["$insert_id"] for row in rows}) == 100
    assert all(row["event_time"].startswith("2026-05-01 03:") for row in rows)


def test_a_measurement_replaces_the_table_and_leaves_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.benchmarks import __main__ as command  # imports the servers' peers: only this test needs them

    page = tmp_path / "README.md"
    page.write_text(f"# B\n\n{command.START}old\n{command.END}\nend\n", encoding="utf-8")
    monkeypatch.setattr(command, "README", page)
    command.write_report(command.report([RESULT], "python -m tests.benchmarks F0"))
    text = page.read_text(encoding="utf-8")
    assert text.startswith(f"# B\n\n{command.START}Taken on ")
    assert text.endswith(f"- F0: a note\n{command.END}\nend\n")
    assert "old" not in text


# -- the engine's parts -----------------------------------------------------------------------------------------------
def test_a_cohort_churns_as_much_as_is_said() -> None:
    before, after = set(ids(1_000, new=False)), set(ids(1_000, new=True))
    assert (len(before), len(after), len(before - after), len(after - before)) == (1_000, 1_000, 10, 10)
    assert CHURN == 100


@pytest.mark.parametrize("way", ["python", "duckdb"])
def test_the_diff_that_is_timed_finds_the_churn(tmp_path: Path, way: str) -> None:
    before, after = write(tmp_path, 1_000)
    assert engine_parts.diff(str(before), str(after), way)["changes"] == 20


def test_a_limit_is_enforced_in_every_second() -> None:
    window = Window(2)
    assert [window.takes(at) for at in (0.0, 0.5, 0.9, 1.0, 1.4, 1.5, 3.0)] == [
        True, True, False, True, False, True, True
    ]  # fmt: skip


def test_what_is_beyond_the_limit_is_answered_429() -> None:
    answers = [Limited().taken() for _ in range(RATE + 1)]
    assert answers == [TAKEN] * RATE + [TOO_MANY]


def test_the_pace_is_judged_by_refusals_and_by_use() -> None:
    refused, used = paced_results(10 * RATE + RATE, [{"throttled": 1, "seconds": 10.0, "accepted": 0}])
    assert refused.ratios(refused.targets[0]) == [pytest.approx(1 / (11 * RATE) * 10_000 / 20)]
    assert used.samples[USED] == [RATE]
    assert used.targets[0].verdict(1.0) == "goal"
