"""The two peers of E1, over the same export and into the same sink as the engine.

`python -m tests.benchmarks.peers stages|naive FOLDER URL` prints one JSON object. `stages` runs decompress, parse, map,
encode and send one after the other on a megabyte at a time, each with the fastest library, and sums what each took:
the time below which no single thread comes. It remembers nothing, judges nothing and checks nothing. `naive` is the
loop that anybody writes with the standard library alone. Both post batches of at most 499,999 bytes.
"""

from __future__ import annotations

import base64
import contextlib
import gzip
import http.client
import json
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
from isal import igzip

from tests.benchmarks.f1_identify import KEY, SITE_ID

CHUNK_BYTES = 1_000_000
BATCH_BYTES = 499_999


class Row(msgspec.Struct, gc=False):
    """What a delivery needs of an export row. Objects stay the text that they are."""

    event_type: str
    user_id: str | None
    event_time: str
    event_properties: msgspec.Raw
    user_properties: msgspec.Raw
    group_properties: msgspec.Raw
    groups: msgspec.Raw
    insert_id: str = msgspec.field(name="$insert_id")


class Item(msgspec.Struct, gc=False):
    """One operation of a v2 batch."""

    type: str
    action: str
    identifiers: dict[str, str]
    name: str
    id: str
    timestamp: int
    attributes: msgspec.Raw


class Poster:
    """One keep-alive connection that posts batches."""

    def __init__(self, url: str) -> None:
        self._connection = http.client.HTTPConnection(urlsplit(url).netloc)
        credentials = base64.b64encode(f"{SITE_ID}:{KEY}".encode()).decode()
        self._headers = {"Authorization": f"Basic {credentials}", "Content-Type": "application/json"}

    def post(self, body: bytes) -> None:
        """Sends one batch and reads the answer."""
        self._connection.request("POST", "/api/v2/batch", body, self._headers)
        answer = self._connection.getresponse()
        answer.read()
        if answer.status != 200:
            raise SystemExit(f"the sink answered {answer.status}")


def pack(items: list[bytes]) -> Iterator[bytes]:
    """Whole bodies of at most BATCH_BYTES."""
    waiting: list[bytes] = []
    size = 12
    for item in items:
        if size + len(item) + 1 > BATCH_BYTES:
            yield b'{"batch":[' + b",".join(waiting) + b"]}"
            waiting, size = [], 12
        waiting.append(item)
        size += len(item) + 1
    yield b'{"batch":[' + b",".join(waiting) + b"]}"


def to_item(row: Row, days: dict[str, int]) -> Item:
    """The mapping at its cheapest: a day is parsed once, the rest of a time is arithmetic on slices."""
    at = row.event_time
    midnight = days.get(at[:10])
    if midnight is None:
        midnight = days[at[:10]] = int(datetime.fromisoformat(at[:10]).replace(tzinfo=UTC).timestamp())
    attributes = b'%s,"user_properties":%s,"group_properties":%s,"groups":%s}' % (
        bytes(row.event_properties)[:-1], row.user_properties, row.group_properties, row.groups,
    )  # fmt: skip
    return Item(
        type="person", action="event", identifiers={"id": row.user_id or ""}, name=row.event_type, id=row.insert_id,
        timestamp=midnight + int(at[11:13]) * 3_600 + int(at[14:16]) * 60 + int(at[17:19]),
        attributes=msgspec.Raw(attributes),
    )  # fmt: skip


def chunks(path: Path) -> Iterator[bytes]:
    """Whole lines, about a megabyte at a time."""
    with igzip.open(path, "rb") as file:
        rest = b""
        while chunk := file.read(CHUNK_BYTES):
            whole, newline, after = chunk.rpartition(b"\n")
            yield rest + whole + newline
            rest = after


class Stages:
    """Adds up what each stage took, in seconds."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextlib.contextmanager
    def on(self, stage: str) -> Iterator[None]:
        """Puts what is done inside on that stage's account."""
        started = time.perf_counter()
        yield
        self.seconds[stage] = self.seconds.get(stage, 0.0) + time.perf_counter() - started


def run_stages(folder: Path, url: str) -> dict[str, Any]:
    """Every stage by itself, over the whole export, a megabyte at a time."""
    clock, poster, days, rows = Stages(), Poster(url), dict[str, int](), 0
    decoder, encoder = msgspec.json.Decoder(Row), msgspec.json.Encoder()
    for path in exported(folder):
        pieces = chunks(path)
        while True:
            with clock.on("decompress"):
                text = next(pieces, b"")
            if not text:
                break
            with clock.on("parse"):
                parsed = decoder.decode_lines(text)
            with clock.on("map"):
                mapped = [to_item(row, days) for row in parsed]
            with clock.on("encode"):
                bodies = list(pack([encoder.encode(item) for item in mapped]))
            with clock.on("send"):
                for body in bodies:
                    poster.post(body)
            rows += len(mapped)
    return {"rows": rows, "seconds": sum(clock.seconds.values()), "stages": clock.seconds}


def run_naive(folder: Path, url: str) -> dict[str, Any]:
    """The standard library, one row after the other."""
    started, poster, rows = time.perf_counter(), Poster(url), 0
    batch: list[dict[str, Any]] = []
    size = 12
    for path in exported(folder):
        with gzip.open(path, "rt", encoding="utf-8") as file:
            for line in file:
                item = naive_item(json.loads(line))
                length = len(json.dumps(item)) + 2
                if size + length > BATCH_BYTES:
                    poster.post(json.dumps({"batch": batch}).encode())
                    batch, size = [], 12
                batch.append(item)
                size += length
                rows += 1
    poster.post(json.dumps({"batch": batch}).encode())
    return {"rows": rows, "seconds": time.perf_counter() - started}


def naive_item(row: dict[str, Any]) -> dict[str, Any]:
    """The same operation as `to_item` makes, as a plain dict."""
    at = datetime.strptime(row["event_time"], "%Y-%m-%d %H:%M:%S.%f").replace(tzinfo=UTC)
    nested = {name: row[name] for name in ("user_properties", "group_properties", "groups")}
    return {
        "type": "person", "action": "event", "identifiers": {"id": row["user_id"]}, "name": row["event_type"],
        "id": row["$insert_id"], "timestamp": int(at.timestamp()), "attributes": {**row["event_properties"], **nested},
    }  # fmt: skip


def exported(folder: Path) -> list[Path]:
    """The files of an export, in order."""
    return sorted(folder.rglob("*.json.gz"))


def main(arguments: list[str]) -> None:
    """The command."""
    which, folder, url = arguments
    measured = (run_stages if which == "stages" else run_naive)(Path(folder), url)
    sys.stdout.write(json.dumps(measured) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
