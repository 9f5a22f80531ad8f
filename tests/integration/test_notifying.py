"""A webhook that is told of a run and answers in its own way: what it says after its status holds up nobody."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest

from sync.core.report import Ended, EventsReport
from sync.edge.notifying import notify

ENDLESS = b"HTTP/1.1 %d Whatever\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n"
PATIENCE_S = 60.0


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(PATIENCE_S)
        yield server


@pytest.mark.parametrize(("status", "why"), [(200, ""), (500, "it answered 500")])
def test_an_answer_without_an_end_is_not_waited_for(listener: socket.socket, status: int, why: str) -> None:
    hung_up: list[bool] = []

    def answer() -> None:
        for _ in range(1 if not why else 3):
            connection, _address = listener.accept()
            with connection:
                connection.settimeout(PATIENCE_S)
                connection.sendall(ENDLESS % status)
                with suppress(ConnectionResetError):  # what we said may lie there unread
                    while connection.recv(65_536):
                        pass
                hung_up.append(True)

    thread = threading.Thread(target=answer, daemon=True)
    thread.start()
    ended = Ended(EventsReport(run_id="01", sync="orders"), 0)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}/hook"
    assert notify(url, "orders", ended, disabled=False, pause_s=0) == why
    thread.join(PATIENCE_S)
    assert hung_up == [True] * (1 if not why else 3)
