"""The bytes of Amplitude's two files: the cohort download and the Export API zip.

`encode_` writes them exactly as the service does, `parse_` reads them back with nothing but the standard library, so
that whoever compares with the truth needs no line of the engine. Compressed output carries no time of its own: equal
input gives equal bytes. Sources: Behavioral Cohorts API > file; Export API > row, and captures of both.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

COHORT_HEADER = ("amplitude_id", "user_id")

#: Every key of an Export row, in the order of the capture. A row always has all 55; no value is null, never absent.
EXPORT_KEYS = (
    "event_type", "event_time", "client_event_time", "client_upload_time", "server_received_time",
    "server_upload_time", "processed_time", "event_id", "user_id", "device_id", "session_id", "$insert_id",
    "$insert_key", "$schema", "uuid", "event_properties", "user_properties", "global_user_properties",
    "group_properties", "groups", "plan", "data", "data_type", "ip_address", "platform", "os_name", "os_version",
    "device_family", "device_type", "device_brand", "device_carrier", "device_manufacturer", "device_model", "language",
    "country", "region", "city", "dma", "location_lat", "location_lng", "adid", "idfa", "amplitude_id",
    "amplitude_attribution_ids", "amplitude_event_type", "is_attribution_event", "partner_id", "source_id",
    "sample_rate", "paying", "user_creation_time", "start_version", "version_name", "app", "library",
)

_EMPTY_OBJECTS = ("event_properties", "user_properties", "group_properties", "groups", "plan", "data")
_ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)


class Member(NamedTuple):
    """One file of an export: its name inside the zip and its lines, each an encoded row (or, on a bad day, not)."""

    name: str
    lines: Sequence[bytes]


def export_row(values: Mapping[str, Any]) -> dict[str, Any]:
    """A row with all 55 keys: the values given, `{}` for objects and null for everything else."""
    unknown = sorted(set(values) - set(EXPORT_KEYS))
    if unknown:
        raise ValueError(f"an export row has no key {unknown[0]!r}; see EXPORT_KEYS")
    return {key: values.get(key, {} if key in _EMPTY_OBJECTS else None) for key in EXPORT_KEYS}


def member_name(project: int, date: str, hour: int, part: int) -> str:
    """`<project>/<project>_<YYYY-MM-DD>_<H>#<n>.json.gz`; the hour is not padded."""
    return f"{project}/{project}_{date}_{hour}#{part}.json.gz"


def encode_row(row: Mapping[str, Any]) -> bytes:
    """One line of an export, without its line feed. Half a surrogate pair becomes the escape that JSON has for it."""
    return json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode(errors="backslashreplace")


def encode_gzip(data: bytes) -> bytes:
    """Gzip without a time stamp or a file name."""
    return gzip.compress(data, compresslevel=9, mtime=0)


def encode_cohort(rows: Iterable[Sequence[str]], header: Sequence[str] = COHORT_HEADER) -> bytes:
    """The cohort CSV: every field quoted, `""` for a quote, CR LF between rows (RFC 4180)."""
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue().encode()


def encode_export(members: Iterable[Member]) -> bytes:
    """The Export zip of gzip members; even members are stored, odd ones deflated, as real ones come either way."""
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as archive:
        for place, member in enumerate(members):
            info = zipfile.ZipInfo(member.name, date_time=_ZIP_EPOCH)
            info.compress_type = zipfile.ZIP_DEFLATED if place % 2 else zipfile.ZIP_STORED
            info.create_system = 3  # the same bytes on every platform
            archive.writestr(info, encode_gzip(b"".join(line + b"\n" for line in member.lines)))
    return body.getvalue()


def parse_cohort(data: bytes, column: str = "user_id") -> list[str]:
    """The values of one column, row by row, of a plain or gzipped cohort CSV. Raises ValueError without the column."""
    if data[:2] == b"\x1f\x8b":
        data = gzip.decompress(data)
    rows = csv.reader(io.StringIO(data.decode(), newline=""), strict=True)
    place = next(rows).index(column)
    return [row[place] for row in rows]


def parse_export(data: bytes) -> Iterator[tuple[str, int, Any]]:
    """Each line of an export zip as (member, line number from 1, the row or None where the line is not JSON)."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for name in archive.namelist():
            for number, line in enumerate(gzip.decompress(archive.read(name)).rstrip(b"\n").split(b"\n"), start=1):
                yield name, number, _row(line)


def _row(line: bytes) -> Any:
    try:
        return json.loads(line)
    except ValueError:
        return None
