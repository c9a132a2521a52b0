"""A storm over real processes and real sockets: the default bot trades on, and knows in the end what is true."""

import contextlib
import http.client
import time

from protocol import OrdersSnapshot, OrdStatus

STORM_S = 22
SURELY_MET = {"delay", "connection_refused", "maintenance", "clock_step", "human_order", "balance_moved", "symbol_halt"}


def faults(bot, **asked):
    """POST /control/faults, also through the minutes in which nobody listens."""
    end = time.monotonic() + 30
    while time.monotonic() < end:
        with contextlib.suppress(OSError, ValueError, http.client.HTTPException):
            return bot.call("POST", "/control/faults", asked)
        bot.listen(0.2)
    raise AssertionError("the exchange does not listen")


def test_the_default_bot_trades_through_a_storm_of_real_sockets(bot):
    bot.trade()
    before, pids = len(bot.ledger()["trades"]), bot.pids()
    faults(bot, profile="storm")
    end = time.monotonic() + STORM_S
    while time.monotonic() < end:
        bot.listen(0.5)
        # Who strikes meets the storm too: cut, truncated and garbled answers.
        with contextlib.suppress(AssertionError, OSError, ValueError, http.client.HTTPException):
            bot.strike()
    met = faults(bot, clear=True)["counters"]
    assert not [name for name in SURELY_MET if not met[name]], met
    assert sum(map(bool, met.values())) > 20, met
    assert bot.pids() == pids, "nothing has died"
    cleared_ns = bot.now_ns()
    bot.wait(lambda: bot.is_ticked(cleared_ns) and bot.is_trading(cleared_ns), 60)
    bot.assert_books_agree(60)
    assert len(bot.ledger()["trades"]) > before
    bot.trade()
    bot.assert_books_agree()
    assert not [one for one in bot.last(OrdersSnapshot).body.orders if one.status is OrdStatus.UNKNOWN]
    placed = [row["clientOrderId"] for row in bot.ledger()["orders"]]
    assert len(placed) == len(set(placed)), "an order was placed twice"
