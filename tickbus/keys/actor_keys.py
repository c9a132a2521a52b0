"""The API key of an actor: an entry of the key file, or a key of an account of the run's own exchange."""

from collections.abc import Collection

from actors.log.secret import ApiKey
from actors.run.home import expanded
from actors.run.run_file import Run
from actors.run.toml_check import did_you_mean
from protocol.errors import BadKeyFile
from tickbus.keys.keyfile import KeyFile, default_path
from tickbus.keys.passphrase import find_passphrase
from venue.run_table import VENUE, key_of_account


def key_file(run: Run) -> KeyFile:
    """Returns the key file of a run: its `keys_file`, or the user's own."""
    named = run.conf.keys_file
    return KeyFile(run.path.parent / expanded(named) if named else default_path())


def needed_keys(run: Run) -> Collection[str]:
    """Returns the names of the key file's entries that the run's actors use."""
    return {one.keys for one in run.actors.values() if one.keys and not one.keys.startswith(VENUE)}


def key_of(run: Run, actor: str) -> ApiKey | None:
    """Returns the key that the actor's table names; None if it names none. Raises BadKeyFile."""
    name = run.actor(actor).keys
    if not name:
        return None
    if name.startswith(VENUE):
        return key_of_account(run, name.removeprefix(VENUE))
    file = key_file(run)
    if name not in file.names():
        raise BadKeyFile(
            f"{file.path} has no key `{name}`{did_you_mean(name, file.names())} (add it: tickbus keys add {name})"
        )
    return file.get(name, find_passphrase())
