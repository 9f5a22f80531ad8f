"""What an events run says beside its report: properties it left out, events too old to start a campaign, and names of
events that no longer come. Counts and names of events only, never people.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sync.edge.ledger import Ledger
from sync.event_letters import MOST_ROWS
from sync.event_reading import EventReading

LATE_S = 72 * 3600  # Source: docs.customer.io > Track API > events > timestamp: older ones trigger no campaign
_MOST_NAMES, _MOST_LETTERS = 20, 60
_WORDS = {"groups": "groups and group properties", "user_properties": "user properties"}


def losses(reading: EventReading, unclear: int) -> Iterator[str]:
    """Lines that matter even when nobody watches, for no count of the report tells them; `unclear` counts the answers
    that did not say which event they were about."""
    if unclear:
        yield f"{unclear} answers of Customer.io named no event of their batch: it was sent again in halves, to be sure"
    for reason, count in sorted(reading.discarded.items()):
        if count > MOST_ROWS:
            yield f"{count} rows were discarded as {reason}: `cio-sync failed` lists the first {MOST_ROWS} of them"
    for part, count in sorted(reading.shed.items()):
        yield f"{count} events were too large; their {_WORDS[part]} were left out so that they fit"


def notes(reading: EventReading) -> Iterator[str]:
    """Lines for somebody who watches."""
    if reading.late:
        yield f"{reading.late} events happened more than 72 hours ago: they are recorded, but start no campaign"


def update_notes(reading: EventReading, delivered: int) -> Iterator[str]:
    """Lines about updates of people, for somebody who watches."""
    if reading.updates is None:
        return
    yield f"{delivered} updates of people's attributes were delivered"
    if reading.updates.waiting:
        yield (
            f"{reading.updates.waiting} user updates hold operations such as $add, whose outcome only Amplitude knows:"
            " the next event of the person tells it"
        )


def update_losses(reading: EventReading, beside: Mapping[str, int]) -> Iterator[str]:
    """Lines about updates that are not at Customer.io; `beside` counts those that went with an event, by their fate.
    Names of properties only."""
    for fate, count in sorted(beside.items()):
        if count:
            yield f"{count} updates that went with an event are {fate}; the report counts the event by its own fate"
    if reading.updates is None:
        return
    left_out = sorted(reading.updates.left_out.items())
    for (name, why), count in left_out[:_MOST_NAMES]:
        yield f"user property {_short(name)} was left out {count} times: {why}"
    if len(left_out) > _MOST_NAMES:
        yield f"{len(left_out) - _MOST_NAMES} more user properties were left out"


def _short(name: str) -> str:
    return repr(name if len(name) <= _MOST_LETTERS else f"{name[:_MOST_LETTERS]}…")


def silent_names(ledger: Ledger, site_id: str, wanted: frozenset[str], seen: frozenset[str]) -> Iterator[str]:
    """A line for each event that was asked for by name and did not come, with the number of runs without it; what came
    is counted anew. Call it for runs that read something."""
    with ledger.atomic() as connection:
        for name in sorted(wanted):
            connection.execute(
                "INSERT INTO event_names (site_id, name, silent_runs) VALUES (?1, ?2, ?3)"
                " ON CONFLICT (site_id, name) DO UPDATE SET silent_runs = ?3 * (silent_runs + 1)",
                (site_id, name, int(name not in seen)),
            )
        rows = connection.execute(
            "SELECT name, silent_runs FROM event_names WHERE site_id = ? AND silent_runs > 0 ORDER BY name", (site_id,)
        ).fetchall()
    for name, runs in rows:
        if name in wanted:
            times = "this run" if runs == 1 else f"the last {runs} runs"
            yield f"no event called {name!r} came in {times}; was it renamed at Amplitude?"
