"""A live actor's websockets against real servers, good and bad; every link hears exactly one ws_closed."""

import asyncio
import ssl
import struct
import subprocess
from types import SimpleNamespace

import pytest
from aiohttp import WSMsgType, web

from actors.live import websocket as live_ws
from actors.live.websocket import LiveSockets
from actors.net import Link

PATIENCE_S = 5


class Heard:
    """A listener that keeps what it is told."""

    def __init__(self):
        self.opened, self.frames, self.closed = 0, [], []
        self.news = asyncio.Event()

    def ws_opened(self, link):
        self.opened += 1
        self.news.set()

    def ws_frame(self, link, data):
        assert not self.closed
        self.frames.append(data)
        self.news.set()

    def ws_closed(self, link, reason):
        self.closed.append(reason)
        self.news.set()

    async def until(self, what):
        async with asyncio.timeout(PATIENCE_S):
            while not what(self):
                await self.news.wait()
                self.news.clear()


def connect(sockets, url):
    heard = Heard()
    effects = SimpleNamespace(ws_send=sockets.send, ws_send_now=sockets.send, ws_close=sockets.shut)
    link = Link(1, url, heard, effects)
    sockets.connect(link)
    return heard, link


def here(event=lambda call, *args: call(*args)):
    return LiveSockets(event, lambda url, _: url)


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


def played(handler, story, **options):
    """Run `story(url)` against a server that runs `handler(socket, request)` for each connection."""

    async def play():
        server = await serve(handler, **options)
        try:
            await story(server.url)
        finally:
            await asyncio.wait_for(server.close(), PATIENCE_S)

    asyncio.run(play())


async def echo(socket, _):
    async for message in socket:
        if message.type is WSMsgType.TEXT:
            await socket.send_str(message.data)
        elif message.type is WSMsgType.BINARY:
            await socket.send_bytes(message.data)


def test_what_is_sent_comes_back_as_bytes_and_in_order():
    async def story(url):
        sockets = here()
        heard, link = connect(sockets, url)
        assert not link.send("too early")
        await heard.until(lambda one: one.opened)
        assert link.send("text")
        assert link.send(b"\x00\xff")
        assert link.send("x" * 100_000)
        await heard.until(lambda one: len(one.frames) == 3)
        assert heard.frames == [b"text", b"\x00\xff", b"x" * 100_000]
        link.close()
        await heard.until(lambda one: one.closed)
        assert (heard.closed, link.is_open, link.is_closed) == (["closed by us"], False, True)
        assert not link.send("too late")
        await sockets.close()

    played(echo, story)


def test_a_close_by_the_server_tells_its_code():
    async def going(socket, _):
        await socket.close(code=1001, message=b"maintenance")

    async def story(url):
        heard, _ = connect(here(), url)
        await heard.until(lambda one: one.closed)
        assert (heard.opened, heard.closed) == (1, ["closed by the server (1001)"])

    played(going, story)


def test_a_connection_that_is_cut_says_so():
    async def cut(_, request):
        request.transport.abort()
        await asyncio.sleep(0.05)

    async def story(url):
        heard, _ = connect(here(), url)
        await heard.until(lambda one: one.closed)
        assert heard.closed == ["closed by the server (1006)"]

    played(cut, story)


def test_a_ping_is_answered_with_the_same_bytes():
    pongs = []

    async def pinging(socket, _):
        await socket.ping(b"are you there")
        pongs.append(await socket.receive())
        await socket.close()

    async def story(url):
        heard, _ = connect(here(), url)
        await heard.until(lambda one: one.closed)
        assert [(pong.type, bytes(pong.data)) for pong in pongs] == [(WSMsgType.PONG, b"are you there")]
        assert not heard.frames

    played(pinging, story)


def raw(opcode, payload, fin=True):
    first, size = opcode | (0x80 if fin else 0), len(payload)
    return (struct.pack("!BB", first, size) if size < 126 else struct.pack("!BBH", first, 126, size)) + payload


def test_a_message_in_pieces_is_one_frame_to_the_actor():
    async def pieces(socket, request):
        whole = raw(1, b"one ", fin=False) + raw(9, b"ping") + raw(0, b"and ", fin=False) + raw(0, b"two")
        request.transport.write(whole + raw(1, b"three"))
        await socket.receive()

    async def story(url):
        heard, link = connect(here(), url)
        await heard.until(lambda one: len(one.frames) == 2)
        assert heard.frames == [b"one and two", b"three"]
        link.close()
        await heard.until(lambda one: one.closed)

    played(pieces, story)


@pytest.mark.parametrize("in_pieces", [False, True])
def test_a_message_above_the_bound_ends_the_connection(monkeypatch, in_pieces):
    monkeypatch.setattr(live_ws, "MESSAGE_MAX_BYTES", 50_000)

    async def large(socket, request):
        piece = raw(1, b"x" * 40_000, fin=not in_pieces) + raw(0, b"x" * 40_000, fin=False)
        request.transport.write(piece if in_pieces else raw(1, b"y" * 60_000))
        await socket.receive()

    async def story(url):
        heard, _ = connect(here(), url)
        await heard.until(lambda one: one.closed)
        assert (heard.frames, len(heard.closed)) == ([], 1)

    played(large, story)


def test_what_the_other_side_does_not_take_is_bounded(monkeypatch):
    monkeypatch.setattr(live_ws, "BACKLOG_MAX_BYTES", 1 << 20)
    stop = asyncio.Event()

    async def deaf(_, request):
        request.transport.pause_reading()
        await asyncio.wait_for(stop.wait(), PATIENCE_S)
        request.transport.abort()

    async def story(url):
        heard, link = connect(here(), url)
        await heard.until(lambda one: one.opened)
        for _ in range(100):
            link.send(b"x" * 200_000)
        await heard.until(lambda one: one.closed)
        assert "does not read" in heard.closed[0]
        stop.set()

    played(deaf, story)


def test_a_server_that_never_answers_our_close_is_cut_off(monkeypatch):
    monkeypatch.setattr(live_ws, "CLOSE_S", 0.05)
    stop = asyncio.Event()

    async def deaf(_, request):
        request.transport.pause_reading()
        await asyncio.wait_for(stop.wait(), PATIENCE_S)
        request.transport.abort()

    async def story(url):
        heard, link = connect(here(), url)
        await heard.until(lambda one: one.opened)
        link.close()
        link.close()
        await heard.until(lambda one: one.closed)
        assert heard.closed == ["closed by us"]
        stop.set()

    played(deaf, story)


@pytest.mark.parametrize("url", ["ws://127.0.0.1:1/ws", "ws://", "nonsense", "ws://no.such.host.invalid/"])
def test_a_connection_that_does_not_come_about_is_told_once(url):
    async def story():
        heard, link = connect(here(), url)
        await heard.until(lambda one: one.closed)
        assert (heard.opened, len(heard.closed), link.is_closed) == (0, 1, True)

    asyncio.run(story())


def test_a_server_that_does_not_speak_websocket_is_refused():
    async def story():
        async def plain(_request):
            return web.Response(text="hello")

        runner = web.ServerRunner(web.Server(plain))
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        heard, _ = connect(here(), f"ws://127.0.0.1:{site._server.sockets[0].getsockname()[1]}/")
        await heard.until(lambda one: one.closed)
        assert (heard.opened, len(heard.closed)) == (0, 1)
        await runner.cleanup()

    asyncio.run(story())


def test_a_half_open_connection_can_be_given_up_before_it_opens():
    async def story():
        async def silent(_reader, writer):
            await asyncio.sleep(PATIENCE_S)
            writer.close()

        server = await asyncio.start_server(silent, "127.0.0.1", 0)
        heard, link = connect(here(), f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/")
        await asyncio.sleep(0.05)
        link.close()
        await heard.until(lambda one: one.closed)
        assert (heard.opened, heard.closed) == (0, ["closed by us"])
        server.close()

    asyncio.run(story())


def test_a_handler_that_raises_reaches_the_loops_handler_as_a_bug():
    async def story(url):
        bugs = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: bugs.append(context["exception"]))

        def event(call, *args):
            if call.__name__ == "ws_frame":
                raise ZeroDivisionError("a bug")
            call(*args)

        heard, link = connect(here(event), url)
        await heard.until(lambda one: one.opened)
        link.send("x")
        await heard.until(lambda one: one.closed)
        assert [type(bug) for bug in bugs] == [ZeroDivisionError]

    played(echo, story)


def test_tls_works_with_a_known_certificate_and_fails_with_another(tmp_path, monkeypatch):
    key, cert = tmp_path / "key.pem", tmp_path / "cert.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", cert, "-days", "2",
         "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"],
        check=True, capture_output=True,
    )  # fmt: skip
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(cert, key)

    async def story(url):
        heard, _ = connect(here(), url)
        await heard.until(lambda one: one.closed)
        assert heard.opened == 0
        assert "CERTIFICATE" in heard.closed[0].upper()
        monkeypatch.setattr(LiveSockets, "_tls", ssl.create_default_context(cafile=str(cert)))
        heard, link = connect(here(), url)
        await heard.until(lambda one: one.opened)
        link.send("secret")
        await heard.until(lambda one: one.frames)
        link.close()
        await heard.until(lambda one: one.closed)
        assert (heard.frames, heard.closed) == ([b"secret"], ["closed by us"])

    played(echo, story, ssl_context=server)


def test_closing_all_ends_every_link():
    async def story(url):
        sockets = here()
        heard, _ = connect(sockets, url)
        await heard.until(lambda one: one.opened)
        await sockets.close()
        await heard.until(lambda one: one.closed)
        assert heard.closed == ["closed by us"]

    played(echo, story)
