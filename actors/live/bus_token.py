"""The token of a run's bus: a secret in the run folder that shows on a command socket who belongs to the run."""

import contextlib
import os
import secrets
import stat
from pathlib import Path

from protocol.errors import BadRunFile

FILE = "bus.token"
TOKEN_BYTES = 32


def bus_token(folder: Path) -> bytes:
    """The run's token, made by the first process that needs it.

    Raises BadRunFile if other users can read the file, or if it can be neither read nor made.
    """
    path = folder / FILE
    try:
        fd = _open(path)
    except OSError as error:
        raise BadRunFile(f"{path} cannot be read or made: {error.strerror}") from None
    with open(fd, "rb") as file:
        found = os.fstat(fd)
        token = file.read(TOKEN_BYTES + 1)
    if found.st_uid != os.geteuid() or stat.S_IMODE(found.st_mode) & 0o077:
        raise BadRunFile(f"{path} is open to other users: remove it while the bot is stopped")
    if len(token) != TOKEN_BYTES:
        raise BadRunFile(f"{path} is not a token of {TOKEN_BYTES} bytes: remove it while the bot is stopped")
    return token


def _open(path: Path) -> int:
    try:
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        _make(path)
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)


def _make(path: Path) -> None:
    """Of several processes that start at once, one makes the token; it is in the file before the file has its name."""
    fresh = path.with_name(f"{FILE}.{os.getpid()}")
    fd = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        os.write(fd, secrets.token_hex(TOKEN_BYTES // 2).encode())
        with contextlib.suppress(FileExistsError):
            os.link(fresh, path)
    finally:
        os.close(fd)
        fresh.unlink()
