"""A running bot as lines of text. Pure: no terminal."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from actors.run.run_file import CLOCK
from market.scale import digits_of, scale_of_message
from monitor.state import RunState
from monitor.sums import equity, percentile
from monitor.views import MarketView
from protocol import Fill, OrderUpdate, OrdStatus, RefusalCode, Rules, Side, Stages

LADDER = 5  # levels a side
OWN_BEYOND = 4  # prices of own orders shown beyond those
FILLS_SHOWN = 5
ORDERS_SHOWN = 8
SILENT_NS = 3_000_000_000
MIN_WIDTH = 40
DETAIL_CHARS = 200  # of an actor's detail in the status line
CRASH_LOOP = "CRASH LOOP"
RED, PLAIN = "\x1b[31m", "\x1b[0m"


class ProcessRow(NamedTuple):
    """One process, by its supervisor."""

    name: str
    pid: int
    state: str
    restarts: int
    rss_bytes: int = 0
    last_error: str = ""  # the last line that it wrote before it ended with an error
    crash_loop: str = ""  # the crashes of the last minute in one line, if they are a loop


def lines(
    state: RunState,
    rows: Sequence[ProcessRow],
    title: str,
    now_ns: int,
    width: int = 100,
    height: int = 0,
    notes: Sequence[str] = (),
) -> list[str]:
    """The whole view: lines of at most `width` characters, and at most `height` lines (0: no limit)."""
    width = max(MIN_WIDTH, width)
    parts = [title, clock_line(state), *stage_lines(state, now_ns), "", *process_lines(state, rows, now_ns)]
    for market in state.markets.values():
        parts += ["", *book_lines(state, market)]
    parts += ["", *order_lines(state), "", *fill_lines(state), "", *money_lines(state), *notes]
    return [line[:width] for line in (parts[:height] if height else parts)]


def clock_line(state: RunState) -> str:
    """Ticks, their latency, and late and skipped ones."""
    report = state.report
    if report is None:
        return "tick  waiting for the clock"
    hop50, hop99 = percentile(state.hops_us, 0.5), percentile(state.hops_us, 0.99)
    tick50, tick99 = percentile(state.tick_us, 0.5), percentile(state.tick_us, 0.99)
    text = f"tick {report.n}  ticks {state.ticks}  tick p50 {_us(tick50)} p99 {_us(tick99)}"
    text += f"  hop p50 {_us(hop50)} p99 {_us(hop99)}  skipped {state.ticks_skipped}  late {state.ticks_late}"
    return text + (f"  LATE NOW: {', '.join(report.late)}" if report.late else "")


def stage_text(stages: Stages) -> str:
    """`parse 17/94 book 14/78 ...`: p50 and p99 of each stage, microseconds."""
    return "  ".join(f"{name} {p50_us:.0f}/{p99_us:.0f}" for name, _, p50_us, p99_us in stages.rows)


def stage_lines(state: RunState, now_ns: int) -> list[str]:
    """Durations of the stages in the last second, one line per actor."""
    return [
        f"us {name:<9} {stage_text(view.stages)}"
        for name, view in state.actors.items()
        if view.stages is not None and now_ns - view.stages_ns < SILENT_NS
    ]


def process_lines(state: RunState, rows: Sequence[ProcessRow], now_ns: int) -> list[str]:
    """One line per process."""
    found = [f"{'actor':<12} {'pid':>7} {'state':<9} {'ticks':>7} {'lost':>5} {'rss':>7} {'restarts':>8}  health"]
    for row in rows:
        view = state.actors.get(row.name)
        health = ""
        if view is not None:
            health = f"{view.state} {view.detail}".strip() if row.pid else ""
            if row.pid and view.received_ns and now_ns - view.received_ns > SILENT_NS:
                health = f"SILENT for {(now_ns - view.received_ns) / 1e9:.0f} s  {health}"
        if row.crash_loop:
            health = f"{CRASH_LOOP}: {row.crash_loop}  {health}".strip()
        elif row.last_error:
            health = f"{health}  last error: {row.last_error}".strip()
        ticks, lost = (view.ticks, view.lost) if view is not None else (0, 0)
        if row.name == CLOCK and state.report is not None:
            ticks = state.ticks
        found.append(
            f"{row.name:<12} {row.pid or '-':>7} {row.state:<9} {ticks or '-':>7} {lost:>5} "
            f"{_mb(row.rss_bytes):>7} {row.restarts:>8}  {health}".rstrip()
        )
    return found


def painted(line: str) -> str:
    """Returns a line for a terminal: one that reports a crash loop is red."""
    return f"{RED}{line}{PLAIN}" if CRASH_LOOP in line else line


def book_lines(state: RunState, market: MarketView) -> list[str]:
    """The book around the mid price, asks above. A star and the open size mark own orders, also those further out."""
    rules, head = market.rules, f"book {market.connector}:{market.symbol}"
    if market.trouble:
        head += f"  {market.trouble.upper()}"
    if rules is None or market.book.is_empty:
        return [f"{head}  -"]
    steps = plain(market.book.spread_ticks * market.tick / rules.tick_size)
    head += f"  mid {_price(market.mid or Decimal(0), rules.tick_size / 2)}  spread {steps} ticks"
    return [head, *_ladder(state, market, rules, Side.SELL)[::-1], *_ladder(state, market, rules, Side.BUY)]


def _ladder(state: RunState, market: MarketView, rules: Rules, side: Side) -> list[str]:
    """One side, best price first: its nearest levels, then the prices of own orders beyond them."""
    own = _own_levels(state, market, side)
    levels = {price * market.tick: size * market.lot for price, size in market.book.levels(side, LADDER)}
    beyond = sorted(own.keys() - levels.keys(), reverse=side is Side.BUY)[:OWN_BEYOND]
    levels |= {price: market.book.size_at(side, int(price / market.tick)) * market.lot for price in beyond}
    found = []
    for price, size in sorted(levels.items(), reverse=side is Side.BUY):
        mine = own.get(price)
        mark = f"  * {plain(mine)} ours" if mine else ""
        name = "ask" if side is Side.SELL else "bid"
        found.append(f"  {name} {_price(price, rules.tick_size):>14} {plain(size):>14}{mark}")
    return found


def _own_levels(state: RunState, market: MarketView, side: Side) -> dict[Decimal, Decimal]:
    """Open sizes of own orders by price, in base and quote."""
    own: dict[Decimal, Decimal] = {}
    for order in state.open_orders.values():
        on_book = order.status not in (OrdStatus.PENDING_NEW, OrdStatus.UNKNOWN)
        if on_book and order.symbol == market.symbol and order.side is side:
            scale = scale_of_message(order)
            tick, lot = (market.tick, market.lot) if scale is None else (scale.tick, scale.lot)
            price = order.price_ticks * tick
            own[price] = own.get(price, Decimal(0)) + (order.size_lots - order.cum_lots) * lot
    return own


def order_lines(state: RunState) -> list[str]:
    """Open orders, those in doubt first."""
    orders = sorted(state.open_orders.values(), key=lambda one: (one.status is not OrdStatus.UNKNOWN, -one.price_ticks))
    doubt = state.in_doubt()
    found = [f"open orders {len(orders)}" + (f"  IN DOUBT {len(doubt)}" if doubt else "")]
    for who, refused in (("the risk check", state.refused_by_check), ("the exchange", state.refused_by_exchange)):
        if refused:
            found.append(f"  refused by {who}  {causes(refused)}")
    for order in orders[:ORDERS_SHOWN]:
        price, size, done = _amounts(state, order, order.price_ticks, order.size_lots, order.cum_lots)
        found.append(
            f"  {order.owner:<10} {order.side.name:<4} {size:>12} @ {price:>14}  filled {done:<12} {order.status.name}"
            + ("  cancel wanted" if order.cancel_wanted and order.status is not OrdStatus.PENDING_CANCEL else "")
        )
    if len(orders) > ORDERS_SHOWN:
        found.append(f"  and {len(orders) - ORDERS_SHOWN} more")
    return found


def causes(refused: Mapping[RefusalCode, int]) -> str:
    """`LIMIT 3  LATER 1`: counts of refused orders by cause, the largest first."""
    return "  ".join(
        f"{code.name} {count}" for code, count in sorted(refused.items(), key=lambda row: (-row[1], row[0]))
    )


def fill_lines(state: RunState) -> list[str]:
    """The latest fills, newest first."""
    found = [f"fills {state.fills_seen}"]
    for fill in list(state.fills)[: -FILLS_SHOWN - 1 : -1]:
        price, size, _ = _amounts(state, fill, fill.last_ticks, fill.last_lots, 0)
        found.append(
            f"  {fill.owner:<10} {fill.side.name:<4} {size:>12} @ {price:>14}  {fill.liquidity.name:<5} "
            f"fee {plain(fill.fee)} {fill.fee_asset}"
        )
    return found


def money_lines(state: RunState) -> list[str]:
    """Balances, and their value now and at the start."""
    totals = state.totals()
    if not totals:
        return ["balances  not received yet"]
    locked = {asset: one[1] for rows in state.balances.values() for asset, one in rows.items()}
    shown = [
        f"{asset} {plain(amount)}" + (f" ({plain(locked[asset])} locked)" if locked.get(asset) else "")
        for asset, amount in totals.items()
        if amount
    ]
    found = ["balances  " + "  ".join(shown)]
    sums = equity(state)
    if sums:
        found.append(
            f"equity  {sums['equity']:.2f}  change {sums['equity_change']:+.2f}  by trading {sums['trading_pnl']:+.2f}"
        )
    return found


def status_line(state: RunState, rows: Sequence[ProcessRow], seconds: float) -> str:
    """The state in one line, for output that is not a terminal."""
    ticks = f"ticks {state.ticks} skipped {state.ticks_skipped} late {state.ticks_late}"
    ticks = ticks if state.report is not None else "no tick yet"
    running = sum(1 for row in rows if row.state == "RUNNING")
    sums = equity(state)
    money = f"  equity {sums['equity']:.2f} ({sums['equity_change']:+.2f})" if sums else ""
    return (
        f"{seconds:6.1f} s  {running}/{len(rows)} running  {ticks}  hop p50 {_us(percentile(state.hops_us, 0.5))}"
        f"  orders {state.orders_seen} ({len(state.open_orders)} open)  fills {state.fills_seen}"
        f"  lost {state.lost()}{money}{_details(state, rows)}"
    )


def _details(state: RunState, rows: Sequence[ProcessRow]) -> str:
    """The state of each running actor that reports a detail: what it waits for, and why."""
    running = [row.name for row in rows if row.pid]
    shown = [(name, state.actors[name]) for name in running if name in state.actors]
    return "".join(f"  {name} {one.state} {one.detail[:DETAIL_CHARS]}" for name, one in shown if one.detail)


def _amounts(state: RunState, message: OrderUpdate | Fill, price_ticks: int, *lots: int) -> tuple[str, ...]:
    """A price and sizes of a message, by its own scale; those of an earlier version count the exchange's steps."""
    rules = next((one.rules for one in state.markets.values() if one.symbol == message.symbol and one.rules), None)
    scale = scale_of_message(message)
    if rules is None and scale is None:
        return (f"{price_ticks} ticks", *(f"{one} lots" for one in lots))
    tick, lot = (scale.tick, scale.lot) if scale is not None else (rules.tick_size, rules.lot_size)  # type: ignore[union-attr]
    return (
        _price(price_ticks * tick, rules.tick_size if rules is not None else tick),
        *(plain(one * lot) for one in lots),
    )


def _price(price: Decimal, step: Decimal) -> str:
    """A price with the places of `step`, or with more if it needs them."""
    return f"{price:.{max(0, -int(step.normalize().as_tuple().exponent), digits_of(price))}f}"


def plain(amount: Any) -> str:
    """A number without trailing zeros."""
    text = f"{amount:f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text) or "0"


def _us(us: float) -> str:
    return f"{us / 1000:.1f} ms" if us >= 10_000 else f"{us:.0f} us"


def _mb(size_bytes: int) -> str:
    return f"{size_bytes / 1e6:.0f} MB" if size_bytes else "-"
