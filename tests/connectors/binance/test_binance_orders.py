"""Binance's order side: its documented answers as reports, and the outcome of each of its errors."""

import json
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.log.secret import ApiKey, Secret
from actors.net import HttpAnswer, HttpFailure
from connectors.binance.requests import BinanceOrders
from connectors.binance.sign import sign, signed_params, signed_query, text
from connectors.core.order_api import BadAnswer, LoggedIn, LoginRefused, Pong
from connectors.core.records import NewOrderRecord
from connectors.core.reports import AccountReport, OrderReport, Outcome, StreamEnded, TradeReport, Trouble, Unreadable
from market.instrument import Instrument
from protocol import Liquidity, OrdStatus, OrdType, SelfTradePrevention, Side, TimeInForce

KEY = "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A"
SECRET = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j"
TS_NS = 1_499_827_319_559_000_000


@pytest.fixture
def api() -> BinanceOrders:
    made = BinanceOrders("https://api", "wss://ws-api", ApiKey(KEY, Secret(SECRET)), 5_000, 5_000)
    for symbol in ("LTC-BTC", "BTC-USDT", "BNB-BTC", "ETH-BTC"):
        base, quote = symbol.split("-")
        made.add_market(Instrument(symbol, base, quote, Decimal("0.00000001"), Decimal("0.00000001")))
    return made


@pytest.fixture
def documented(recorded):
    """`documented("rest", "GET /api/v3/order")`: the exchange's own examples."""
    path: Path = recorded("binance_docs/binance_docs_examples.json")
    table = json.loads(path.read_text())

    def find(kind: str, name: str):
        for row in table[kind]:
            if row.get("endpoint") == name or row.get("event", {}).get("e") == name:
                return row.get("examples", row)
        raise KeyError(name)

    return find


def answer(body, status: int = 200, headers=None) -> HttpAnswer:
    return HttpAnswer(status, headers or {}, body if isinstance(body, bytes) else json.dumps(body).encode())


def error(code: int, msg: str = "", status: int = 400, headers=None) -> HttpAnswer:
    return answer({"code": code, "msg": msg}, status, headers)


# -- requests -----------------------------------------------------------------------------------------


def new_record(**changes) -> NewOrderRecord:
    fields = {
        "counter": 1,
        "cl_ord_id": "tabc-m-1-1",
        "owner": "m",
        "order_ref": 1,
        "symbol": "LTC-BTC",
        "side": Side.BUY,
        "ord_type": OrdType.LIMIT,
        "time_in_force": TimeInForce.IOC,
        "stp": SelfTradePrevention.EXPIRE_MAKER,
        "price_ticks": 10_000_000,
        "size_lots": 150_000_000,
        "ts_ns": 0,
        "valid_until_ns": 0,
    }
    return NewOrderRecord(**{**fields, **changes})


def test_a_limit_order_as_a_request(api):
    call = api.place_request(new_record(), TS_NS)
    path, _, query = call.request.url.partition("?")
    assert (call.request.method, path) == ("POST", "https://api/api/v3/order")
    assert query.startswith(
        "symbol=LTCBTC&side=BUY&type=LIMIT&quantity=1.50000000&newClientOrderId=tabc-m-1-1&newOrderRespType=FULL"
        "&price=0.10000000&timeInForce=IOC&selfTradePreventionMode=EXPIRE_MAKER&recvWindow=5000&timestamp=1499827319559"
        "&signature="
    )
    assert call.request.headers == {"X-MBX-APIKEY": KEY}
    assert SECRET not in repr(call)


def test_a_market_order_has_no_price_and_a_maker_order_no_time_in_force(api):
    market = api.place_request(new_record(ord_type=OrdType.MARKET), TS_NS).request.url
    assert "price=" not in market
    assert "timeInForce" not in market
    maker = api.place_request(new_record(ord_type=OrdType.LIMIT_MAKER, stp=SelfTradePrevention.NONE), TS_NS).request.url
    assert "price=" in maker
    assert "timeInForce" not in maker
    assert "selfTradePrevention" not in maker


def test_names_that_need_it_are_percent_encoded_before_they_are_signed(api):
    api.add_market(Instrument("１２３-USDT", "１２３", "USDT", Decimal(1), Decimal(1)))
    url = api.open_orders_request("１２３-USDT", TS_NS).request.url
    assert url.startswith("https://api/api/v3/openOrders?symbol=%EF%BC%91%EF%BC%92%EF%BC%93USDT&recvWindow=")
    payload, _, signature = url.partition("?")[2].rpartition("&signature=")
    assert signature == sign(ApiKey(KEY, Secret(SECRET)), payload.encode())


@pytest.mark.parametrize("request_id", [0, 7])
@given(
    st.sampled_from(list(Side)), st.sampled_from(list(OrdType)), st.sampled_from(list(TimeInForce)),
    st.sampled_from(list(SelfTradePrevention)), st.integers(0, 10**14), st.integers(1, 10**14),
    st.sampled_from(["", "x=y", "a&b"]),
)  # fmt: skip
def test_a_template_gives_the_same_text_as_the_parameters(
    request_id, side, ord_type, time_in_force, stp, ticks, lots, odd
):
    """Filled in, or, where the key needs encoding, written in full."""
    made = BinanceOrders("https://api", "wss://ws-api", ApiKey(f"key{odd}", Secret(SECRET)), 5_000, 5_000)
    made.add_market(Instrument("LTC-BTC", "LTC", "BTC", Decimal("0.05"), Decimal("0.001")))
    for counter in (1, 2):
        wanted = new_record(
            side=side, ord_type=ord_type, time_in_force=time_in_force, stp=stp, price_ticks=ticks,
            size_lots=lots + counter, cl_ord_id=f"tabc-m-1-{counter}",
        )  # fmt: skip
        params = made._order_params(wanted) | {"recvWindow": 5_000, "timestamp": TS_NS // 1_000_000}
        request = made.place_request(wanted, TS_NS, request_id).request
        if request_id:
            received = json.loads(request.text)["params"]
            assert received == {name: text(value) for name, value in signed_params(made._key, params).items()}
        else:
            assert request.url.partition("?")[2] == signed_query(made._key, params)


def test_every_price_is_written_without_an_exponent(api):
    url = api.place_request(new_record(price_ticks=1, size_lots=1), TS_NS).request.url
    assert "quantity=0.00000001&" in url
    assert "price=0.00000001&" in url


def test_a_replacement_stops_where_the_cancel_fails(api):
    url = api.replace_request(new_record(replaces="tabc-m-1-0"), TS_NS).request.url
    assert "/api/v3/order/cancelReplace?" in url
    assert "cancelReplaceMode=STOP_ON_FAILURE&cancelOrigClientOrderId=tabc-m-1-0" in url


def test_cancels_and_questions_may_use_the_reserved_share(api):
    assert api.cancel_request("LTC-BTC", "x", TS_NS).urgent
    assert api.order_query("LTC-BTC", TS_NS, cl_ord_id="x").urgent
    assert not api.open_orders_request("LTC-BTC", TS_NS).urgent
    assert api.trades_request("LTC-BTC", TS_NS, order_id="5").costs == {"weight": 5, "requests": 1}


# -- answers ------------------------------------------------------------------------------------------


def test_the_documented_placement_with_its_trades(api, documented):
    _, _, full = documented("rest", "POST /api/v3/order")
    report, trades = api.parse_order(answer(full).body)
    assert (report.cl_ord_id, report.order_id, report.status) == ("6gCrw2kRUAF9CvJDGP16IP", "28", OrdStatus.FILLED)
    assert (report.size, report.cum, report.side) == (Decimal(10), Decimal(10), Side.SELL)
    assert [trade.trade_id for trade in trades] == [56, 57, 58, 59, 60]
    assert sum(trade.size for trade in trades) == report.cum
    assert trades[0].fee == Decimal("4.00000000")
    assert all(trade.cl_ord_id == report.cl_ord_id for trade in trades)


def test_the_documented_cancel_names_the_order_and_not_itself(api, documented):
    (body,) = documented("rest", "DELETE /api/v3/order")
    report, _ = api.parse_order(answer(body).body)
    assert (report.cl_ord_id, report.status) == ("myOrder1", OrdStatus.CANCELED)


def test_the_documented_query_open_orders_trades_and_account(api, documented):
    (body,) = documented("rest", "GET /api/v3/order")
    assert api.parse_order(answer(body).body)[0].status is OrdStatus.NEW
    (rows,) = documented("rest", "GET /api/v3/openOrders")
    assert [row.order_id for row in api.parse_orders(answer(rows).body)] == ["1"]
    (rows,) = documented("rest", "GET /api/v3/myTrades")
    (trade,) = api.parse_trades(answer(rows).body)
    assert (trade.trade_id, trade.order_id, trade.side, trade.liquidity) == (28457, "100234", Side.BUY, Liquidity.TAKER)
    (body,) = documented("rest", "GET /api/v3/account")
    account = api.parse_account(answer(body).body)
    assert (account.account_id, account.maker_fee) == ("354937868", Decimal("0.00150000"))
    assert account.rows[0].free == Decimal("4723846.89208129")


def test_orders_of_markets_that_are_not_ours_are_left_out(api, documented):
    (rows,) = documented("rest", "GET /api/v3/openOrders")
    assert api.parse_orders(answer([{**rows[0], "symbol": "XYZABC"}]).body) == []


@pytest.mark.parametrize("field", ["executedQty", "origQty", "price"])
@pytest.mark.parametrize("value", ["NaN", "-1", "Infinity", "x", None, f"0.{'3' * 300}", "1E+400"])
def test_answers_with_invalid_numbers_are_refused(api, documented, field, value):
    (body,) = documented("rest", "GET /api/v3/order")
    with pytest.raises(BadAnswer):
        api.parse_order(answer({**body, field: value}).body)


@pytest.mark.parametrize("value", ["NaN", f"0.{'3' * 300}", "1E-400"])
def test_a_commission_that_no_exact_sum_can_contain_costs_its_row(api, documented, value):
    (rows,) = documented("rest", "GET /api/v3/myTrades")
    (row,) = api.parse_trades(answer([{**rows[0], "commission": value}]).body)
    assert isinstance(row, Unreadable)


@given(st.binary(max_size=80))
def test_no_bytes_do_more_than_be_refused(data):
    made = BinanceOrders("https://api", "wss://api", ApiKey(KEY, Secret(SECRET)), 5_000, 5_000)
    for parse in (made.parse_order, made.parse_orders, made.parse_trades, made.parse_account, made.parse_user):
        try:
            parse(data)
        except BadAnswer:
            continue
    made.classify(HttpAnswer(400, {}, data))
    made.classify_replace(HttpAnswer(200, {}, data))


# -- what an error proves -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("result", "proof"),
    [
        (HttpFailure(False, "connection refused"), Outcome.NOT_SENT),
        (HttpFailure(True, "timed out"), Outcome.UNKNOWN),
        (answer({}), Outcome.OK),
        (answer(b"<html>", 400), Outcome.UNKNOWN),
        (answer(b"", 502), Outcome.UNKNOWN),
        (error(-1007, status=504), Outcome.UNKNOWN),
        (error(-1006, status=500), Outcome.UNKNOWN),
        (error(-2010, "insufficient balance", 500), Outcome.UNKNOWN),
        (error(-1003, status=503), Outcome.UNKNOWN),
        (error(-1000), Outcome.UNKNOWN),
        (error(-9999), Outcome.UNKNOWN),
        (error(-1013, "Filter failure: LOT_SIZE"), Outcome.REJECTED),
        (error(-1111), Outcome.REJECTED),
        (error(-1015, status=429), Outcome.REJECTED),
        (error(-2010, "Account has insufficient balance for requested action."), Outcome.REJECTED),
        (error(-2010, "Duplicate order sent."), Outcome.DUPLICATE),
        (error(-1021), Outcome.NOT_SENT),
        (error(-2015, status=401), Outcome.NOT_SENT),
        (error(-1003, status=429), Outcome.NOT_SENT),
        (answer(b"<html>", 429), Outcome.UNKNOWN),
        (error(-2011), Outcome.NOT_FOUND),
        (error(-2013), Outcome.NOT_FOUND),
        (error(-2026), Outcome.NOT_FOUND),
    ],
)
def test_the_outcome_of_an_answer(api, result, proof):
    assert api.classify(result).outcome is proof


@pytest.mark.parametrize(
    ("result", "trouble", "pause_s"),
    [
        (error(-1003, status=429, headers={"retry-after": "7"}), Trouble.RATE_LIMITED, 7),
        (error(-1003, status=429), Trouble.RATE_LIMITED, 10),
        (error(-1003, status=418, headers={"retry-after": "120"}), Trouble.BANNED, 120),
        (answer(b"<html>", 403), Trouble.RATE_LIMITED, 60),
        (error(-1015, status=429, headers={"retry-after": "9"}), Trouble.TOO_MANY_ORDERS, 9),
        (error(-1021), Trouble.CLOCK_SKEW, 0),
        (error(-2015, status=401), Trouble.BAD_KEY, 0),
        (error(-1022), Trouble.BAD_KEY, 0),
        (error(-1013), Trouble.RULES, 0),
    ],
)
def test_the_trouble_of_an_answer(api, result, trouble, pause_s):
    verdict = api.classify(result)
    assert (verdict.trouble, verdict.retry_after_ns) == (trouble, pause_s * 1_000_000_000)


def test_the_documented_halves_of_a_replacement(api, documented):
    both, none, half, *_ = documented("rest", "POST /api/v3/order/cancelReplace")
    done = api.classify_replace(answer(both))
    assert (done.old.outcome, done.new.outcome) == (Outcome.OK, Outcome.OK)
    assert done.old_report.cl_ord_id == "DnLo3vTAQcjha43lAZhZ0y"
    assert done.new_report.cl_ord_id == "wOceeeOzNORyLiQfw7jd8S"
    failed = api.classify_replace(answer(none, 400))
    assert (failed.old.outcome, failed.new.outcome) == (Outcome.NOT_FOUND, Outcome.NOT_SENT)
    api.add_market(Instrument("LTC-BNB", "LTC", "BNB", Decimal("0.00000001"), Decimal("0.00000001")))
    cancelled = api.classify_replace(answer(half, 409))
    assert (cancelled.old.outcome, cancelled.new.outcome) == (Outcome.OK, Outcome.REJECTED)


@pytest.mark.parametrize("result", [HttpFailure(True, "reset"), answer(b"", 503), answer(b'{"cancelResult":', 200)])
def test_a_replacement_without_an_answer_leaves_both_unknown(api, result):
    outcome = api.classify_replace(result)
    assert (outcome.old.outcome, outcome.new.outcome) == (Outcome.UNKNOWN, Outcome.UNKNOWN)


def test_the_use_of_limits_is_read_from_the_headers(api):
    headers = {"x-mbx-used-weight-1m": "20", "x-mbx-order-count-10s": "3", "x-mbx-order-count-1d": "x"}
    assert api.used(headers) == {"weight-1m": 20, "order-count-10s": 3}


# -- the user stream ------------------------------------------------------------------------------------


def frame(row) -> bytes:
    return json.dumps(row).encode()


def test_the_documented_user_events(api, documented):
    (report,) = api.parse_user(frame(documented("user", "executionReport")))
    assert isinstance(report, OrderReport)
    assert (report.symbol, report.status, report.price) == ("ETH-BTC", OrdStatus.NEW, Decimal("0.10264410"))
    (account,) = api.parse_user(frame(documented("user", "outboundAccountPosition")))
    assert isinstance(account, AccountReport)
    assert not account.is_whole
    assert api.parse_user(frame(documented("user", "balanceUpdate"))) == []
    assert api.parse_user(frame(documented("user", "listStatus"))) == []
    assert api.parse_user(frame(documented("user", "eventStreamTerminated"))) == [StreamEnded("eventStreamTerminated")]


def test_a_trade_event_is_the_trade_and_then_the_order(api, documented):
    row = documented("user", "executionReport")
    row["event"] |= {"x": "TRADE", "X": "PARTIALLY_FILLED", "l": "0.4", "L": "0.1", "z": "0.4", "t": 9}
    row["event"] |= {"m": True, "n": "0.1", "N": "BNB"}
    trade, order = api.parse_user(frame(row))
    assert isinstance(trade, TradeReport)
    assert (trade.trade_id, trade.size, trade.liquidity, trade.fee_asset) == (9, Decimal("0.4"), Liquidity.MAKER, "BNB")
    assert (order.status, order.cum) == (OrdStatus.PARTIALLY_FILLED, Decimal("0.4"))


def test_a_cancel_event_names_the_order_by_its_original_id(api, documented):
    row = documented("user", "executionReport")
    row["event"] |= {"x": "CANCELED", "X": "CANCELED", "c": "the-cancel", "C": "the-order"}
    (report,) = api.parse_user(frame(row))
    assert (report.cl_ord_id, report.status) == ("the-order", OrdStatus.CANCELED)


def test_answers_to_the_login_and_the_probe(api):
    assert api.parse_user(b'{"id":"login","status":200,"result":{"subscriptionId":0}}') == [LoggedIn()]
    assert api.parse_user(b'{"id":"probe","status":200,"result":{}}') == [Pong()]
    (refused,) = api.parse_user(b'{"id":"login","status":401,"error":{"code":-2015,"msg":"Invalid API-key"}}')
    assert refused == LoginRefused("-2015 Invalid API-key", True)
    (late,) = api.parse_user(b'{"id":"login","status":400,"error":{"code":-1021,"msg":"Timestamp"}}')
    assert not late.is_final


def test_both_ways_to_log_in(api):
    (one,) = api.user_login(TS_NS)
    assert json.loads(one)["method"] == "userDataStream.subscribe.signature"
    by_session = BinanceOrders("https://api", "wss://api", ApiKey(KEY, Secret(SECRET)), 5_000, 5_000, "session")
    logon, subscribe = by_session.user_login(1_649_729_878_532_000_000)
    assert json.loads(subscribe)["method"] == "userDataStream.subscribe"
    params = json.loads(logon)["params"]
    assert params["apiKey"] == KEY
    assert params["signature"] == "1cf54395b336b0a9727ef27d5d98987962bc47aca6e13fe978612d0adee066ed"
