"""App API: sends, broadcasts, and what a workspace holds besides people."""

from __future__ import annotations

from typing import Any

from scenarios.catalogue.case import CLIENT_TESTED, DOCUMENTED, RECORDED, Ask, Case, Ending, Given
from scenarios.catalogue.matching import ABSENT, ANY
from scenarios.catalogue.writing import app

_SENDS = "App API > Transactional"
_EMAIL: dict[str, Any] = {
    "to": "ada@example.com", "identifiers": {"id": "ada"}, "from": "shop@example.com", "subject": "Hello", "body": "Hi",
}  # fmt: skip
_TO_SEND = Given(people=({"id": "ada", "email": "ada@example.com"},))
_BROADCAST = Given(people=_TO_SEND.people, seed={"broadcasts": [{"id": 4, "name": "News"}]})


def _bad_send(name: str, words: str, rule: str, answer: Any = ANY, **changed: Any) -> Case:
    body = {key: value for key, value in {**_EMAIL, **changed}.items() if value is not None}
    return Case(
        name=name, tags=("app", "sends"), grade=DOCUMENTED, rules=(rule,), words=words, source=_SENDS, given=_TO_SEND,
        steps=(app("POST", "/v1/send/email", body, status=400, answer={"meta": {"error": answer}}),),
        ending=Ending(refused=(rule,)),
    )


def _trigger(body: Any, **more: Any) -> Ask:
    return app("POST", "/v1/campaigns/4/triggers", body, **more)


CASES = (
    _bad_send("send-to-nobody", "An email goes to somebody.", "app.send.field",
              'Missing required field: "to"', to=None),
    _bad_send("send-with-an-unknown-template", "A template that is not there is named.", "app.send.template",
              '"transactional_message_id" not found.', transactional_message_id=99),
    _bad_send("send-to-sixteen", "An email has fifteen recipients at most.", "app.send.recipients",
              to=", ".join(f"p{n}@example.com" for n in range(16))),
    _bad_send("send-with-a-broken-attachment", "An attachment is base64.", "app.send.attachment",
              'Attachment must be base64 encoded: "f.csv"', attachments={"f.csv": "not base64!"}),
    Case(
        name="send-to-a-misspelt-path", tags=("app", "sends", "routes"), grade=DOCUMENTED, rules=("route.unknown",),
        source=_SENDS, words="A send to a path that is nearly right is a wrong method.",
        steps=(app("POST", "/v1/send/emails", _EMAIL, status=405),),
    ),
    Case(
        name="trigger-an-unknown-broadcast", tags=("app", "broadcasts"), grade=CLIENT_TESTED, rules=("app.not_found",),
        source="App API > Broadcasts", words="A broadcast that is not there is named.",
        steps=(app("POST", "/v1/campaigns/1/triggers", {}, status=404, answer={
            "errors": [{"detail": "broadcast with id 1 does not exist"}]}),),
        ending=Ending(refused=("app.not_found",)),
    ),
    Case(
        name="trigger-with-an-empty-filter", tags=("app", "broadcasts"), grade=RECORDED, given=_BROADCAST,
        rules=("app.broadcast.audience",), source="App API > Broadcasts", words="A filter of recipients is not empty.",
        steps=(_trigger({"recipients": {}}, status=422, answer={
            "errors": [{"detail": "empty recipients filter is not valid"}]}),),
        ending=Ending(refused=("app.broadcast.audience",)),
    ),
    Case(
        name="trigger-with-a-missing-person", tags=("app", "broadcasts"), grade=DOCUMENTED, given=_BROADCAST,
        rules=("app.broadcast.people",), source="App API > Broadcasts",
        words="One id of nobody fails a trigger, unless it is forgiven.",
        steps=(
            _trigger({"ids": ["ada", "ghost"]}, status=422),
            _trigger({"ids": ["ada", "ghost"], "id_ignore_missing": True}, after_s=20, answer={"id": ANY}),
        ),
        ending=Ending(refused=("app.broadcast.people",)),
    ),
    Case(
        name="trigger-with-a-foreign-flag", tags=("app", "broadcasts"), grade=CLIENT_TESTED, given=_BROADCAST,
        rules=("app.broadcast.audience",), source="App API > Broadcasts",
        words="A flag that goes with emails is refused beside ids.",
        steps=(_trigger({"ids": ["ada"], "email_ignore_missing": True}, status=422),),
        ending=Ending(refused=("app.broadcast.audience",)),
    ),
    Case(
        name="two-triggers-at-once", tags=("app", "broadcasts", "limits"), grade=DOCUMENTED, rules=("app.quota",),
        source="App API > Rate limits", words="A broadcast is triggered once in ten seconds.",
        given=Given(people=_BROADCAST.people, seed=_BROADCAST.seed, settings={"rate_limits": "enforced"}),
        steps=(_trigger({}), _trigger({}, status=429)), ending=Ending(refused=("app.quota",)),
    ),
    Case(
        name="snippet-name-of-151-characters", tags=("app", "content", "limits"), grade=DOCUMENTED,
        rules=("app.snippet.name",), source="App API > Snippets", words="A snippet's name has 150 characters at most.",
        steps=(app("PUT", "/v1/snippets", {"name": "n" * 151, "value": "x"}, status=422, answer={
            "errors": [{"detail": "name cannot exceed 150 characters", "source": {"pointer": "/name"}}]}),),
        ending=Ending(refused=("app.snippet.name",)),
    ),
    Case(
        name="webhook-that-reports-nothing", tags=("app", "content"), grade=DOCUMENTED, rules=("app.body",),
        source="App API > Reporting webhooks", words="A reporting webhook names what it reports.",
        steps=(app("POST", "/v1/reporting_webhooks", {
            "name": "~x", "endpoint": "https://example.com/hook", "events": []}, status=400),),
        ending=Ending(refused=("app.body",)),
    ),
    Case(
        name="addresses-need-no-key", tags=("app", "content"), grade=DOCUMENTED, source="App API > Info", live=True,
        words="The addresses that Customer.io sends from are read without a key.",
        steps=(app("GET", "/v1/info/ip_addresses", auth="none", answer={"ip_addresses": ANY}),),
    ),
    Case(
        name="unknown-key-in-a-strict-body", tags=("app", "bodies"), grade=CLIENT_TESTED, rules=("app.unknown_key",),
        source="App API > Error shapes",
        words="An unknown key is ignored, unless the request asks to be read strictly.",
        steps=(
            app("POST", "/v1/segments", {"segment": {"name": "~a"}, "colour": "red"}, answer={
                "segment": {"name": "~a", "colour": ABSENT}}),
            app("POST", "/v1/segments", {"segment": {"name": "~b"}, "colour": "red"}, status=400,
                headers={"X-Validate": "strict"}),
        ),
        ending=Ending(members={"~a": ()}, refused=("app.unknown_key",)),
    ),
)  # fmt: skip
