"""Bad weather, one file a kind of fault. A new kind is a new file and a new row of `KINDS`.

A fault's class holds its JSON fields as typed attributes and says, as a value, what is to be done to a request; the
counting that decides which request is struck is `core/weather.py`, and the edge carries the action out.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from fakeio.core.weather import Effect
from fakeio.faults.close import Close
from fakeio.faults.delay_visibility import DelayVisibility
from fakeio.faults.drop import Dropped
from fakeio.faults.garbage import Garbage
from fakeio.faults.latency import Latency
from fakeio.faults.lose_reply import LoseReply
from fakeio.faults.partial import Partial
from fakeio.faults.reset import Reset
from fakeio.faults.slow_body import SlowBody
from fakeio.faults.stall import Stalled
from fakeio.faults.status import Status
from fakeio.faults.throttle import Throttle
from fakeio.faults.timeout import Timeout
from fakeio.faults.truncate import Truncated

_ALL: tuple[type[Effect], ...] = (
    Status, Latency, Timeout, Stalled, Reset, Close, LoseReply, Truncated, SlowBody, Garbage, Dropped, Partial,
    Throttle, DelayVisibility,
)  # fmt: skip
KINDS: Mapping[str, type[Effect]] = MappingProxyType({effect.kind: effect for effect in _ALL})
