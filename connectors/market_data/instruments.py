"""Listing: which of a feed's markets the exchange has, and by what rules."""

from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from connectors.market_data.rules_source import RulesSource
from connectors.market_data.snapshots import Ask
from market.instrument import Instrument
from market.rules import instrument_of
from protocol import Rules

if TYPE_CHECKING:
    from connectors.market_data.feed import MarketFeed


class Listing:
    """Publishes Rules, first told, read again or changed. `unknown`: markets that the exchange does not have."""

    def __init__(self, feed: "MarketFeed", ask: Ask) -> None:
        self.unknown: list[str] = []
        self._feed = feed
        self._fees: tuple[Decimal, Decimal] | None = None
        self.rules = RulesSource(
            feed.host, feed.dialect, feed.settings.rules_ms, ask, self._take, self._not_there, feed.garbage
        )  # fmt: skip

    @property
    def is_whole(self) -> bool:
        """Whether it is known of every market what it is, and one at least is there."""
        markets = self._feed.markets
        missing = sum(market.instrument is None for market in markets.values())
        return missing == len(self.unknown) < len(markets)

    def known(self) -> list[str]:
        """Markets that are not known to be missing."""
        return [symbol for symbol in self._feed.markets if symbol not in self.unknown]

    def set_fees(self, maker: Decimal, taker: Decimal) -> None:
        """The account's commission rates, which exchangeInfo does not tell: they go out with the rules."""
        self._fees = maker, taker
        for market in self._feed.markets.values():
            if market.rules is not None:
                self._take(market.rules)

    def _not_there(self, symbol: str) -> None:
        """The exchange does not have this market; or has it no more, and then its last rules stand."""
        if symbol not in self.unknown and self._feed.markets[symbol].rules is None:
            self.unknown.append(symbol)
            self._feed.host.log.error("feed.unknown_market", market=symbol)
            self._feed.listed()

    def _take(self, rules: Rules) -> None:
        feed = self._feed
        market = feed.markets[rules.symbol]
        if self._fees is not None:
            rules = msgspec.structs.replace(rules, maker_fee=self._fees[0], taker_fee=self._fees[1])
        if rules == market.rules:
            return
        try:
            instrument = instrument_of(rules)
            feed.dialect.learn(rules)
        except ValueError as error:
            feed.garbage(str(error))
            return
        before, market.instrument, market.rules = market.instrument, instrument, rules
        feed.host.publish(market.rules_topic, rules)
        if before is not None and _scale(before) != _scale(instrument):
            feed.rescaled(market)
        feed.listed()


def _scale(instrument: Instrument) -> tuple[Decimal, Decimal]:
    return instrument.tick_size, instrument.lot_size
