"""`fakeio fork` and `fakeio diff` at a terminal."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from fakeio import Fake
from fakeio.cli import main


@pytest.fixture(scope="module")
def fake() -> Iterator[Fake]:
    with Fake(seed={"people": [{"id": "1", "attributes": {"plan": "pro", "about": "x" * 80}}]}) as fake:
        yield fake


def test_a_fork_is_made_and_compared(fake: Fake, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fork", "--url", fake.url, "--name", "mine", "--json"]) == 0
    made = json.loads(capsys.readouterr().out)
    assert made["name"] == "mine"
    assert main(["diff", str(made["id"]), "--url", fake.url]) == 0
    assert capsys.readouterr().out == ""
    fake.workspace.add_person(id="1", attributes={"plan": "free", "about": "short"})
    fake.workspace.add_person(id="2")
    assert main(["diff", str(made["id"]), "--url", fake.url]) == 1, "as `diff` does"
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines[:3] == [
        ["path", "left", "right"], ["people/1/attributes/plan", '"free"', '"pro"'],
        ["people/1/attributes/about", '"short"', '"' + "x" * 56 + "..."],
    ]  # fmt: skip
    assert lines[3][0] == "people/2"
    assert lines[3][-1] == "(none)"
    assert main(["diff", str(made["id"]), "--url", fake.url, "--json"]) == 1
    assert [row["kind"] for row in json.loads(capsys.readouterr().out)["differences"]] == [
        "changed", "changed", "only_left",
    ]  # fmt: skip


def test_the_credentials_of_a_fork_are_printed(fake: Fake, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fork", "--url", fake.url]) == 0
    shown = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines())
    assert list(shown) == ["id", "name", "site_id", "track_api_key", "app_api_key"]
    assert shown["site_id"] != fake.workspace.site_id


def test_a_workspace_that_is_not_there_can_not_be_compared(fake: Fake, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diff", "999", "--url", fake.url]) == 1
    assert "no workspace '999'" in capsys.readouterr().err
