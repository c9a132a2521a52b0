"""Real venue processes: kill -9 while trading, ports, addresses, sockets."""

import asyncio
import contextlib
import hashlib
import hmac
import http.client
import json
import socket
import subprocess
import sys
import time
from decimal import Decimal
from itertools import pairwise

import aiohttp
import pytest
from aiohttp import web

from tests.venue.conftest import toml
from venue.base import demo
from venue.base.settings import FlowSettings, MarketSettings
from venue.base.venue_errors import BadVenue
from venue.server import send_queue
from venue.server.address import bind, last_port, write_address
from venue.server.server import Server

pytestmark = pytest.mark.process

MAX_QUOTES = 100
STOCKED = [  # the demo account with a stock of base, which these tests sell
    {
        "name": "maker",
        "keys": [{"api_key": demo.MAKER_KEY, "secret": demo.MAKER_SECRET}],
        "balances": {"BTC": "2", "USDT": "120000"},
    }
]


def truth(one):
    shown = one.call("GET", "/control/ledger?account=maker")
    return {order["clientOrderId"]: order for order in shown["orders"]}, shown


def quote(one, number):
    """Two orders near the mid, so that the flow fills some of them; what was answered."""
    best = one.call("GET", "/api/v3/ticker/bookTicker?symbol=BTCUSDT")
    answers = {}
    for side, price, name in (
        ("BUY", best["bidPrice"], f"b{number}"),
        ("SELL", best["askPrice"], f"s{number}"),
    ):
        with contextlib.suppress(OSError):
            order = {"symbol": "BTCUSDT", "side": side, "type": "LIMIT", "timeInForce": "GTC"}
            order |= {
                "quantity": "0.002",
                "price": price,
                "newClientOrderId": name,
                "newOrderRespType": "FULL",
            }
            status, body = one.signed("POST", "order", **order)
            assert status == 200, body
            answers[name] = body
    return answers


def test_kill_9_while_trading_loses_nothing_that_was_answered(venue, tmp_path):
    one = venue(ledger_file=str(tmp_path / "venue.log"), accounts=STOCKED)
    answered, last_trade, last_update = {}, 0, 0
    for life in range(3):
        http = one.http
        for number in range(MAX_QUOTES):
            answered |= quote(one, f"{life}-{number}")
            time.sleep(0.05)
            orders_before, shown_before = truth(one)
            if shown_before["trades"] and shown_before["trades"][-1]["id"] > last_trade + 3 and number > 8:
                break
        one.kill()
        one.start()
        assert one.http == http, "the same address, so that clients come back"
        orders, shown = truth(one)
        assert set(answered) <= set(orders)
        trades = {(t["id"], t["orderId"]): t for t in shown["trades"]}
        for trade in shown_before["trades"]:
            assert trades[trade["id"], trade["orderId"]] == trade
        for name, order in orders_before.items():
            assert float(orders[name]["executedQty"]) >= float(order["executedQty"])
            done = sum(float(t["qty"]) for t in shown["trades"] if t["orderId"] == order["orderId"])
            assert done == pytest.approx(float(orders[name]["executedQty"]))
        check_money(shown)
        status = one.call("GET", "/control/status")["symbols"]["BTCUSDT"]
        assert status["update_id"] > last_update
        last_update = status["update_id"]
        ids = [trade["id"] for trade in shown["trades"]]
        assert ids == sorted(ids)
        assert ids[-1] > last_trade
        last_trade = ids[-1]
    open_orders = {order["orderId"] for order in shown["open_orders"]}
    assert {row["orderId"] for row in one.signed("GET", "openOrders", symbol="BTCUSDT")[1]} <= open_orders
    status, canceled = one.signed("DELETE", "openOrders", symbol="BTCUSDT")
    assert status == 200 or canceled["code"] == -2011
    _, shown = truth(one)
    assert all(float(balance["locked"]) == 0 for balance in shown["balances"].values())
    assert one.stop() == 0


def check_money(shown):
    """Opening balances, fills and fees give what is owned, exactly."""
    owned = {asset: Decimal(amount) for asset, amount in shown["opening"].items()}
    for trade in shown["trades"]:
        sign = 1 if trade["isBuyer"] else -1
        owned["BTC"] += sign * Decimal(trade["qty"])
        owned["USDT"] -= sign * Decimal(trade["quoteQty"])
        owned[trade["commissionAsset"]] -= Decimal(trade["commission"])
    for asset, balance in shown["balances"].items():
        assert Decimal(balance["free"]) + Decimal(balance["locked"]) == owned[asset]


def test_kill_9_keeps_stops_lists_and_icebergs(venue, tmp_path):
    one = venue(ledger_file=str(tmp_path / "venue.log"), accounts=STOCKED)
    common = {"symbol": "BTCUSDT", "side": "SELL", "quantity": "0.001", "timeInForce": "GTC"}
    stop = {**common, "type": "STOP_LOSS_LIMIT", "price": 20000, "stopPrice": 20000, "trailingDelta": 500}
    iceberg = {**common, "type": "LIMIT", "price": 120000, "icebergQty": "0.0004"}
    oco = {"symbol": "BTCUSDT", "side": "SELL", "quantity": "0.001", "aboveType": "LIMIT_MAKER", "abovePrice": 130000}
    oco |= {"belowType": "STOP_LOSS", "belowStopPrice": 20000}
    for path, requested in (("order", stop), ("order", iceberg), ("orderList/oco", oco)):
        status, placed = one.signed("POST", path, **requested)
        assert status == 200, placed
    before = one.signed("GET", "openOrders", symbol="BTCUSDT")[1], one.signed("GET", "openOrderList")[1]
    assert (len(before[0]), len(before[1])) == (4, 1)
    one.kill()
    one.start()
    assert (one.signed("GET", "openOrders", symbol="BTCUSDT")[1], one.signed("GET", "openOrderList")[1]) == before
    asks = dict(one.call("GET", "/api/v3/depth?symbol=BTCUSDT&limit=5000")["asks"])
    assert (asks["120000.00000000"], asks["130000.00000000"]) == ("0.00040000", "0.00100000")


def test_streams_and_user_data_over_real_sockets(venue):
    one = venue()

    async def watch() -> tuple[list, list]:
        async with aiohttp.ClientSession() as session:
            market = await session.ws_connect(one.ws + "/stream?streams=btcusdt@depth@100ms/btcusdt@bookTicker")
            frames = [json.loads((await market.receive(5)).data) for _ in range(40)]
            pinged = await session.ws_connect(one.ws + "/ws", autoping=False)
            await pinged.ping(b"hello")
            pong = await pinged.receive(5)
            assert (pong.type, bytes(pong.data)) == (aiohttp.WSMsgType.PONG, b"hello")
            one.call("POST", "/control/drop", {"kind": "market"})
            while (message := await market.receive(5)).type is aiohttp.WSMsgType.TEXT:
                pass
            assert message.type in (
                aiohttp.WSMsgType.CLOSE,
                aiohttp.WSMsgType.CLOSED,
                aiohttp.WSMsgType.CLOSING,
            )
            async with session.get(one.ws.replace("ws", "http", 1) + "/nowhere") as answer:
                assert answer.status == 404
            with pytest.raises(aiohttp.WSServerHandshakeError, match="404"):
                await session.ws_connect(one.ws + "/nowhere")
            one.call("POST", "/control/faults", {"add": [{"name": "maintenance"}]})
            with pytest.raises(aiohttp.WSServerHandshakeError, match="503"):
                await session.ws_connect(one.ws + "/ws")
            one.call("POST", "/control/faults", {"clear": True})
            return frames, [frame["data"] for frame in frames if "depth" in frame["stream"]]

    frames, diffs = asyncio.run(watch())
    assert {frame["stream"] for frame in frames} == {"btcusdt@depth@100ms", "btcusdt@bookTicker"}
    assert all(after["U"] == before["u"] + 1 for before, after in pairwise(diffs))


def test_a_stopped_venue_closes_its_websockets_and_exits_with_zero(venue):
    one = venue()

    async def watch() -> int | None:
        async with aiohttp.ClientSession() as session:
            ws = await session.ws_connect(one.ws + "/ws")
            one.process.terminate()
            message = await ws.receive(5)
            assert json.loads(message.data)["e"] == "serverShutdown"
            message = await ws.receive(5)
            assert message.type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED)
            return ws.close_code

    assert asyncio.run(watch()) == 1001
    assert one.process.wait(10) == 0


def test_a_connection_may_be_cut_without_an_answer(venue):
    one = venue()
    one.call("POST", "/control/faults", {"error_next": {"method": "GET", "path": "/api/v3/time", "status": 0}})
    with pytest.raises(OSError):
        one.call("GET", "/api/v3/time")
    assert one.call("GET", "/api/v3/time")["serverTime"] > 0


def run_venue(tmp_path, text):
    file = tmp_path / "bad.toml"
    file.write_text(text)
    command = [sys.executable, "-m", "venue.server.main", str(file)]
    return subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)


def test_a_port_in_use_is_one_clear_line(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ended = run_venue(tmp_path, f"[venue]\nport = {port}\n")
    assert ended.returncode == 2
    assert ended.stderr == f"venue: port {port} on 127.0.0.1 is in use: free it, or set port = 0 for any\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[venue]\nprot = 1\n", "prot"),
        ("[venue]\nport = 'x'\n", "$.port"),
        ("[venue\n", "[venue]"),
        ("[venue]\naccounts_file = '/nowhere/accounts.toml'\n", "/nowhere/accounts.toml"),
        ("[[venue.markets]]\nsymbol = 'BTCUSDT'\n", "must have the form BASE-QUOTE"),
        ("[[venue.markets]]\ntick_size = '0.000001'\n", "eight decimals"),
        (
            "[[venue.accounts]]\nname = 'a'\nkeys = [{api_key = 'k'}]\n",
            "needs secret, ed25519_public_key or rsa_public_key",
        ),
        ("[venue]\nhost = 'no.such.host.invalid'\n", "cannot listen"),
    ],
)
def test_wrong_settings_are_one_clear_line(tmp_path, text, expected):
    ended = run_venue(tmp_path, text)
    assert ended.returncode == 2
    assert ended.stderr.startswith("venue: ")
    assert ended.stderr.count("\n") == 1
    assert expected in ended.stderr


def test_a_damaged_log_stops_the_start_with_its_own_code(venue, tmp_path):
    one = venue(ledger_file=str(tmp_path / "venue.log"), accounts=STOCKED)
    for number in range(3):
        quote(one, number)
    one.kill()
    log = tmp_path / "venue.log"
    data = bytearray(log.read_bytes())
    data[40] ^= 1
    log.write_bytes(data)
    ended = run_venue(tmp_path, f"[venue]\nlog_file = '{log}'\n")
    assert ended.returncode == 70
    assert "fails its check" in ended.stderr
    assert ended.stderr.count("\n") == 1


def test_two_venues_do_not_share_a_log(venue, tmp_path):
    log = tmp_path / "venue.log"
    venue(ledger_file=str(log))
    ended = run_venue(tmp_path, f"[venue]\nlog_file = '{log}'\n")
    assert ended.returncode == 75
    assert "in use" in ended.stderr


def test_accounts_may_come_from_a_file(venue, tmp_path):
    accounts = tmp_path / "accounts.toml"
    accounts.write_text("[[accounts]]\nname = 'eve'\nbalances = {BTC = '1.5'}\nkeys = [{api_key='k', secret='s'}]\n")
    one = venue(accounts_file=str(accounts))
    assert one.call("GET", "/control/accounts")["accounts"] == ["eve"]
    assert one.call("GET", "/control/ledger")["balances"]["BTC"]["free"] == "1.50000000"


def test_the_port_of_the_last_run_is_taken_again_if_it_is_free(tmp_path):
    file = tmp_path / "address.json"
    first = bind("127.0.0.1", 0, file)
    port = first.getsockname()[1]
    write_address(first, file)
    assert last_port(file) == port
    second = bind("127.0.0.1", 0, file)
    assert second.getsockname()[1] != port, "taken, so another"
    first.close()
    third = bind("127.0.0.1", 0, file)
    assert third.getsockname()[1] == port
    with pytest.raises(BadVenue, match="in use"):
        bind("127.0.0.1", port, None)
    for one in (second, third):
        one.close()
    file.write_text("nonsense")
    assert last_port(file) == 0


def test_a_disk_that_takes_no_more_stops_the_venue(venue_client, tmp_path, stop_after):
    file = tmp_path / "venue.toml"
    files = f"address_file = '{tmp_path}/address.json'\nlog_file = '{tmp_path}/venue.log'\n"
    file.write_text(f"[venue]\n{files}accounts = {toml(STOCKED)}\n")
    command = f"ulimit -f 8; exec {sys.executable} -m venue.server.main {file}"  # eight blocks of 512 bytes
    process = stop_after(subprocess.Popen(["sh", "-c", command], stderr=subprocess.PIPE, text=True))
    one = venue_client(tmp_path, process)
    answered = 0
    with contextlib.suppress(OSError):
        for number in range(MAX_QUOTES):
            status, _ = one.signed("GET", "account")
            assert status == 200
            answered += len(quote(one, number))
    _, expected = process.communicate(timeout=60)
    assert process.returncode == 2
    assert expected.startswith("venue: ledger_file ")
    assert expected.count("\n") == 1
    assert answered > 0


def test_a_client_that_does_not_read_is_disconnected_and_disturbs_no_other(world, monkeypatch):
    monkeypatch.setattr(send_queue, "MAX_UNSENT", 100)
    exchange = world(markets=[MarketSettings(flow=FlowSettings(limit_rate=0, market_rate=0))]).exchange

    async def run() -> tuple[bytes, int]:
        driver = Server(exchange, None, time.time_ns)
        runner = web.ServerRunner(web.Server(driver.serve))
        await runner.setup()
        listening = bind("127.0.0.1", 0, None)
        await web.SockSite(runner, listening).start()
        port = listening.getsockname()[1]
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1024)
        writer.write(
            b"GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        async with aiohttp.ClientSession() as session:
            healthy = await session.ws_connect(f"ws://127.0.0.1:{port}/ws", max_msg_size=0)
            deaf_id = min(driver.sockets)
            healthy_id = max(driver.sockets)
            for _ in range(300):
                driver._push([(deaf_id, b"x" * 100_000), (healthy_id, b"y")])
                await asyncio.sleep(0)
            received = 0
            while received < 300:
                received += (await healthy.receive(5)).data == "y"
            for _ in range(100):
                if deaf_id not in driver.sockets:
                    break
                await asyncio.sleep(0.02)
            assert list(driver.sockets) == [healthy_id]
            await healthy.close()
        writer.close()
        await runner.cleanup()
        return await reader.read(20), received

    head, received = asyncio.run(run())
    assert head.startswith(b"HTTP/1.1 101")
    assert received == 300


def test_signatures_are_over_the_bytes_on_the_wire(venue):
    """No layer of the server may encode or decode what was signed."""
    one = venue()
    stamp = time.time_ns() // 1_000_000
    plain = f"symbol=BTC%55SDT&origClientOrderId=a%2db+c&timestamp={stamp}"
    for query, body in ((plain, ""), ("", plain), (plain, "orderId=1")):
        signed = query + body
        signature = "signature=" + hmac.new(demo.MAKER_SECRET.encode(), signed.encode(), hashlib.sha256).hexdigest()
        query, body = (f"{query}&{signature}", body) if query else (signature, body)
        connection = http.client.HTTPConnection(one.http.removeprefix("http://"), timeout=5)
        connection.putrequest("DELETE", "/api/v3/order?" + query, skip_accept_encoding=True)
        connection.putheader("X-MBX-APIKEY", demo.MAKER_KEY)
        connection.putheader("Content-Type", "application/x-www-form-urlencoded")
        connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body.encode())
        assert json.loads(connection.getresponse().read()) == {"code": -2011, "msg": "Unknown order sent."}
        connection.close()
