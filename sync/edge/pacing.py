"""The budgets of both APIs, shared by every thread, and with a folder by every process of this machine.

What is known of the pace lies in a small file for each destination and API, beside the ledger, under a lock of the
kernel that ends with its process. The moments in it are of the machine's monotonic clock, which all processes share; a
file from before the last start of the machine, or one that can't be read, counts for nothing.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from sync.core.errors import LedgerError
from sync.core.pace import DEFAULT_RATE_PER_S, LONGEST_TURN_S, Pace, Pacer
from sync.edge.disk import unusable

PACE_PREFIX = "cio-sync-pace-"
_MOST_BYTES = 1 << 20
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(tuple[float, Pace]).decode


class Pacing:
    """The pacers of both APIs, for the threads of one process."""

    def __init__(self, rates_per_s: Mapping[str, float] = DEFAULT_RATE_PER_S) -> None:
        self._pacers = {api: Pacer(rate) for api, rate in {**DEFAULT_RATE_PER_S, **rates_per_s}.items()}
        self._lock = threading.Lock()

    def take(self, api: str, now: float) -> float:
        """0: send now. Else the seconds after which to ask again; see Pacer.take."""
        with self._pacer(api, now) as pacer:
            return pacer.take(now)

    def hold(self, api: str, until: float, now: float) -> None:
        with self._pacer(api, now) as pacer:
            pacer.hold(until)

    def heed(self, api: str, *, struggling: bool, sent_at: float, now: float) -> None:
        """Go by an answer to what left at `sent_at`, the moment that `take` was told: slower when the destination
        struggles, faster again when it does not."""
        with self._lock:
            mine = self._pacers[api]
            late_s = mine.late_s(now - sent_at)
        if not struggling and not late_s and mine.pace.share >= 1:
            return  # as fast as allowed, as far as this process has heard
        with self._pacer(api, now) as pacer:
            pacer.count_later(sent_at, late_s)
            if struggling:
                pacer.slow(sent_at, now)
            else:
                pacer.ease(now)

    @contextlib.contextmanager
    def _pacer(self, api: str, now: float) -> Iterator[Pacer]:
        with self._lock:
            yield self._pacers[api]

    def close(self) -> None:
        """Let go of what is shared."""


class SharedPacing(Pacing):
    """The same for all processes that name the same folder and site id."""

    def __init__(self, folder: Path, site_id: str, rates_per_s: Mapping[str, float] = DEFAULT_RATE_PER_S) -> None:
        """Raises LedgerError when the files can't be made."""
        super().__init__(rates_per_s)
        self._handles: dict[str, int] = {}
        self._paths = {api: folder / f"{PACE_PREFIX}{_name(site_id, api)}" for api in self._pacers}
        for api, path in self._paths.items():
            try:
                self._handles[api] = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            except OSError as error:
                self.close()
                raise LedgerError(
                    f"the file {path}, by which processes share the pace, can't be used: {error.strerror};"
                    " nothing was sent",
                    hint="make its folder writable for you, or name another state file in CIO_SYNC_STATE",
                ) from error

    @contextlib.contextmanager
    def _pacer(self, api: str, now: float) -> Iterator[Pacer]:
        with self._lock:
            handle, pacer = self._handles[api], self._pacers[api]
            fcntl.flock(handle, fcntl.LOCK_EX)
            try:
                pacer.pace = _parse(os.pread(handle, _MOST_BYTES, 0), now)
                before = _encode(pacer.pace)
                yield pacer
                if _encode(pacer.pace) != before:
                    self._write(api, _encode((now, pacer.pace)))
            finally:
                fcntl.flock(handle, fcntl.LOCK_UN)

    def _write(self, api: str, text: bytes) -> None:
        try:
            os.pwrite(self._handles[api], text, 0)
            os.ftruncate(self._handles[api], len(text))
        except OSError as error:  # what others may not learn of must not be sent: they would send as much again
            raise unusable(self._paths[api], error, what="the file of the pace") from error

    def close(self) -> None:
        with self._lock:
            handles, self._handles = self._handles, {}
        for handle in handles.values():
            os.close(handle)


def _name(site_id: str, api: str) -> str:
    return hashlib.sha256(f"{site_id} {api}".encode()).hexdigest()[:16]


def _parse(text: bytes, now: float) -> Pace:
    try:
        written_at, pace = _decode(text)
    except msgspec.DecodeError:
        return Pace()
    # from the future: the machine was started anew since
    return pace if written_at <= now + LONGEST_TURN_S else Pace()
