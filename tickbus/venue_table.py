"""The [venue] table of a run file as the settings of the local exchange."""

from pathlib import Path

import msgspec

from actors.run.former_names import current
from actors.run.run_file import Run
from protocol.errors import BadRunFile
from venue.base import demo
from venue.base.settings import AccountSettings, MarketSettings, VenueSettings


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
        from venue.server.main import load_accounts

        return load_accounts(Path(settings.accounts_file))
    return demo.accounts() if settings.accounts is None else settings.accounts


def _completed(run: Run, settings: VenueSettings) -> VenueSettings:
    """Returns the settings with what follows from the run file: a recording's path, the markets of paper trading."""
    if settings.replay is not None:
        file = run.path.parent / Path(settings.replay.file).expanduser()
        settings = msgspec.structs.replace(settings, replay=msgspec.structs.replace(settings.replay, file=str(file)))
    if settings.paper is not None and "markets" not in (run.venue or {}):
        names = run.actor(settings.paper.connector).settings.get("markets", [])
        settings = msgspec.structs.replace(settings, markets=[MarketSettings(symbol=name) for name in names])
    return settings
