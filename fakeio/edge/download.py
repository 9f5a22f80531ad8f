"""One file by URL, with bounds on its size and on patience. Where it may come from is the caller's business."""

from __future__ import annotations

import gzip
import urllib.error
import urllib.request
import zlib
from collections.abc import Callable
from http.client import HTTPException, HTTPMessage
from typing import IO, Any
from urllib.request import HTTPRedirectHandler, ProxyHandler, Request

PATIENCE_S = 10
MOST_BYTES = 256 * 1024 * 1024

_UNREACHABLE = "The file could not be fetched"


def download(url: str, why_not: Callable[[str], str], *, direct: bool) -> tuple[bytes, str, str]:
    """Body, content type and error, of which the last is empty or alone; `direct` goes past any proxy.

    `why_not` judges where a redirect leads.
    """
    opener = urllib.request.build_opener(_Redirects(why_not), *([ProxyHandler({})] if direct else []))
    try:
        with opener.open(Request(url, headers={"user-agent": "fakeio"}), timeout=PATIENCE_S) as answer:
            body: bytes = answer.read(MOST_BYTES + 1)
            headers = answer.headers
    except urllib.error.HTTPError as error:
        return b"", "", f"{_UNREACHABLE}: the server answered {error.code}."
    except (OSError, HTTPException, ValueError):
        return b"", "", f"{_UNREACHABLE}."
    if len(body) > MOST_BYTES:
        return b"", "", "The file is too large."
    return _unpacked(body, headers)


def _unpacked(body: bytes, headers: Any) -> tuple[bytes, str, str]:
    kind = str(headers.get_content_type()) if headers.get("content-type") else ""
    if (headers.get("content-encoding") or "").lower() != "gzip":
        return body, kind, ""
    try:
        return gzip.decompress(body), kind, ""
    except (OSError, EOFError, zlib.error):
        return b"", "", "The file is not gzip, though it says so."


class _Redirects(HTTPRedirectHandler):
    """Follows a redirect only to where a fetch could have gone at once."""

    def __init__(self, why_not: Callable[[str], str]) -> None:
        self._why_not = why_not

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> Request | None:
        if self._why_not(newurl):
            raise urllib.error.URLError("redirected to where this workspace does not fetch from")
        return super().redirect_request(req, fp, code, msg, headers, newurl)
