"""HTTP of a live actor against raw servers: a failure is "not sent" only where no byte of the request can have arrived.

It decides whether an order counts as not placed (`sent` is False) or as in doubt (`sent` is True).
"""

import asyncio
import contextlib
import os
import socket
import ssl
import struct
import time

import pytest
import uvloop

from actors.live.http import CONNECTIONS_MAX, HttpClient
from actors.net import HttpAnswer, HttpFailure, HttpRequest

LOOPS = {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}
PATIENCE_S = 10
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
# Methods of orders: place, cancel, replace. aiohttp itself repeats all but POST on a connection that was kept alive.
METHODS = ["POST", "DELETE", "PUT", "GET"]


class Server:
    """A raw TCP server. `behave` is called for each connection: (connection's number from 1, reader, writer)."""

    def __init__(self, behave, tls=None):
        self._behave, self._tls = behave, tls
        self.connections = 0
        self.requests = []  # the heads that were read whole
        self._tasks = set()

    async def __aenter__(self):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_):
        self._server.close()
        for task in self._tasks:
            task.cancel()

    def stop_listening(self):
        self._server.close()

    @property
    def url(self):
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}/order"

    async def read(self, reader):
        head = await reader.readuntil(b"\r\n\r\n")
        for line in head.split(b"\r\n"):
            if line.lower().startswith(b"content-length:"):
                await reader.readexactly(int(line.split(b":")[1]))
        self.requests.append(head.split(b" ")[0].decode())

    async def _serve(self, reader, writer):
        task = asyncio.current_task()
        self._tasks.add(task)
        self.connections += 1
        try:
            await self._behave(self, reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self._tasks.discard(task)
            writer.close()


def reset(writer):
    """Close with RST, whatever is unread or unsent."""
    raw = writer.get_extra_info("socket")
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


class Client:
    """Requests on one event loop. `outcome(...)` sends one and waits for what the actor is given."""

    def __init__(self, loop):
        self.loop = loop

    def run(self, story):
        async def play():
            self.resolve = lambda url, _: url
            self.http = HttpClient(lambda then, outcome: then(outcome), self._resolve)
            try:
                async with asyncio.timeout(PATIENCE_S):
                    return await story()
            finally:
                await self.http.cancel()
                await self.http.close()

        with asyncio.Runner(loop_factory=LOOPS[self.loop]) as runner:
            return runner.run(play())

    @staticmethod
    def no_address(_url, _scheme):
        raise ValueError("the service venue has written no address")

    def _resolve(self, url, scheme):
        return self.resolve(url, scheme)

    async def outcome(self, url, method="POST", body=b"", timeout_ms=5_000, headers=None, resolve=None):
        self.resolve = resolve or self.resolve
        found = asyncio.get_running_loop().create_future()
        self.http.send(HttpRequest(method, url, headers or {}, body, timeout_ms), found.set_result)
        return await found

    def against(self, behave, method="POST", **request):
        """(outcome, server) of one request to a server that behaves so."""

        async def story():
            async with Server(behave) as server:
                return await self.outcome(server.url, method, **request), server

        return self.run(story)


@pytest.fixture(params=LOOPS)
def client(request):
    return Client(request.param)


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def assert_not_sent(outcome):
    assert type(outcome) is HttpFailure
    assert outcome.sent is False, outcome.text


def assert_in_doubt(outcome):
    assert type(outcome) is HttpFailure
    assert outcome.sent is True, outcome.text


# -- a local service that is starting ---------------------------------------------------------------


def test_a_request_waits_for_the_address_of_a_local_service(client):
    async def story():
        async with Server(answer) as server:
            addresses = []

            client.resolve = lambda *of: addresses[0] if addresses else client.no_address(*of)
            asyncio.get_running_loop().call_later(0.15, addresses.append, server.url)
            return await client.outcome("local://venue/order")

    assert client.run(story).status == 200


def test_a_local_service_without_an_address_until_the_timeout_is_not_sent(client):
    async def story():
        client.resolve = client.no_address
        return await client.outcome("local://venue/order", timeout_ms=120)

    assert_not_sent(client.run(story))


# -- before there is a connection: not sent -----------------------------------------------------------


@pytest.mark.parametrize("method", METHODS)
def test_a_refused_connection_is_not_sent(client, method):
    assert_not_sent(client.run(lambda: client.outcome(f"http://127.0.0.1:{free_port()}/", method)))


def test_a_name_that_does_not_resolve_is_not_sent(client):
    assert_not_sent(client.run(lambda: client.outcome("http://no.such.host.invalid/")))


@pytest.mark.parametrize("url", ["nonsense", "http://", "http://127.0.0.1:99999/", "ftp://127.0.0.1/"])
def test_a_url_without_a_server_is_not_sent(client, url):
    assert_not_sent(client.run(lambda: client.outcome(url)))


def test_a_header_that_cannot_be_written_is_never_sent(client):
    """With or without a connection at hand: the failure may be in doubt, but no byte arrives."""

    async def story():
        async with Server(answer) as server:
            outcome = await client.outcome(server.url, headers={"X-Bad": "one\r\nX-More: two"})
            assert type(outcome) is HttpFailure
            await asyncio.sleep(0.05)
            assert server.requests == []

    client.run(story)


def test_a_timeout_before_the_connection_is_there_is_not_sent(client):
    """A listener with a full backlog: the handshake of TCP itself is not answered."""

    async def story():
        with socket.socket() as full, contextlib.ExitStack() as held:
            full.bind(("127.0.0.1", 0))
            full.listen(0)
            for _ in range(4):
                one = held.enter_context(socket.socket())
                one.setblocking(False)
                with contextlib.suppress(BlockingIOError):
                    one.connect(full.getsockname())
            return await client.outcome(f"http://127.0.0.1:{full.getsockname()[1]}/", timeout_ms=300)

    assert_not_sent(client.run(story))


def test_a_timeout_in_the_queue_for_a_connection_is_not_sent(client):
    async def story():
        async with Server(hang) as server:
            waiting = [asyncio.ensure_future(client.outcome(server.url)) for _ in range(CONNECTIONS_MAX)]
            while len(server.requests) < CONNECTIONS_MAX:
                await asyncio.sleep(0.01)
            assert_not_sent(await client.outcome(server.url, timeout_ms=100))
            assert len(server.requests) == CONNECTIONS_MAX
            for one in waiting:
                one.cancel()

    client.run(story)


@pytest.mark.process
def test_a_failed_tls_handshake_is_not_sent(client, certificate):
    async def garble(_server, _reader, writer):
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()

    async def drop(_server, reader, _writer):
        await reader.read(100)  # the ClientHello

    async def cut(_server, reader, writer):
        await reader.read(100)
        reset(writer)

    async def story():
        for behave in (garble, drop, cut):
            async with Server(behave) as server:
                assert_not_sent(await client.outcome(f"https://127.0.0.1:{server.port}/"))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        async with Server(answer, tls=context) as server:
            outcome = await client.outcome(server.url)  # a certificate without a known issuer
            assert_not_sent(outcome)
            assert "CERTIFICATE" in outcome.text.upper()
            assert server.requests == []

    client.run(story)


def test_a_tls_handshake_that_hangs_until_the_timeout_is_not_sent(client):
    async def mute(_server, _reader, _writer):
        await asyncio.sleep(PATIENCE_S)

    async def story():
        async with Server(mute) as server:
            return await client.outcome(f"https://127.0.0.1:{server.port}/", timeout_ms=300)

    assert_not_sent(client.run(story))


# -- with a connection: in doubt ----------------------------------------------------------------------


async def answer(server, reader, writer):
    while True:
        await server.read(reader)
        writer.write(OK)
        await writer.drain()


async def hang(server, reader, _writer):
    await server.read(reader)
    await asyncio.sleep(PATIENCE_S)


async def close_before_reading(_server, _reader, _writer):
    pass


async def reset_before_reading(_server, _reader, writer):
    reset(writer)


async def close_in_the_middle_of_the_request(_server, reader, _writer):
    await reader.readexactly(20)


async def reset_in_the_middle_of_the_request(_server, reader, writer):
    await reader.readexactly(20)
    reset(writer)


async def close_after_the_request(server, reader, _writer):
    await server.read(reader)


async def reset_after_the_request(server, reader, writer):
    await server.read(reader)
    reset(writer)


async def close_in_the_status_line(server, reader, writer):
    await server.read(reader)
    writer.write(b"HTTP/1.1 20")
    await writer.drain()


async def close_in_the_headers(server, reader, writer):
    await server.read(reader)
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Le")
    await writer.drain()


async def close_in_the_body(server, reader, writer):
    await server.read(reader)
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
    await writer.drain()


async def close_in_a_chunk(server, reader, writer):
    await server.read(reader)
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhalf")
    await writer.drain()


async def answer_with_something_else(server, reader, writer):
    await server.read(reader)
    writer.write(b"SSH-2.0-OpenSSH_9.6\r\n\r\n")
    await writer.drain()


async def answer_with_a_body_that_is_not_gzip(server, reader, writer):
    await server.read(reader)
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\nplain")
    await writer.drain()


DEATHS = [
    close_before_reading,
    reset_before_reading,
    close_in_the_middle_of_the_request,
    reset_in_the_middle_of_the_request,
    close_after_the_request,
    reset_after_the_request,
    close_in_the_status_line,
    close_in_the_headers,
    close_in_the_body,
    close_in_a_chunk,
    answer_with_something_else,
    answer_with_a_body_that_is_not_gzip,
]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("death", DEATHS, ids=lambda death: death.__name__)
def test_a_connection_that_breaks_leaves_the_request_in_doubt(client, death, method):
    outcome, _ = client.against(death, method, body=b"x" * 500 if method == "POST" else b"")
    assert_in_doubt(outcome)


@pytest.mark.parametrize("method", METHODS)
def test_a_timeout_with_a_connection_leaves_the_request_in_doubt(client, method):
    outcome, server = client.against(hang, method, timeout_ms=200)
    assert_in_doubt(outcome)
    assert server.requests == [method]


def test_a_timeout_while_the_request_is_written_leaves_it_in_doubt(client):
    async def read_nothing(_server, _reader, writer):
        writer.transport.pause_reading()
        await asyncio.sleep(PATIENCE_S)

    outcome, _ = client.against(read_nothing, body=b"x" * 20_000_000, timeout_ms=300)
    assert_in_doubt(outcome)


# -- a connection that was kept alive -----------------------------------------------------------------


def once_then(end):
    """A server that answers one request, then ends the connection by `end` at the next."""

    async def behave(server, reader, writer):
        await server.read(reader)
        writer.write(OK)
        await writer.drain()
        await end(server, reader, writer)

    return behave


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("death", DEATHS[2:8], ids=lambda death: death.__name__)
def test_a_kept_connection_that_breaks_leaves_the_next_request_in_doubt(client, death, method):
    """Also where aiohttp repeats it (all but POST), and the server has stopped listening meanwhile."""

    async def story():
        async def end(server, reader, writer):
            server.stop_listening()
            await death(server, reader, writer)

        async with Server(once_then(end)) as server:
            assert type(await client.outcome(server.url)) is HttpAnswer
            assert_in_doubt(await client.outcome(server.url, method))
            assert server.connections == 1

    client.run(story)


@pytest.mark.parametrize("method", METHODS)
def test_a_kept_connection_that_the_server_closes_as_the_request_is_written_leaves_it_in_doubt(client, method):
    """The classic race: the server has closed; our event loop has not read that yet, and writes the next request."""

    async def story():
        writers = []

        async def end(_server, _reader, writer):
            writers.append(writer)
            await asyncio.sleep(PATIENCE_S)

        def close_now(url, _):
            """Called in the same turn of the event loop that takes the connection and writes."""
            if writers:
                server.stop_listening()
                with socket.socket(fileno=os.dup(writers[0].get_extra_info("socket").fileno())) as raw:
                    raw.shutdown(socket.SHUT_RDWR)
            return url

        async with Server(once_then(end)) as server:
            assert type(await client.outcome(server.url, resolve=close_now)) is HttpAnswer
            while not writers:
                await asyncio.sleep(0.01)
            assert_in_doubt(await client.outcome(server.url, method, resolve=close_now))
            assert server.connections == 1

    client.run(story)


def test_a_kept_connection_that_the_server_had_closed_before_is_not_used(client):
    """Once the close was read, a new connection is made; where that is refused, nothing was sent."""

    async def story():
        async with Server(once_then(close_before_reading)) as server:
            assert type(await client.outcome(server.url)) is HttpAnswer
            await asyncio.sleep(0.05)
            assert type(await client.outcome(server.url)) is HttpAnswer
            await asyncio.sleep(0.05)
            assert server.connections == 2
            server.stop_listening()
            assert_not_sent(await client.outcome(server.url))

    client.run(story)


def test_a_request_that_is_repeated_on_a_new_connection_has_one_answer(client):
    async def story():
        async def first_breaks(server, reader, writer):
            if server.connections == 1:
                await once_then(close_after_the_request)(server, reader, writer)
            else:
                await answer(server, reader, writer)

        async with Server(first_breaks) as server:
            assert type(await client.outcome(server.url)) is HttpAnswer
            outcome = await client.outcome(server.url, "DELETE")
            assert (type(outcome), outcome.body) == (HttpAnswer, b"ok")
            assert server.requests == ["POST", "DELETE", "DELETE"]
            assert server.connections == 2

    client.run(story)


# -- answers ------------------------------------------------------------------------------------------


def test_an_answer_is_whole_with_lower_case_headers(client):
    outcome, server = client.against(answer, body=b"symbol=BTCUSDT")
    assert (outcome.status, outcome.body, outcome.headers["content-length"]) == (200, b"ok", "2")
    assert server.requests == ["POST"]


@pytest.mark.parametrize("status", [301, 400, 418, 429, 500, 503])
def test_any_status_is_an_answer_and_redirects_are_not_followed(client, status):
    async def refuse(server, reader, writer):
        await server.read(reader)
        writer.write(b"HTTP/1.1 %d X\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n" % status)
        await writer.drain()

    outcome, server = client.against(refuse)
    assert outcome.status == status
    assert server.requests == ["POST"]


def test_a_url_is_sent_byte_for_byte():
    """Signatures are over the encoded query."""
    heads = []

    async def keep(_server, reader, writer):
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(OK)
        await writer.drain()

    async def story():
        async with Server(keep) as server:
            await client.outcome(server.url + "?b=%7E%2f&a=1+2&signature=%41")

    client = Client("uvloop")
    client.run(story)
    assert heads[0].startswith(b"POST /order?b=%7E%2f&a=1+2&signature=%41 HTTP/1.1\r\n")


def test_a_cancelled_request_has_no_callback(client):
    async def story():
        called = []
        async with Server(hang) as server:
            client.http.send(HttpRequest("POST", server.url), called.append)
            while not server.requests:
                await asyncio.sleep(0.01)
            begun = time.monotonic()
            await client.http.cancel()
            assert time.monotonic() - begun < 1
        assert called == []

    client.run(story)


def test_a_callback_that_raises_is_a_bug_and_reaches_the_driver(client):
    async def story():
        bugs = []

        def then(_):
            raise LookupError("a bug")

        def driver(call, *args):
            if call is then:
                call(*args)
            bugs.append(args[0])

        http = HttpClient(driver, lambda url, _: url)
        async with Server(answer) as server:
            http.send(HttpRequest("POST", server.url), then)
            while not bugs:
                await asyncio.sleep(0.01)
        await http.close()
        assert [type(bug) for bug in bugs] == [LookupError]

    client.run(story)
