"""What opens a workspace: fresh credentials that nobody can guess, and the published ones of the default workspace.

Which workspace a credential opens is known to `registry.py`. Source: interface, "Default workspace".
"""

from __future__ import annotations

import os

import msgspec


class Credentials(msgspec.Struct, frozen=True, kw_only=True):
    """What opens one workspace. Shapes: 20 lower-case hex digits, 32 for the App API key."""

    site_id: str
    track_api_key: str
    app_api_key: str
    pipelines_write_key: str
    service_token: str
    webhook_signing_key: str

    @classmethod
    def fresh(cls) -> Credentials:
        """Credentials nobody can guess."""
        return cls(
            site_id=_random_hex(10),
            track_api_key=_random_hex(10),
            app_api_key=_random_hex(16),
            pipelines_write_key=_random_hex(10),
            service_token=f"sa_live_{_random_hex(10)}",
            webhook_signing_key=_random_hex(10),
        )

    def opening(self) -> tuple[str, ...]:
        """Those by which a request can be placed."""
        return (self.site_id, self.track_api_key, self.app_api_key, self.pipelines_write_key, self.service_token)


def _random_hex(bytes: int) -> str:
    # as `secrets.token_hex`, whose module brings OpenSSL's digests
    return os.urandom(bytes).hex()


DEFAULT_CREDENTIALS = Credentials(
    site_id="f0000000000000000001",
    track_api_key="f0000000000000000002",
    app_api_key="f0000000000000000000000000000003",
    pipelines_write_key="f0000000000000000004",
    service_token="sa_live_f0000000000000000005",
    webhook_signing_key="f0000000000000000006",
)
