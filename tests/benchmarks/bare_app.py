"""The peer of F1 and F3: what anybody writes in ten minutes. Starlette, `json`, a dict, on uvicorn with its fast parts.

It keeps a person's attributes and answers `{}`: no credentials, no limits, no outcomes, no record of requests.
"""

from __future__ import annotations

import sys
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from tests.benchmarks.processes import free_port

people: dict[str, dict[str, Any]] = {}


async def put_customer(request: Request) -> JSONResponse:
    """Merges the body into the person of that name."""
    people.setdefault(request.path_params["identifier"], {}).update(await request.json())
    return JSONResponse({})


async def region(_: Request) -> JSONResponse:
    """The smallest answer there is, to see whether the server is up."""
    return JSONResponse({})


app = Starlette(
    routes=[
        Route("/api/v1/customers/{identifier}", put_customer, methods=["PUT"]),
        Route("/api/v1/accounts/region", region),
    ]
)


class Announcing(uvicorn.Server):
    """uvicorn that prints its address once it accepts requests."""

    async def startup(self, sockets: Any = None) -> None:
        """As uvicorn's, then the ready line."""
        await super().startup(sockets)
        sys.stdout.write(f"http://127.0.0.1:{self.config.port}\n")
        sys.stdout.flush()


def main() -> None:
    """Serves until terminated, on the port given as argument or on a free one."""
    port = int(sys.argv[1]) if len(sys.argv) > 1 else free_port()
    config = uvicorn.Config(
        app, port=port, loop="uvloop", http="httptools", access_log=False, lifespan="off", log_level="warning"
    )
    Announcing(config).run()


if __name__ == "__main__":
    main()
