"""The cause of a rejection: by Binance's codes and texts, and by what the local exchange answers to real orders."""

import pytest

from connectors.binance.error_codes import classify_code
from protocol import AnswerCode, OrdStatus, OrdType, RefusalCode, Side

TEXTS = [
    (-2010, "Account has insufficient balance for requested action.", RefusalCode.FUNDS),
    (-2010, "Order would immediately match and take.", RefusalCode.WOULD_TAKE),
    (-2010, "Market is closed.", RefusalCode.LATER),
    (-2010, "Some text of the future.", RefusalCode.OTHER),
    (-1013, "Filter failure: MAX_NUM_ORDERS", RefusalCode.LIMIT),
    (-1013, "Filter failure: PERCENT_PRICE_BY_SIDE", RefusalCode.LATER),
    (-1013, "Filter failure: LOT_SIZE", RefusalCode.NEVER),
    (-1015, "Too many new orders; current limit is 100 orders per 10 SECOND.", RefusalCode.LATER),
    (-1111, "Precision is over the maximum defined for this asset.", RefusalCode.NEVER),
    (-1003, "Too many requests.", RefusalCode.LATER),
    (-2015, "Invalid API-key, IP, or permissions for action.", RefusalCode.PAUSED),
]


@pytest.mark.parametrize(("code", "msg", "cause"), TEXTS)
def test_a_rejection_shows_its_cause(code, msg, cause):
    assert classify_code(code, msg).refusal is cause


@pytest.fixture
def world(new_world):
    return new_world().ready()


def refused(world, order_ref):
    world.run(1)
    update = world.last(order_ref)
    assert update.status is OrdStatus.REJECTED
    return update.refusal


def test_the_exchange_rejects_and_the_strategy_receives_the_cause(world):
    assert refused(world, world.place(Side.BUY, 6_010_000, 1_000, OrdType.LIMIT_MAKER)) is RefusalCode.WOULD_TAKE
    world.control("POST", "deposit", account="maker", asset="USDT", amount="-119999")
    assert refused(world, world.place(Side.BUY, 5_990_000, 1_000)) is RefusalCode.FUNDS
    assert world.connector.tracker.owner("maker").refused == {RefusalCode.WOULD_TAKE: 1, RefusalCode.FUNDS: 1}


def test_an_order_that_the_connector_refuses_is_answered_with_the_cause(world):
    over = world.place(Side.BUY, 5_990_000, 90_000)
    world.run(1)
    answer = world.trader.answers[over]
    assert (answer.code, answer.refusal) == (AnswerCode.REFUSED, RefusalCode.LIMIT)
    world.command("pause")
    paused = world.place(Side.BUY, 5_990_000)
    world.run(1)
    assert world.trader.answers[paused].refusal is RefusalCode.PAUSED
    unknown = world.cancel(4_711)
    world.run(1)
    assert world.trader.answers[unknown].refusal is RefusalCode.UNKNOWN_ORDER
