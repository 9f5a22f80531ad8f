"""The world of the samples: one project, one cohort, two days, and ordinary people who do ordinary things.

Names are invented, addresses are under example.com, network addresses under the ranges kept for documentation.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from hashlib import sha256
from random import Random
from typing import Any
from uuid import UUID

PROJECT = 187520
COHORT_NAME, COHORT_ID = "Power users", "q3x9d2mk"
#: When the two cohort runs happen. The events follow the second: late and future are meant from there.
MONDAY_NOON, TUESDAY_NOON = "2026-08-17T12:00:00+00:00", "2026-08-18T12:00:00+00:00"
#: (date, hour of the day) of the uploads an export holds; the first hour comes in two parts.
UPLOADS: tuple[tuple[str, int], ...] = (("2026-08-17", 9), ("2026-08-17", 9), ("2026-08-17", 14), ("2026-08-18", 8))
UPLOAD_TIMES = ("client_upload_time", "server_received_time", "server_upload_time", "processed_time")

_EVENT_TYPES = ("Song Played", "Playlist Shared", "Order Placed", "Search Made", "session_start", "session_end")
_CITIES = (("Oslo", "Norway"), ("Porto", "Portugal"), ("Nagoya", "Japan"), ("Quito", "Ecuador"), ("Leeds", "England"))
_DEVICES = (
    ("iOS", "ios", "17.5", "Apple iPhone", "Apple", "iPhone 15", "amplitude-swift/1.5.0"),
    ("Android", "android", "14", "Google Pixel", "Google", "Pixel 8", "amplitude-android/2.39.2"),
    ("Web", "Firefox", "128", "Linux", None, None, "amplitude-js/8.21.0"),
)
_PROSE = """the order was late again and nobody could say why until someone looked at the clock by the door
    which had stopped in spring then we laughed sent a note moved on thank you kindly for waiting"""
_WORDS = tuple(_PROSE.split())


def person_id(number: int) -> str:
    """The id of an ordinary person, from 1."""
    return f"u-{number:04}"


def email(number: int) -> str:
    return f"person{number:04}@example.com"


def amplitude_id(seed: int, user: str) -> int:
    """Amplitude's own id of a user, the same in every file: a large whole number."""
    return 300_000_000_000 + int.from_bytes(_digest(seed, "amplitude", user)[:8], "big") % 600_000_000_000


def device_id(seed: int, user: str) -> str:
    """The one device of a user."""
    return str(UUID(bytes=_digest(seed, "device", user)[:16], version=4))


def prose(rng: Random, size_bytes: int) -> str:
    """ASCII words, at least that long."""
    text: list[str] = []
    length = 0
    while length < size_bytes:
        text.append(rng.choice(_WORDS))
        length += len(text[-1]) + 1
    return " ".join(text)


def ordinary_event(rng: Random, number: int, people: int) -> dict[str, Any]:
    """What an ordinary person did: an Export row without its times. `number` is the row's place in the project."""
    person = rng.randint(1, people)
    platform, os_name, os_version, family, brand, model, library = rng.choice(_DEVICES)
    city, country = rng.choice(_CITIES)
    kind = rng.choice(_EVENT_TYPES)
    return {
        "event_type": kind,
        "event_id": number,
        "user_id": person_id(person),
        "$insert_id": _uuid(rng),
        "uuid": _uuid(rng),
        "event_properties": {} if kind.startswith("session") else {"position": number, "source": rng.choice(_WORDS)},
        "user_properties": {"plan": rng.choice(("free", "pro")), "visits": rng.randint(1, 90)},
        "data": {"path": "/2/httpapi"},
        "data_type": "event",
        "ip_address": f"203.0.113.{rng.randint(1, 254)}",
        "platform": platform, "os_name": os_name, "os_version": os_version, "device_family": family,
        "device_brand": brand, "device_model": model, "library": library,
        "language": "English", "country": country, "city": city,
        "app": PROJECT,
    }


def times(date: str, hour: int, second: int) -> dict[str, Any]:
    """The times of a row uploaded in that hour: it happened `second` seconds in and was uploaded two seconds later."""
    happened = datetime.fromisoformat(f"{date}T{hour:02}:00:00.125000+00:00") + timedelta(seconds=second % 3_590)
    stamps = {
        "event_time": happened, "client_event_time": happened, "client_upload_time": happened + timedelta(seconds=2),
        "server_received_time": happened + timedelta(seconds=2, milliseconds=180),
        "server_upload_time": happened + timedelta(seconds=3), "processed_time": happened + timedelta(seconds=9),
        "user_creation_time": happened - timedelta(days=30),
    }
    written = {name: at.strftime("%Y-%m-%d %H:%M:%S.%f") for name, at in stamps.items()}
    return {**written, "session_id": int(happened.timestamp() * 1_000)}


def _digest(seed: int, *parts: str) -> bytes:
    return sha256("/".join((str(seed), *parts)).encode()).digest()


def _uuid(rng: Random) -> str:
    return str(UUID(int=rng.getrandbits(128), version=4))
