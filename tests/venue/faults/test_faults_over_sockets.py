"""Faults that only real sockets show: what a client observes of a venue process with faults."""

import asyncio
import contextlib
import socket
import subprocess
import sys
import time
import urllib.error

import aiohttp
import pytest

pytestmark = pytest.mark.process


def add(one, **fault):
    return one.call("POST", "/control/faults", {"add": [fault]})["active"][-1]["number"]


def raw(one, path):
    """All bytes of an answer, until the connection ends."""
    host, _, port = one.http.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        read = b""
        while part := connection.recv(65536):
            read += part
        return read


def test_a_truncated_body_ends_before_what_was_announced(venue):
    one = venue()
    add(one, name="truncated_body", endpoint="/api/v3/exchangeInfo", accepted=True)
    head, _, body = raw(one, "/api/v3/exchangeInfo").partition(b"\r\n\r\n")
    announced = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
    assert head.startswith(b"HTTP/1.1 200")
    assert len(body) < announced


def test_a_timeout_hangs_and_then_ends_without_a_byte(venue):
    one = venue()
    add(one, name="timeout", endpoint="/api/v3/time", hold={"kind": "fixed", "ms": 300}, accepted=True)
    with contextlib.suppress(ConnectionResetError):
        assert raw(one, "/api/v3/time") == b""


async def messages(ws, seconds):
    """The types of all that comes within a while."""
    found = []
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while not ws.closed:
                found.append((await ws.receive()).type)
    return found


def test_a_half_open_websocket_neither_sends_nor_answers_until_it_is_reset(venue):
    one = venue()

    async def watch():
        async with aiohttp.ClientSession() as session:
            stream = f"{one.ws}/ws/btcusdt@depth@100ms"
            ws = await session.ws_connect(stream, autoping=False)
            assert aiohttp.WSMsgType.TEXT in await messages(ws, 1.0)
            await asyncio.to_thread(add, one, name="half_open", for_s=2.5)
            await messages(ws, 0.5)
            await ws.ping(b"there?")
            frozen = await messages(ws, 1.0)
            other = await session.ws_connect(stream)
            fresh = await messages(other, 1.0)
            end = await messages(ws, 5.0)
            return frozen, fresh, end, ws.close_code

    frozen, fresh, end, code = asyncio.run(watch())
    assert frozen == []
    assert aiohttp.WSMsgType.TEXT in fresh
    assert end in ([aiohttp.WSMsgType.CLOSED], [aiohttp.WSMsgType.ERROR], [aiohttp.WSMsgType.CLOSED] * 2)
    assert code == 1006


def test_a_stalled_stream_answers_pings_and_sends_nothing(venue):
    one = venue()

    async def watch():
        async with aiohttp.ClientSession() as session:
            ws = await session.ws_connect(f"{one.ws}/ws/btcusdt@depth@100ms", autoping=False)
            assert aiohttp.WSMsgType.TEXT in await messages(ws, 1.0)
            number = await asyncio.to_thread(add, one, name="stream_stall", for_s=60)
            await messages(ws, 0.5)
            await ws.ping(b"there?")
            stalled = await messages(ws, 1.0)
            await asyncio.to_thread(one.call, "POST", "/control/faults", {"remove": [number]})
            return stalled, await messages(ws, 1.0)

    stalled, after = asyncio.run(watch())
    assert stalled == [aiohttp.WSMsgType.PONG]
    assert aiohttp.WSMsgType.TEXT in after


def test_connections_are_refused_for_a_while_and_then_accepted_on_the_same_port(venue):
    one = venue()
    add(one, name="connection_refused", for_s=1.5)
    end, refused = time.monotonic() + 20, 0
    while time.monotonic() < end:
        try:
            one.call("GET", "/api/v3/ping")
        except (OSError, urllib.error.URLError) as error:
            refused += "refused" in str(error)
        else:
            if refused:
                break
        time.sleep(0.02)
    assert refused
    assert one.call("GET", "/control/faults")["counters"]["connection_refused"] == 1


def test_a_profile_or_a_file_is_at_work_from_the_start(venue, tmp_path):
    file = tmp_path / "faults.json"
    file.write_text('{"faults": [{"name": "delay", "endpoint": "/api/v3/never"}]}')
    one = venue(faults="drizzle", faults_file=str(file), faults_seed=7)
    active = one.call("GET", "/control/faults")["active"]
    assert active[-1]["endpoint"] == "/api/v3/never"
    assert {"timeout", "delta_lost"} <= {fault["name"] for fault in active}


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ('faults = "strom"', "[venue]: unknown fault profile `strom`, did you mean `storm`?"),
        ('faults_file = "FILE"', 'unknown fault `hail`; known are backend_timeout, '),
    ],
)  # fmt: skip
def test_an_invalid_fault_setting_is_one_clear_line(tmp_path, setting, expected):
    (tmp_path / "faults.toml").write_text('[[faults]]\nname = "hail"\n')
    file = tmp_path / "venue.toml"
    file.write_text("[venue]\n" + setting.replace("FILE", str(tmp_path / "faults.toml")))
    command = [sys.executable, "-m", "venue.server.main", str(file)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    assert ended.returncode == 2
    assert expected in ended.stderr
    assert ended.stderr.count("\n") == 1
