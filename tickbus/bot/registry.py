"""The list of this user's running bots, by which `tickbus tap` and `status` find them without an argument."""

import hashlib
import os
import tempfile
from pathlib import Path

from actors.live.lock import holder
from actors.run.run_dir import check_private
from protocol.errors import TickbusError

SUPERVISOR = "supervisord"  # the name of the lock that is held while a bot runs


def _folder() -> Path:
    """Returns the folder of the list, made if needed. Raises TickbusError if it cannot be made or is not private."""
    base = os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir()
    folder = Path(base) / f"tickbus-runs-{os.getuid()}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        hint = "set XDG_RUNTIME_DIR to a folder of yours"
        raise TickbusError(f"the list of running bots cannot be kept in {base} ({error.strerror}): {hint}") from None
    check_private(folder)
    return folder


def register(run_dir: Path) -> None:
    """Adds a run folder to the list."""
    link = _folder() / hashlib.blake2b(os.fsencode(run_dir), digest_size=8).hexdigest()
    link.unlink(missing_ok=True)
    link.symlink_to(run_dir)


def running_dirs() -> list[Path]:
    """Returns the folders of the bots that run now; removes the others from the list."""
    found = []
    for link in sorted(_folder().iterdir()):
        folder = Path(os.readlink(link))
        if folder.is_dir() and holder(folder, SUPERVISOR):
            found.append(folder)
        else:
            link.unlink(missing_ok=True)
    return found
