"""LiveSockets: websockets of a live actor, by picows: from the socket to the actor without a task between."""

import asyncio
import ssl
from collections.abc import Callable
from typing import Any, ClassVar

from picows import WSCloseCode, WSError, WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

from actors.net import Link

MESSAGE_MAX_BYTES = 16 * 1024 * 1024
BACKLOG_MAX_BYTES = 4 * 1024 * 1024  # what we have sent and the other side does not take: then it is given up
OPEN_S = 10.0
CLOSE_S = 1.0
CUT = 1006  # no close frame came
FAILED = (WSError, TimeoutError, OSError, ValueError)
DATA = (WSMsgType.TEXT, WSMsgType.BINARY, WSMsgType.CONTINUATION)


def _number(code: WSCloseCode) -> int:
    return int(code)  # type: ignore[call-overload]  # an IntEnum, whatever its stub says


class LiveSocket(WSListener):  # type: ignore[misc]
    """One connection, from its opening to the one `ws_closed`. It is picows that calls, from the loop."""

    def __init__(self, link: Link, event: Callable[..., None], ended: Callable[[Link], None]) -> None:
        self._link = link
        self._event = event
        self._ended = ended
        self._parts: list[bytes] = []  # of a message in several frames
        self._parts_bytes = 0
        self._reason = ""  # why we hung up, if we did
        self._ws: WSTransport | None = None

    def on_ws_connected(self, transport: WSTransport) -> None:
        self._ws = transport
        self._link.is_open = True
        self._tell(self._link.listener.ws_opened)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        kind = frame.msg_type
        if transport.is_close_frame_sent and not self._reason:  # by picows: over max_frame_size, or no frame at all
            self._reason = f"no frame that we take: over {MESSAGE_MAX_BYTES} bytes, or against the protocol"
            transport.disconnect(False)
        if self._reason or kind not in DATA:
            if kind == WSMsgType.CLOSE:
                self._closed_by_server(transport, frame)
            return
        data = frame.get_payload_as_bytes()
        if self._parts or not frame.fin:
            whole = self._joined(data, frame.fin)
            if whole is None:
                return
            data = whole
        self._tell(self._link.listener.ws_frame, data)

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        handshake = transport.close_handshake
        got = handshake.recv if handshake is not None else None
        self.gone(self._reason or f"closed by the server ({_number(got.code) if got is not None else CUT})")

    def gone(self, reason: str) -> None:
        """Nothing more comes."""
        link = self._link
        if link.is_closed:
            return
        link.is_open, link.is_closed = False, True
        self._ended(link)
        self._tell(link.listener.ws_closed, reason)

    def send(self, data: str | bytes) -> None:
        ws = self._ws
        if ws is None or self._reason or ws.is_disconnected:
            return  # ws_closed follows
        if isinstance(data, str):
            ws.send(WSMsgType.TEXT, data.encode())
        else:
            ws.send(WSMsgType.BINARY, data)
        if ws.underlying_transport.get_write_buffer_size() > BACKLOG_MAX_BYTES:
            self._hang_up(f"the other side does not read: over {BACKLOG_MAX_BYTES} bytes are waiting", None)

    def close(self) -> None:
        self._hang_up("closed by us", WSCloseCode.OK)

    def _closed_by_server(self, transport: WSTransport, frame: WSFrame) -> None:
        if not self._reason:
            self._reason = f"closed by the server ({_number(frame.get_close_code())})"
            transport.send_close(frame.get_close_code())
        transport.disconnect()

    def _hang_up(self, reason: str, code: WSCloseCode | None) -> None:
        """Say so, wait a moment for the answer, then cut."""
        if self._ws is None or self._reason:
            return
        self._reason = reason
        if code is None:
            self._ws.disconnect(False)
        else:
            self._ws.send_close(code)
            asyncio.get_running_loop().call_later(CLOSE_S, self._ws.disconnect, False)

    def _joined(self, data: bytes, is_last: bool) -> bytes | None:
        """The whole message once its last frame is here."""
        self._parts.append(data)
        self._parts_bytes += len(data)
        if self._parts_bytes > MESSAGE_MAX_BYTES:
            self._hang_up(f"a message of over {MESSAGE_MAX_BYTES} bytes", WSCloseCode.MESSAGE_TOO_BIG)
        if not is_last or self._reason:
            return None
        whole = b"".join(self._parts)
        self._parts, self._parts_bytes = [], 0
        return whole

    def _tell(self, call: Callable[..., None], *args: Any) -> None:
        try:
            self._event(call, self._link, *args)
        except BaseException as error:
            # A handler raised: a bug. picows would log it and hang up; the driver ends the process.
            context = {"message": "a websocket handler raised", "exception": error}
            asyncio.get_running_loop().call_exception_handler(context)
            raise


class LiveSockets:
    """All of one actor's websockets. `event(call, *args)` is how news reaches the actor."""

    _tls: ClassVar[ssl.SSLContext | None] = None  # loading the certificates takes some 20 ms

    def __init__(self, event: Callable[..., None], resolve: Callable[[str, str], str]) -> None:
        self._event = event
        self._resolve = resolve
        self._sockets: dict[int, LiveSocket] = {}
        self._opening: dict[int, asyncio.Task[None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()  # one for each connection, opening or open

    def connect(self, link: Link) -> None:
        """Open it; the listener hears the rest."""
        socket = self._sockets[link.link_id] = LiveSocket(link, self._event, self._ended)
        task = asyncio.get_running_loop().create_task(self._open(link, socket))
        self._opening[link.link_id] = task
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def send(self, link: Link, data: str | bytes) -> None:
        socket = self._sockets.get(link.link_id)
        if socket is not None:
            socket.send(data)

    def shut(self, link: Link) -> None:
        """Close it, or stop opening it."""
        opening, socket = self._opening.get(link.link_id), self._sockets.get(link.link_id)
        if opening is not None and not link.is_open:
            opening.cancel()
        elif socket is not None:
            socket.close()

    async def _open(self, link: Link, socket: LiveSocket) -> None:
        reason = ""
        try:
            url = self._resolve(link.url, "ws")
            async with asyncio.timeout(OPEN_S):
                transport, _ = await ws_connect(
                    lambda: socket, url, ssl_context=self._context(url), max_frame_size=MESSAGE_MAX_BYTES,
                    websocket_handshake_timeout=OPEN_S, max_redirects=0, proxy=None,
                )  # fmt: skip
            self._opening.pop(link.link_id, None)
            ending = asyncio.ensure_future(transport.wait_disconnected())
            await asyncio.wait([ending])
            ending.exception()  # looked at: else the loop would call what the other side did wrong a bug of ours
        except FAILED as error:
            reason = f"{type(error).__name__}: {error}"[:300]
        except asyncio.CancelledError:
            reason = "closed by us"
        finally:
            self._opening.pop(link.link_id, None)
        if reason and not link.is_closed:
            socket.gone(reason)

    def _context(self, url: str) -> ssl.SSLContext | None:
        if not url.startswith("wss:"):
            return None
        if LiveSockets._tls is None:
            LiveSockets._tls = ssl.create_default_context()
        return LiveSockets._tls

    def _ended(self, link: Link) -> None:
        self._sockets.pop(link.link_id, None)

    async def close(self) -> None:
        """Hang up on all."""
        for opening in list(self._opening.values()):
            opening.cancel()
        for socket in list(self._sockets.values()):
            socket.close()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=CLOSE_S)
