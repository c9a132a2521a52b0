"""KillSwitch: a file in the run folder that is checked before every order. It works without the bus."""

import os
from pathlib import Path

FILE = "KILL"
NOTHING_NEW, CANCEL_ALL = 1, 2


class KillSwitch:
    """`touch <run folder>/KILL`: no new order is sent; with the text `cancel` in it, all open orders are cancelled too.

    It stays on, over restarts, until the operator removes the file.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self._at, self._folder = str(self._path), str(folder)

    def __call__(self) -> int:
        """0: off; NOTHING_NEW; CANCEL_ALL. A file that cannot be read means NOTHING_NEW."""
        # The usual case, before every order: no file, in a folder that can be searched.
        if not os.access(self._at, os.F_OK) and os.access(self._folder, os.X_OK):
            return 0
        try:
            text = self._path.read_text()
        except FileNotFoundError:
            return 0
        except (OSError, UnicodeDecodeError):
            return NOTHING_NEW
        return CANCEL_ALL if "cancel" in text.lower() else NOTHING_NEW
