"""A passphrase for processes that nobody can ask: kept in memory, in a file that only its owner reads."""

import os
import tempfile
from pathlib import Path

from actors.run.run_file import Run
from protocol.errors import BadKeyFile
from tickbus.keys.passphrase import find_passphrase, passphrase_of_environment
from tickbus.keys.source import key_file, needs_passphrase

MEMORY = Path("/dev/shm")


def passphrase_for(run: Run) -> Path | None:
    """Ask for the key file's passphrase if the run needs it and its processes could not find it themselves.

    The file is in memory, mode 0600, and for the caller to remove; None if there is nothing to hand on.
    Raises BadKeyFile for a missing key or a wrong passphrase, before anything is started.
    """
    wanted = needs_passphrase(run)
    if not wanted:
        return None
    file = key_file(run)
    missing = sorted(wanted - file.names().keys())
    if missing:
        raise BadKeyFile(f"{file.path} has no key `{missing[0]}`: tickbus keys add {missing[0]}")
    known = passphrase_of_environment()
    secret = known or find_passphrase()
    file.check(secret)
    if known is not None:
        return None
    folder = os.environ.get("XDG_RUNTIME_DIR") or (MEMORY if MEMORY.is_dir() else tempfile.gettempdir())
    fd, name = tempfile.mkstemp(prefix="tickbus-", dir=folder)
    with os.fdopen(fd, "w") as out:
        out.write(secret.reveal() + "\n")
    return Path(name)
