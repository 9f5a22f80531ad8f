"""The sample files are what the generator makes, in the vendor's formats, with every listed anomaly really in them."""

from __future__ import annotations

import gzip
import io
import json
import re
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from scenarios.samples.anomalies import COHORT_ANOMALIES, export_anomalies
from scenarios.samples.formats import EXPORT_KEYS, encode_cohort, export_row, parse_cohort, parse_export
from scenarios.samples.generate import FOLDER, main, make_samples
from scenarios.verdicts import cohort_fate, event_fate, seconds

MOST_BYTES = 400_000
ANOMALIES: list[dict[str, Any]] = json.loads((FOLDER / "anomalies.json").read_text(encoding="utf-8"))["anomalies"]
COHORT_FILES = ["cohort-monday.csv", "cohort-monday.csv.gz", "cohort-tuesday.csv", "cohort-tuesday-properties.csv"]
LINES = {(member, number): row for member, number, row in parse_export((FOLDER / "export.zip").read_bytes())}
ROWS = [row for row in LINES.values() if row is not None]


def contents(data: bytes) -> Any:
    """What a file holds, so that two builds of the compressor may pack it differently: names, order, dates, bytes."""
    if data[:2] == b"PK":
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return [
                (info.filename, info.date_time, info.compress_type, contents(archive.read(info)))
                for info in archive.infolist()
            ]
    # a gzip header holds flags, a time and a level in its first ten bytes; none of them may be a date or a name
    return (data[:8], gzip.decompress(data)) if data[:2] == b"\x1f\x8b" else data


@pytest.mark.parametrize("name", sorted(make_samples()))
def test_the_committed_file_is_what_the_generator_makes(name: str) -> None:
    assert contents((FOLDER / name).read_bytes()) == contents(make_samples()[name])


def test_two_generations_are_equal_byte_for_byte(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for folder in ("one", "two"):
        assert main(["--out", str(tmp_path / folder), "--seed", "3", "--rows", "20"]) == 0
    one, two = ({path.name: path.read_bytes() for path in (tmp_path / name).iterdir()} for name in ("one", "two"))
    assert one == two
    assert len(capsys.readouterr().out.splitlines()) == 2 * len(one)


def test_another_seed_gives_another_world_with_the_same_anomalies() -> None:
    one, two = make_samples(1), make_samples(2)
    assert [name for name in one if one[name] == two[name]] == ["people.json", "between.json"]
    told = [[entry["name"] for entry in json.loads(made["anomalies.json"])["anomalies"]] for made in (one, two)]
    assert told[0] == told[1]


def test_more_rows_can_be_asked_for() -> None:
    export = make_samples(rows=2_000)["export.zip"]
    assert sum(1 for _ in parse_export(export)) == len(LINES) - 60 + 2_000


def test_too_few_rows_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["--rows", "3"])
    assert "--rows must be at least 8" in capsys.readouterr().err


def test_the_samples_stay_small() -> None:
    assert sum((FOLDER / name).stat().st_size for name in make_samples()) < MOST_BYTES


def test_every_row_of_the_export_has_all_55_keys_in_the_order_of_the_capture() -> None:
    assert len(EXPORT_KEYS) == 55
    assert {tuple(row) for row in ROWS} == {EXPORT_KEYS}


def test_an_export_row_has_no_other_keys() -> None:
    with pytest.raises(ValueError, match="no key 'user'"):
        export_row({"user": "1"})


def test_the_members_of_the_export_are_named_as_the_service_names_them() -> None:
    members = list(dict.fromkeys(member for member, _ in LINES))
    assert members == [
        "187520/187520_2026-08-17_9#0.json.gz", "187520/187520_2026-08-17_9#1.json.gz",
        "187520/187520_2026-08-17_14#0.json.gz", "187520/187520_2026-08-18_8#0.json.gz",
    ]


def test_a_row_lies_in_the_file_of_the_hour_it_was_uploaded_in() -> None:
    for (member, _), row in LINES.items():
        if row is not None:
            date, hour = re.findall(r"_([\d-]+)_(\d+)#", member)[0]
            assert row["server_upload_time"].startswith(f"{date} {int(hour):02}:")


def test_members_of_the_zip_are_stored_and_deflated() -> None:
    with zipfile.ZipFile(FOLDER / "export.zip") as archive:
        assert {info.compress_type for info in archive.infolist()} == {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}


@pytest.mark.parametrize("name", COHORT_FILES)
def test_every_field_of_a_cohort_is_quoted(name: str) -> None:
    data = (FOLDER / name).read_bytes()
    text = (gzip.decompress(data) if name.endswith("gz") else data).decode()
    header = text.partition("\r\n")[0]
    assert header.startswith('"amplitude_id",')
    assert re.sub(r'"(?:[^"]|"")*"', "Q", text).replace(",", "").replace("Q", "").strip("\r\n") == ""


def test_a_header_name_may_stand_twice() -> None:
    header = (FOLDER / "cohort-tuesday-properties.csv").read_bytes().partition(b"\r\n")[0]
    assert header == b'"amplitude_id","amplitude_id","user_id","name","persona","email"'


def test_the_two_forms_of_a_day_hold_the_same_cohort() -> None:
    plain, compressed, tuesday, properties = (parse_cohort((FOLDER / name).read_bytes()) for name in COHORT_FILES)
    assert plain == compressed
    assert tuesday == properties
    assert len(set(plain) - set(tuesday)) == len(set(tuesday) - set(plain)) == 4


def test_nobody_shares_an_amplitude_id_and_everybody_keeps_it() -> None:
    days = [(FOLDER / name).read_bytes() for name in ("cohort-monday.csv", "cohort-tuesday.csv")]
    rows = [list(zip(parse_cohort(day, "amplitude_id"), parse_cohort(day), strict=True)) for day in days]
    assert [len({amplitude for amplitude, _ in day}) for day in rows] == [len(day) for day in rows]
    assert {user for _, user in set(rows[0]) & set(rows[1])} == {user for _, user in rows[0]} & {
        user for _, user in rows[1]
    }


@pytest.mark.parametrize("anomaly", COHORT_ANOMALIES, ids=lambda anomaly: anomaly.name)
@pytest.mark.parametrize("name", COHORT_FILES)
def test_the_cohort_holds(anomaly: Any, name: str) -> None:
    values = Counter(parse_cohort((FOLDER / name).read_bytes()))
    assert {user: values[user] for user in anomaly.user_ids} == Counter(anomaly.user_ids)


@pytest.mark.parametrize("anomaly", export_anomalies(""), ids=lambda anomaly: anomaly.name)
def test_the_export_holds(anomaly: Any) -> None:
    listed = next(entry for entry in ANOMALIES if entry["name"] == anomaly.name)
    rows = [LINES[event["member"], event["line"]] for event in listed["events"]]
    assert len(rows) == listed["rows"] == (len(anomaly.changes) or 1) + anomaly.repeats
    if anomaly.raw is not None:
        assert rows == [None]
    keys = set.intersection(*map(set, anomaly.changes or ({},))) - {"event_properties"}
    planted = Counter(json.dumps([changes.get(key) for key in sorted(keys)]) for changes in anomaly.changes)
    planted[next(iter(planted), "")] += anomaly.repeats
    assert Counter(json.dumps([row[key] for key in sorted(keys)]) for row in rows if row is not None) == +planted


@pytest.mark.parametrize("listed", ANOMALIES, ids=lambda listed: listed["name"])
def test_the_list_and_the_truth_agree_on(listed: dict[str, Any]) -> None:
    """The list says what must become of an anomaly; the truth comes to the same reason from the row alone."""
    if listed["source"] == "cohort":
        fates = {cohort_fate(user) for user in listed["user_ids"]}
        assert fates == {listed["reason"] if listed["becomes"] == "skipped" else "cohort"}
    else:
        fates = {event_fate(LINES[event["member"], event["line"]]) for event in listed["events"]}
        own = {"discarded": listed["reason"], "filtered": "filtered"}
        assert fates == {own.get(listed["becomes"], "delivered")}


def one(name: str) -> Any:
    """The first row of the anomaly of that name."""
    place = next(entry for entry in ANOMALIES if entry["name"] == name)["events"][0]
    return LINES[place["member"], place["line"]]


def test_the_anomalies_are_as_odd_as_their_names_say() -> None:
    assert len(one("an event of 60 KB")["event_properties"]["chat"]) == 60_000
    assert len(one("an event of 120 KB")["event_properties"]["chat"]) == 120_000
    assert len(one("an event with 301 properties")["event_properties"]) == 301
    assert len(one("an event of an id of 151 bytes")["user_id"].encode()) == 151
    assert len(one("an event of an id of 75 two-byte characters")["user_id"].encode()) == 150
    assert len(one("an event of an id of 76 two-byte characters")["user_id"].encode()) == 152
    noon_of_tuesday = seconds("2026-08-18 12:00:00") or 0
    assert (seconds(one("an event from ten days before")["event_time"]) or 0) < noon_of_tuesday - 72 * 3600
    assert (seconds(one("an event dated in the future")["event_time"]) or 0) > noon_of_tuesday


def test_a_repeated_event_comes_again_in_its_own_file_and_in_another() -> None:
    places = next(entry for entry in ANOMALIES if entry["becomes"] == "duplicate")["events"]
    rows = [LINES[place["member"], place["line"]] for place in places]
    assert len({(row["device_id"], row["$insert_id"], row["event_time"]) for row in rows}) == 1
    assert len({row["uuid"] for row in rows}) == 2
    assert sorted(Counter(place["member"] for place in places).values()) == [1, 2]


def test_no_real_person_is_in_the_samples() -> None:
    text = json.dumps([*LINES.values(), *(parse_cohort((FOLDER / name).read_bytes()) for name in COHORT_FILES)])
    text += (FOLDER / "people.json").read_text(encoding="utf-8")
    domains = {found.lower() for found in re.findall(r"@([\w.-]+\.\w+)", text)}
    assert domains == {"example.com", "example.net"}
    assert {row["ip_address"].rpartition(".")[0] for row in ROWS} == {"203.0.113"}


@pytest.mark.parametrize(
    "values",
    [
        pytest.param(["a,b", 'c"d', "e\nf", "g\r\nh", ""], id="what needs quoting"),
        pytest.param(["é" * 75, "😀", "\u2028", "\x1f"], id="unusual characters"),
    ],
)
def test_a_cohort_survives_the_way_through_its_format(values: list[str]) -> None:
    data = encode_cohort([("1", value) for value in values])
    assert parse_cohort(data) == values
    assert parse_cohort(gzip.compress(data)) == values


def test_a_cohort_without_the_column_is_refused() -> None:
    with pytest.raises(ValueError, match="user_id"):
        parse_cohort(b'"amplitude_id"\r\n"1"\r\n')
