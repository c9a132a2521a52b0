"""CommandHandler: who may place, cancel and replace what, and what an operator's commands do."""

from types import SimpleNamespace

import msgspec
import pytest

from actors.stages import NoStages
from connectors.core.records import CancelRecord
from connectors.orders.command_handler import ALL_OWNERS, CommandHandler
from connectors.orders.owners import TAGS_MAX
from connectors.orders.refusal_counter import RefusalCounter
from connectors.orders.refusal_limit import RefusalLimit
from protocol import (
    ACCEPTED,
    CancelOrder,
    Control,
    OrdStatus,
    PlaceOrder,
    Refusal,
    RefusalCode,
    Refusals,
    ReleaseTag,
    ReplaceOrder,
    Side,
)
from tests.connectors.parts import RULES, SYMBOL, Parts, new_order, report


class FakeExecutor:
    """Notes what it is given; refuses with `refusal`."""

    def __init__(self) -> None:
        self.placed, self.replaced, self.refusal = [], [], ACCEPTED

    def place(self, order, owner):
        self.placed.append((owner, order.price_ticks))
        return self.refusal

    def replace(self, order, owner, old):
        self.replaced.append((owner, order, old))
        return self.refusal


class FakeGate:
    """Refuses with `reason`; notes what passed."""

    def __init__(self) -> None:
        self.reason, self.passed = ACCEPTED, []

    def refusal(self, *_):
        return self.reason

    def record_passed(self, order, owner, now_ns):
        self.passed.append(order.cmd_id)


class Surroundings(Parts):
    """A command handler over parts that the test sets."""

    def __init__(self) -> None:
        self.orders = [new_order(1), new_order(2, "taker", Side.SELL), new_order(3)]
        super().__init__(self.orders)
        for order in self.orders:
            self.reports.order(report(order, order_id=str(order.counter)), "placement")
        self.gate, self.executor = FakeGate(), FakeExecutor()
        self.status = SimpleNamespace(reason=ACCEPTED, why_not=lambda symbol: self.status.reason)
        self.refusals = RefusalCounter(self.fx, self.tracker, RefusalLimit(self.fx, 60))
        self.commands = CommandHandler(
            self.fx, self.status, self.gate, self.tracker, self.ids, self.journal, self.executor,
            SimpleNamespace(instruments={SYMBOL: RULES}), SimpleNamespace(book=lambda symbol: None), self.halts,
            self.missing, self.refusals, NoStages(),
        )  # fmt: skip

    def wanted(self):
        return sorted(one.terms.counter for one in self.tracker.open.values() if one.state.cancel_wanted)


@pytest.fixture
def world():
    return Surroundings()


def place(order_ref=80):
    return PlaceOrder(order_ref, 0, SYMBOL, Side.BUY, 100, 10)


def test_an_order_passes_status_then_the_risk_check_then_the_executor(world):
    assert world.commands.place(place(), "maker") == ""
    assert world.executor.placed == [("maker", 100)]
    assert world.gate.passed == [80]
    world.gate.reason = Refusal("over max_position")
    assert world.commands.place(place(81), "maker") == "over max_position"
    world.status.reason = Refusal("binance is HALTED")
    assert world.commands.place(place(82), "maker") == "binance is HALTED"
    assert len(world.executor.placed) == 1


def test_an_order_that_the_executor_refuses_does_not_count_in_the_risk_check(world):
    world.executor.refusal = Refusal("the exchange's rate limit is used up")
    assert "rate limit" in world.commands.place(place(), "maker")
    assert world.gate.passed == []


def test_refused_orders_are_counted_by_owner_and_cause_and_published_when_the_counts_change(world):
    world.gate.reason = Refusal("over max_position", RefusalCode.LIMIT)
    for order_ref, owner in ((80, "maker"), (81, "maker"), (82, "taker")):
        world.commands.place(place(order_ref), owner)
    world.commands.replace(ReplaceOrder(1, 0, 4_711, 101, 5), "maker")  # it has ended: no fault of anyone
    world.refusals.publish()
    world.refusals.publish()
    (message,) = world.fx.messages("sys.binance.refusals.")
    assert message == Refusals([("maker", RefusalCode.LIMIT, 2), ("taker", RefusalCode.LIMIT, 1)])
    decided = world.tracker.decide_status(world.orders[0].cl_ord_id, OrdStatus.REJECTED, "no", 1, RefusalCode.FUNDS)
    assert decided == [], "it is acknowledged"
    world.journal.commit([new_order(4)])
    name = new_order(4).cl_ord_id
    world.journal.commit(world.tracker.decide_status(name, OrdStatus.REJECTED, "no", 1, RefusalCode.FUNDS))
    world.refusals.publish()
    assert world.fx.messages("sys.binance.refusals.")[-1].by_exchange == [("maker", RefusalCode.FUNDS, 1)]


def test_an_order_between_two_ticks_of_the_connector_is_refused_and_counted(world):
    """A strategy has the finer scale of a journal that was lost since."""
    finer = msgspec.structs.replace(place(), price_ticks=1_001, price_digits=1, size_digits=1)
    assert world.commands.place(finer, "maker").code is RefusalCode.NEVER
    replacement = ReplaceOrder(81, 0, 71, 1_001, 5, 1, 1)
    assert world.commands.replace(replacement, "maker").code is RefusalCode.NEVER
    world.refusals.publish()
    assert world.fx.messages("sys.binance.refusals.")[-1].by_check == [("maker", RefusalCode.NEVER, 2)]
    assert world.wanted() == [], "the order to replace stays"


def test_one_number_of_an_owner_places_one_order(world):
    assert "placed already" in world.commands.place(place(71), "maker")
    assert world.commands.place(place(71), "taker") == "", "another owner has numbers of its own"


def test_an_owner_cancels_and_replaces_its_own_orders_alone(world):
    assert "no order 72" in world.commands.cancel(CancelOrder(1, 0, 72), "maker")
    assert "cannot be replaced" in world.commands.replace(ReplaceOrder(1, 0, 72, 101, 5), "maker")
    assert world.commands.cancel(CancelOrder(1, 0, 71), "maker") == ""
    assert world.wanted() == [1]
    assert world.fx.records[-1].by == "maker"
    assert world.commands.cancel(CancelOrder(2, 0, 71), "maker") == ""
    assert sum(isinstance(one, CancelRecord) for one in world.fx.records) == 1, "a second request adds no record"


def test_a_replacement_keeps_what_it_does_not_change(world):
    assert world.commands.replace(ReplaceOrder(90, 0, 72, 101, 5), "taker") == ""
    ((owner, order, old),) = world.executor.replaced
    assert (owner, order.side, order.price_ticks, order.size_lots, order.cmd_id) == ("taker", Side.SELL, 101, 5, 90)
    assert old.terms.order_ref == 72
    world.commands.cancel(CancelOrder(1, 0, 72), "taker")
    assert "being cancelled" in world.commands.replace(ReplaceOrder(91, 0, 72, 101, 5), "taker")


def test_cancel_all_is_of_one_owner_or_of_all(world):
    world.commands.cancel_all("ETH-USDT", ALL_OWNERS)
    assert world.wanted() == []
    world.commands.cancel_all("", "maker")
    assert world.wanted() == [1, 3]
    world.commands.cancel_all(SYMBOL, ALL_OWNERS)
    assert world.wanted() == [1, 2, 3]


def tagged(order_ref, tag):
    return PlaceOrder(order_ref, 0, SYMBOL, Side.BUY, 100, 10, tag=tag)


def test_cancel_all_of_a_tag_leaves_the_other_orders(world):
    grid = new_order(4, tag="grid")
    world.journal.commit([grid, new_order(5, tag="twap"), new_order(6, "taker", tag="grid")])
    world.commands.cancel_all(SYMBOL, "maker", "grid")
    assert world.wanted() == [4]


def test_a_replacement_inherits_the_tag(world):
    world.journal.commit([new_order(4, tag="grid")])
    assert world.commands.replace(ReplaceOrder(90, 0, 74, 101, 5), "maker") == ""
    assert world.executor.replaced[0][1].tag == "grid"


def test_a_tag_is_released_once_no_order_of_it_may_be_live(world):
    order = new_order(4, tag="grid")
    world.journal.commit([order])
    assert "may be live" in world.commands.release(ReleaseTag(1, 0, SYMBOL, "grid"), "maker")
    world.reports.order(report(order, OrdStatus.CANCELED, order_id="4"), "test")
    assert world.commands.release(ReleaseTag(2, 0, SYMBOL, "grid"), "maker") == ""
    assert world.tracker.snapshot("maker", 0).ledgers == []
    written = len(world.fx.records)
    assert world.commands.release(ReleaseTag(3, 0, SYMBOL, "grid"), "maker") == "", "it is released already"
    assert len(world.fx.records) == written


def test_tags_are_bounded_in_length_and_in_number(world):
    assert "at most 64 printable" in world.commands.place(tagged(80, "x" * 65), "maker")
    assert "at most 64 printable" in world.commands.place(tagged(81, "a\nb"), "maker")
    for number in range(TAGS_MAX):
        world.tracker.owner("maker").begin(SYMBOL, f"t{number}")
    assert "release those that are done" in world.commands.place(tagged(82, "one more"), "maker")
    assert world.commands.place(tagged(83, "t0"), "maker") == ""


def test_an_operator_pauses_resumes_and_cancels(world):
    world.commands.control(Control(1, 0, "pause", "lunch"))
    assert world.halts.paused == "lunch"
    world.halts.halt("wrong account")
    world.commands.control(Control(2, 0, "resume"))
    assert (world.halts.paused, world.halts.halted) == ("", "")
    world.commands.control(Control(3, 0, "cancel_all"))
    assert world.wanted() == [1, 2, 3]
    assert {one.status for one in world.tracker.open.values()} == {OrdStatus.PENDING_CANCEL}
