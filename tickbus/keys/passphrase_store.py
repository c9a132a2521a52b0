"""The passphrase for processes without a terminal: a file in memory that only its owner reads."""

import os
import tempfile
from pathlib import Path

from actors.run.run_dir import open_dir
from actors.run.run_file import Run
from protocol.errors import BadKeyFile
from tickbus.keys.actor_keys import key_file, needed_keys
from tickbus.keys.passphrase import find_passphrase, passphrase_of_environment
from tickbus.private_file import write_private

MEMORY = Path("/dev/shm")
NOTE = "passphrase.path"  # file in the run folder that holds the path of the stored passphrase


def store_passphrase(run: Run) -> Path | None:
    """Reads the key file's passphrase and stores it, if the run's processes need it and cannot find it themselves.

    Returns the file, mode 0600, which the caller removes; None if no file is needed. Raises BadKeyFile for a missing
    key or a wrong passphrase.
    """
    needed = needed_keys(run)
    if not needed:
        return None
    file = key_file(run)
    missing = sorted(needed - file.names().keys())
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


def noted_file(run_dir: Path) -> Path | None:
    """Returns the stored passphrase file of a bot in the background; None if it has none."""
    note = run_dir / NOTE
    return Path(note.read_text().strip()) if note.exists() else None


def note_file(run_dir: Path, path: Path | None) -> Path | None:
    """Notes the path of a stored passphrase, so that `tickbus down` removes that file; returns `path`."""
    if path is not None:
        open_dir(run_dir)
        write_private(run_dir, NOTE, f"{path}\n")
    else:
        (run_dir / NOTE).unlink(missing_ok=True)
    return path
