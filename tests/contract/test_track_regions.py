"""The six regional hosts: which product answers, what becomes of credentials of the other region, what is pinned."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.contract import live as fixtures
from tests.contract.live import Live, Site

live = fixtures.live

TRACK_US, TRACK_EU = "track.customer.io", "track-eu.customer.io"
APP_US, APP_EU = "api.customer.io", "api-eu.customer.io"
CDP_US = "cdp.customer.io"
PINNED = ("strict-transport-security", "alt-svc")


def ask(site: Site, host: str, method: str, path: str, **more: Any) -> httpx.Response:
    """Call a path at a host with whichever credentials that path takes."""
    client = site.track if path.startswith(("/api/", "/auth")) else site.app
    return client.request(method, path, headers={"host": host}, **more)


@pytest.mark.parametrize(
    ("host", "method", "path", "status"),
    [
        pytest.param(TRACK_US, "PUT", "/api/v1/customers/1", 200, id="track on the track host"),
        pytest.param("Track.Customer.IO:443", "PUT", "/api/v1/customers/1", 200, id="in capitals, with a port"),
        pytest.param(TRACK_US, "GET", "/auth", 200, id="auth on the track host"),
        pytest.param(APP_US, "GET", "/v1/segments", 200, id="app on the app host"),
        pytest.param(TRACK_US, "GET", "/v1/segments", 404, id="app on the track host"),
        pytest.param(APP_US, "PUT", "/api/v1/customers/1", 401, id="track on the app host"),
        pytest.param(CDP_US, "PUT", "/api/v1/customers/1", 404, id="track on the pipelines host"),
        pytest.param(CDP_US, "GET", "/v1/segments", 404, id="app on the pipelines host"),
        pytest.param(TRACK_US, "POST", "/v1/send/emails", 405, id="a misspelt send on the track host"),
        pytest.param("customer.io", "GET", "/v1/segments", 200, id="any other host serves the whole origin"),
        pytest.param("localhost", "PUT", "/api/v1/customers/1", 200, id="and so does this machine"),
    ],
)
def test_a_host_serves_its_own_product(live: Live, host: str, method: str, path: str, status: int) -> None:
    assert ask(live.site(), host, method, path, content=b"{}").status_code == status


@pytest.mark.parametrize("path", ["/auth", "/v1/segments", "/api/v1/customers/1", "/nope"])
@pytest.mark.parametrize(
    ("host", "pinned"),
    [(TRACK_US, True), (APP_US, True), (CDP_US, True), ("localhost", False), ("fly.customer.io", False)],
)
def test_only_the_six_hosts_pin_a_browser_whatever_they_answer(live: Live, host: str, pinned: bool, path: str) -> None:
    values = {name: value for name, value in ask(live.site(), host, "GET", path).headers.items() if name in PINNED}
    assert values == ({
        "strict-transport-security": "max-age=31536000; includeSubDomains",
        "alt-svc": 'h3=":443"; ma=2592000,h3-29=":443"; ma=2592000',
    } if pinned else {})  # fmt: skip


WRONG = [
    pytest.param("us", TRACK_EU, {}, 401, None, id="US credentials on the EU track host"),
    pytest.param("us", APP_EU, {}, 401, None, id="a US key on the EU app host"),
    pytest.param("us", TRACK_EU, {"track_wrong_region": "redirect_307"}, 401, None, id="whatever the switch says"),
    pytest.param("eu", TRACK_US, {}, 200, None, id="EU credentials are passed on"),
    pytest.param("eu", TRACK_US, {"track_wrong_region": "401"}, 401, None, id="or refused"),
    pytest.param("eu", TRACK_US, {"track_wrong_region": "redirect_307"}, 307, "https://track-eu.customer.io",
                 id="or redirected with the same method"),
    pytest.param("eu", TRACK_US, {"track_wrong_region": "redirect_301"}, 301, "https://track-eu.customer.io",
                 id="or redirected for good"),
    pytest.param("eu", APP_US, {}, 401, None, id="an EU key is refused"),
    pytest.param("eu", APP_US, {"app_wrong_region": "redirect_301"}, 301, "https://api-eu.customer.io",
                 id="or redirected"),
    pytest.param("eu", TRACK_EU, {}, 200, None, id="EU credentials at home"),
    pytest.param("eu", APP_EU, {}, 200, None, id="an EU key at home"),
    pytest.param("eu", "localhost", {"track_wrong_region": "401"}, 200, None, id="no rule on any other host"),
]  # fmt: skip


@pytest.mark.parametrize(("region", "host", "settings", "status", "origin"), WRONG)
def test_credentials_of_a_region_on_a_host(
    live: Live, region: str, host: str, settings: dict[str, str], status: int, origin: str | None
) -> None:
    site = live.site(region=region, settings=settings)
    app = host in (APP_US, APP_EU)
    path = "/v1/customers?email=a%2Bb%40c.de" if app else "/api/v1/customers/a%2Fb?x=1"
    response = ask(site, host, "GET" if app else "PUT", path, **({} if app else {"json": {}}))
    assert response.status_code == status
    assert response.headers.get("location") == (None if origin is None else origin + path)
    assert len(site.people()) == (status == 200 and not app)
    assert [rule for _, _, rule in site.outcomes() if rule] == ([] if status == 200 else ["route.region"])


@pytest.mark.parametrize("host", [TRACK_US, TRACK_EU])
@pytest.mark.parametrize("region", ["us", "eu"])
def test_both_hosts_tell_the_true_region(live: Live, region: str, host: str) -> None:
    site = live.site(region=region, settings={"track_wrong_region": "401"})
    found = ask(site, host, "GET", "/api/v1/accounts/region").json()
    assert (found["region"], found["environment_id"]) == (region, site.hosted.id)
    assert found["url"] == f"https://{TRACK_US if region == 'us' else TRACK_EU}"
