"""The limits of connections as options of `fakeio serve`, and what is said of clients that speak no HTTP.

What each limit does to a hostile client is `test_hostile.py`; here it is whether the option reaches it.
"""

from __future__ import annotations

import logging
import os
import socket
import subprocess
from contextlib import closing

import pytest

from fakeio import Fake
from fakeio.cli import build_parser
from fakeio.server_limits import Limits
from tests.contract.serving import FAKEIO, PATIENCE_S, Served, own, serving, url_of
from tests.contract.test_hostile import AUTH, IDENTIFY, PUT, SNAPSHOT, rest, status_of


def said(url: str, sent: bytes) -> bytes:
    """Everything that a connection on which that was sent, and nothing more, is told until it is closed."""
    address = ("127.0.0.1", int(url.rpartition(":")[2]))
    with closing(socket.create_connection(address, PATIENCE_S)) as connection:
        connection.sendall(sent)
        return rest(connection)


# ---- options ---------------------------------------------------------------------------------------------------------

def test_without_options_the_limits_are_those_of_every_server(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in [variable for variable in os.environ if variable.startswith("FAKEIO_")]:
        monkeypatch.delenv(variable)
    options = build_parser("serve").parse_args(["serve"])
    assert Limits(*(getattr(options, name) for name in Limits._fields)) == Limits()


@pytest.mark.parametrize(("option", "value", "words"), [
    pytest.param("--head-s", "soon", "no number of seconds", id="words"),
    pytest.param("--request-s", "-1", "no number of seconds", id="a negative number"),
    pytest.param("--idle-s", "inf", "no number of seconds", id="for ever is 0"),
    pytest.param("--idle-s", "nan", "no number of seconds", id="no number"),
    pytest.param("--head-bytes", "1.5", "no whole number", id="half a byte"),
    pytest.param("--connections", "many", "no whole number", id="a count in words"),
])
def test_a_limit_that_can_not_be_is_refused(
    option: str, value: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        build_parser("serve").parse_args(["serve", option, value])
    assert words in capsys.readouterr().err


def test_sizes_are_limited_as_the_options_say() -> None:
    options = ("--head-bytes", "300", "--body-bytes", "50", "--control-body-bytes", "90")
    close = IDENTIFY.replace(b"HTTP/1.1\r\n", b"HTTP/1.1\r\nConnection: close\r\n")
    with serving("--quiet", *options) as served:
        sent = (
            PUT + b"X: " + b"x" * 300, PUT + b"Content-Length: 51\r\n\r\n",
            SNAPSHOT + b"Content-Length: 91\r\n\r\n", close,
        )  # fmt: skip
        assert [status_of(said(url_of(served), one)) for one in sent] == [431, 413, 413, 200]


def test_time_is_limited_as_the_options_say() -> None:
    with serving("--quiet", "--head-s", "0.1", "--request-s", "0.2") as served:
        url = url_of(served)
        assert [status_of(said(url, one)) for one in (PUT, PUT + b"Content-Length: 2\r\n\r\n{")] == [408, 408]
    with serving("--quiet", "--idle-s", "0.1") as served:
        assert said(url_of(served), b"") == b""


# ---- what is no HTTP -------------------------------------------------------------------------------------------------

SECRET = b"hunter2"
TLS = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"


@pytest.mark.parametrize(("sent", "words"), [
    pytest.param(SECRET + b" / HTTP/1.1\r\n\r\n", "no HTTP/1.1 request, and got 400: Invalid method", id="no method"),
    pytest.param(PUT + SECRET + b" : 1\r\n\r\n", "and got 400: Invalid header token", id="no header"),
    pytest.param(b"GET http://[" + SECRET + b" HTTP/1.1\r\n\r\n", "and got 400: malformed URL", id="no URL"),
    pytest.param(TLS, "speaks TLS to a port of plain HTTP", id="TLS"),
])
def test_what_is_no_http_is_told_without_a_byte_of_it(
    sent: bytes, words: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING), Fake() as fake:
        assert status_of(said(fake.url, sent)) == 400
    (record,) = caplog.records
    assert words in record.getMessage()
    assert record.getMessage().startswith("127.0.0.1:")
    assert SECRET.decode() not in caplog.text
    assert AUTH.decode().strip() not in caplog.text


def test_a_request_that_a_limit_refuses_is_told_to_its_client_alone(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING), Fake() as fake:
        assert status_of(said(fake.url, PUT + b"X: " + b"x" * 70_000 + b"\r\n\r\n")) == 431
    assert caplog.records == []


@pytest.mark.parametrize(("options", "lines"), [
    pytest.param([], 1, id="usually"),
    pytest.param(["--quiet"], 0, id="quiet"),
])
def test_a_quiet_server_says_nothing_of_clients(options: list[str], lines: int) -> None:
    command = [*FAKEIO, "serve", "--port", "0", *options]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=own(None)
    ) as process:
        try:
            served = Served(process)
            assert status_of(said(url_of(served), b"nonsense\r\n\r\n")) == 400
            assert served.stop() == 0
            assert process.stderr is not None
            told = process.stderr.read().splitlines()
        finally:
            process.kill()
    assert ["no HTTP/1.1 request" in line for line in told] == [True] * lines
