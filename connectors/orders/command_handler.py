"""What the connector does with each command. Every function gives why it refuses, or "" where it has accepted."""

from typing import TYPE_CHECKING

from connectors.core.stages import CHECK
from connectors.orders.order import Order
from protocol import CancelOrder, Control, PlaceOrder, ReplaceOrder

if TYPE_CHECKING:
    from connectors.connector import Connector

EVERYBODY = ""


def place(host: "Connector", command: PlaceOrder, owner: str) -> str:
    """Through the gate, into the journal, out to the exchange."""
    refusal = _refusal(host, command, owner)
    if not refusal:
        host.stages.mark(CHECK)
        refusal = host.desk.place(command, owner)
    if not refusal:
        host.gate.passed(command, owner, host.now_ns)
    return refusal


def replace(host: "Connector", command: ReplaceOrder, owner: str) -> str:
    """Both orders count in the gate: the old one may be filled just before it would be cancelled."""
    old = host.tracker.by_intent(owner, command.order_ref)
    if old is None or old.is_final:
        return f"order {command.order_ref} is not open: nothing to replace"
    if old.state.cancel_wanted:
        return f"order {command.order_ref} is being cancelled"
    order = PlaceOrder(
        command.cmd_id,
        command.deadline_ns,
        old.intent.symbol,
        old.intent.side,
        command.price_ticks,
        command.size_lots,
        old.intent.ord_type,
        old.intent.time_in_force,
        old.intent.stp,
    )
    refusal = _refusal(host, order, owner)
    if not refusal:
        refusal = host.desk.replace(order, owner, old)
    if not refusal:
        host.gate.passed(order, owner, host.now_ns)
    return refusal


def _refusal(host: "Connector", order: PlaceOrder, owner: str) -> str:
    if host.tracker.by_intent(owner, order.cmd_id) is not None:
        return f"intent {order.cmd_id} is placed already"
    refusal = host.condition.why_not_new(order.symbol)
    if refusal:
        return refusal
    return host.gate.refusal(
        order,
        owner,
        host.instruments.get(order.symbol),
        host.feed.book(order.symbol),
        host.tracker.exposure(order.symbol),
        host.now_ns,
    )


def cancel(host: "Connector", command: CancelOrder, owner: str) -> str:
    """A wish; its end is told by the order's update. Cancelling what has ended is no mistake."""
    order = host.tracker.by_intent(owner, command.order_ref)
    if order is None:
        return f"no order {command.order_ref} of {owner} is known here"
    host.commit(host.tracker.wish(order.cl_ord_id, host.now_ns, owner))
    return ""


def cancel_all(host: "Connector", symbol: str, owner: str) -> str:
    """Of one owner (or EVERYBODY), in one market or all."""
    for order in _open(host, symbol, owner):
        host.commit(host.tracker.wish(order.cl_ord_id, host.now_ns, owner or "control"))
    return ""


def _open(host: "Connector", symbol: str, owner: str) -> list[Order]:
    return [
        order
        for order in host.tracker.open.values()
        if symbol in ("", order.intent.symbol) and owner in (EVERYBODY, order.intent.owner)
    ]


def control(host: "Connector", command: Control) -> str:
    """pause: nothing new; resume: also after a halt; cancel_all: everything of ours, of market `argument` or all."""
    if command.verb == "pause":
        host.condition.paused = command.argument or "paused"
    elif command.verb == "resume":
        host.condition.resume()
    elif command.verb == "cancel_all":
        cancel_all(host, command.argument, EVERYBODY)
    elif command.verb == "stop":
        host.request_stop()
    else:
        return f"no verb {command.verb!r}: pause, resume, cancel_all and stop are known"
    host.judge()
    return ""
