"""Market: all that a strategy asks of one market, answered in its own process."""

from collections.abc import Callable

from market.book import Book
from market.exact import ZERO
from market.instrument import Instrument, Rounding
from market.position import Position
from protocol import BookDelta, BookSnapshot, BookStatus, Rules, StreamState, TopOfBook, Trade, topics
from strategies.account import Account, Balance
from strategies.order import Order


class Market:
    """The local replica of one market ("binance:BTC-USDT"): book, rules, fees, balances, orders, position.

    Every answer is local, well under a microsecond, and as of the last message taken. Prices are ticks, sizes
    lots; 0 stands for "no such price". `ready`: the book is live and sane, and rules, orders and balances are
    known; `why_not_ready` says what is missing. On a stale book the answers are the last that was known.

    Straight from the book (`market.book.Book`; `side` is the taker's, so a BUY walks the asks):
    `price_for_volume(side, lots)`, `volume_for_price(side, price_ticks)`, `vwap(side, lots)`,
    `cost(side, lots)`; of a side's own levels: `levels(side, n)`, `depth(side, n)`.
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
        "connector",
        "cost",
        "depth",
        "last_trade",
        "levels",
        "maker_fee",
        "mid_ticks",
        "mid_x2_ticks",
        "name",
        "price_for_volume",
        "ready",
        "rules",
        "rules_reason",
        "seen_ns",
        "spread_ticks",
        "symbol",
        "taker_fee",
        "top",
        "trading",
        "volume_for_price",
        "vwap",
    )

    def __init__(self, name: str, connector: str, symbol: str, account: Account) -> None:
        self.name = name
        self.connector = connector
        self.symbol = symbol
        self.account = account
        self.rules: Instrument | None = None
        self.rules_reason = ""
        self.trading = False  # the exchange takes orders for it
        self.maker_fee = ZERO  # parts of the notional: Decimal("0.001") is 10 bps
        self.taker_fee = ZERO
        self._free_base_lots = self._free_quote = 0
        self._free_version = -1
        self.last_trade: Trade | None = None
        self.top: TopOfBook | None = None  # only for strategies that handle TopOfBook
        self.ready = False
        self.book = Book()
        self.book_state = StreamState.STALE
        self.book_reason = f"no book yet from {connector}"
        self.book_seq = 0  # where the book's stream stood when it last changed
        self.book_ts_ns = 0  # the connector's time of that
        self.seen_ns = 0  # the book is known to be the connector's as of this time, changed or not
        # Bound methods of the book: a detour through our own would double their cost.
        self.price_for_volume: Callable[[int, int], int] = self.book.price_for_volume
        self.volume_for_price: Callable[[int, int], int] = self.book.volume_for_price
        self.vwap: Callable[[int, int], float] = self.book.vwap
        self.cost: Callable[[int, int], tuple[int, int]] = self.book.cost
        self.levels: Callable[[int, int], list[tuple[int, int]]] = self.book.levels
        self.depth: Callable[[int, int], bytes] = self.book.depth
        self._look()
        account.markets[symbol] = self

    @property
    def why_not_ready(self) -> str:
        """What is missing, in words for a log line; "" if nothing is."""
        if self.book_state is StreamState.STALE:
            return f"book stale: {self.book_reason}"
        if self.book.is_empty:
            return "book empty on a side"
        if self.book.is_crossed:
            return f"book crossed: bid {self.best_bid_ticks}, ask {self.best_ask_ticks}"
        if self.rules is None:
            return f"rules not yet told by {self.connector}"
        if self.rules_reason:
            return f"rules stale: {self.rules_reason}"
        if not self.trading:
            return f"{self.symbol} is not trading"
        return self.account.why_unknown

    @property
    def open_orders(self) -> list[Order]:
        """This strategy's orders here that are possibly live, oldest first."""
        return self.account.orders.of(self.symbol)

    @property
    def position(self) -> Position:
        """What all fills of this strategy here add up to, over all its lives."""
        return self.account.orders.position(self.symbol)

    @property
    def untold(self) -> list[str]:
        """The kinds of market data that must be told before quoting and never were."""
        kinds = []
        if self.rules is None:
            kinds.append("rules")
        if not self.book_ts_ns:
            kinds.append("book")
        return kinds

    def topic(self, kind: str) -> str:
        """The topic of a kind of this market's data: book, top, trade, rules."""
        return topics.market_data(self.connector, self.symbol, kind)

    def balance(self, asset: str) -> Balance:
        """(free, locked) of an asset, Decimal; own orders that the exchange has not yet counted are locked."""
        return self.account.balance(asset)

    @property
    def free_base_lots(self) -> int:
        """The free balance of the base in whole lots; 0 while the rules are not known."""
        if self._free_version != self.account.version:
            self._count_free()
        return self._free_base_lots

    @property
    def free_quote(self) -> int:
        """The free balance of the quote in whole ticks * lots; 0 while the rules are not known."""
        if self._free_version != self.account.version:
            self._count_free()
        return self._free_quote

    def book_age_ns(self, now_ns: int) -> int:
        """How long ago the book was last known to be the connector's: at its last change, or at a later tick."""
        known_ns = self.seen_ns if self.seen_ns > self.book_ts_ns else self.book_ts_ns
        return now_ns - known_ns if now_ns > known_ns else 0

    # -- upkeep: the Strategy calls these with what the bus brings --------------------------------------

    def take_snapshot(self, news: BookSnapshot, seq: int, ts_ns: int) -> None:
        """The whole book. ValueError on levels that are none, with the book as it was."""
        self.book.apply_snapshot(news.bids, news.asks)
        self.book_seq, self.book_ts_ns = seq, ts_ns
        self.book_state, self.book_reason = news.state, "the connector says so"
        self._look()

    def take_delta(self, news: BookDelta, seq: int, ts_ns: int) -> None:
        """Changed levels. ValueError on levels that are none, with the book as it was."""
        moved = self.book.apply_delta(news.bids, news.asks)
        self.book_seq, self.book_ts_ns = seq, ts_ns
        if moved:
            self._look()

    def take_status(self, news: BookStatus, seq: int, ts_ns: int) -> None:
        """The connector's word that the book is not to be relied on, or that it is polled."""
        self.book_seq, self.book_ts_ns = seq, ts_ns
        self.book_state, self.book_reason = news.state, news.reason
        self.judge()

    def take_rules(self, news: Rules) -> None:
        """The market's rules, first told or changed."""
        self.rules = Instrument(
            news.symbol,
            news.base,
            news.quote,
            news.tick_size,
            news.lot_size,
            news.min_price_ticks,
            news.max_price_ticks,
            news.min_size_lots,
            news.max_size_lots,
            news.market_max_size_lots,
            news.min_notional,
            news.max_notional,
            news.base_precision,
            news.quote_precision,
        )
        self.account.recount()
        self.trading, self.maker_fee, self.taker_fee = news.trading, news.maker_fee, news.taker_fee
        self.position.set_rules(self.rules)
        self.judge()

    def mark(self, kind: str, why_stale: str) -> None:
        """The stream of a kind (book, rules) cannot be relied on; "" as the reason: it is whole again."""
        if kind == "book" and why_stale:
            self.book_state, self.book_reason = StreamState.STALE, why_stale
        elif kind == "rules":
            self.rules_reason = why_stale
        self.judge()

    def judge(self) -> None:
        """Look again whether all is known that quoting needs."""
        self.ready = (
            self.account.known
            and self.book_state is not StreamState.STALE
            and self.spread_ticks > 0
            and self.rules is not None
            and self.trading
            and not self.rules_reason
        )

    def _count_free(self) -> None:
        rules = self.rules
        if rules is not None:
            self._free_base_lots = max(rules.size_lots(self.balance(rules.base).free, Rounding.DOWN), 0)
            self._free_quote = max(int(self.balance(rules.quote).free // rules.notional_unit), 0)
            self._free_version = self.account.version

    def _look(self) -> None:
        """The top has changed: take it over, so that reading it costs one attribute."""
        book = self.book
        bid, ask = book.best_bid_ticks, book.best_ask_ticks
        self.best_bid_ticks, self.best_bid_lots = bid, book.best_bid_lots
        self.best_ask_ticks, self.best_ask_lots = ask, book.best_ask_lots
        both = bid > 0 and ask > 0
        self.mid_x2_ticks = mid_x2 = bid + ask if both else 0
        self.mid_ticks = mid_x2 // 2
        self.spread_ticks = spread = ask - bid if both else 0
        if self.ready is not (spread > 0):
            self.judge()
