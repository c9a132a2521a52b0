"""TradedMarkets: the rules of each market, and the record of the scale in which the journal counts it."""

from collections.abc import Sequence

from connectors.core.order_api import OrderApi
from connectors.core.records import ScaleRecord
from connectors.market_data.feed import MarketFeed
from connectors.orders.order_journal import OrderJournal
from connectors.orders.tracker import OrderTracker
from market.instrument import Instrument
from market.scale import Scale


class TradedMarkets:
    """`instruments` by symbol, as the feed learns them, in the connector's scales.

    `unlisted`: markets that are not in the settings, and in which the journal has open orders: these are tracked to
    their end.
    """

    def __init__(
        self,
        symbols: Sequence[str],
        feed: MarketFeed,
        api: OrderApi,
        tracker: OrderTracker,
        journal: OrderJournal,
    ) -> None:
        self.unlisted: list[str] = []
        self.instruments: dict[str, Instrument] = {}
        self._symbols = symbols
        self._feed = feed
        self._api = api
        self._tracker = tracker
        self._journal = journal

    def start(self) -> None:
        """The journal is read: reports about these markets are understood from now on.

        A journal whose last records count in other units, those of an earlier version, goes on in scales.
        """
        self.unlisted = sorted({order.terms.symbol for order in self._tracker.open.values()} - set(self._symbols))
        for symbol in self.symbols():
            self._api.add_symbol(symbol)
        for symbol, scale in list(self._tracker.scales.items()):
            self.record_scale(symbol, scale)

    def record_scale(self, symbol: str, scale: Scale) -> None:
        """From now on the journal counts a market in `scale`: all that it contains of this market is converted."""
        if not self._tracker.is_recorded(symbol, scale):
            self._journal.commit([ScaleRecord(symbol, scale.tick, scale.lot)])

    def symbols(self) -> list[str]:
        """Returns every market whose orders are tracked."""
        return [*self._symbols, *self.unlisted]

    def refresh(self) -> None:
        """Take over what the feed knows."""
        for symbol in self._symbols:
            instrument = self._feed.instrument(symbol)
            if instrument is not None and self.instruments.get(symbol) != instrument:
                self.instruments[symbol] = instrument
                self._api.add_market(instrument)
