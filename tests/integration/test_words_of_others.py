"""What Customer.io says of a refused request may name the people in it; no error, log line or report repeats that."""

from __future__ import annotations

from pathlib import Path

import pytest

from fakeio import Fake
from sync.core.report import encode
from tests.integration import event_engine
from tests.integration.cohort_engine import Engine

BOB = "bob@example.com"
BODY = {"errors": [{"detail": f"value {BOB} is not acceptable"}]}


@pytest.mark.parametrize(
    ("path", "said"),
    [
        pytest.param(
            "/v1/segments", "listing segments: Customer.io answered 400 (value *** is not acceptable)", id="listing"
        ),
        pytest.param(
            "/v1/segments/*/membership",
            "reading members back: Customer.io answered 400 (value *** is not acceptable)",
            id="reading members back",
        ),
        pytest.param("/v1/customers", "reading members back: Customer.io answered 400", id="looking people up"),
    ],
)
def test_an_error_of_a_cohort_run_names_nobody(engine: Engine, path: str, said: str) -> None:
    engine.workspace.fault("status", status=400, body=BODY, match={"path": path})
    ended = engine.run(BOB, "nobody@example.com", id_type="email")
    assert ended.error is not None
    assert (ended.exit_code, ended.error.message) == (4, said)
    assert BOB not in encode(ended.report).decode() + engine.said.getvalue()


def test_an_error_of_an_events_run_names_nobody(fake: Fake, tmp_path: Path) -> None:
    engine = event_engine.Engine(fake, fake.new_workspace(), tmp_path)
    engine.workspace.fault("status", status=404, body=BODY, match={"path": event_engine.BATCH_PATH})
    ended = engine.run(event_engine.row(user_id=BOB))
    assert ended.error is not None
    said = "sending events: Customer.io answered 404, which is not about the events"
    assert (ended.exit_code, ended.error.message) == (4, said)
    assert BOB not in encode(ended.report).decode() + engine.said.getvalue()
