"""Plans that look like an accident: they stop a run before anything is sent. Each names the flag that lets it pass."""

from __future__ import annotations

from sync.core.errors import GuardStop

FEWEST_REMOVALS = 10  # below this, a share says nothing: one of two members is half of them


def guard_empty(in_cohort: int, rows: int, *, allow_empty: bool) -> None:
    """An empty cohort would remove everybody; an export that went wrong looks just like it. `rows` counts those of the
    source, usable or not. Raises GuardStop."""
    if in_cohort == 0 and not allow_empty:
        what = f"none of the {rows} rows of the cohort can be used" if rows else "the cohort is empty"
        look = "look at the column of the identifiers; " if rows else ""
        raise GuardStop(
            f"{what}, so everybody would leave the segment; nothing was sent",
            hint=f"{look}if that is meant, pass --allow-empty",
            code="suspicious_empty",
        )


def guard_removals(removals: int, members: int, *, most_share: float) -> None:
    """Raises GuardStop when more than `most_share` (0..1) of the last confirmed `members` would leave."""
    if removals >= FEWEST_REMOVALS and removals > most_share * members:
        raise GuardStop(
            f"{removals} of {members} members would leave the segment, more than --max-removal-share"
            f" {most_share:g} allows; nothing was sent",
            hint="look at the source; if that is meant, pass a larger --max-removal-share",
            code="suspicious_removals",
        )


def guard_mapping(name: str, before: tuple[str, str], now: tuple[str, str], *, full: bool) -> None:
    """`before` and `now` are (id type, id column). Raises GuardStop when they differ and nobody confirmed it."""
    if before != now and not full:
        raise GuardStop(
            f"the mapping of `{name}` changed: it was column {before[1]} as {before[0]}, now it is column {now[1]} as"
            f" {now[0]}; nothing was sent",
            hint="to remove the old identifiers and send the new ones, pass --full; to keep both, use another --name",
            code="mapping_changed",
        )
