"""A small fake Amplitude: one project's cohorts and raw events, behind the pull APIs that the engine reads.

Keeps the rules that make those APIs awkward: computations that take a while, links to another host that expire and
must not see our credentials, gzip with and without its header, the month's quota, hours that become available late.
`Trouble` makes any answer go wrong. Serving it on a port is `amplitude_server.py`; what it pushes, elsewhere.
Source of every shape and text: Amplitude > Behavioral Cohorts API and > Export API, as their public clients meet them.
"""

from __future__ import annotations

import time
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from scenarios.samples.formats import Member, encode_cohort, encode_export, encode_gzip, encode_row, member_name

MONTHLY_REQUESTS = 500
LINK_LIFE_S = 60.0
JOB_LIFE_S = 7 * 86400.0
AVAILABLE_AFTER_S = 2 * 3600.0
_HOUR_S = 3600


CohortRow = tuple[str, str, Mapping[str, str]]


@dataclass(slots=True)
class Cohort:
    """A cohort as its project has it. `rows` are (amplitude_id, user_id or "", user properties); `size` None: as many
    as there are rows; `last_computed` is Unix seconds."""

    id: str
    name: str
    rows: list[CohortRow]
    size: int | None = None
    last_computed: int = 1_679_440_233
    archived: bool = False
    published: bool = True
    group: str | None = None

    def listed(self) -> dict[str, Any]:
        """The object that stands for it in the list of cohorts."""
        definition = {"countGroup": {"name": self.group}} if self.group else {}
        return {
            "appId": 123456, "archived": self.archived, "definition": definition, "description": None,
            "finished": True, "id": self.id, "name": self.name, "owners": ["owner@example.com"], "viewers": [],
            "published": self.published, "size": len(self.rows) if self.size is None else self.size,
            "type": "redshift", "lastMod": self.last_computed, "createdAt": 1_679_000_000,
            "lastComputed": self.last_computed, "hidden": False, "metadata": [], "syncMetadata": [],
        }  # fmt: skip


@dataclass(slots=True)
class Trouble:
    """The next `times` requests whose path matches the glob are answered with this instead. With `cut_bytes` the true
    answer is begun, and the connection closed after so many bytes of its body."""

    path: str
    status: int = 503
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    times: int = 1
    cut_bytes: int | None = None


class Asked(NamedTuple):
    """One request as it arrived; header names are lower case. `host` tells the API from the storage."""

    path: str
    query: str
    headers: Mapping[str, str]
    host: str


@dataclass(slots=True)
class _Job:
    cohort_id: str
    properties: tuple[str, ...]
    asked_at: float
    polls_left: int


class FakeAmplitude:
    """One project. Its fields are there to be set: what they say holds from the next request on."""

    def __init__(
        self, *, api_key: str = "a" * 32, secret_key: str = "b" * 32, now: Callable[[], float] = time.time
    ) -> None:
        self.api_key = api_key
        self.secret_key = secret_key
        self.now = now
        self.cohorts: dict[str, Cohort] = {}
        self.events: list[Mapping[str, Any]] = []
        self.troubles: list[Trouble] = []
        self.asked: list[Asked] = []
        self.polls_until_ready = 2
        self.by_link = True  # a file of any size comes from the storage
        self.gzip_header = True
        self.requests_spent = 0
        self.most_export_bytes = 4 * 2**30
        self.damaged_hours: set[int] = set()  # hours since 1970 whose file in an export can't be unpacked
        self.storage_url = ""  # set by whoever serves this
        self._jobs: dict[str, _Job] = {}
        self._links: dict[str, tuple[bytes, float]] = {}

    def environment(self, url: str) -> dict[str, str]:
        """What the engine needs to know to read this project at `url`."""
        return {
            "AMPLITUDE_API_KEY": self.api_key, "AMPLITUDE_SECRET_KEY": self.secret_key, "AMPLITUDE_URL": url,
        }  # fmt: skip

    def put_cohort(self, cohort_id: str, user_ids: Sequence[str], *, name: str = "vip", **more: Any) -> Cohort:
        """Make or recompute a cohort of these ids; `more` are fields of Cohort."""
        rows: list[CohortRow] = [(str(356_000_000_000 + n), one, {}) for n, one in enumerate(user_ids)]
        before = self.cohorts.get(cohort_id)
        last = max(int(self.now()) - 60, before.last_computed + 1 if before is not None else 0)
        cohort = Cohort(cohort_id, name, rows, **{"last_computed": last, **more})
        self.cohorts[cohort_id] = cohort
        return cohort

    # -- answers ------------------------------------------------------------------------------------------------------
    def app(self) -> Starlette:
        """Both hosts as one ASGI application."""
        return Starlette(
            routes=[
                Route("/api/3/cohorts", self._guarded(self._list)),
                Route("/api/3/cohorts/usage", self._guarded(self._usage)),
                Route("/api/5/cohorts/request/{cohort_id}", self._guarded(self._ask)),
                Route("/api/5/cohorts/request-status/{request_id}", self._guarded(self._status)),
                Route("/api/5/cohorts/request/{request_id}/file", self._guarded(self._file)),
                Route("/api/2/export", self._guarded(self._export)),
                Route("/storage/{token}", self._storage),
            ]
        )

    def _guarded(self, answer: Callable[[Request], Response]) -> Callable[[Request], Response]:
        def guarded(request: Request) -> Response:
            refused = self._refused(request.headers.get("authorization", ""))
            return refused if refused is not None else answer(request)

        return guarded

    def _refused(self, authorization: str) -> Response | None:
        if authorization == _basic(self.api_key, self.secret_key):
            return None
        known = authorization.startswith("Basic ") and authorization[6:12] == _basic(self.api_key, "")[6:12]
        return _error(403, "Invalid API/Secret Key combination" if known else "Invalid API Key")

    def _list(self, request: Request) -> Response:
        return JSONResponse({"cohorts": [one.listed() for one in self.cohorts.values() if one.published]})

    def _usage(self, request: Request) -> Response:
        return JSONResponse({"rest_download": {"limit": MONTHLY_REQUESTS, "usage": self.requests_spent}})

    def _ask(self, request: Request) -> Response:
        cohort_id = request.path_params["cohort_id"]
        if cohort_id not in self.cohorts:
            return _error(404, "cohort not found")
        if self.requests_spent >= MONTHLY_REQUESTS:
            return _error(429, "Exceeded the monthly limit of cohort downloads")
        self.requests_spent += 1
        request_id = f"job{len(self._jobs) + 1:06}"
        wanted = request.query_params.getlist("propKeys") if request.query_params.get("props") == "1" else []
        self._jobs[request_id] = _Job(cohort_id, tuple(wanted), self.now(), self.polls_until_ready)
        return JSONResponse({"request_id": request_id, "cohort_id": cohort_id}, status_code=202)

    def _status(self, request: Request) -> Response:
        job = self._job(request)
        if job is None:
            return _error(404, "request not found")
        job.polls_left -= 1
        ready = job.polls_left < 0
        state = {"request_id": request.path_params["request_id"], "cohort_id": job.cohort_id}
        status = {"async_status": "JOB COMPLETED" if ready else "JOB INPROGRESS"}
        return JSONResponse({**state, **status}, status_code=200 if ready else 202)

    def _file(self, request: Request) -> Response:
        job = self._job(request)
        if job is None:
            return _error(404, "request not found")
        data = encode_gzip(self._csv(job))
        if not self.by_link:
            return self._packed(data)
        token = f"t{len(self._links) + 1}"
        self._links[token] = (data, self.now() + LINK_LIFE_S)
        return RedirectResponse(f"{self.storage_url}/storage/{token}?X-Amz-Signature=abc", status_code=302)

    def _storage(self, request: Request) -> Response:
        data, expires_at = self._links.get(request.path_params["token"], (b"", 0.0))
        if "authorization" in request.headers:
            return Response("<Error><Code>InvalidArgument</Code></Error>", 400, media_type="application/xml")
        if self.now() >= expires_at:
            return Response("<Error><Code>AccessDenied</Code></Error>", 403, media_type="application/xml")
        return self._packed(data)

    def _packed(self, data: bytes) -> Response:
        headers = {"content-encoding": "gzip"} if self.gzip_header else {}
        return Response(data, media_type="text/csv", headers=headers)

    def _job(self, request: Request) -> _Job | None:
        job = self._jobs.get(request.path_params["request_id"])
        return job if job is not None and self.now() < job.asked_at + JOB_LIFE_S else None

    def _csv(self, job: _Job) -> bytes:
        cohort = self.cohorts[job.cohort_id]
        rows = [(number, one, *(more.get(key, "") for key in job.properties)) for number, one, more in cohort.rows]
        return encode_cohort(rows, ("amplitude_id", "user_id", *job.properties))

    # -- the export ---------------------------------------------------------------------------------------------------
    def _export(self, request: Request) -> Response:
        first, last = _hour(request.query_params.get("start", "")), _hour(request.query_params.get("end", ""))
        if first is None or last is None or last < first:
            return _error(400, "start and end must be hours such as 20260714T09")
        members = self._members(first, last)
        if not members:
            return Response("Raw data files were not found.", 404, media_type="text/plain")
        data = encode_export(members)
        if self.damaged_hours.intersection(range(first, last + 1)):
            data = data.replace(b"\x1f\x8b", b"\x1f\x00")
        if len(data) > self.most_export_bytes:
            return _error(400, "The file size of the exported data is too large")
        return Response(data, media_type="application/zip")

    def _members(self, first: int, last: int) -> list[Member]:
        """One gzip member an hour, for the hours that are available by now."""
        by_hour: dict[int, list[bytes]] = {}
        for row in self.events:
            hour = int(_uploaded_at(row) // _HOUR_S)
            if first <= hour <= last and (hour + 1) * _HOUR_S + AVAILABLE_AFTER_S <= self.now():
                by_hour.setdefault(hour, []).append(encode_row(row))
        return [_member(hour, tuple(lines)) for hour, lines in sorted(by_hour.items())]


def _member(hour: int, lines: tuple[bytes, ...]) -> Member:
    at = datetime.fromtimestamp(hour * _HOUR_S, UTC)
    return Member(member_name(123456, f"{at:%Y-%m-%d}", at.hour, 0), lines)


def _uploaded_at(row: Mapping[str, Any]) -> float:
    return datetime.fromisoformat(row["server_upload_time"]).replace(tzinfo=UTC).timestamp()


def _hour(text: str) -> int | None:
    try:
        return int(datetime.strptime(text, "%Y%m%dT%H").replace(tzinfo=UTC).timestamp()) // _HOUR_S
    except ValueError:
        return None


def _basic(api_key: str, secret_key: str) -> str:
    return f"Basic {b64encode(f'{api_key}:{secret_key}'.encode()).decode()}"


def _error(status: int, details: str) -> JSONResponse:
    error = {"http_code": status, "type": "unspecified", "metadata": {"details": details}}
    return JSONResponse({"error": error}, status_code=status)


def strike(troubles: list[Trouble], path: str) -> Trouble | None:
    """The trouble that hits a request, counted as having hit; None when none does."""
    for trouble in troubles:
        if trouble.times > 0 and fnmatchcase(path, trouble.path):
            trouble.times -= 1
            return trouble
    return None
