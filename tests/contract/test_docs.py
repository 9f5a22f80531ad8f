"""What the pages say is true: the commands are those that CI runs, the examples run, nothing is left out.

`bash` blocks run in an empty folder with the samples in it, against a fake on a free port that takes the place of the
default address; `python` blocks run as files of their own.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
from pathlib import Path

import pytest

from fakeio import Fake
from tests.contract.readme import RENDERED, Block, between, blocks, links
from tests.contract.source_tree import CHECKOUT, ROOTS

README = (CHECKOUT / "README.md").read_text(encoding="utf-8")
BLOCKS = blocks(README)
PAGES = sorted(CHECKOUT.glob("*.md")) + [page for room in ROOTS for page in sorted((CHECKOUT / room).rglob("*.md"))]
COMMANDS = ("fakeio", "cio-sync", "cio-scenarios")
SCRIPTS = sysconfig.get_path("scripts")
STORY = ("python story", "bash story", "text story")  # the first how-to: a file, commands, what they print
AS_IT_IS = ("bash exec", "text exec")  # a program run without changing it, and what is printed
WITHIN_S = 300


def run(command: list[str], folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs a command in a folder, with the installed commands first on the path."""
    env = {**os.environ, "PATH": f"{SCRIPTS}{os.pathsep}{os.environ['PATH']}", **environment}
    nothing = subprocess.DEVNULL
    return subprocess.run(
        command, cwd=folder, env=env, stdin=nothing, capture_output=True, text=True, timeout=WITHIN_S, check=False
    )


def of_kind(kind: str) -> list[object]:
    """README's blocks of one kind, as parameters named by their headings."""
    return [pytest.param(block, id=f"{n}-{block.heading}") for n, block in enumerate(BLOCKS) if block.kind == kind]


# -- the two commands --------------------------------------------------------------------------------------------------


def test_the_first_screen_holds_the_two_commands() -> None:
    demo, test = (block.text.strip() for block in BLOCKS if block.kind == "sh")
    assert demo == "python3 -m venv .venv && .venv/bin/pip install -q . && .venv/bin/cio-scenarios demo"
    assert test == "python3 -m venv .venv && .venv/bin/pip install -q '.[test]' && .venv/bin/pytest"


def test_ci_runs_the_test_command_word_for_word() -> None:
    test = [block.text.strip() for block in BLOCKS if block.kind == "sh"][1]
    assert f"{{ {test}; }}" in (CHECKOUT / ".ci" / "run").read_text(encoding="utf-8")


# -- the examples ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("block", of_kind("python"))
def test_an_example_runs(block: Block, tmp_path: Path) -> None:
    (tmp_path / "example.py").write_text(block.text, encoding="utf-8")
    ended = run([sys.executable, "example.py"], tmp_path)
    assert (ended.returncode, ended.stderr) == (0, "")


@pytest.mark.parametrize("block", of_kind("python test"))
def test_an_example_of_a_test_passes(block: Block, tmp_path: Path) -> None:
    (tmp_path / "test_example.py").write_text(block.text, encoding="utf-8")
    ended = run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_example.py"], tmp_path)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "1 passed" in ended.stdout


@pytest.mark.parametrize("block", of_kind("bash"))
def test_an_example_of_a_shell_session_runs(block: Block, tmp_path: Path) -> None:
    for sample in (CHECKOUT / "scenarios" / "samples").iterdir():
        if sample.suffix in {".csv", ".gz", ".zip"}:
            shutil.copy(sample, tmp_path)
    with Fake() as fake:
        text = block.text.replace("http://127.0.0.1:7099", str(fake.url))
        ended = run(["bash", "-euo", "pipefail", "-c", text], tmp_path, CIO_SYNC_STATE=str(tmp_path / "ledger.db"))
        writes = [request for request in fake.workspace.requests if request.method == "POST" and request.status == 200]
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "Traceback" not in ended.stderr
    assert writes


def test_the_example_of_a_program_as_it_is_says_what_arrived(tmp_path: Path) -> None:
    commands, shown = (block.text for kind in AS_IT_IS for block in BLOCKS if block.kind == kind)
    ended = run(["bash", "-euo", "pipefail", "-c", commands], tmp_path)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", shown)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The folder of the first how-to, beside the checkout, with its test."""
    project = tmp_path / "project"
    project.mkdir()
    (tmp_path / "fakeio").symlink_to(CHECKOUT, target_is_directory=True)
    (project / "test_goodbye.py").write_text(story("python"), encoding="utf-8")
    return project


def story(kind: str) -> str:
    """That block of the first how-to."""
    (text,) = (block.text for block in BLOCKS if block.kind == f"{kind} story")
    return text


def fails_as_shown(command: str, project: Path) -> None:
    ended = run(["bash", "-euc", command], project, PY_COLORS="0", PYTEST_ADDOPTS="")
    assert ended.returncode == pytest.ExitCode.TESTS_FAILED, ended.stdout + ended.stderr
    assert story("text") in ended.stdout


def test_the_first_how_to_ends_as_it_says(project: Path) -> None:
    *_, last = story("bash").splitlines()
    fails_as_shown(last.replace(".venv/bin/", ""), project)


@pytest.mark.skipif(not os.environ.get("CI"), reason="a new environment takes half a minute; CI makes one each time")
def test_the_first_how_to_ends_as_it_says_in_a_new_environment(project: Path) -> None:
    """Followed to the letter: a folder beside the checkout, a new environment, the commands, the failure.

    Nothing that is installed with it may have to be built: there need not be a compiler.
    """
    *preparing, last = story("bash").splitlines()
    prepared = run(["bash", "-euo", "pipefail", "-c", "\n".join(preparing)], project, PIP_ONLY_BINARY=":all:")
    assert prepared.returncode == 0, prepared.stdout + prepared.stderr
    fails_as_shown(last, project)


def test_the_assertions_say_what_the_page_shows(tmp_path: Path) -> None:
    page = blocks((CHECKOUT / "fakeio" / "README.md").read_text(encoding="utf-8"))
    code, shown = (block.text for kind in ("python story", "text story") for block in page if block.kind == kind)
    (tmp_path / "example.py").write_text(code, encoding="utf-8")
    ended = run([sys.executable, "example.py"], tmp_path)
    assert (ended.stderr, ended.stdout.strip()) == ("", shown.strip())


def test_the_first_how_to_is_the_story() -> None:
    first = README.partition("## How do I …\n\n### ")[2].partition("\n")[0]
    assert {block.heading for block in BLOCKS if block.kind in STORY} == {first}


def test_every_block_is_of_a_known_kind() -> None:
    plain = {"sh", "bash", "python", "python test", "console", "text"}
    assert {block.kind for block in BLOCKS} == {*plain, *STORY, *AS_IT_IS}


# -- nothing left out --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("page", "mark"), RENDERED)
def test_a_table_is_the_one_in_the_code(page: str, mark: str) -> None:
    shown = between((CHECKOUT / page).read_text(encoding="utf-8"), mark)
    assert shown == RENDERED[page, mark](), "write the tables anew: python -m tests.contract.readme"


def subcommands(command: str) -> list[str]:
    """The subcommands that a command's own help lists."""
    ended = run([command, "--help"], CHECKOUT, COLUMNS="200")
    listed = re.findall(r"^    ([a-z][a-z-]*)  +\S", ended.stdout, re.MULTILINE)
    assert listed, ended.stdout + ended.stderr
    return listed


@pytest.mark.parametrize("command", COMMANDS)
def test_every_subcommand_is_on_some_page(command: str) -> None:
    pages = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    assert [name for name in subcommands(command) if not re.search(rf"{command} {name}\b", pages)] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(CHECKOUT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    assert [link for link in links(page.read_text(encoding="utf-8")) if not (page.parent / link).exists()] == []


def test_every_dependency_has_a_bound_and_a_reason() -> None:
    text = (CHECKOUT / "pyproject.toml").read_text(encoding="utf-8")
    project = tomllib.loads(text)["project"]
    extras = [name for extra in project["optional-dependencies"].values() for name in extra]
    assert [name for name in project["dependencies"] if ">=" not in name] == []
    assert [name for name in extras if ">=" not in name and "==" not in name] == []  # a client under test may be pinned
    every = [*project["dependencies"], *extras]
    assert [name for name in every if not re.search(rf'^\s*"{re.escape(name)}",\s+# \S+', text, re.MULTILINE)] == []


def test_the_changelog_says_what_is_not_released_yet() -> None:
    assert "## [Unreleased]\n" in (CHECKOUT / "CHANGELOG.md").read_text(encoding="utf-8")


# -- the taking apart --------------------------------------------------------------------------------------------------


def test_a_page_is_taken_apart() -> None:
    page = "# A\n\n```python test\n# no heading\nx = 1\n```\n\n## B\n\n```sh\nls\n```\n[x](y.md#z) [w](https://e.org)\n"
    assert blocks(page) == [Block("python test", "# no heading\nx = 1\n", "A"), Block("sh", "ls\n", "B")]
    assert links(page) == ["y.md"]
