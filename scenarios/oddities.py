"""What became of everything odd that was planted in the samples, beside what must become of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from scenarios.explaining import Fate, Line
from scenarios.findings import Oddity

_ABSENT = "absent"


def read_oddities(
    anomalies: Iterable[Mapping[str, Any]],
    cohort: Iterable[tuple[str, Fate]],
    export: Iterable[tuple[Line, Fate]],
) -> list[Oddity]:
    """One entry an anomaly, in the order of the list."""
    of_user: dict[str, list[Fate]] = {}
    for value, fate in cohort:
        of_user.setdefault(value, []).append(fate)
    of_line = {(line.member, line.number): fate for line, fate in export}
    return [_oddity(anomaly, _fates(anomaly, of_user, of_line)) for anomaly in anomalies]


def _fates(
    anomaly: Mapping[str, Any], of_user: Mapping[str, list[Fate]], of_line: Mapping[tuple[str, int], Fate]
) -> list[Fate]:
    if anomaly["source"] == "cohort":
        return [fate for user in dict.fromkeys(anomaly["user_ids"]) for fate in of_user.get(user, ())]
    places = ((event["member"], event["line"]) for event in anomaly["events"])
    return [of_line.get(place, Fate(_ABSENT)) for place in places]


def _oddity(anomaly: Mapping[str, Any], fates: list[Fate]) -> Oddity:
    return Oddity(
        name=anomaly["name"], rows=anomaly["rows"], rule=anomaly["rule"],
        expected=_words(anomaly["becomes"], anomaly["reason"]), became=_became(anomaly, fates),
    )


def _became(anomaly: Mapping[str, Any], fates: list[Fate]) -> str:
    """One word for all its rows, or all of them where they differ. Of a repeated row the first one arrives."""
    if len(fates) != anomaly["rows"]:
        return f"{len(fates)} of its {anomaly['rows']} rows found"
    first = {"duplicate": "delivered", "collapsed": "member"}.get(anomaly["becomes"])
    rest = fates[1:] if first and fates[0].became == first else fates
    return ", ".join(dict.fromkeys(_words(fate.became, fate.rule if fate.found != "nobody" else "") for fate in rest))


def _words(became: str, reason: str | None) -> str:
    return f"{became}: {reason}" if reason and reason != became else became
