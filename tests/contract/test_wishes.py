"""Every wish that users of other fakes have is on the page, with tests that exist, a page, or a reason."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.contract.readme import between, wishes_table
from tests.contract.serving import identify, serving
from tests.contract.source_tree import CHECKOUT, modules
from tests.contract.wishes import COUNT, WISHES, Wish

PAGE = (CHECKOUT / "fakeio" / "README.md").read_text(encoding="utf-8")


def test_no_row_is_missing_and_none_is_too_many() -> None:
    assert list(WISHES) == list(range(1, COUNT + 1))


def test_the_page_has_every_row() -> None:
    shown = [line.split(" | ")[0].strip("| ") for line in between(PAGE, "wishes").splitlines()[2:]]
    assert shown == [str(number) for number in WISHES]
    assert between(PAGE, "wishes") == wishes_table()


def known_tests() -> set[str]:
    """Every test there is, as the table writes it."""
    return {
        f"{module.name.rpartition('.')[2]}.py::{node.name}"
        for module in modules("tests") for node in module.tree.body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }  # fmt: skip


def test_every_test_that_a_row_names_exists() -> None:
    named = {test for wish in WISHES.values() for test in wish.tests}
    assert named - known_tests() == set()
    assert "test_wishes.py::test_of_nothing" not in known_tests()


@pytest.mark.parametrize(("number", "wish"), WISHES.items(), ids=[str(number) for number in WISHES])
def test_a_wish_has_an_answer(number: int, wish: Wish) -> None:
    assert (bool(wish.peer), bool(wish.threads), bool(wish.says)) == (True, True, True)
    assert bool(wish.tests or wish.page) != bool(wish.because), "an answer, or a reason why there is none"
    assert not wish.because or wish.because.startswith(("not yet: ", "never: "))
    if wish.page.endswith(".md"):
        assert (CHECKOUT / "fakeio" / wish.page).is_file()
    elif wish.page:
        assert f"\n## {wish.page}\n" in PAGE


# -- a wish that nothing else holds ------------------------------------------------------------------------------------

def test_nothing_is_written_to_disk_unless_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither where it is started, nor in the folders that a user's programs have."""
    monkeypatch.chdir(tmp_path)
    own = ("HOME", "TMPDIR", "XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME")
    with serving("--quiet", environment=dict.fromkeys(own, str(tmp_path))) as served:
        url = served.first_line.rpartition(" ")[2]
        assert identify(url, "1", plan="pro").status_code == 200
        assert served.stop() == 0
    assert list(tmp_path.rglob("*")) == []
