"""The page that people read: every number with its words, and what to do next."""

from __future__ import annotations

from html.parser import HTMLParser

from sync.core.errors import GuardStop
from sync.core.html_page import render_html
from sync.core.page import render
from sync.core.report import CohortReport, Ended, EventsReport, ReconcileReport, Segment


def test_a_cohort_page_accounts_for_every_row() -> None:
    report = CohortReport(
        run_id="01J", sync="vip", status="partial", mode="full",
        segment=Segment(id=7, name="[Amplitude] vip", created=True),
        source_rows=1_103, in_cohort=1_100, collapsed_duplicates=1, skipped={"id_too_long": 1, "unresolved_mapping": 1},
        already_members=1, added=1_091, not_found=4, pending=3, refused={"http_400": 1}, removed=2,
        requests=5, retries=1, duration_s=0.41,
    )  # fmt: skip
    assert render(Ended(report, 1)) == """\
cohort vip: partial (exit code 1)
run 01J, full, 5 requests, 1 of them retries, 0.4 s
segment [Amplitude] vip (7, made by this run)

  rows in the source                               1,103
    skipped: id_too_long                               1   longer than 150 bytes; never cut, a cut id is somebody else's
    skipped: unresolved_mapping                        1   the identifier is empty
    repeated                                           1   the same identifier again; counted once
  people in the cohort                             1,100
    were members                                       1
    added                                          1,091
    not found                                          4   nobody has this identifier, or suppressed; tried again
    pending                                            3   not confirmed; sent again next run
    refused: http_400                                  1
  people removed                                       2"""


def test_a_page_of_a_run_that_was_stopped_says_what_to_do() -> None:
    report = CohortReport(run_id="01J", sync="vip", status="stopped", segment=Segment(id=None, name="x", created=False))
    lines = render(Ended(report, 5, GuardStop("the cohort is empty", hint="pass --allow-empty"))).splitlines()
    assert lines[2] == "segment x (not reached)"
    assert lines[-2:] == ["the cohort is empty.", "What to do: pass --allow-empty."]


def test_a_dry_run_says_would() -> None:
    report = CohortReport(
        run_id="01J", sync="vip", mode="dry_run", segment=Segment(id=7, name="x", created=False), added=3, removed=2
    )
    page = render(Ended(report, 0))
    assert "dry run" in page
    told = [line.split() for line in page.splitlines()]
    assert ["would", "be", "added", "3"] in told
    assert ["would", "be", "removed", "2"] in told


def test_an_events_page_names_every_loss() -> None:
    report = EventsReport(
        run_id="01J", received=12, filtered=1, delivered=4, duplicates=1, discarded={"event_too_large": 2},
        refused={"invalid": 2}, expired=1, pending=1,
    )  # fmt: skip
    page = render(Ended(report, 1))
    for words in ("events in the source", "delivered", "filtered", "duplicates", "expired", "pending",
                  "discarded: event_too_large", "refused: invalid", "more than 100,000 bytes of data"):  # fmt: skip
        assert words in page


def test_a_page_of_a_drift_says_who_differs() -> None:
    report = ReconcileReport(
        run_id="01J", sync="vip", mode="dry_run", segment=Segment(id=7, name="x", created=False),
        drift={"missing": 3, "leftover": 2, "strangers": 1},
    )  # fmt: skip
    assert report.losses() == 6
    told = [line.split()[:2] for line in render(Ended(report, 1)).splitlines()]
    assert [line for line in told if line[:1] in (["missing"], ["leftover"], ["strangers"])] == [
        ["missing", "3"], ["leftover", "2"], ["strangers", "1"]
    ]  # fmt: skip


# -- as a web page ----------------------------------------------------------------------------------------------------
class Texts(HTMLParser):
    """The texts of a page, and whether its elements nest."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.tags: set[str] = set()
        self._open: list[str] = []
        self.feed(page)
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.add(tag)
        if tag != "meta":
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.texts.append(data)


def test_a_web_page_says_the_same_and_nothing_in_it_is_markup() -> None:
    report = CohortReport(
        run_id="01J", sync="<b>vip</b>", status="partial", segment=Segment(id=7, name="a & b <script>", created=False),
        source_rows=1_103, in_cohort=1_103, added=1_102, refused={"http_400": 1},
    )  # fmt: skip
    page = Texts(render_html(Ended(report, 1)))
    assert page.tags.isdisjoint({"b", "script", "link", "img"})
    head = ("cohort <b>vip</b>: partial (exit code 1)", "segment a & b <script> (7)")
    for text in (*head, "1,102", "refused: http_400"):
        assert text in page.texts


def test_a_web_page_of_a_run_that_was_stopped_says_what_to_do() -> None:
    report = EventsReport(run_id="01J", status="stopped")
    assert Texts(render_html(Ended(report, 5, GuardStop("it is <empty>", hint="pass & go")))).texts[-2:] == [
        "it is <empty>.", "What to do: pass & go."
    ]  # fmt: skip
    report.error = {"code": "guard", "message": "as it was stored", "hint": ""}
    assert Texts(render_html(Ended(report, 5))).texts[-1] == "as it was stored."
