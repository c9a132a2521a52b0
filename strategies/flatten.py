"""Flattener: closes what a strategy holds in a market, with market orders, until no further order is possible."""

from typing import Any, Protocol

from actors.effects import Log
from protocol import RefusalCode, Side
from strategies.market import Market
from strategies.order import Order

MS_NS = 1_000_000
STEP_NS = 250 * MS_NS  # interval of the steps
RETRY_FIRST_NS = 500 * MS_NS  # delay after a refused order; doubles each time
RETRY_CAP_NS = 30_000 * MS_NS
SETTLE_NS = 5_000 * MS_NS  # maximum time for the balance to follow the fills; then what is not free is left


class FlattenOwner(Protocol):
    """What a Flattener uses of its strategy."""

    now_ns: int

    @property
    def log(self) -> Log: ...

    def after(self, delay_ns: int, call: Any, *args: Any) -> int: ...

    def cancel_all(self, market: Market, tag: str = "") -> None: ...

    def place_flattening(self, market: Market, side: Side, size_lots: int) -> Order:
        """Places a MARKET order, also while new orders are not allowed."""


class Flattening:
    """The state of one market. `most_lots`: the largest size that was not refused by a limit; 0: none was refused."""

    def __init__(self) -> None:
        self.order: Order | None = None
        self.most_lots = 0
        self.wait_until_ns = 0
        self.retry_ns = RETRY_FIRST_NS
        self.stuck_since_ns = 0


class Flattener:
    """Steps each market until it is flat. An order that may be live is waited for; a refused one is tried again."""

    def __init__(self, owner: FlattenOwner) -> None:
        self._owner = owner
        self._markets: dict[str, Flattening] = {}

    def is_active(self, market: Market) -> bool:
        """Whether this market is being flattened."""
        return market.name in self._markets

    @property
    def is_busy(self) -> bool:
        """Whether any market is being flattened."""
        return bool(self._markets)

    def start(self, market: Market) -> None:
        """Begins, or goes on."""
        if market.name not in self._markets:
            self._markets[market.name] = Flattening()
            self._step(market)

    def multiply(self, market: Market, size_factor: int) -> None:
        """The lots of a market are smaller by this factor from now on."""
        if market.name in self._markets:
            self._markets[market.name].most_lots *= size_factor

    def _step(self, market: Market) -> None:
        state = self._markets[market.name]
        if self._is_flat(market, state):
            del self._markets[market.name]
            self._owner.log.info("position closed", market=market.name, left=str(market.position.held))
        else:
            self._owner.after(STEP_NS, self._step, market)

    def _is_flat(self, market: Market, state: Flattening) -> bool:
        """Does what can be done now. Returns whether nothing is left to do."""
        now_ns = self._owner.now_ns
        if state.order is not None:
            if state.order.is_open:
                return False
            self._on_ended(state.order, state)
            state.order = None
        if market.open_orders:
            self._owner.cancel_all(market)
            return False
        if not market.ready or now_ns < state.wait_until_ns:
            return False
        side, held_lots, lots = closable(market)
        if _problem(market, side, held_lots):
            return True
        if state.most_lots and state.most_lots < lots:
            if _problem(market, side, state.most_lots):  # no size passes this limit now
                state.most_lots = 0
                self._pause(state)
                return False
            lots = state.most_lots
        if _problem(market, side, lots):  # more is held than is free: the balance follows the fills
            state.stuck_since_ns = state.stuck_since_ns or now_ns
            return now_ns - state.stuck_since_ns > SETTLE_NS
        state.stuck_since_ns = 0
        state.order = self._owner.place_flattening(market, side, lots)
        return False

    def _on_ended(self, order: Order, state: Flattening) -> None:
        if order.refusal is RefusalCode.LIMIT and order.size_lots > 1:
            state.most_lots = order.size_lots // 2
        elif not order.cum_lots:
            self._pause(state)
        else:
            state.retry_ns = RETRY_FIRST_NS

    def _pause(self, state: Flattening) -> None:
        state.wait_until_ns = self._owner.now_ns + state.retry_ns
        state.retry_ns = min(2 * state.retry_ns, RETRY_CAP_NS)


def closable(market: Market) -> tuple[Side, int, int]:
    """Returns the side of an order that closes what is held, the lots held, and the lots of one order now."""
    rules, held_lots = market.rules, market.position.held_lots
    if rules is None:
        return Side.SELL, 0, 0
    most = min(rules.max_size_lots, rules.market_max_size_lots or rules.max_size_lots)
    if held_lots > 0:
        return Side.SELL, held_lots, min(market.sellable_lots, most)
    affordable = market.free_quote // market.best_ask_ticks if market.best_ask_ticks else 0
    return Side.BUY, -held_lots, min(-held_lots, affordable, most)


def _problem(market: Market, side: Side, lots: int) -> bool:
    """Whether `lots` are too few for an order."""
    touch = market.best_bid_ticks if side is Side.SELL else market.best_ask_ticks
    return market.rules is None or lots < market.rules.min_lots_at(touch)
