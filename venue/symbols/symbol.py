"""A traded symbol: its numbers, its matching engine, and what the public knows of it."""

from collections import deque
from collections.abc import Callable
from decimal import Decimal

from market.levels import unpack_levels
from market.matching import Matching
from protocol.enums import Side
from venue.base import errors
from venue.base.numbers import ATOMS, atoms, fixed8
from venue.base.settings import MarketSettings
from venue.base.units import MINUTE_NS
from venue.orders.order import AggTrade, Order, PublicTrade
from venue.orders.stops import Stops
from venue.symbols.candles import Candle, Candles
from venue.symbols.filter_bounds import Bounds
from venue.symbols.reference_price import ReferencePrice
from venue.symbols.synthetic_history import History

KEPT_TRADES = 20_000
AVERAGE_MINUTES = 5
FLOW_ACCOUNT = 0
"""The account number under which the order flow trades; its money is endless."""


class Symbol:
    """One market. Prices in ticks, sizes in lots, amounts in atoms of 10**-8."""

    def __init__(self, settings: MarketSettings) -> None:
        self.settings = settings
        self.bounds = Bounds.of(settings)
        self.base = settings.base
        self.quote = settings.quote
        if not (self.base and self.quote):
            raise errors.BadVenue(f"market {settings.symbol!r}: name it base-quote, as BTC-USDT")
        self.name = self.base + self.quote
        self.assets = tuple(dict.fromkeys((self.base, self.quote)))
        try:
            self.tick_atoms = atoms(settings.tick_size)
            self.lot_atoms = atoms(settings.lot_size)
            self.notional_atoms = atoms(settings.tick_size * settings.lot_size)
        except ValueError as error:
            text = f"market {settings.symbol}: tick_size, lot_size and their product: {error}"
            raise errors.BadVenue(text) from None
        if min(self.tick_atoms, self.lot_atoms, self.notional_atoms) <= 0:
            raise errors.BadVenue(f"market {settings.symbol}: tick_size and lot_size must be above zero")
        self.status = "TRADING"  # BREAK, HALT: it stands still; DELISTED: it is not there
        self.tick_step = self.lot_step = 1  # new prices and sizes must be multiples of so many ticks and lots
        self.matching = Matching()
        self.stops = Stops()
        self.trades: deque[PublicTrade] = deque(maxlen=KEPT_TRADES)
        self.agg_trades: deque[AggTrade] = deque(maxlen=KEPT_TRADES)
        self.candles = Candles()
        self.history: History | None = None  # what is told of the time before
        self.status = "TRADING"
        self.reference = None if settings.reference_price is None else ReferencePrice(settings.reference_price)
        self.update_id = 0
        self.last_ticks = self.ticks(settings.start_price)
        self.closed = ""  # why no order is taken now; empty: orders are taken

    @property
    def is_trading(self) -> bool:
        return self.status == "TRADING"

    @property
    def is_listed(self) -> bool:
        return self.status != "DELISTED"

    def change(self, settings: MarketSettings) -> None:
        """Other filters from now on; ticks and lots that are multiples of those that it was opened with."""
        self.settings = settings
        self.bounds = Bounds.of(settings)
        self.tick_step = atoms(settings.tick_size) // self.tick_atoms
        self.lot_step = atoms(settings.lot_size) // self.lot_atoms

    def ticks(self, price: Decimal) -> int:
        return int(atoms(price)) // self.tick_atoms

    def lots(self, size: Decimal) -> int:
        return int(atoms(size)) // self.lot_atoms

    def price(self, price_ticks: int) -> str:
        return fixed8(price_ticks * self.tick_atoms)

    def size(self, size_lots: int) -> str:
        return fixed8(size_lots * self.lot_atoms)

    def amount(self, notional: int) -> str:
        """The decimal string of price_ticks x size_lots, in the quote asset."""
        return fixed8(notional * self.notional_atoms)

    def levels(self, packed: bytes) -> list[tuple[str, str]]:
        """Packed levels as the API shows them."""
        return [(self.price(price), self.size(size)) for price, size in unpack_levels(packed)]

    def make_smaller(self, order_id: int, lots: int) -> None:
        """Take lots off a resting order where it stands; all that are open end it."""
        row = self.matching.order(order_id)
        assert row is not None
        size_lots, leaves = row[4], row[5]  # as matching knows them: less than the order's own after a restart
        if lots < leaves:
            self.matching.reduce(order_id, size_lots - lots)
        else:
            self.matching.cancel(order_id)

    def add_trade(self, trade: PublicTrade) -> None:
        self.trades.append(trade)
        self.candles.add(trade)
        if self.reference is not None:
            self.reference.add(trade.price_ticks * self.tick_atoms, trade.time_ns)
        self.last_ticks = trade.price_ticks

    def aggregate(self, trades: list[PublicTrade], take_id: Callable[[], int]) -> list[AggTrade]:
        """The trades of one taker order, those at one price as one; kept, too."""
        rows: list[AggTrade] = []
        for trade in trades:
            if rows and rows[-1].price_ticks == trade.price_ticks:
                rows[-1].size_lots += trade.size_lots
                rows[-1].last_id = trade.trade_id
                continue
            price, size, first = trade.price_ticks, trade.size_lots, trade.trade_id
            rows.append(AggTrade(take_id(), price, size, first, first, trade.time_ns, trade.buyer_is_maker))
        self.agg_trades.extend(rows)
        return rows

    def average_ticks(self, now_ns: int) -> int:
        """The volume-weighted price of the last five minutes, else the last price."""
        volume_lots, quote_volume = self.candles.turnover(AVERAGE_MINUTES * MINUTE_NS, now_ns)
        return quote_volume // volume_lots if volume_lots else self.last_ticks

    def average(self, now_ns: int) -> str:
        """The same to eight decimals, as the API tells it."""
        recent = self.candles.over(AVERAGE_MINUTES * MINUTE_NS, now_ns)
        return self.price(self.last_ticks) if recent is None else self.weighted(recent)

    def weighted(self, candle: Candle) -> str:
        """The volume-weighted price of a candle, to eight decimals."""
        if not candle.volume_lots:
            return self.price(candle.close_ticks)
        return fixed8(candle.quote_volume * self.tick_atoms // candle.volume_lots)

    def held_asset(self, order: Order) -> str:
        """What an open order of this side holds."""
        return self.quote if order.side is Side.BUY else self.base

    def held_atoms(self, order: Order, lots: int) -> int:
        """How much of it so many open lots of a limit order hold."""
        if order.side is Side.BUY:
            return order.price_ticks * lots * self.notional_atoms
        return lots * self.lot_atoms

    def cost(self, side: Side, size_lots: int) -> int:
        """ticks x lots that taking so many lots on `side` moves now (less, where the book has fewer)."""
        return self.matching.notional_for_lots(side, size_lots)

    def cost_past(self, side: Side, size_lots: int, trader: int) -> int:
        """The same for a taker that clears all orders of `trader` away and takes nothing of them."""
        passed = cost = 0
        own = [(row[3], row[5]) for row in self.matching.orders(trader) if row[2] == side.opposite]
        for price_ticks, lots in sorted(own, key=lambda one: side.sign * one[0]):
            if self.matching.volume_for_price(side, price_ticks) - passed - lots >= size_lots:
                break
            passed += lots
            cost += lots * price_ticks
        return self.matching.notional_for_lots(side, size_lots + passed) - cost

    def most_lots(self, is_market: bool) -> int:
        """The greatest size that the filters take."""
        s = self.settings
        return self.lots(min(s.max_size, s.market_max_size) if is_market else s.max_size)

    def to_ticks(self, price_atoms: int) -> int:
        """Raises -1013 PRICE_FILTER for a price off the tick."""
        price_ticks, rest = divmod(price_atoms, self.tick_atoms)
        if rest or price_ticks % self.tick_step:
            raise errors.filter_failure("PRICE_FILTER")
        return price_ticks

    def to_lots(self, size_atoms: int) -> int:
        """Raises -1013 LOT_SIZE for a quantity off the step."""
        size_lots, rest = divmod(size_atoms, self.lot_atoms)
        if rest or size_lots % self.lot_step:
            raise errors.filter_failure("LOT_SIZE")
        return size_lots


def exact(value: Decimal) -> str:
    """A setting as exchangeInfo prints it."""
    return fixed8(int(value * ATOMS))
