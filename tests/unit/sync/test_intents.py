"""The names by which a sync, its segment and its marker are known; they must never change."""

from __future__ import annotations

from sync.core.facts import SnapshotFacts
from sync.core.intents import CohortIntent, marker, sync_key

INTENT = CohortIntent("site", "vip", "id", "user_id", "abc")


def test_the_key_is_the_same_for_ever() -> None:
    # segments at the destination carry it: a change here would disown them all
    assert sync_key("f0000000000000000001", "vip", "id") == "563ce46f52aade0b"


def test_the_key_changes_with_destination_name_and_id_type_alone() -> None:
    others = [CohortIntent("b", "vip"), CohortIntent("site", "b"), CohortIntent("site", "vip", "email")]
    assert len({INTENT.key, *(other.key for other in others)}) == 4
    assert CohortIntent("site", "vip", "id", "other", "renamed").key == INTENT.key


def test_neighbouring_texts_do_not_run_together() -> None:
    assert sync_key("ab", "c", "id") != sync_key("a", "bc", "id")


def test_the_segment_is_named_after_the_cohort() -> None:
    assert INTENT.segment_name == "[Amplitude] vip: abc"
    assert CohortIntent("site", "vip").segment_name == "[Amplitude] vip"


def test_the_description_ends_with_the_marker() -> None:
    assert INTENT.description.endswith(f" cio-sync:{INTENT.key}")
    assert INTENT.other_markers == (marker(sync_key("site", "vip", "email")), marker(sync_key("site", "vip", "cio_id")))


def test_rows_are_those_kept_and_those_skipped() -> None:
    assert SnapshotFacts(7, {"id_too_long": 2, "unresolved_mapping": 1}).source_rows == 10
