"""Checks of the user's folders and files: temporary folder, list of running bots, key file, run folders."""

import os
import shutil
import socket
import tempfile
from pathlib import Path

from actors.run.run_dir import LONGEST_SOCKET, MAX_SOCKET_PATH_BYTES, check_private
from protocol.errors import TickbusError
from tickbus.bot.registry import listed_dirs
from tickbus.doctor.check import BAD, OK, WARN, Check
from tickbus.keys.keyfile import KeyFile, default_path


def folders() -> list[Check]:
    """Returns all checks of folders and files."""
    return [sockets(), current_folder(), key_file(), *bots()]


def sockets() -> Check:
    """A Unix socket can be made in the temporary folder, where the default bot runs."""
    try:
        folder = Path(tempfile.mkdtemp(prefix="tickbus-"))
    except OSError as error:
        return Check(BAD, "sockets", f"no temporary folder can be used ({error}): set TMPDIR to a short local path")
    path = folder / LONGEST_SOCKET
    try:
        with socket.socket(socket.AF_UNIX) as one:
            one.bind(str(path))
    except OSError as error:
        hint = "set TMPDIR to a short local path"
        return Check(BAD, "sockets", f"no socket can be made in {folder.parent} ({error}): {hint}")
    finally:
        shutil.rmtree(folder)
    named = os.environ.get("TMPDIR")
    if named and Path(named) != folder.parent:
        return Check(WARN, "sockets", f"TMPDIR={named} cannot be used; {folder.parent} is used instead")
    left = MAX_SOCKET_PATH_BYTES - len(os.fsencode(path))
    return Check(OK, "sockets", f"sockets can be made in {folder.parent} ({left} bytes below the longest path)")


def current_folder() -> Check:
    """Files can be written in the current folder, where the run folder of a run file would be."""
    try:
        with tempfile.TemporaryFile(dir=Path.cwd()):
            pass
    except OSError as error:
        return Check(WARN, "folder", f"{Path.cwd()} cannot be written ({error.strerror}): keep run files elsewhere")
    return Check(OK, "folder", f"{Path.cwd()} can be written")


def key_file() -> Check:
    """The user's key file, if there is one, is private and readable."""
    path = default_path()
    try:
        if not path.exists():
            return Check(OK, "key file", f"none at {path} (the local exchange needs none)")
        KeyFile(path).names()
    except (TickbusError, OSError) as error:
        return Check(BAD, "key file", str(error))
    return Check(OK, "key file", str(path))


def bots() -> list[Check]:
    """Returns one check for each running bot, and one if the list of running bots cannot be kept."""
    try:
        return [_bot(folder) for folder in listed_dirs()]
    except (TickbusError, OSError) as error:
        return [Check(WARN, "running bots", str(error))]


def _bot(folder: Path) -> Check:
    try:
        check_private(folder)
    except (TickbusError, OSError) as error:
        return Check(BAD, f"run {folder.name}", str(error))
    return Check(OK, f"run {folder.name}", f"runs in {folder}")
