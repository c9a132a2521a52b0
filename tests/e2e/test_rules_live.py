"""The exchange changes its tick and lot while a bot of real processes trades: its books stay the exchange's."""

import os
import signal
from decimal import Decimal

import pytest

from protocol import BookDelta, Fill, OrderUpdate, Rules
from tests.e2e.conftest import Bot, end_of

pytestmark = pytest.mark.process


@pytest.fixture
def fine(tmp_path_factory):
    """A bot whose connector reads the rules every second, on a market that may have a finer tick than at its start."""
    bot = Bot(tmp_path_factory.mktemp("tb").resolve())
    table = "[actors.binance.settings]\n"
    text = bot.run_file.read_text().replace(table, f"{table}feed = {{ rules_ms = 1000 }}\n")
    bot.run_file.write_text(text + "\n[[venue.markets]]\nprice_digits = 3\n")
    try:
        bot.up()
        bot.wait(lambda: bot.is_ticked() and bot.is_trading(), 60)
        for asset, amount in (("BTC", 1_000), ("USDT", 100_000_000)):
            bot.call("POST", "/control/deposit", {"account": "external", "asset": asset, "amount": amount})
        yield bot
    finally:
        end_of(bot)


def change_filters(bot, **filters) -> None:
    """Returns when the connector has published the new rules."""
    begun_ns = bot.now_ns()
    bot.call("POST", "/control/faults", {"clear": True})
    bot.call("POST", "/control/faults", {"add": [{"name": "filters_changed", "for_s": 0, **filters}]})
    tick_size = Decimal(filters["tick_size"])
    bot.wait(lambda: [one for one in bot.since(Rules, begun_ns) if one.body.tick_size == tick_size])


def test_books_agree_through_coarser_and_finer_rules_and_a_kill_of_the_connector(fine):
    for filters in ({"tick_size": "0.5", "lot_size": "0.0001"}, {"tick_size": "0.001"}, {"tick_size": "0.02"}):
        change_filters(fine, **filters)
        begun_ns = fine.now_ns()
        fine.wait(lambda begun_ns=begun_ns: fine.since(OrderUpdate, begun_ns), 60)
        fine.trade(filters["tick_size"])
        fine.assert_books_agree()
    os.kill(fine.pids()["binance"], signal.SIGKILL)
    begun_ns = fine.now_ns()
    fine.wait(lambda: fine.is_trading(begun_ns), 60)
    fine.trade(filters["tick_size"])
    fine.assert_books_agree()
    for kind in (OrderUpdate, Fill, BookDelta):
        latest = fine.last(kind).body
        assert (latest.price_digits, latest.size_digits) == (3, 5), kind
