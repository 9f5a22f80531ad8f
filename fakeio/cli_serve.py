"""`fakeio serve`: its options, from the command line or the environment, checked before anything is started.

What can't work is said in one line with exit code 2: an unreadable seed, a setting nobody knows, a port that is taken,
an address open to the network without a token.
"""

from __future__ import annotations

import argparse
import json
import logging
import math
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from fakeio.cli_text import CommandFailed, sentence, write
from fakeio.server_limits import Limits

if TYPE_CHECKING:
    from fakeio.edge.exchange import Universe
    from fakeio.edge.registry import HostedWorkspace
    from fakeio.edge.tls import Certificates
    from fakeio.server import Bound

_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_YES, _NO = ("1", "true", "yes", "on"), ("", "0", "false", "no", "off")


def add_serve_command(commands: Any) -> None:
    """Declare it on the parser's subcommands. Every option can also be given as FAKEIO_<OPTION>."""
    says = "run a Customer.io until SIGINT or SIGTERM"
    parser = commands.add_parser("serve", help=says, description=sentence(says))
    parser.set_defaults(run=serve)
    _option(parser, "--host", str, "127.0.0.1", "H", "address to listen on")
    _option(parser, "--port", _port, "7099", "P", "port to listen on; 0 picks a free one")
    _option(parser, "--region", _region, "us", "us|eu", "region of the default workspace")
    _option(parser, "--seed", str, None, "FILE", "JSON to start the default workspace with")
    _option(parser, "--settings", str, None, "FILE.toml", "settings of the default workspace")
    _option(parser, "--data", str, None, "FILE.db", "keep the state in this file across restarts")
    _option(parser, "--data-sync", _sync, "full", "full|off", "off: answer before it is on disk")
    _flag(parser, "--tls", "listen for HTTPS too, with a certificate made on the spot")
    _option(parser, "--tls-port", _port, "0", "P", "port for HTTPS; 0 picks a free one")
    _option(parser, "--control-token", _token, None, "T", "what control calls must send in X-Fakeio-Token")
    _option(parser, "--tape-limit", _count, "20000", "N", "requests kept a workspace")
    _option(parser, "--tape-bytes", _count, "67108864", "N", "bytes of requests kept a workspace")
    _option(parser, "--tape", _on_off, "on", "on|off", "whether requests are kept at all")
    _add_limits(parser)
    _flag(parser, "--json", "print the ready line as one JSON object")
    _flag(parser, "--quiet", "print nothing but the ready line and errors")


def _add_limits(parser: argparse.ArgumentParser) -> None:
    for name, says in (
        ("head_bytes", "bytes that the head of a request may take; 0: any number"),
        ("body_bytes", "bytes that the body of a request may take; 0: any number"),
        ("control_body_bytes", "bytes that the body of a control call may take; 0: any number"),
        ("head_s", "seconds until the head of a request is whole; 0: for ever"),
        ("request_s", "seconds until all of a request is there; 0: for ever"),
        ("idle_s", "seconds for a connection on which nothing was asked; 0: for ever"),
        ("connections", "connections beyond which idle ones are closed; 0: as many as this process may have open"),
    ):
        kind, metavar = (_seconds, "S") if name.endswith("_s") else (_count, "N")
        _option(parser, "--" + name.replace("_", "-"), kind, str(Limits._field_defaults[name]), metavar, says)


def serve(options: argparse.Namespace) -> int:
    """Listen, say so, and run until told to stop."""
    tls_wanted, as_json, quiet = (_flagged(options, name) for name in ("tls", "json", "quiet"))
    _check(options)
    if quiet:
        _say_errors_alone()
    seed, settings = read_seed(options.seed), read_settings(options.settings)
    # here, since the server, its event loop and its HTTP parser are the better part of what takes time to import
    from fakeio.app import build_app, build_universe
    from fakeio.core.seed_error import SeedError
    from fakeio.core.settings import BadSetting
    from fakeio.edge.registry import Options
    from fakeio.server import CannotListen, Tls
    from fakeio.server import serve as serve_until_told_to_stop

    kept = Options(tape_limit=options.tape_limit, tape_limit_bytes=options.tape_bytes, recording=options.tape)
    try:
        universe = build_universe(kept, region=options.region, settings=settings, seed=seed)
    except SeedError as bad:
        raise CommandFailed(f"the seed {options.seed}: {bad}", status=2) from bad
    except BadSetting as bad:
        raise CommandFailed(f"the settings {options.settings}: {bad}", status=2) from bad
    app = build_app(universe, host=options.host, token=options.control_token)
    certificates = _certificates(options.host) if tls_wanted else None
    tls = Tls(certificates.cert_file, certificates.key_file, options.tls_port) if certificates else None
    ca_file = str(certificates.ca_file) if certificates else None

    def on_ready(bound: Bound) -> None:
        announce(bound, ca_file, universe.registry.default, as_json=as_json, quiet=quiet)

    limits = Limits(**{name: getattr(options, name) for name in Limits._fields})
    try:
        with _kept_data(options, universe):
            serve_until_told_to_stop(
                app, host=options.host, port=options.port, tls=tls, limits=limits, on_ready=on_ready
            )
    except CannotListen as error:
        raise CommandFailed(str(error), status=2) from error
    finally:
        if certificates is not None:
            certificates.close()
    return 0


def _say_errors_alone() -> None:
    for name in ("fakeio", "uvicorn.error"):
        logging.getLogger(name).setLevel(logging.ERROR)


@contextmanager
def _kept_data(options: argparse.Namespace, universe: Universe) -> Iterator[None]:
    """With the state that the data file holds, if one is named, and everything that happens written into it."""
    if options.data is None:
        yield
        return
    from fakeio.edge.recovering import leave, recover  # a database that only --data needs
    from fakeio.edge.store import Store, StoreError

    try:
        store = Store(options.data, synced=options.data_sync)
    except StoreError as error:
        raise CommandFailed(str(error), status=2) from error
    try:
        recover(universe, store)
        store.on_failure = lambda: os.kill(os.getpid(), signal.SIGTERM)  # nothing more can be promised to anybody
        yield
        leave(universe)
    except StoreError as error:
        raise CommandFailed(str(error), status=2) from error
    finally:
        store.close()
    if store.failure is not None:
        raise CommandFailed(store.failure)


def announce(
    bound: Bound, ca_file: str | None, hosted: HostedWorkspace, *, as_json: bool, quiet: bool
) -> None:
    """The ready line, first and alone on its line; then, for people, where to go from here."""
    if as_json:
        ready = {"url": bound.url, "https_url": bound.https_url, "ca_file": ca_file, "pid": os.getpid()}
        write(json.dumps({**ready, "workspace": _shown(hosted)}))
        return
    write(f"fakeio ready at {bound.url}")
    if not quiet:
        write(_directions(bound, ca_file, _shown(hosted)))


def _shown(hosted: HostedWorkspace) -> dict[str, Any]:
    # here, since whoever wants the bare ready line should not wait for more
    from fakeio.edge.views import workspace_view

    return workspace_view(hosted)


def _directions(bound: Bound, ca_file: str | None, workspace: dict[str, Any]) -> str:
    lines = [f"{name:<15}{workspace[key]}" for name, key in _CREDENTIALS]
    if bound.https_url is not None:
        lines += [f"{'HTTPS':<15}{bound.https_url}", f"{'trust':<15}{ca_file}"]
    return "\n".join([*lines, f"{'control API':<15}{bound.url}/_fakeio/openapi.json"])


_CREDENTIALS = (
    ("Site ID", "site_id"), ("Track API key", "track_api_key"), ("App API key", "app_api_key"),
)  # fmt: skip


def _certificates(host: str) -> Certificates:
    from fakeio.edge.tls import Certificates  # a large library that only --tls needs

    return Certificates([host])


def _check(options: argparse.Namespace) -> None:
    if options.host not in _LOOPBACK and not options.host.startswith("127.") and not options.control_token:
        where = options.host or "every address"
        raise CommandFailed(
            f"listening on {where} would let the network change this fake; add --control-token T", status=2
        )


def read_seed(path: str | None) -> dict[str, Any] | None:
    """The seed of a file; raises CommandFailed when there is none to read."""
    if path is None:
        return None
    with _clearly(f"the seed {path}"), open(path, "rb") as file:
        seed = json.load(file)
        if not isinstance(seed, dict):
            raise ValueError("a seed is a JSON object")
        return seed


def read_settings(path: str | None) -> dict[str, Any] | None:
    """The settings of a TOML file, by name; raises CommandFailed when there are none to read."""
    if path is None:
        return None
    import tomllib  # only a server with a settings file needs it

    with _clearly(f"the settings {path}"), open(path, "rb") as file:
        return tomllib.load(file)


@contextmanager
def _clearly(what: str) -> Iterator[None]:
    """Turn what goes wrong while a file is read into one clear line."""
    try:
        yield
    except OSError as error:
        raise CommandFailed(f"{what} can't be read: {error.strerror}", status=2) from error
    except (ValueError, RecursionError) as error:  # json's, tomllib's and UTF-8's own errors
        raise CommandFailed(f"{what} can't be understood: {error}", status=2) from error


def _option(
    parser: argparse.ArgumentParser, name: str, kind: Callable[[str], Any], default: str | None, metavar: str, says: str
) -> None:
    # defaults are text, so that argparse checks the environment's exactly like the command line's
    variable = os.environ.get(_variable(name))
    given = _FromEnvironment(variable) if variable else default
    shown = f" ({_variable(name)}; default: {default})" if default else f" ({_variable(name)})"
    parser.add_argument(name, type=_naming(_variable(name), kind), default=given, metavar=metavar, help=says + shown)


class _FromEnvironment(str):
    """The value of a variable, which an error about it should name."""


def _naming(variable: str, kind: Callable[[str], Any]) -> Callable[[str], Any]:
    def checked(text: str) -> Any:
        try:
            return kind(text)
        except argparse.ArgumentTypeError as wrong:
            source = f" (from {variable})" if isinstance(text, _FromEnvironment) else ""
            raise argparse.ArgumentTypeError(f"{wrong}{source}") from None

    return checked


def _flag(parser: argparse.ArgumentParser, name: str, says: str) -> None:
    parser.add_argument(name, action="store_true", default=None, help=f"{says} ({_variable(name)}=1)")


def _flagged(options: argparse.Namespace, name: str) -> bool:
    """A flag of the command line, else of the environment; raises CommandFailed."""
    if getattr(options, name) is not None:
        return True
    variable = _variable(name)
    given = os.environ.get(variable, "").lower()
    if given not in (*_YES, *_NO):
        raise CommandFailed(f"{variable} is {given!r}; write 1 or 0", status=2)
    return given in _YES


def _variable(option: str) -> str:
    return "FAKEIO_" + option.strip("-").replace("-", "_").upper()


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) <= 65_535):
        raise argparse.ArgumentTypeError(f"{text!r} is no port; ports are 0 to 65535")
    return int(text)


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number of at least 0")
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds, 0 or more")
    return seconds


def _region(text: str) -> str:
    if text not in ("us", "eu"):
        raise argparse.ArgumentTypeError(f"{text!r} is no region; the regions are us and eu")
    return text


def _token(text: str) -> str:
    if not (text.isascii() and text.isprintable() and text):
        raise argparse.ArgumentTypeError("a token is printable ASCII, since it travels in a header")
    return text


def _sync(text: str) -> bool:
    if text not in ("full", "off"):
        raise argparse.ArgumentTypeError(f"{text!r} is neither full nor off")
    return text == "full"


def _on_off(text: str) -> bool:
    if text not in ("on", "off"):
        raise argparse.ArgumentTypeError(f"{text!r} is neither on nor off")
    return text == "on"
