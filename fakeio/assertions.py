"""Assertions that explain, for a workspace in the hands of a test: each failure says what happened instead, and why.

A failure is an AssertionError whose text names the requests on the tape that were accepted and ignored, refused or
still waiting, the near misses, and the fields that differ; it fits a terminal and, for the same tape, is
always the same. What each of them looks at and how it is worded is in `asserting/`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import msgspec

from fakeio.asserting.budget import Budget, check_budget, overspent
from fakeio.asserting.events import matching, no_such_event, unwanted_event, wanted_event
from fakeio.asserting.members import a_member, not_a_member, refs_of, segment_of
from fakeio.asserting.people import different, found_by, nobody_there, unlike, unwanted_person
from fakeio.asserting.silence import check_rules, silent_ignores
from fakeio.asserting.subjects import named_refs
from fakeio.edge.exchange import Universe
from fakeio.edge.registry import HostedWorkspace
from fakeio.edge.tape import as_row
from fakeio.edge.verification import Expectation, verify
from fakeio.edge.views import event_view, identifiers_view, person_view, up_to_date
from fakeio.records import EventRecord, PersonRecord, RequestRecord, SegmentRecord, VerdictRecord, Who, record


class Assertions:
    """What a WorkspaceHandle can assert. Everything due by now is done first; nothing else is changed by looking."""

    _hosted: HostedWorkspace
    _universe: Universe

    def assert_event(self, name: str | None = None, **expected: Any) -> EventRecord:
        """The first event that has all this; else AssertionError.

        `id`, `email` and `cio_id` are its person's; everything else is a field of EventRecord: `name`, `data`, `type`,
        `timestamp` (Unix seconds), `anonymous_id`, … Objects match when they have at least what is asked:
        `data={"total": 3}`. Raises TypeError for a field that no event has.

        The failure says what became of such an event if it was sent: accepted and ignored, and by which rule and which
        request; refused; still waiting for its delay. Else it shows the events that come closest.
        """
        __tracebackhide__ = True  # a failure points at the test's own line
        wanted = wanted_event(_with_name(name, expected))
        with up_to_date(self._hosted) as hosted:
            found = next(matching(hosted.state, wanted), None)
            if found is None:
                raise AssertionError(no_such_event(self._universe, hosted, wanted))
            return record(EventRecord, event_view(hosted.state, found))

    def assert_no_event(self, name: str | None = None, **unwanted: Any) -> None:
        """That no event has all this, by the same fields as `assert_event`; with none of them, that there is no event.

        Raises AssertionError, with the events that are there and the requests that brought them.
        """
        __tracebackhide__ = True  # a failure points at the test's own line
        wanted = wanted_event(_with_name(name, unwanted))
        with up_to_date(self._hosted) as hosted:
            found = list(matching(hosted.state, wanted))
            if found:
                raise AssertionError(unwanted_event(hosted, wanted, found))

    def assert_person(
        self, *, id: str | None = None, email: str | None = None, cio_id: str | None = None,
        attributes: Mapping[str, Any] | None = None,
    ) -> PersonRecord:  # fmt: skip
        """The person with all these identifiers, and at least these attributes; else AssertionError.

        Attributes keep their JSON types: 3 is not "3". Raises TypeError when no identifier is named.

        The failure says which requests about the person came to nothing and why; or, where somebody is there, what
        differs and which request wrote it.
        """
        __tracebackhide__ = True  # a failure points at the test's own line
        refs = named_refs(id, email, cio_id)
        with up_to_date(self._hosted) as hosted:
            person = found_by(hosted.state, refs)
            if person is None:
                raise AssertionError(nobody_there(self._universe, hosted, refs))
            found = unlike(person, refs, attributes or {})
            if found:
                raise AssertionError(different(self._universe, hosted, person, found))
            return record(PersonRecord, person_view(person))

    def assert_no_person(
        self, *, id: str | None = None, email: str | None = None, cio_id: str | None = None
    ) -> None:  # fmt: skip
        """That nobody has any of these identifiers; else AssertionError, with who it is and since which request."""
        __tracebackhide__ = True  # a failure points at the test's own line
        refs = named_refs(id, email, cio_id)
        with up_to_date(self._hosted) as hosted:
            person = found_by(hosted.state, refs)
            if person is not None:
                raise AssertionError(unwanted_person(hosted, person))

    def assert_member(
        self, segment: int | str | SegmentRecord, person: str | PersonRecord | Who | None = None, *,
        id: str | None = None, email: str | None = None, cio_id: str | None = None,
    ) -> Who:  # fmt: skip
        """That a person is a member of a segment, and who it is; else AssertionError.

        `segment` is an id, an exact name or a SegmentRecord; `person` an id, an email or a cio_id as text, or somebody
        handed out before; `id=`, `email=` or `cio_id=` say which it is. Raises LookupError for a segment that is not
        there, TypeError when no person is named, or twice.

        The failure says which add call was ignored and why, who took the person out, or which condition does not hold.
        """
        __tracebackhide__ = True  # a failure points at the test's own line
        refs = refs_of(person, id=id, email=email, cio_id=cio_id)
        with up_to_date(self._hosted) as hosted:
            group = segment_of(hosted.state, segment)
            somebody = found_by(hosted.state, refs)
            if somebody is None or somebody.cio_id not in group.members:
                raise AssertionError(not_a_member(self._universe, hosted, group, somebody, refs))
            return record(Who, identifiers_view(hosted.state, somebody.cio_id))

    def assert_not_member(
        self, segment: int | str | SegmentRecord, person: str | PersonRecord | Who | None = None, *,
        id: str | None = None, email: str | None = None, cio_id: str | None = None,
    ) -> None:  # fmt: skip
        """That a person, if there is one, is no member of a segment; else AssertionError, with what made it one.

        Arguments as for `assert_member`; raises LookupError for a segment that is not there.
        """
        __tracebackhide__ = True  # a failure points at the test's own line
        refs = refs_of(person, id=id, email=email, cio_id=cio_id)
        with up_to_date(self._hosted) as hosted:
            group = segment_of(hosted.state, segment)
            somebody = found_by(hosted.state, refs)
            if somebody is not None and somebody.cio_id in group.members:
                raise AssertionError(a_member(hosted, group, somebody))

    def assert_no_silent_ignores(self, *, allow: Collection[str] = ()) -> None:
        """That nothing was answered with 2xx and came to nothing, but by the rules that are allowed.

        `allow` holds rule ids such as `person.unchanged`; raises ValueError for one by which nothing is ignored.
        Raises AssertionError that lists each such operation with its request, its rule and why; also where it can't be
        told: operations that are not processed yet, exchanges that the tape has dropped.
        """
        __tracebackhide__ = True  # a failure points at the test's own line
        check_rules(allow)
        with up_to_date(self._hosted) as hosted:
            failure = silent_ignores(hosted, allow)
        if failure is not None:
            raise AssertionError(failure)

    def assert_budget(
        self, *, requests: int | None = None, noop: int | None = None, peak_track_rps: float | None = None
    ) -> None:
        """That no more was spent than this, since the workspace began or its tape was last cleared.

        `requests`: all of them, refused ones too. `noop`: those that were accepted and changed nothing at all.
        `peak_track_rps`: Track requests within any one second of the workspace's clock. Raises AssertionError with what
        was overspent and by which requests, TypeError when nothing is limited, ValueError for a negative limit.
        """
        __tracebackhide__ = True  # a failure points at the test's own line
        budget = Budget(requests, noop, peak_track_rps)
        check_budget(budget)
        with up_to_date(self._hosted) as hosted:
            failure = overspent(self._universe, hosted, budget)
        if failure is not None:
            raise AssertionError(failure)

    def verify(
        self, *, method: str | None = None, path: str | None = None, body: Any = msgspec.UNSET,
        times: int | None = None, at_least: int | None = None, at_most: int | None = None,
    ) -> VerdictRecord:  # fmt: skip
        """That requests like this arrived, so many of them (at least one, unless told), and which; else AssertionError.

        `path` is a glob on the percent-encoded path as received (`*` stands for anything), `body` a partial match of
        the JSON body. The same judge answers `POST /_fakeio/workspaces/{w}/verify`.
        """
        __tracebackhide__ = True  # a failure points at the test's own line
        expected = Expectation(method=method, path=path, body=body, times=times, at_least=at_least, at_most=at_most)
        with up_to_date(self._hosted) as hosted:
            verdict = verify(hosted.tape, expected)
            if verdict.explanation is not None:
                raise AssertionError(verdict.explanation)
            found = [record(RequestRecord, as_row(exchange)) for exchange in verdict.matched]
            return VerdictRecord(ok=verdict.ok, matched=len(found), requests=found)


def _with_name(name: str | None, fields: Mapping[str, Any]) -> dict[str, Any]:
    return {**({} if name is None else {"name": name}), **fields}
