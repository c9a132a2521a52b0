"""A live actor's websockets against real servers, good and bad, in both implementations and on both event loops.

Every link receives exactly one ws_closed.
"""

import asyncio
import os
import ssl
import struct
import subprocess
import sys
from types import SimpleNamespace

import pytest
import uvloop
from aiohttp import WSMsgType, web

from actors.live.network import Network
from actors.live.websocket import WebSockets, choose
from actors.live.websocket_link import WebSocketLimits
from actors.live.websocket_picows import PICOWS
from actors.live.websocket_plain import PLAIN, PlainWebSocket
from actors.net import Link

PATIENCE_S = 5
LOOPS = {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}
CHOICES = [(implementation, loop) for implementation in (PICOWS, PLAIN) for loop in LOOPS]


class Received:
    """A listener that keeps what it receives."""

    def __init__(self):
        self.opened, self.frames, self.closed = 0, [], []
        self.changed = asyncio.Event()

    def ws_opened(self, link):
        self.opened += 1
        self.changed.set()

    def ws_frame(self, link, data):
        assert not self.closed
        assert type(data) is bytes
        self.frames.append(data)
        self.changed.set()

    def ws_closed(self, link, reason):
        self.closed.append(reason)
        self.changed.set()

    async def until(self, what):
        async with asyncio.timeout(PATIENCE_S):
            while not what(self):
                await self.changed.wait()
                self.changed.clear()


class LinkPort:
    """What a link does with its connection, at once."""

    def __init__(self, sockets):
        self.ws_send = self.ws_send_now = sockets.send
        self.ws_close = sockets.shut


class Client:
    """Websockets in one implementation, on one event loop."""

    def __init__(self, implementation, loop):
        self.implementation, self.loop = implementation, loop

    def run(self, story):
        with asyncio.Runner(loop_factory=LOOPS[self.loop]) as runner:
            runner.run(story)

    def play(self, handler, story, **options):
        """Run `story(url)` against a server that runs `handler(socket, request)` for each connection."""

        async def play():
            server = await serve(handler, **options)
            try:
                await story(server.url)
            finally:
                await asyncio.wait_for(server.close(), PATIENCE_S)

        self.run(play())

    def sockets(self, event=lambda call, *args: call(*args), **options):
        return WebSockets(event, lambda url, _: url, implementation=self.implementation, **options)

    def connect(self, url, sockets=None, **options):
        sockets = sockets or self.sockets(**options)
        received = Received()
        link = Link(1, url, received, LinkPort(sockets))
        sockets.connect(link)
        return received, link


@pytest.fixture(params=CHOICES, ids=[f"{implementation.name}-{loop}" for implementation, loop in CHOICES])
def client(request):
    return Client(*request.param)


async def serve(handler, **options):
    """A websocket server for one test; its url."""

    async def handle(request):
        socket = web.WebSocketResponse(compress=False, autoping=False)
        await socket.prepare(request)
        await handler(socket, request)
        return socket

    runner = web.ServerRunner(web.Server(handle))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, **options)
    await site.start()
    port = site._server.sockets[0].getsockname()[1]
    return SimpleNamespace(url=f"{'wss' if options else 'ws'}://127.0.0.1:{port}/ws", close=runner.cleanup)


async def echo(socket, _):
    async for message in socket:
        if message.type is WSMsgType.TEXT:
            await socket.send_str(message.data)
        elif message.type is WSMsgType.BINARY:
            await socket.send_bytes(message.data)


async def hung(_, request):
    """A server that reads nothing, until the client has gone."""
    request.transport.pause_reading()
    await asyncio.sleep(0.5)
    request.transport.abort()


# -- messages -----------------------------------------------------------------------------------------


def test_what_is_sent_comes_back_as_bytes_and_in_order(client):
    async def story(url):
        sockets = client.sockets()
        received, link = client.connect(url, sockets)
        assert not link.send("too early")
        await received.until(lambda one: one.opened)
        assert link.send("text")
        assert link.send(b"\x00\xff")
        assert link.send("x" * 100_000)
        await received.until(lambda one: len(one.frames) == 3)
        assert received.frames == [b"text", b"\x00\xff", b"x" * 100_000]
        link.close()
        await received.until(lambda one: one.closed)
        assert (received.closed, link.is_open, link.is_closed) == (["closed by us"], False, True)
        assert not link.send("too late")
        await sockets.close()

    client.play(echo, story)


def raw(opcode, payload, fin=True):
    first, size = opcode | (0x80 if fin else 0), len(payload)
    return (struct.pack("!BB", first, size) if size < 126 else struct.pack("!BBH", first, 126, size)) + payload


def test_a_message_in_pieces_is_one_frame_to_the_actor(client):
    async def pieces(socket, request):
        whole = raw(1, b"one ", fin=False) + raw(9, b"ping") + raw(0, b"and ", fin=False) + raw(0, b"two")
        request.transport.write(whole + raw(1, b"three"))
        await socket.receive()

    async def story(url):
        received, link = client.connect(url)
        await received.until(lambda one: len(one.frames) == 2)
        assert received.frames == [b"one and two", b"three"]
        link.close()
        await received.until(lambda one: one.closed)

    client.play(pieces, story)


@pytest.mark.parametrize("in_pieces", [False, True])
def test_a_message_above_the_limit_ends_the_connection(client, in_pieces):
    codes = []

    async def large(socket, request):
        piece = raw(1, b"x" * 40_000, fin=not in_pieces) + raw(0, b"x" * 40_000, fin=False)
        request.transport.write(piece if in_pieces else raw(1, b"y" * 60_000))
        codes.append((await socket.receive()).data)

    async def story(url):
        received, _ = client.connect(url, limits=WebSocketLimits(message_bytes=50_000))
        await received.until(lambda one: one.closed)
        assert (received.frames, len(received.closed)) == ([], 1)
        assert "50000 bytes" in received.closed[0]

    client.play(large, story)
    assert codes == [1009]  # message too big


INVALID = {
    "a continuation of nothing": raw(0, b"x"),
    "a message within another": raw(1, b"x", fin=False) + raw(1, b"y"),
    "a reserved opcode": raw(3, b"x"),
    "a ping in pieces": raw(9, b"x", fin=False),
    "a ping that is too long": raw(9, b"x" * 126),
    "a masked frame": b"\x81\x81\0\0\0\0x",
}


@pytest.mark.parametrize("what", INVALID)
def test_an_invalid_frame_ends_the_connection(client, what):
    async def invalid(socket, request):
        request.transport.write(raw(1, b"first"))
        await socket.receive()
        request.transport.write(INVALID[what])
        await socket.receive()

    async def story(url):
        received, link = client.connect(url)
        await received.until(lambda one: one.frames)
        link.send("go on")
        await received.until(lambda one: one.closed)
        assert received.frames == [b"first"]
        assert "invalid frame" in received.closed[0]

    client.play(invalid, story)


# -- pings --------------------------------------------------------------------------------------------


def test_a_ping_is_answered_with_the_same_bytes(client):
    pongs = []

    async def pinging(socket, _):
        await socket.ping(b"are you there")
        pongs.append(await socket.receive())
        await socket.close()

    async def story(url):
        received, _ = client.connect(url)
        await received.until(lambda one: one.closed)
        assert [(pong.type, bytes(pong.data)) for pong in pongs] == [(WSMsgType.PONG, b"are you there")]
        assert not received.frames

    client.play(pinging, story)


def test_a_pong_without_a_ping_is_ignored(client):
    async def ponging(socket, request):
        request.transport.write(raw(10, b"as a heartbeat") + raw(1, b"frame"))
        await socket.receive()

    async def story(url):
        received, link = client.connect(url)
        await received.until(lambda one: one.frames)
        assert (received.frames, received.closed) == ([b"frame"], [])
        link.close()
        await received.until(lambda one: one.closed)

    client.play(ponging, story)


# -- the end of a connection --------------------------------------------------------------------------


@pytest.mark.parametrize("code", [1000, 1001, 1008, 1012, 4000])
def test_a_close_by_the_server_is_reported_with_its_code_and_answered_with_it(client, code):
    answered = []

    async def closing(socket, _):
        await socket.close(code=code, message=b"maintenance")
        answered.append(socket.close_code)

    async def story(url):
        received, _ = client.connect(url)
        await received.until(lambda one: one.closed)
        assert (received.opened, received.closed) == (1, [f"closed by the server ({code})"])

    client.play(closing, story)
    assert answered == [code]


def test_a_close_by_the_server_without_a_code_is_1005(client):
    async def closing(socket, request):
        request.transport.write(raw(8, b""))
        await socket.receive()

    async def story(url):
        received, _ = client.connect(url)
        await received.until(lambda one: one.closed)
        assert received.closed == ["closed by the server (1005)"]

    client.play(closing, story)


def test_a_connection_that_ends_without_a_close_frame_is_1006(client):
    async def cut(_, request):
        request.transport.abort()
        await asyncio.sleep(0.05)

    async def story(url):
        received, _ = client.connect(url)
        await received.until(lambda one: one.closed)
        assert received.closed == ["closed by the server (1006)"]

    client.play(cut, story)


def test_our_close_is_a_close_frame_with_code_1000(client):
    codes = []

    async def reading(socket, _):
        message = await socket.receive()
        codes.append((message.type, message.data))

    async def story(url):
        received, link = client.connect(url)
        await received.until(lambda one: one.opened)
        link.close()
        await received.until(lambda one: one.closed)
        assert received.closed == ["closed by us"]

    client.play(reading, story)
    assert codes == [(WSMsgType.CLOSE, 1000)]


def test_frames_that_arrive_after_our_close_are_dropped(client):
    async def late(socket, request):
        await socket.receive()
        request.transport.write(raw(1, b"late"))

    async def story(url):
        received, link = client.connect(url)
        await received.until(lambda one: one.opened)
        link.close()
        assert not link.send("late too") or link.is_open
        await received.until(lambda one: one.closed)
        assert (received.frames, received.closed) == ([], ["closed by us"])

    client.play(late, story)


def test_what_the_other_side_does_not_read_is_bounded(client):
    async def story(url):
        received, link = client.connect(url, limits=WebSocketLimits(backlog_bytes=1 << 20))
        await received.until(lambda one: one.opened)
        for _ in range(100):
            link.send(b"x" * 200_000)
        await received.until(lambda one: one.closed)
        assert received.closed == ["the other side does not read: over 1048576 bytes are waiting"]

    client.play(hung, story)


def test_a_server_that_never_answers_our_close_is_disconnected(client):
    async def story(url):
        received, link = client.connect(url, limits=WebSocketLimits(close_s=0.05))
        await received.until(lambda one: one.opened)
        link.close()
        link.close()
        await received.until(lambda one: one.closed)
        assert received.closed == ["closed by us"]

    client.play(hung, story)


def test_closing_all_ends_every_link(client):
    async def story(url):
        sockets = client.sockets()
        received, _ = client.connect(url, sockets)
        await received.until(lambda one: one.opened)
        await sockets.close()
        await received.until(lambda one: one.closed)
        assert received.closed == ["closed by us"]

    client.play(echo, story)


# -- connections that are not established -------------------------------------------------------------


@pytest.mark.parametrize("url", ["ws://127.0.0.1:1/ws", "ws://", "nonsense", "ws://no.such.host.invalid/"])
def test_a_connection_that_cannot_be_opened_is_reported_once(client, url):
    async def story():
        received, link = client.connect(url)
        await received.until(lambda one: one.closed)
        assert (received.opened, len(received.closed), link.is_closed) == (0, 1, True)

    client.run(story())


REFUSALS = {
    "a page": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    "too many requests": b"HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n\r\n",
    "a redirect": b"HTTP/1.1 302 Found\r\nLocation: ws://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
    "a wrong key": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Accept: bm90IHRoZSByaWdodCBrZXk=\r\n\r\n",
    "another protocol": b"SSH-2.0-OpenSSH_9.6\r\n",
    "nothing": b"",
}


@pytest.mark.parametrize("what", REFUSALS)
def test_a_refused_handshake_is_reported_once(client, what):
    async def refuse(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(REFUSALS[what])
        await writer.drain()
        writer.close()

    async def story():
        server = await asyncio.start_server(refuse, "127.0.0.1", 0)
        received, _ = client.connect(f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/")
        await received.until(lambda one: one.closed)
        assert (received.opened, len(received.closed)) == (0, 1)
        server.close()

    client.run(story())


async def silent(_reader, writer):
    await asyncio.sleep(PATIENCE_S)
    writer.close()


def test_a_connection_can_be_closed_before_it_is_open(client):
    async def story():
        server = await asyncio.start_server(silent, "127.0.0.1", 0)
        received, link = client.connect(f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/")
        await asyncio.sleep(0.05)
        link.close()
        await received.until(lambda one: one.closed)
        assert (received.opened, received.closed) == (0, ["closed by us"])
        server.close()

    client.run(story())


@pytest.mark.parametrize("loop", LOOPS)
def test_a_close_in_the_same_round_of_the_loop_as_the_handshakes_answer(loop, monkeypatch):
    """A connect timeout may run just before the answer is read: the link is closed, and the loop sees no exception."""
    client, failures = Client(PLAIN, loop), []
    original = PlainWebSocket.data_received

    async def story(url):
        asyncio.get_running_loop().set_exception_handler(lambda _, context: failures.append(context))

        def close_first(self, data):
            link.close()
            original(self, data)

        monkeypatch.setattr(PlainWebSocket, "data_received", close_first)
        received, link = client.connect(url)
        await received.until(lambda one: one.closed)
        await asyncio.sleep(0.05)
        assert (received.opened, received.closed) == (0, ["closed by us"])

    client.play(echo, story)
    assert not failures


def test_a_handshake_that_takes_too_long_is_given_up(client):
    async def story():
        server = await asyncio.start_server(silent, "127.0.0.1", 0)
        url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        received, _ = client.connect(url, limits=WebSocketLimits(open_s=0.05))
        await received.until(lambda one: one.closed)
        assert (received.opened, len(received.closed)) == (0, 1)
        server.close()

    client.run(story())


@pytest.mark.process
def test_tls_works_with_a_known_certificate_and_fails_with_another(client, certificate):
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(*certificate)

    async def story(url):
        received, _ = client.connect(url)
        await received.until(lambda one: one.closed)
        assert received.opened == 0
        assert "CERTIFICATE" in received.closed[0].upper()
        received, link = client.connect(url, tls=lambda: ssl.create_default_context(cafile=certificate[0]))
        await received.until(lambda one: one.opened)
        link.send("secret")
        await received.until(lambda one: one.frames)
        link.close()
        await received.until(lambda one: one.closed)
        assert (received.frames, received.closed) == ([b"secret"], ["closed by us"])

    client.play(echo, story, ssl_context=server)


# -- bugs, and the choice -----------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["ws_opened", "ws_frame", "ws_closed"])
def test_a_handler_that_raises_reaches_the_loops_exception_handler_as_a_bug(client, where):
    async def story(url):
        bugs = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: bugs.append(context["exception"]))

        def event(call, *args):
            call(*args)
            if call.__name__ == where:
                raise ConnectionError("a bug that looks like a network's error")

        received, link = client.connect(url, event=event)
        await received.until(lambda one: one.opened)
        link.send("x")
        if where == "ws_closed":
            link.close()
        await received.until(lambda one: one.closed)
        assert "a bug that looks like a network's error" in [str(bug) for bug in bugs]

    client.play(echo, story)


def test_picows_is_used_unless_the_environment_forbids_it(monkeypatch):
    monkeypatch.delenv("TICKBUS_PLAIN", raising=False)
    assert choose() is PICOWS
    monkeypatch.setenv("TICKBUS_PLAIN", "1")
    assert choose() is PLAIN


@pytest.mark.process
def test_websockets_is_used_where_picows_is_not_installed():
    code = (
        "import sys; sys.modules['picows'] = None\n"
        "from actors.live.websocket import choose; print(choose().name, 'picows.picows' in sys.modules)"
    )
    environment = {name: value for name, value in os.environ.items() if name != "TICKBUS_PLAIN"}
    found = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert found.stdout.split() == ["websockets", "False"]


def test_the_log_names_the_implementation_at_the_start(tmp_path, monkeypatch):
    lines = []
    log = SimpleNamespace(info=lambda event, **fields: lines.append((event, fields)))

    async def story():
        await Network(lambda call, *args: call(*args), tmp_path, log).close()

    for plain, name in (("", "picows"), ("1", "websockets")):
        monkeypatch.setenv("TICKBUS_PLAIN", plain)
        asyncio.run(story())
        assert lines.pop() == ("network libraries chosen", {"http": "aiohttp", "websockets": name})
