"""The folder of a world: in memory where there is room, empty, and gone afterwards."""

from __future__ import annotations

from pathlib import Path

import pytest

from scenarios import scratch


@pytest.mark.parametrize(
    ("room_bytes", "is_there", "in_memory"),
    [
        pytest.param(1, True, True, id="room"),
        pytest.param(2**80, True, False, id="no room"),
        pytest.param(1, False, False, id="no such place"),
    ],
)
def test_a_scratch_folder_is_in_memory_where_it_fits(
    room_bytes: int, is_there: bool, in_memory: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    memory = tmp_path / "memory"
    if is_there:
        memory.mkdir()
    monkeypatch.setattr(scratch, "IN_MEMORY", memory)
    monkeypatch.setattr(scratch, "_ROOM_BYTES", room_bytes)
    with scratch.scratch_folder() as folder:
        assert (folder.parent == memory) is in_memory
        assert list(folder.iterdir()) == []
        (folder / "ledger.db").write_text("kept for a while")
    assert not folder.exists()
