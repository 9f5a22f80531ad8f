"""Makes the sample files: `python -m scenarios.samples.generate [--out DIR] [--seed N] [--rows N]`.

Seeded: equal arguments give equal bytes, time stamps inside gzip and zip included. The files are what Amplitude would
have written (two cohort downloads, one export), what Customer.io holds beforehand (`people.json`, a seed for the
fake), what happens there between the two runs (`between.json`), and a list of every anomaly planted (`anomalies.json`).
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from scenarios.samples.anomalies import (
    ALWAYS,
    COHORT,
    COHORT_ANOMALIES,
    DELETED,
    EXPORT,
    SIGNS_UP,
    SUPPRESSED,
    CohortAnomaly,
    ExportAnomaly,
    export_anomalies,
)
from scenarios.samples.formats import (
    Member,
    encode_cohort,
    encode_export,
    encode_gzip,
    encode_row,
    export_row,
    member_name,
)
from scenarios.samples.population import (
    PROJECT,
    UPLOAD_TIMES,
    UPLOADS,
    amplitude_id,
    device_id,
    email,
    ordinary_event,
    person_id,
    prose,
    times,
)

FOLDER = Path(__file__).parent
DEFAULT_SEED, DEFAULT_ROWS = 7, 60
#: A cohort download with user properties, as one consumer met it: `amplitude_id` stands in the header twice.
PROPERTIES_HEADER = ("amplitude_id", "amplitude_id", "user_id", "name", "persona", "email")
_LEAVERS = 4  # ordinary people in Monday's cohort and not in Tuesday's; as many join


class Line(NamedTuple):
    """One line of the export and the anomaly it shows, if any."""

    text: bytes
    uuid: str | None = None
    anomaly: ExportAnomaly | None = None


def make_samples(seed: int = DEFAULT_SEED, rows: int = DEFAULT_ROWS) -> dict[str, bytes]:
    """Every sample file by name. `rows`: ordinary rows in each cohort file and in the export, beside the anomalies."""
    people = rows + _LEAVERS
    monday = _cohort_rows(seed, range(1, rows + 1))
    tuesday = _cohort_rows(seed, range(1 + _LEAVERS, people + 1))
    members = _export_members(seed, rows, people)
    plain = encode_cohort(monday)
    return {
        "cohort-monday.csv": plain,
        "cohort-monday.csv.gz": encode_gzip(plain),
        "cohort-tuesday.csv": encode_cohort(tuesday),
        "cohort-tuesday-properties.csv": encode_cohort(_with_properties(tuesday), PROPERTIES_HEADER),
        "export.zip": encode_export(Member(name, [line.text for line in lines]) for name, lines in members),
        "people.json": _document({"people": [*_seeded(people), *_odd_people(ALWAYS, DELETED, SUPPRESSED)]}),
        "between.json": _document(_between()),
        "anomalies.json": _document({"anomalies": [*map(_cohort_entry, COHORT_ANOMALIES), *_export_entries(members)]}),
    }


def _cohort_rows(seed: int, numbers: range) -> list[tuple[str, str]]:
    """Ordinary people and every anomaly, in an order of their own each day. Nobody shares an amplitude id."""
    users = [(person_id(number), 0) for number in numbers]
    users += [(user_id, copy) for anomaly in COHORT_ANOMALIES for copy, user_id in enumerate(anomaly.user_ids)]
    Random(f"{seed}/{numbers.start}").shuffle(users)
    return [(str(amplitude_id(seed, f"{user_id}/{copy}" if copy else user_id)), user_id) for user_id, copy in users]


def _with_properties(rows: Sequence[tuple[str, str]]) -> Iterator[tuple[str, ...]]:
    for number, (amplitude, user_id) in enumerate(rows, start=1):
        address = email(int(user_id[2:])) if user_id.startswith("u-") else ""
        yield amplitude, amplitude, user_id, f'Listener "{number}"', ("", "casual", "daily")[number % 3], address


def _seeded(people: int) -> Iterator[Mapping[str, Any]]:
    for number in range(1, people + 1):
        attributes = {"first_name": f"Listener {number}", "plan": "pro" if number % 3 else "free"}
        yield {"id": person_id(number), "email": email(number), "attributes": attributes}


def _odd_people(*fates: str) -> Iterator[Mapping[str, Any]]:
    for anomaly in COHORT_ANOMALIES:
        if anomaly.person in fates:
            yield from ({"id": user_id} for user_id in dict.fromkeys(anomaly.user_ids))


def _between() -> Mapping[str, Any]:
    """What happens at Customer.io after the first cohort run."""
    return {
        "created": list(_odd_people(SIGNS_UP)),
        "deleted": [person["id"] for person in _odd_people(DELETED)],
        "suppressed": [person["id"] for person in _odd_people(SUPPRESSED)],
    }


def _export_members(seed: int, rows: int, people: int) -> list[tuple[str, list[Line]]]:
    rng = Random(seed)
    planted = _planted(export_anomalies(prose(rng, 120_000)))
    order: list[tuple[ExportAnomaly | None, Mapping[str, Any]]] = [(None, {})] * rows + planted
    rng.shuffle(order)
    share = -(-len(order) // len(UPLOADS))
    members: list[tuple[str, list[Line]]] = []
    for place, (date, hour) in enumerate(UPLOADS):
        lines = []
        part = UPLOADS[:place].count((date, hour))
        for offset, (anomaly, changes) in enumerate(order[place * share : (place + 1) * share]):
            number = place * share + offset + 1
            at = times(date, hour, second=offset + 1_800 * part)
            lines.append(_line(anomaly, _whose(seed, {**ordinary_event(rng, number, people), **at, **changes})))
        members.append((member_name(PROJECT, date, hour, part), lines))
    _repeat(seed, members)
    return members


def _whose(seed: int, row: Mapping[str, Any]) -> Mapping[str, Any]:
    """The row with the ids of its user; an anonymous row is a device of its own."""
    user = row["user_id"] or f"anonymous {row['event_id']}"
    return {"amplitude_id": amplitude_id(seed, user), "device_id": device_id(seed, user), **row}


def _planted(anomalies: Sequence[ExportAnomaly]) -> list[tuple[ExportAnomaly | None, Mapping[str, Any]]]:
    return [(anomaly, changes) for anomaly in anomalies for changes in anomaly.changes or ({},)]


def _line(anomaly: ExportAnomaly | None, values: Mapping[str, Any]) -> Line:
    if anomaly is not None and anomaly.raw is not None:
        return Line(anomaly.raw, None, anomaly)
    return Line(encode_row(export_row(values)), values["uuid"], anomaly)


def _repeat(seed: int, members: list[tuple[str, list[Line]]]) -> None:
    """Rows that come more than once: copies right behind the first, and one in another file, uploaded once more."""
    originals = [(lines, line) for _, lines in members for line in lines if line.anomaly and line.anomaly.repeats]
    for lines, line in originals:
        place = lines.index(line) + 1
        lines[place:place] = [line] * (line.anomaly.repeats - 1 if line.anomaly else 0)
        other = -1 if lines is not members[-1][1] else 0
        members[other][1].append(_uploaded_again(seed, line, *UPLOADS[other]))


def _uploaded_again(seed: int, line: Line, date: str, hour: int) -> Line:
    """The same event, which the device sent a second time: another uuid and other times of upload."""
    row = json.loads(line.text)
    uuid = device_id(seed, f"again {line.uuid}")
    uploaded = {key: value for key, value in times(date, hour, second=3_500).items() if key in UPLOAD_TIMES}
    return Line(encode_row({**row, **uploaded, "uuid": uuid}), uuid, line.anomaly)


def _cohort_entry(anomaly: CohortAnomaly) -> Mapping[str, Any]:
    return {
        "name": anomaly.name, "source": COHORT, "rows": len(anomaly.user_ids), "user_ids": list(anomaly.user_ids),
        "becomes": anomaly.becomes, "reason": anomaly.reason, "person": anomaly.person, "rule": anomaly.rule,
    }


def _export_entries(members: Sequence[tuple[str, Sequence[Line]]]) -> Iterator[Mapping[str, Any]]:
    """One entry an anomaly, in the order of the table, with where each of its rows stands."""
    for anomaly in export_anomalies(""):
        places = [
            {"member": name, "line": number, "uuid": line.uuid}
            for name, lines in members
            for number, line in enumerate(lines, start=1)
            if line.anomaly is not None and line.anomaly.name == anomaly.name
        ]
        yield {
            "name": anomaly.name, "source": EXPORT, "rows": len(places), "events": places,
            "becomes": anomaly.becomes, "reason": anomaly.reason, "rule": anomaly.rule,
        }


def _document(value: Mapping[str, Any]) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=1) + "\n").encode()


def main(argv: Sequence[str] | None = None) -> int:
    """The command; writes the files and says how large they are."""
    parser = argparse.ArgumentParser(prog="python -m scenarios.samples.generate", description="Make the sample files.")
    parser.add_argument("--out", type=Path, default=FOLDER, help="folder to write to (default: beside this module)")
    parser.add_argument("--seed", type=int, default=DEFAULT_SEED, help="another seed gives another world")
    parser.add_argument("--rows", type=int, default=DEFAULT_ROWS, help="ordinary rows a file, beside the anomalies")
    options = parser.parse_args(argv)
    if options.rows < 2 * _LEAVERS:
        parser.error(f"--rows must be at least {2 * _LEAVERS}, or nobody would stay in the cohort")
    options.out.mkdir(parents=True, exist_ok=True)
    for name, data in make_samples(options.seed, options.rows).items():
        (options.out / name).write_bytes(data)
        print(f"{len(data):>9,} bytes  {options.out / name}")  # noqa: T201 - this is a command
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
