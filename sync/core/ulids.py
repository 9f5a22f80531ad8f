"""Event ids that repeat: the same Amplitude event has the same ULID in every run, on every path, on every machine.

48 bits of the event's own time and 80 bits of a digest of what names the event at Amplitude. Customer.io ignores an
event whose id it has seen, and the ledger knows events by the same 16 bytes. Ids are written as text a chunk at a time,
because one by one that would cost as much as parsing the rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from hashlib import sha256

ULID_BYTES = 16
_CROCKFORD = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_TO_TEXT = _CROCKFORD.ljust(256, b"\0")
_LAST_MS = (1 << 48) - 1

# A ULID's 128 bits are 26 characters of 5 bits. Each is laid into a lane of 256 bits as a number of 160 bits and halved
# five times, every half moving to the middle of its own half of the lane: 2 x 80, 4 x 40, 8 x 20, 16 x 10, 32 x 5 bits,
# one a byte. All lanes of a chunk move in the same few operations on one long integer.
_LANE_BYTES = 32
_PAD = bytes(_LANE_BYTES - ULID_BYTES)
_TEXT_CHARACTERS = 26
_ROUND = 64
_HALVES = ((80, 128), (40, 64), (20, 32), (10, 16), (5, 8))  # (bits in the half, bits it gets)


def event_ulid(ms: int, project: object, device: str, key: str) -> bytes:
    """The 16 bytes of an event's ULID.

    `ms` is the event's own time in Unix milliseconds (before 1970 and after 10889 it is held at the edge), `key` what
    Amplitude tells events of one device apart by: `$insert_id`, else `uuid`. NUL parts them, for it is in no text that
    `rows.py` lets through, so that ("a", "bc") is not ("ab", "c").
    Source: amplitude.com > HTTP V2 > insert_id; docs.customer.io > Track API > events > id.
    """
    digest = sha256(f"{project}\0{device}\0{key}".encode()).digest()
    try:
        return ms.to_bytes(6, "big") + digest[:10]
    except OverflowError:
        return min(max(ms, 0), _LAST_MS).to_bytes(6, "big") + digest[:10]


def update_ulid(seconds: int, item: bytes) -> bytes:
    """The 16 bytes by which an update of a person is known, made from the operation itself and its time."""
    return min(max(seconds * 1000, 0), _LAST_MS).to_bytes(6, "big") + sha256(item).digest()[:10]


def encode_ulids(ulids: Sequence[bytes]) -> list[bytes]:
    """The 26 characters of each ULID, in order; Crockford's base 32, the first at most `7`."""
    lanes = int.from_bytes(_PAD.join(ulids), "big")
    for upper, lower, distance in _masks(-len(ulids) // _ROUND * -_ROUND):
        lanes = (lanes & upper) << distance | (lanes & lower)
    size = len(ulids) * _LANE_BYTES
    text = lanes.to_bytes(size, "big").translate(_TO_TEXT)
    return [text[end - _TEXT_CHARACTERS : end] for end in range(_LANE_BYTES, size + 1, _LANE_BYTES)]


def decode_ulid(text: str) -> bytes | None:
    """The 16 bytes of a ULID as `encode_ulids` writes it; None for any other text."""
    if len(text) != _TEXT_CHARACTERS or not text.isascii():
        return None
    value = 0
    for letter in text.encode():
        digit = _CROCKFORD.find(letter)
        if digit < 0:
            return None
        value = value << 5 | digit
    return value.to_bytes(ULID_BYTES + 1, "big")[1:] if value >> 128 == 0 else None


@lru_cache(maxsize=16)
def _masks(lanes: int) -> list[tuple[int, int, int]]:
    """For each halving: the bits that move, those that stay, and how far the former move; for that many lanes or fewer.

    Rounding the number up lets chunks of different lengths share their masks, which cost more than the work itself.
    """
    return [_mask(lanes, bits, room) for bits, room in _HALVES]


def _mask(lanes: int, bits: int, room: int) -> tuple[int, int, int]:
    one = ((1 << bits) - 1).to_bytes(2 * room // 8, "big")
    lower = int.from_bytes(one * (lanes * _LANE_BYTES // len(one)), "big")
    return lower << bits, lower, room - bits
