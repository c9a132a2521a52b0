"""The venue's HTTP server: HTTP as clients really send it, byte by byte, and the requests handed to aiohttp."""

import base64
import json
import os
import socket
from urllib.parse import urlsplit

import pytest

pytestmark = pytest.mark.process

PING = b"GET /api/v3/ping HTTP/1.1\r\nHost: x\r\n\r\n"
TIME = b"GET /api/v3/time HTTP/1.1\r\nHost: x\r\n\r\n"


class Wire:
    """A raw connection."""

    def __init__(self, venue):
        url = urlsplit(venue.http)
        self.socket = socket.create_connection((url.hostname, url.port), 5)
        self.data = b""

    def send(self, data):
        self.socket.sendall(data)
        return self

    def answer(self):
        """(status, headers, body) of the next answer."""
        while b"\r\n\r\n" not in self.data:
            self._more()
        head, _, self.data = self.data.partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        length = int(headers.get("content-length", 0))
        while len(self.data) < length:
            self._more()
        body, self.data = self.data[:length], self.data[length:]
        return int(first.split()[1]), headers, body

    def is_at_end(self):
        return not self.data and self.socket.recv(1) == b""

    def _more(self):
        piece = self.socket.recv(65536)
        assert piece, f"the venue hung up after {self.data!r}"
        self.data += piece


@pytest.mark.process
def test_requests_sent_at_once_are_answered_in_their_order(shared_venue):
    wire = Wire(shared_venue).send(PING + TIME + PING)
    bodies = [wire.answer()[2] for _ in range(3)]
    assert bodies[0] == bodies[2] == b"{}"
    assert "serverTime" in json.loads(bodies[1])


def test_a_request_that_comes_byte_by_byte_is_answered_once(shared_venue):
    wire = Wire(shared_venue)
    for at in range(len(PING)):
        wire.send(PING[at : at + 1])
    status, headers, body = wire.answer()
    assert (status, body) == (200, b"{}")
    assert headers["date"].endswith("GMT")
    assert wire.send(TIME).answer()[0] == 200


def test_a_body_may_come_in_chunks(shared_venue):
    head = b"POST /control/deposit HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    body = b'{"account":"maker","asset":"XYZ","amount":"1.5"}'
    parts = [b"%x\r\n%s\r\n" % (len(part), part) for part in (body[:7], body[7:])]
    status, _, answer = Wire(shared_venue).send(head + parts[0]).send(parts[1] + b"0\r\n\r\n").answer()
    assert (status, json.loads(answer)) == (200, {"free": "1.50000000"})


@pytest.mark.parametrize("requested", [PING.replace(b"Host: x", b"Connection: close"), PING.replace(b"1.1", b"1.0")])
def test_a_connection_is_closed_on_request(shared_venue, requested):
    wire = Wire(shared_venue).send(requested)
    assert wire.answer()[0] == 200
    assert wire.is_at_end()


@pytest.mark.parametrize("before", [b"", PING])
def test_a_connection_may_become_a_websocket_also_after_other_requests(shared_venue, before):
    wire = Wire(shared_venue)
    if before:
        assert wire.send(before).answer()[0] == 200
    key = base64.b64encode(os.urandom(16)).decode()
    upgrade = f"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}"
    requested = f"GET /ws/btcusdt@depth@100ms HTTP/1.1\r\nHost: x\r\n{upgrade}\r\n\r\n".encode()
    status, headers, _ = wire.send(requested[:50]).send(requested[50:]).answer()
    assert (status, headers["upgrade"]) == (101, "websocket")
    while b"depthUpdate" not in wire.data:
        wire._more()


def test_invalid_http_is_rejected(shared_venue):
    wire = Wire(shared_venue).send(b"\x16\x03\x01 nonsense\r\n\r\n")
    assert wire.answer()[0] == 400


def test_what_came_before_nonsense_is_answered(shared_venue):
    wire = Wire(shared_venue).send(PING + b"nonsense\r\n\r\n")
    assert wire.answer()[0] == 200
    assert wire.is_at_end()


def test_a_body_that_is_too_long_is_refused(shared_venue):
    wire = Wire(shared_venue).send(b"POST /api/v3/order HTTP/1.1\r\nHost: x\r\nContent-Length: 3000000\r\n\r\n")
    wire.send(b"x" * 3_000_000)
    assert wire.answer()[0] == 413


def test_a_rare_method_has_its_answer(shared_venue):
    assert Wire(shared_venue).send(b"OPTIONS /api/v3/ping HTTP/1.1\r\nHost: x\r\n\r\n").answer()[0] == 405
    assert Wire(shared_venue).send(b"GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n").answer()[0] == 404


def test_a_delayed_answer_holds_back_those_after_it(shared_venue):
    late = {"method": "GET", "path": "/api/v3/time", "status": 200, "delay_ms": 300}
    shared_venue.call("POST", "/control/faults", {"error_next": late})
    wire = Wire(shared_venue).send(TIME + PING)
    assert "serverTime" in json.loads(wire.answer()[2])
    assert wire.answer()[2] == b"{}"
