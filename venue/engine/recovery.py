"""Recovery: rebuilds an exchange from its ledger: balances, orders in the book, history, counters, prices."""

from collections.abc import Iterable

from market import codes
from protocol.enums import OrdType, SelfTradePrevention, TimeInForce
from venue.accounts.accounts import ExchangeAccount
from venue.accounts.prevented_matches import PreventedMatch
from venue.base.numbers import fixed8
from venue.base.venue_errors import LedgerDamaged
from venue.engine.engine import Engine
from venue.engine.former_accounts import with_names_of_today
from venue.engine.ledger_records import LedgerBatch, LedgerRecords
from venue.engine.settlement import Event
from venue.orders.exchange_order import ExchangeOrder, Execution
from venue.orders.order_lists import OrderList
from venue.symbols.symbol import Symbol


def rest(symbol: Symbol, account: ExchangeAccount, order: ExchangeOrder) -> list[Event]:
    """Adds the open part of an order to the book, last at its price; returns the events of matching."""
    return symbol.matching.submit(
        order.order_id,
        account.trader,
        order.side,
        OrdType.LIMIT,
        TimeInForce.GTC,
        order.price_ticks,
        order.open_lots,
        SelfTradePrevention.NONE,
        order.iceberg_lots,
        order.shown_lots,
    )


class Recovery:
    """Replays records into a new engine; the last state of each order, balance and counter applies."""

    def __init__(self, engine: Engine, records: LedgerRecords) -> None:
        self.engine = engine
        self.records = records
        self.orders: dict[int, ExchangeOrder] = {}
        self.lists: dict[int, OrderList] = {}
        self.seen: set[str] = set()
        self._has_sums = False  # the ledger counts deposits; one of an earlier version does not
        self._units: dict[str, tuple[int, int]] = {}

    def replay(self, log: Iterable[bytes]) -> None:
        """Replays the ledger. Raises LedgerDamaged if it holds accounts or symbols that the settings lack."""
        for record in log:
            self._batch(with_names_of_today(self.records.decode(record), self.engine.accounts.by_name))
        for order in sorted(self.orders.values(), key=lambda order: order.priority or order.order_id):
            self._restore(order)
        for order_list in self.lists.values():
            self.engine.lists.add(order_list)
        if self.seen and not self._has_sums:
            self._count_as_deposited()
        for name, account in self.engine.accounts.by_name.items():
            if name in self.seen:
                continue
            for asset, amount in self.engine.accounts.opening[name].items():
                self.engine.settlement.funds.deposit(account, asset, amount, 0)
        for symbol in self.engine.symbols.values():
            if symbol.name not in self._units:
                self.records.unit(symbol.name, symbol.tick_atoms, symbol.lot_atoms)
        self.records.commit()

    def _count_as_deposited(self) -> None:
        """What the accounts hold now is their deposit: what they held at first is not in the ledger."""
        funds = self.engine.settlement.funds
        for account in self.engine.accounts.by_name.values():
            for asset, balance in account.balances.items():
                funds.deposited[asset] = funds.deposited.get(asset, 0) + balance.free + balance.locked
        for asset, total in funds.deposited.items():
            self.records.deposited(asset, total)

    def _batch(self, batch: LedgerBatch) -> None:
        accounts = self.engine.accounts.by_name
        for name, asset, free, locked in batch.balances:
            if name not in accounts:
                raise LedgerDamaged(
                    f"the ledger holds account {name}, which is missing in the settings: add it, or start a new ledger"
                )
            balance = accounts[name].balance(asset)
            balance.free, balance.locked = free, locked
            self.seen.add(name)
        for name, unit in batch.units.items():
            self._check_unit(name, unit)
        self._has_sums = self._has_sums or bool(batch.deposited)
        self.engine.settlement.funds.outside |= batch.outside
        self.engine.settlement.funds.deposited |= batch.deposited
        for order in batch.orders:
            self.orders[order.order_id] = order
        for order_list in batch.lists:
            self.lists[order_list.list_id] = order_list
        for execution in batch.executions:
            accounts[execution.account].add_execution(execution, self.engine.accounts.trades_kept)
        for match in batch.prevented:
            for name in {match.taker_account, match.maker_account}:
                accounts[name].prevented.add(match)
        for one in batch.amendments:
            accounts[one.account].amendments.setdefault(one.order_id, []).append(one)
        for name, price_ticks in batch.prices.items():
            if name in self.engine.symbols:
                self.engine.symbols[name].last_ticks = price_ticks
        for name, below in batch.reserved.items():
            counter = self.records.counter(name)
            counter.next = counter.reserved = max(counter.reserved, below)

    def _check_unit(self, name: str, unit: tuple[int, int]) -> None:
        """Raises LedgerDamaged if the settings count a market in other ticks or lots than the ledger."""
        self._units[name] = unit
        symbol = self.engine.symbols.get(name)
        if symbol is not None and (symbol.tick_atoms, symbol.lot_atoms) != unit:
            tick, lot = (fixed8(one) for one in unit)
            own_tick, own_lot = fixed8(symbol.tick_atoms), fixed8(symbol.lot_atoms)
            raise LedgerDamaged(
                f"the ledger counts {name} in ticks of {tick} and lots of {lot}, "
                f"the settings in {own_tick} and {own_lot}: set price_digits and size_digits as they "
                "were, or start a new ledger"
            )

    def _restore(self, order: ExchangeOrder) -> None:
        """Returns an open order to the book with its open part; earlier orders are restored first."""
        account = self.engine.accounts.by_name[order.account]
        symbol = self.engine.symbols.get(order.symbol)
        if symbol is None:
            raise LedgerDamaged(f"the ledger holds orders on {order.symbol}, a market missing in the settings: add it")
        account.add_order(order)
        account.update_ns = max(account.update_ns, order.update_ns)
        if not order.is_open:
            self.engine.accounts.keep_finished(account, order)
            return
        self.engine.settlement.open_orders[order.order_id] = order
        if not order.is_working:
            if order.is_contingent and order.status == "NEW":
                symbol.stops.add(order)
            return
        events = rest(symbol, account, order)
        if events != [(codes.ACCEPTED, order.order_id, order.open_lots)]:
            raise LedgerDamaged(f"order {order.order_id} of the ledger does not fit into the book: {events}")

    def state(self) -> Iterable[bytes]:
        """The whole state in few records: the content of a compacted ledger."""
        everything = LedgerBatch(
            balances=[
                (name, asset, balance.free, balance.locked)
                for name, account in self.engine.accounts.by_name.items()
                for asset, balance in account.balances.items()
            ],
            prices={symbol.name: symbol.last_ticks for symbol in self.engine.symbols.values()},
            reserved={name: counter.reserved for name, counter in self.records.counters.items()},
            outside=self.engine.settlement.funds.outside,
            deposited=self.engine.settlement.funds.deposited,
            units={one.name: (one.tick_atoms, one.lot_atoms) for one in self.engine.symbols.values()},
        )
        yield self.records.encode(everything)
        prevented: dict[tuple[str, int], PreventedMatch] = {}
        for account in self.engine.accounts.by_name.values():
            prevented |= {(one.symbol, one.match_id): one for one in account.prevented}
            amendments = [one for rows in account.amendments.values() for one in rows]
            for start in range(0, len(amendments), 1000):
                yield self.records.encode(LedgerBatch(amendments=amendments[start : start + 1000]))
            orders: list[ExchangeOrder] = list(account.orders.values())
            executions: list[Execution] = account.executions
            lists = list(self.engine.lists.by_account.get(account.name, {}).values())
            for start in range(0, len(lists), 1000):
                yield self.records.encode(LedgerBatch(lists=lists[start : start + 1000]))
            for start in range(0, len(orders), 1000):
                yield self.records.encode(LedgerBatch(orders=orders[start : start + 1000]))
            for start in range(0, len(executions), 1000):
                yield self.records.encode(LedgerBatch(executions=executions[start : start + 1000]))
        matches = list(prevented.values())
        for start in range(0, len(matches), 1000):
            yield self.records.encode(LedgerBatch(prevented=matches[start : start + 1000]))
