"""Pure market making: bids and asks at set spreads around the mid price, refreshed on a timer."""

from collections.abc import Mapping
from decimal import Decimal

from market.instrument import Instrument
from protocol import OrdStatus, Side, Tick
from strategies.market import Market
from strategies.market_making_settings import MarketMakingSettings, quote_plan, units
from strategies.order import Order
from strategies.quotes import BPS, UNIT, Inventory, Quote, QuotePlan, wanted_quotes
from strategies.refusal_backoff import RefusalBackoff
from strategies.requote import Resting, placeable, reconcile
from strategies.strategy import MS_NS, Strategy


class PureMarketMaking(Strategy):
    """Quotes `levels` bids and asks. The quotes are computed in `quotes`, the changes of orders in `requote`.

    Every `order_refresh_ms` it computes its quotes again, keeps the orders that are near enough, cancels the others,
    and places the missing ones as soon as the cancels are confirmed. After a complete fill it waits
    `filled_order_delay_ms`, then does the same.
    """

    class Settings(MarketMakingSettings):
        """See MarketMakingSettings."""

    @classmethod
    def order_sizes(cls, settings: Settings, instruments: Mapping[str, Instrument] | None = None) -> dict[str, Decimal]:
        steps = (settings.levels - 1) * max(settings.level_size_step, Decimal(0))
        return {settings.market: settings.size + steps}

    def on_start(self) -> None:
        self._tolerance = units(self.settings.refresh_tolerance_bps * BPS)
        self._hanging_cancel = units(self.settings.hanging_cancel_bps * BPS)
        self._plan: QuotePlan | None = None
        self._plan_rules: object = None  # the rules of the plan
        self._levels: dict[int, tuple[Side, int]] = {}  # open order -> (side, level) of its quote
        self._hanging: set[int] = set()
        self._refresh_at_ns = 0
        self._quote_at_ns = 0
        self._backoff = RefusalBackoff()
        self._not_ready_since_ns = 0
        self._gaps = True  # a quote may have no order

    def on_tick(self, tick: Tick) -> None:
        market = self.market(self.settings.market)
        if not market.ready:
            self._wait(market)
            return
        self._not_ready_since_ns = 0
        is_waiting = self._backoff.wait_ns(self.now_ns) > 0
        self.health("REFUSED" if is_waiting and self._backoff.reason else "QUOTING", self._backoff.reason)
        self._cancel_far_hanging(market)
        refresh = self.now_ns >= self._refresh_at_ns
        if not (refresh or self._gaps):
            return
        wanted = self._wanted(market)
        if refresh:
            self._refresh(market, wanted)
        late = market.connector in tick.late
        if self.now_ns >= self._quote_at_ns and not is_waiting and not late and not self.paused:
            self._place_missing(market, wanted)

    def order_changed(self, order: Order) -> None:
        self._backoff.note(order, self.now_ns)
        if order.is_open:
            return
        self._gaps = True
        level = self._levels.pop(order.order_ref, None)
        self._hanging.discard(order.order_ref)
        if order.status is OrdStatus.FILLED:
            wait_ns = self.settings.filled_order_delay_ms * MS_NS
            self._quote_at_ns = self.now_ns + wait_ns
            self._refresh_at_ns = min(self._refresh_at_ns, self._quote_at_ns)
            if level is not None and self.settings.hanging_orders:
                self._hang(level[0].opposite, level[1])

    # -- on a tick ------------------------------------------------------------------------------------

    def _wait(self, market: Market) -> None:
        """The market is not ready: no new quotes, and after `cancel_stale_after_ms` all orders are cancelled."""
        self.health("WAITING", market.why_not_ready)
        patience_ns = self.settings.cancel_stale_after_ms * MS_NS
        if not self._not_ready_since_ns:
            self._not_ready_since_ns = self.now_ns
        elif patience_ns and self.now_ns - self._not_ready_since_ns >= patience_ns:
            self.cancel_all(market)

    def _refresh(self, market: Market, wanted: list[Quote]) -> None:
        """Keeps the orders that are near enough to a quote and cancels the others."""
        result = reconcile(wanted, self._resting(market), self._tolerance)
        for order_ref in result.cancel:
            self._levels.pop(order_ref, None)
            order = market.account.orders.open[order_ref]
            self.cancel(market, order)
        self._levels.update((order_ref, (quote.side, quote.level)) for order_ref, quote in result.keep.items())
        self._refresh_at_ns = self.now_ns + self.settings.order_refresh_ms * MS_NS
        self._gaps = True

    def _place_missing(self, market: Market, wanted: list[Quote]) -> None:
        """Places the quotes that have no order, as far as possible now."""
        placed = set(self._levels.values())
        missing = [quote for quote in wanted if (quote.side, quote.level) not in placed]
        resting = self._resting(market)
        chosen = placeable(missing, resting, self._free(market), self.settings.max_open_orders)
        for quote in chosen:
            send = self.buy if quote.side is Side.BUY else self.sell
            post_only = self.settings.post_only
            order = send(market, price_ticks=quote.price_ticks, size_lots=quote.size_lots, post_only=post_only)
            if order.is_open:
                self._levels[order.order_ref] = (quote.side, quote.level)
        self._gaps = len(chosen) < len(missing)

    # -- hanging orders ---------------------------------------------------------------------------------

    def _hang(self, side: Side, level: int) -> None:
        """The other order of a pair has filled: leave this one resting, and quote its level again."""
        for order_ref, key in list(self._levels.items()):
            if key == (side, level):
                del self._levels[order_ref]
                self._hanging.add(order_ref)

    def _cancel_far_hanging(self, market: Market) -> None:
        for order_ref in self._hanging:
            order = market.account.orders.open[order_ref]
            off = abs(2 * order.price_ticks - market.mid_x2_ticks)
            if off * UNIT > self._hanging_cancel * market.mid_x2_ticks:
                self.cancel(market, order)

    # -- input of the pure parts --------------------------------------------------------------------------

    def _wanted(self, market: Market) -> list[Quote]:
        rules = market.rules
        assert rules is not None, "a ready market has rules"
        if self._plan is None or self._plan_rules is not rules:
            self._plan, self._plan_rules = quote_plan(self.settings, rules), rules
        hanging = [order for order in market.open_orders if order.order_ref in self._hanging]
        others = [order for order in market.open_orders if order.order_ref not in self._hanging]
        usable = _with(self._free(market), others)
        owned = _with(usable, hanging)
        return wanted_quotes(self._plan, rules, market.mid_x2_ticks, usable, owned, market.maker_fee)

    def _free(self, market: Market) -> Inventory:
        return Inventory(market.free_base_lots, market.free_quote)

    def _resting(self, market: Market) -> list[Resting]:
        return [
            Resting(
                order.order_ref,
                order.side,
                order.price_ticks,
                order.leaves_lots,
                order.cancel_wanted,
                order.order_ref in self._hanging,
            )
            for order in market.open_orders
        ]


def _with(inventory: Inventory, orders: list[Order]) -> Inventory:
    """An inventory plus the amounts that open orders hold."""
    base_lots = sum(order.leaves_lots for order in orders if order.side is Side.SELL)
    quote = sum(order.leaves_lots * order.price_ticks for order in orders if order.side is Side.BUY)
    return Inventory(inventory.base_lots + base_lots, inventory.quote + quote)
