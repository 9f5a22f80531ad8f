"""Wrong variants of the engine: events, what is sent of them and when it is tried again.

As in `of_cohorts.py`, each is a bug that an engine of others has, or a promise of the vendor's pages got wrong.
"""

from __future__ import annotations

import time
from typing import Any

from scenarios.mutants.mutant import ENGINE, Collection, of

HERE = Collection(ENGINE)


@HERE.mutant(
    "partial-taken-for-success", "sync.core.delivery:_guilty",
    "a 207 counts as success", "the official Python client and Multiwoven: any 2xx is all of it",
)  # fmt: skip
def _(original: Any, *_: Any) -> dict[int, Any]:
    return {}


@HERE.mutant(
    "refused-batch-dropped", "sync.core.delivery:deliver",
    "a 400 for a batch is the end of everything in it", "RudderStack: a 400 aborts the whole batch, nothing is halved",
)  # fmt: skip
def _(original: Any, batch: Any) -> Any:
    story = original(batch)
    request = next(story)
    while True:
        fate = yield request
        if fate.reply is not None and fate.reply.status == 400:
            why = of(original, "_refusal")(fate)
            settled = of(original, "End").SETTLED
            return of(original, "Verdicts")(settled, dict.fromkeys(range(len(batch.items)), why), [])
        try:
            request = story.send(fate)
        except StopIteration as end:
            return end.value


@HERE.mutant(
    "retries-in-one-window", "sync.core.sending:RetryPolicy.backoff_s",
    "every retry comes at once, within one window of the limit", "PostHog 92214: retries all land in the same window",
)  # fmt: skip
def _(original: Any, *_: Any) -> float:
    return 0.0


@HERE.mutant(
    "retry-after-ignored", "sync.core.sending:retry_after_s",
    "nobody reads how long to wait", "PostHog 92214 and most of its peers: the header is never read",
)  # fmt: skip
def _(original: Any, *_: Any) -> None: ...


@HERE.mutant(
    "forbidden-tried-again", "sync.core.sending:_final_kind",
    "wrong credentials are tried again and again", "Jitsu: any error can be one to retry",
)  # fmt: skip
def _(original: Any, answer: Any, usable: Any) -> Any:
    return None if getattr(answer, "status", 0) in (401, 403) else original(answer, usable)


@HERE.mutant(
    "throttled-given-up", "sync.core.sending:_final_kind",
    "a 429 is final", "Multiwoven and n8n: no reaction to 429",
)  # fmt: skip
def _(original: Any, answer: Any, usable: Any) -> Any:
    if getattr(answer, "status", 0) == 429:
        return of(original, "FateKind").REFUSED
    return original(answer, usable)


@HERE.mutant(
    "redirect-followed", "sync.edge.transport:Transport._exchange",
    "credentials travel to wherever a redirect points", "customerio-node 134: a 301 to the other region",
)  # fmt: skip
def _(original: Any, self: Any, request: Any, headers: Any) -> Any:
    answer = original(self, request, headers)
    where = answer.headers.get("location") if hasattr(answer, "headers") else None
    if not where:
        return answer
    http = of(original, "httpx").Client(transport=self._transport)
    response = http.request(request.method, where, headers=headers, content=request.body)
    return of(original, "Reply")(response.status_code, dict(response.headers), response.content, time.time())


@HERE.mutant(
    "keys-follow-links", "sync.edge.amplitude_transport:AmplitudeTransport._link",
    "Amplitude's keys are shown to the storage that a link leads to",
    "clients that send their headers along with every redirect; a storage service refuses a second signature",
)  # fmt: skip
def _(original: Any, self: Any, response: Any) -> Any:
    self._client.headers.update(self._authorization)
    return original(self, response)


@HERE.mutant(
    "checkpoint-before-confirm", "sync.dispatch:Dispatcher._judge",
    "what was sent without an answer counts as delivered", "Multiwoven: records are marked before anybody confirmed",
)  # fmt: skip
def _(original: Any, self: Any, done: Any) -> None:
    done.verdicts.open.clear()
    original(self, done)


@HERE.mutant(
    "doubtful-taken-for-delivered", "sync.edge.event_ledger:EventLedger._batches",
    "what was under way when a run was killed is never sent again", "RudderStack disclaims what a crash may lose",
)  # fmt: skip
def _(original: Any, self: Any, state: int) -> Any:
    accepted = of(original, "ACCEPTED")
    return original(self, state) + (original(self, of(original, "SENT")) if state == accepted else [])


@HERE.mutant(
    "event-id-from-the-clock", "sync.core.ulids:event_ulid",
    "every reading gives an event another id", "activepieces 6391 and all engines that send no event id of their own",
)  # fmt: skip
def _(original: Any, ms: int, *names: Any) -> bytes:
    ulid: bytes = original(time.time_ns() // 1_000_000, *names)
    return ulid[:6] + time.time_ns().to_bytes(10, "big")


@HERE.mutant(
    "event-id-of-the-person", "sync.core.ulids:event_ulid",
    "the events of one device in one second share an id", "activepieces 6391: the person's id as the event's",
)  # fmt: skip
def _(original: Any, ms: int, project: Any, device: str, key: str) -> bytes:
    ulid: bytes = original(ms, project, device, "")
    return ulid


@HERE.mutant(
    "time-of-sending", "sync.core.wire_v2:encode_item",
    "events carry the time at which they were sent", "engines that leave the timestamp out: the time of receipt counts",
)  # fmt: skip
def _(original: Any, intent: Any, ulid: bytes, data: bytes) -> bytes:
    own, now = b'"timestamp":%d,' % (intent.ms // 1000), b'"timestamp":%d,' % int(time.time())
    item: bytes = original(intent, ulid, data)
    return item.replace(own, now, 1)


@HERE.mutant(
    "local-time", "sync.core.times:TimeReader.parse_ms",
    "Amplitude's times are read as those of a zone two hours east",
    "Amplitude's Export API writes UTC without saying so",
)  # fmt: skip
def _(original: Any, self: Any, text: Any) -> Any:
    ms = original(self, text)
    return None if ms is None else ms - 7_200_000


@HERE.mutant(
    "page-views-as-pages", "sync.core.wire_v2:encode_item",
    "an event called Page Viewed becomes a page view", "RudderStack and Segment: names that mean a type",
)  # fmt: skip
def _(original: Any, intent: Any, ulid: bytes, data: bytes) -> bytes:
    item: bytes = original(intent, ulid, data)
    return item.replace(b'"action":"event"', b'"action":"page"', 1) if b"Page Viewed" in intent.name else item


@HERE.mutant(
    "reserved-names-passed", "sync.core.properties:_top_name",
    "a property called recipient redirects a campaign's mail", "Track API > Events > data: names that override",
)  # fmt: skip
def _(original: Any, name: str, taken: Any) -> str:
    return name


@HERE.mutant(
    "names-limited-in-characters", "sync.core.validation:name_fault",
    "100 characters of a name are sent, whatever their bytes", "PostHog: limits counted in characters",
)  # fmt: skip
def _(original: Any, name: str) -> Any:
    return None if 0 < len(name) <= 100 else original(name)


@HERE.mutant(
    "ids-limited-in-characters", "sync.core.validation:identifier_fault",
    "150 characters of an id are sent, whatever their bytes", "PostHog: limits counted in characters",
)  # fmt: skip
def _(original: Any, value: str) -> Any:
    return None if value.strip() and len(value) <= 150 else original(value)


@HERE.mutant(
    "batches-without-end", "sync.core.batches:_Open._clear",
    "a batch grows past 500 KB", "Segment action-destinations 3106: batches too big for a large customer",
)  # fmt: skip
def _(original: Any, self: Any) -> None:
    original(self)
    self.room = 1 << 30


@HERE.mutant(
    "secrets-in-errors", "sync.edge.transport:_sentence",
    "the text of a network error holds the credentials", "logs that print the request that failed",
)  # fmt: skip
def _(original: Any, kind: str, error: Any) -> str:
    headers = dict(error.request.headers) if getattr(error, "_request", None) is not None else {}
    return f"{original(kind, error)}: {headers}"
