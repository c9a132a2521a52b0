"""The kill switch: a file in the run folder, looked at before every order, that works with the bus dead."""

import os
from pathlib import Path

FILE = "KILL"
NOTHING_NEW, CANCEL_ALL = 1, 2


class KillSwitch:
    """`touch <run folder>/KILL`: nothing new is sent; with the word `cancel` in it, everything open is cancelled too.

    It stays thrown, over restarts, until somebody takes the file away.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self._at, self._folder = str(self._path), str(folder)

    def __call__(self) -> int:
        """0: not thrown; NOTHING_NEW; CANCEL_ALL. A file that cannot be read counts as thrown."""
        # Before every order, and most of the time this is all: no file, in a folder that can be looked into.
        if not os.access(self._at, os.F_OK) and os.access(self._folder, os.X_OK):
            return 0
        try:
            said = self._path.read_text()
        except FileNotFoundError:
            return 0
        except (OSError, UnicodeDecodeError):
            return NOTHING_NEW
        return CANCEL_ALL if "cancel" in said.lower() else NOTHING_NEW
