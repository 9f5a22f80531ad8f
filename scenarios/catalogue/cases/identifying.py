"""Track API: identify. Who is meant by a path and a body, and what becomes of identifiers."""

from __future__ import annotations

from scenarios.catalogue.case import ASSUMED, CLIENT_TESTED, DOCUMENTED, RECORDED, Case, Ending, Given
from scenarios.catalogue.matching import ABSENT, ANY, any_order
from scenarios.catalogue.writing import attributes, identify, track

_TAGS = ("track", "identify")
_SOURCE = "Track API > Identify"
_INVALID = "Track API > Invalid requests"
_UNAUTHORIZED = {"meta": {"error": "Unauthorized request"}}
ADA = {"id": "~ada", "email": "~ada@example.com"}
BOB = {"id": "~bob", "email": "~bob@example.com"}

CASES = (
    Case(
        name="identify-nothing", tags=_TAGS, grade=RECORDED, source=_SOURCE, live=True,
        words="Identifying with an empty object creates the person; the whole answer is an empty object.",
        steps=(identify("~ada", {}, answer={}, answer_headers={"status": "200 OK"}),),
        ending=Ending(people=({"id": "~ada", "email": None, "attributes": {}},), activities=("profile_create",)),
    ),
    Case(
        name="identify-without-credentials", tags=(*_TAGS, "credentials"), grade=RECORDED, rules=("auth",),
        source="Track API > Authentication", live=True,
        words="Without credentials nothing is read or written, and the answer names the realm.",
        steps=(identify("~ada", {}, auth="none", status=401, answer=_UNAUTHORIZED, answer_headers={
            "www-authenticate": 'Basic realm="Customer.io edge event collection"'}),),
        ending=Ending(people=(), gone=("~ada",)),
    ),
    Case(
        name="identify-with-empty-credentials", tags=(*_TAGS, "credentials"), grade=RECORDED, rules=("auth",),
        source="Track API > Authentication", live=True,
        words="An empty user name and password are as good as none.",
        steps=(identify("~ada", {}, auth="empty", status=401, answer=_UNAUTHORIZED),),
        ending=Ending(people=(), gone=("~ada",)),
    ),
    Case(
        name="identify-with-the-app-key", tags=(*_TAGS, "credentials"), grade=RECORDED, rules=("auth",),
        source="Track API > Authentication", live=True,
        words="The key of the App API opens nothing of the Track API.",
        steps=(identify("~ada", {}, auth="other", status=401),),
        ending=Ending(people=(), gone=("~ada",), refused=("auth",)),
    ),
    Case(
        name="auth-with-good-credentials", tags=("track", "credentials"), grade=RECORDED,
        source="Track API > Authentication", live=True,
        words="A call that only proves the credentials answers with a message.",
        steps=(track("GET", "/auth", answer={"meta": {"message": "nice credentials."}}),),
    ),
    Case(
        name="auth-with-a-wrong-key", tags=("track", "credentials"), grade=RECORDED, rules=("auth",),
        source="Track API > Authentication", live=True,
        words="The right Site ID with a wrong key is unauthorized.",
        steps=(track("GET", "/auth", auth="wrong", status=401, answer=_UNAUTHORIZED),),
        ending=Ending(refused=("auth",)),
    ),
    Case(
        name="region-of-an-account", tags=("track", "regions"), grade=DOCUMENTED, source="Track API > Account",
        rules=("region_answer",), given=Given(region="eu"),
        words="An account of the European region says so, whichever host was asked.",
        steps=(track("GET", "/api/v1/accounts/region", answer={"region": "eu"}),),
    ),
    Case(
        name="unknown-route", tags=("track", "routes"), grade=RECORDED, rules=("route.unknown",),
        source="Track API", words="A path that is no operation is answered with a directory of those that are.",
        steps=(track("GET", "/nope", status=404, answer={"request_endpoints": ANY}),),
        ending=Ending(refused=("route.unknown",)),
    ),
    Case(
        name="id-with-an-escaped-slash", tags=(*_TAGS, "identifiers"), grade=DOCUMENTED, source=_SOURCE, live=True,
        words="An escaped slash is part of the id and not the border of another path.",
        steps=(identify("~a%2Fb", {}),),
        ending=Ending(people=({"id": "~a/b"},)),
    ),
    Case(
        name="email-with-a-raw-plus", tags=(*_TAGS, "identifiers"), grade=DOCUMENTED, source=_SOURCE,
        words="A plus in a path is a plus, never a space, and what looks like an address is an email.",
        steps=(identify("a+b@example.com", {}),),
        ending=Ending(people=({"id": None, "email": "a+b@example.com"},)),
    ),
    Case(
        name="id-with-a-trailing-space", tags=(*_TAGS, "identifiers"), grade=DOCUMENTED, source=_SOURCE,
        words="A space at the end makes another id: there are two people.",
        steps=(identify("~1", {}), identify("~1%20", {})),
        ending=Ending(people=({"id": "~1"}, {"id": "~1 "})),
    ),
    Case(
        name="phone-number-in-a-path", tags=(*_TAGS, "identifiers"), grade=DOCUMENTED, source=_SOURCE,
        words="A phone number in a path is an id and nothing else.",
        steps=(identify("+14155552671", {}),),
        ending=Ending(people=({"id": "+14155552671", "attributes": {"phone": ABSENT}},)),
    ),
    Case(
        name="id-of-150-bytes", tags=(*_TAGS, "identifiers", "limits"), grade=DOCUMENTED, source=_SOURCE,
        rules=("track.person.id",), words="150 bytes are allowed, here as 75 characters of two bytes.",
        steps=(identify("%C3%A9" * 75, {}),),
        ending=Ending(people=({"id": "é" * 75},), refused=()),
    ),
    Case(
        name="id-of-151-bytes", tags=(*_TAGS, "identifiers", "limits"), grade=DOCUMENTED, source=_INVALID, live=True,
        rules=("track.person.id",), words="151 bytes are refused, and nobody is created.",
        steps=(identify("~" + "x" * 151, {}, status=400),),
        ending=Ending(people=(), refused=("track.person.id",)),
    ),
    Case(
        name="id-of-76-two-byte-characters", tags=(*_TAGS, "identifiers", "limits"), grade=DOCUMENTED, live=True,
        source=_INVALID, rules=("track.person.id",),
        words="Bytes are counted and not characters: 76 characters of two bytes are too many.",
        steps=(identify("~" + "%C3%A9" * 76, {}, status=400),),
        ending=Ending(people=(), refused=("track.person.id",)),
    ),
    Case(
        name="number-as-id-in-the-body", tags=(*_TAGS, "identifiers"), grade=ASSUMED, source=_INVALID,
        rules=("integer_body_id",), words="A whole number as id in the body is taken for its digits.",
        steps=(identify("905", {"id": 905, "plan": "pro"}),),
        ending=Ending(people=({"id": "905", "attributes": {"plan": "pro"}},)),
    ),
    Case(
        name="number-as-id-refused-by-switch", tags=(*_TAGS, "identifiers"), grade=ASSUMED, source=_INVALID,
        rules=("integer_body_id", "track.person.id.not_text"), given=Given(settings={"integer_body_id": "refuse"}),
        words="The same where the switch has it refused.",
        steps=(identify("905", {"id": 905}, status=400),),
        ending=Ending(people=(), refused=("track.person.id.not_text",)),
    ),
    Case(
        name="ids-only-body-repeats-the-id", tags=(*_TAGS, "identifiers"), grade=RECORDED, source=_INVALID,
        rules=("track.person.id.mismatch",), given=Given(settings={"identifiers": "id"}),
        words="Where people have ids only, the body may not name another id than the path.",
        steps=(identify("5", {"id": "6"}, status=400, answer={
            "meta": {"errors": ["id attribute and identifier are not the same value"]}}),),
        ending=Ending(people=(), refused=("track.person.id.mismatch",)),
    ),
    Case(
        name="new-id-with-a-known-email", tags=(*_TAGS, "identifiers"), grade=DOCUMENTED, source=_SOURCE, live=True,
        given=Given(people=({"email": "~ada@example.com", "attributes": {"plan": "pro"}},)),
        words="An id that is new, with the email of somebody without an id, is given to that person.",
        steps=(identify("~ada", {"email": "~ada@example.com"}),),
        ending=Ending(people=({**ADA, "attributes": {"plan": "pro"}},)),
    ),
    Case(
        name="email-of-somebody-else", tags=(*_TAGS, "identifiers"), grade=RECORDED, rules=("identifier.taken",),
        source="activity log of failed attribute changes", given=Given(people=(ADA, BOB)), live=True,
        words="An email that somebody with an id has is not moved; the rest of the call is applied.",
        steps=(identify("~ada", {"email": "~bob@example.com", "plan": "pro"}),),
        ending=Ending(people=({**ADA, "attributes": {"plan": "pro"}}, BOB), ignored=("identifier.taken",)),
    ),
    Case(
        name="id-person-and-email-person-are-one", tags=(*_TAGS, "merging"), grade=DOCUMENTED, source=_SOURCE,
        given=Given(people=({"id": "~ada"}, {"email": "~ada@example.com", "attributes": {"city": "Oslo"}})), live=True,
        words="Somebody with an id only and somebody with an email only, named together, become one person.",
        steps=(identify("~ada", {"email": "~ada@example.com"}),),
        ending=Ending(people=({**ADA, "attributes": {"city": "Oslo"}},)),
    ),
    Case(
        name="id-person-and-email-person-stay-two", tags=(*_TAGS, "merging"), grade=DOCUMENTED, source=_SOURCE,
        given=Given(people=({"id": "~ada"}, {"email": "~ada@example.com"}), settings={"auto_merge": False}),
        words="With the merging of such people turned off they stay two.", rules=("identifier.taken",),
        steps=(identify("~ada", {"email": "~ada@example.com"}),),
        ending=Ending(people=({"id": "~ada", "email": None}, {"id": None, "email": "~ada@example.com"}),
                      ignored=("identifier.taken",)),
    ),
    Case(
        name="email-is-fixed-through-an-id", tags=(*_TAGS, "identifiers"), grade=DOCUMENTED, source=_SOURCE,
        rules=("identifier.fixed",), given=Given(people=(ADA,)), live=True,
        words="Somebody's email is not changed by a call that names them by id.",
        steps=(identify("~ada", {"email": "~new@example.com"}),),
        ending=Ending(people=(ADA,), ignored=("identifier.fixed",)),
    ),
    Case(
        name="email-changes-through-an-id-by-setting", tags=(*_TAGS, "identifiers"), grade=DOCUMENTED, source=_SOURCE,
        given=Given(people=(ADA,), settings={"email_updates_by_id": True}),
        words="The workspace can allow it.",
        steps=(identify("~ada", {"email": "~new@example.com"}),),
        ending=Ending(people=({"id": "~ada", "email": "~new@example.com"},), ignored=()),
    ),
    Case(
        name="email-and-id-change-through-a-cio-id", tags=(*_TAGS, "identifiers"), grade=DOCUMENTED, source=_SOURCE,
        given=Given(people=(ADA,)), live=True,
        words="A call that names somebody by cio_id changes both of the other identifiers; the person is the same.",
        steps=(
            attributes("~ada", keep={"ada": "customer.attributes.cio_id"}),
            identify("cio_$ada", {"id": "~new", "email": "~new@example.com"}),
        ),
        ending=Ending(people=({"id": "~new", "email": "~new@example.com", "cio_id": "$ada"},), gone=("~ada",)),
    ),
    Case(
        name="cio-id-of-nobody", tags=(*_TAGS, "identifiers"), grade=DOCUMENTED, rules=("person.unknown_cio_id",),
        source=_SOURCE, words="A cio_id that nobody has creates nobody, and the call is accepted.",
        steps=(identify("cio_03000fff", {"plan": "pro"}),),
        ending=Ending(people=(), ignored=("person.unknown_cio_id",)),
    ),
    Case(
        name="cio-id-with-odd-letters", tags=(*_TAGS, "identifiers"), grade=CLIENT_TESTED,
        rules=("track.person.cio_id.malformed",), source="reported by a payments vendor",
        words="A cio_id is letters and digits; anything else is refused.",
        steps=(identify("cio_a-b", {}, status=400),),
        ending=Ending(people=(), refused=("track.person.cio_id.malformed",)),
    ),
    Case(
        name="update-only-of-nobody", tags=_TAGS, grade=DOCUMENTED, rules=("person.update_only",), source=_SOURCE,
        words="`_update: true` never creates a person.", live=True,
        steps=(identify("~ada", {"_update": True, "plan": "pro"}),),
        ending=Ending(people=(), gone=("~ada",), ignored=("person.update_only",)),
    ),
    Case(
        name="email-in-another-case", tags=(*_TAGS, "identifiers"), grade=DOCUMENTED, source=_SOURCE, live=True,
        given=Given(people=({"email": "~ada@example.com"},)),
        words="An email is the same in any case: the person is found.",
        steps=(identify("~ADA@example.com", {"plan": "pro"}),),
        ending=Ending(people=({"id": None, "email": "~ada@example.com", "attributes": {"plan": "pro"}},)),
    ),
    Case(
        name="ids-in-another-case", tags=(*_TAGS, "identifiers"), grade=DOCUMENTED, source=_SOURCE, live=True,
        given=Given(people=({"id": "~ada"},)), words="An id in another case is another id.",
        steps=(identify("~ADA", {}),),
        ending=Ending(people=({"id": "~ada"}, {"id": "~ADA"})),
    ),
    Case(
        name="body-that-is-a-list", tags=(*_TAGS, "bodies"), grade=ASSUMED, rules=("track.body",), source=_INVALID,
        words="A body that is JSON but no object is refused.", live=True,
        steps=(identify("~ada", [1], status=400),),
        ending=Ending(people=(), gone=("~ada",), refused=("track.body",)),
    ),
    Case(
        name="body-that-is-no-json", tags=(*_TAGS, "bodies"), grade=ASSUMED, rules=("track.body",), source=_INVALID,
        words="A body that is no JSON is refused.", live=True,
        steps=(track("PUT", "/api/v1/customers/~ada", text="{", headers={"Content-Type": "application/json"},
                     status=400),),
        ending=Ending(people=(), gone=("~ada",), refused=("track.body",)),
    ),
    Case(
        name="path-that-is-no-utf-8", tags=(*_TAGS, "identifiers"), grade=ASSUMED, rules=("track.path",),
        source="the vendor's pages are silent", words="A path whose escapes are no UTF-8 names nobody.",
        steps=(identify("%FF", {}, status=400),),
        ending=Ending(people=(), refused=("track.path",)),
    ),
    Case(
        name="two-long-values-are-two-errors", tags=(*_TAGS, "limits"), grade=DOCUMENTED, source=_INVALID, live=True,
        rules=("track.attribute.value",), words="Every fault of a call is told in one answer, and nothing is applied.",
        steps=(identify("~ada", {"x": "v" * 1001, "y": "v" * 1001}, status=400, answer={"meta": {"errors": any_order((
            "value for attribute 'x' cannot be longer than 1000 bytes",
            "value for attribute 'y' cannot be longer than 1000 bytes"))}}),),
        ending=Ending(people=(), gone=("~ada",), refused=("track.attribute.value",)),
    ),
)  # fmt: skip
