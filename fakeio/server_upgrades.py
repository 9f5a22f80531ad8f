"""Requests that offer another protocol (`Upgrade: h2c`) are answered as if they had not: HTTP/1.1, body and all.

A server may ignore such an offer, and Java's own HTTP client makes it with the first request of every connection. The
parser underneath stops where the head of such a request ends and leaves its body unread; here it goes on.
Source: RFC 9110, section 7.8.
"""

from __future__ import annotations

from typing import Any

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser

from fakeio.server_guard import BODY

_FRAMING = (b"content-length", b"transfer-encoding")


class PlainParser(HttpRequestParser):
    """A parser that takes no offer. It replaces itself as `protocol.parser` when it has met one with a body.

    `listener` gets the callbacks, the protocol itself unless told.
    """

    def __init__(self, protocol: Any, listener: Any = None) -> None:
        super().__init__(listener or protocol)
        self._protocol = protocol
        self.set_dangerous_leniencies(lenient_data_after_close=True)  # as the parser that uvicorn makes for itself

    def feed_data(self, data: Any) -> None:
        """Raises nothing: what is no HTTP goes to the protocol's `refuse_garbled`."""
        parser = self
        while data:
            try:
                HttpRequestParser.feed_data(parser, data)
                return
            except HttpParserUpgrade as offer:
                parser, data = parser._after_offer(data[offer.args[0] :])
            except HttpParserError as error:
                self._protocol.refuse_garbled(data, error)
                return

    def _after_offer(self, rest: bytes) -> tuple[PlainParser, bytes]:
        """Who parses what follows the head, and what that is: a body framed as the head says, or another request."""
        protocol = self._protocol
        framing = [b"%b: %b\r\n" % line for line in protocol.headers if line[0] in _FRAMING]
        if not framing:
            return self, rest
        protocol.cycle.more_body = True  # the parser has told it that this was all
        protocol.phase = BODY
        protocol.parser = PlainParser(protocol, _Resumed(protocol))
        return protocol.parser, b"POST / HTTP/1.1\r\n%b\r\n%b" % (b"".join(framing), rest)


class _Resumed:
    """Between a second parser and the protocol: keeps from it the head that only tells the parser about the body."""

    def __init__(self, protocol: Any) -> None:
        self._protocol = protocol
        self._past_head = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._protocol, name)

    def on_message_begin(self) -> None:
        if self._past_head:
            self._protocol.on_message_begin()

    def on_url(self, url: bytes) -> None:
        if self._past_head:
            self._protocol.on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._past_head:
            self._protocol.on_header(name, value)

    def on_headers_complete(self) -> None:
        if self._past_head:
            self._protocol.on_headers_complete()
        self._past_head = True
