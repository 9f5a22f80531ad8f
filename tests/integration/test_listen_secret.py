"""The shared secret of `cio-sync listen` is compared in constant time, and by nothing else."""

from __future__ import annotations

import base64
import hmac
from pathlib import Path

import pytest

from sync.cli import main
from sync.edge.inbox import Inbox
from sync.edge.receiver import Receiver
from tests.integration.listening_engine import Web, webhook

SECRET = "s3cret"
BASIC = base64.b64encode(f"user:{SECRET}".encode()).decode()
PLACES = [
    pytest.param({"x-webhook-secret": SECRET}, id="a header"),
    pytest.param({"x-api-key": SECRET}, id="the other header"),
    pytest.param({"authorization": f"Bearer {SECRET}"}, id="Bearer"),
    pytest.param({"authorization": f"Basic {BASIC}"}, id="half of Basic"),
]


def push(folder: Path, headers: dict[str, str] | dict[str, bytes], secret: str = SECRET) -> int:
    inbox = Inbox(folder / "inbox.db")
    try:
        return Web(Receiver(inbox, secret=secret)).post("/cohorts", json=webhook("a"), headers=headers).status_code
    finally:
        inbox.close()


@pytest.mark.parametrize("headers", PLACES)
def test_only_the_comparison_in_constant_time_lets_a_secret_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, headers: dict[str, str]
) -> None:
    assert push(tmp_path, headers) == 200
    monkeypatch.setattr(hmac, "compare_digest", lambda one, other: False)
    assert push(tmp_path, headers) == 401  # the right secret: `==` would let it in


def test_a_secret_that_is_set_and_empty_is_a_mistake(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    for name in ("CIO_SITE_ID", "CIO_TRACK_API_KEY", "CIO_APP_API_KEY"):
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("CIO_SYNC_STATE", str(tmp_path / "state.db"))
    monkeypatch.setenv("CIO_SYNC_LISTEN_SECRET", " ")
    assert main(["listen", "--port", "0"]) == 2
    assert "CIO_SYNC_LISTEN_SECRET is set and empty" in capfd.readouterr().err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("header", ["x-webhook-secret", "x-api-key", "authorization"])
def test_a_secret_may_be_of_any_letters(tmp_path: Path, header: str) -> None:
    sent = "s3cr ß☕"
    value = f"Bearer {sent}" if header == "authorization" else sent
    assert push(tmp_path, {header: value.encode()}, sent) == 200
    assert push(tmp_path, {header: value[:-1].encode()}, sent) == 401


@pytest.mark.parametrize("headers", [{}, {"x-api-key": "wrong"}, {"authorization": "Digest x"}], ids=str)
def test_only_the_comparison_in_constant_time_keeps_a_secret_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, headers: dict[str, str]
) -> None:
    assert push(tmp_path, headers) == 401
    monkeypatch.setattr(hmac, "compare_digest", lambda one, other: True)
    assert push(tmp_path, headers) == 200  # a wrong one: `==` would keep it out


def test_every_place_is_compared_whole_though_the_first_was_right(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[tuple[bytes, bytes]] = []
    honest = hmac.compare_digest

    def watched(one: bytes, other: bytes) -> bool:
        compared.append((one, other))
        return honest(one, other)

    monkeypatch.setattr(hmac, "compare_digest", watched)
    assert push(tmp_path, {"x-api-key": SECRET, "x-webhook-secret": "wrong", "authorization": f"Basic {BASIC}"}) == 200
    own = SECRET.encode()
    assert sorted(compared) == sorted([(own, own), (b"wrong", own), (b"user", own), (own, own)])
