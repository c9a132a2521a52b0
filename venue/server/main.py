"""The venue process: from settings to an exit code."""

import asyncio
import sys
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
from aiohttp import web

from actors.live.run_time import RunTime
from actors.run.former_names import current
from protocol.errors import TickbusError
from venue.base.accounts_file import load_accounts
from venue.base.settings import VenueSettings
from venue.base.venue_errors import BadVenue
from venue.exchange import Exchange
from venue.faults.kinds.catalogue import BadFault, load_faults
from venue.server import server, tls
from venue.server.address import bind, write_address
from venue.server.http_server import HttpServer
from venue.server.ledger_file import COMPACT_BYTES, LedgerFile
from venue.server.listening_socket import ListeningSocket
from venue.server.paper_tap import PaperTap

try:
    import uvloop
except ImportError:
    uvloop = None  # type: ignore[assignment]


def load_settings(path: Path) -> VenueSettings:
    """The `[venue]` table of a TOML file; defaults without one. Raises BadVenue."""
    try:
        tables = msgspec.toml.decode(path.read_bytes())
        return msgspec.convert(
            current(tables.get("venue", {}), VenueSettings), VenueSettings, str_keys=True, strict=True
        )
    except OSError as error:
        raise BadVenue(f"{path}: {error.strerror}") from None
    except (msgspec.MsgspecError, UnicodeDecodeError, ValueError) as error:
        raise BadVenue(f"{path}: [venue]: {error}") from None


def clock_of(run_dir: Path | None) -> Callable[[], int]:
    """The exchange's clock in UTC ns: that of the run, or else one that goes on monotonically from the present time."""
    if run_dir is not None:
        return RunTime(run_dir).now_ns
    anchor_ns = time.time_ns() - time.monotonic_ns()
    return lambda: anchor_ns + time.monotonic_ns()


def open_exchange(settings: VenueSettings, now_ns: int) -> tuple[Exchange, LedgerFile | None]:
    """The exchange, recovered from its ledger if it has one. Raises BadVenue, LedgerDamaged."""
    if settings.accounts_file is not None:
        settings = msgspec.structs.replace(settings, accounts=load_accounts(Path(settings.accounts_file)))
    log = LedgerFile(Path(settings.ledger_file)) if settings.ledger_file is not None else None
    records = log.records if log is not None else []
    exchange = Exchange(settings, now_ns, records, is_logged=log is not None)
    if settings.faults_file is not None:
        path = Path(settings.faults_file)
        try:
            exchange.faults.add(load_faults(path), exchange.now_ns)
        except BadFault as error:
            raise BadVenue(f"faults_file {path}: {error}") from None
    if log is not None:
        log.records = []
        if log.length > COMPACT_BYTES:
            exchange.take_records()
            log.rewrite(exchange.recovery.state())
    return exchange, log


async def serve(settings: VenueSettings, run_dir: Path | None = None, is_in_use: Callable[[], bool] = bool) -> None:
    tap = None
    if settings.paper is not None:
        tap = PaperTap(run_dir, settings.paper.connector)
        names = ", ".join(market.symbol for market in settings.markets)
        print(f"venue waits for the rules of {names} from {settings.paper.connector}", flush=True)
        settings = msgspec.structs.replace(settings, markets=tap.markets(settings.markets))
    path = Path(settings.address_file) if settings.address_file is not None else None
    certificate = tls.context(settings.tls_cert, settings.tls_key)
    listening = bind(settings.host, settings.port, path)
    now_ns = clock_of(run_dir)
    exchange, log = open_exchange(settings, now_ns())
    driver = server.Server(exchange, log, now_ns, tap)
    driver.settle()
    runner = web.ServerRunner(HttpServer(driver, access_log=None, tcp_keepalive=False))
    await runner.setup()
    listener = ListeningSocket(runner, listening, certificate, server.SHUTDOWN_S)
    address = write_address(listening, path, is_tls=certificate is not None)
    print(f"venue listens on {address.http}", flush=True)
    try:
        await server.run(exchange, log, runner, driver, listener, is_in_use)
    finally:
        if log is not None:
            log.close()
        if tap is not None:
            tap.close()


def run(settings: VenueSettings, run_dir: Path | None = None, is_in_use: Callable[[], bool] = bool) -> int:
    """Serves until SIGTERM. Returns the exit code: 0, or that of the error, which is printed in one line.

    `run_dir`: the run folder on whose bus paper trading receives its live market.
    `is_in_use()`: after SIGTERM, whether clients still need the exchange, to cancel their orders.
    """
    try:
        if uvloop is not None:
            uvloop.run(serve(settings, run_dir, is_in_use))
        else:
            asyncio.run(serve(settings, run_dir, is_in_use))
    except TickbusError as error:
        print(f"venue: {error}", file=sys.stderr)
        return error.exit_code
    return 0


def main() -> int:
    """`python -m venue.server.main [FILE.toml]`."""
    try:
        settings = load_settings(Path(sys.argv[1])) if len(sys.argv) > 1 else VenueSettings()
    except BadVenue as error:
        print(f"venue: {error}", file=sys.stderr)
        return error.exit_code
    return run(settings)


if __name__ == "__main__":
    sys.exit(main())
