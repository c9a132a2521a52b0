"""Market: the replica of one market in the strategy's process; every query is answered locally."""

from collections.abc import Callable

from market.book import Book
from market.exact import ZERO
from market.instrument import Instrument, Rounding
from market.position import Position
from market.rules import instrument_in_scale, instrument_of
from market.scale import Scale, in_scale, rescale_levels
from protocol import BookDelta, BookSnapshot, BookStatus, Rules, Side, StreamState, TopOfBook, Trade, topics
from strategies.account import AccountReplica, Balance
from strategies.order import Order


class Market:
    """The local replica of one market ("binance:BTC-USDT"): book, rules, fees, balances, orders, position.

    A query takes well under a microsecond, and its result is as of the last message handled. Prices are ticks, sizes
    are lots; 0 means "no such price". `ready`: the book is live and not crossed, and rules, orders and balances are
    known; `why_not_ready` has the reason if not. A stale book keeps its last levels.

    Queries of the book (`market.Book`; `side` is the taker's, so a BUY walks the asks): `price_for_volume(side,
    lots)`, `volume_for_price(side, price_ticks)`, `vwap(side, lots)`, `cost(side, lots)`; of a side's own levels:
    `levels(side, n)`, `depth(side, n)`.
    """

    __slots__ = (
        "_free_base_lots",
        "_free_quote",
        "_free_version",
        "account",
        "best_ask_lots",
        "best_ask_ticks",
        "best_bid_lots",
        "best_bid_ticks",
        "book",
        "book_reason",
        "book_seq",
        "book_state",
        "book_ts_ns",
        "confirmed_ns",
        "connector",
        "cost",
        "data_ready",
        "depth",
        "last_trade",
        "levels",
        "maker_fee",
        "mid_ticks",
        "mid_x2_ticks",
        "name",
        "price_digits",
        "price_for_volume",
        "ready",
        "rules",
        "rules_reason",
        "size_digits",
        "spread_ticks",
        "symbol",
        "taker_fee",
        "top",
        "trading",
        "volume_for_price",
        "vwap",
    )

    def __init__(self, name: str, connector: str, symbol: str, account: AccountReplica) -> None:
        self.name = name
        self.connector = connector
        self.symbol = symbol
        self.account = account
        self.rules: Instrument | None = None
        self.rules_reason = ""
        self.price_digits = self.size_digits = -1  # the scale of all ticks and lots; -1: not known yet
        self.trading = False  # whether the exchange accepts orders for it
        self.maker_fee = ZERO  # parts of the notional: Decimal("0.001") is 10 bps
        self.taker_fee = ZERO
        self._free_base_lots = self._free_quote = 0
        self._free_version = -1
        self.last_trade: Trade | None = None
        self.top: TopOfBook | None = None  # only with extra_streams = ("top",)
        self.data_ready = False  # the book is live and uncrossed, the rules are known: enough for signals
        self.ready = False  # and the account is known, and the exchange accepts orders: enough to trade
        self.book = Book()
        self.book_state = StreamState.STALE
        self.book_reason = f"no book yet from {connector}"
        self.book_seq = 0  # sequence number of the last message that changed it
        self.book_ts_ns = 0  # the connector's time of that message
        self.confirmed_ns = 0  # the last tick at which the book was known to equal the connector's
        # Bound methods of the book: methods of our own around them would double their cost.
        self.price_for_volume: Callable[[int, int], int] = self.book.price_for_volume
        self.volume_for_price: Callable[[int, int], int] = self.book.volume_for_price
        self.vwap: Callable[[int, int], float] = self.book.vwap
        self.cost: Callable[[int, int], tuple[int, int]] = self.book.cost
        self.levels: Callable[[int, int], list[tuple[int, int]]] = self.book.levels
        self.depth: Callable[[int, int], bytes] = self.book.depth
        self._refresh_top()
        scale = account.scales.get(symbol)
        if scale is not None:
            self.price_digits, self.size_digits = scale.price_digits, scale.size_digits
        account.add_market(symbol, self)

    @property
    def why_no_data(self) -> str:
        """The reason why the market data is not ready, for a log line; "" if it is. A connector without keys has it."""
        if self.book_state is StreamState.STALE:
            return f"book stale: {self.book_reason}"
        if self.book.is_empty:
            return "book empty on a side"
        if self.book.is_crossed:
            return f"book crossed: bid {self.best_bid_ticks}, ask {self.best_ask_ticks}"
        if self.rules is None:
            return f"no rules yet from {self.connector}"
        return f"rules stale: {self.rules_reason}" if self.rules_reason else ""

    @property
    def why_not_ready(self) -> str:
        """The reason why the market is not ready to trade, for a log line; "" if it is."""
        if reason := self.why_no_data:
            return reason
        return self.account.why_unknown if self.trading else f"{self.symbol} is not trading"

    @property
    def open_orders(self) -> list[Order]:
        """This strategy's orders in this market that may be live, oldest first."""
        return self.account.orders.open_in(self.symbol)

    def orders(self, tag: str) -> list[Order]:
        """The orders of `open_orders` with this tag, oldest first."""
        return [order for order in self.open_orders if order.tag == tag]

    @property
    def position(self) -> Position:
        """The sums of all fills of this strategy in this market, over all its process runs."""
        return self.account.orders.position(self.symbol)

    def ledger(self, tag: str) -> Position:
        """The part of `position` that the orders with this tag made, until the tag is released. Raises ValueError.

        The connector stores it, so it includes the fills of earlier process runs.
        """
        if not tag:
            raise ValueError("give a tag: the sum of all orders is `position`")
        return self.account.orders.ledger(self.symbol, tag)

    def can_place(self, price_ticks: int, size_lots: int) -> bool:
        """Whether the market's rules accept a limit order with this price and size, both rounded down to their steps.

        `rules.check` has the reasons.
        """
        rules = self.rules
        if rules is None:
            return False
        return not rules.check(rules.passive_ticks(price_ticks, Side.BUY), rules.valid_lots(size_lots))

    @property
    def sellable_lots(self) -> int:
        """Whole lots that this strategy can sell now; 0 while the rules are not known.

        They are what it holds (`position.held_lots`), less its own open sell orders, and at most the account's free
        balance: commissions in base are not in it, and neither are coins that another strategy or a deposit brought.
        """
        offered = sum(order.leaves_lots for order in self.open_orders if order.side is Side.SELL)
        return max(0, min(self.position.held_lots - offered, self.free_base_lots))

    @property
    def missing_kinds(self) -> list[str]:
        """The kinds of market data that quoting needs and that were never received."""
        kinds = []
        if self.rules is None:
            kinds.append("rules")
        if not self.book_ts_ns:
            kinds.append("book")
        return kinds

    def topic(self, kind: str) -> str:
        """The topic of one kind of this market's data: book, top, trade, rules."""
        return topics.market_data(self.connector, self.symbol, kind)

    def balance(self, asset: str) -> Balance:
        """(free, locked) of an asset, Decimal. Own orders that the exchange has not yet counted are locked too."""
        return self.account.balance(asset)

    @property
    def free_base_lots(self) -> int:
        """The free balance of the base in whole lots; 0 while the rules are not known."""
        if self._free_version != self.account.version:
            self._update_free()
        return self._free_base_lots

    @property
    def free_quote(self) -> int:
        """The free balance of the quote in whole ticks * lots; 0 while the rules are not known."""
        if self._free_version != self.account.version:
            self._update_free()
        return self._free_quote

    def book_age_ns(self, now_ns: int) -> int:
        """Time since the book was last known to equal the connector's: at its last change, or at a later tick."""
        known_ns = self.confirmed_ns if self.confirmed_ns > self.book_ts_ns else self.book_ts_ns
        return now_ns - known_ns if now_ns > known_ns else 0

    # -- updates: the replicas call these with messages from the bus ------------------------------------

    def apply_snapshot(self, snapshot: BookSnapshot, seq: int, ts_ns: int) -> None:
        """Replaces the book. Raises ValueError on invalid levels, with the book unchanged."""
        self.book.apply_snapshot(snapshot.bids, snapshot.asks)
        self.book_seq, self.book_ts_ns = seq, ts_ns
        self.book_state, self.book_reason = snapshot.state, "reported by the connector"
        self._refresh_top()

    def apply_delta(self, delta: BookDelta, seq: int, ts_ns: int) -> None:
        """Changes levels of the book. Raises ValueError on invalid levels, with the book unchanged."""
        moved = self.book.apply_delta(delta.bids, delta.asks)
        self.book_seq, self.book_ts_ns = seq, ts_ns
        if moved:
            self._refresh_top()

    def apply_status(self, status: BookStatus, seq: int, ts_ns: int) -> None:
        """Stores that the book is stale, or polled, and the reason."""
        self.book_seq, self.book_ts_ns = seq, ts_ns
        self.book_state, self.book_reason = status.state, status.reason
        self.update_status()

    def apply_rules(self, rules: Rules) -> None:
        """Stores the market's rules, new or changed."""
        self.rules = instrument_of(rules)
        self.account.invalidate()
        self.trading, self.maker_fee, self.taker_fee = rules.trading, rules.maker_fee, rules.taker_fee
        self.account.orders.set_rules(self.rules)
        self.update_status()

    def multiply(self, price_factor: int, size_factor: int, scale: Scale) -> None:
        """The market's scale has become finer: converts all that is counted in it."""
        self.price_digits, self.size_digits = scale.price_digits, scale.size_digits
        self._free_version = -1
        if self.rules is not None:
            self.rules = instrument_in_scale(self.rules, scale)
            self.account.orders.set_rules(self.rules)
        if self.last_trade is not None:
            self.last_trade = in_scale(self.last_trade, scale)
        if self.top is not None:
            self.top = in_scale(self.top, scale)
        try:
            bids, asks = (rescale_levels(side, price_factor, size_factor) for side in self.book.snapshot())
            self.book.apply_snapshot(bids, asks)
        except ValueError as error:
            self.book.clear()
            self.set_stale("book", str(error))
        self._refresh_top()

    def set_stale(self, kind: str, reason: str) -> None:
        """Sets the stream of a kind (book, rules) stale, or complete again if `reason` is ""."""
        if kind == "book" and reason:
            self.book_state, self.book_reason = StreamState.STALE, reason
        elif kind == "rules":
            self.rules_reason = reason
        self.update_status()

    def update_status(self) -> None:
        """Updates `data_ready` and `ready`."""
        self.data_ready = (
            self.book_state is not StreamState.STALE
            and self.spread_ticks > 0
            and self.rules is not None
            and not self.rules_reason
        )
        self.ready = self.data_ready and self.trading and self.account.known

    def _update_free(self) -> None:
        rules = self.rules
        if rules is not None:
            self._free_base_lots = max(rules.size_lots(self.balance(rules.base).free, Rounding.DOWN), 0)
            self._free_quote = max(int(self.balance(rules.quote).free // rules.notional_unit), 0)
            self._free_version = self.account.version

    def _refresh_top(self) -> None:
        """Copies the top of the book, so that reading it costs one attribute."""
        book = self.book
        bid, ask = book.best_bid_ticks, book.best_ask_ticks
        self.best_bid_ticks, self.best_bid_lots = bid, book.best_bid_lots
        self.best_ask_ticks, self.best_ask_lots = ask, book.best_ask_lots
        both = bid > 0 and ask > 0
        self.mid_x2_ticks = mid_x2 = bid + ask if both else 0
        self.mid_ticks = mid_x2 // 2
        self.spread_ticks = spread = ask - bid if both else 0
        if self.data_ready is not (spread > 0):
            self.update_status()
