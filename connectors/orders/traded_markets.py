"""TradedMarkets: the rules of each market, and the tick and lot in which the journal counts it."""

from collections.abc import Sequence

from connectors.core.order_api import OrderApi
from connectors.core.records import ScaleRecord
from connectors.market_data.feed import MarketFeed
from connectors.orders.order_journal import OrderJournal
from connectors.orders.tracker import OrderTracker
from market.instrument import Instrument


class TradedMarkets:
    """`instruments` by symbol, as the feed learns them; `scale_problems`: why a market's new scale is not adopted.

    `unlisted`: markets that are not in the settings, and in which the journal has open orders: these are tracked to
    their end.
    """

    def __init__(
        self, symbols: Sequence[str], feed: MarketFeed, api: OrderApi, tracker: OrderTracker, journal: OrderJournal
    ) -> None:
        self.unlisted: list[str] = []
        self.instruments: dict[str, Instrument] = {}
        self.scale_problems: dict[str, str] = {}
        self._symbols = symbols
        self._feed = feed
        self._api = api
        self._tracker = tracker
        self._journal = journal

    def start(self) -> None:
        """The journal is read: reports about these markets are understood from now on."""
        self.unlisted = sorted({order.terms.symbol for order in self._tracker.open.values()} - set(self._symbols))
        for symbol in self.symbols():
            self._api.add_symbol(symbol)

    def symbols(self) -> list[str]:
        """Returns every market whose orders are tracked."""
        return [*self._symbols, *self.unlisted]

    def refresh(self) -> None:
        """Take over what the feed knows."""
        for symbol in self._symbols:
            instrument = self._feed.instrument(symbol)
            if instrument is None:
                continue
            if self.instruments.get(symbol) != instrument:
                self.instruments[symbol] = instrument
                self._api.add_market(instrument)
            self._adopt_scale(instrument)
            self.scale_problems[symbol] = self._scale_trouble(instrument)

    def _adopt_scale(self, instrument: Instrument) -> None:
        """The journal's ticks and lots follow the exchange's once nothing that is counted in them depends on them."""
        symbol = instrument.symbol
        scale = ScaleRecord(symbol, instrument.tick_size, instrument.lot_size)
        known = self._tracker.scales.get(symbol)
        if scale == known:
            return
        has_orders = any(order.terms.symbol == symbol for order in self._tracker.open.values())
        if known is None or (known.lot_size == scale.lot_size and not has_orders):
            self._journal.commit([scale])

    def _scale_trouble(self, instrument: Instrument) -> str:
        known = self._tracker.scales.get(instrument.symbol)
        if known is None or (known.tick_size, known.lot_size) == (instrument.tick_size, instrument.lot_size):
            return ""
        return (
            f"tick {known.tick_size} and lot {known.lot_size} have become {instrument.tick_size} and "
            f"{instrument.lot_size}: a new tick is adopted once no order is open; for a new lot move the journal away"
        )
