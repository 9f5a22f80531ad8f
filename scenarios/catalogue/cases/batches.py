"""Track API v2: operations alone and in batches, objects and relationships."""

from __future__ import annotations

from scenarios.catalogue.case import ASSUMED, CLIENT_TESTED, DOCUMENTED, Case, Ending, Given
from scenarios.catalogue.matching import ABSENT, ANY
from scenarios.catalogue.writing import app, batch, entity, identify, person, track

_V2 = ("track", "v2")
_OBJECTS = ("track", "v2", "objects")
_SOURCE = "Track API > v2"
_BATCH = "Track API > v2 batch"
ADA, BOB = {"id": "~ada"}, {"id": "~bob"}
_ANYBODY = Given(people=(ADA,))
_ACME = {"object_type_id": "1", "object_id": "acme"}
_ACME_READ = {"object_type_id": "1", "identifiers": {"object_id": "acme"}}
_AT_ACME = Given(
    people=({"id": "ada"},),
    seed={"objects": [{**_ACME, "relationships": [{"id": "ada"}]}]},
)


def _sized(size_bytes: int) -> str:
    """A batch of one operation of exactly so many bytes, in attributes that are short enough each."""
    start, end = '{"type":"person","action":"identify","identifiers":{"id":"ada"},"attributes":{', "}}"
    full = [f'"k{n:03}":"{"v" * 890}"' for n in range((size_bytes - len(start) - len(end)) // 900 - 1)]
    used = len(start) + len(end) + len(",".join(full)) + len(',"y":"","z":""')
    y = (size_bytes - used) // 2
    z = size_bytes - used - y
    last = f'"y":"{"v" * y}","z":"{"v" * z}"'
    return f'{{"batch":[{start}{",".join([*full, last])}{end}]}}'


_JSON = {"Content-Type": "application/json"}

CASES = (
    Case(
        name="one-bad-item-of-three", tags=_V2, grade=DOCUMENTED, source=_BATCH, live=True,
        rules=("track.event.name.blank",),
        words="A bad item of a batch is named by its place, counted from 0, and the others are applied.",
        steps=(batch(
            person("identify", ADA), person("event", ADA), person("identify", BOB),
            status=207, answer={"errors": [{"batch_index": 1}]}),),
        ending=Ending(people=(ADA, BOB), events=(), refused=("track.event.name.blank",)),
    ),
    Case(
        name="every-item-is-bad", tags=_V2, grade=CLIENT_TESTED, rules=("batch_all_invalid",), live=True,
        source="Track API > v2 batch, read literally", words="A batch of nothing but bad items is 207, too.",
        steps=(batch(person("event", ADA), person("event", BOB), status=207, answer={
            "errors": [{"batch_index": 0}, {"batch_index": 1}]}),),
        ending=Ending(people=(), gone=("~ada", "~bob"), refused=("track.event.name.blank", "track.event.name.blank")),
    ),
    Case(
        name="every-item-is-bad-by-switch", tags=_V2, grade=CLIENT_TESTED, rules=("batch_all_invalid",),
        source=_BATCH, given=Given(settings={"batch_all_invalid": "400"}), words="The same, answered as a bad request.",
        steps=(batch(person("event", ADA), status=400),), ending=Ending(people=(), refused=("track.event.name.blank",)),
    ),
    Case(
        name="empty-batch", tags=_V2, grade=ASSUMED, rules=("batch_empty", "track.v2.empty"), live=True,
        source="the vendor's pages are silent", words="A batch of nothing is refused.",
        steps=(batch(status=400),), ending=Ending(refused=("track.v2.empty",)),
    ),
    Case(
        name="item-with-a-null-id", tags=_V2, grade=DOCUMENTED, rules=("track.person.id.not_text",), source=_BATCH,
        live=True, words="An identifier that is null is an error of its item.",
        steps=(batch(person("identify", {"id": None}), status=207, answer={"errors": [{"batch_index": 0}]}),),
        ending=Ending(people=(), refused=("track.person.id.not_text",)),
    ),
    Case(
        name="item-with-two-identifiers", tags=_V2, grade=DOCUMENTED, rules=("track.identifiers.several",),
        source=_BATCH, live=True, words="An operation names its person by one identifier.",
        steps=(batch(person("identify", {"id": "~ada", "email": "~ada@example.com"}), status=207, answer={
            "errors": [{"batch_index": 0}]}),),
        ending=Ending(people=(), gone=("~ada",), refused=("track.identifiers.several",)),
    ),
    Case(
        name="item-without-identifiers", tags=_V2, grade=DOCUMENTED, rules=("track.person.id.missing",), source=_BATCH,
        live=True, words="An operation on a person names the person.",
        steps=(batch({"type": "person", "action": "identify"}, status=207, answer={"errors": [{"batch_index": 0}]}),),
        ending=Ending(people=(), refused=("track.person.id.missing",)),
    ),
    Case(
        name="item-of-an-unknown-type", tags=_V2, grade=DOCUMENTED, rules=("track.v2.type",), source=_SOURCE, live=True,
        words="There are people, objects and deliveries.",
        steps=(entity({"type": "robot", "action": "identify", "identifiers": ADA}, status=400),),
        ending=Ending(people=(), refused=("track.v2.type",)),
    ),
    Case(
        name="item-of-an-unknown-action", tags=_V2, grade=DOCUMENTED, rules=("track.v2.action",), source=_SOURCE,
        words="A person can't be asked to do just anything.", live=True,
        steps=(entity(person("explode", ADA), status=400),), ending=Ending(people=(), refused=("track.v2.action",)),
    ),
    Case(
        name="item-of-32-kb", tags=(*_V2, "limits"), grade=DOCUMENTED, rules=("track.v2.item", "limits_reading"),
        source="Track API > Rate Limits > v2 API Limits", words="An operation of 32,768 bytes is taken.",
        steps=(track("POST", "/api/v2/batch", text=_sized(32_768), headers=_JSON),),
        ending=Ending(people=({"id": "ada", "attributes": {"k000": ANY}},), refused=()),
    ),
    Case(
        name="item-over-32-kb", tags=(*_V2, "limits"), grade=DOCUMENTED, rules=("track.v2.item",),
        source="Track API > Rate Limits > v2 API Limits", words="One byte more is an error of its item.",
        steps=(track("POST", "/api/v2/batch", text=_sized(32_769), headers=_JSON, status=207,
                     answer={"errors": [{"batch_index": 0}]}),),
        ending=Ending(people=(), refused=("track.v2.item",)),
    ),
    Case(
        name="item-of-32-kb-read-strictly", tags=(*_V2, "limits"), grade=ASSUMED, rules=("limits_reading",),
        source="Track API > Rate Limits, which contradicts its own operations",
        given=Given(settings={"limits_reading": "strict"}),
        words="Where `32kb` is read as less than 32,000 bytes, 32,000 are too many.",
        steps=(track("POST", "/api/v2/batch", text=_sized(32_000), headers=_JSON, status=207),),
        ending=Ending(people=(), refused=("track.v2.item",)),
    ),
    Case(
        name="batch-over-500-kb", tags=(*_V2, "limits"), grade=DOCUMENTED, rules=("track.v2.batch",),
        source="Track API > Rate Limits > v2 API Limits", words="A batch over 500 kB is refused whole.",
        steps=(track("POST", "/api/v2/batch", headers=_JSON, status=400,
                     text='{"batch":[' + ",".join(['{"type":"person"}'] * 30_000) + "]}"),),
        ending=Ending(people=(), refused=("track.v2.batch",)),
    ),
    Case(
        name="v2-merge-has-no-identifiers", tags=(*_V2, "merging"), grade=DOCUMENTED, source=_SOURCE, live=True,
        given=Given(people=(ADA, BOB)), words="A merge names its two people and nobody else.",
        steps=(entity({"type": "person", "action": "merge", "primary": ADA, "secondary": BOB}),),
        ending=Ending(people=(ADA,), gone=("~bob",)),
    ),
    Case(
        name="v2-device-in-the-shape-of-v1", tags=(*_V2, "devices"), grade=DOCUMENTED, rules=("track.device",),
        source=_SOURCE, given=_ANYBODY, words="A v2 device has a token, not an id.", live=True,
        steps=(entity(person("add_device", ADA, device={"id": "~t1", "platform": "ios"}), status=400),),
        ending=Ending(people=(ADA,), refused=("track.device",)),
    ),
    Case(
        name="v2-event-with-data", tags=(*_V2, "events"), grade=DOCUMENTED, source=_SOURCE, given=_ANYBODY, live=True,
        words="A v2 event carries attributes; `data` is accepted and lost.",
        steps=(entity(person("event", ADA, name="buy", data={"total": 3})),),
        ending=Ending(events=({"name": "buy", "data": {"total": ABSENT}, "person": ADA},)),
    ),
    Case(
        name="v2-event-with-attributes", tags=(*_V2, "events"), grade=DOCUMENTED, source=_SOURCE, given=_ANYBODY,
        words="What a v2 event carries is its data.", live=True,
        steps=(entity(person("event", ADA, name="buy", attributes={"total": 3})),),
        ending=Ending(events=({"name": "buy", "data": {"total": 3}, "person": ADA},)),
    ),
    Case(
        name="v2-identify-by-email", tags=_V2, grade=DOCUMENTED, source=_SOURCE, live=True,
        words="A v2 operation says which identifier it means.",
        steps=(entity(person("identify", {"email": "~ada@example.com"}, attributes={"plan": "pro"})),),
        ending=Ending(people=({"id": None, "email": "~ada@example.com", "attributes": {"plan": "pro"}},)),
    ),
    Case(
        name="v2-id-shaped-like-an-email", tags=_V2, grade=DOCUMENTED, source=_SOURCE,
        words="In v2 an id may look like an address and is still an id.",
        steps=(entity(person("identify", {"id": "ada@example.com"})),),
        ending=Ending(people=({"id": "ada@example.com", "email": None},)),
    ),
    Case(
        name="new-object-with-its-link", tags=_OBJECTS, grade=DOCUMENTED, source=_SOURCE,
        given=Given(people=({"id": "ada"},)),
        words="Identifying an object that is new makes it, with its link to a person; its type is text.",
        steps=(
            entity({"type": "object", "action": "identify", "identifiers": _ACME, "attributes": {"name": "Acme"},
                    "cio_relationships": [{"identifiers": {"id": "ada"}}]}),
            app("GET", "/v1/customers/ada/relationships", answer={"cio_relationships": [_ACME_READ]}),
        ),
    ),
    Case(
        name="deleted-object-leaves-no-link", tags=_OBJECTS, grade=DOCUMENTED, source=_SOURCE, given=_AT_ACME,
        words="A link goes with its object.",
        steps=(
            entity({"type": "object", "action": "delete", "identifiers": _ACME}),
            app("GET", "/v1/customers/ada/relationships", answer={"cio_relationships": []}),
        ),
    ),
    Case(
        name="v1-relationships-as-an-object", tags=("track", "objects"), grade=DOCUMENTED, given=_ANYBODY,
        source="Track API > Identify", words="In v1 relationships are an object with an action and a list.",
        steps=(
            identify("~ada", {"cio_relationships": {
                "action": "add_relationships", "relationships": [{"identifiers": _ACME}]}}),
            app("GET", "/v1/customers/~ada/relationships", answer={"cio_relationships": [_ACME_READ]}),
        ),
    ),
    Case(
        name="v1-relationships-as-a-list", tags=("track", "objects"), grade=ASSUMED, rules=("relationships.shape",),
        source="Track API > Identify", given=_ANYBODY,
        words="The list of v2 in a v1 call is dropped; the rest of the call is applied.",
        steps=(identify("~ada", {"plan": "pro", "cio_relationships": [{"identifiers": _ACME}]}),),
        ending=Ending(people=({"id": "~ada", "attributes": {"plan": "pro"}},), ignored=("relationships.shape",)),
    ),
    Case(
        name="object-nobody-knows", tags=_OBJECTS, grade=DOCUMENTED, rules=("object.unknown",), source=_SOURCE,
        words="Deleting an object that is not there is accepted.",
        steps=(entity({"type": "object", "action": "delete", "identifiers": _ACME}),),
        ending=Ending(ignored=("object.unknown",)),
    ),
    Case(
        name="object-of-an-unknown-type-by-switch", tags=_OBJECTS, grade=ASSUMED,
        source="the vendor's pages are silent", rules=("object_type_unknown", "track.object.type_unknown"),
        given=Given(settings={"object_type_unknown": "400"}),
        words="Where types must exist, an object of another type is refused.",
        steps=(entity({"type": "object", "action": "identify", "identifiers": {**_ACME, "object_type_id": "9"}},
                      status=400),),
        ending=Ending(refused=("track.object.type_unknown",)),
    ),
)  # fmt: skip
