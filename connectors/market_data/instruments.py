"""Instruments: which of a feed's markets the exchange has, and their rules."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Protocol

import msgspec

from actors.effects import Effects
from connectors.core.market_api import MarketApi, SendRequest
from connectors.market_data.market_state import MarketState
from connectors.market_data.rules_source import RulesSource
from market.instrument import Instrument
from market.rules import instrument_of
from protocol import Rules


class InstrumentsListener(Protocol):
    """Receives changes of the instruments."""

    def on_instruments_changed(self) -> None:
        """The rules of a market are known or changed, or a market is unknown to the exchange."""

    def on_scale_changed(self, market: MarketState) -> None:
        """The tick or lot of a market is another one now."""

    def on_invalid_frame(self, reason: str) -> None:
        """An answer had no known form."""


class Instruments:
    """Publishes rules when they are read first, and when they change. `unknown`: markets that the exchange lacks."""

    def __init__(
        self,
        fx: Effects,
        api: MarketApi,
        markets: Mapping[str, MarketState],
        rules_ms: int,
        request: SendRequest,
        listener: InstrumentsListener,
    ) -> None:
        self.unknown: list[str] = []
        self._fx = fx
        self._api = api
        self._markets = markets
        self._listener = listener
        self._fees: tuple[Decimal, Decimal] | None = None
        self.rules = RulesSource(
            fx, api, rules_ms, request, self._on_rules, self._on_unknown, listener.on_invalid_frame
        )  # fmt: skip

    @property
    def is_complete(self) -> bool:
        """Whether every market is known to exist or not, and one at least exists."""
        missing = sum(market.instrument is None for market in self._markets.values())
        return missing == len(self.unknown) < len(self._markets)

    def known(self) -> list[str]:
        """Returns the markets that are not known to be missing."""
        return [symbol for symbol in self._markets if symbol not in self.unknown]

    def set_fees(self, maker: Decimal, taker: Decimal) -> None:
        """Publish the account's commission rates with the rules, which do not include them."""
        self._fees = maker, taker
        for market in self._markets.values():
            if market.rules is not None:
                self._on_rules(market.rules)

    def _on_unknown(self, symbol: str) -> None:
        """The exchange lacks this market. If it had the market before, the last rules stay."""
        if symbol not in self.unknown and self._markets[symbol].rules is None:
            self.unknown.append(symbol)
            self._fx.log.error("unknown market", market=symbol)
            self._listener.on_instruments_changed()

    def _on_rules(self, rules: Rules) -> None:
        market = self._markets[rules.symbol]
        if self._fees is not None:
            rules = msgspec.structs.replace(rules, maker_fee=self._fees[0], taker_fee=self._fees[1])
        if rules == market.rules:
            return
        try:
            instrument = instrument_of(rules)
            self._api.add_market(rules)
        except ValueError as error:
            self._listener.on_invalid_frame(str(error))
            return
        before, market.instrument, market.rules = market.instrument, instrument, rules
        self._fx.publish(market.rules_topic, rules)
        if before is not None and _scale(before) != _scale(instrument):
            self._listener.on_scale_changed(market)
        self._listener.on_instruments_changed()


def _scale(instrument: Instrument) -> tuple[Decimal, Decimal]:
    return instrument.tick_size, instrument.lot_size
