"""The laws of orders, one story each: a whole connector, the local exchange, and a bad network between them."""

from decimal import Decimal

import msgspec
import pytest

from actors.log.secret import ApiKey, Secret
from actors.net import HttpAnswer
from connectors.core.records import CancelRecord, NewOrderRecord, ReportRecord, ResolvedRecord
from market.scale import Scale
from protocol import AnswerCode, OrdStatus, OrdType, Side, TimeInForce
from tests.connectors.conftest import LIMITS
from venue.base import demo

SYMBOL, ETH = "BTC-USDT", "ETH-USDT"
BID, ASK = 5_999_000, 6_001_000
FAR_BID = 5_900_000


@pytest.fixture
def world(new_world):
    return new_world().ready()


def key_of(world, order_ref):
    return world.connector.tracker.by_order_ref("maker", order_ref).cl_ord_id


# -- the plain way ------------------------------------------------------------------------------------


def test_an_order_is_placed_shown_and_cancelled(world):
    order_ref = world.place(Side.BUY, FAR_BID)
    world.run(0.1)
    assert world.trader.answers[order_ref].code is AnswerCode.OK
    assert world.last(order_ref).status is OrdStatus.NEW
    assert [row["clientOrderId"] for row in world.ledger["open_orders"]] == [world.last(order_ref).cl_ord_id]
    world.cancel(order_ref)
    world.run(0.1)
    assert world.last(order_ref).status is OrdStatus.CANCELED
    world.check()


def test_a_fill_is_published_once_though_the_answer_and_the_stream_both_report_it(world):
    order_ref = world.place(Side.BUY, ASK)
    world.run(1)
    assert world.last(order_ref).status is OrdStatus.FILLED
    assert [fill.last_lots for fill in world.trader.fills.values()] == [1_000]
    assert sum(isinstance(one, ReportRecord) for one in world.records) == 1
    world.check()


def test_a_resting_order_is_filled_in_parts_and_cancelled_with_the_rest(world):
    order_ref = world.place(Side.BUY, BID + 100, 5_000)
    world.run(0.1)
    world.trade_by_hand("SELL", "59991", "0.02")
    world.trade_by_hand("SELL", "59991", "0.01")
    world.run(0.1)
    assert world.last(order_ref).status is OrdStatus.PARTIALLY_FILLED
    assert world.last(order_ref).cum_lots == 3_000
    world.cancel(order_ref)
    world.run(0.1)
    assert (world.last(order_ref).status, world.last(order_ref).cum_lots) == (OrdStatus.CANCELED, 3_000)
    assert [fill.fill_no for fill in world.trader.fills.values()] == [1, 2]
    world.check()


def test_a_market_order_and_an_order_that_does_not_wait(world):
    bought = world.place(Side.BUY, 0, 700, OrdType.MARKET)
    expired = world.place(Side.BUY, BID, 700, OrdType.LIMIT, TimeInForce.IOC)
    refused = world.place(Side.BUY, ASK, 700, OrdType.LIMIT_MAKER)
    world.run(0.2)
    assert world.last(bought).status is OrdStatus.FILLED
    assert world.last(expired).status is OrdStatus.EXPIRED
    assert world.last(refused).status is OrdStatus.REJECTED
    assert "immediately match" in world.last(refused).reason
    world.check()


def test_replacing_cancels_the_old_order_and_places_the_new_one(world):
    old = world.place(Side.SELL, 6_050_000)
    world.run(0.1)
    new = world.replace(old, 6_060_000, 1_500)
    world.run(0.1)
    assert world.last(old).status is OrdStatus.CANCELED
    assert (world.last(new).status, world.last(new).price_ticks) == (OrdStatus.NEW, 6_060_000)
    world.check()


def test_an_order_that_was_filled_just_before_is_not_replaced(world):
    old = world.place(Side.BUY, BID + 100)
    world.run(0.1)
    world.trade_by_hand("SELL", "59991", "0.01")
    new = world.replace(old, BID + 200)
    world.run(1.5)
    assert world.last(old).status is OrdStatus.FILLED
    assert world.last(new).status is OrdStatus.NOT_PLACED
    world.check()


# -- law 1: the journal comes first ---------------------------------------------------------------------


def test_the_order_is_in_the_journal_before_its_request_leaves(world):
    world.place(Side.BUY, FAR_BID)
    sim, seen = world.sim, []
    real = world.venue.http

    def http(request, path, now_ns):
        if request.method == "POST":
            seen.append([one for one in world.records if isinstance(one, NewOrderRecord)])
        return real(request, path, now_ns)

    world.venue.http = http
    sim.run_for(0.1)
    assert len(seen) == 1
    assert seen[0][0].cl_ord_id == world.placements()[0]


def test_an_order_that_cannot_be_journaled_is_not_sent(world):
    world.sim.disk_troubles["binance"] = "no space left on device"
    order_ref = world.place(Side.BUY, FAR_BID)
    world.run(0.5)
    assert world.last(order_ref).status is OrdStatus.NOT_PLACED
    assert world.placements() == []
    assert world.state == ("HALTED", "no order is placed until the journal can be written: no space left on device")
    again = world.place(Side.BUY, FAR_BID)
    world.run(0.1)
    assert world.trader.answers[again].code is AnswerCode.REFUSED


def test_a_full_disk_stops_orders_and_not_cancels(world):
    order_ref = world.place(Side.BUY, FAR_BID)
    world.run(0.1)
    world.sim.disk_troubles["binance"] = "no space left on device"
    world.cancel(order_ref)
    world.run(0.5)
    assert world.ledger["open_orders"] == []
    assert world.last(order_ref).status is OrdStatus.CANCELED


# -- law 2: an error is not evidence --------------------------------------------------------------------


@pytest.mark.parametrize("fate", ["unanswered", "late", "503", "1007", "cut"])
def test_an_accepted_order_whose_answer_is_lost_is_found(world, fate):
    world.net.next_http["POST", "order"] = [fate]
    world.net.event_rate = 0.0
    order_ref = world.place(Side.BUY, FAR_BID)
    world.run(3)
    assert world.last(order_ref).status is OrdStatus.NEW
    assert len(world.placements()) == 1
    world.check()


@pytest.mark.parametrize("fate", ["unanswered", "503", "cut"])
def test_without_the_user_stream_too_a_query_finds_it(world, fate):
    world.control("POST", "faults", silence={"kind": "user", "seconds": 600})
    world.net.next_http["POST", "order"] = [fate]
    order_ref = world.place(Side.BUY, FAR_BID)
    world.run(0.5)
    assert world.last(order_ref).status is OrdStatus.UNKNOWN
    world.run(3)
    assert world.last(order_ref).status is OrdStatus.NEW
    assert len(world.placements()) == 1


def test_an_order_that_never_arrived_is_absent_only_after_enough_evidence(world):
    world.net.next_http["POST", "order"] = ["lost"]
    order_ref = world.place(Side.BUY, FAR_BID)
    world.run(70)
    assert world.last(order_ref).status is OrdStatus.UNKNOWN
    assert world.connector.tracker.exposure("BTC-USDT").buy_lots == 1_000
    world.run(50)
    assert world.last(order_ref).status is OrdStatus.NOT_PLACED
    assert "not found 3 times" in world.last(order_ref).reason
    assert world.connector.tracker.exposure("BTC-USDT").buy_lots == 0
    assert len(world.placements()) == 1
    resolved = [one for one in world.records if isinstance(one, ResolvedRecord)]
    assert [one.status for one in resolved] == [OrdStatus.UNKNOWN, OrdStatus.NOT_PLACED]


def test_a_refused_connection_means_that_the_order_was_never_sent(world):
    world.sim.services["venue"].up = False
    order_ref = world.place(Side.BUY, FAR_BID)
    world.run(0.05)
    world.sim.services["venue"].up = True
    assert world.last(order_ref).status is OrdStatus.NOT_PLACED
    assert world.connector.tracker.open == {}


def test_a_definite_reject_ends_an_order_at_once(world):
    code = {"code": -2010, "msg": "Account has insufficient balance for requested action."}
    world.control("POST", "faults", error_next={"method": "POST", "path": "/api/v3/order", "status": 400, **code})
    order_ref = world.place(Side.BUY, FAR_BID)
    world.run(0.1)
    assert world.last(order_ref).status is OrdStatus.REJECTED
    assert "insufficient balance" in world.last(order_ref).reason


def test_a_duplicate_reject_is_evidence_that_the_order_exists(world):
    fault = {"method": "POST", "path": "/api/v3/order", "status": 400, "code": -2010, "msg": "Duplicate order sent."}
    world.control("POST", "faults", error_next={**fault, "accepted": True})
    order_ref = world.place(Side.BUY, FAR_BID)
    world.run(0.5)
    assert world.last(order_ref).status is OrdStatus.NEW
    world.check()


def test_an_order_found_after_it_was_given_up_is_adopted_and_cancelled(world):
    world.net.next_http["POST", "order"] = ["lost"]
    order_ref = world.place(Side.BUY, FAR_BID)
    world.run(120)
    assert world.last(order_ref).status is OrdStatus.NOT_PLACED
    name = key_of(world, order_ref)
    world.signed(
        "POST", "order", demo.MAKER_KEY, demo.MAKER_SECRET, symbol="BTCUSDT", side="BUY", type="LIMIT",
        timeInForce="GTC", quantity="0.01", price="59000", newClientOrderId=name,
    )  # fmt: skip
    world.run(1)
    assert world.last(order_ref).status is OrdStatus.CANCELED
    assert world.ledger["open_orders"] == []


# -- law 3: one request per id --------------------------------------------------------------------------


def test_no_placement_is_ever_sent_twice(world):
    world.net.next_http["POST", "order"] = ["lost", "503", "unanswered", "cut"]
    for number in range(4):
        world.place(Side.BUY, FAR_BID - number)
    world.run(10)
    world.kill_connector()
    world.start_connector()
    world.run(130)
    assert len(world.placements()) == len(set(world.placements())) == 4
    world.check()


# -- law 4: cancels until confirmed -----------------------------------------------------------------------


def test_a_cancel_lost_by_the_exchange_is_sent_again(world):
    order_ref = world.place(Side.BUY, FAR_BID)
    world.run(0.1)
    world.net.next_http["DELETE", "order"] = ["lost", "refused", "lost"]
    world.cancel(order_ref)
    world.run(12)
    assert world.last(order_ref).status is OrdStatus.CANCELED
    assert sum(method == "DELETE" for _, method, _ in world.net.requests) == 4


def test_a_wanted_cancel_survives_a_restart(world):
    order_ref = world.place(Side.BUY, FAR_BID)
    world.run(0.1)
    world.net.next_http["DELETE", "order"] = ["lost"]
    world.cancel(order_ref)
    world.run(0.01)
    world.kill_connector()
    assert any(isinstance(one, CancelRecord) for one in world.records)
    world.start_connector()
    world.run(5)
    assert world.ledger["open_orders"] == []
    world.check()


def test_a_cancel_that_overtakes_its_placement_ends_nothing(world):
    world.net.next_http["POST", "order"] = ["lost"]
    order_ref = world.place(Side.BUY, FAR_BID)
    world.cancel(order_ref)
    world.run(20)
    assert world.last(order_ref).status is OrdStatus.UNKNOWN
    assert world.last(order_ref).cancel_wanted
    # The request was stuck on the way, and arrives only now.
    name = key_of(world, order_ref)
    world.signed(
        "POST", "order", demo.MAKER_KEY, demo.MAKER_SECRET, symbol="BTCUSDT", side="BUY", type="LIMIT",
        timeInForce="GTC", quantity="0.01", price="59000", newClientOrderId=name,
    )  # fmt: skip
    world.run(6)
    assert world.last(order_ref).status is OrdStatus.CANCELED
    assert world.ledger["open_orders"] == []


def test_stopping_cancels_what_is_open(world):
    world.place(Side.BUY, FAR_BID)
    world.place(Side.SELL, 6_100_000)
    world.run(0.2)
    world.net.next_http["DELETE", "order"] = ["refused"]
    world.sim.request_stop("binance")
    world.run(3)
    assert world.ledger["open_orders"] == []
    assert "binance" not in world.sim.processes


# -- law 5: fills once ----------------------------------------------------------------------------------


def test_a_fill_that_only_the_exchange_knows_is_found_after_a_restart(world):
    order_ref = world.place(Side.BUY, BID + 100)
    world.run(0.1)
    world.kill_connector()
    world.trade_by_hand("SELL", "59991", "0.01")
    world.start_connector()
    world.run(1)
    assert world.last(order_ref).status is OrdStatus.FILLED
    assert len(world.trader.fills) == 1
    world.check()


def test_a_restart_does_not_count_a_fill_again(world):
    world.place(Side.BUY, ASK)
    world.run(1)
    for _ in range(3):
        world.kill_connector()
        world.start_connector()
        world.run(2)
    assert [owner.fill_no for owner in world.connector.tracker.owners.values()] == [1]
    assert world.trader.fill_no == 1
    world.check()


def test_a_fill_whose_event_was_lost_is_found(world):
    order_ref = world.place(Side.BUY, BID + 100)
    world.run(0.1)
    world.net.event_rate = 1.0
    world.net.random.seed(0)
    world.control("POST", "faults", silence={"kind": "user", "seconds": 2})
    world.trade_by_hand("SELL", "59991", "0.01")
    world.net.event_rate = 0
    world.run(31)
    assert world.last(order_ref).status is OrdStatus.FILLED
    world.check()


def test_fills_of_the_hole_are_found_when_the_user_stream_was_dropped(world):
    order_ref = world.place(Side.BUY, BID + 100)
    world.run(0.1)
    world.control("POST", "drop", kind="user")
    world.trade_by_hand("SELL", "59991", "0.01")
    world.until(lambda: world.last(order_ref).status is OrdStatus.FILLED, 2)
    world.until(lambda: world.state[0] == "TRADING", 2)
    world.check()


# -- law 6: reconciliation first ------------------------------------------------------------------------


def test_nothing_is_placed_before_the_first_reconciliation(new_world):
    world = new_world()
    world.net.next_http["GET", "openOrders"] = ["refused"] * 4
    world.run(2)
    assert world.state[0] == "RECONCILING"
    order_ref = world.place(Side.BUY, FAR_BID)
    world.run(0.1)
    assert world.trader.answers[order_ref].code is AnswerCode.REFUSED
    assert "RECONCILING" in world.trader.answers[order_ref].text
    world.until(lambda: world.state[0] == "TRADING", 20)
    assert world.placements() == []


def test_a_second_pass_over_an_unchanged_account_publishes_nothing(world):
    world.place(Side.BUY, ASK)
    world.place(Side.BUY, FAR_BID)
    world.run(2)
    before = len(world.records), len(world.trader.updates), world.connector.orders.reconciler.passes
    world.run(100)
    assert world.connector.orders.reconciler.passes >= before[2] + 3
    assert (len(world.records), len(world.trader.updates)) == before[:2]


def test_external_orders_are_shown_and_not_touched(world):
    world.trade_by_hand("BUY", "58000", "0.1", key=demo.MAKER_KEY)
    world.run(0.1)
    world.cancel_all()
    world.command("cancel_all")
    world.run(40)
    assert [row["price"] for row in world.ledger["open_orders"]] == ["58000.00000000"]
    shown = world.connector.snapshot("ord.binance.@external.", 0)
    assert [(row.price_ticks, row.size_lots) for row in shown.orders] == [(5_800_000, 10_000)]
    world.check()


def test_a_mistyped_market_is_refused_and_not_taken_for_one_without_orders(world):
    order_ref = world.place(Side.BUY, BID, 1_000)
    world.run(1)
    mistyped = world.command("cancel_all", "BTCUSDT")
    world.run(1)
    text = "no market 'BTCUSDT' here, nothing is cancelled: the markets are BTC-USDT"
    assert world.trader.answers[mistyped].text == text
    assert world.last(order_ref).status is OrdStatus.NEW
    world.command("cancel_all", "BTC-USDT")
    world.run(1)
    assert world.last(order_ref).status is OrdStatus.CANCELED


def test_external_trades_do_not_move_our_position(world):
    world.trade_by_hand("BUY", "60010", "0.1", key=demo.MAKER_KEY)
    world.place(Side.SELL, BID, 500)
    world.run(700)
    assert world.connector.tracker.exposure("BTC-USDT").held_lots == -500
    assert world.connector.tracker.trade_ids.floors["BTC-USDT"] == 2
    world.check()


def test_a_journal_that_lost_its_last_records_finds_its_order_again(world):
    world.place(Side.BUY, ASK)
    world.run(1)
    kept = len(world.sim.journals["binance", "orders"])
    world.place(Side.BUY, FAR_BID)
    filled = world.place(Side.BUY, BID + 100)
    world.run(0.2)
    world.trade_by_hand("SELL", "59991", "0.004")
    world.run(0.2)
    world.kill_connector()
    del world.sim.journals["binance", "orders"][kept:]
    world.trader.fills.popitem()
    world.trader.fill_no -= 1  # a strategy keeps up with the journal it follows
    world.start_connector()
    world.run(3)
    assert world.ledger["open_orders"] == []
    assert filled
    assert world.connector.tracker.exposure("BTC-USDT").held_lots == 1_398  # bought 1_400, less the commissions in BTC
    again = world.place(Side.BUY, FAR_BID)
    world.run(1)
    assert world.last(again).status is OrdStatus.NEW
    world.check()


def test_another_account_under_the_same_journal_is_refused(world):
    world.kill_connector()
    world.keys = ApiKey(demo.EXTERNAL_KEY, Secret(demo.EXTERNAL_SECRET))
    world.start_connector()
    world.run(2)
    assert world.state[0] == "HALTED"
    assert "account 2" in world.state[1]


# -- law 7: the gate ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("side", "price_ticks", "size_lots", "why"),
    [
        (Side.BUY, FAR_BID, 40_000, "max_order_notional"),
        (Side.BUY, 3_000_000, 1_000, "from the mid price"),
        (Side.SELL, 9_000_000, 1_000, "from the mid price"),
        (Side.BUY, FAR_BID, 1, "NOTIONAL"),
        (Side.BUY, FAR_BID, 0, "size_lots"),
    ],
)
def test_the_risk_check_stops_orders_over_a_limit(world, side, price_ticks, size_lots, why):
    order_ref = world.place(side, price_ticks, size_lots)
    world.run(0.1)
    assert world.trader.answers[order_ref].code is AnswerCode.REFUSED
    assert why in world.trader.answers[order_ref].text
    assert world.placements() == []


def test_orders_that_may_be_live_count_in_the_position(world):
    for number in range(5):
        world.place(Side.BUY, FAR_BID - number, 30_000)
    world.run(1.5)
    over = world.place(Side.BUY, FAR_BID - 9, 30_000)
    other_side = world.place(Side.SELL, 6_050_000, 30_000)
    world.run(0.1)
    assert "max_position" in world.trader.answers[over].text
    assert world.trader.answers[other_side].code is AnswerCode.OK


def test_a_stale_book_lets_nothing_through(world):
    world.control("POST", "faults", silence={"kind": "market", "seconds": 600})
    world.net.next_http["GET", "depth"] = ["refused"] * 1000
    world.run(20)
    order_ref = world.place(Side.BUY, FAR_BID)
    world.run(0.1)
    assert world.trader.answers[order_ref].code is AnswerCode.REFUSED
    assert "book" in world.trader.answers[order_ref].text


def test_pausing_stops_orders_and_resuming_lets_them_through(world):
    resting = world.place(Side.BUY, FAR_BID)
    world.run(0.1)
    world.command("pause", "lunch")
    refused = world.place(Side.BUY, FAR_BID - 1)
    world.cancel(resting)
    world.run(0.1)
    assert "lunch" in world.trader.answers[refused].text
    assert world.last(resting).status is OrdStatus.CANCELED
    world.command("resume")
    accepted = world.place(Side.BUY, FAR_BID - 2)
    world.run(0.1)
    assert world.last(accepted).status is OrdStatus.NEW


def test_the_kill_switch_works_without_the_bus(world):
    resting = world.place(Side.BUY, FAR_BID)
    world.run(0.1)
    world.kill_level = 1
    refused = world.place(Side.BUY, FAR_BID - 1)
    world.run(1)
    assert "kill switch" in world.trader.answers[refused].text
    assert world.last(resting).status is OrdStatus.NEW
    world.kill_level = 2
    world.run(1)
    assert world.last(resting).status is OrdStatus.CANCELED


# -- limits, clocks, keys, streams ----------------------------------------------------------------------


def test_nothing_is_sent_while_the_exchange_pauses_requests(world):
    order_ref = world.place(Side.BUY, FAR_BID)
    world.run(0.1)
    real = world.venue.http
    world.venue.http = lambda request, path, now_ns: (
        (HttpAnswer(429, {"retry-after": "20"}, b'{"code":-1003,"msg":"Too many requests"}'), 0)
        if request.method == "DELETE"
        else real(request, path, now_ns)
    )
    world.cancel(order_ref)
    world.run(0.1)
    world.venue.http = real
    began = len(world.net.requests)
    new = world.place(Side.BUY, FAR_BID - 1)
    world.run(19.5)
    assert len(world.net.requests) == began
    assert world.trader.answers[new].code is AnswerCode.REFUSED
    world.run(5)
    assert world.last(order_ref).status is OrdStatus.CANCELED


def test_a_refused_timestamp_reads_the_clock_anew(world):
    fault = {"method": "POST", "path": "/api/v3/order", "status": 400, "code": -1021, "msg": "Timestamp"}
    world.control("POST", "faults", error_next=fault)
    asked = sum(path.endswith("/time") for _, _, path in world.net.requests)
    order_ref = world.place(Side.BUY, FAR_BID)
    world.run(1)
    assert world.last(order_ref).status is OrdStatus.NOT_PLACED
    assert sum(path.endswith("/time") for _, _, path in world.net.requests) == asked + 5
    assert world.state[0] == "TRADING"


def test_a_clock_that_is_wrong_by_an_hour_still_trades(new_world):
    world = new_world()
    hour_ns = 3_600 * 1_000_000_000
    real = world.venue.http, world.venue.receive
    world.venue.http = lambda request, path, now_ns: real[0](request, path, now_ns + hour_ns)
    world.venue.receive = lambda conn_id, data, now_ns: real[1](conn_id, data, now_ns + hour_ns)
    world.ready()
    assert abs(world.connector.client.clock.offset_ns - hour_ns) < 10_000_000
    order_ref = world.place(Side.BUY, FAR_BID)
    world.run(0.1)
    assert world.last(order_ref).status is OrdStatus.NEW


def test_a_wrong_key_halts_with_the_reason(new_world):
    world = new_world()
    world.kill_connector()
    world.keys = ApiKey(demo.MAKER_KEY, Secret("not the secret"))
    world.start_connector()
    world.run(3)
    assert world.state[0] == "HALTED"
    assert "key" in world.state[1]
    assert "not the secret" not in repr(world.state)


def test_without_keys_there_is_market_data_and_no_order(new_world):
    world = new_world()
    world.kill_connector()
    world.keys = None
    world.start_connector()
    world.run(3)
    assert world.state[0] == "DATA"
    order_ref = world.place(Side.BUY, FAR_BID)
    world.run(0.1)
    assert world.trader.answers[order_ref].code is AnswerCode.REFUSED


def test_a_silent_user_stream_is_noticed_and_polling_stands_in(world):
    world.control("POST", "faults", silence={"kind": "user", "seconds": 25})
    resting = world.place(Side.BUY, BID + 100)
    world.run(6)
    assert world.state[0] == "DEGRADED"
    world.trade_by_hand("SELL", "59991", "0.01")
    world.until(lambda: world.last(resting).status is OrdStatus.FILLED, 3)
    world.run(20)
    world.place(Side.BUY, FAR_BID)
    world.run(1)
    world.until(lambda: world.state[0] == "TRADING", 10)
    world.check()


def test_a_dead_exchange_at_the_start_is_waited_for(new_world):
    world = new_world()
    world.sim.services["venue"].up = False
    world.run(20)
    assert world.state[0] == "CONNECTING"
    world.sim.services["venue"].back(world.venue)
    world.until(lambda: world.state[0] == "TRADING", 40)


def test_fees_of_the_account_go_out_with_the_rules(world):
    rules = world.connector.feed.snapshot("md.binance.BTC-USDT.rules.", 0)
    assert (rules.maker_fee, rules.taker_fee) == (Decimal("0.001"), Decimal("0.001"))


def test_the_journal_is_compacted_and_leads_to_the_same_state(new_world):
    world = new_world(compact_records=50).ready()
    for number in range(60):
        world.place(Side.BUY, FAR_BID - number, 100)
        if number % 3 == 0:
            world.place(Side.BUY, ASK, 100)
        if number % 4 == 3:
            world.cancel_all()
        world.run(0.1)
    assert len(world.sim.journals["binance", "orders"]) < 100
    before = world.connector.tracker.snapshot("maker", 0)
    world.kill_connector()
    world.start_connector()
    world.run(3)
    after = world.connector.tracker.snapshot("maker", 0)
    assert sorted(after.orders, key=lambda one: one.cl_ord_id) == sorted(before.orders, key=lambda one: one.cl_ord_id)
    assert (after.positions, after.fills) == (before.positions, before.fills)
    world.check()


# -- what each way of learning the truth finds alone ----------------------------------------------------


def test_a_slow_placement_is_unknown_and_queried_before_it_times_out(world):
    world.net.next_http["POST", "order"] = ["late"]
    world.control("POST", "faults", silence={"kind": "user", "seconds": 3})
    order_ref = world.place(Side.BUY, FAR_BID)
    world.run(1.3)
    assert world.last(order_ref).status is OrdStatus.UNKNOWN
    assert "no answer for 1000 ms" in world.last(order_ref).reason
    world.run(1.5)
    assert world.last(order_ref).status is OrdStatus.NEW


def test_what_was_on_its_way_is_unknown_after_a_restart(world):
    order_ref = world.place(Side.BUY, FAR_BID)
    world.run(0.001)
    world.kill_connector()
    world.start_connector()
    world.run(0.001)
    assert world.connector.tracker.by_order_ref("maker", order_ref).status is OrdStatus.UNKNOWN
    world.run(3)
    assert world.last(order_ref).status is OrdStatus.NEW


def test_a_fill_between_the_loss_of_the_stream_and_its_return_is_found_when_it_returns(new_world):
    world = new_world(poll_ms=60_000, reconcile_ms=600_000).ready()
    order_ref = world.place(Side.BUY, BID + 100)
    world.run(0.1)
    world.venue.is_closed = True
    world.control("POST", "drop", kind="user")
    world.run(0.5)
    passes = world.connector.orders.reconciler.passes
    world.trade_by_hand("SELL", "59991", "0.01")
    world.run(0.5)
    assert world.connector.orders.reconciler.passes == passes
    world.venue.is_closed = False
    world.until(lambda: world.state[0] == "TRADING", 10)
    world.run(0.2)
    assert world.last(order_ref).status is OrdStatus.FILLED
    world.check()


def test_a_cancel_that_shows_a_fill_we_do_not_know_brings_it(new_world):
    world = new_world(poll_ms=60_000, reconcile_ms=600_000).ready()
    order_ref = world.place(Side.BUY, BID + 100)
    world.run(0.1)
    world.control("POST", "faults", silence={"kind": "user", "seconds": 600})
    world.trade_by_hand("SELL", "59991", "0.004")
    world.cancel(order_ref)
    world.run(0.1)
    assert world.last(order_ref).status is OrdStatus.PENDING_CANCEL
    world.run(2)
    assert (world.last(order_ref).status, world.last(order_ref).cum_lots) == (OrdStatus.CANCELED, 400)
    assert len(world.trader.fills) == 1


def test_trades_of_another_order_are_not_booked_though_the_exchange_sends_them(new_world):
    world = new_world(poll_ms=60_000, reconcile_ms=600_000).ready()
    world.trade_by_hand("BUY", "60010", "0.1", key=demo.MAKER_KEY)
    order_ref = world.place(Side.BUY, BID + 100)
    world.run(0.1)
    account = world.venue.exchange.accounts.by_name["maker"]

    class AllTheSame(dict):
        def get(self, order_id, default):
            return account.executions

    world.control("POST", "faults", silence={"kind": "user", "seconds": 600})
    world.trade_by_hand("SELL", "59991", "0.004")
    account.executions_by_order = AllTheSame()
    world.cancel(order_ref)
    world.run(5)
    assert (world.last(order_ref).status, world.last(order_ref).cum_lots) == (OrdStatus.CANCELED, 400)


def test_an_order_cancelled_by_hand_is_found_closed(new_world):
    world = new_world(poll_ms=60_000, reconcile_ms=5_000).ready()
    order_ref = world.place(Side.BUY, FAR_BID)
    world.run(0.1)
    world.control("POST", "faults", silence={"kind": "user", "seconds": 600})
    world.signed(
        "DELETE", "order", demo.MAKER_KEY, demo.MAKER_SECRET, symbol="BTCUSDT",
        origClientOrderId=key_of(world, order_ref),
    )  # fmt: skip
    world.run(8)
    assert world.last(order_ref).status is OrdStatus.CANCELED


def test_more_trades_than_one_answer_holds_are_all_found(world, monkeypatch):
    monkeypatch.setattr("connectors.binance.requests.TRADES_PAGE", 3)
    monkeypatch.setattr("connectors.binance.requests.BinanceOrders.trades_page", 3)
    order_ref = world.place(Side.BUY, BID + 100, 10_000)
    world.run(0.1)
    world.kill_connector()
    for _ in range(10):
        world.trade_by_hand("SELL", "59991", "0.01")
    world.start_connector()
    world.run(3)
    assert world.last(order_ref).status is OrdStatus.FILLED
    assert len(world.trader.fills) == 10
    world.check()


@pytest.mark.parametrize("fate", ["lost", "unanswered", "503", "cut", "refused"])
def test_a_replacement_without_an_answer_leaves_two_orders_to_be_resolved(world, fate):
    old = world.place(Side.BUY, FAR_BID)
    world.run(0.1)
    world.net.next_http["POST", "cancelReplace"] = [fate]
    new = world.replace(old, FAR_BID + 100)
    world.run(4)
    arrived = fate not in ("lost", "refused")
    assert world.last(old).status is OrdStatus.CANCELED
    assert world.last(new).status is (OrdStatus.NEW if arrived else OrdStatus.UNKNOWN)
    world.run(120)
    assert world.last(new).status is (OrdStatus.NEW if arrived else OrdStatus.NOT_PLACED)
    world.check()


@pytest.mark.parametrize("slow_ms", [0, 300])
def test_a_complete_user_stream_is_never_reconnected(world, slow_ms):
    world.net.slow_ns = slow_ms * 1_000_000
    for number in range(20):
        order_ref = world.place(Side.BUY, FAR_BID - number)
        world.run(1)
        world.cancel(order_ref)
        world.run(1)
        assert world.state == ("TRADING", "")
    assert world.connector.orders.user_stream.session.connects == 1


def test_a_kill_at_any_record_of_an_order_loses_nothing(new_world):
    for cut in range(1, 14):
        world = new_world().ready()
        start = len(world.sim.journals["binance", "orders"])
        process = world.sim.processes["binance"]
        port, real = process.port, process.port.append

        def append(journal, record, world=world, process=process, real=real, start=start, cut=cut):
            trouble = real(journal, record)
            if len(world.sim.journals["binance", "orders"]) == start + cut:
                process.alive = False  # kill -9: nothing of what was to follow happens
                world.sim.at(world.sim.now_ns, world.kill_connector)
            return trouble

        port.append = append
        resting = world.place(Side.BUY, BID + 100, 3_000)
        world.run(0.1)
        world.trade_by_hand("SELL", "59991", "0.01")
        world.run(0.1)
        if "binance" in world.sim.processes:
            world.place(Side.SELL, BID - 100, 700)
            world.cancel(resting)
        world.run(0.5)
        if "binance" in world.sim.processes:
            world.kill_connector()
        world.start_connector()
        world.run(130)
        world.check()


def change_tick(world, tick: str) -> None:
    """The exchange has a new tick size, and its rules include it."""
    symbol = world.venue.exchange.engine.symbols["BTCUSDT"]
    real = world.venue.http
    assert symbol

    def http(request, path, now_ns):
        answer, delay_ns = real(request, path, now_ns)
        if "exchangeInfo" in path:
            answer.body = answer.body.replace(b'"tickSize":"0.01000000"', f'"tickSize":"{tick}"'.encode())
        return answer, delay_ns

    world.venue.http = http
    world.connector.feed.rules.request([SYMBOL])
    world.run(0.5)


def test_a_coarser_tick_is_used_at_once_and_an_order_of_before_keeps_its_price(world):
    resting = world.place(Side.BUY, FAR_BID + 1)
    world.run(0.1)
    change_tick(world, "0.10000000")
    off = world.place(Side.BUY, FAR_BID + 7)
    accepted = world.place(Side.BUY, FAR_BID)
    world.run(0.5)
    assert "not a multiple of the tick size 0.1" in world.trader.answers[off].text
    assert world.last(accepted).status is OrdStatus.NEW
    assert (world.last(resting).status, world.last(resting).price_ticks) == (OrdStatus.NEW, FAR_BID + 1)
    assert [row["price"] for row in world.ledger["open_orders"]] == ["59000.01000000", "59000.00000000"]


def test_a_finer_tick_is_used_at_once_and_an_order_of_before_keeps_its_price(world):
    resting = world.place(Side.BUY, FAR_BID)
    world.run(0.1)
    change_tick(world, "0.00100000")
    assert world.connector.tracker.scales[SYMBOL] == Scale(3, 5)
    world.cancel(resting)
    world.run(0.5)
    cancelled = world.last(resting)
    assert (cancelled.status, cancelled.price_ticks, cancelled.price_digits) == (OrdStatus.CANCELED, 10 * FAR_BID, 3)
    accepted = world.place(Side.BUY, 10 * FAR_BID)
    world.run(0.5)
    assert world.last(accepted).status is OrdStatus.NEW
    assert [row["price"] for row in world.ledger["open_orders"]] == ["59000.00000000"]


def test_a_broken_rule_makes_the_rules_be_read_again_once(world):
    fault = {"method": "POST", "path": "/api/v3/order", "status": 400, "code": -1013, "msg": "Filter failure: X"}
    for number in range(3):
        world.control("POST", "faults", error_next=fault)
        world.place(Side.BUY, FAR_BID - number)
        world.run(1)
    assert sum("exchangeInfo" in path for _, _, path in world.net.requests) == 2


def test_an_operator_may_stop_it(world):
    world.place(Side.BUY, FAR_BID)
    world.run(0.1)
    world.command("stop")
    world.run(2)
    assert "binance" not in world.sim.processes
    assert world.ledger["open_orders"] == []


@pytest.mark.parametrize("logon", ["signature", "session"])
def test_an_ed25519_key_trades_too_and_either_logon_brings_the_user_stream(new_world, logon):
    world = new_world(logon=logon)
    world.kill_connector()
    world.keys = ApiKey(demo.ED25519_KEY, Secret(demo.ED25519_PRIVATE_PEM), "ed25519")
    world.start_connector()
    world.ready()
    order_refs = [world.place(Side.BUY, FAR_BID - number) for number in range(5)]
    world.run(0.2)
    assert {world.last(order_ref).status for order_ref in order_refs} == {OrdStatus.NEW}
    world.cancel_all()
    world.run(0.2)
    assert {world.last(order_ref).status for order_ref in order_refs} == {OrdStatus.CANCELED}
    world.check()


def test_orders_of_a_market_that_was_dropped_from_the_settings_are_tracked_and_cancelled(new_world):
    world = new_world(symbols=(SYMBOL, ETH)).ready()
    order_ref = world.place(Side.BUY, FAR_BID)
    world.run(0.1)
    world.kill_connector()
    world.settings = msgspec.structs.replace(world.settings, markets=[ETH], limits={ETH: LIMITS})
    world.start_connector()
    world.run(5)
    assert world.state == ("TRADING", "BTC-USDT: 1 orders may be live, and it is not in `markets`")
    again = world.place(Side.BUY, FAR_BID)
    world.trade_by_hand("SELL", "59000", "0.005")
    world.run(1)
    assert "does not serve BTC-USDT" in world.trader.answers[again].text
    assert world.last(order_ref).cum_lots == 500
    world.cancel(order_ref)
    world.run(1)
    assert world.last(order_ref).status is OrdStatus.CANCELED
    refused = "orders refused by the connector's check (1), the latest: binance does not serve BTC-USDT"
    assert world.state == ("TRADING", refused)
