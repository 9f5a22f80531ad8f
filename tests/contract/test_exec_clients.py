"""Clients as they are, under `fakeio exec`: each calls Customer.io's own hosts over TLS, and lands in the fake.

None knows of the fake, and each runs in a process of its own. Every program identifies the person it is told to at the
US host, then knocks at the EU host, where these credentials are wrong, and prints the statuses.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.exec_world import PROGRAMS, Inside, inside_exec, program
from tests.contract.node_sdk import node_modules
from tests.contract.serving import PATIENCE_S

IN_PYTHON = """
import base64, os, sys
US, EU = f"https://track.customer.io/api/v1/customers/{sys.argv[1]}", "https://track-eu.customer.io/auth"
AUTH = (os.environ["CIO_SITE_ID"], os.environ["CIO_TRACK_API_KEY"])
HEADERS = {"Authorization": "Basic " + base64.b64encode(":".join(AUTH).encode()).decode()}
BODY = {"client": "python"}
"""
REQUESTS = """
import requests
with requests.Session() as http:
    http.trust_env, http.auth = TRUST_ENV, AUTH
    print(http.put(US, json=BODY).status_code, http.get(EU).status_code)
"""
HTTPX = """
import httpx
with httpx.Client(trust_env=TRUST_ENV, auth=AUTH) as http:
    print(http.put(US, json=BODY).status_code, http.get(EU).status_code)
"""
ASYNC_HTTPX = """
import asyncio, httpx
async def main():
    async with httpx.AsyncClient(trust_env=TRUST_ENV, auth=AUTH) as http:
        print((await http.put(US, json=BODY)).status_code, (await http.get(EU)).status_code)
"""
AIOHTTP = """
import asyncio, aiohttp
async def main():
    async with aiohttp.ClientSession(trust_env=TRUST_ENV, headers=HEADERS) as http:
        async with http.put(US, json=BODY) as there, http.get(EU) as elsewhere:
            print(there.status, elsewhere.status)
"""
CUSTOMERIO = """
from customerio import CustomerIO, CustomerIOException, Regions
CustomerIO(*AUTH, region=Regions.US).identify(id=sys.argv[1], client="python")
try:
    CustomerIO(*AUTH, region=Regions.EU, retries=0).identify(id=sys.argv[1])
except CustomerIOException as refused:
    print(200, 401 if "401" in str(refused) else refused)
"""
URLLIB = """
import json, urllib.error, urllib.request
request = urllib.request.Request(US, json.dumps(BODY).encode(), HEADERS, method="PUT")
request.add_header("content-type", "application/json")
there = urllib.request.urlopen(request).status
try:
    urllib.request.urlopen(urllib.request.Request(EU, headers=HEADERS))
except urllib.error.HTTPError as refused:
    print(there, refused.code)
"""
HTTP_CLIENT = """
import http.client, json
def call(host, method, path, body=None):
    connection = http.client.HTTPSConnection(host, 443)
    connection.request(method, path, body, {**HEADERS, "content-type": "application/json"})
    return connection.getresponse().status
print(call("track.customer.io", "PUT", US[25:], json.dumps(BODY)), call("TRACK-EU.customer.io", "GET", "/auth"))
"""
STREAMS = """
import asyncio, json
async def call(host, line, body=""):
    reader, writer = await asyncio.open_connection(host, 443, ssl=True)
    own = {"Host": host, "Connection": "close", "Content-Type": "application/json", "Content-Length": len(body)}
    head = "".join(f"{name}: {value}\\r\\n" for name, value in {**HEADERS, **own}.items())
    writer.write(f"{line} HTTP/1.1\\r\\n{head}\\r\\n{body}".encode())
    answer = await reader.read()
    writer.close()
    return int(answer.split()[1])
async def main():
    there = await call("track.customer.io", f"PUT {US[25:]}", json.dumps(BODY))
    print(there, await call("track-eu.customer.io", "GET /auth"))
"""
BY_PROXY, PAST_IT = "TRUST_ENV = True\n", "TRUST_ENV = False\n"
ON_ASYNCIO, ON_UVLOOP = "asyncio.run(main())\n", "import uvloop\nuvloop.run(main())\n"
PYTHON = [
    pytest.param(CUSTOMERIO, id="the customerio package"),
    pytest.param(BY_PROXY + REQUESTS, id="requests"),
    pytest.param(PAST_IT + REQUESTS, id="requests past proxies"),
    pytest.param(BY_PROXY + HTTPX, id="httpx"),
    pytest.param(PAST_IT + HTTPX, id="httpx past proxies"),
    pytest.param(BY_PROXY + ASYNC_HTTPX + ON_ASYNCIO, id="httpx on asyncio"),
    pytest.param(PAST_IT + ASYNC_HTTPX + ON_UVLOOP, id="httpx on uvloop past proxies"),
    pytest.param(BY_PROXY + AIOHTTP + ON_ASYNCIO, id="aiohttp"),
    pytest.param(PAST_IT + AIOHTTP + ON_ASYNCIO, id="aiohttp past proxies"),
    pytest.param(PAST_IT + AIOHTTP + ON_UVLOOP, id="aiohttp on uvloop past proxies"),
    pytest.param(URLLIB, id="urllib"),
    pytest.param(HTTP_CLIENT, id="http.client"),
    pytest.param(STREAMS + ON_ASYNCIO, id="asyncio"),
    pytest.param(STREAMS + ON_UVLOOP, id="asyncio on uvloop"),
]


@pytest.fixture(scope="module")
def inside() -> Iterator[Inside]:
    with inside_exec() as run:
        yield run


@pytest.fixture
def person(request: pytest.FixtureRequest) -> str:
    """An id that no other test of the module has."""
    return "".join(char if char.isalnum() else "-" for char in request.node.name)


def landed(inside: Inside, person: str, ended: subprocess.CompletedProcess[str], printed: str = "200 401") -> None:
    """The program was content, and what it wrote arrived at the two hosts it named."""
    assert (ended.returncode, ended.stderr, ended.stdout.split()) == (0, "", printed.split())
    (found,) = inside.rows("people", id=person)
    assert found["attributes"]["client"]
    hosts = [row["headers"]["host"].lower() for row in inside.rows("requests", path=f"/api/v1/customers/{person}")]
    assert hosts[0] == "track.customer.io"
    assert inside.rows("requests", status="401")[-1]["headers"]["host"].lower() == "track-eu.customer.io"


@pytest.mark.parametrize("source", PYTHON)
def test_a_python_program_reaches_the_fake(inside: Inside, person: str, source: str) -> None:
    if "uvloop" in source:
        pytest.importorskip("uvloop")
    landed(inside, person, inside.run(sys.executable, "-c", IN_PYTHON + source, person))


def test_curl_reaches_the_fake(inside: Inside, person: str) -> None:
    user = "{CIO_SITE_ID}:{CIO_TRACK_API_KEY}".format(**inside.environment)
    command = [program("curl"), "--silent", "--show-error", "--user", user, "--write-out", "%{http_code} "]
    command += ["--output", os.devnull]
    send = ["--request", "PUT", "--header", "content-type: application/json", "--data", '{"client":"curl"}']
    url = f"https://track.customer.io/api/v1/customers/{person}"
    landed(inside, person, inside.run(*command, *send, url, "--next", *command[1:], "https://track-eu.customer.io/auth"))


@pytest.mark.parametrize(
    ("name", "printed"),
    [pytest.param("node_fetch.mjs", "200 401", id="fetch"),
     pytest.param("node_https.cjs", "200 401 200 200 404", id="https.request")],
)  # fmt: skip
def test_node_reaches_the_fake(inside: Inside, person: str, name: str, printed: str) -> None:
    landed(inside, person, inside.run(program("node"), str(PROGRAMS / name), person), printed)


@pytest.mark.parametrize("package", ["customerio-node", "customerio-node-4"])
def test_the_vendors_client_for_node_reaches_the_fake(inside: Inside, person: str, package: str) -> None:
    modules = node_modules(package)
    script = str(PROGRAMS / "node_customerio.cjs")
    landed(inside, person, inside.run(program("node"), script, person, package, FAKEIO_NODE_MODULES=str(modules)))


def test_ruby_reaches_the_fake(inside: Inside, person: str) -> None:
    landed(inside, person, inside.run(program("ruby"), str(PROGRAMS / "net_http.rb"), person))


def test_go_reaches_the_fake(inside: Inside, person: str, tmp_path: Path) -> None:
    build = [program("go"), "build", "-o", str(tmp_path / "client"), str(PROGRAMS / "net_http.go")]
    cache = {"GOCACHE": str(tmp_path / "cache"), "GOFLAGS": "", "GO111MODULE": "off"}
    subprocess.run(build, env={**os.environ, **cache}, check=True, timeout=PATIENCE_S)
    landed(inside, person, inside.run(str(tmp_path / "client"), person))
