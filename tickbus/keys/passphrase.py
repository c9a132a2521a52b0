"""The sources of a passphrase: a private file, systemd's credentials, a pipe, a prompt; never an argument."""

import getpass
import os
import sys
from pathlib import Path

from actors.log.secret import Secret
from protocol.errors import BadKeyFile
from tickbus.keys.keyfile import check_private

FILE_VARIABLE = "TICKBUS_PASSPHRASE_FILE"  # path of a file of mode 0600; the passphrase itself is never in a variable
CREDENTIAL = "tickbus-passphrase"
MAX_PASSPHRASE_CHARS = 1024


def passphrase_of_environment() -> Secret | None:
    """Returns the passphrase of $TICKBUS_PASSPHRASE_FILE or of systemd's credential, or None. Raises BadKeyFile."""
    if named := os.environ.get(FILE_VARIABLE):
        return from_file(Path(named))
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    if folder and (path := Path(folder) / CREDENTIAL).exists():
        return _secret(path.read_text(encoding="utf-8"), str(path))  # only this service can read that folder
    return None


def find_passphrase(
    prompt: str = "passphrase of the key file: ", twice: bool = False, piped: list[str] | None = None
) -> Secret:
    """Returns the passphrase from the environment, the terminal or the first line of stdin. Raises BadKeyFile.

    `twice`: the prompt is repeated, and both inputs have to be equal. `piped`: lines of stdin that were read already;
    if the last one is not empty, the first is the passphrase, also if the environment has one, and is removed.
    """
    if piped is not None and piped[-1].strip():
        return _secret(piped.pop(0), "stdin")
    found = passphrase_of_environment()
    if found is not None:
        return found
    if piped is not None:
        require_terminal()
    elif not sys.stdin.isatty():
        return _secret(sys.stdin.readline(MAX_PASSPHRASE_CHARS + 1), "stdin")
    first = getpass.getpass(prompt)
    if twice and getpass.getpass("once more: ") != first:
        raise BadKeyFile("the two passphrases differ: nothing was changed")
    return _secret(first, "the prompt")


def require_terminal() -> None:
    """Raises BadKeyFile if this process has no terminal at which a passphrase can be typed."""
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC))
    except OSError:
        raise BadKeyFile(
            f"no passphrase and no terminal: pipe it in as the first line, or name a 0600 file in ${FILE_VARIABLE}"
        ) from None


def from_file(path: Path) -> Secret:
    """Returns the first line of a file that only its owner may read. Raises BadKeyFile."""
    if not path.exists():
        raise BadKeyFile(f"there is no passphrase file {path} (${FILE_VARIABLE} names it)")
    check_private(path)
    return _secret(path.read_text(encoding="utf-8"), str(path))


def _secret(text: str, source: str) -> Secret:
    line = text.split("\n", 1)[0].rstrip("\r")
    if not line:
        raise BadKeyFile(
            f"no passphrase came from {source}: type it, pipe it in, or name a 0600 file in ${FILE_VARIABLE}"
        )
    return Secret(line)
