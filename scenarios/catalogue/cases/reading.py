"""App API: credentials, people searches, profiles, activities, exports, sends, broadcasts and content."""

from __future__ import annotations

from typing import Any

from scenarios.catalogue.case import ASSUMED, CLIENT_TESTED, DOCUMENTED, RECORDED, Case, Ending, Given
from scenarios.catalogue.matching import ANY, any_order
from scenarios.catalogue.writing import app, attributes, delete, event, search

_SEARCH = ("app", "customers", "search")
_CUSTOMERS = ("app", "customers")
_SOURCE = "App API > Customers"
_SENDS = "App API > Transactional"
ADA = {"id": "~ada", "email": "~ada@example.com"}
_ANYBODY = Given(people=(ADA,))
_PRO = {"attribute": {"field": "plan", "operator": "eq", "value": "pro"}}
_PEOPLE = Given(people=({**ADA, "attributes": {"plan": "pro"}}, {"id": "~bob", "attributes": {"plan": "free"}}))


def _bad_filter(name: str, words: str, where: Any) -> Case:
    return Case(
        name=name, tags=_SEARCH, grade=DOCUMENTED, rules=("app.filter", "bad_filter_status"), words=words, live=True,
        source="App API > Customers > search", steps=(search(where, status=422),),
        ending=Ending(refused=("app.filter",)),
    )


CASES = (
    Case(
        name="read-without-credentials", tags=("app", "credentials"), grade=ASSUMED, rules=("auth",), live=True,
        source="App API > Authentication", words="Without a key nothing is read.",
        steps=(app("GET", "/v1/segments", auth="none", status=401, answer={
            "errors": [{"detail": "unauthorized", "status": "401"}]}),),
    ),
    Case(
        name="search-with-a-wrong-key", tags=("app", "credentials"), grade=CLIENT_TESTED, rules=("auth",), live=True,
        source="App API > Authentication", words="A key that nobody has opens nothing.",
        steps=(search(_PRO, auth="wrong", status=401),),
    ),
    Case(
        name="read-with-track-credentials", tags=("app", "credentials"), grade=DOCUMENTED, rules=("auth",), live=True,
        source="App API > Authentication", words="The credentials of the Track API open nothing here.",
        steps=(app("GET", "/v1/segments", auth="other", status=401),),
        ending=Ending(refused=("auth",)),
    ),
    Case(
        name="send-with-a-wrong-key", tags=("app", "credentials", "sends"), grade=CLIENT_TESTED, rules=("auth",),
        source=_SENDS, words="Sends tell it in words of their own.", live=True,
        steps=(app("POST", "/v1/send/email", {"to": "ada@example.com"}, auth="wrong", status=401, answer={
            "meta": {"error": "Unauthorized"}}),),
    ),
    Case(
        name="service-account-without-a-workspace", tags=("app", "credentials", "sends"), grade=CLIENT_TESTED,
        rules=("app.send.workspace",), source=_SENDS, words="A service account says for which workspace it sends.",
        steps=(app("POST", "/v1/send/email", {"to": "ada@example.com"}, auth="service", status=400, answer={
            "meta": {"error": "workspace_id is required"}}),),
        ending=Ending(refused=("app.send.workspace",)),
    ),
    Case(
        name="service-account-reads-nothing", tags=("app", "credentials"), grade=DOCUMENTED, rules=("auth",),
        source="App API > Authentication", words="A service account reads no segments.",
        steps=(app("GET", "/v1/segments", auth="service", status=401),),
    ),
    Case(
        name="eleventh-call-of-a-second", tags=("app", "limits"), grade=DOCUMENTED, rules=("app.rate", "rate_limits"),
        source="App API > Rate limits", given=Given(settings={"rate_limits": "enforced"}),
        words="Ten calls a second are answered; the eleventh is told to wait for a second.",
        steps=(*(app("GET", "/v1/segments") for _ in range(10)),
               app("GET", "/v1/segments", status=429, answer_headers={"retry-after": "1"})),
        ending=Ending(refused=("app.rate",)),
    ),
    Case(
        name="nobody-of-an-email", tags=_CUSTOMERS, grade=RECORDED, source=_SOURCE, live=True,
        words="Looking for an email that nobody has is an empty list.",
        steps=(app("GET", "/v1/customers?email=~nobody%40example.com", answer={"results": []}),),
    ),
    Case(
        name="raw-plus-in-a-query", tags=_CUSTOMERS, grade=DOCUMENTED, source=_SOURCE,
        given=Given(people=({"email": "a+b@example.com"},)),
        words="In a query a raw plus is a space, so the person is found only when it is escaped.",
        steps=(
            app("GET", "/v1/customers?email=a+b@example.com", answer={"results": []}),
            app("GET", "/v1/customers?email=a%2Bb%40example.com", answer={"results": [{"email": "a+b@example.com"}]}),
        ),
    ),
    Case(
        name="two-people-of-one-email", tags=_CUSTOMERS, grade=DOCUMENTED, source=_SOURCE,
        given=Given(settings={"identifiers": "id"}, people=(
            {"id": "ada", "email": "we@example.com"}, {"id": "bob", "email": "we@example.com"})),
        words="Where people have ids only, two may share an email: two results.",
        steps=(app("GET", "/v1/customers?email=we%40example.com", answer={"results": [{"id": ANY}, {"id": ANY}]}),),
    ),
    Case(
        name="search-by-an-attribute", tags=_SEARCH, grade=DOCUMENTED, source="App API > Customers > search",
        given=_PEOPLE, words="A search finds identifiers and ids, and says where the next page starts.",
        steps=(search(_PRO, answer={"identifiers": [ADA], "ids": ["~ada"], "next": ""}),),
    ),
    _bad_filter("search-with-an-unknown-operator", "There is no operator `gt`.",
                {"attribute": {"field": "plan", "operator": "gt", "value": "1"}}),
    _bad_filter("search-for-equal-without-a-value", "An equality has a value.",
                {"attribute": {"field": "plan", "operator": "eq"}}),
    _bad_filter("search-for-not-with-a-list", "`not` takes one condition.", {"not": [_PRO]}),
    _bad_filter("search-with-two-keys-at-the-top", "A filter has one key at the top.",
                {**_PRO, "segment": {"id": 1}}),
    Case(
        name="search-in-an-unknown-segment", tags=_SEARCH, grade=CLIENT_TESTED, given=_ANYBODY, live=True,
        source="App API > Customers > search", words="Nobody is in a segment that is not there, and that is no error.",
        steps=(search({"segment": {"id": 999_999_999}}, answer={"identifiers": [], "ids": []}),),
    ),
    Case(
        name="search-for-everybody", tags=_SEARCH, grade=CLIENT_TESTED, given=_PEOPLE,
        source="App API > Customers > search", words="Everybody has a cio_id.",
        steps=(search({"attribute": {"field": "cio_id", "operator": "exists"}}, answer={
            "ids": any_order(["~ada", "~bob"])}),),
    ),
    Case(
        name="search-page-by-page", tags=(*_SEARCH, "paging"), grade=DOCUMENTED, given=_PEOPLE,
        source="App API > Customers > search", words="A page names the next one; the last names none.",
        steps=(
            search({"attribute": {"field": "cio_id", "operator": "exists"}}, "?limit=1", keep={"next": "next"},
                   answer={"ids": [ANY], "next": ANY}),
            search({"attribute": {"field": "cio_id", "operator": "exists"}}, "?limit=1&start=$next",
                   answer={"ids": [ANY], "next": ""}),
        ),
    ),
    Case(
        name="profiles-of-known-and-unknown", tags=_CUSTOMERS, grade=DOCUMENTED, given=_PEOPLE, live=True,
        source="App API > Customers > attributes of many", words="Whoever is unknown is left out.",
        steps=(app("POST", "/v1/customers/attributes", {"ids": ["~ada", "~ghost"]}, answer={
            "customers": [{"attributes": {"plan": "pro"}}]}),),
    ),
    Case(
        name="profiles-of-a-hundred-and-one", tags=(*_CUSTOMERS, "limits"), grade=DOCUMENTED, live=True,
        rules=("app.customers.attributes.ids",), source="App API > Customers > attributes of many",
        words="A hundred profiles at a time.",
        steps=(app("POST", "/v1/customers/attributes", {"ids": [f"~x{n}" for n in range(101)]}, status=400),),
        ending=Ending(refused=("app.customers.attributes.ids",)),
    ),
    Case(
        name="profiles-of-nobody", tags=_CUSTOMERS, grade=CLIENT_TESTED, rules=("attributes_ids_empty",), live=True,
        source="App API > Customers > attributes of many", words="Asking for nobody is answered with nobody.",
        steps=(app("POST", "/v1/customers/attributes", {"ids": []}, answer={"customers": []}),),
    ),
    Case(
        name="email-in-the-path-is-an-id", tags=_CUSTOMERS, grade=DOCUMENTED, rules=("app.not_found",), given=_ANYBODY,
        source=_SOURCE, live=True, words="An email in the path is looked up as an id unless the query says otherwise.",
        steps=(
            attributes("~ada%40example.com", status=404),
            attributes("~ada%40example.com", "?id_type=email", answer={"customer": {"identifiers": {"id": "~ada"}}}),
        ),
        ending=Ending(refused=("app.not_found",)),
    ),
    Case(
        name="email-where-ids-alone-identify", tags=_CUSTOMERS, grade=DOCUMENTED, rules=("app.id_type",),
        source=_SOURCE, given=Given(people=({"id": "ada"},), settings={"identifiers": "id"}),
        words="Where people have ids only, an email names nobody.",
        steps=(attributes("ada%40example.com", "?id_type=email", status=400),),
        ending=Ending(refused=("app.id_type",)),
    ),
    Case(
        name="profile-of-a-deleted-person", tags=(*_CUSTOMERS, "deletion"), grade=DOCUMENTED, rules=("app.not_found",),
        source=_SOURCE, given=_ANYBODY, live=True, words="Whoever is deleted has no profile.",
        steps=(delete("~ada"), attributes("~ada", status=404)),
        ending=Ending(gone=("~ada",), refused=("app.not_found",)),
    ),
    Case(
        name="activities-of-a-misspelt-type", tags=("app", "activities"), grade=DOCUMENTED, given=_ANYBODY, live=True,
        rules=("activity_type_unknown", "app.parameter"), source="App API > Activities",
        words="The published list spells one type wrongly; only that spelling is a type.",
        steps=(
            app("GET", "/v1/activities?type=dropped_whatasapp"),
            app("GET", "/v1/activities?type=dropped_whatsapp", status=400),
        ),
        ending=Ending(refused=("app.parameter",)),
    ),
    Case(
        name="activities-of-a-person", tags=("app", "activities"), grade=DOCUMENTED, given=_ANYBODY, live=True,
        source="App API > Activities", words="An event is an activity of its person, with its name and data.",
        steps=(
            event("~ada", {"name": "buy", "data": {"sku": "a1"}}),
            app("GET", "/v1/customers/~ada/activities?type=event", answer={
                "activities": [{"type": "event", "name": "buy", "data": {"sku": "a1"}}]}),
        ),
    ),
    Case(
        name="no-exports", tags=("app", "exports"), grade=RECORDED, rules=("export_empty_list",),
        source="App API > Exports", words="When there are no exports the list is null.",
        steps=(app("GET", "/v1/exports", answer={"exports": None}),),
    ),
    Case(
        name="export-with-a-misspelt-key", tags=("app", "exports"), grade=DOCUMENTED, rules=("app.filter",),
        source="App API > Exports", words="The key of an export is `filters`.",
        steps=(app("POST", "/v1/exports/customers", {"filter": _PRO}, status=400),),
        ending=Ending(refused=("app.filter",)),
    ),
    Case(
        name="import-without-an-identifier", tags=("app", "imports"), grade=DOCUMENTED, rules=("app.body",),
        source="App API > Imports", words="An import of people says which column names them.",
        steps=(app("POST", "/v1/imports", {"import": {
            "type": "people", "name": "~x", "data_file_url": "https://example.com/x.csv"}}, status=400),),
        ending=Ending(refused=("app.body",)),
    ),
)  # fmt: skip
