"""The proxy of `fakeio exec`: where each request goes, what other hosts get, and that a tunnel changes nothing.

Real sockets throughout: a fake, the proxy before it, and a client that writes the bytes itself.
"""

from __future__ import annotations

import base64
import socket
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest

from fakeio import Fake, WorkspaceHandle
from fakeio.edge import proxy as proxy_module
from fakeio.edge.proxy import FindUpstream, Proxy
from fakeio.edge.proxy_head import BadHead, Destination, Upstream, destination_of, parse_head, parse_upstream

PATIENCE_S = 30  # a bound on hanging, never a measure


@pytest.fixture(scope="module")
def fake() -> Iterator[Fake]:
    with Fake() as running:
        yield running


def port_of(url: str) -> int:
    return int(url.rsplit(":", 1)[1])


@contextmanager
def proxying(fake: Fake, *allowed: str, upstream: FindUpstream = lambda scheme, host: None) -> Iterator[Proxy]:
    ports = {"http_port": port_of(fake.url), "https_port": port_of(fake.https_url)}
    with Proxy(**ports, allowed=allowed, upstream=upstream) as running:
        yield running


@pytest.fixture(scope="module")
def proxy(fake: Fake) -> Iterator[Proxy]:
    with proxying(fake) as running:
        yield running


@contextmanager
def connected(proxy: Proxy) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", port_of(proxy.url)), timeout=PATIENCE_S) as client:
        yield client


def ask(proxy: Proxy, *lines: str, body: str = "") -> str:
    """Everything that is answered until the connection ends."""
    with connected(proxy) as client:
        # not a byte more: what is sent after the last request meets a connection that may be closed, and resets it
        client.sendall("\r\n".join([*lines, body]).encode("latin-1"))
        return b"".join(iter(lambda: client.recv(65_536), b"")).decode("latin-1")


def status_of(answer: str) -> int:
    return int(answer.split(" ", 2)[1])


def credentials(workspace: WorkspaceHandle) -> str:
    return "Basic " + base64.b64encode(f"{workspace.site_id}:{workspace.track_api_key}".encode()).decode()


# -- the head of a request ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "destination"),
    [
        pytest.param("CONNECT a.example:443", Destination("https", "a.example", 443, True), id="tunnel"),
        pytest.param("CONNECT A.Example.:443", Destination("https", "a.example", 443, True), id="as DNS reads"),
        pytest.param("CONNECT a.example:80", Destination("http", "a.example", 80, True), id="tunnel without TLS"),
        pytest.param("CONNECT [::1]:8443", Destination("https", "::1", 8443, True), id="tunnel to an address"),
        pytest.param("GET http://a.example", Destination("http", "a.example", 80, False, "/"), id="no path"),
        pytest.param("GET http://a.example:81/x%2Fy?z=1", Destination("http", "a.example", 81, False, "/x%2Fy?z=1"),
                     id="path and query"),
        pytest.param("GET https://a.example/x", Destination("https", "a.example", 443, False, "/x"), id="TLS after"),
        pytest.param("OPTIONS http://a.example", Destination("http", "a.example", 80, False, "*"), id="of the server"),
    ],
)  # fmt: skip
def test_a_request_says_where_to_go(line: str, destination: Destination) -> None:
    assert destination_of(parse_head(f"{line} HTTP/1.1\r\n\r\n".encode())) == destination


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        pytest.param("GET /auth HTTP/1.1", "this is a proxy: name it in HTTPS_PROXY", id="a request to a server"),
        pytest.param("GET ftp://a.example/ HTTP/1.1", "this is a proxy", id="another protocol"),
        pytest.param("CONNECT a.example:port HTTP/1.1", "is no address", id="no port"),
        pytest.param("CONNECT a.example:443 HTTP/2", "no HTTP/1.1 request", id="another version"),
        pytest.param("\x16\x03\x01", "no HTTP/1.1 request", id="TLS"),
    ],
)
def test_what_is_no_request_to_a_proxy_is_said(proxy: Proxy, raw: str, message: str) -> None:
    with pytest.raises(BadHead, match=message):
        destination_of(parse_head(f"{raw}\r\n\r\n".encode("latin-1")))
    answer = ask(proxy, raw, "")
    assert status_of(answer) == 400
    assert message in answer


def test_a_request_is_handed_on_without_what_was_meant_for_the_proxy() -> None:
    lines = b"Host: liar.example\r\nProxy-Authorization: Basic x\r\nConnection: keep-alive\r\nAccept: */*\r\n\r\n"
    head = parse_head(b"GET http://a.example:81/x HTTP/1.1\r\n" + lines)
    handed_on = b"GET /x HTTP/1.1\r\nHost: a.example:81\r\nAccept: */*\r\nConnection: close\r\n\r\n"
    assert destination_of(head).origin_form(head) == handed_on


@pytest.mark.parametrize(
    ("address", "upstream"),
    [
        pytest.param("http://p.example:3128", Upstream("p.example", 3128, False, ""), id="plain"),
        pytest.param("p.example:3128", Upstream("p.example", 3128, False, ""), id="without a scheme"),
        pytest.param("https://us%40er:p%3Aw@p.example", Upstream("p.example", 443, True, "us@er:p:w"), id="by name"),
    ],
)
def test_the_callers_own_proxy_is_understood(address: str, upstream: Upstream) -> None:
    assert parse_upstream(address) == upstream


def test_a_tunnel_is_asked_for_with_the_credentials_of_the_proxy() -> None:
    asked = Upstream("p.example", 3128, False, "a:b").connect_to(Destination("https", "::1", 443, True))
    assert asked == b"CONNECT [::1]:443 HTTP/1.1\r\nHost: [::1]:443\r\nProxy-Authorization: Basic YTpi\r\n\r\n"


def test_a_proxy_of_another_kind_can_not_be_used() -> None:
    with pytest.raises(BadHead, match="none that speaks HTTP"):
        parse_upstream("socks5://p.example:1080")


# -- the six hosts -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_request_in_the_clear_reaches_the_fake_as_its_host(fake: Fake, proxy: Proxy, scheme: str) -> None:
    workspace = fake.new_workspace()
    line = f"PUT {scheme}://track.customer.io/api/v1/customers/7 HTTP/1.1"
    answer = ask(
        proxy, line, f"Authorization: {credentials(workspace)}",
        "Host: elsewhere.example", "Content-Type: application/json", "Content-Length: 14", "", body='{"plan":"pro"}',
    )  # fmt: skip
    assert status_of(answer) == 200
    assert [person.attributes["plan"] for person in workspace.people] == ["pro"]
    assert [request.headers["host"] for request in workspace.requests] == ["track.customer.io"]


def test_a_tunnel_ends_in_the_fakes_own_tls(fake: Fake, proxy: Proxy) -> None:
    context = ssl.create_default_context(cafile=fake.ca_file)
    with connected(proxy) as client:
        client.sendall(b"CONNECT api-eu.customer.io:443 HTTP/1.1\r\n\r\n")
        assert client.recv(65_536).startswith(b"HTTP/1.1 200 ")
        with context.wrap_socket(client, server_hostname="api-eu.customer.io") as inside:
            for _ in range(2):  # it is kept alive
                inside.sendall(b"GET /v1/workspaces HTTP/1.1\r\nHost: api-eu.customer.io\r\n\r\n")
                assert inside.recv(65_536).startswith(b"HTTP/1.1 401 ")


def test_a_tunnel_to_port_80_speaks_http(proxy: Proxy) -> None:
    request = ("GET /auth HTTP/1.0", "Host: track.customer.io", "")
    answer = ask(proxy, "CONNECT track.customer.io:80 HTTP/1.1", "", *request)
    assert status_of(answer.partition("\r\n\r\n")[2]) == 401


def test_a_reset_of_the_fake_is_a_reset_of_the_tunnel(fake: Fake, proxy: Proxy) -> None:
    workspace = fake.new_workspace()
    workspace.fault("reset")
    with pytest.raises(ConnectionResetError):
        ask(proxy, "GET http://track.customer.io/auth HTTP/1.1", f"Authorization: {credentials(workspace)}", "")


def test_customer_io_listens_on_its_own_ports_alone(proxy: Proxy) -> None:
    answer = ask(proxy, "CONNECT track.customer.io:8443 HTTP/1.1", "")
    assert status_of(answer) == 403
    assert "track.customer.io listens on ports 443 and 80, not on 8443" in answer


# -- other hosts -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("CONNECT api.example.com:443", id="tunnel"),
        pytest.param("GET http://api.example.com/x", id="in the clear"),
    ],
)
def test_another_host_is_refused_with_what_to_do(fake: Fake, line: str) -> None:
    with proxying(fake, "example.com", "*.example.org") as proxy:
        status_line, _, rest = ask(proxy, f"{line} HTTP/1.1", "").partition("\r\n")
    said = "api.example.com is not Customer.io; let it through with --allow-host api.example.com"
    assert status_line == f"HTTP/1.1 403 {said}"
    assert rest.endswith(f"\r\n\r\nfakeio exec: {said}\n")
    assert dict(proxy.refused) == {"api.example.com": 1}


@pytest.mark.parametrize("allowed", ["127.0.0.1", "127.*", "*:{port}"])
def test_an_allowed_host_is_reached_untouched(fake: Fake, allowed: str) -> None:
    port = port_of(fake.url)
    with proxying(fake, allowed.format(port=port)) as proxy:
        tunnel = ask(proxy, f"CONNECT 127.0.0.1:{port} HTTP/1.1", "", "GET /auth HTTP/1.0", "")
        plain = ask(proxy, f"GET http://127.0.0.1:{port}/auth HTTP/1.1", "")
    assert [status_of(tunnel.partition("\r\n\r\n")[2]), status_of(plain)] == [401, 401]


def test_an_allowed_host_may_leave_its_tls_to_the_proxy(fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", fake.ca_file)
    with proxying(fake, "127.0.0.1") as proxy:
        assert status_of(ask(proxy, f"GET {fake.https_url}/auth HTTP/1.1", "")) == 401


def test_a_host_that_can_not_be_reached_is_said(fake: Fake) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with proxying(fake, "127.0.0.1") as proxy:
        answer = ask(proxy, f"CONNECT 127.0.0.1:{port} HTTP/1.1", "")
    assert status_of(answer) == 502
    assert f"127.0.0.1:{port} can't be reached" in answer


@pytest.mark.parametrize(
    ("allowed", "status", "said"),
    [
        pytest.param(["127.0.0.1"], 401, "", id="it lets through"),
        pytest.param([], 502, "your own proxy says HTTP/1.1 403 127.0.0.1 is not", id="it refuses"),
    ],
)
def test_an_allowed_host_is_reached_by_way_of_the_callers_proxy(
    fake: Fake, allowed: Sequence[str], status: int, said: str
) -> None:
    with proxying(fake, *allowed) as theirs, proxying(fake, "127.0.0.1", upstream=lambda *_: theirs.url) as ours:
        answer = ask(ours, f"GET {fake.url}/auth HTTP/1.1", "")
    assert status_of(answer) == status
    assert said in answer


def test_a_refusal_reaches_a_client_that_is_still_sending(proxy: Proxy) -> None:
    line = "POST http://api.example.com/x HTTP/1.1"
    answer = ask(proxy, line, f"Content-Length: {8 * 1024 * 1024}", "", body="x" * 8 * 1024 * 1024)
    assert status_of(answer) == 403
    assert answer.endswith("let it through with --allow-host api.example.com\n")


# -- the ends of things ------------------------------------------------------------------------------------------------


def test_a_head_without_an_end_is_refused(proxy: Proxy) -> None:
    with connected(proxy) as client:
        client.sendall(b"GET http://track.customer.io/ HTTP/1.1\r\nx: " + b"x" * 70_000)
        assert client.recv(65_536).startswith(b"HTTP/1.1 431 ")


def test_a_client_may_leave_at_any_time(proxy: Proxy) -> None:
    with connected(proxy) as client:
        client.sendall(b"CONNECT track.cus")
    assert status_of(ask(proxy, "GET http://track.customer.io/auth HTTP/1.1", "")) == 401


def test_what_is_still_open_is_cut_at_the_end(fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proxy_module, "GRACE_S", 0.01)
    with proxying(fake) as proxy, connected(proxy) as client:
        client.sendall(b"CONNECT track.customer.io:443 HTTP/1.1\r\n\r\n")
        assert client.recv(65_536).startswith(b"HTTP/1.1 200 ")
        proxy.stop()
        proxy.stop()
        assert client.recv(65_536) == b""
