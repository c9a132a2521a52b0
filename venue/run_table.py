"""The [venue] table of a run file as the settings of the local exchange."""

from pathlib import Path

import msgspec

from actors.log.secret import ApiKey, Secret
from actors.run.former_names import current
from actors.run.home import expanded
from actors.run.run_file import Run
from actors.run.toml_check import did_you_mean
from protocol.errors import BadRunFile
from venue.base import demo
from venue.base.accounts_file import load_accounts
from venue.base.settings import AccountSettings, MarketSettings, VenueSettings
from venue.sim_service import SimVenue

VENUE = "venue/"  # prefix of `keys` that names an account of the run's own exchange


def venue_settings(run: Run) -> VenueSettings:
    """Returns the [venue] table; its files are in the run folder unless it names others. Raises BadRunFile."""
    try:
        settings = msgspec.convert(current(run.venue or {}, VenueSettings), VenueSettings)
    except msgspec.ValidationError as error:
        raise BadRunFile(f"{run.path}: [venue]: {error}") from None
    settings = _completed(run, settings)
    return msgspec.structs.replace(
        settings,
        address_file=settings.address_file or str(run.dir / "venue.address"),
        ledger_file=settings.ledger_file or str(run.dir / "venue.ledger"),
    )


def venue_accounts(run: Run) -> list[AccountSettings]:
    """Returns the accounts of the run's own exchange. Raises BadRunFile."""
    settings = venue_settings(run)
    if settings.accounts_file is not None:
        return load_accounts(Path(settings.accounts_file))
    return demo.accounts() if settings.accounts is None else settings.accounts


def key_of_account(run: Run, account: str) -> ApiKey:
    """Returns an HMAC key of an account of the run's own exchange. Raises BadRunFile."""
    accounts = {one.name: one for one in venue_accounts(run)}
    account = demo.account_name(account, accounts)
    if account not in accounts:
        raise BadRunFile(f"{run.path}: the exchange has no account `{account}`{did_you_mean(account, accounts)}")
    for key in accounts[account].keys:
        if key.can_trade and key.secret is not None:
            return ApiKey(key.api_key, Secret(key.secret))
    raise BadRunFile(f"{run.path}: account `{account}` of the exchange has no HMAC key that may trade")


def simulated_venue(run: Run, now_ns: int) -> SimVenue:
    """Returns the run's own exchange as a service of a simulation. Raises BadRunFile."""
    settings = venue_settings(run)
    if settings.paper is not None:
        raise BadRunFile(f"{run.path}: paper trading follows a live market, a simulation has none: no [venue.paper]")
    return SimVenue(msgspec.structs.replace(settings, address_file=None, ledger_file=None), now_ns)


def _completed(run: Run, settings: VenueSettings) -> VenueSettings:
    """Returns the settings with what follows from the run file: a recording's path, the markets of paper trading."""
    if settings.replay is not None:
        file = run.path.parent / expanded(settings.replay.file)
        settings = msgspec.structs.replace(settings, replay=msgspec.structs.replace(settings.replay, file=str(file)))
    if settings.paper is not None and "markets" not in (run.venue or {}):
        names = run.actor(settings.paper.connector).settings.get("markets", [])
        settings = msgspec.structs.replace(settings, markets=[MarketSettings(symbol=name) for name in names])
    return settings
