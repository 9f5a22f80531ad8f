"""`customerio-node`, unmodified: every call of its APIClient that reaches an imitated route, and its answer.

All its other methods are called too: each is answered, or refused by a rule, and only those of products that the fake
leaves out end where nothing is imitated.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from fakeio.core.rules import RULES
from tests.contract import node_sdk
from tests.contract import sdk_answers as answers
from tests.contract import sdk_world as fixtures
from tests.contract.node_sdk import NodeSdk, SdkError
from tests.contract.sdk_world import GONE, Call, Facts, World, call, methods_of, only_calls

world, node = fixtures.world, node_sdk.node

IN_VIP = {"segment": {"id": 7}}
EVERYBODY = {"attribute": {"field": "cio_id", "operator": "exists"}}
CALLS = [
    pytest.param(call("getCustomersByEmail", "ANN@example.com"), "GET /v1/customers?email=ANN%40example.com",
                 answers.ANN_FOUND, {}, id="getCustomersByEmail: in another case"),
    pytest.param(call("getAttributes", "1"), "GET /v1/customers/1/attributes?id_type=id", answers.ANN_WHOLE, {},
                 id="getAttributes"),
    pytest.param(call("getAttributes", "ann@example.com", "email"),
                 "GET /v1/customers/ann%40example.com/attributes?id_type=email", answers.ANN_WHOLE, {},
                 id="getAttributes: by email"),
    pytest.param(call("getAttributes", "cio_a1000001", "cio_id"),
                 "GET /v1/customers/cio_a1000001/attributes?id_type=cio_id", answers.ANN_WHOLE, {},
                 id="getAttributes: by cio_id"),
    pytest.param(call("getCustomerSegments", "2"), "GET /v1/customers/2/segments?id_type=id", answers.VIP_IN_BRIEF, {},
                 id="getCustomerSegments"),
    pytest.param(call("getCustomerSegments", "a/b c"), "GET /v1/customers/a%2Fb%20c/segments?id_type=id",
                 {"segments": []}, {}, id="getCustomerSegments: an id that needs escaping"),
    pytest.param(call("searchCustomers", {"or": [IN_VIP]}), "POST /v1/customers", answers.BOB_ON_A_PAGE, {},
                 id="searchCustomers"),
    pytest.param(call("searchCustomers", {"not": EVERYBODY}, {"limit": 5}), "POST /v1/customers?limit=5",
                 {"identifiers": [], "ids": [], "next": ""}, {}, id="searchCustomers: nobody"),
    pytest.param(call("getCustomersAttributes", ["1", "nobody"]), "POST /v1/customers/attributes",
                 answers.ANN_AMONG_MANY, {}, id="getCustomersAttributes"),
    pytest.param(call("getCustomerMessages", "1", {"start_ts": 1}), "GET /v1/customers/1/messages?start_ts=1",
                 answers.MESSAGES_TO_ANN, {}, id="getCustomerMessages"),
    pytest.param(call("getCustomerActivities", "1", {"type": "event", "idType": "id"}),
                 "GET /v1/customers/1/activities?id_type=id&type=event", answers.NOTHING_HAPPENED, {},
                 id="getCustomerActivities"),
    pytest.param(call("listActivities", {"deleted": True, "customerId": "1"}),
                 "GET /v1/activities?deleted=true&customer_id=1", answers.NOTHING_HAPPENED, {}, id="listActivities"),
    pytest.param(call("getCustomerRelationships", "2", {"limit": 3}), "GET /v1/customers/2/relationships?limit=3",
                 answers.BOB_OF_ACME, {}, id="getCustomerRelationships"),
    pytest.param(call("getCustomerSubscriptionPreferences", "1", {"language": "fr"}),
                 "GET /v1/customers/1/subscription_preferences?language=fr", answers.ANN_PREFERS, {},
                 id="getCustomerSubscriptionPreferences"),
    pytest.param(call("listSegments"), "GET /v1/segments", {"segments": [answers.VIP]}, {}, id="listSegments"),
    pytest.param(call("createSegment", {"name": "new", "description": "folk"}), "POST /v1/segments",
                 {"segment": answers.segment(8, "new", "folk")},
                 {"segment new": {"description": "folk", "members": []}}, id="createSegment"),
    pytest.param(call("getSegment", 7), "GET /v1/segments/7", {"segment": answers.VIP}, {}, id="getSegment"),
    pytest.param(call("deleteSegment", 7), "DELETE /v1/segments/7", {}, {"segment vip": GONE}, id="deleteSegment"),
    pytest.param(call("getSegmentCustomerCount", 7), "GET /v1/segments/7/customer_count", answers.VIP_COUNT, {},
                 id="getSegmentCustomerCount"),
    pytest.param(call("getSegmentMembership", 7, {"limit": 1}), "GET /v1/segments/7/membership?limit=1",
                 answers.VIP_MEMBERS, {}, id="getSegmentMembership"),
    pytest.param(call("getSegmentUsedBy", 7), "GET /v1/segments/7/used_by", answers.VIP_USES, {},
                 id="getSegmentUsedBy"),
]  # fmt: skip


@pytest.mark.parametrize(("one", "asked", "answer", "changes"), CALLS)
def test_a_call_arrives_and_is_answered(
    world: World, node: NodeSdk, one: Call, asked: str, answer: Any, changes: Facts
) -> None:
    assert world.told(node.app(world, one)) == answer
    assert world.asked() == [f"{asked} {204 if one.method == 'deleteSegment' else 200}"]
    assert world.changes() == changes


WORKSPACES = [pytest.param(call("listWorkspaces"), id="listWorkspaces")]  # of the whole server: others come and go


def test_it_lists_the_workspaces(world: World, node: NodeSdk) -> None:
    found = node.app(world, call("listWorkspaces"))["workspaces"]
    (own,) = [one for one in found if one["id"] == world.handle.id]
    assert (own["name"], own["people"]) == (world.handle.name, 3)


@pytest.mark.parametrize("one", only_calls(CALLS, WORKSPACES))
def test_a_call_with_a_wrong_key_is_refused(world: World, node: NodeSdk, one: Call) -> None:
    with pytest.raises(SdkError) as raised:
        node.app(world, one, key="0" * 32)
    assert (raised.value.name, raised.value.status) == ("CustomerIORequestError", 401)
    assert world.changes() == {}


REFUSED = [
    pytest.param(call("getAttributes", "nobody"), 404, id="getAttributes"),
    pytest.param(call("getAttributes", "a1000001", "cio_id"), 404, id="getAttributes: a cio_id without its prefix"),
    pytest.param(call("getCustomerSegments", "nobody"), 404, id="getCustomerSegments"),
    pytest.param(call("getCustomerMessages", "nobody"), 404, id="getCustomerMessages"),
    pytest.param(call("getCustomerActivities", "1", {"type": "fly"}), 400, id="getCustomerActivities: no such type"),
    pytest.param(call("listActivities", {"start": "x"}), 400, id="listActivities: a cursor that is none"),
    pytest.param(call("getCustomerRelationships", "nobody"), 404, id="getCustomerRelationships"),
    pytest.param(call("getCustomerSubscriptionPreferences", "nobody"), 404, id="getCustomerSubscriptionPreferences"),
    pytest.param(call("getCustomersAttributes", ["1"] * 101), 400, id="getCustomersAttributes: more than a hundred"),
    pytest.param(call("searchCustomers", {"and": "x"}), 422, id="searchCustomers: a filter that is none"),
    pytest.param(call("searchCustomers", IN_VIP, {"start": "x"}), 400, id="searchCustomers: a cursor that is none"),
    pytest.param(call("createSegment", {"name": 5}), 400, id="createSegment: a number for a name"),
    pytest.param(call("getSegment", 8), 404, id="getSegment"),
    pytest.param(call("getSegment", "vip"), 404, id="getSegment: by name"),
    pytest.param(call("deleteSegment", 8), 404, id="deleteSegment"),
    pytest.param(call("getSegmentCustomerCount", 8), 404, id="getSegmentCustomerCount"),
    pytest.param(call("getSegmentMembership", 8), 404, id="getSegmentMembership"),
    pytest.param(call("getSegmentUsedBy", 8), 404, id="getSegmentUsedBy"),
]  # fmt: skip


@pytest.mark.parametrize(("one", "status"), REFUSED)
def test_a_refusal_carries_its_status(world: World, node: NodeSdk, one: Call, status: int) -> None:
    with pytest.raises(SdkError) as raised:
        node.app(world, one)
    assert (raised.value.name, raised.value.status) == ("CustomerIORequestError", status)
    assert world.changes() == {}


def test_pages_are_walked_by_the_cursor_that_comes_along(world: World, node: NodeSdk) -> None:
    found, cursor = [], None
    while cursor != "":
        page = node.app(world, call("searchCustomers", EVERYBODY, {"start": cursor, "limit": 2}))
        found.append(page["ids"])
        cursor = page["next"]
    assert found == [["1", "2"], ["a/b c"]]


# ---- everything else --------------------------------------------------------------------------------------------

NOT_IMITATED = {  # they would make things that nothing else here knows
    "createAsset", "createAssetFolder", "createDesignStudioComponent", "createDesignStudioEmail",
    "createDesignStudioFolder",
}  # fmt: skip
OWN_BUSINESS = {"resourceBase"}  # asks nobody anything
IDS = ("1", "1", "1")  # what most methods take, or more than they take; the others:
A_THING = {
    "name": "x", "type": "people", "subject": "x", "content": "x", "value": "x", "data": "x", "filename": "x.png",
    "data_file_url": "https://example.com/x.csv", "endpoint": "https://example.com/x", "start": 1, "end": 2,
    "res": "days", "language": "en", "tag": "x", "to": "x", "identifiers": {"id": "1"},
}  # fmt: skip
TAKES: Mapping[str, tuple[Any, ...]] = {
    **{
        f"send{kind}": ({"$new": f"Send{kind}Request", "of": A_THING},)
        for kind in ("Email", "Push", "SMS", "WhatsApp", "InboxMessage", "InApp")
    },
    **dict.fromkeys(("batchUpdateAttributes", "batchUpdateEvents"), (["1"],)),
    **{
        f"create{thing}": (A_THING,)
        for thing in (
            "Asset", "AssetFolder", "Collection", "DesignStudioComponent", "DesignStudioEmail", "DesignStudioFolder",
            "Import", "ReportingWebhook", "Snippet",
        )
    },
    **{
        f"update{thing}": ("1", A_THING)
        for thing in (
            "Asset", "AssetFolder", "Collection", "DesignStudioComponent", "DesignStudioEmail",
            "DesignStudioFolder", "ReportingWebhook",
        )
    },
    "updateSnippet": (A_THING,),
    "updateCollectionContent": ("1", [A_THING]),
    "createDesignStudioEmailLanguage": ("1", A_THING),
    "updateDesignStudioEmailLanguage": ("1", "en", A_THING),
    "getCampaignJourneyMetrics": ("1", A_THING),
    "getObjectAttributes": ("1", "1", "object_id"),
}  # fmt: skip


def end_of(world: World, node: NodeSdk, method: str) -> tuple[Any, ...]:
    """What a call came to: the status of the answer and the rule behind it, or what the library itself objects to."""
    world.handle.reset()
    try:
        node.app(world, call(method, *TAKES.get(method, IDS)))
    except SdkError as error:
        return (error.status, *world.rules()) if error.status else (str(error),)
    return ("went well",)


def is_told(end: tuple[Any, ...]) -> bool:
    """Whether a call was answered, or refused below 500 by rules that the fidelity page lists."""
    if end == ("went well",):
        return True
    status, *rules = end
    return isinstance(status, int) and status < 500 and bool(rules) and RULES.keys() >= set(rules)


def test_every_other_method_is_answered_or_refused_by_a_rule(world: World, node: NodeSdk) -> None:
    others = node.methods("APIClient") - methods_of(CALLS, WORKSPACES) - OWN_BUSINESS
    ends = {method: end_of(world, node, method) for method in others}
    assert {method: end for method, end in ends.items() if not is_told(end)} == {}
    unknown = {method for method, end in ends.items() if end[-1] in ("route.not_imitated", "route.unknown")}
    assert unknown == NOT_IMITATED
