"""Metrics, unsubscribe links and forms: calls that need no credentials, or are not quite an identify."""

from __future__ import annotations

import pytest

from fakeio.core import operations as op
from fakeio.core.deliveries import METRICS, Delivery
from fakeio.core.outcomes import Applied, Ignored, Refused
from tests.unit.fakeio.spaces import Space, ref


def rule_of(outcome: object) -> str | None:
    return outcome.rule if isinstance(outcome, Ignored | Refused) else None


def with_delivery(type_: str = "email") -> Space:
    space = Space()
    space.identify("id:1", email="a@x.io")
    space.workspace.deliveries.add(Delivery("dlv", type_, space.person("id:1").cio_id, 5))
    return space


@pytest.mark.parametrize("type_", sorted(METRICS))
def test_each_channel_has_its_own_metrics(type_: str) -> None:
    every = sorted(set().union(*METRICS.values()))
    outcomes = {}
    for metric in every:
        outcomes[metric] = with_delivery(type_).do(op.ReportMetric(delivery_id="dlv", metric=metric))
    assert {metric for metric, outcome in outcomes.items() if isinstance(outcome, Applied)} == METRICS[type_]


def test_a_metric_is_an_activity_of_the_person() -> None:
    space = with_delivery()
    report = op.ReportMetric(delivery_id="dlv", metric="opened", timestamp=7, href="https://x.io")
    assert isinstance(space.do(report), Applied)
    assert rule_of(space.do(report)) == "delivery.unchanged"
    line = space.workspace.log.after(0, 9, type="opened_email")[0]
    assert (line.person, line.info) == (space.person("id:1").cio_id, {"delivery_id": "dlv", "href": "https://x.io"})


@pytest.mark.parametrize(
    ("delivery_id", "metric", "rule"),
    [("nope", "opened", "delivery.unknown"), ("", "opened", "track.metric.field"), ("dlv", "", "track.metric.field")],
)
def test_a_metric_that_lands_nowhere(delivery_id: str, metric: str, rule: str) -> None:
    assert rule_of(with_delivery().do(op.ReportMetric(delivery_id=delivery_id, metric=metric))) == rule


def test_an_unsubscribe_link_unsubscribes_the_person_and_can_be_taken_back() -> None:
    space = with_delivery()
    assert isinstance(space.do(op.Unsubscribe(delivery_id="dlv")), Applied)
    assert space.person("id:1").unsubscribed is True
    assert rule_of(space.do(op.Unsubscribe(delivery_id="dlv"))) == "person.unchanged"
    assert isinstance(space.do(op.Unsubscribe(delivery_id="dlv", unsubscribe=False)), Applied)
    assert space.person("id:1").unsubscribed is False
    assert rule_of(space.do(op.Unsubscribe(delivery_id="nope"))) == "delivery.unknown"
    assert space.activities("unsubscribed_email") == ["unsubscribed_email"]


def test_an_unsubscribe_is_a_metric_of_its_delivery_even_when_it_is_taken_back() -> None:
    space = with_delivery()
    for unsubscribes in (True, False):
        space.do(op.Unsubscribe(delivery_id="dlv", unsubscribe=unsubscribes))
        delivery = space.workspace.deliveries.get("dlv")
        assert delivery is not None
        assert delivery.metrics == {"unsubscribed": int(space.now)}


# --- forms ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        pytest.param({"email": "a@x.io", "plan": "pro"}, None, id="an email and a field"),
        pytest.param({"id": "1", "email": None}, None, id="null beside the identifier"),
        pytest.param({"email_address": "a@x.io"}, "track.form", id="no identifier"),
        pytest.param({"id": "1", "email": "a@x.io"}, "track.form", id="two identifiers"),
        pytest.param({"email": "a@x.io", "age": 5}, "track.form", id="a number"),
    ],
)
def test_what_a_submission_must_look_like(data: dict[str, object], rule: str | None) -> None:
    space = Space()
    outcome = space.do(op.SubmitForm(form_id="f1", data=data))
    assert rule_of(outcome) == rule
    assert len(space.people()) == (rule is None)


def test_a_form_is_connected_once() -> None:
    space = Space()
    assert isinstance(space.do(op.ConnectForm(form_id="f1")), Applied)
    assert rule_of(space.do(op.ConnectForm(form_id="f1"))) == "form.connected"
    assert set(space.workspace.forms) == {"f1"}


def test_a_submission_sets_attributes_and_records_an_event() -> None:
    space = Space()
    space.do(op.SubmitForm(form_id="f1", data={"email": "a@x.io", "plan": "pro", "form_name": "hidden"}))
    assert space.people() == [{"id": None, "email": "a@x.io", "plan": "pro"}]
    assert space.event_names("email:a@x.io") == ["form_submission"]


def test_a_submission_of_a_suppressed_person_is_dropped() -> None:
    space = Space()
    space.do(op.Suppress(ref=ref("email:a@x.io")))
    assert rule_of(space.do(op.SubmitForm(form_id="f", data={"email": "a@x.io"}))) == "person.suppressed"
    assert space.people() == []
