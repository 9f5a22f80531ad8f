"""What can't be done with `cio-scenarios` is told in a line, before anything has begun, with exit code 2."""

from __future__ import annotations

from pathlib import Path

import pytest

from scenarios.cli import main
from scenarios.profiles import VARIABLE


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(["mutants", "--"], "a command belongs behind --", id="no command"),
        pytest.param(["mutants", "--jobs", "0"], "how many at a time: 1 or more", id="no jobs"),
        pytest.param(["mutants", "--timeout", "-1"], "seconds, more than 0", id="no time"),
        pytest.param(["mutants", "--timeout", "soon"], "seconds, more than 0", id="no number"),
        pytest.param(["mutants", "nobody"], "cio-scenarios: there is no mutant nobody", id="no such mutant"),
        pytest.param(
            ["mutants", "ids-trimmed", "--breakages"], "ids-trimmed is none of the fixed twenty", id="no breakage"
        ),
        pytest.param(["interleave", "nowhere.json"], "nowhere.json can't be read: No such file", id="no file"),
        pytest.param(["interleave", "broken.json"], "broken.json is no story: Expecting", id="no JSON"),
        pytest.param(["interleave", "list.json"], "list.json is no story: a story is {", id="no story"),
        pytest.param(["explore", "--stories", "broken.json/x"], "stories can't be written to", id="no folder"),
        pytest.param(["explore", "--machine", "none"], "the machines are cohorts, ", id="no machine"),
        pytest.param(["serve", "--port", "99999"], "port 99999 can't be had (", id="no port"),
        pytest.param(
            ["run", "--live", "--yes", "--report", "broken.json/x"], "nothing was sent: broken.json/x can't be written",
            id="no report",
        ),
    ],
)  # fmt: skip
def test_it_is_told(
    arguments: list[str], said: str,
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    for name in ("CIO_SITE_ID", "CIO_TRACK_API_KEY", "CIO_APP_API_KEY"):
        monkeypatch.setenv(name, "0123456789abcdef")
    (tmp_path / "broken.json").write_text("{")
    (tmp_path / "list.json").write_text("[]")
    monkeypatch.chdir(tmp_path)
    try:
        code = main(arguments)
    except SystemExit as misused:
        code = int(misused.code or 0)
    told = capsys.readouterr()
    assert (code, told.out) == (2, "")
    assert said in told.err
    assert "None" not in told.err


def test_a_profile_of_the_environment_that_nobody_knows_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv(VARIABLE, "noon")
    assert main(["explore", "--stories", str(tmp_path)]) == 2
    said = capsys.readouterr().err
    assert said == "cio-scenarios: there is no profile 'noon'; the profiles are dev, ci, night (HYPOTHESIS_PROFILE)\n"
