"""From the pieces of a source to batches: parse, map, pack, and count what was read, left out or thrown away."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypedDict

from sync.core.batches import Batch, KnownEvents, Packer
from sync.core.conversions import Conversions
from sync.core.errors import SourceError
from sync.core.mapping import Discard, Rules
from sync.core.mapping import Mapping as RowMapping
from sync.core.person_updates import Memory, PersonUpdates
from sync.core.properties import Properties, Select
from sync.core.rows import parse_rows
from sync.core.times import encode_moment
from sync.edge.files import Piece

Bury = Callable[[Discard, str, int], None]  # told of every row that can't be sent, its file and its number there


class _Values(TypedDict):
    """How values are written, of events as of attributes."""

    parity: bool
    conversions: Conversions


class EventReading:
    """Reads one source by one set of rules; holds a piece and a batch, however large the source is."""

    def __init__(
        self, rules: Rules, known: KnownEvents, people: Memory, bury: Bury, *, lanes: int = 1,
        late_before_s: float = -math.inf,
    ) -> None:  # fmt: skip
        """`people` remembers what was sent about people. Events of before `late_before_s`, Unix seconds, are counted as
        `late`."""
        self.late = 0
        self._late_before_ms = late_before_s * 1000
        self.received = 0
        self.discarded: Counter[str] = Counter()
        self.files: set[str] = set()  # names of those that were begun
        self._mapping = RowMapping(rules)
        wanted = rules.user_properties
        values: _Values = {"parity": rules.parity, "conversions": rules.conversions}
        self.updates = None if wanted is Select.NONE else PersonUpdates(wanted, people, **values)
        properties = Properties(rules.properties, keep_nulls=rules.keep_nulls, **values)
        self._packer = Packer(properties, known, lanes, self.updates)
        self._left_out = 0
        self._bury = bury
        self._first_ms: int | None = None
        self._last_ms: int | None = None

    @property
    def filtered(self) -> int:
        """Rows that the rules leave out."""
        return self._left_out + self._packer.unmoved

    @property
    def duplicates(self) -> int:
        """Events that were delivered before, or stand in the source more than once; and user updates that say nothing
        new."""
        return self._packer.duplicates

    @property
    def shed(self) -> Mapping[str, int]:
        """Events that were too large and lost a part of their properties, by the part."""
        return self._packer.shed

    @property
    def came(self) -> frozenset[str]:
        """Of the events that were asked for by name, those that came."""
        return frozenset(self._mapping.came)

    @property
    def oldest_at(self) -> str | None:
        """The time of the oldest event that can be sent, duplicates included; ISO 8601."""
        return None if self._first_ms is None else encode_moment(self._first_ms // 1000)

    @property
    def newest_at(self) -> str | None:
        """The time of the newest."""
        return None if self._last_ms is None else encode_moment(self._last_ms // 1000)

    def batches(self, pieces: Iterable[Piece]) -> Iterator[Batch]:
        """Every batch of the source, in order. Each row is in exactly one batch or in exactly one of the counts.

        Where the source breaks off with a SourceError, what was read before comes out first.
        """
        try:
            yield from self._packed(pieces)
        except SourceError:
            yield from self._packer.flush()
            raise
        yield from self._packer.flush()

    def _packed(self, pieces: Iterable[Piece]) -> Iterator[Batch]:
        name, number = "", 1
        for piece in pieces:
            if piece.name != name:
                name, number = piece.name, 1
                self.files.add(name)
            rows = parse_rows(piece.data)
            self.received += len(rows)
            mapped = self._mapping.map_rows(rows, piece.data)
            self._left_out += mapped.filtered
            self._remember([intent.ms for intent in mapped.intents])
            yield from self._packer.pack(mapped.intents, mapped.discards)
            for discard in mapped.discards:
                self.discarded[discard.reason] += 1
                self._bury(discard, name, number + discard.position)
            number += len(rows)

    def _remember(self, ms: list[int]) -> None:
        if ms:
            self._first_ms = min(ms) if self._first_ms is None else min(self._first_ms, min(ms))
            self._last_ms = max(ms) if self._last_ms is None else max(self._last_ms, max(ms))
            if self._first_ms < self._late_before_ms:
                self.late += sum(one < self._late_before_ms for one in ms)
