"""What should become true: which cohort, called what in the destination, addressed by which identifier."""

from __future__ import annotations

import hashlib

import msgspec

ID_TYPES = ("id", "email", "cio_id")
MARKER = "cio-sync:"
DESCRIPTION = "Kept equal to an Amplitude cohort by cio-sync; changes by hand will not last."


class CohortIntent(msgspec.Struct, frozen=True):
    """One sync of one cohort to one workspace. `name` is the user's word for it, `id_column` where identifiers are."""

    site_id: str
    name: str
    id_type: str = "id"
    id_column: str = "user_id"
    cohort_id: str = ""

    @property
    def key(self) -> str:
        """What state belongs to: the destination, the name and the kind of identifier; nothing that may be renamed."""
        return sync_key(self.site_id, self.name, self.id_type)

    @property
    def segment_name(self) -> str:
        return f"[Amplitude] {self.name}: {self.cohort_id}" if self.cohort_id else f"[Amplitude] {self.name}"

    @property
    def description(self) -> str:
        return f"{DESCRIPTION} {marker(self.key)}"

    @property
    def other_markers(self) -> tuple[str, ...]:
        """What a segment of ours ends with when it was made for another kind of identifier."""
        others = (sync_key(self.site_id, self.name, other) for other in ID_TYPES if other != self.id_type)
        return tuple(marker(key) for key in others)


def sync_key(site_id: str, name: str, id_type: str) -> str:
    """16 hex digits for (site id, name, id type); stable for ever, since segments carry it."""
    return hashlib.sha256(msgspec.json.encode([site_id, name, id_type])).hexdigest()[:16]


def marker(key: str) -> str:
    return MARKER + key
