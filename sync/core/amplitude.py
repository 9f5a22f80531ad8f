"""What Amplitude's answers mean, and what to do next: cohorts, computation jobs, the month's quota, refusals.

Pure: bytes and moments in, values and errors out. Asking, waiting and downloading is for `sync/amplitude_pull.py`.
Source: Amplitude > Behavioral Cohorts API, with the error texts and shapes that public clients of it rely on.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple
from urllib.parse import quote

import msgspec

from sync.core.errors import SourceError
from sync.core.rows import NOT_JSON
from sync.core.sending import Reply

COHORTS_PATH = "/api/3/cohorts?includeSyncInfo=true"
USAGE_PATH = "/api/3/cohorts/usage"
MONTHLY_REQUESTS = 500  # Amplitude > Behavioral Cohorts API > Considerations
JOB_LIFE_S = 7 * 86400.0  # how long a request id can be asked for its file
IN_PROGRESS, COMPLETED = "JOB INPROGRESS", "JOB COMPLETED"
_FAILED = ("FAIL", "ERROR", "CANCEL", "EXPIRED")
_FIRST_POLL_S, _POLL_GROWTH, _MOST_POLL_S = 2.0, 1.5, 15.0
_NOT_A_PROPERTY = frozenset({"user_id", "amplitude_id"})  # in every download; anything else must be asked for


class CohortInfo(msgspec.Struct, frozen=True):
    """What the list says of one cohort. `last_computed` is Unix seconds; None where the list does not say."""

    id: str
    name: str = ""
    size: int | None = None
    last_computed: int | None = None
    archived: bool = False
    of_people: bool = True


class _Listed(msgspec.Struct, rename="camel"):
    id: str
    name: Any = None
    size: Any = None
    last_computed: Any = None
    archived: Any = False
    definition: Any = None


class _List(msgspec.Struct):
    cohorts: list[_Listed]


class _Job(msgspec.Struct):
    request_id: Any = None
    async_status: Any = None


_decode_list = msgspec.json.Decoder(_List, strict=False).decode
_decode_job = msgspec.json.Decoder(_Job).decode


def parse_cohorts(body: bytes) -> list[CohortInfo] | None:
    """The cohorts of a list; None when the text is none. Only discoverable cohorts are ever listed."""
    try:
        return [_info(one) for one in _decode_list(body).cohorts]
    except NOT_JSON:
        return None


def _info(listed: _Listed) -> CohortInfo:
    return CohortInfo(
        listed.id, _text(listed.name), _count(listed.size), _count(listed.last_computed),
        archived=listed.archived is True, of_people=_counts_people(listed.definition),
    )  # fmt: skip


def _counts_people(definition: object) -> bool:
    group = definition.get("countGroup") if isinstance(definition, dict) else None
    return not isinstance(group, dict) or group.get("name") in (None, "User")


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _count(value: object) -> int | None:
    return int(value) if isinstance(value, int | float) and not isinstance(value, bool) and value >= 0 else None


def choose_cohort(cohorts: list[CohortInfo], cohort_id: str) -> CohortInfo | None:
    """The cohort of that id; None when it is not listed (it may exist all the same: unpublished ones are not).

    Raises SourceError for one that is archived, or that counts something else than people.
    """
    found = next((one for one in cohorts if one.id == cohort_id), None)
    if found is None:
        return None
    if found.archived:
        raise SourceError(
            f"the cohort {cohort_id} is archived in Amplitude; the segment was left as it is",
            hint="unarchive it there, or end this sync",
            code="cohort_archived",
        )
    if not found.of_people:
        raise SourceError(
            f"the cohort {cohort_id} counts groups, not people; nothing was sent",
            hint="choose a cohort of users",
            code="cohort_of_groups",
        )
    return found


def request_path(cohort_id: str, properties: tuple[str, ...]) -> str:
    """Where a cohort's computation is asked for; ids and property names are percent-encoded."""
    keys = "".join(f"&propKeys={_quote(name)}" for name in properties)
    return f"/api/5/cohorts/request/{_quote(cohort_id)}" + (f"?props=1{keys}" if keys else "")


def status_path(request_id: str) -> str:
    return f"/api/5/cohorts/request-status/{_quote(request_id)}"


def file_path(request_id: str) -> str:
    return f"/api/5/cohorts/request/{_quote(request_id)}/file"


def _quote(text: str) -> str:
    return quote(text, safe="")


def wanted_properties(id_column: str) -> tuple[str, ...]:
    """The user properties that a download must carry for this id column."""
    return () if id_column in _NOT_A_PROPERTY else (id_column,)


def parse_request_id(body: bytes) -> str | None:
    """The id of an accepted computation; None when the text holds none."""
    job = _job(body)
    return job.request_id if job is not None and isinstance(job.request_id, str) and job.request_id else None


def is_ready(reply: Reply) -> bool | None:
    """Whether a computation has ended, by its status answer; None when the answer can't be read."""
    job = _job(reply.body)
    if job is None or not isinstance(job.async_status, str):
        return None
    return job.async_status == COMPLETED


def has_failed(reply: Reply) -> bool:
    """Whether a computation has ended without a file. No word for that is documented: any that says so will do."""
    job = _job(reply.body)
    said = job.async_status.upper() if job is not None and isinstance(job.async_status, str) else ""
    return any(word in said for word in _FAILED)


def _job(body: bytes) -> _Job | None:
    try:
        return _decode_job(body)
    except NOT_JSON:
        return None


def poll_waits(deadline_s: float) -> Iterator[float]:
    """Seconds before each look at a computation: they grow, and together stay below `deadline_s`."""
    wait, spent = _FIRST_POLL_S, 0.0
    while spent + wait <= deadline_s:
        yield wait
        spent += wait
        wait = min(_MOST_POLL_S, wait * _POLL_GROWTH)


# -- the quota ---------------------------------------------------------------------------------------------------------
def month_of(now: float) -> str:
    """The month, in UTC, that a request at `now` (Unix seconds) counts towards."""
    return datetime.fromtimestamp(now, UTC).strftime("%Y-%m")


class Usage(NamedTuple):
    """What Amplitude itself counts of a month's cohort requests."""

    spent: int
    limit: int

    @property
    def is_used_up(self) -> bool:
        return self.spent >= self.limit


def parse_usage(body: bytes) -> Usage | None:
    """Amplitude's count, nested or flat, for its public clients meet both; None when the text is neither."""
    try:
        document = msgspec.json.decode(body)
    except NOT_JSON:
        return None
    told = document.get("rest_download", document) if isinstance(document, dict) else None
    if not isinstance(told, dict):
        return None
    spent, limit = _count(told.get("usage", told.get("count"))), _count(told.get("limit"))
    return None if spent is None or limit is None else Usage(spent, limit)


def ends_the_month(usage: Usage | None, said: str) -> bool:
    """Whether a 429 to a cohort request means the month's quota, which no wait of ours outlasts, and not the pace.

    Amplitude's own count decides. Where that can't be had, its words do: `said` speaks of a month, or does not.
    """
    return usage.is_used_up if usage is not None else "month" in said.lower()


def quota_used_up(now: float, counted: str = f"{MONTHLY_REQUESTS} as counted here") -> SourceError:
    """The error for a month whose requests are spent; `counted` says who found that."""
    today = datetime.fromtimestamp(now, UTC)
    first = datetime(today.year + today.month // 12, today.month % 12 + 1, 1, tzinfo=UTC)
    return SourceError(
        f"this project has used up its cohort requests of the month, {counted};"
        " no computation was asked for and nothing was sent",
        hint=f"the count starts anew on {first:%Y-%m-%d} (UTC); sync less often, or let Amplitude push the cohort to"
        " `cio-sync listen`",
        code="cohort_quota",
    )


# -- refusals ----------------------------------------------------------------------------------------------------------
_UNKNOWN_KEY, _WRONG_SECRET = "Invalid API Key", "Invalid API/Secret Key combination"


def refusal(reply: Reply, what: str) -> SourceError:
    """The error for an answer that no further try would change. `what` says what was asked for."""
    if is_page(reply):
        return SourceError(
            f"{what}: a web page answered {reply.status} in place of Amplitude; nothing was sent",
            hint="check AMPLITUDE_URL and AMPLITUDE_REGION, and what stands between here and Amplitude (a proxy, say)",
            code="amplitude_elsewhere",
        )
    if reply.status in (401, 403):
        return _credentials(error_details(reply.body), what)
    if reply.status == 404:
        return SourceError(
            f"{what}: Amplitude knows nothing of that id; nothing was sent",
            hint="compare the id with the cohort's address in Amplitude; an archived or deleted cohort ends here too",
            code="cohort_unknown",
        )
    said = error_details(reply.body)
    return SourceError(f"{what}: Amplitude answered {reply.status}{f' ({said})' if said else ''}; nothing was sent")


def is_page(reply: Reply) -> bool:
    """Whether somebody else answered, a proxy or a sign-in page: Amplitude's refusals are JSON."""
    kind = reply.headers.get("content-type", "").lower()
    return kind.startswith("text/html") or reply.body.lstrip()[:1] == b"<"


def unlisted(reply: Reply) -> SourceError:
    """The error for a list of cohorts that is not where it has to be: that says nothing of any cohort."""
    return SourceError(
        f"listing the cohorts: the answer was {reply.status}, as if this were not Amplitude; nothing was sent",
        hint="check AMPLITUDE_URL and AMPLITUDE_REGION, and what stands between here and Amplitude",
        code="amplitude_elsewhere",
    )


def _credentials(details: str, what: str) -> SourceError:
    if _WRONG_SECRET in details:
        said, hint = "AMPLITUDE_SECRET_KEY does not belong to AMPLITUDE_API_KEY", "copy the secret key of that project"
    elif _UNKNOWN_KEY in details:
        said = "AMPLITUDE_API_KEY is not known at this address"
        hint = "check the key, and the region: EU projects need AMPLITUDE_REGION=eu"
    else:
        said = f"Amplitude does not allow it ({details[:200] or 'it said no more'})"
        hint = "reading cohorts and exports depends on the plan: ask whoever owns the Amplitude account"
    return SourceError(f"{what}: {said}; nothing was sent", hint=hint, code="amplitude_credentials")


def error_details(body: bytes) -> str:
    """Amplitude's own words for an error, from any of the shapes they come in; empty when there are none."""
    try:
        document = msgspec.json.decode(body)
    except NOT_JSON:
        text = body[:200].decode("utf-8", "replace").strip()
        return "" if text.startswith("<") else text
    error = document.get("error") if isinstance(document, dict) else None
    if isinstance(error, str):
        return error
    if not isinstance(error, dict):
        return ""
    metadata = error.get("metadata")
    details = metadata.get("details") if isinstance(metadata, dict) else None
    return _text(details) or _text(error.get("message"))
