"""Calls that prove credentials and tell the region, and how to read their answers. Pure.

Source: Track API > Regions (`/api/v1/accounts/region`); App API > Workspaces, which needs no permission but a key.
"""

from __future__ import annotations

import msgspec

from sync.core.rows import NOT_JSON
from sync.core.sending import Reply, Request

REGION = Request("track", "GET", "/api/v1/accounts/region")
APP_PROBE = Request("app", "GET", "/v1/workspaces")


class Account(msgspec.Struct, frozen=True):
    """Where the account really is. Older answers call the region `data_center`; `url` is never connected to."""

    region: str = ""
    data_center: str = ""
    environment_id: int | None = None

    @property
    def home(self) -> str:
        return (self.region or self.data_center).lower()


class _Workspace(msgspec.Struct, frozen=True):
    id: int


class _Workspaces(msgspec.Struct, frozen=True):
    workspaces: list[_Workspace] | None = None


_WORKSPACES = msgspec.json.Decoder(_Workspaces)
_ACCOUNT = msgspec.json.Decoder(Account)


def parse_account(reply: Reply) -> Account | None:
    """The account in a region answer; None when it can't be read or names no region."""
    try:
        account = _ACCOUNT.decode(reply.body)
    except NOT_JSON:
        return None
    return account if account.home in ("us", "eu") else None


def parse_workspaces(reply: Reply) -> frozenset[int]:
    """The ids of the account's workspaces; empty when the answer doesn't tell."""
    try:
        return frozenset(one.id for one in _WORKSPACES.decode(reply.body).workspaces or [])
    except NOT_JSON:
        return frozenset()
