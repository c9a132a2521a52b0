"""The API key of an actor: from the key file, or of an account of the run's own exchange."""

from collections.abc import Collection
from pathlib import Path

import msgspec

from actors.log.secret import ApiKey, Secret
from actors.run.run_file import Run
from actors.run.toml_check import did_you_mean
from protocol.errors import BadKeyFile, BadRunFile
from tickbus.keys.keyfile import KeyFile, default_path
from tickbus.keys.passphrase import find_passphrase
from venue.base import demo
from venue.base.settings import AccountSettings, MarketSettings, VenueSettings

VENUE = "venue/"


def key_file(run: Run) -> KeyFile:
    """The key file of a run: its `keys_file`, or the user's own."""
    named = run.conf.keys_file
    return KeyFile(run.path.parent / Path(named).expanduser() if named else default_path())


def needs_passphrase(run: Run) -> Collection[str]:
    """Names of the key file that the run's actors want."""
    return {one.keys for one in run.actors.values() if one.keys and not one.keys.startswith(VENUE)}


def key_of(run: Run, actor: str) -> ApiKey | None:
    """The key that the actor's table names; None if it names none. Raises BadKeyFile, BadRunFile."""
    name = run.actor(actor).keys
    if not name:
        return None
    if name.startswith(VENUE):
        return _of_venue(run, name.removeprefix(VENUE))
    file = key_file(run)
    if name not in file.names():
        raise BadKeyFile(
            f"{file.path} has no key `{name}`{did_you_mean(name, file.names())} (add it: tickbus keys add {name})"
        )
    return file.get(name, find_passphrase())


def venue_settings(run: Run) -> VenueSettings:
    """The [venue] table, with its files in the run folder unless it names others. Raises BadRunFile."""
    try:
        settings = msgspec.convert(run.venue or {}, VenueSettings)
    except msgspec.ValidationError as error:
        raise BadRunFile(f"{run.path}: [venue]: {error}") from None
    settings = _of_run(run, settings)
    return msgspec.structs.replace(
        settings,
        address_file=settings.address_file or str(run.dir / "venue.address"),
        log_file=settings.log_file or str(run.dir / "venue.ledger"),
    )


def _of_run(run: Run, settings: VenueSettings) -> VenueSettings:
    """What a venue's settings leave to the run file: where a recording is, and which markets are followed on paper."""
    if settings.replay is not None:
        file = run.path.parent / Path(settings.replay.file).expanduser()
        settings = msgspec.structs.replace(settings, replay=msgspec.structs.replace(settings.replay, file=str(file)))
    if settings.paper is not None and "markets" not in (run.venue or {}):
        names = run.actor(settings.paper.connector).settings.get("markets", [])
        settings = msgspec.structs.replace(settings, markets=[MarketSettings(symbol=name) for name in names])
    return settings


def venue_accounts(run: Run) -> list[AccountSettings]:
    """The accounts of the run's own exchange. Raises BadRunFile."""
    settings = venue_settings(run)
    if settings.accounts_file is not None:
        from venue.server.main import load_accounts

        return load_accounts(Path(settings.accounts_file))
    return demo.accounts() if settings.accounts is None else settings.accounts


def _of_venue(run: Run, account: str) -> ApiKey:
    accounts = {one.name: one for one in venue_accounts(run)}
    if account not in accounts:
        raise BadRunFile(f"{run.path}: the exchange has no account `{account}`{did_you_mean(account, accounts)}")
    for key in accounts[account].keys:
        if key.can_trade and key.secret is not None:
            return ApiKey(key.api_key, Secret(key.secret))
    raise BadRunFile(f"{run.path}: account `{account}` of the exchange has no HMAC key that may trade")
