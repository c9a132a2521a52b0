"""A storm over real processes and sockets: the default bot keeps trading, and its books agree in the end."""

import contextlib
import http.client
import time

import pytest

from protocol import OrdersSnapshot, OrdStatus

pytestmark = pytest.mark.process

STORM_S = 22
EXPECTED = {
    "delay",
    "connection_refused",
    "maintenance",
    "clock_step",
    "external_order",
    "balance_moved",
    "symbol_halt",
}


def faults(bot, **settings):
    """Calls POST /control/faults; repeats it while a fault keeps the exchange from responding."""
    end = time.monotonic() + 30
    while time.monotonic() < end:
        with contextlib.suppress(OSError, ValueError, http.client.HTTPException):
            return bot.call("POST", "/control/faults", settings)
        bot.receive(0.2)
    raise AssertionError("the exchange does not respond")


def test_the_default_bot_trades_through_a_storm_of_real_sockets(bot):
    bot.trade()
    before, pids = len(bot.ledger()["trades"]), bot.pids()
    faults(bot, profile="storm")
    end = time.monotonic() + STORM_S
    while time.monotonic() < end:
        bot.receive(0.5)
        # The faults apply to this client too: its connection may be cut, its answer damaged.
        with contextlib.suppress(AssertionError, OSError, ValueError, http.client.HTTPException):
            bot.trade_against_us()
    counters = faults(bot, clear=True)["counters"]
    assert not [name for name in EXPECTED if not counters[name]], counters
    assert sum(map(bool, counters.values())) > 20, counters
    assert bot.pids() == pids, "no process has ended"
    cleared_ns = bot.now_ns()
    bot.wait(lambda: bot.is_ticked(cleared_ns) and bot.is_trading(cleared_ns), 60)
    bot.assert_books_agree(60)
    assert len(bot.ledger()["trades"]) > before
    bot.trade()
    bot.assert_books_agree()
    assert not [one for one in bot.last(OrdersSnapshot).body.orders if one.status is OrdStatus.UNKNOWN]
    placed = [row["clientOrderId"] for row in bot.ledger()["orders"]]
    assert len(placed) == len(set(placed)), "an order was placed twice"
