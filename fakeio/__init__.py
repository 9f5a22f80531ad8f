"""A Customer.io that runs on a laptop and in CI: a server on a free port, an httpx transport, a pytest plugin.

Importing this package imports next to nothing; each public name brings what it needs when it is first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fakeio.respx_bridge import respx_router
    from fakeio.testing import Fake, WorkspaceHandle, asgi_app, limits

__all__ = ["Fake", "WorkspaceHandle", "asgi_app", "limits", "respx_router"]


if not TYPE_CHECKING:  # a checker knows the names above, and should complain about every other

    def __getattr__(name: str) -> Any:
        if name not in __all__:
            raise AttributeError(f"module 'fakeio' has no attribute {name!r}")
        # here, so that `import fakeio` (which pytest does at every start) stays as fast as it is
        from fakeio import respx_bridge, testing

        return getattr(respx_bridge if name == "respx_router" else testing, name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
