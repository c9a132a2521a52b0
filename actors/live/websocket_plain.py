"""PlainWebSocket: a websocket by the `websockets` package, portable. Used where picows is not installed."""

import asyncio
import ssl
from typing import cast

from websockets.client import ClientProtocol
from websockets.exceptions import PayloadTooBig, WebSocketException
from websockets.frames import CloseCode, Frame, Opcode
from websockets.protocol import State
from websockets.uri import parse_uri

from actors.live.websocket_link import (
    NO_CLOSE_FRAME,
    Fragments,
    HandlerFailed,
    Implementation,
    LinkEvents,
    WebSocketLimits,
)

DATA = (Opcode.TEXT, Opcode.BINARY, Opcode.CONT)


class PlainWebSocket(asyncio.Protocol):
    """The protocol is the package's; the socket is the event loop's; there is no task between."""

    def __init__(self, url: str, events: LinkEvents, limits: WebSocketLimits, tls: ssl.SSLContext | None) -> None:
        self._uri, self._events, self._limits, self._tls = parse_uri(url), events, limits, tls
        self._protocol = ClientProtocol(self._uri, max_size=limits.message_bytes)
        self._fragments = Fragments(limits.message_bytes)
        self._transport: asyncio.Transport | None = None
        self._reason = ""  # why we closed it, or closed it ourselves
        self._opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._closed = asyncio.Event()

    async def open(self) -> None:
        host = self._uri.host
        loop = asyncio.get_running_loop()
        try:
            await loop.create_connection(
                lambda: self, host, self._uri.port, ssl=self._tls, server_hostname=host if self._tls else None
            )
            self._protocol.send_request(self._protocol.connect())
            self._write()
            await self._opened
        except BaseException:
            if self._transport is not None:
                self._transport.abort()
            raise

    async def wait_closed(self) -> None:
        await self._closed.wait()

    def send(self, data: str | bytes) -> None:
        protocol = self._protocol
        if self._transport is None or self._reason or protocol.state is not State.OPEN:
            return  # `closed` follows
        if isinstance(data, str):
            protocol.send_text(data.encode())
        else:
            protocol.send_binary(data)
        self._write()
        if self._transport.get_write_buffer_size() > self._limits.backlog_bytes:
            self._reason = f"the other side does not read: over {self._limits.backlog_bytes} bytes are waiting"
            self._transport.abort()

    def close(self) -> None:
        self._send_close("closed by us", CloseCode.NORMAL_CLOSURE)

    # -- called by the event loop -------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is not derived from it

    def data_received(self, data: bytes) -> None:
        protocol = self._protocol
        protocol.receive_data(data)
        self._write()  # what the protocol answers: a pong, a close frame
        try:
            for event in protocol.events_received():
                if isinstance(event, Frame):
                    self._on_frame(event)
                elif self._opened.done():  # the opening was cancelled in this round of the loop
                    self._abort()
                    return
                elif protocol.handshake_exc is None:
                    self._opened.set_result(None)
                    self._events.opened()
        except HandlerFailed:
            self._abort()
        self._check()

    def connection_lost(self, _: Exception | None) -> None:
        protocol = self._protocol
        if not self._opened.done():
            protocol.receive_eof()
            self._opened.set_exception(protocol.handshake_exc or ConnectionResetError("closed in the handshake"))
        elif not self._opened.cancelled() and self._opened.exception() is None:
            code = protocol.close_rcvd.code if protocol.close_rcvd is not None else NO_CLOSE_FRAME
            self._closed.set()
            self._events.closed(self._reason or f"closed by the server ({int(code)})")

    # -- the rest -----------------------------------------------------------------------------------------

    def _on_frame(self, frame: Frame) -> None:
        if self._reason:
            return
        if frame.opcode is Opcode.CLOSE:
            assert self._protocol.close_rcvd is not None
            self._reason = f"closed by the server ({int(self._protocol.close_rcvd.code)})"
            self._disconnect()
        elif frame.opcode in DATA:
            data = bytes(frame.data)
            if not self._fragments and frame.fin:
                self._events.frame(data)
            elif (whole := self._fragments.add(data, frame.fin)) is not None:
                self._events.frame(whole)

    def _check(self) -> None:
        """Hang up after a failed handshake and after an invalid frame."""
        protocol = self._protocol
        if protocol.handshake_exc is not None:
            if not self._opened.done():
                self._opened.set_exception(protocol.handshake_exc)
        elif protocol.parser_exc is not None and not self._reason:
            is_too_large = isinstance(protocol.parser_exc, PayloadTooBig)
            text = f"a message of over {self._limits.message_bytes} bytes"
            self._reason = text if is_too_large else f"invalid frame: {protocol.parser_exc}"
            self._disconnect()

    def _send_close(self, reason: str, code: CloseCode) -> None:
        if self._transport is None or self._reason or self._protocol.state is not State.OPEN:
            return
        self._reason = reason
        self._protocol.send_close(code)
        self._write()
        asyncio.get_running_loop().call_later(self._limits.close_s, self._abort)

    def _disconnect(self) -> None:
        """Let what was written leave, for at most `close_s`."""
        assert self._transport is not None
        self._transport.close()
        asyncio.get_running_loop().call_later(self._limits.close_s, self._abort)

    def _abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def _write(self) -> None:
        assert self._transport is not None
        for data in self._protocol.data_to_send():
            if data:
                self._transport.write(data)


PLAIN = Implementation("websockets", PlainWebSocket, (WebSocketException,))
