"""The logs of all actors of a run, printed as readable lines while they are written."""

import json
import os
from pathlib import Path
from typing import TextIO

from actors.log.log import pretty_line


class LogFollower:
    """A context manager. Each `show` prints the lines that were written since the last; older lines are left out."""

    def __init__(self, run_dir: Path, out: TextIO) -> None:
        self._folder = run_dir / "logs"
        self._out = out
        self._read: dict[Path, tuple[int, int]] = {
            path: (path.stat().st_ino, path.stat().st_size) for path in self._folder.glob("*.log")
        }

    def __enter__(self) -> "LogFollower":
        return self

    def __exit__(self, *_: object) -> None:
        self.show()

    def show(self) -> None:
        """Prints the new lines of all actors, ordered by time."""
        events = [event for path in sorted(self._folder.glob("*.log")) for event in self._new_events(path)]
        for event in sorted(events, key=lambda one: str(one["time"])):
            self._out.write(pretty_line(None, "", event) + "\n")
        self._out.flush()

    def _new_events(self, path: Path) -> list[dict[str, object]]:
        inode, done = self._read.get(path, (0, 0))
        try:
            with path.open("rb") as file:
                now = os.fstat(file.fileno())
                file.seek(done if now.st_ino == inode else 0)  # a new file if the log was rotated
                data = file.read()
        except OSError:
            return []  # removed since it was listed
        done = done if now.st_ino == inode else 0
        whole = data.rfind(b"\n") + 1  # an unfinished line is read next time
        self._read[path] = now.st_ino, done + whole
        found = []
        for line in data[:whole].splitlines():
            try:
                event = json.loads(line)
            except ValueError:
                continue  # supervisord's own log
            if isinstance(event, dict) and {"time", "actor", "level", "event"} <= event.keys():
                found.append(event)
        return found
