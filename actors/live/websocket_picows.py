"""PicowsWebSocket: a websocket by picows, without a task between the socket and the actor. The fast implementation."""

import asyncio
import ssl

from picows import WSCloseCode, WSError, WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

from actors.live.websocket_link import NO_CLOSE_FRAME, NO_CODE, Fragments, Implementation, LinkEvents, WebSocketLimits

DATA = (WSMsgType.TEXT, WSMsgType.BINARY, WSMsgType.CONTINUATION)


def _number(code: WSCloseCode) -> int:
    return int(code) or NO_CODE  # type: ignore[call-overload]  # an IntEnum; its stub lacks that


class PicowsWebSocket(WSListener):
    """picows calls the `on_ws_...` methods from the event loop."""

    def __init__(self, url: str, events: LinkEvents, limits: WebSocketLimits, tls: ssl.SSLContext | None) -> None:
        self._url, self._events, self._limits, self._tls = url, events, limits, tls
        self._fragments = Fragments(limits.message_bytes)
        self._reason = ""  # why we closed it, or closed it ourselves
        self._ws: WSTransport | None = None

    async def open(self) -> None:
        limits = self._limits
        await ws_connect(
            lambda: self, self._url, ssl_context=self._tls, max_frame_size=limits.message_bytes,
            websocket_handshake_timeout=limits.open_s, max_redirects=0, proxy=None,
        )  # fmt: skip
        if self._ws is None:  # picows returns as if it were open
            raise ConnectionResetError("the server closed the connection in the handshake")

    async def wait_closed(self) -> None:
        assert self._ws is not None
        ending = asyncio.ensure_future(self._ws.wait_disconnected())
        await asyncio.wait([ending])
        ending.exception()  # read, so that the event loop does not report an error of the other side as a bug of ours

    def send(self, data: str | bytes) -> None:
        ws = self._ws
        if ws is None or self._reason or ws.is_disconnected:
            return  # `closed` follows
        if isinstance(data, str):
            ws.send(WSMsgType.TEXT, data.encode())
        else:
            ws.send(WSMsgType.BINARY, data)
        if ws.underlying_transport.get_write_buffer_size() > self._limits.backlog_bytes:
            self._reason = f"the other side does not read: over {self._limits.backlog_bytes} bytes are waiting"
            ws.disconnect(False)

    def close(self) -> None:
        self._send_close("closed by us", WSCloseCode.OK)

    # -- called by picows ---------------------------------------------------------------------------------

    def on_ws_connected(self, transport: WSTransport) -> None:
        self._ws = transport
        self._events.opened()

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        kind = frame.msg_type
        if transport.is_close_frame_sent and not self._reason:  # by picows, at an invalid frame
            self._reason = self._invalid_frame()
            transport.disconnect(False)
        if self._reason or kind not in DATA:
            if kind == WSMsgType.CLOSE:
                self._on_close_frame(transport, frame)
            return
        data = frame.get_payload_as_bytes()
        if self._fragments or not frame.fin or kind == WSMsgType.CONTINUATION:
            if bool(self._fragments) != (kind == WSMsgType.CONTINUATION):
                self._send_close("invalid frame: a message without its beginning or end", WSCloseCode.PROTOCOL_ERROR)
                return
            whole = self._fragments.add(data, frame.fin)
            if self._fragments.is_too_large:
                text = f"a message of over {self._limits.message_bytes} bytes"
                self._send_close(text, WSCloseCode.MESSAGE_TOO_BIG)
            if whole is None:
                return
            data = whole
        self._events.frame(data)

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        if not self._reason and transport.is_close_frame_sent:  # by picows, at an invalid frame
            self._reason = self._invalid_frame()
        handshake = transport.close_handshake
        received = handshake.recv if handshake is not None else None
        code = _number(received.code) if received is not None else NO_CLOSE_FRAME
        self._events.closed(self._reason or f"closed by the server ({code})")

    def _invalid_frame(self) -> str:
        return f"invalid frame: over {self._limits.message_bytes} bytes, or against the protocol"

    def _on_close_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if not self._reason:
            self._reason = f"closed by the server ({_number(frame.get_close_code())})"
            transport.send_close(frame.get_close_code())
        transport.disconnect()

    def _send_close(self, reason: str, code: WSCloseCode) -> None:
        if self._ws is None or self._reason:
            return
        self._reason = reason
        self._ws.send_close(code)
        asyncio.get_running_loop().call_later(self._limits.close_s, self._ws.disconnect, False)


PICOWS = Implementation("picows", PicowsWebSocket, (WSError,))
