"""The user data stream: subscriptions of accounts, and their events."""

from typing import Any

import msgspec

from venue.accounts.accounts import ExchangeAccount
from venue.base.api_errors import ApiError
from venue.base.numbers import fixed8
from venue.engine.ledger_records import LedgerRecords
from venue.orders.exchange_order import ExchangeOrder, Execution
from venue.orders.order_lists import OrderList
from venue.render import order_json, order_list_json
from venue.streams.connections import USER, Connection, Connections
from venue.symbols.symbol import Symbol

ENCODER = msgspec.json.Encoder()
MAX_SUBSCRIPTIONS = 1000
MAX_SUBSCRIPTION_IDS = 65_535
"""Maximum subscriptions of one websocket: at a time, and over its lifetime."""


class UserDataStream:
    """Subscriptions by account; a connection may hold several, of several accounts."""

    def __init__(self, connections: Connections, records: LedgerRecords) -> None:
        self.connections = connections
        self.records = records
        self.subscribers: dict[str, dict[tuple[int, int], Connection]] = {}

    def subscribe(self, connection: Connection, account: str) -> int:
        """Subscribes; returns the subscription's id. Raises -2035 if the connection is subscribed to the account."""
        if account in connection.subscriptions.values():
            raise ApiError(-2035, "User Data Stream subscription already active.")
        opened = connection.next_subscription
        if opened >= MAX_SUBSCRIPTION_IDS or len(connection.subscriptions) >= MAX_SUBSCRIPTIONS:
            raise ApiError(-2042, "Maximum subscription ID reached for this connection.")
        number = connection.next_subscription
        connection.next_subscription += 1
        connection.subscriptions[number] = account
        self.subscribers.setdefault(account, {})[connection.conn_id, number] = connection
        return number

    def unsubscribe(self, connection: Connection, number: int, now_ns: int) -> None:
        """Ends a subscription. Raises -2036 if there is none of this id."""
        account = connection.subscriptions.pop(number, None)
        if account is None:
            raise ApiError(-2036, "User Data Stream subscription not active.")
        del self.subscribers[account][connection.conn_id, number]
        ended = {"e": "eventStreamTerminated", "E": now_ns // connection.unit_ns}
        text = ENCODER.encode({"subscriptionId": number, "event": ended})
        self.connections.send(connection.conn_id, text)

    def remove(self, connection: Connection) -> None:
        for number, account in connection.subscriptions.items():
            self.subscribers[account].pop((connection.conn_id, number), None)
        connection.subscriptions.clear()

    # Reports of settlement (venue.engine.listeners.UserListener)

    def report(
        self,
        symbol: Symbol,
        order: ExchangeOrder,
        kind: str,
        now_ns: int,
        fill: Execution | None,
        cancel_id: str | None,
        extra: dict[str, Any] | None = None,
    ) -> int:
        """Publishes an execution report; returns its execution id. `extra` fields are added to the report."""
        execution_id = self.records.counter("execution").next_id()
        if not self.subscribers.get(order.account):
            return execution_id

        def make(unit_ns: int) -> dict[str, Any]:
            report = order_json.execution_report(
                symbol, order, kind, execution_id, now_ns, lambda ns: ns // unit_ns, fill, cancel_id
            )
            return report if extra is None else report | extra

        self._publish(order.account, make, now_ns)
        return execution_id

    def list_status(self, one: OrderList, now_ns: int, status_type: str | None = None) -> None:
        def make(unit_ns: int) -> dict[str, Any]:
            return order_list_json.list_status(one, now_ns, lambda ns: ns // unit_ns, status_type)

        self._publish(one.account, make, now_ns)

    def position(self, account: ExchangeAccount, assets: tuple[str, ...], now_ns: int) -> None:
        if not self.subscribers.get(account.name):
            return

        def make(unit_ns: int) -> dict[str, Any]:
            rows = []
            for asset in assets:
                balance = account.balance(asset)
                rows.append({"a": asset, "f": fixed8(balance.free), "l": fixed8(balance.locked)})
            moment = now_ns // unit_ns
            return {"e": "outboundAccountPosition", "E": moment, "u": moment, "B": rows}

        self._publish(account.name, make, now_ns)

    def deposited(self, account: ExchangeAccount, asset: str, amount_atoms: int, now_ns: int) -> None:
        def make(unit_ns: int) -> dict[str, Any]:
            moment = now_ns // unit_ns
            return {"e": "balanceUpdate", "E": moment, "a": asset, "d": fixed8(amount_atoms), "T": moment}

        self._publish(account.name, make, now_ns)

    def _publish(self, account: str, make: order_json.EventMaker, now_ns: int) -> None:
        subscribed = self.subscribers.get(account)
        if not subscribed or self.connections.is_silent(USER, now_ns):
            return
        texts: dict[int, bytes] = {}
        for (conn_id, number), connection in subscribed.items():
            text = texts.get(connection.unit_ns)
            if text is None:
                text = texts[connection.unit_ns] = ENCODER.encode(make(connection.unit_ns))
            self.connections.send(conn_id, b'{"subscriptionId":%d,"event":%s}' % (number, text))
