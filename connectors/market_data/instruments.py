"""Instruments: which of a feed's markets the exchange has, and their rules."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Protocol

import msgspec

from actors.effects import Effects
from connectors.core.market_api import BadRules, MarketApi, SendRequest
from connectors.core.market_scales import MarketScales
from connectors.core.throttle import Limit
from connectors.market_data.market_state import MarketState
from connectors.market_data.rules_source import RulesSource
from market.rules import instrument_of, rules_in_scale
from market.scale import Scale
from protocol import Rules

HALTED = "the exchange has halted it"
MISSING = "the exchange has no such market: correct `markets`"
VANISHED = "the exchange has this market no more"


class InstrumentsListener(Protocol):
    """Receives changes of the instruments."""

    def on_instruments_changed(self) -> None:
        """The rules of a market are known or changed, or a market is unknown to the exchange."""

    def on_invalid_frame(self, reason: str) -> None:
        """An answer had no known form."""

    def on_limits(self, limits: Sequence[Limit]) -> None:
        """The exchange has stated its rate limits."""

    def on_gone(self, market: MarketState, reason: str) -> None:
        """The exchange has this market no more, or never had it."""


class Instruments:
    """Publishes rules when they are read first, and when they change.

    `unknown`: markets that the exchange lacks. `troubles`: by market, why it cannot be traded now; a market without an
    entry is in order, or its rules are not read yet.
    """

    def __init__(
        self,
        fx: Effects,
        api: MarketApi,
        markets: Mapping[str, MarketState],
        rules_ms: int,
        request: SendRequest,
        scales: MarketScales,
        listener: InstrumentsListener,
    ) -> None:
        self.unknown: list[str] = []
        self.troubles: dict[str, str] = {}
        self._fx = fx
        self._api = api
        self._markets = markets
        self._scales = scales
        self._listener = listener
        self._fees: tuple[Decimal, Decimal] | None = None
        self.rules = RulesSource(fx, api, rules_ms, request, self)

    def known(self) -> list[str]:
        """Returns the markets whose rules are known and that the exchange still has."""
        return [symbol for symbol, market in self._markets.items() if market.instrument and not market.gone]

    def set_fees(self, maker: Decimal, taker: Decimal) -> None:
        """Publish the account's commission rates with the rules, which do not include them."""
        self._fees = maker, taker
        for market in self._markets.values():
            if market.rules is not None:
                self._publish(market, market.rules)

    # -- RulesListener ----------------------------------------------------------------------------------------

    def on_rules(self, rules: Rules) -> None:
        """The rules of a market."""
        market = self._markets.get(rules.symbol)
        if market is None:
            return
        was_gone, market.gone = market.gone, False
        if rules.symbol in self.unknown:
            self.unknown.remove(rules.symbol)
        if not self._publish(market, rules):
            return
        self._note(rules.symbol, "" if rules.trading else HALTED)
        if was_gone:
            self._listener.on_instruments_changed()

    def on_bad_rules(self, bad: BadRules) -> None:
        """The rules of a market cannot be used: those before, if there are any, stay."""
        market = self._markets.get(bad.symbol)
        if market is None:
            return
        if market.rules is not None and not bad.trading:
            self._publish(market, msgspec.structs.replace(market.rules, trading=False))
        self._note(bad.symbol, bad.reason if bad.trading else f"{HALTED}; {bad.reason}")

    def on_unknown(self, symbol: str) -> None:
        """The exchange lacks this market. If it had the market before, the last rules stay, without trading."""
        market = self._markets[symbol]
        reason = MISSING if market.rules is None else VANISHED
        if market.rules is not None:
            self._publish(market, msgspec.structs.replace(market.rules, trading=False))
        elif symbol not in self.unknown:
            self.unknown.append(symbol)
        if not market.gone:
            market.gone = True
            self._listener.on_gone(market, reason)
        self._note(symbol, reason)

    def on_limits(self, limits: Sequence[Limit]) -> None:
        """The exchange has stated its rate limits."""
        self._listener.on_limits(limits)

    def on_invalid_answer(self, reason: str) -> None:
        """An answer had no known form."""
        self._listener.on_invalid_frame(reason)

    # -- internal ---------------------------------------------------------------------------------------------

    def _note(self, symbol: str, trouble: str) -> None:
        """Store why a market cannot be traded; "" if it can."""
        if self.troubles.get(symbol, "") == trouble:
            return
        if trouble:
            self.troubles[symbol] = trouble
            self._fx.log.error("market not in order", market=symbol, reason=trouble)
        else:
            del self.troubles[symbol]
            self._fx.log.info("market in order again", market=symbol)
        self._listener.on_instruments_changed()

    def _publish(self, market: MarketState, rules: Rules) -> bool:
        """Publish rules if they are new. Returns False if they cannot be used."""
        if self._fees is not None:
            rules = msgspec.structs.replace(rules, maker_fee=self._fees[0], taker_fee=self._fees[1])
        try:
            scale = self._scales.refine(rules.symbol, instrument_of(rules).scale, "the exchange's rules")
            rules = rules_in_scale(rules, scale)
            if rules == market.rules:
                return True
            self._api.add_market(rules)
        except ValueError as error:
            self.on_bad_rules(BadRules(rules.symbol, str(error), rules.trading))
            return False
        market.set_scale(scale)
        market.instrument, market.rules = instrument_of(rules), rules
        self._fx.publish(market.rules_topic, rules)
        self._listener.on_instruments_changed()
        return True

    def set_scale(self, symbol: str, scale: Scale) -> None:
        """The scale of a market is finer now: its frames are parsed, and its book and its rules are counted, in it."""
        market = self._markets.get(symbol)
        if market is None:
            return
        market.set_scale(scale)
        if market.rules is not None:
            self._api.add_market(market.rules)
            self._listener.on_instruments_changed()
