"""What a program under `fakeio exec` finds in its environment, and the files that those variables name.

Everything is written into the folder of the run and nothing elsewhere. What the caller had set is kept where it can be:
authorities, NODE_OPTIONS, PYTHONPATH. Proxies and credentials are replaced: that is what the command is for.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple

from fakeio.edge.proxy import LOOPBACK
from fakeio.edge.tls import REGIONAL_HOSTS
from fakeio.edge.trust import write_bundles

PROXIES = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy")
NOT_THROUGH_PROXIES = ("NO_PROXY", "no_proxy")
_LOOPBACK_NAMES = "localhost,127.0.0.1,::1"
_PYTHON, _NODE = "sitecustomize.py", "preload.cjs"


class Run(NamedTuple):
    """The fake of one run. `url` is its plain origin, `workspace` the view of its default workspace."""

    url: str
    http_port: int
    https_port: int
    ca_file: Path
    workspace: Mapping[str, Any]


def build_environment(caller: Mapping[str, str], run: Run, proxy_url: str, folder: Path) -> dict[str, str]:
    """The whole environment of the program; `folder` gets the files it names."""
    bundles = write_bundles(folder, run.ca_file.read_bytes(), caller)
    preloads = _write_preloads(folder, run, bundles["REQUESTS_CA_BUNDLE"])
    return {
        **caller,
        **dict.fromkeys(PROXIES, proxy_url),
        **dict.fromkeys(NOT_THROUGH_PROXIES, _LOOPBACK_NAMES),
        **{variable: str(bundle) for variable, bundle in bundles.items()},
        "NODE_OPTIONS": _joined(" ", f"--require {_quoted(preloads / _NODE)}", caller.get("NODE_OPTIONS")),
        "PYTHONPATH": _joined(os.pathsep, str(preloads), caller.get("PYTHONPATH")),
        "FAKEIO_URL": run.url,
        "CIO_SITE_ID": run.workspace["site_id"],
        "CIO_TRACK_API_KEY": run.workspace["track_api_key"],
        "CIO_APP_API_KEY": run.workspace["app_api_key"],
        "CIO_REGION": run.workspace["region"],
        "CIO_TRACK_URL": run.url,
        "CIO_APP_URL": run.url,
    }


def _write_preloads(folder: Path, run: Run, bundle: Path) -> Path:
    """The files that Python and Node.js load first, in a folder of their own: all in it can be imported."""
    home = folder / "preload"
    home.mkdir()
    for name in (_PYTHON, _NODE):
        (home / name).write_bytes((files("fakeio") / "preload" / name).read_bytes())
    routes = {
        "hosts": REGIONAL_HOSTS,
        "address": LOOPBACK,
        "ports": {"443": run.https_port, "80": run.http_port},
        "ca_file": str(run.ca_file),
        "bundle": str(bundle),
    }
    (home / "routes.json").write_text(json.dumps(routes), encoding="utf-8")
    return home


def _joined(separator: str, ours: str, theirs: str | None) -> str:
    return f"{ours}{separator}{theirs}" if theirs else ours


def _quoted(path: Path) -> str:
    """As NODE_OPTIONS takes a path that may hold spaces."""
    return '"' + str(path).replace("\\", "\\\\").replace('"', '\\"') + '"'
