"""Somebody else's idea of nonsense: schemathesis, from our description of the control API and the vendor's of Track.

Its pytest plugin loads Hypothesis into every run of everybody, so it is not among the packages of the tests: these run
where `FAKEIO_SCHEMATHESIS` names its command, as CI does.
"""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import httpx
import pytest

from tests.contract.live import basic_header
from tests.contract.serving import serving

CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
SCHEMATHESIS = os.environ.get("FAKEIO_SCHEMATHESIS")

pytestmark = pytest.mark.skipif(
    not SCHEMATHESIS, reason="no schemathesis: install it apart from this, and set FAKEIO_SCHEMATHESIS to its command"
)


def schemathesis(url: str, description: str, folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [str(SCHEMATHESIS), "run", description, "--url", url, "--seed", "1", *options]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=500, check=False)


def test_schemathesis_finds_nothing(tmp_path: Path) -> None:
    """Only where `FAKEIO_SCHEMATHESIS` names its command: the control API is what its description says."""
    with serving("--json", "--quiet") as served:
        url = served.ready["url"]
        ended = schemathesis(url, f"{url}/_fakeio/openapi.json", tmp_path, "--checks", CHECKS, "-n", "5")
    assert ended.returncode == 0, ended.stdout + ended.stderr


@pytest.mark.skipif("FAKEIO_VENDOR_SPECS" not in os.environ, reason="nobody put the vendor's descriptions there")
@pytest.mark.may_skip_in_ci("the vendor's descriptions are in no package index")
def test_schemathesis_finds_no_error_of_ours_in_the_vendors_description(tmp_path: Path) -> None:
    """Whatever that description allows, and what it does not: thousands of requests, no answer of 500.

    Its exit code says nothing: it can't make requests for some schemas of the vendor, and counts that as errors.
    """
    description = Path(os.environ["FAKEIO_VENDOR_SPECS"], "track-openapi.json")
    with serving("--json", "--quiet") as served:
        keys = served.ready["workspace"]
        header = ("-H", basic_header(keys["site_id"], keys["track_api_key"]).decode().strip())
        how = ("--checks", "not_a_server_error", "--phases", "coverage,fuzzing", "-n", "5")
        ended = schemathesis(served.ready["url"], str(description), tmp_path, *how, *header)
        with httpx.Client(base_url=served.ready["url"]) as client:
            people = client.get("/_fakeio/workspaces/default/people").json()["people"]
    made = re.search(r"(\d+) generated, (\d+) passed", ended.stdout)
    assert made is not None, ended.stdout + ended.stderr
    assert int(made[1]) == int(made[2]) > 1000, ended.stdout
    assert people, "nothing was let in"
