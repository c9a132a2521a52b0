"""What all actors of a run log, as lines for people, as it is written."""

import json
from pathlib import Path
from typing import TextIO

from actors.log.log import pretty_line


class LogTail:
    """Each `show` prints what has been added to the logs since the last; what was there before is left out."""

    def __init__(self, run_dir: Path, out: TextIO) -> None:
        self._folder = run_dir / "logs"
        self._out = out
        self._read: dict[Path, tuple[int, int]] = {
            path: (path.stat().st_ino, path.stat().st_size) for path in self._folder.glob("*.log")
        }

    def __enter__(self) -> "LogTail":
        return self

    def __exit__(self, *_: object) -> None:
        self.show()

    def show(self) -> None:
        """New lines of all actors, by their time."""
        events = [event for path in sorted(self._folder.glob("*.log")) for event in self._news(path)]
        for event in sorted(events, key=lambda one: str(one["time"])):
            self._out.write(pretty_line(None, "", event) + "\n")
        self._out.flush()

    def _news(self, path: Path) -> list[dict[str, object]]:
        inode, done = self._read.get(path, (0, 0))
        now = path.stat()
        if now.st_ino != inode:  # it was rotated: a new file of the same name
            done = 0
        with path.open("rb") as file:
            file.seek(done)
            data = file.read()
        whole = data.rfind(b"\n") + 1  # the rest of a line comes with the next look
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
