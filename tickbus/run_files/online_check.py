"""Mistakes of a run file that only the exchange knows: unknown and halted markets, sizes off its rules."""

import asyncio
from decimal import Decimal
from urllib.parse import urlsplit

import structlog

from actors.live.http import HttpClient
from actors.net import HttpAnswer, HttpFailure, HttpRequest
from actors.run.run_file import Run
from actors.sim.driver import Sim
from connectors.connector import Connector
from connectors.core.market_api import BadFrame, BadRules, MarketApi
from connectors.core.order_api import Call
from market.instrument import Instrument
from market.rules import instrument_of
from protocol import Rules
from tickbus.run_files.cross_check import Parts, parts_of

LOCAL_SCHEME = "local"
POLL_LEVELS = 5


def online_problems(run: Run) -> list[str]:
    """Requests the rules and best prices of every market of the run. Returns the mistakes; one text each.

    A connector of the run's own exchange is left out: that exchange only exists while the bot runs.
    """
    parts = parts_of(run)
    found: list[str] = []
    instruments: dict[str, Instrument] = {}
    prices: dict[str, Decimal] = {}
    for name in parts.connectors:
        found += asyncio.run(_read_exchange(run, name, instruments, prices))
    for name, (kind, settings) in parts.strategies.items():
        for market, size in kind.order_sizes(settings, instruments).items():
            if market in instruments:
                text = _size_problem(instruments[market], size, prices.get(market))
                found += [f"`{name}`: {text} - at `$.actors.{name}.settings`"] if text else []
                found += _limit_problems(parts, market, size, prices.get(market))
    return found


async def _read_exchange(
    run: Run, name: str, instruments: dict[str, Instrument], prices: dict[str, Decimal]
) -> list[str]:
    """Fills in the rules and mid prices of one connector's markets. Returns what is wrong with them."""
    kind, settings = run.actor_class(name), run.actor_settings(name)
    actor = Sim(log=structlog.get_logger()).add(name, kind, settings)  # never run: only its MarketApi is used
    assert isinstance(actor, Connector)
    api = actor.make_market_api()
    markets = actor.settings.markets
    url = urlsplit(_request(api.rules_request(markets)).url)
    if url.scheme == LOCAL_SCHEME:
        return []
    found: list[str] = []
    client = HttpClient(lambda call, *args: call(*args), lambda one, _scheme: one)
    try:
        for n, symbol in enumerate(markets):
            at = f"at `$.actors.{name}.settings.markets[{n}]`"
            answer = await _send(client, api.rules_request([symbol]))
            if isinstance(answer, HttpFailure):
                return [*found, f"{url.netloc} cannot be reached: {answer.text} - at `$.actors.{name}`"]
            text, rules = _rules(api, symbol, answer)
            if rules is not None:
                instruments[f"{name}:{symbol}"] = instrument_of(rules)
                api.add_market(rules)
                prices |= await _mid_price(client, api, f"{name}:{symbol}", instrument_of(rules))
            if text:
                found.append(f"{text} - {at}")
    finally:
        await client.close()
    return found


def _rules(api: MarketApi, symbol: str, answer: HttpAnswer) -> tuple[str, Rules | None]:
    """Returns (what is wrong, the rules)."""
    if api.is_unknown_market(answer.status, answer.body):
        return f"the exchange has no market {symbol}", None
    try:
        rows = [one for one in api.parse_rules(answer.body) if one.symbol == symbol]
    except BadFrame as error:
        return f"the exchange's rules of {symbol} cannot be read (HTTP status {answer.status}): {error}", None
    if not rows:
        return f"the exchange has no market {symbol}", None
    row = rows[0]
    if isinstance(row, BadRules):
        return f"the exchange's rules of {symbol} cannot be used: {row.reason}", None
    return ("" if row.trading else f"{symbol} is not trading now"), row


async def _mid_price(client: HttpClient, api: MarketApi, market: str, rules: Instrument) -> dict[str, Decimal]:
    """Returns {market: the mid price}; empty if a side of the book is empty or the book cannot be read."""
    answer = await _send(client, api.snapshot_request(rules.symbol, POLL_LEVELS))
    if isinstance(answer, HttpFailure):
        return {}
    try:
        book = api.parse_snapshot(rules.symbol, answer.body, 0)
    except BadFrame:
        return {}
    if not book.bids or not book.asks:
        return {}
    bid, ask = (int.from_bytes(side[:8], "little") for side in (book.bids, book.asks))
    return {market: (rules.price(bid) + rules.price(ask)) / 2}


async def _send(client: HttpClient, call: Call) -> HttpAnswer | HttpFailure:
    outcome: asyncio.Future[HttpAnswer | HttpFailure] = asyncio.get_running_loop().create_future()
    client.send(_request(call), outcome.set_result)
    return await outcome


def _request(call: Call) -> HttpRequest:
    assert isinstance(call.request, HttpRequest), "rules and snapshots are requested by REST"
    return call.request


def _size_problem(rules: Instrument, size: Decimal, price: Decimal | None) -> str:
    least = rules.size(rules.min_size_lots)
    if size < least:
        return f"an order of {size:f} {rules.base} is too small: {rules.symbol} takes {least} or more"
    if price is not None and size * price < rules.min_notional:
        value = f"{size * price:.2f} {rules.quote}"
        return f"an order of {size:f} {rules.base} is worth {value}: {rules.symbol} takes {rules.min_notional} or more"
    return ""


def _limit_problems(parts: Parts, market: str, size: Decimal, price: Decimal | None) -> list[str]:
    connector, _, symbol = market.partition(":")
    limits = parts.connectors[connector].limits.get(symbol)
    if limits is None or price is None or size * price <= limits.max_order_notional:
        return []
    return [
        f"an order of {size:f} is worth {size * price:.2f} at the price of now, and the limit max_order_notional is "
        f"{limits.max_order_notional} - at `$.actors.{connector}.settings.limits.{symbol}`"
    ]
