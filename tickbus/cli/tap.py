"""`tickbus tap`: print the messages on the bus of a running bot."""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from protocol.errors import Unreachable
from tickbus.bot.registry import lost_text
from tickbus.cli.options import bot_option, is_running, named_run

if TYPE_CHECKING:
    from actors.tap import Tap, Tapped
    from monitor.meter import Meter
    from protocol import Message

UNITS_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


class Duration(click.ParamType):  # type: ignore[type-arg]  # generic in the stub alone
    """A duration in seconds: 5, 5s, 250ms, 2m, 1h."""

    name = "time"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        text = str(value)
        unit = next((one for one in ("ms", "s", "m", "h") if text.endswith(one)), "")
        try:
            return float(text.removesuffix(unit)) * UNITS_S.get(unit, 1.0)
        except ValueError:
            self.fail(f"{text!r} is not a duration: give 5s, 250ms or 2m", param, ctx)


@click.command("tap")
@click.argument("topics", nargs=-1)
@bot_option()
@click.option("--json", "style", flag_value="json", help="Print one JSON object a line.")
@click.option("--raw", "style", flag_value="raw", help="Print every field of a message.")
@click.option("-n", "count", type=click.IntRange(1), help="Stop after this number of messages.")
@click.option("--for", "seconds", type=Duration(), help="Stop after this time: 5s, 250ms, 2m.")
def command(
    topics: tuple[str, ...], run_file: Path | None, style: str | None, count: int | None, seconds: float | None
) -> int:
    """Print the messages on the bus of a running bot. It does not slow the bot down.

    TOPICS are topic prefixes (md.binance., ord., sys.clockd.tick.) or message types (Fill, OrderUpdate); default: all.
    The last line, on stderr, has the number of messages, their delay, and how many were missed.
    """
    from actors.tap import Tap
    from monitor import lines
    from monitor.meter import Meter

    show = {None: lines.as_line, "json": lines.as_json, "raw": lines.as_raw}[style]
    meter = Meter()
    begun = time.monotonic()
    run = named_run(run_file)
    if not is_running(run):
        raise Unreachable(
            lost_text(run.dir) or f"nothing runs in {run.dir}: start it with `tickbus run` or `tickbus up`"
        )
    with Tap(run.dir, *_subscriptions(topics)) as tap:
        try:
            _receive(tap, lambda tapped: print(show(tapped)), meter, count, seconds)
        except KeyboardInterrupt:
            pass
        finally:
            sys.stderr.write(meter.line(time.monotonic() - begun, tap.lost) + "\n")
    return 0


def _receive(
    tap: "Tap", show: Callable[["Tapped"], None], meter: "Meter", count: int | None, seconds: float | None
) -> None:
    until = time.monotonic() + seconds if seconds is not None else float("inf")
    while time.monotonic() < until:
        for tapped in tap.poll(min(0.2, max(0.0, until - time.monotonic()))):
            meter.add(tapped)
            show(tapped)
            if count is not None and meter.messages >= count:
                return
        sys.stdout.flush()


def _subscriptions(topics: tuple[str, ...]) -> "list[type[Message] | str]":
    """Returns message types for names without a dot, topic prefixes for the rest. Raises UsageError if unknown."""
    import difflib

    from protocol.message import REGISTRY

    found: list[type[Message] | str] = []
    for one in topics:
        if "." in one:
            found.append(one if one.endswith(".") else one + ".")
        elif one in REGISTRY.types:
            found.append(REGISTRY.types[one])
        elif one in ("md", "ord", "acct", "sys"):
            found.append(one + ".")
        else:
            near = difflib.get_close_matches(one, [*REGISTRY.types, "md", "ord", "acct", "sys"], 1)
            hint = f", did you mean `{near[0]}`?" if near else ": give a topic (md.binance.) or a message type (Fill)"
            raise click.UsageError(f"no topic or message type `{one}`{hint}")
    return found
