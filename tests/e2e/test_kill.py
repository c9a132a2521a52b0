"""Processes of a bot are killed while it trades: each restarts, the others keep running, no order or fill is lost."""

import os
import signal

import pytest

from actors.live.lock import holder
from protocol import Fill, Health, Heartbeat, TickReport

pytestmark = pytest.mark.process

SECOND_NS = 1_000_000_000


@pytest.mark.parametrize("name", ["maker", "binance", "clockd", "venue"])
def test_a_killed_process_restarts_and_the_others_keep_running(bot, name):
    bot.trade()
    before = bot.pids()
    bot.receive()
    killed_ns = bot.now_ns()
    os.kill(before[name], signal.SIGKILL)

    bot.wait(lambda: bot.pids().get(name) not in (None, 0, before[name]))
    bot.wait(lambda: bot.is_ticked(killed_ns) and bot.is_trading(killed_ns + SECOND_NS))
    assert {one: pid for one, pid in bot.pids().items() if one != name} == {
        one: pid for one, pid in before.items() if one != name
    }
    for other in {"maker", "binance", "clockd"} - {name}:
        beats = bot.since(Heartbeat, killed_ns, other)
        assert {beat.body.pid for beat in beats} == {before[other]}, other
        ticks = bot.since(TickReport, killed_ns)
        assert ticks
        if name != "clockd" and other != "clockd":  # an actor that runs is in every tick
            assert all(other in {hop for hop, _ in one.body.hops} for one in ticks[1:-1]), other
    bot.trade()
    bot.assert_books_agree()


def test_websockets_dropped_by_the_exchange_are_back_within_two_seconds_and_nothing_is_missed(bot):
    took_ns = []
    for _ in range(5):  # on a busy machine one may be slow for other reasons
        bot.trade()
        bot.receive()
        fills = len(bot.ledger()["trades"])
        dropped_ns = bot.now_ns()
        assert bot.call("POST", "/control/drop", {})["dropped"] >= 2
        filled_meanwhile = any(bot.trade_against_us() > fills for _ in range(5))  # orders of others may come first
        book = bot.wait(lambda since_ns=dropped_ns: bot.live_book(since_ns))
        healthy = bot.wait(lambda since_ns=dropped_ns: trading_again(bot, since_ns))
        bot.assert_books_agree()
        took_ns.append(max(book.ts_ns, healthy.ts_ns) - dropped_ns)
        if took_ns[-1] < 2 * SECOND_NS and filled_meanwhile:
            return
    raise AssertionError(f"back after {[one / 1e9 for one in took_ns]} s, a fill meanwhile: {filled_meanwhile}")


def trading_again(bot, since_ns):
    """Returns the connector's report that it trades again, after its report that it does not."""
    reports = bot.since(Health, since_ns, "binance")
    down = [one for one in reports if one.body.state != "TRADING"]
    again = [one for one in reports if one.body.state == "TRADING" and down and one.ts_ns >= down[0].ts_ns]
    return again[-1] if again else None


def test_a_fill_is_published_once_whatever_happened(bot):
    numbers = [one.body.fill_no for one in bot.since(Fill)]
    trades = [(one.body.trade_id, one.body.cl_ord_id) for one in bot.since(Fill)]
    assert len(numbers) == len(set(numbers)) > 0
    assert len(trades) == len(set(trades))


def test_a_killed_supervisord_leaves_no_process_and_the_bot_starts_again(bot):
    bot.trade()
    os.kill(holder(bot.run_dir, "supervisord"), signal.SIGKILL)
    bot.wait(lambda: not bot.processes())
    again_ns = bot.now_ns()
    bot.up()
    bot.wait(lambda: bot.is_ticked(again_ns) and bot.is_trading(again_ns), 60)
    bot.trade()
    bot.assert_books_agree()
    assert "up already" in bot.tickbus("up", bot.run_file)
    bot.tickbus("down", bot.run_file)
    bot.wait(lambda: not bot.processes())
