"""Anonymous events: they wait for an identify that carries their anonymous id, for 30 days, once.

Source: Anonymous events guide. An anonymous id is one-shot: the first person to claim it keeps it, and events that
arrive within five minutes after still attach.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

from fakeio.core.activities import Event
from fakeio.core.limits import ANONYMOUS_GRACE, ANONYMOUS_RETENTION


@dataclass(frozen=True, slots=True)
class Claim:
    """Who took an anonymous id, and when."""

    person: str
    at: float


class Anonymous:
    """Waiting events by anonymous id, and the claims made on them."""

    def __init__(self) -> None:
        self._waiting: dict[str, dict[int, Event]] = {}  # by anonymous id, then by number
        self._oldest_first: deque[Event] = deque()
        self.claims: dict[str, Claim] = {}

    def fork(self) -> Anonymous:
        """The same events waiting in another workspace."""
        other = Anonymous()
        other._waiting = {anonymous_id: events.copy() for anonymous_id, events in self._waiting.items()}
        other._oldest_first, other.claims = self._oldest_first.copy(), self.claims.copy()
        return other

    def wait(self, event: Event) -> None:
        """Keep an event until somebody claims it or its time is up."""
        self._waiting.setdefault(event.anonymous_id or "", {})[event.number] = event
        self._oldest_first.append(event)

    def late_owner(self, anonymous_id: str, now: float) -> str | None:
        """The cio_id that claimed this id at most five minutes ago."""
        claim = self.claims.get(anonymous_id)
        return claim.person if claim is not None and now - claim.at <= ANONYMOUS_GRACE.strict else None

    def claim(self, anonymous_id: str, person: str, now: float, *, again: bool = False) -> list[Event] | None:
        """Waiting events of that id, oldest first, now the person's; None when somebody else has used the id.

        `again`: who has used it before gets what came since.
        """
        held = self.claims.get(anonymous_id)
        if held is not None and held.person != person:
            return None
        self.claims.setdefault(anonymous_id, Claim(person, now))
        if held is not None and not again:
            return []
        waiting = self._waiting.pop(anonymous_id, {})
        return [event for event in waiting.values() if now - event.at <= ANONYMOUS_RETENTION.strict]

    def waiting(self) -> list[Event]:
        """Everything that waits, oldest first."""
        return [event for event in self._oldest_first if self._waits(event)]

    def _waits(self, event: Event) -> bool:
        return event.number in self._waiting.get(event.anonymous_id or "", ())

    def next_due(self) -> float:
        """When the oldest event has waited as long as it may; never, when none waits."""
        return self._oldest_first[0].at + ANONYMOUS_RETENTION.strict if self._oldest_first else math.inf

    def expire(self, now: float) -> list[Event]:
        """Events that waited too long; they wait no more."""
        gone: list[Event] = []
        while self._oldest_first:
            event, key = self._oldest_first[0], self._oldest_first[0].anonymous_id or ""
            waits = self._waits(event)
            if waits and now - event.at <= ANONYMOUS_RETENTION.strict:
                break
            self._oldest_first.popleft()
            if waits:
                gone.append(self._waiting[key].pop(event.number))
                if not self._waiting[key]:
                    del self._waiting[key]
        return gone
