"""ExchangeFaults: what faults do to the exchange itself: its clock, markets, orders and balances."""

from heapq import heappop, heappush

import msgspec

from protocol.enums import Side
from venue.accounts.accounts import ExchangeAccount
from venue.base.api_errors import ApiError
from venue.base.demo import account_name
from venue.base.numbers import atoms
from venue.base.settings import MarketSettings
from venue.base.units import MILLISECOND_NS, NEVER_NS
from venue.engine.engine import Engine, NewOrder
from venue.faults.active_fault import ActiveFault
from venue.faults.clock_skew import ClockSkew
from venue.faults.kinds import exchange_kinds as kinds
from venue.faults.kinds.catalogue import BadFault
from venue.faults.kinds.delays import draw_ns
from venue.faults.kinds.fault import Fault
from venue.faults.kinds.request_kinds import RejectAfterAck, RequestFault
from venue.faults.scheduler import FaultScheduler
from venue.orders.exchange_order import ExchangeOrder
from venue.symbols.symbol import Symbol

BPS = 10_000
FOR_A_WINDOW = (kinds.ClockDrift, kinds.SymbolHalt, kinds.Delisted, kinds.FiltersChanged)
EXTERNAL_PREFIX = "web_"
"""Prefix of the client order ids of external orders, as orders entered on the exchange's web page have."""


class _Placed(msgspec.Struct):
    symbol: str = ""
    orderId: int = 0


class ExchangeFaults:
    """`begin` and `end` follow the windows of faults; `advance` does what is due in between."""

    def __init__(self, scheduler: FaultScheduler, clock: ClockSkew, engine: Engine) -> None:
        self.scheduler = scheduler
        self.clock = clock
        self.engine = engine
        self.rejects: list[tuple[int, int, str]] = []  # a heap: due, order id, account
        self.orders: dict[int, ExchangeOrder] = {}  # by fault: its external order
        self.in_effect: dict[int, Fault] = {}  # what changes the clock and markets now: several may overlap
        self.original = {name: symbol.settings for name, symbol in engine.symbols.items()}
        self._placed = msgspec.json.Decoder(_Placed)

    @property
    def next_ns(self) -> int:
        return self.rejects[0][0] if self.rejects else NEVER_NS

    # -- checks ---------------------------------------------------------------------------------------

    def check(self, fault: Fault) -> None:
        """Raises BadFault for an account or market that does not exist here, or filters that do not fit."""
        if isinstance(fault, (RequestFault, kinds.AccountFault)) and fault.account:
            self._account(fault.account)
        self._symbol(getattr(fault, "symbol", ""))
        if isinstance(fault, kinds.FiltersChanged):
            symbol = self._symbol(fault.symbol)
            changed_filters(symbol, symbol.settings, fault)

    def _account(self, name: str) -> ExchangeAccount:
        known = self.engine.accounts.by_name
        found = known.get(account_name(name, known) or next(iter(known)))
        if found is None:
            raise BadFault(f"no account `{name}`; there are {', '.join(known)}")
        return found

    def _symbol(self, name: str) -> Symbol:
        known = self.engine.symbols
        found = known.get(name.replace("-", "") or next(iter(known)))
        if found is None:
            raise BadFault(f"no market `{name}`; there are {', '.join(known)}")
        return found

    # -- windows --------------------------------------------------------------------------------------

    def begin(self, one: ActiveFault, now_ns: int) -> None:
        """A window opens. What is impossible now (no balance, no order to cancel) is skipped and not counted."""
        fault = one.fault
        if isinstance(fault, kinds.ClockStep):
            self.clock.step(fault.ms * MILLISECOND_NS)
        elif isinstance(fault, FOR_A_WINDOW):
            if isinstance(fault, kinds.Delisted):
                self._expire_all(self._symbol(fault.symbol), now_ns)
            self.in_effect[one.number] = fault
            self._recompute(fault)
        elif not self._act_on_account(one, now_ns):
            return
        self.scheduler.count_hit(one)

    def end(self, one: ActiveFault, now_ns: int) -> None:
        """Its window closes: clock, filters and status return to normal; an external order is canceled."""
        fault = one.fault
        if isinstance(fault, kinds.ClockStep):
            self.clock.step(-fault.ms * MILLISECOND_NS)
        elif self.in_effect.pop(one.number, None) is not None:
            self._recompute(fault)
        elif one.number in self.orders:
            order = self.orders.pop(one.number)
            if order.is_open:
                self.engine.cancel(order, EXTERNAL_PREFIX + "cancel", now_ns)

    def _recompute(self, changed: Fault) -> None:
        """Sets the clock's drift, or a market's status and filters, from all faults in effect."""
        if isinstance(changed, kinds.ClockDrift):
            ppm = sum(one.ppm for one in self.in_effect.values() if isinstance(one, kinds.ClockDrift))
            self.clock.drift(max(-kinds.MAX_DRIFT_PPM, min(ppm, kinds.MAX_DRIFT_PPM)))
            return
        assert isinstance(changed, kinds.MarketFault)
        symbol = self._symbol(changed.symbol)
        status, settings = "TRADING", self.original[symbol.name]
        for one in self.in_effect.values():
            if not isinstance(one, kinds.MarketFault) or self._symbol(one.symbol) is not symbol:
                continue
            if isinstance(one, kinds.FiltersChanged):
                settings = changed_filters(symbol, settings, one)
            elif status != "DELISTED":
                status = one.status if isinstance(one, kinds.SymbolHalt) else "DELISTED"
        symbol.status = status
        if settings is not symbol.settings:
            symbol.change_filters(settings)

    # -- external orders and transfers ----------------------------------------------------------------

    def _act_on_account(self, one: ActiveFault, now_ns: int) -> bool:
        fault = one.fault
        try:
            if isinstance(fault, kinds.BalanceMoved):
                return self._move(fault, now_ns)
            if isinstance(fault, kinds.ExternalOrder):
                self.orders[one.number] = self._place(one, fault, now_ns)
                return True
            if isinstance(fault, kinds.ExternalCancel):
                return self._cancel(one, fault, now_ns)
        except ApiError:  # the exchange rejects it, as it would for any client
            return False
        return False

    def _move(self, fault: kinds.BalanceMoved, now_ns: int) -> bool:
        account, amount = self._account(fault.account), int(atoms(fault.amount))
        amount = max(amount, -account.balance(fault.asset).free)
        if not amount:
            return False
        self.engine.deposit(account, fault.asset, amount, now_ns)
        user = self.engine.settlement.user_listener
        user.deposited(account, fault.asset, amount, now_ns)
        user.position(account, (fault.asset,), now_ns)
        return True

    def _place(self, one: ActiveFault, fault: kinds.ExternalOrder, now_ns: int) -> ExchangeOrder:
        account, symbol = self._account(fault.account), self._symbol(fault.symbol)
        side = Side[fault.side] if fault.side else one.random.choice((Side.BUY, Side.SELL))
        price_ticks = symbol.last_ticks * (BPS - side.sign * fault.away_bps) // BPS
        price_ticks = max(symbol.tick_step, price_ticks - price_ticks % symbol.tick_step)
        size_lots = int(atoms(fault.notional)) // (price_ticks * symbol.notional_atoms) + 1
        size_lots += -size_lots % symbol.lot_step
        name = EXTERNAL_PREFIX + self.engine.new_client_id("external", one.number, one.open_ns, now_ns)[:12]
        new_order = NewOrder(symbol, side, "LIMIT", "GTC", "NONE", price_ticks, size_lots, client_order_id=name)
        return self.engine.place(account, new_order, now_ns)[0]

    def _cancel(self, one: ActiveFault, fault: kinds.ExternalCancel, now_ns: int) -> bool:
        account, symbol = self._account(fault.account), self._symbol(fault.symbol)
        found = [
            order
            for order in account.open_orders.values()
            if order.symbol == symbol.name and not order.client_order_id.startswith(EXTERNAL_PREFIX)
        ]
        if not found:
            return False
        order = one.random.choice(found)
        self.engine.cancel(order, self.engine.new_client_id("external cancel", order.order_id, now_ns), now_ns)
        return True

    # -- orders that the exchange ends ----------------------------------------------------------------

    def reject_later(self, one: ActiveFault, fault: RejectAfterAck, account: str, answer: bytes, now_ns: int) -> None:
        """Rejects the order that `answer` acknowledges after a delay, if it has no fill by then."""
        try:
            order_id = self._placed.decode(answer).orderId
        except msgspec.MsgspecError:
            return
        if order_id:
            heappush(self.rejects, (now_ns + draw_ns(fault.delay, one.random), order_id, account))

    def advance(self, now_ns: int) -> None:
        """Does what is due by now."""
        while self.rejects and self.rejects[0][0] <= now_ns:
            _, order_id, account = heappop(self.rejects)
            order = self.engine.accounts.by_name[account].open_orders.get(order_id)
            if order is not None and not order.executed_lots:
                self.engine.end(order, "REJECTED", now_ns)

    def _expire_all(self, symbol: Symbol, now_ns: int) -> None:
        for account in self.engine.accounts.by_name.values():
            for order in [order for order in account.open_orders.values() if order.symbol == symbol.name]:
                if order.order_id in account.open_orders:  # the end of an order of a list ends the others of the list
                    self.engine.end(order, "EXPIRED", now_ns)


def changed_filters(symbol: Symbol, settings: MarketSettings, fault: kinds.FiltersChanged) -> MarketSettings:
    """`settings` with the changes of the fault. Raises BadFault for ticks and lots that do not fit."""
    changes = {}
    for name, own_atoms in (("tick_size", symbol.tick_atoms), ("lot_size", symbol.lot_atoms)):
        value = getattr(fault, name)
        if value is not None:
            if value <= 0 or atoms(value) % own_atoms:
                raise BadFault(f"filters_changed: {name} {value} must be a multiple of the market's own")
            changes[name] = value
    for name in ("min_size", "min_notional"):
        if getattr(fault, name) is not None:
            changes[name] = getattr(fault, name)
    if not changes:
        raise BadFault("filters_changed: give tick_size, lot_size, min_size or min_notional")
    return msgspec.structs.replace(settings, **changes)
