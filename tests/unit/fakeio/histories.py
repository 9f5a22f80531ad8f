"""Histories of a workspace: operations of every kind that has a state of its own, and time that passes between them."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from fakeio.core import app_operations as app
from fakeio.core import operations as op
from fakeio.core.content import Newsletter, Webhook
from fakeio.core.filters import Filter, parse_filter
from fakeio.core.identifiers import CIO_ID, EMAIL, ID, Ref
from fakeio.core.managing import HANDLERS
from fakeio.core.seeding import seed
from fakeio.core.settings import Settings
from fakeio.core.snapshots import take
from fakeio.core.workspace import Workspace

NOW = 1_700_000_000.0
DAY_S = 86_400.0

START: dict[str, Any] = {
    "people": [{"id": "1", "email": "a@x.io", "attributes": {"phone": "+41790000000", "n": 1}}, {"id": "2"}],
    "segments": [
        {"id": 1, "name": "manual", "members": ["1"]},
        {"id": 2, "name": "buyers", "type": "dynamic", "conditions": {
            "event": {"name": "buy", "filters": {"and": [{"field": "n", "operator": "exists"}]}}, "times": 2,
            "within": 86_400}},
        {"id": 3, "name": "known", "type": "dynamic", "conditions": {
            "or": [{"attribute": {"field": "n", "operator": "exists"}}, {"segment": {"id": 2}}]}},
    ],
    "deliveries": [{"id": "dlv", "type": "email", "person": "1", "recipient": "a@x.io"}],
    "templates": [{"name": "Receipt", "trigger_name": "receipt", "contents": [{"subject": "Thanks", "body": "x"}]}],
    "broadcasts": [{"name": "Sale"}],
    "collections": [{"name": "Shops", "rows": [{"city": "Bern"}]}],
}  # fmt: skip

_FILTERS = (
    {"segment": {"id": 1}}, {"attribute": {"field": "n", "operator": "eq", "value": 1}},
    {"not": {"attribute": {"field": "email", "operator": "exists"}}},
)  # fmt: skip


def _filter(document: Any) -> Filter:
    found = parse_filter(document)
    assert isinstance(found, Filter)
    return found


filters = st.sampled_from(_FILTERS).map(_filter)
refs = st.one_of(
    st.builds(Ref, st.just(ID), st.sampled_from(["1", "2", "3"])),
    st.builds(Ref, st.just(EMAIL), st.sampled_from(["a@x.io", "A@x.io", "b@x.io"])),
    st.builds(Ref, st.just(CIO_ID), st.sampled_from(["a3000001", "a3000003"])),
)
anonymous_ids = st.sampled_from(["anon", "other"])
values = st.one_of(st.integers(0, 2), st.sampled_from(["", "x", None, True, 1.5]), st.just({"deep": [1, {"a": None}]}))
attributes = st.dictionaries(st.sampled_from(["n", "plan", "phone", "email", "id"]), values, max_size=2) | (
    st.builds(lambda who: {"anonymous_id": who}, anonymous_ids)
) | st.sampled_from([{"phone": "+41790000000"}, {"phone": "+41790000001"}, {"email": "a@x.io"}, {"email": "c@x.io"},
                     {"cio_subscription_preferences.topics.topic_1": True}])  # fmt: skip
object_refs = st.builds(op.ObjectRef, st.just("1"), st.sampled_from(["acme", "zoo"]))
deliveries = st.sampled_from(["dlv", "none"])

people_operations = st.one_of(
    st.builds(op.Identify, ref=refs, attributes=attributes, timestamp=st.sampled_from([None, 5, 9])),
    st.builds(op.DeletePerson, ref=refs),
    st.builds(op.Suppress, ref=refs),
    st.builds(op.Unsuppress, ref=refs),
    st.builds(op.MergePeople, primary=refs, secondary=refs),
    st.builds(op.AddDevice, ref=refs, token=st.sampled_from(["t", "u"]), platform=st.just("ios")),
    st.builds(op.RemoveDevice, ref=refs, token=st.sampled_from(["t", "u"])),
    st.builds(op.JoinSegment, segment_id=st.integers(1, 5), ref=refs),
    st.builds(op.LeaveSegment, segment_id=st.integers(1, 5), ref=refs),
    st.builds(op.CreateSegment, segment_name=st.sampled_from(["a", "b"])),
    st.builds(op.DeleteSegment, segment_id=st.integers(1, 5)),
    st.builds(op.SubmitForm, form_id=st.just("f"), data=st.just({"email": "b@x.io", "n": "2"})),
    st.builds(op.ConnectForm, form_id=st.sampled_from(["f", "g"])),
)
event_operations = st.one_of(
    st.builds(
        op.RecordEvent, ref=refs, event=st.sampled_from(["buy", "look"]), type=st.sampled_from(["event", "page"]),
        data=st.sampled_from([b"{}", b'{"n": 1}']), dedupe_id=st.sampled_from([None, "e1"]),
    ),
    st.builds(
        op.RecordEvent, ref=st.none(), event=st.just("buy"), data=st.just(b'{"n": 2}'), anonymous_id=anonymous_ids
    ),
)  # fmt: skip
object_operations = st.one_of(
    st.builds(op.IdentifyObject, object=object_refs, attributes=attributes),
    st.builds(op.DeleteObject, object=object_refs),
    st.builds(op.Relate, object=object_refs, ref=refs, attributes=attributes),
    st.builds(op.Relate, object=object_refs, anonymous_id=anonymous_ids, attributes=attributes),
    st.builds(op.Unrelate, object=object_refs, ref=refs),
)
message_operations = st.one_of(
    st.builds(op.ReportMetric, delivery_id=deliveries, metric=st.sampled_from(["opened", "clicked"])),
    st.builds(op.Unsubscribe, delivery_id=deliveries),
    st.builds(
        app.SendMessage, channel=st.just("email"), template=st.sampled_from([1, "receipt", "made"]), ref=refs,
        recipient=st.sampled_from(["a@x.io", ""]), auto_create=st.just(value=True),
        send_at=st.sampled_from([None, int(NOW + DAY_S)]), message=st.just({"subject": "Hi"}),
    ),
    st.builds(
        app.TriggerBroadcast, broadcast_id=st.integers(1, 2), data=st.just({"a": 1}), audience=st.one_of(
            (st.none() | filters).map(lambda wanted: app.Audience(filter=wanted)),
            st.lists(refs.map(lambda ref: app.Recipient(1, ref, {"b": 2})), max_size=2).map(
                lambda listed: app.Audience(recipients=tuple(listed))
            ),
        ),
    ),
)  # fmt: skip
content_operations = st.one_of(
    st.builds(app.SaveCollection, collection_id=st.sampled_from([None, 1]), title=st.just("t"), rows=st.just([1])),
    st.builds(app.DeleteCollection, collection_id=st.integers(1, 2)),
    st.builds(app.SaveSnippet, snippet=st.just("s"), value=st.sampled_from(["a", "b"]), create=st.booleans()),
    st.builds(app.DeleteSnippet, snippet=st.just("s")),
    st.builds(
        app.SaveWebhook, webhook=st.builds(
            Webhook, id=st.integers(0, 1), name=st.just("w"), endpoint=st.just("http://127.0.0.1"),
            events=st.just(["email_sent"]),
        ),
    ),
    st.builds(app.DeleteWebhook, webhook_id=st.integers(1, 2)),
    st.builds(
        app.EditTemplate, template_id=st.integers(1, 2), language=st.sampled_from(["", "fr"]),
        changes=st.just({"subject": "new"}),
    ),
    st.builds(app.EditAction, broadcast_id=st.just(1), action_id=st.just(1), changes=st.just({"subject": "new"})),
    st.builds(
        app.CreateNewsletter, send_now=st.booleans(), newsletter=st.builds(
            Newsletter, name=st.just("news"), recipients=st.sampled_from(_FILTERS),
            scheduled_at=st.sampled_from([None, int(NOW + DAY_S)]),
        ),
    ),
    st.builds(app.ScheduleNewsletter, newsletter_id=st.integers(1, 2), at=st.sampled_from([None, int(NOW + DAY_S)])),
    st.builds(app.DeleteNewsletter, newsletter_id=st.integers(1, 2)),
    st.builds(app.SuppressAddress, list=st.sampled_from(["bounces", "blocks"]), email=st.just("a@x.io")),
    st.builds(app.UnsuppressAddress, list=st.just("bounces"), email=st.just("A@x.io")),
    st.builds(app.ExportPeople, filter=filters, attributes=st.just(("n",))),
    st.builds(app.ExportDeliveries, origin=st.just("transactional_message_id"), origin_id=st.just(1)),
    st.builds(app.LinkExport, export_id=st.integers(1, 2), token=st.sampled_from(["t1", "t2"])),
    st.builds(
        app.ImportFile, type=st.just("people"), title=st.just("t"), identifier=st.just("id"),
        content=st.sampled_from([b"id,n\n9,1\n1,7\n", b"\xff"]),
    ),
)  # fmt: skip
operations = people_operations | event_operations | object_operations | message_operations | content_operations
# only what the Track API accepts is ever held back
AT_ONCE: tuple[type[op.Operation], ...] = (*HANDLERS, op.CreateSegment, op.DeleteSegment)
steps = st.one_of(
    st.tuples(operations, st.sampled_from([0.0, 60.0])),  # what is accepted, and how long it may stay unseen
    st.sampled_from([1.0, 90.0, DAY_S, 31 * DAY_S]),  # seconds that pass
)
histories = st.lists(steps, max_size=25)
settings = st.sampled_from([
    {}, {"identifiers": "id"}, {"segment_build_s": 600}, {"export_s": 120, "import_s": 300, "broadcast_s": 60},
    {"email_updates_by_id": True, "phone_identifier": True},
])  # fmt: skip


def begin(values: dict[str, Any]) -> Workspace:
    """A workspace of those settings with some of everything in it."""
    space = Workspace(id=1, name="test", region="us", settings=Settings(values))
    seed(space, START, NOW)
    return space


def live(space: Workspace, history: list[Any], now: float) -> tuple[float, list[Any]]:
    """Do all that, from that time on: the time at the end, and how each operation ended, in a word.

    Not in all its words: they may tell which request blocked somebody, and that no snapshot knows.
    """
    outcomes: list[Any] = []
    for step in history:
        if isinstance(step, float):
            now += step
        else:
            space.sweep(now)
            operation, delay_s = step
            at_once = isinstance(operation, AT_ONCE)
            outcome = space.apply(operation, now, 7) if at_once else space.accept(operation, now, 7, delay_s)
            outcomes.append((type(outcome).__name__, getattr(outcome, "rule", None), getattr(outcome, "result", None)))
    space.sweep(now)
    return now, outcomes


def told(space: Workspace) -> Any:
    """Everything that can be seen of a workspace: its snapshot, and what is looked up by person."""
    people = {person.cio_id: sorted(person.segments) for person in space.people}
    return take(space), people, {cio_id: [line.number for line in space.log.of(cio_id)] for cio_id in people}


def _event(who: str | None, n: int, **more: Any) -> Any:
    ref = None if who is None else Ref(ID, who)
    return op.RecordEvent(ref=ref, event="buy", data=b'{"n": %d}' % n, **more), 0.0


def busy(value: str, *, held: bool = True) -> list[Any]:
    """A history that touches everything there is to touch; `value` tells one such from another."""
    one, two = Ref(ID, "1"), Ref(ID, "2")
    return [
        (op.Identify(ref=one, attributes={"plan": value, "n": None}, timestamp=9), 0.0), 1.0,
        (op.Identify(ref=one, attributes={"plan": "late"}, timestamp=5), 0.0),
        (op.Identify(ref=two, attributes={"n": value, "email": f"{value}@x.io"}), 0.0),
        (op.JoinSegment(segment_id=1, ref=two), 0.0),
        (op.LeaveSegment(segment_id=1, ref=one), 0.0),
        (op.JoinSegment(segment_id=1, ref=one), 0.0),
        (op.LeaveSegment(segment_id=1, ref=one), 0.0),
        _event("1", 1), _event("1", 2), _event("2", 1, dedupe_id="e1"), _event(None, 3, anonymous_id=f"anon {value}"),
        (op.AddDevice(ref=one, token=f"t {value}", platform="ios"), 0.0),
        (op.ReportMetric(delivery_id="dlv", metric="opened", timestamp=len(value)), 0.0),
        (op.Unsubscribe(delivery_id="dlv"), 0.0),
        (op.IdentifyObject(object=op.ObjectRef("1", "acme"), attributes={"n": value}), 0.0),
        (op.Relate(object=op.ObjectRef("1", "acme"), ref=one, attributes={"role": value}), 0.0),
        (op.Relate(object=op.ObjectRef("1", "zoo"), anonymous_id=f"anon {value}"), 0.0),
        (op.Identify(ref=Ref(ID, f"new {value}"), attributes={"anonymous_id": f"anon {value}"}), 0.0),
        (op.MergePeople(primary=one, secondary=Ref(ID, f"new {value}")), 0.0),
        (op.MergePeople(primary=one, secondary=two), 0.0),
        (app.SaveCollection(collection_id=1, title=value), 0.0),
        (app.EditTemplate(template_id=1, language="", changes={"subject": value}), 0.0),
        (op.Identify(ref=two, attributes={"later": value}), 60.0 if held else 0.0),
    ]  # fmt: skip
