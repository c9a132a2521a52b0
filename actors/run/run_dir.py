"""The run folder: sockets, locks, journals and logs of one run, readable by its owner alone."""

import os
import stat
import tempfile
from collections.abc import Iterable
from pathlib import Path

from protocol.errors import BadRunFile

MAX_SOCKET_PATH_BYTES = 107  # sun_path holds 108 with its closing zero
SOCKETS = (".pub", ".cmd")
LONGEST_SOCKET = "supervisord.sock.4194304"  # supervisord binds under its pid, then links
PRIVATE = 0o700


def default_dir(run_file: Path) -> Path:
    """The default folder of a run file: `.tickbus/<its name>` beside it, which a reboot does not delete."""
    return run_file.parent / ".tickbus" / run_file.stem


def fresh_dir() -> Path:
    """A new private folder with a short path, for one run."""
    return Path(tempfile.mkdtemp(prefix="tickbus-"))


def check_socket_paths(folder: Path, names: Iterable[str]) -> None:
    """Raises BadRunFile if the path of an actor's socket would be longer than the kernel accepts."""
    longest = max([name + suffix for name in names for suffix in SOCKETS] + [LONGEST_SOCKET], key=len)
    path = os.fsencode(folder / longest)
    if len(path) > MAX_SOCKET_PATH_BYTES:
        raise BadRunFile(
            f"run folder {folder} is too long: socket {longest} in it would have {len(path)} bytes of the "
            f"{MAX_SOCKET_PATH_BYTES} that a socket path may have; set a shorter `dir` in the run file"
        )


def open_dir(folder: Path) -> Path:
    """Make the folder (0700), with `logs` and `actors.d` in it. Raises BadRunFile if other users may read it."""
    try:
        folder.mkdir(mode=PRIVATE, parents=True, exist_ok=True)
        check_private(folder)
        for inner in ("logs", "actors.d"):
            (folder / inner).mkdir(mode=PRIVATE, exist_ok=True)
    except OSError as error:
        raise BadRunFile(f"run folder {folder} cannot be made: {error.strerror}; set another `dir`") from None
    return folder


def check_private(folder: Path) -> None:
    """Raises BadRunFile if the folder belongs to another user, or if its mode gives others access."""
    found = folder.stat()
    mode = stat.S_IMODE(found.st_mode)
    if found.st_uid != os.geteuid():
        raise BadRunFile(f"run folder {folder} belongs to user {found.st_uid}; set another `dir`")
    if mode & 0o077:
        raise BadRunFile(f"run folder {folder} is open to others ({mode:04o}): chmod 700 {folder}")
