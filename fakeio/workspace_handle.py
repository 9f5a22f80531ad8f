"""A workspace in the hands of a test: seed it, look into it, change its weather and its clock, assert on it.

Works on the live state under the workspace's own lock, so it sees exactly what a request just did, and never waits for
a socket. Everything it returns is a record of that moment.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from types import TracebackType
from typing import Any

import msgspec

from fakeio.assertions import Assertions
from fakeio.core.comparing import compare
from fakeio.core.identifiers import CIO_ID, CIO_PREFIX, EMAIL, ID, Ref
from fakeio.core.seeding import add_segment
from fakeio.core.seeding_people import add_people
from fakeio.core.segments import MANUAL, Segment
from fakeio.core.weather import Fault
from fakeio.edge.control_http import ControlError
from fakeio.edge.control_people import events
from fakeio.edge.control_requests import ignored
from fakeio.edge.control_weather import turn_clock
from fakeio.edge.exchange import Universe
from fakeio.edge.exporting import Exporter, export
from fakeio.edge.keeping import put_snapshot, read_snapshot
from fakeio.edge.registry import HostedWorkspace
from fakeio.edge.tape import as_row
from fakeio.edge.views import event_view, identifiers_view, person_view, segment_view, up_to_date
from fakeio.records import EventRecord, IgnoredRecord, PersonRecord, RequestRecord, SegmentRecord, record


class WorkspaceHandle(Assertions):
    """One workspace of a fake: `fake.workspace`, `fake.new_workspace()`, or the fixture `customerio`.

    `url` is where its server listens, `clock` its time. What it can assert is described in `Assertions`.
    """

    def __init__(self, hosted: HostedWorkspace, universe: Universe, url: str | None = None) -> None:
        self._hosted = hosted
        self._universe = universe
        self.url = url
        self.clock = ClockHandle(hosted)

    @property
    def id(self) -> int:
        """The workspace's id, `environment_id` in the vendor's words."""
        return self._hosted.id

    @property
    def name(self) -> str:
        """Its name, `workspace N` unless it was given one."""
        return self._hosted.name

    @property
    def region(self) -> str:
        """`us` or `eu`."""
        return self._hosted.region

    @property
    def site_id(self) -> str:
        """The user name of the Track API."""
        return self._hosted.credentials.site_id

    @property
    def track_api_key(self) -> str:
        """The password of the Track API."""
        return self._hosted.credentials.track_api_key

    @property
    def app_api_key(self) -> str:
        """The bearer token of the App API."""
        return self._hosted.credentials.app_api_key

    @property
    def pipelines_write_key(self) -> str:
        """The user name of the Pipelines API."""
        return self._hosted.credentials.pipelines_write_key

    @property
    def service_token(self) -> str:
        """The bearer token of a service account, which may name any workspace of its account."""
        return self._hosted.credentials.service_token

    @property
    def webhook_signing_key(self) -> str:
        """What reporting webhooks are signed with."""
        return self._hosted.credentials.webhook_signing_key

    # ---- seeding -----------------------------------------------------------------------------------------------------

    def add_person(
        self, *, id: str | None = None, email: str | None = None, cio_id: str | None = None,
        attributes: Mapping[str, Any] | None = None, devices: Iterable[Mapping[str, Any]] = (),
    ) -> PersonRecord:  # fmt: skip
        """Add or update a person without a request and without an activity; raises ValueError (SeedError)."""
        row = {"id": id, "email": email, "cio_id": cio_id, "attributes": attributes or {}, "devices": list(devices)}
        return self.add_people([row])[0]

    def add_people(self, rows: Iterable[Mapping[str, Any]]) -> list[PersonRecord]:
        """Add or update many: each `{"id"?, "email"?, "cio_id"?, "attributes"?, "devices"?}`.

        Raises ValueError (SeedError), and then nobody was added.
        """
        own = _json_copy(list(rows))
        with up_to_date(self._hosted):
            added = add_people(self._hosted.state, own, self._hosted.clock.now())
            return [record(PersonRecord, person_view(person)) for person in added]

    def add_segment(
        self, name: str, *, description: str = "", type: str = MANUAL, conditions: Mapping[str, Any] | None = None
    ) -> SegmentRecord:
        """A new segment, `manual` or `dynamic`; raises ValueError (SeedError)."""
        with up_to_date(self._hosted):
            space = self._hosted.state
            made = add_segment(space, name, description, type, _json_copy(conditions), self._hosted.clock.now())
            return self._segment(made)

    def reset(self) -> None:
        """As right after it was created. Credentials stay; tape, faults and clock start afresh."""
        self._hosted.reset()

    def fork(self, *, name: str | None = None) -> WorkspaceHandle:
        """Another workspace with the same state and time, for this test alone; credentials are new, faults stay behind.

        Costs about the same however much there is in it. It is there until `Fake.remove_workspace`, or as long as the
        fake.
        """
        with up_to_date(self._hosted) as hosted:
            return WorkspaceHandle(self._universe.registry.fork(hosted, name=name), self._universe, self.url)

    def snapshot(self) -> dict[str, Any]:
        """Everything the workspace knows as one JSON document: for `restore`, for a seed, or for a file."""
        with up_to_date(self._hosted) as hosted:
            document: dict[str, Any] = _json_copy(read_snapshot(hosted))
        return document

    def restore(self, document: Mapping[str, Any]) -> None:
        """Become what a snapshot says; tape, faults and credentials stay.

        Raises ValueError (SeedError) for one that can't be, and then nothing has changed.
        """
        put_snapshot(self._hosted, _json_copy(document))

    def diff(self, other: WorkspaceHandle) -> list[dict[str, Any]]:
        """What this workspace (left) and another (right) differ in: `{"path", "kind", "left"?, "right"?}` each.

        `kind` is changed, only_left or only_right. Empty when they are alike.
        """
        return list(compare(self.snapshot(), other.snapshot()))

    # ---- looking -----------------------------------------------------------------------------------------------------

    def person(
        self, *, id: str | None = None, email: str | None = None, cio_id: str | None = None
    ) -> PersonRecord | None:
        """The PersonRecord of exactly one identifier; None when nobody has it."""
        named = [(kind, value) for kind, value in ((ID, id), (EMAIL, email), (CIO_ID, cio_id)) if value is not None]
        if len(named) != 1:
            raise TypeError("name the person by exactly one of id, email and cio_id")
        kind, value = named[0]
        ref = Ref(kind, value.removeprefix(CIO_PREFIX) if kind == CIO_ID else value)
        with up_to_date(self._hosted):
            found = self._hosted.state.people.find(ref)
            return None if found is None else record(PersonRecord, person_view(found))

    @property
    def people(self) -> list[PersonRecord]:
        """Everybody, in order of creation."""
        with up_to_date(self._hosted):
            everybody = sorted(self._hosted.state.people, key=lambda person: person.number)
            return [record(PersonRecord, person_view(person)) for person in everybody]

    def events(
        self, name: str | None = None, *, person: str | None = None, type: str | None = None
    ) -> list[EventRecord]:
        """Events in order of arrival, of that name, person (an id, an email or a cio_id) and type."""
        with up_to_date(self._hosted):
            space = self._hosted.state
            found = events(space, 0, person, name, type)
            return [record(EventRecord, event_view(space, event)) for event in found]

    def segment(self, id: int) -> SegmentRecord:
        """The segment of that id; raises LookupError."""
        with up_to_date(self._hosted):
            found = self._hosted.state.segments.get(id)
            if found is None:
                known = ", ".join(str(segment.id) for segment in self._hosted.state.segments) or "none"
                raise LookupError(f"there is no segment {id} in workspace {self.id}; there are: {known}")
            return self._segment(found)

    @property
    def segments(self) -> list[SegmentRecord]:
        """Every segment, by id."""
        with up_to_date(self._hosted):
            return [self._segment(segment) for segment in self._hosted.state.segments]

    @property
    def requests(self) -> list[RequestRecord]:
        """The tape, in order of arrival."""
        with up_to_date(self._hosted):
            return [record(RequestRecord, as_row(exchange)) for exchange in self._hosted.tape]

    @property
    def ignored(self) -> list[IgnoredRecord]:
        """Everything that was accepted and changed nothing, with the rule that says why."""
        with up_to_date(self._hosted):
            return [record(IgnoredRecord, row) for _, row in ignored(self._hosted.tape)]

    def export(self, as_: str = "pytest", n: int | None = None) -> str:
        """A runnable reproduction of exchange `n`, or of all: the text of a `curl` script, a `pytest` file or a `har`.

        Raises ValueError when there is no such exchange, or the tape has dropped some.
        """
        with up_to_date(self._hosted):
            try:
                found = export(Exporter(self._hosted, self._universe, self.url or "http://127.0.0.1"), as_, n)
            except ControlError as error:
                raise ValueError(f"{error.message} ({error.hint})") from None
        return found if isinstance(found, str) else msgspec.json.encode(found).decode()

    @property
    def settings(self) -> dict[str, Any]:
        """Every setting by name."""
        return self._hosted.state.settings.as_dict()

    # ---- conditions --------------------------------------------------------------------------------------------------

    def update_settings(self, **changes: Any) -> None:
        """Change some settings from the next request on; raises ValueError (BadSetting)."""
        with up_to_date(self._hosted):
            self._hosted.state.settings = self._hosted.state.settings.with_(changes)

    def flush(self) -> None:
        """Make everything accepted visible, whatever the settings would have delayed."""
        with up_to_date(self._hosted):
            self._hosted.state.flush(self._hosted.clock.now())

    def watch_settings(self) -> set[str]:
        """The names of the settings read from here on, unless a test chose them; it grows with every read."""
        return self._hosted.watch_settings()

    def fault(self, kind: str, **fields: Any) -> FaultHandle:
        """Put a fault in force, with the JSON fields of the control API: `fault("status", status=503, times=1)`.

        A field that is a word of Python takes an underscore: `fault("garbage", as_="html")`. As a context manager the
        fault is taken away at the end. Raises ValueError (BadFault).
        """
        document = {"kind": kind, **{name.removesuffix("_"): value for name, value in fields.items()}}
        with up_to_date(self._hosted):
            return FaultHandle(self._hosted, self._hosted.weather.add(document))

    def load_faults(self, plan: Iterable[Mapping[str, Any]]) -> list[FaultHandle]:
        """Put these faults in force and no others, counted from the start; raises ValueError (BadFault)."""
        with up_to_date(self._hosted):
            return [FaultHandle(self._hosted, fault) for fault in self._hosted.weather.replace(plan)]

    @property
    def faults(self) -> list[dict[str, Any]]:
        """The plan: every fault as it was given, spent ones too, with what it counted. `load_faults` takes it back."""
        with up_to_date(self._hosted):
            return [fault.as_dict() for fault in self._hosted.weather.faults]

    def clear_faults(self) -> None:
        """Fair weather."""
        with up_to_date(self._hosted):
            self._hosted.weather.clear()

    # ---- the fake's own bugs -----------------------------------------------------------------------------------------

    def raise_first_error(self) -> None:
        """Raise the first exception that nobody expected inside the fake, if there was one: a bug of the fake."""
        with self._hosted.lock:
            errors = list(self._hosted.errors)
            self._hosted.errors.clear()
        if errors:
            raise errors[0]

    def _segment(self, segment: Segment) -> SegmentRecord:
        space = self._hosted.state
        members = [identifiers_view(space, cio_id) for cio_id in segment.members]
        return record(SegmentRecord, {**segment_view(segment), "members": members})


class ClockHandle:
    """The clock of one workspace. Moving it lets fall due what is due."""

    def __init__(self, hosted: HostedWorkspace) -> None:
        self._hosted = hosted

    @property
    def mode(self) -> str:
        """`real` or `manual`."""
        return self._hosted.clock.mode

    def now(self) -> float:
        """Unix seconds."""
        return self._hosted.clock.now()

    def set(self, now: float | datetime) -> None:
        """Stop the clock at that moment: Unix seconds, or a datetime with a time zone."""
        if isinstance(now, datetime):
            if now.tzinfo is None:
                raise ValueError("a datetime without a time zone is no moment; add one, for example tzinfo=UTC")
            now = now.timestamp()
        self._turn("now", now)

    def advance(self, *, seconds: float = 0, minutes: float = 0, hours: float = 0, days: float = 0) -> None:
        """Move on; a real clock keeps ticking from there."""
        self._turn("advance", seconds + 60 * (minutes + 60 * (hours + 24 * days)))

    def use(self, mode: str) -> None:
        """`manual` stops the clock where it is, `real` goes back to the machine's own time."""
        self._turn("mode", mode)

    def _turn(self, field: str, value: Any) -> None:
        with self._hosted.lock:
            try:
                turn_clock(self._hosted, field, value)
            except ControlError as error:
                raise ValueError(f"{error.message} ({error.hint})") from None


class FaultHandle:
    """A fault in force: how often it was met, and a way to take it away."""

    def __init__(self, hosted: HostedWorkspace, fault: Fault) -> None:
        self._hosted = hosted
        self._fault = fault

    @property
    def id(self) -> int:
        """What the control API knows it by."""
        return self._fault.id

    @property
    def seen(self) -> int:
        """Matching requests so far."""
        return self._fault.seen

    @property
    def fired(self) -> int:
        """Requests it struck so far."""
        return self._fault.fired

    def remove(self) -> None:
        """Take it away; harmless when it is gone already."""
        with self._hosted.lock:
            self._hosted.weather.remove(self._fault.id)

    def __enter__(self) -> FaultHandle:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.remove()


def _json_copy(value: Any) -> Any:
    """The value as JSON would carry it: the workspace never shares an object with a test. Raises ValueError."""
    try:
        return msgspec.json.decode(msgspec.json.encode(value))
    except (TypeError, UnicodeEncodeError) as error:
        raise ValueError(f"this can't be sent as JSON: {error}") from None
