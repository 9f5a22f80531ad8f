"""What every Python under `fakeio exec` loads first, patch by patch, on copies of the modules that it changes.

That whole programs reach the fake by it is `test_exec_clients.py`; here is what it leaves alone, and how it waits.
"""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any
from zipfile import ZipFile

import pytest

from fakeio import Fake
from fakeio.preload import sitecustomize as preload
from fakeio.preload.sitecustomize import AfterImport, Routes, install

HOSTS = ["track.customer.io", "api-eu.customer.io"]
TRACK_MARK = preload.MARKED.format(1)


@pytest.fixture(scope="module")
def fake() -> Iterator[Fake]:
    with Fake() as running:
        yield running


@pytest.fixture
def routes(fake: Fake) -> Routes:
    return Routes(document(fake))


def document(fake: Fake) -> dict[str, Any]:
    ports = {"443": fake.https_url.rsplit(":", 1)[1], "80": fake.url.rsplit(":", 1)[1]}
    return {"hosts": HOSTS, "address": "127.0.0.1", "ports": ports, "ca_file": fake.ca_file, "bundle": fake.ca_file}


def own_socket() -> Any:
    """What the patch of `socket` touches, so that it changes nothing for anybody else."""

    class Socket(socket.socket):
        pass

    return SimpleNamespace(socket=Socket, getaddrinfo=socket.getaddrinfo, gethostbyname=socket.gethostbyname)


def own_ssl() -> Any:
    """The same for `ssl`."""

    class SSLContext(ssl.SSLContext):
        pass

    return SimpleNamespace(SSLContext=SSLContext)


@pytest.mark.parametrize(
    ("host", "marked"),
    [
        pytest.param("track.customer.io", TRACK_MARK, id="one of them"),
        pytest.param("Track.Customer.IO.", TRACK_MARK, id="as DNS reads it"),
        pytest.param(b"track.customer.io", TRACK_MARK, id="bytes"),
        pytest.param("customer.io", "customer.io", id="the domain alone"),
        pytest.param("xtrack.customer.io", "xtrack.customer.io", id="another name"),
        pytest.param(None, None, id="this machine"),
        pytest.param(7, 7, id="no name"),
    ],
)
def test_only_the_hosts_of_customer_io_get_an_address(routes: Routes, host: Any, marked: Any) -> None:
    assert routes.mark(host) == marked


def test_a_connection_goes_to_the_port_that_stands_for_the_one_it_named(routes: Routes) -> None:
    https, http = routes.ports[443], routes.ports[80]
    asked = [(HOSTS[0], 443), (TRACK_MARK, "https"), (TRACK_MARK, 80), (TRACK_MARK, 8443), ("a.example", 443)]
    here = "127.0.0.1"
    assert [routes.move(*place) for place in asked] == [
        (here, https), (here, https), (here, http), (here, 1), ("a.example", 443)
    ]  # fmt: skip


def test_sockets_reach_the_fake(routes: Routes) -> None:
    own = own_socket()
    preload.patch_socket(own, routes)
    assert own.gethostbyname("track.customer.io") == TRACK_MARK
    found = own.getaddrinfo("track.customer.io", "https", type=socket.SOCK_STREAM)
    assert [row[4] for row in found] == [(TRACK_MARK, 443)]
    with own.socket() as by_name:
        by_name.connect(("track.customer.io", 80))
        assert by_name.getpeername() == ("127.0.0.1", routes.ports[80])
    with own.socket() as by_address:
        by_address.settimeout(30)
        assert by_address.connect_ex((TRACK_MARK, 443)) == 0
    with pytest.raises(OSError, match="refused"), own.socket() as other_port:
        other_port.connect((TRACK_MARK, 8443))


def test_other_sockets_are_left_alone(fake: Fake, routes: Routes, tmp_path: Path) -> None:
    own = own_socket()
    preload.patch_socket(own, routes)
    place = ("127.0.0.1", routes.ports[80])
    with own.socket() as client:
        client.connect(place)
        assert client.getpeername() == place
    with socket.socket(socket.AF_UNIX) as server, own.socket(socket.AF_UNIX) as client:
        server.bind(str(tmp_path / "socket"))
        server.listen()
        client.connect(str(tmp_path / "socket"))
        assert client.getpeername() == str(tmp_path / "socket")


def test_whoever_loads_authorities_trusts_the_runs_too(fake: Fake, routes: Routes) -> None:
    own = own_ssl()
    preload.patch_ssl(own, routes)
    with Fake() as another:
        context = own.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(another.ca_file)
        for url in (fake.https_url, another.https_url):
            port = int(url.rsplit(":", 1)[1])
            with socket.create_connection(("127.0.0.1", port), timeout=30) as plain:
                context.wrap_socket(plain, server_hostname="track.customer.io").close()


def test_whoever_loads_none_trusts_nobody(fake: Fake, routes: Routes) -> None:
    own = own_ssl()
    preload.patch_ssl(own, routes)
    context = own.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    plain = socket.create_connection(("127.0.0.1", routes.ports[443]), timeout=30)
    with plain, pytest.raises(ssl.SSLCertVerificationError):
        context.wrap_socket(plain, server_hostname="track.customer.io")


def test_certifi_names_the_bundle_of_the_run(routes: Routes, monkeypatch: pytest.MonkeyPatch) -> None:
    package, core = ModuleType("certifi"), ModuleType("certifi.core")
    monkeypatch.setitem(sys.modules, "certifi.core", core)
    preload.patch_certifi(package, routes)
    assert [package.where(), core.where()] == [routes.bundle, routes.bundle]
    assert package.contents() == Path(routes.bundle).read_text(encoding="ascii")


@pytest.mark.parametrize("host", ["track.customer.io", TRACK_MARK])
def test_a_loop_that_connects_by_itself_reaches_the_fake(fake: Fake, routes: Routes, host: str) -> None:
    class Loop(asyncio.SelectorEventLoop):
        pass

    async def talk() -> tuple[Any, Any]:
        loop = asyncio.get_running_loop()
        context = ssl.create_default_context(cafile=fake.ca_file)
        named = None if host == HOSTS[0] else HOSTS[0]  # those who know the address alone say the name themselves
        transport, _ = await loop.create_connection(asyncio.Protocol, host, 443, ssl=context, server_hostname=named)
        peer = transport.get_extra_info("peername")
        transport.abort()
        return peer, await loop.getaddrinfo(host, 443, type=socket.SOCK_STREAM)

    preload.patch_loops(SimpleNamespace(BaseEventLoop=Loop), routes)
    with asyncio.Runner(loop_factory=Loop) as runner:
        peer, found = runner.run(talk())
    assert peer == ("127.0.0.1", routes.ports[443])
    assert [row[4] for row in found] == [(TRACK_MARK, 443)]


def test_a_resolver_of_aiohttp_leaves_these_hosts_to_the_patched_one(routes: Routes) -> None:
    class AsyncResolver:
        async def resolve(self, host: str, port: int = 0) -> str:
            return f"name servers: {host}"

    class ThreadedResolver:
        async def resolve(self, host: str, port: int = 0) -> str:
            return f"getaddrinfo: {host}"

    preload.patch_aiohttp_resolver(
        SimpleNamespace(AsyncResolver=AsyncResolver, ThreadedResolver=ThreadedResolver), routes
    )
    resolver = AsyncResolver()
    assert asyncio.run(resolver.resolve("a.example")) == "name servers: a.example"
    assert asyncio.run(resolver.resolve("track.customer.io", 443)) == "getaddrinfo: track.customer.io"


# -- waiting for a module ----------------------------------------------------------------------------------------------


@pytest.fixture
def import_system(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder to import from; what is imported and who finds it is as before afterwards."""
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    monkeypatch.setattr(sys, "modules", dict(sys.modules))
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def test_a_patch_waits_for_its_module(import_system: Path, routes: Routes) -> None:
    (import_system / "late_module.py").write_text("value = 'theirs'\n", encoding="utf-8")
    seen: list[tuple[str, str]] = []
    AfterImport(routes, {
        "late_module": lambda module, _: seen.append((module.__name__, module.value)),
        "json": lambda module, _: seen.append((module.__name__, "at once")),
        "no_such_module": lambda module, _: seen.append((module.__name__, "never")),
    }).install()  # fmt: skip
    assert seen == [("json", "at once")]
    late: Any = __import__("late_module")
    with pytest.raises(ImportError):
        __import__("no_such_module")
    assert seen[1:] == [("late_module", "theirs")]
    assert type(late.__spec__.loader).__name__ == "SourceFileLoader"


@pytest.mark.filterwarnings("ignore:.*find_spec:ImportWarning")  # Python's own words about such a finder
def test_a_finder_of_the_old_kind_is_passed_over(import_system: Path, routes: Routes) -> None:
    sys.meta_path.append(SimpleNamespace(find_module=lambda name, path=None: None))
    AfterImport(routes, {"no_such_module": lambda module, _: None}).install()
    with pytest.raises(ImportError):
        __import__("no_such_module")


def test_a_patch_of_a_module_in_an_archive_is_for_that_module_alone(import_system: Path, routes: Routes) -> None:
    archive = import_system / "program.pyz"
    with ZipFile(archive, "w") as program:
        program.writestr("zipped.py", "import beside_it\n")
        program.writestr("beside_it.py", "")
    sys.path.insert(0, str(archive))
    seen: list[str] = []
    AfterImport(routes, {"zipped": lambda module, _: seen.append(module.__name__)}).install()
    __import__("zipped")
    assert seen == ["zipped"]


def test_nothing_happens_where_no_run_is(tmp_path: Path) -> None:
    before = list(sys.meta_path)
    install(str(tmp_path))
    assert sys.meta_path == before


@pytest.mark.parametrize("theirs", ["", "raise RuntimeError('theirs')\n"], ids=["fine", "raising"])
def test_a_sitecustomize_that_was_hidden_runs_first(
    import_system: Path, fake: Fake, monkeypatch: pytest.MonkeyPatch, theirs: str
) -> None:
    monkeypatch.setattr(preload, "PATCHES", {})
    (import_system / "sitecustomize.py").write_text(f"import sys\nsys.theirs = len(sys.meta_path)\n{theirs}", "utf-8")
    here = import_system / "preload"
    here.mkdir()
    (here / preload.FILE).write_text(json.dumps(document(fake)), encoding="utf-8")
    before = len(sys.meta_path)
    if theirs:
        with pytest.raises(RuntimeError, match="theirs"):
            install(str(here))
    else:
        install(str(here))
    assert sys.theirs == before  # type: ignore[attr-defined]  # set by the file above
    assert isinstance(sys.meta_path[0], AfterImport)
    monkeypatch.delattr(sys, "theirs")


def test_there_need_not_be_another_sitecustomize(
    import_system: Path, fake: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preload, "PATCHES", {})
    monkeypatch.setattr(sys, "path", [str(import_system)])
    (import_system / preload.FILE).write_text(json.dumps(document(fake)), encoding="utf-8")
    install(str(import_system))
    assert isinstance(sys.meta_path[0], AfterImport)
