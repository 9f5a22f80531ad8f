"""What an account says of itself, in the words of several years."""

from __future__ import annotations

import pytest

from sync.core.sending import Reply
from sync.core.wire_account import Account, parse_account, parse_workspaces


@pytest.mark.parametrize(
    ("body", "account"),
    [
        pytest.param(b'{"url":"x","region":"eu","environment_id":7}', Account("eu", environment_id=7), id="today"),
        pytest.param(b'{"url":"x","data_center":"us","environment_id":3}', Account("", "us", 3), id="2021"),
        pytest.param(b'{"region":"US"}', Account("US"), id="in capitals"),
        pytest.param(b'{"region":"moon"}', None, id="nowhere"),
        pytest.param(b"{}", None, id="silent"),
        pytest.param(b"<html>", None, id="not JSON"),
        pytest.param(b"\xff", None, id="not text"),
    ],
)
def test_the_region_is_read(body: bytes, account: Account | None) -> None:
    found = parse_account(Reply(200, body=body))
    assert found == account
    assert found is None or found.home in ("us", "eu")


def test_the_workspaces_are_read() -> None:
    assert parse_workspaces(Reply(200, body=b'{"workspaces":[{"id":1,"name":"x"},{"id":7}]}')) == {1, 7}
    assert parse_workspaces(Reply(200, body=b'{"workspaces":null}')) == frozenset()
    assert parse_workspaces(Reply(200, body=b"nothing")) == frozenset()
