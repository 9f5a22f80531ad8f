"""What the page of the scenarios tells people to type is typed here, word for word."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.contract import readme
from tests.contract.readme import Block, blocks
from tests.contract.source_tree import CHECKOUT
from tests.contract.test_docs import run

QA = "A page for QA: a customer's edge case in five minutes"
PAGE = blocks((CHECKOUT / "scenarios" / "README.md").read_text(encoding="utf-8"))
COMMANDS = [block for block in PAGE if block.kind == "bash" and block.heading == QA]


def test_a_customers_case_is_reproduced_as_the_page_says(tmp_path: Path) -> None:
    describe, reproduce, engine = (_typed(block, tmp_path) for block in COMMANDS)
    assert "join-of-an-unknown-person" in describe
    first, second = reproduce.split("a private fake: ", 1)[1].split("DIFFERS  join-in-capitals", 1)
    assert first.startswith("1 ok, 0 differ, 0 skipped")
    assert "members of vip: expected {'$any_order': ['ada', 'ADA']}, got ['ada']" in second
    assert reproduce.endswith("not what Customer.io does\n")
    assert engine.count("3 ok, 0 differ, 0 skipped") == 1
    assert engine.endswith("1 ok, 0 differ, 0 skipped\n")


def _typed(block: Block, folder: Path) -> str:
    ended = run(["bash", "-euo", "pipefail", "-c", block.text], folder)
    assert (ended.returncode, ended.stderr) == (0, "")
    return ended.stdout


def test_a_kept_report_is_shown_on_the_page_of_the_fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readme, "LIVE_REPORT", tmp_path / "live-report.json")
    assert readme.live_page().startswith("None is kept yet")
    kept = (
        '{"date": "2026-08-17T10:00:00+00:00", "region": "us", "totals": {"ok": 1, "differs": 0, "skipped": 0},'
        ' "rules": [{"rule": "batch_empty", "grade": "assumed", "confirmed": ["empty-batch"], "contradicted": []}]}'
    )
    (tmp_path / "live-report.json").write_text(kept, encoding="utf-8")
    assert "| `batch_empty` | assumed | empty-batch |  |" in readme.live_page()
    assert readme.live_page().startswith("Asked on 2026-08-17")
