"""Files that a `sync.toml` names, and the file that it is itself."""

from __future__ import annotations

import pytest

from sync.edge.config_file import read_configuration
from tests.integration.scheduled_syncs import Scheduled


def test_a_byte_order_mark_is_no_part_of_the_configuration(scheduled: Scheduled) -> None:
    plain = read_configuration(scheduled.path)
    scheduled.path.write_bytes(b"\xef\xbb\xbf" + scheduled.path.read_bytes())
    assert read_configuration(scheduled.path) == plain


@pytest.mark.parametrize("files", ["export.json", "~/export.json", "{folder}/exp*.json"])
def test_files_are_named_from_the_configuration_from_home_or_in_full(
    scheduled: Scheduled, monkeypatch: pytest.MonkeyPatch, files: str
) -> None:
    home = scheduled.path.parent
    monkeypatch.setenv("HOME", str(home))
    text = scheduled.path.read_text().replace('files = "export.json"', f'files = "{files.format(folder=home)}"')
    scheduled.path.write_text(text)
    (ended,) = scheduled.runner("orders").run_all()
    assert (ended.exit_code, len(scheduled.engine.workspace.events())) == (0, 1)
