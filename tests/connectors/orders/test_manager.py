"""OrderManager: a process run begins with doubts and rechecks; its timer sees clock gaps and the kill switch."""

from types import SimpleNamespace

import pytest

from actors.log.secret import ApiKey, Secret
from actors.stages import NoStages
from connectors.core.records import CancelRecord, EpochRecord, ResolvedRecord
from connectors.core.reports import Outcome, Trouble, Verdict
from connectors.net.server_clock import SAMPLES
from connectors.orders.manager import CLOCK_GAP_NS, RULES_NS, OrderManager
from connectors.orders.order_settings import OrderSettings
from protocol import OrdStatus
from tests.connectors.parts import RULES, SECOND_NS, SYMBOL, TAG, Parts, report

KEYS = ApiKey("key", Secret("secret"))


class Surroundings(Parts):
    """A manager over a journal, with a feed that knows every market."""

    def __init__(self, orders, symbols=(SYMBOL,)) -> None:
        super().__init__(orders)
        self.rules_requests = []
        self.feed = SimpleNamespace(
            state="LIVE", detail="", troubles=dict, instrument=lambda symbol: RULES, book=lambda symbol: None,
            rules=SimpleNamespace(request=self.rules_requests.append), instruments=SimpleNamespace(troubles={}),
        )  # fmt: skip
        self.level = 0
        settings = OrderSettings(markets=list(symbols), limits={})
        self.manager = OrderManager(
            self.fx, settings, KEYS, self.tracker, self.ids, self.api, self.client, self.feed, self.scales, NoStages(),
            lambda: self.level, self.changed,
        )  # fmt: skip

    def started(self) -> "Surroundings":
        """With the exchange's time known, the manager begins with the account."""
        self.manager.start(2)
        self.fx.perform()
        for _ in range(SAMPLES):
            self.fx.answer(b'{"serverTime":0}')
        self.manager.refresh()
        self.fx.perform()
        return self


def test_a_process_run_begins_with_its_epoch_and_doubts_what_waits_for_an_answer(order):
    world = Surroundings([order])
    before = len(world.fx.records)
    world.manager.start(2)
    kinds = [type(one) for one in world.fx.records[before:]]
    assert kinds == [EpochRecord, ResolvedRecord]
    assert (world.tracker.epoch, world.tracker.tag) == (2, TAG), "the tag is the journal's, not the run's"
    assert world.tracker.orders[order.cl_ord_id].status is OrdStatus.UNKNOWN
    assert [one.orders[0].status for one in world.fx.messages("ord.binance.maker.") if hasattr(one, "orders")]
    assert world.fx.paths == ["GET time"]


def test_the_account_is_read_once_the_time_is_known(order):
    world = Surroundings([order])
    world.manager.start(2)
    world.manager.refresh()
    assert not world.manager.user_stream.is_started
    for _ in range(SAMPLES):
        world.fx.answer(b'{"serverTime":0}')
    world.manager.refresh()
    assert world.manager.user_stream.is_started
    assert "GET openOrders" in world.fx.paths


def test_the_account_is_read_while_no_rules_are_known(order):
    world = Surroundings([order])
    world.feed.instrument = lambda symbol: None
    world.started()
    assert "GET openOrders" in world.fx.paths


@pytest.mark.parametrize(("gap_ns", "reads"), [(CLOCK_GAP_NS + 1, True), (SECOND_NS, False)])
def test_after_the_machine_has_slept_the_clock_and_the_account_are_read_again(order, gap_ns, reads):
    world = Surroundings([order]).started()
    world.manager.reconciler.is_running = False
    world.manager.reconciler.done_ns = world.fx.now_ns
    world.fx.requests.clear()
    world.fx.now_ns += gap_ns  # no timer ran meanwhile
    world.manager._on_timer()
    assert ("GET time" in world.fx.paths) == reads
    assert ("GET openOrders" in world.fx.paths) == reads


def test_the_kill_switch_at_level_2_cancels_every_order(order):
    world = Surroundings([order]).started()
    world.reports.order(report(order), "query")
    world.fx.run(0.3)
    assert not any(isinstance(one, CancelRecord) for one in world.fx.records)
    world.level = 2
    world.fx.run(0.3)
    assert [one.by for one in world.fx.records if isinstance(one, CancelRecord)] == ["control"]


def test_a_broken_rule_reads_the_rules_again_at_most_once_a_minute(order):
    world = Surroundings([order])
    world.fx.now_ns = RULES_NS + 1
    for _ in range(3):
        world.manager.on_trouble(Verdict(Outcome.REJECTED, "filter", Trouble.RULES))
    assert world.rules_requests == [[SYMBOL]]
    world.fx.now_ns += RULES_NS + 1
    world.manager.on_trouble(Verdict(Outcome.REJECTED, "filter", Trouble.RULES))
    assert len(world.rules_requests) == 2


def test_it_may_stop_once_no_order_is_open(order):
    world = Surroundings([order]).started()
    world.reports.order(report(order), "query")
    world.manager.begin_stop()
    assert not world.manager.may_stop()
    world.reports.order(report(order, OrdStatus.CANCELED), "cancel")
    assert world.manager.may_stop()
