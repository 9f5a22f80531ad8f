"""Single requests to a server of this machine: without TLS, and past whatever proxy the environment names.

`httpx.get` loads the certificates of the whole world first, which takes longer than most tests.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import httpx

PATIENCE_S = 60  # a bound on hanging, never a measure


def request(method: str, url: str, **more: Any) -> httpx.Response:
    """As `httpx.request`."""
    return httpx.request(method, url, **{"timeout": PATIENCE_S, **more}, verify=False, trust_env=False)


get, post, put, delete = (partial(request, method) for method in ("GET", "POST", "PUT", "DELETE"))


@contextmanager
def deserted() -> Iterator[str]:
    """An address of this machine at which nobody listens, nor can any other test begin to while this one lasts."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{held.getsockname()[1]}"
