"""App API over a real socket: imports of CSV files by URL, what each row does, and where files may come from."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.contract import live as fixtures
from tests.contract.live import NOW, Live, Site

live, site = fixtures.live, fixtures.site

AT = int(NOW)
PEOPLE = b"email,plan,note\nann@example.com,pro,\nbob@example.com,free,hi\n,pro,nobody\n"
BAD_REQUEST = {"errors": [{"detail": "bad request", "status": "400"}]}


@pytest.fixture
def still(site: Site) -> Site:
    """A workspace whose time stands still."""
    site.stop_clock()
    return site


def begin(site: Site, url: str, **fields: Any) -> httpx.Response:
    wanted = {"type": "people", "name": "Mine", "identifier": "email", "data_file_url": url, **fields}
    return site.app.post("/v1/imports", json={"import": wanted})


def found(site: Site, number: int = 1) -> dict[str, Any]:
    shown: dict[str, Any] = site.app.get(f"/v1/imports/{number}").json()["import"]
    return shown


def written(folder: Path, content: bytes) -> str:
    path = folder / "rows.csv"
    path.write_bytes(content)
    return path.as_uri()


def ended(site: Site, number: int = 1) -> tuple[str, int, int, str]:
    shown = found(site, number)
    return shown["state"], shown["rows_to_import"], shown["rows_imported"], shown["error"]


def test_an_import_of_people_is_shown_and_carried_out(still: Site, tmp_path: Path) -> None:
    response = begin(still, written(tmp_path, PEOPLE), description="All")
    assert response.status_code == 200
    assert response.json() == {
        "import": {
            "id": 1, "type": "people", "name": "Mine", "description": "All", "identifier": "email",
            "state": "preprocessing", "rows_to_import": 0, "rows_imported": 0, "data_to_process": "all",
            "people_to_process": "all", "error": "", "created_at": AT, "updated_at": AT,
        }
    }  # fmt: skip
    assert ended(still) == ("imported", 3, 2, "")
    assert still.people() == [
        {"email": "ann@example.com", "plan": "pro"}, {"email": "bob@example.com", "plan": "free", "note": "hi"},
    ]  # fmt: skip


def test_an_import_goes_through_its_states_on_the_clock(live: Live, tmp_path: Path) -> None:
    site = live.site(settings={"rate_limits": "off", "import_s": 50})
    site.stop_clock()
    begin(site, written(tmp_path, PEOPLE))
    states = [found(site)["state"]]
    for _ in range(5):
        site.hosted.clock.advance(10)
        states.append(found(site)["state"])
    assert states == ["preprocessing", "preprocessed", "validating", "validated", "importing", "imported"]
    assert found(site)["updated_at"] == AT + 50


PROCESS = [
    pytest.param("all", {"data_to_process": "all"}, [("a", "new"), ("b", "new")], id="all"),
    pytest.param("new", {"data_to_process": "only_new"}, [("a", None), ("b", "new")], id="only new ones"),
    pytest.param("old", {"data_to_process": "only_existing"}, [("a", "new")], id="only existing ones"),
    pytest.param("named", {"people_to_process": "only_existing"}, [("a", "new")], id="by the older name"),
]


@pytest.mark.parametrize(("_", "fields", "people"), PROCESS)
def test_an_import_is_of(still: Site, tmp_path: Path, _: str, fields: Any, people: list[Any]) -> None:
    still.identify("a")
    begin(still, written(tmp_path, b"id,plan\na,new\nb,new\n"), identifier="id", **fields)
    assert ended(still)[:2] == ("imported", 2)
    assert [(one["id"], one.get("plan")) for one in still.people()] == people


def test_events_objects_and_relationships_are_imported(still: Site, tmp_path: Path) -> None:
    events = b"id,event,timestamp,total\n1,order,1700000000,5\n2,order,,6\n,order,,7\n3,,,8\n"
    begin(still, written(tmp_path, events), type="event", identifier="id")
    assert ended(still) == ("imported", 4, 2, "")
    assert still.events() == [("1", "event", "order", b'{"total": "5"}'), ("2", "event", "order", b'{"total": "6"}')]
    objects = b"object_id,plan\nacme,pro\n,free\n"
    begin(still, written(tmp_path, objects), type="object", object_type_id="1", identifier=None)
    assert ended(still, 2) == ("imported", 2, 1, "")
    links = b"id,object_id,role\n1,acme,owner\n,acme,x\n"
    begin(still, written(tmp_path, links), type="relationship", identifier="id")
    assert ended(still, 3) == ("imported", 2, 1, "")
    [link] = still.app.get("/v1/objects/1/acme/relationships").json()["cio_relationships"]
    assert (link["identifiers"]["id"], link["attributes"]) == ("1", {"role": "owner"})


def test_existing_ones_only_is_about_objects_and_events_too(still: Site, tmp_path: Path) -> None:
    content = b"object_id,plan\nacme,pro\n"
    begin(still, written(tmp_path, content), type="object", object_type_id=1, data_to_process="only_existing")
    begin(still, written(tmp_path, b"id,event\n9,order\n"), type="event", identifier="id",
          data_to_process="only_existing")  # fmt: skip
    assert (ended(still), ended(still, 2)) == (("imported", 1, 0, ""), ("imported", 1, 0, ""))


def test_a_relationship_may_name_its_person_by_cio_id(still: Site, tmp_path: Path) -> None:
    still.identify("1")
    content = f"cio_id,object_id\ncio_{still.cio_id('1')},acme\n".encode()
    begin(still, written(tmp_path, content), type="relationship", identifier="cio_id")
    assert ended(still) == ("imported", 1, 1, "")


BAD_IMPORTS = [
    pytest.param({"identifier": None}, id="no identifier"), pytest.param({"identifier": "phone"}, id="a phone"),
    pytest.param({"type": "segment"}, id="a type nobody knows"), pytest.param({"name": ""}, id="no name"),
    pytest.param({"data_file_url": None}, id="no file"), pytest.param({"description": 5}, id="a number as description"),
    pytest.param({"type": "object"}, id="an object without type"),
    pytest.param({"type": "event", "identifier": "id", "data_to_process": "only_new"}, id="events of new people"),
    pytest.param({"data_to_process": "some"}, id="some"),
]  # fmt: skip


@pytest.mark.parametrize("fields", BAD_IMPORTS)
def test_an_import_is_refused_at_once(still: Site, fields: Any) -> None:
    url = fields.get("data_file_url", "file:///none")
    response = begin(still, url, **{name: value for name, value in fields.items() if name != "data_file_url"})
    assert (response.status_code, response.json()) == (400, BAD_REQUEST)
    assert [told for _, _, told in still.outcomes()] == ["app.body"]


def test_an_import_is_wrapped(still: Site) -> None:
    assert still.app.post("/v1/imports", json={"name": "x"}).json() == BAD_REQUEST
    assert still.app.post("/v1/imports", content=b"{").json() == BAD_REQUEST
    assert still.app.get("/v1/imports/1").status_code == 404
    assert still.app.get("/v1/imports/x").status_code == 400


FAILURES = [
    pytest.param(b"mail\na@b.cd\n", {}, "The file has no column for an identifier that is needed.", id="no column"),
    pytest.param(b"\xff\xfe", {}, "The file is not a CSV in UTF-8.", id="no text"),
    pytest.param(b"object_id\na\n", {"type": "object", "object_type_id": "9"},
                 "The specified Object Type does not exist.", id="an unknown type of objects"),
]  # fmt: skip


@pytest.mark.parametrize(("content", "fields", "error"), FAILURES)
def test_an_import_fails_later(still: Site, tmp_path: Path, content: bytes, fields: Any, error: str) -> None:
    assert begin(still, written(tmp_path, content), **fields).status_code == 200
    shown = found(still)
    assert (shown["state"], shown["error"], shown["rows_imported"]) == ("failed", error, 0)


def test_events_of_new_people_fail_later_by_switch(live: Live, tmp_path: Path) -> None:
    site = live.site(settings={"rate_limits": "off", "import_event_only_new": "failed"})
    begin(site, written(tmp_path, b"id,event\n1,a\n"), type="event", identifier="id", data_to_process="only_new")
    assert ended(site)[0] == "failed"


# ---- where files may come from ---------------------------------------------------------------------------------------


class Files(BaseHTTPRequestHandler):
    """Serves one CSV, plain, packed and behind redirects."""

    def do_GET(self) -> None:
        if self.path.startswith("/to/"):
            self.send_response(302)
            self.send_header("location", self.path.removeprefix("/to/"))
            self.end_headers()
            return
        self.send_response(404 if self.path == "/none" else 200)
        if self.path.startswith("/packed"):
            self.send_header("content-encoding", "gzip")
        self.end_headers()
        self.wfile.write(gzip.compress(PEOPLE) if self.path == "/packed" else PEOPLE)

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing."""


@pytest.fixture(scope="module")
def files() -> Iterator[str]:
    """A file server on this machine."""
    server = HTTPServer(("127.0.0.1", 0), Files)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("path", ["/rows.csv", "/packed", "/to//rows.csv"])
def test_a_file_is_fetched_from_this_machine(still: Site, files: str, path: str) -> None:
    begin(still, files + path)
    assert ended(still) == ("imported", 3, 2, "")


def test_the_fake_can_import_what_it_exported(still: Site, live: Live) -> None:
    still.identify("1", plan="pro")
    everybody = {"attribute": {"field": "cio_id", "operator": "exists"}}
    still.app.post("/v1/exports/customers", json={"filters": everybody, "attributes": ["plan"]})
    other = live.site()
    begin(other, still.app.get("/v1/exports/1/download").json()["url"], identifier="id")
    assert ended(other) == ("imported", 1, 1, "")
    assert other.people() == [{"id": "1", "plan": "pro"}]


FAR = [
    pytest.param("https://example.com/x.csv", id="another machine"),
    pytest.param("http://10.0.0.1/x.csv", id="another address"),
    pytest.param("ftp://127.0.0.1/x.csv", id="another protocol"),
    pytest.param("no url at all", id="no URL"),
]


@pytest.mark.parametrize("url", FAR)
def test_a_file_from_elsewhere_is_not_fetched(still: Site, url: str) -> None:
    assert begin(still, url).status_code == 200
    assert ended(still)[0] == "failed"
    assert found(still)["error"].startswith("The file's URL is")


def test_a_redirect_leads_nowhere_that_the_url_could_not(still: Site, files: str) -> None:
    begin(still, f"{files}/to/http://10.0.0.1/x.csv")
    assert ended(still) == ("failed", 0, 0, "The file could not be fetched.")


def test_nowhere_means_nowhere(live: Live, files: str, tmp_path: Path) -> None:
    site = live.site(settings={"rate_limits": "off", "fetch_from": "nowhere"})
    begin(site, files + "/rows.csv")
    begin(site, written(tmp_path, PEOPLE))
    assert (ended(site)[0], ended(site, 2)[0]) == ("failed", "failed")


@pytest.mark.parametrize(
    ("path", "error"),
    [
        pytest.param("/none", "The file could not be fetched: the server answered 404.", id="no such file"),
        pytest.param("/packed-not", "The file is not gzip, though it says so.", id="not packed"),
    ],
)
def test_a_file_that_can_not_be_had_says_why(still: Site, files: str, path: str, error: str) -> None:
    begin(still, files + path)
    assert ended(still) == ("failed", 0, 0, error)


def test_nobody_listening_is_a_failed_import(still: Site) -> None:
    assert begin(still, "http://127.0.0.1:1/x.csv").status_code == 200
    assert ended(still) == ("failed", 0, 0, "The file could not be fetched.")


def test_a_url_that_is_broken_fails_too(still: Site) -> None:
    assert begin(still, "http://[x").status_code == 200
    assert ended(still)[0] == "failed"
