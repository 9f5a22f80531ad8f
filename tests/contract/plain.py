"""Single requests to a server of this machine: without TLS, and past whatever proxy the environment names.

`httpx.get` loads the certificates of the whole world first, which takes longer than most tests.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import httpx

PATIENCE_S = 60  # a bound on hanging, never a measure


def request(method: str, url: str, **more: Any) -> httpx.Response:
    """As `httpx.request`."""
    return httpx.request(method, url, **{"timeout": PATIENCE_S, **more}, verify=False, trust_env=False)


get, post, put, delete = (partial(request, method) for method in ("GET", "POST", "PUT", "DELETE"))
