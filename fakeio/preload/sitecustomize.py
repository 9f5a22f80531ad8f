"""Loaded first by every Python under `fakeio exec` (PYTHONPATH): clients that ignore proxies reach the fake as well.

The hosts of Customer.io are given addresses that nobody has (`MARKED`), and a connection to one of those goes to the
fake: so every client keeps the port and the name that it asked for. Each patch waits until its module is imported, by
which a program that needs no network pays nothing. Stands alone, and works with every Python from 3.7 on.
"""

from __future__ import annotations

import json
import os
import sys
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import module_from_spec

TYPE_CHECKING = False  # typing's own name for it; importing typing would slow down every start
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Patch = Callable[[Any, "Routes"], None]

FILE = "routes.json"
MARKED = "127.99.105.{}"  # loopback, where a connection that slips past the patches ends as refused


class Routes:
    """Where the fake is. `ports` map the real hosts' to the fake's; `bundle` is all roots and the run's authority."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.address: str = document["address"]
        self.ports = {int(port): int(ours) for port, ours in document["ports"].items()}
        self.ca_file: str = document["ca_file"]
        self.bundle: str = document["bundle"]
        self._marks = {host: MARKED.format(n) for n, host in enumerate(document["hosts"], 1)}

    def mark(self, host: Any) -> Any:
        """The address that stands for a host of Customer.io; every other host as it is."""
        name = _text(host)
        return host if name is None else self._marks.get(name.rstrip(".").lower(), host)

    def move(self, host: Any, port: Any) -> tuple[Any, Any]:
        """Where a connection to that host, or to the address that stands for it, really goes."""
        if self.mark(host) not in self._marks.values():
            return host, port
        known = {"https": 443, "http": 80}
        return self.address, self.ports.get(known.get(port, port), 1)  # nobody listens on port 1


def _text(host: Any) -> str | None:
    if isinstance(host, (bytes, bytearray)):
        return bytes(host).decode("latin-1")
    return host if isinstance(host, str) else None


def patch_socket(socket: Any, routes: Routes) -> None:
    """Names are looked up, and sockets connect, by way of the addresses that nobody has."""
    getaddrinfo, gethostbyname = socket.getaddrinfo, socket.gethostbyname
    connect, connect_ex = socket.socket.connect, socket.socket.connect_ex

    def marked_getaddrinfo(host: Any, *arguments: Any, **options: Any) -> Any:
        return getaddrinfo(routes.mark(host), *arguments, **options)

    def marked_gethostbyname(hostname: Any) -> Any:
        return gethostbyname(routes.mark(hostname))

    def moved(address: Any) -> Any:
        if isinstance(address, tuple) and len(address) == 2:  # IPv4: the only kind of address that is given out
            return routes.move(*address)
        return address

    def moved_connect(self: Any, address: Any) -> Any:
        return connect(self, moved(address))

    def moved_connect_ex(self: Any, address: Any) -> Any:
        return connect_ex(self, moved(address))

    socket.getaddrinfo, socket.gethostbyname = marked_getaddrinfo, marked_gethostbyname
    socket.socket.connect, socket.socket.connect_ex = moved_connect, moved_connect_ex


def patch_ssl(ssl: Any, routes: Routes) -> None:
    """Whoever chooses authorities of their own (a file, certifi's list) trusts the run's as well."""
    load = ssl.SSLContext.load_verify_locations

    def load_and_trust(self: Any, *arguments: Any, **options: Any) -> Any:
        load(self, *arguments, **options)
        load(self, routes.ca_file)

    ssl.SSLContext.load_verify_locations = load_and_trust


def patch_certifi(certifi: Any, routes: Routes) -> None:
    """For those who hand certifi's file to a library that is not Python's."""

    def where() -> str:
        return routes.bundle

    def contents() -> str:
        with open(routes.bundle, encoding="ascii", errors="replace") as file:
            return file.read()

    certifi.where, certifi.contents = where, contents
    core = sys.modules.get("certifi.core")
    if core is not None:
        core.where, core.contents = where, contents  # type: ignore[attr-defined]  # as the package re-exports them


def patch_loops(asyncio: Any, routes: Routes) -> None:
    """Event loops that connect by themselves, past Python's sockets: on Windows, and uvloop's."""
    patch_loop(asyncio.BaseEventLoop, routes)


def patch_uvloop(uvloop: Any, routes: Routes) -> None:
    """The same for uvloop."""
    patch_loop(uvloop.Loop, routes)


def patch_loop(loop_class: Any, routes: Routes) -> None:
    """One class of event loop: `create_connection` and `getaddrinfo`."""
    create_connection, getaddrinfo = loop_class.create_connection, loop_class.getaddrinfo

    async def moved_connection(
        self: Any, protocol_factory: Any, host: Any = None, port: Any = None, **options: Any
    ) -> Any:
        there = routes.move(host, port)
        if there != (host, port) and options.get("ssl") and options.get("server_hostname") is None:
            options["server_hostname"] = host
        return await create_connection(self, protocol_factory, *there, **options)

    async def marked_getaddrinfo(self: Any, host: Any, port: Any, **options: Any) -> Any:
        return await getaddrinfo(self, routes.mark(host), port, **options)

    loop_class.create_connection, loop_class.getaddrinfo = moved_connection, marked_getaddrinfo


def patch_aiohttp_resolver(resolver: Any, routes: Routes) -> None:
    """With aiodns, aiohttp asks name servers itself."""
    resolve = resolver.AsyncResolver.resolve

    async def marked_resolve(self: Any, host: Any, *arguments: Any, **options: Any) -> Any:
        if routes.mark(host) == host:
            return await resolve(self, host, *arguments, **options)
        return await resolver.ThreadedResolver().resolve(host, *arguments, **options)

    resolver.AsyncResolver.resolve = marked_resolve


PATCHES: dict[str, Patch] = {
    "socket": patch_socket,
    "ssl": patch_ssl,
    "certifi": patch_certifi,
    "asyncio": patch_loops,
    "uvloop": patch_uvloop,
    "aiohttp.resolver": patch_aiohttp_resolver,
}


class AfterImport:
    """A finder that finds what others find, and has each patch applied once its module has run."""

    def __init__(self, routes: Routes, patches: dict[str, Patch]) -> None:
        self._routes = routes
        self._waiting = dict(patches)

    def install(self) -> None:
        """Patch what is imported already, and wait for the rest."""
        for name in list(self._waiting):
            if name in sys.modules:
                self._apply(name, sys.modules[name])
        sys.meta_path.insert(0, self)

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        """As the import system asks; None for every module that nobody waits for."""
        if name not in self._waiting:
            return None
        for finder in sys.meta_path:
            find: Any = None if finder is self else getattr(finder, "find_spec", None)  # finders of old have none
            spec: ModuleSpec | None = None if find is None else find(name, path, target)
            if spec is not None:
                self._watch(name, spec)
                return spec
        return None

    def _watch(self, name: str, spec: ModuleSpec) -> None:
        loader: Any = spec.loader
        execute = loader.exec_module

        def execute_and_patch(module: Any) -> None:
            execute(module)
            if module.__name__ == name:  # an archive has one loader for all its modules
                self._apply(name, module)

        loader.exec_module = execute_and_patch

    def _apply(self, name: str, module: Any) -> None:
        patch = self._waiting.pop(name, None)
        if patch is not None:
            patch(module, self._routes)


def run_hidden_sitecustomize(here: str) -> None:
    """Run the `sitecustomize` that would have been found without this one, under that name."""
    others = [entry for entry in sys.path if os.path.abspath(entry or os.curdir) != here]
    spec = PathFinder.find_spec("sitecustomize", others)
    if spec is None or spec.loader is None:
        return
    module = module_from_spec(spec)
    sys.modules["sitecustomize"] = module
    spec.loader.exec_module(module)


def install(here: str) -> None:
    """Read where the fake is and put the patches in place; nothing happens without a file of routes."""
    try:
        with open(os.path.join(here, FILE), encoding="utf-8") as file:
            routes = Routes(json.load(file))
    except OSError:  # imported for its own sake, or the run is over
        return
    try:
        run_hidden_sitecustomize(here)
    finally:
        AfterImport(routes, PATCHES).install()


install(os.path.dirname(os.path.abspath(__file__)))
