"""A traded symbol: its units, its matching engine and its public market data."""

from collections import deque
from collections.abc import Callable
from decimal import Decimal

from market.levels import unpack_levels
from market.matching import Matching
from protocol.enums import Side
from venue.base import api_errors
from venue.base.numbers import ATOMS, atoms, fixed8
from venue.base.settings import MarketSettings
from venue.base.units import MINUTE_NS
from venue.base.venue_errors import BadVenue
from venue.orders.exchange_order import AggTrade, ExchangeOrder, PublicTrade
from venue.orders.stops import Stops
from venue.symbols.candles import Candle, Candles
from venue.symbols.filter_bounds import FilterBounds
from venue.symbols.reference_price import ReferencePrice
from venue.symbols.synthetic_history import SyntheticHistory

KEPT_TRADES = 20_000
AVERAGE_MINUTES = 5
FLOW_ACCOUNT = 0
"""The account number of the order flow, which has unlimited funds."""


class Symbol:
    """One market. Prices in ticks, sizes in lots, amounts in atoms of 10**-8."""

    def __init__(self, settings: MarketSettings) -> None:
        self.settings = settings
        self.bounds = FilterBounds.of(settings)
        self.base = settings.base
        self.quote = settings.quote
        if not (self.base and self.quote):
            raise BadVenue(f"market {settings.symbol!r}: must have the form BASE-QUOTE, such as BTC-USDT")
        self.name = self.base + self.quote
        self.assets = tuple(dict.fromkeys((self.base, self.quote)))
        try:
            tick = _unit(settings.tick_size, settings.price_digits)
            lot = _unit(settings.lot_size, settings.size_digits)
            self.tick_atoms, self.lot_atoms, self.notional_atoms = atoms(tick), atoms(lot), atoms(tick * lot)
        except ValueError as error:
            text = f"market {settings.symbol}: tick_size, lot_size and their product: {error}"
            raise BadVenue(text) from None
        if min(self.tick_atoms, self.lot_atoms, self.notional_atoms) <= 0:
            raise BadVenue(f"market {settings.symbol}: tick_size and lot_size must be above zero")
        self.status = "TRADING"  # or BREAK, HALT: trading is stopped; DELISTED: it does not exist
        # New prices and sizes must be multiples of these ticks and lots.
        self.tick_step = atoms(settings.tick_size) // self.tick_atoms
        self.lot_step = atoms(settings.lot_size) // self.lot_atoms
        self.matching = Matching()
        self.stops = Stops()
        self.trades: deque[PublicTrade] = deque(maxlen=KEPT_TRADES)
        self.agg_trades: deque[AggTrade] = deque(maxlen=KEPT_TRADES)
        self.candles = Candles()
        self.history: SyntheticHistory | None = None  # synthetic klines of the time before the start
        self.reference = None if settings.reference_price is None else ReferencePrice(settings.reference_price)
        self.update_id = 0
        self.last_ticks = self.ticks(settings.start_price)
        self.closed = ""  # the reason why orders are rejected now; empty: orders are accepted

    @property
    def is_trading(self) -> bool:
        return self.status == "TRADING"

    @property
    def is_listed(self) -> bool:
        return self.status != "DELISTED"

    def change_filters(self, settings: MarketSettings) -> None:
        """Changes the filters; new ticks and lots must be multiples of the units. Resting orders keep their prices."""
        self.settings = settings
        self.bounds = FilterBounds.of(settings)
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
        """Packed levels as (price, size) decimal strings."""
        return [(self.price(price), self.size(size)) for price, size in unpack_levels(packed)]

    def reduce(self, order_id: int, lots: int) -> None:
        """Reduces a resting order by `lots` in its place in the queue; removes it if none are left."""
        row = self.matching.order(order_id)
        assert row is not None
        size_lots, leaves = row[4], row[5]  # as in matching; after a restart the size is less than the order's own
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

    def aggregate(self, trades: list[PublicTrade], next_id: Callable[[], int]) -> list[AggTrade]:
        """Adds and returns the aggregate trades of one taker order: trades at one price are summed."""
        rows: list[AggTrade] = []
        for trade in trades:
            if rows and rows[-1].price_ticks == trade.price_ticks:
                rows[-1].size_lots += trade.size_lots
                rows[-1].last_id = trade.trade_id
                continue
            price, size, first = trade.price_ticks, trade.size_lots, trade.trade_id
            rows.append(AggTrade(next_id(), price, size, first, first, trade.time_ns, trade.buyer_is_maker))
        self.agg_trades.extend(rows)
        return rows

    def average_ticks(self, now_ns: int) -> int:
        """The volume-weighted price of the last five minutes; without trades the last price."""
        volume_lots, quote_volume = self.candles.turnover(AVERAGE_MINUTES * MINUTE_NS, now_ns)
        return quote_volume // volume_lots if volume_lots else self.last_ticks

    def average(self, now_ns: int) -> str:
        """The same as a string with eight decimals, for the API."""
        recent = self.candles.over(AVERAGE_MINUTES * MINUTE_NS, now_ns)
        return self.price(self.last_ticks) if recent is None else self.weighted(recent)

    def weighted(self, candle: Candle) -> str:
        """The volume-weighted price of a candle, with eight decimals."""
        if not candle.volume_lots:
            return self.price(candle.close_ticks)
        return fixed8(candle.quote_volume * self.tick_atoms // candle.volume_lots)

    def held_asset(self, order: ExchangeOrder) -> str:
        """The asset that an open order of this side locks."""
        return self.quote if order.side is Side.BUY else self.base

    def held_atoms(self, order: ExchangeOrder, lots: int) -> int:
        """The atoms of it that `lots` open lots of a limit order lock."""
        if order.side is Side.BUY:
            return order.price_ticks * lots * self.notional_atoms
        return lots * self.lot_atoms

    def cost(self, side: Side, size_lots: int) -> int:
        """The cost in ticks x lots of taking `size_lots` on `side` now; of fewer lots if the book has fewer."""
        return self.matching.notional_for_lots(side, size_lots)

    def cost_past(self, side: Side, size_lots: int, trader: int) -> int:
        """The same for a taker whose self-trade prevention expires all orders of `trader` on the way."""
        passed = cost = 0
        own = [(row[3], row[5]) for row in self.matching.orders(trader) if row[2] == side.opposite]
        for price_ticks, lots in sorted(own, key=lambda one: side.sign * one[0]):
            if self.matching.volume_for_price(side, price_ticks) - passed - lots >= size_lots:
                break
            passed += lots
            cost += lots * price_ticks
        return self.matching.notional_for_lots(side, size_lots + passed) - cost

    def max_lots(self, is_market: bool) -> int:
        """The maximum size that the filters allow."""
        s = self.settings
        return self.lots(min(s.max_size, s.market_max_size) if is_market else s.max_size)

    def to_ticks(self, price_atoms: int) -> int:
        """The price in ticks. Raises -1013 PRICE_FILTER if it is not a multiple of the tick."""
        price_ticks, rest = divmod(price_atoms, self.tick_atoms)
        if rest or price_ticks % self.tick_step:
            raise api_errors.filter_failure("PRICE_FILTER")
        return price_ticks

    def to_lots(self, size_atoms: int) -> int:
        """The quantity in lots. Raises -1013 LOT_SIZE if it is not a multiple of the lot."""
        size_lots, rest = divmod(size_atoms, self.lot_atoms)
        if rest or size_lots % self.lot_step:
            raise api_errors.filter_failure("LOT_SIZE")
        return size_lots


def _unit(step: Decimal, digits: int | None) -> Decimal:
    """The unit in which a market counts. Raises ValueError if `step` is not a multiple of it."""
    unit = step if digits is None else Decimal(1).scaleb(-digits)
    if unit > 0 and step % unit:
        raise ValueError(f"{step} is not a multiple of {unit}")
    return unit


def exact(value: Decimal) -> str:
    """A setting in the form of exchangeInfo."""
    return fixed8(int(value * ATOMS))
