"""This user's running bots, by which `tickbus tap` and `status` find them without an argument: a list of links, and
the table of processes where the list does not contain them."""

import contextlib
import hashlib
import os
import tempfile
from pathlib import Path

from actors.live.lock import holder
from actors.run.run_dir import check_private
from protocol.errors import TickbusError

SUPERVISOR = "supervisord"  # the name of the lock that is held while a bot runs
MODULE = "tickbus.bot.locked_supervisord"  # each bot has one process that runs this module
SOCKET = "supervisord.sock"
LOST = (
    "the bot runs (supervisord pid {}), but {}/{} is missing: files were removed, or it starts just now; "
    "tickbus down {} stops it in order"
)
PROC = Path("/proc")


def list_folder() -> Path:
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
    """Adds a run folder to the list, if there can be a list: without it, bots are found among the processes."""
    with contextlib.suppress(TickbusError, OSError):
        link = list_folder() / hashlib.blake2b(os.fsencode(run_dir), digest_size=8).hexdigest()
        link.unlink(missing_ok=True)
        link.symlink_to(run_dir)


def running_dirs() -> list[Path]:
    """Returns the folders of the bots that run now. Without one in the list, those of all processes of this user: the
    list is lost with its folder, and not found where XDG_RUNTIME_DIR differs."""
    with contextlib.suppress(TickbusError, OSError):
        if found := listed_dirs():
            return found
    return sorted(supervisords())


def supervisords() -> dict[Path, int]:
    """Returns the run folder and the pid of each supervisord of this user's bots, also of a folder that is removed."""
    found = {}
    for entry in PROC.iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                arguments = (entry / "cmdline").read_bytes().split(b"\0")
                if MODULE.encode() in arguments[:-2] and entry.stat().st_uid == os.geteuid():
                    folder = arguments[arguments.index(MODULE.encode()) + 1]
                    found[Path(os.fsdecode(folder))] = int(entry.name)
    return found


def lost_pid(run_dir: Path) -> int:
    """Returns the pid of a supervisord that runs a bot whose folder does not contain its socket; 0 without one."""
    return 0 if (run_dir / SOCKET).exists() else supervisords().get(run_dir, 0)


def lost_text(run_dir: Path) -> str:
    """Returns one line about such a bot; "" without one."""
    pid = lost_pid(run_dir)
    return LOST.format(pid, run_dir, SOCKET, run_dir) if pid else ""


def listed_dirs() -> list[Path]:
    """Returns the folders in the list of the bots that run; removes the others from it."""
    found = []
    for link in sorted(list_folder().iterdir()):
        folder = Path(os.readlink(link))
        if folder.is_dir() and holder(folder, SUPERVISOR):
            found.append(folder)
        else:
            link.unlink(missing_ok=True)
    return found
