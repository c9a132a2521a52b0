"""Extra, duplicate, empty, too long and malformed parameters: the documented codes and texts."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from venue.api.requests import allowed_params
from venue.base.api_errors import ApiError
from venue.base.params import Params


def unread(read, sent):
    return f"Not all sent parameters were read; read '{read}' parameter(s) but was sent '{sent}'."


def illegal(name, legal):
    return f"Illegal characters found in parameter '{name}'; legal range is '{legal}'."


def invalid(name):
    return f"Data sent for parameter '{name}' is not valid."


NUMBER, SYMBOL = "^[0-9]{1,20}$", "^[\\w\\-._&&[^a-z]]{1,50}$"
COMBINATION = "Combination of optional parameters invalid."
OTHER_STATUS = "The symbol's status does not match the requested symbolStatus."


def error_of(world, path, query):
    answer = world.request("GET", f"/api/v3/{path}", query)
    body = json.loads(answer.body)
    return (body["code"], body["msg"]) if answer.status != 200 else None


@pytest.mark.parametrize(
    ("path", "query", "code", "message"),
    [
        ("ping", "x=1", -1101, "Too many parameters; expected '0' and received '1'."),
        ("ticker/price", "symbl=BTCUSDT", -1104, unread(0, 1)),
        ("depth", "symbol=BTCUSDT&foo=1", -1104, unread(1, 2)),
        ("depth", "symbl=BTCUSDT", -1102, "Mandatory parameter 'symbol' was not sent, was empty/null, or malformed."),
        ("depth", "symbol=", -1102, "Mandatory parameter 'symbol' was not sent, was empty/null, or malformed."),
        ("depth", "symbol=BTCUSDT&symbol=BTCUSDT", -1101, "Duplicate values for a parameter detected."),
        ("depth", "symbol=BTCUSDT&limit=", -1105, "Parameter 'limit' was empty."),
        ("depth", "symbol=BTCUSDT&limit=ten", -1100, illegal("limit", NUMBER)),
        ("depth", "symbol=BTCUSDT&limit=-1", -1100, illegal("limit", NUMBER)),
        ("depth", "symbol=BTCUSDT&limit=99999999999999999999", -1108, "Parameter 'limit' overflowed."),
        ("depth", "symbol=BTCUSDT&limit=0", -1130, invalid("limit")),
        ("depth", "symbol=btcusdt", -1100, illegal("symbol", SYMBOL)),
        ("depth", "symbol=NOSUCH", -1121, "Invalid symbol."),
        ("depth", "symbol=BTCUSDT&symbolStatus=HALT", -1220, OTHER_STATUS),
        ("depth", "symbol=BTCUSDT&symbolStatus=AWAY", -1122, "Invalid symbolStatus."),
        ("ticker/price", 'symbol=BTCUSDT&symbols=["BTCUSDT"]', -1128, COMBINATION),
        ("ticker/price", 'symbols=["BTCUSDT","BTCUSDT"]', -1151, "Symbol is present multiple times in the list."),
        ("ticker", "", -1102, "Param 'symbol' or 'symbols' must be sent, but both were empty/null!"),
        ("ticker", "symbol=BTCUSDT&windowSize=60m", -1130, invalid("windowSize")),
        ("ticker", "symbol=BTCUSDT&windowSize=1d2h", -1130, invalid("windowSize")),
        ("ticker/24hr", "type=HUGE", -1139, "Invalid ticker type."),
        ("ticker/tradingDay", "symbol=BTCUSDT&timeZone=15", -1130, invalid("timeZone")),
        ("klines", "symbol=BTCUSDT&interval=1y", -1120, "Invalid interval."),
        ("klines", "symbol=BTCUSDT&interval=1m&timeZone=-12:01", -1130, invalid("timeZone")),
        ("aggTrades", "symbol=BTCUSDT&fromId=1&startTime=1", -1128, COMBINATION),
        ("executionRules", "symbol=BTCUSDT&symbolStatus=TRADING", -1128, COMBINATION),
        ("exchangeInfo", "symbol=BTCUSDT&permissions=SPOT", -1128, COMBINATION),
        ("exchangeInfo", "symbol=BTCUSDT&symbolStatus=TRADING", -1128, COMBINATION),
        ("exchangeInfo", "permissions=NONE", -1130, invalid("permissions")),
        ("referencePrice", "symbol=BTCUSDT", -2043, "This symbol doesn't have a reference price."),
    ],
)  # fmt: skip
def test_bad_parameters_get_the_documented_words(ann_and_bob, path, query, code, message):
    assert error_of(ann_and_bob, path, query) == (code, message)


def test_a_signed_request_counts_its_signature_among_what_is_read(ann_and_bob):
    status, body = ann_and_bob.signed("GET", "order", symbol="BTCUSDT", orderId=1, wish="granted")
    words = unread(4, 5)
    assert (status, body) == (400, {"code": -1104, "msg": words})
    assert ann_and_bob.order("BUY", "1", "50000", wish="granted")[1]["code"] == -1104
    assert not ann_and_bob.exchange.accounts.by_name["ann"].orders


def test_a_wrong_signature_is_reported_before_unread_parameters(ann_and_bob):
    query = f"wish=1&timestamp={ann_and_bob.now_ns // 10**6}&signature=0"
    answer = ann_and_bob.request("GET", "/api/v3/account", query, headers={"x-mbx-apikey": "key-ann"})
    assert json.loads(answer.body)["code"] == -1022


def test_the_body_of_a_get_is_not_read(ann_and_bob):
    answer = ann_and_bob.request("GET", "/api/v3/depth", "", "symbol=BTCUSDT")
    assert json.loads(answer.body)["code"] == -1102


def test_the_websocket_api_refuses_the_same(ann_and_bob):
    conn_id = ann_and_bob.open("/ws-api/v3")
    (answer,) = ann_and_bob.send(conn_id, id=1, method="depth", params={"symbol": "BTCUSDT", "other": 1})
    assert (answer["status"], answer["error"]["code"]) == (400, -1104)
    (answer,) = ann_and_bob.send(conn_id, id=2, method="ping", params={"returnRateLimits": False})
    assert answer == {"id": 2, "status": 200, "result": {}}


@given(st.sampled_from(sorted(allowed_params.PARAMS)), st.data())
def test_any_choice_of_known_parameters_is_read(route, data):
    method, path = route.split()
    known = sorted(allowed_params.ALLOWED[method, path].known)
    chosen = data.draw(st.lists(st.sampled_from(known), unique=True)) if known else []
    allowed_params.check_allowed(method, path, Params(dict.fromkeys(chosen, "1")), frozenset())
    with pytest.raises(ApiError) as caught:
        allowed_params.check_allowed(method, path, Params(dict.fromkeys([*chosen, "other"], "1")), frozenset())
    assert caught.value.code in (-1101, -1102, -1104)
