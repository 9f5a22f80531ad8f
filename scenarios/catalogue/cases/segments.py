"""Manual segments, through the Track API and the App API."""

from __future__ import annotations

from scenarios.catalogue.case import ASSUMED, DOCUMENTED, Case, Ending, Given
from scenarios.catalogue.matching import ABSENT, ANY, any_order
from scenarios.catalogue.writing import app, delete, join, leave, merge, track

_TRACK = ("track", "segments")
_APP = ("app", "segments")
_GUIDE = "Manual segments guide"
_SOURCE = "App API > Segments"
_SILENT = "the vendor's pages are silent"
ADA, BOB = {"id": "~ada"}, {"id": "~bob"}
_VIP = {"name": "~vip"}
_EMPTY = Given(people=(ADA, BOB), segments=(_VIP,))
_WITH_ADA = Given(people=(ADA, BOB), segments=({"name": "~vip", "members": ["~ada"]},))
_DYNAMIC = Given(people=(ADA,), seed={"segments": [
    {"name": "pros", "type": "dynamic", "conditions": {
        "attribute": {"field": "plan", "operator": "eq", "value": "pro"}}},
]})  # fmt: skip

CASES = (
    Case(
        name="join-a-segment", tags=_TRACK, grade=DOCUMENTED, source=_GUIDE, given=_EMPTY, live=True,
        words="People are added by id.", steps=(join("$vip", ["~ada", "~bob"]),),
        ending=Ending(members={"~vip": ("~ada", "~bob")}, ignored=()),
    ),
    Case(
        name="join-of-an-unknown-person", tags=_TRACK, grade=DOCUMENTED, rules=("segment.person_unknown",),
        source=_GUIDE, given=_EMPTY, live=True,
        words="An id of nobody is ignored without a word: adding never creates a person.",
        steps=(join("$vip", ["~ada", "~ghost"]),),
        ending=Ending(people=(ADA, BOB), gone=("~ghost",), members={"~vip": ("~ada",)},
                      ignored=("segment.person_unknown",)),
    ),
    Case(
        name="join-that-creates-by-switch", tags=_TRACK, grade=DOCUMENTED, rules=("segment_unknown_person",),
        source="editions of the guide before 2020", words="Under the rule of years ago the person is created.",
        given=Given(segments=(_VIP,), settings={"segment_unknown_person": "create"}),
        steps=(join("$vip", ["ghost"]),), ending=Ending(people=({"id": "ghost"},), members={"~vip": ("ghost",)}),
    ),
    Case(
        name="join-with-numbers-as-ids", tags=_TRACK, grade=DOCUMENTED, source=_GUIDE,
        given=Given(people=({"id": "42"},), segments=(_VIP,)), words="Ids may come as numbers.",
        steps=(join("$vip", [42]),), ending=Ending(members={"~vip": ("42",)}),
    ),
    Case(
        name="join-of-a-thousand-and-one", tags=(*_TRACK, "limits"), grade=DOCUMENTED, rules=("track.segment.ids",),
        source="Track API > Manual segments", given=_EMPTY, live=True,
        words="A call names a thousand people at most; one more and nobody is added.",
        steps=(join("$vip", ["~ada", *(f"~x{n}" for n in range(1000))], status=400),),
        ending=Ending(members={"~vip": ()}, refused=("track.segment.ids",)),
    ),
    Case(
        name="join-of-exactly-a-thousand", tags=(*_TRACK, "limits"), grade=DOCUMENTED, rules=("track.segment.ids",),
        source="Track API > Manual segments", given=_EMPTY, words="A thousand are allowed.",
        steps=(join("$vip", ["~ada", *(f"~x{n}" for n in range(999))]),),
        ending=Ending(members={"~vip": ("~ada",)}, refused=()),
    ),
    Case(
        name="join-of-nobody", tags=_TRACK, grade=DOCUMENTED, given=_EMPTY, live=True,
        rules=("track.segment.ids.invalid",), source="Track API > Manual segments",
        words="A call without ids is refused.",
        steps=(join("$vip", [], status=400),),
        ending=Ending(members={"~vip": ()}, refused=("track.segment.ids.invalid",)),
    ),
    Case(
        name="join-with-ids-that-are-no-list", tags=_TRACK, grade=DOCUMENTED, rules=("track.segment.ids.invalid",),
        source="Track API > Manual segments", given=_EMPTY, words="Ids come as a list.", live=True,
        steps=(join("$vip", "~ada", status=400),),
        ending=Ending(members={"~vip": ()}, refused=("track.segment.ids.invalid",)),
    ),
    Case(
        name="join-by-email", tags=_TRACK, grade=DOCUMENTED, source=_GUIDE, live=True,
        given=Given(people=({"id": "~ada", "email": "~ada@example.com"}, BOB), segments=(_VIP,)),
        rules=("segment.wrong_id_type",),
        words="With `id_type=email` only emails are looked at, ids among them are not.",
        steps=(join("$vip", ["~ada@example.com", "~bob"], "?id_type=email"),),
        ending=Ending(members={"~vip": ("~ada",)}, ignored=("segment.wrong_id_type",)),
    ),
    Case(
        name="join-by-an-unknown-kind-of-id", tags=_TRACK, grade=DOCUMENTED, rules=("track.segment.id_type",),
        source="Track API > Manual segments", given=_EMPTY, words="There are three kinds of ids.", live=True,
        steps=(join("$vip", ["~ada"], "?id_type=phone", status=400),),
        ending=Ending(members={"~vip": ()}, refused=("track.segment.id_type",)),
    ),
    Case(
        name="join-twice", tags=_TRACK, grade=ASSUMED, rules=("segment.already_member",), source=_GUIDE, live=True,
        given=_WITH_ADA, words="Adding a member again changes nothing.", steps=(join("$vip", ["~ada"]),),
        ending=Ending(members={"~vip": ("~ada",)}, ignored=("segment.already_member",)),
    ),
    Case(
        name="leave-a-segment", tags=_TRACK, grade=DOCUMENTED, source=_GUIDE, given=_WITH_ADA, live=True,
        words="People are taken out by id.", steps=(leave("$vip", ["~ada"]),),
        ending=Ending(people=(ADA, BOB), members={"~vip": ()}),
    ),
    Case(
        name="leave-without-being-a-member", tags=_TRACK, grade=ASSUMED, rules=("segment.not_member",), source=_GUIDE,
        given=_WITH_ADA, words="Taking out whoever is no member changes nothing.", live=True,
        steps=(leave("$vip", ["~bob"]),),
        ending=Ending(members={"~vip": ("~ada",)}, ignored=("segment.not_member",)),
    ),
    Case(
        name="join-an-unknown-segment", tags=_TRACK, grade=ASSUMED, rules=("segment_unknown_id", "segment.unknown"),
        source=_SILENT, given=_EMPTY, words="A call on no known segment is accepted and dropped.",
        steps=(join("999999", ["~ada"]),),
        ending=Ending(members={"~vip": ()}, ignored=("segment.unknown",)),
    ),
    Case(
        name="join-an-unknown-segment-by-switch", tags=_TRACK, grade=ASSUMED, source=_SILENT,
        rules=("segment_unknown_id", "track.segment.unknown"),
        given=Given(people=(ADA,), settings={"segment_unknown_id": "404"}), words="The same, told as not found.",
        steps=(join("999999", ["~ada"], status=404),), ending=Ending(refused=("track.segment.unknown",)),
    ),
    Case(
        name="join-a-segment-that-is-no-number", tags=_TRACK, grade=ASSUMED, rules=("track.segment.id.malformed",),
        source=_SILENT, given=_EMPTY, words="A segment is named by a number.", live=True,
        steps=(join("vip", ["~ada"], status=400),), ending=Ending(refused=("track.segment.id.malformed",)),
    ),
    Case(
        name="join-a-data-driven-segment", tags=_TRACK, grade=DOCUMENTED, source=_GUIDE, given=_DYNAMIC,
        rules=("segment.dynamic", "segment_dynamic_write"),
        words="Nobody is added to a data-driven segment; the call is accepted.",
        steps=(join("$pros", ["~ada"]),),
        ending=Ending(members={"pros": ()}, ignored=("segment.dynamic",)),
    ),
    Case(
        name="deleted-person-is-no-member", tags=(*_TRACK, "deletion"), grade=ASSUMED, given=_WITH_ADA, live=True,
        source="App API > Segments > membership", words="Deleting somebody takes them out of every segment.",
        steps=(delete("~ada"),), ending=Ending(gone=("~ada",), members={"~vip": ()}),
    ),
    Case(
        name="create-a-segment", tags=_APP, grade=DOCUMENTED, source=_SOURCE, live=True,
        words="A new segment is manual and empty, and the answer is 200.",
        steps=(
            app("POST", "/v1/segments", {"segment": {"name": "~new"}}, keep={"new": "segment.id"}, answer={
                "segment": {"name": "~new", "type": "manual", "state": "finished"}}),
            app("GET", "/v1/segments/$new/customer_count", answer={"count": 0}),
        ),
        ending=Ending(members={"~new": ()}),
    ),
    Case(
        name="create-a-segment-without-its-wrapper", tags=_APP, grade=DOCUMENTED, source=_SOURCE, live=True,
        rules=("app.body",), words="The name stands inside `segment`.",
        steps=(app("POST", "/v1/segments", {"name": "~new"}, status=400),),
        ending=Ending(refused=("app.body",)),
    ),
    Case(
        name="create-a-segment-without-a-name", tags=_APP, grade=DOCUMENTED, rules=("app.body",), live=True,
        source=_SOURCE, words="A segment has a name.",
        steps=(app("POST", "/v1/segments", {"segment": {"description": "x"}}, status=400),),
        ending=Ending(refused=("app.body",)),
    ),
    Case(
        name="create-a-data-driven-segment", tags=_APP, grade=ASSUMED, source=_SOURCE, live=True,
        words="What would make it data-driven is ignored: it becomes a manual one.",
        steps=(app("POST", "/v1/segments", {"segment": {"name": "~new", "type": "dynamic", "conditions": {}}}, answer={
            "segment": {"name": "~new", "type": "manual"}}),),
        ending=Ending(members={"~new": ()}),
    ),
    Case(
        name="create-two-segments-of-one-name", tags=_APP, grade=ASSUMED, rules=("segment_name_duplicate",),
        source=_SILENT, words="A second segment of a name is another segment.", live=True,
        steps=(
            app("POST", "/v1/segments", {"segment": {"name": "~new"}}, answer={"segment": {"id": ANY}}),
            app("POST", "/v1/segments", {"segment": {"name": "~new"}}, answer={"segment": {"id": ANY}}),
        ),
    ),
    Case(
        name="create-two-segments-of-one-name-by-switch", tags=_APP, grade=ASSUMED, source=_SILENT,
        rules=("segment_name_duplicate",), given=Given(segments=(_VIP,), settings={"segment_name_duplicate": "400"}),
        words="The same where the switch has it refused.",
        steps=(app("POST", "/v1/segments", {"segment": {"name": "~vip"}}, status=400),),
    ),
    Case(
        name="read-an-unknown-segment", tags=_APP, grade=DOCUMENTED, rules=("app.not_found",), source=_SOURCE,
        live=True, words="A segment that is not there is not found.",
        steps=(app("GET", "/v1/segments/999999999", status=404, answer={"errors": ANY}),),
        ending=Ending(refused=("app.not_found",)),
    ),
    Case(
        name="read-a-segment-that-is-no-number", tags=_APP, grade=ASSUMED, rules=("segment_id_malformed",), live=True,
        source=_SILENT, words="A segment's id that is no number is not found.",
        steps=(app("GET", "/v1/segments/abc", status=404),),
    ),
    Case(
        name="delete-a-segment-twice", tags=_APP, grade=ASSUMED, rules=("app.not_found",), source=_SOURCE, live=True,
        given=_WITH_ADA, words="An unused segment is deleted without a word; its people stay, and it is gone for good.",
        steps=(
            app("DELETE", "/v1/segments/$vip", status=204, answer_text=""),
            app("DELETE", "/v1/segments/$vip", status=404),
        ),
        ending=Ending(people=(ADA, BOB), refused=("app.not_found",)),
    ),
    Case(
        name="delete-a-segment-in-use", tags=_APP, grade=ASSUMED, rules=("delete_segment_in_use",), source=_SILENT,
        given=Given(seed={"segments": [{"name": "vip", "used_by": {"campaigns": [1]}}]}),
        words="A segment that a campaign uses is deleted all the same.",
        steps=(app("DELETE", "/v1/segments/$vip", status=204),),
    ),
    Case(
        name="delete-a-segment-in-use-by-switch", tags=_APP, grade=ASSUMED, source=_SILENT,
        rules=("delete_segment_in_use", "app.segment.in_use"),
        given=Given(seed={"segments": [{"name": "vip", "used_by": {"campaigns": [1]}}]},
                    settings={"delete_segment_in_use": "reject"}),
        words="The same where the switch has it refused.", steps=(app("DELETE", "/v1/segments/$vip", status=400),),
        ending=Ending(members={"vip": ()}, refused=("app.segment.in_use",)),
    ),
    Case(
        name="change-a-segment", tags=(*_APP, "routes"), grade=DOCUMENTED, source=_SOURCE, given=_EMPTY,
        words="There is no operation that changes a segment.", rules=("route.unknown",),
        steps=(app("PUT", "/v1/segments/$vip", {"segment": {"name": "x"}}, status=405),),
    ),
    Case(
        name="ask-for-dependencies", tags=(*_APP, "routes"), grade=DOCUMENTED, source=_SOURCE, given=_EMPTY, live=True,
        rules=("route.unknown",), words="What uses a segment is asked under another path.",
        steps=(
            app("GET", "/v1/segments/$vip/dependencies", status=404),
            app("GET", "/v1/segments/$vip/used_by", answer={"used_by": ANY}),
        ),
    ),
    Case(
        name="member-without-an-id", tags=(*_APP, "membership"), grade=DOCUMENTED, source=_SOURCE,
        given=Given(people=({"email": "ada@example.com"},),
                    seed={"segments": [{"name": "vip", "members": [{"email": "ada@example.com"}]}]}),
        words="A member without an id is an empty text among the ids and a null among the identifiers.",
        steps=(app("GET", "/v1/segments/$vip/membership", answer={
            "ids": [""], "identifiers": [{"email": "ada@example.com", "id": None}]}),),
    ),
    Case(
        name="members-where-ids-alone-identify", tags=(*_APP, "membership"), grade=DOCUMENTED, source=_SOURCE,
        given=Given(people=({"id": "ada", "email": "ada@example.com"},), settings={"identifiers": "id"},
                    segments=({"name": "vip", "members": ["ada"]},)),
        words="Where people have ids only, members have no email.",
        steps=(app("GET", "/v1/segments/$vip/membership", answer={
            "ids": ["ada"], "identifiers": [{"id": "ada", "email": ABSENT}]}),),
    ),
    Case(
        name="members-page-by-page", tags=(*_APP, "membership", "paging"), grade=DOCUMENTED, source=_SOURCE, live=True,
        given=Given(people=tuple({"id": f"~p{n}"} for n in range(5)),
                    segments=({"name": "~vip", "members": [f"~p{n}" for n in range(5)]},)),
        words="Five members by two are three pages, and the last one names no other.",
        steps=(
            app("GET", "/v1/segments/$vip/membership?limit=2", keep={"second": "next"}, answer={
                "ids": [ANY, ANY], "next": ANY}),
            app("GET", "/v1/segments/$vip/membership?limit=2&start=$second", keep={"third": "next"}, answer={
                "ids": [ANY, ANY]}),
            app("GET", "/v1/segments/$vip/membership?limit=2&start=$third", answer={"ids": [ANY], "next": ""}),
        ),
    ),
    Case(
        name="members-can-not-be-sorted", tags=(*_APP, "membership"), grade=ASSUMED, source=_SOURCE, live=True,
        given=_WITH_ADA, words="A parameter that is not published is ignored.",
        steps=(app("GET", "/v1/segments/$vip/membership?sort=desc", answer={"ids": any_order(["~ada"])}),),
    ),
    Case(
        name="segments-of-a-person", tags=("app", "customers", "segments"), grade=ASSUMED, given=_WITH_ADA,
        source="App API > Customers > segments", live=True,
        words="The segments of a person are listed with their names; somebody in none has an empty list.",
        steps=(
            app("GET", "/v1/customers/~ada/segments", answer={"segments": [{"id": "$vip", "name": "~vip"}]}),
            app("GET", "/v1/customers/~bob/segments", answer={"segments": []}),
        ),
    ),
    Case(
        name="membership-becomes-visible-later", tags=(*_APP, "delays"), grade=ASSUMED, source="App API > Customers",
        rules=("propagation_delay_s",),
        given=Given(people=(ADA,), segments=(_VIP,), settings={"propagation_delay_s": 5}),
        words="What was accepted just now may not be listed yet; a little later it is.",
        steps=(
            join("$vip", ["~ada"]),
            app("GET", "/v1/customers/~ada/segments", answer={"segments": []}),
            app("GET", "/v1/customers/~ada/segments", after_s=6, answer={"segments": [{"name": "~vip"}]}),
        ),
    ),
    Case(
        name="merged-away-by-id", tags=(*_TRACK, "merging"), grade=ASSUMED, source=_GUIDE, given=_WITH_ADA, live=True,
        rules=("segment.person_unknown",), words="Whoever was merged into somebody is nobody to later calls.",
        steps=(merge({"id": "~bob"}, {"id": "~ada"}), leave("$vip", ["~ada"])),
        ending=Ending(people=(BOB,), gone=("~ada",), members={"~vip": ("~bob",)}, ignored=("segment.person_unknown",)),
    ),
    Case(
        name="join-with-the-app-key", tags=(*_TRACK, "credentials"), grade=DOCUMENTED, rules=("auth",), given=_EMPTY,
        source="Track API > Authentication", words="The key of the App API adds nobody.", live=True,
        steps=(track("POST", "/api/v1/segments/$vip/add_customers", {"ids": ["~ada"]}, auth="other", status=401),),
        ending=Ending(members={"~vip": ()}),
    ),
)  # fmt: skip
