"""Which files may be fetched: those of this machine alone, unless the workspace says otherwise."""

from __future__ import annotations

import pytest

from fakeio.edge.fetching import may_fetch

OUTSIDE = "The file's URL is outside of what this workspace's setting fetch_from allows."
HERE = [
    pytest.param("file:///tmp/people.csv", id="a file"),
    pytest.param("http://127.0.0.1:8000/people.csv", id="loopback"),
    pytest.param("https://[::1]/people.csv", id="loopback of IPv6"),
    pytest.param("http://localhost/people.csv", id="localhost"),
    pytest.param("http://files.localhost/people.csv", id="a name of localhost"),
    pytest.param("http://127.8.8.8/people.csv", id="all of loopback"),
]
ELSEWHERE = [
    pytest.param("https://example.com/people.csv", id="another machine"),
    pytest.param("http://10.0.0.1/people.csv", id="another address"),
    pytest.param("http://127.0.0.1.example.com/people.csv", id="a name that looks like loopback"),
    pytest.param("http://notlocalhost/people.csv", id="a name that ends like localhost"),
    pytest.param("http://127.0.0.1@example.com/people.csv", id="loopback as a user"),
    pytest.param("http:///people.csv", id="no machine"),
]


@pytest.mark.parametrize(
    ("fetch_from", "why_not"), [("loopback", ""), ("anywhere", ""), ("nowhere", OUTSIDE)]
)
@pytest.mark.parametrize("url", HERE)
def test_what_is_here_is_fetched_unless_nothing_is(url: str, fetch_from: str, why_not: str) -> None:
    assert may_fetch(url, fetch_from) == why_not


@pytest.mark.parametrize(
    ("fetch_from", "why_not"), [("loopback", OUTSIDE), ("anywhere", ""), ("nowhere", OUTSIDE)]
)
@pytest.mark.parametrize("url", ELSEWHERE)
def test_what_is_elsewhere_is_fetched_only_when_anything_is(url: str, fetch_from: str, why_not: str) -> None:
    assert may_fetch(url, fetch_from) == why_not


@pytest.mark.parametrize(
    ("url", "why_not"),
    [
        pytest.param("ftp://127.0.0.1/x.csv", "The file's URL is not http, https or file.", id="another protocol"),
        pytest.param("people.csv", "The file's URL is not http, https or file.", id="no URL"),
        pytest.param("http://[x", "The file's URL is malformed.", id="a broken URL"),
    ],
)
def test_what_is_no_url_is_never_fetched(url: str, why_not: str) -> None:
    assert {may_fetch(url, fetch_from) for fetch_from in ("loopback", "anywhere", "nowhere")} == {why_not}
