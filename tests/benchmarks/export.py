"""Writes an Amplitude export of any size: rows with all 55 keys, each different, in gzip files of one hour each.

The rows have the shape of the samples; ids, times and properties are made from a seed, so two runs read the same.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from isal import igzip

from scenarios.samples.formats import encode_row, export_row, member_name

START = datetime(2026, 5, 1, tzinfo=UTC)
PEOPLE = 50_000
PROJECT = 187520
LEVEL = 3
# what differs from row to row, as it stands in a template
USER, INSERT_ID, UUID, AT, TOTAL = b"@USER@", b"@INSERT@", b"@UUID@", b"@AT@", b'"@TOTAL@"'
EVENTS = ("Order Completed", "[Amplitude] Page Viewed", "Song Played", "Plan Changed", "Search")


def template(kind: int) -> bytes:
    """One row of that kind, with marks where the rows differ; about 1,500 bytes."""
    at = AT.decode()
    return encode_row(
        export_row({
            "event_type": EVENTS[kind % len(EVENTS)], "user_id": USER.decode(), "$insert_id": INSERT_ID.decode(),
            "uuid": UUID.decode(), "device_id": f"device-{kind}", "session_id": 1_777_000_000_000 + kind,
            "event_time": at, "client_event_time": at, "client_upload_time": at, "server_received_time": at,
            "server_upload_time": at, "processed_time": at, "event_id": kind, "platform": "Web", "os_name": "Chrome",
            "country": "Portugal", "city": "Lisbon", "language": "Portuguese", "amplitude_id": 100_000_000_000 + kind,
            "event_properties": {"total": "@TOTAL@", "currency": "EUR", "items": kind % 9, "coupon": None},
            "user_properties": {"plan": "pro", "seats": kind % 40, "initial_referrer": "https://example.com/landing"},
            "app": PROJECT, "version_name": "4.2.1", "library": "amplitude-ts/2.9.0", "data": {"path": "/2/httpapi"},
        })
    )  # fmt: skip


def lines(rows: int, hour: int) -> Iterator[bytes]:
    """The rows of one hour, spread over it."""
    choose = random.Random(hour)
    templates = [template(kind) for kind in range(64)]
    begins = START + timedelta(hours=hour)
    for n in range(rows):
        at = begins + timedelta(microseconds=n * 3_600_000_000 // rows)
        row = templates[n % len(templates)]
        for mark, value in (
            (USER, b"user-%06d" % choose.randrange(PEOPLE)),
            (INSERT_ID, b"%032x" % choose.getrandbits(128)),
            (UUID, b"%032x" % choose.getrandbits(128)),
            (AT, at.isoformat(sep=" ", timespec="microseconds")[:26].encode()),
            (TOTAL, b"%d.%02d" % (n % 400, n % 100)),
        ):
            row = row.replace(mark, value)
        yield row + b"\n"


def write_export(folder: Path, rows: int, hours: int = 8) -> None:
    """`rows` rows in `hours` files, as an unpacked export has them."""
    for hour in range(hours):
        share = rows // hours + (hour < rows % hours)
        path = folder / member_name(PROJECT, f"{START:%Y-%m-%d}", hour, 0)
        path.parent.mkdir(parents=True, exist_ok=True)
        with igzip.open(path, "wb", compresslevel=LEVEL) as file:
            file.writelines(lines(share, hour))
