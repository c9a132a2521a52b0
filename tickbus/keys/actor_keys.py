"""The API key of an actor: an entry of the key file, or a key of an account of the run's own exchange."""

from collections.abc import Collection
from pathlib import Path

from actors.log.secret import ApiKey, Secret
from actors.run.run_file import Run
from actors.run.toml_check import did_you_mean
from protocol.errors import BadKeyFile, BadRunFile
from tickbus.keys.keyfile import KeyFile, default_path
from tickbus.keys.passphrase import find_passphrase
from tickbus.venue_table import venue_accounts
from venue.base.demo import account_name

VENUE = "venue/"  # prefix of `keys` that names an account of the run's own exchange


def key_file(run: Run) -> KeyFile:
    """Returns the key file of a run: its `keys_file`, or the user's own."""
    named = run.conf.keys_file
    return KeyFile(run.path.parent / Path(named).expanduser() if named else default_path())


def needed_keys(run: Run) -> Collection[str]:
    """Returns the names of the key file's entries that the run's actors use."""
    return {one.keys for one in run.actors.values() if one.keys and not one.keys.startswith(VENUE)}


def key_of(run: Run, actor: str) -> ApiKey | None:
    """Returns the key that the actor's table names; None if it names none. Raises BadKeyFile, BadRunFile."""
    name = run.actor(actor).keys
    if not name:
        return None
    if name.startswith(VENUE):
        return _key_of_account(run, name.removeprefix(VENUE))
    file = key_file(run)
    if name not in file.names():
        raise BadKeyFile(
            f"{file.path} has no key `{name}`{did_you_mean(name, file.names())} (add it: tickbus keys add {name})"
        )
    return file.get(name, find_passphrase())


def _key_of_account(run: Run, account: str) -> ApiKey:
    accounts = {one.name: one for one in venue_accounts(run)}
    account = account_name(account, accounts)
    if account not in accounts:
        raise BadRunFile(f"{run.path}: the exchange has no account `{account}`{did_you_mean(account, accounts)}")
    for key in accounts[account].keys:
        if key.can_trade and key.secret is not None:
            return ApiKey(key.api_key, Secret(key.secret))
    raise BadRunFile(f"{run.path}: account `{account}` of the exchange has no HMAC key that may trade")
