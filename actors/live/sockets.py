"""The sockets of one actor on a run's bus: where they are, and who is connected to whom."""

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from actors.live.transport import DEALER, PUB, ROUTER, SUB, Wires


class Bus:
    """PUB and ROUTER bound under the actor's name; a SUB for each publisher; a DEALER for each actor that it asks.

    No queue holds anything for an actor that is not there. A frame above the wires' limit would cut the connection, so
    senders refuse at half of it. `sink` takes what arrives: a Runtime or a Sink.
    """

    def __init__(self, name: str, folder: Path, sink: Any, wires: Any = Wires, *, bind: bool = True) -> None:
        self.name = name
        self._folder = folder
        self.wires = wires(sink, name)
        self.wires.open_dealer = self.connect
        # The shortest way for what goes out most: no Python between the actor and the socket.
        self.send: Callable[[str, bytes], bool] = self.wires.ask
        self._publishers: set[str] = set()
        if bind:
            self.pub: Callable[[bytes], None] = self.wires.publish
            self.reply: Callable[[str, bytes], bool] = self.wires.send_to
            for kind, suffix in ((ROUTER, "cmd"), (PUB, "pub")):
                path = folder / f"{name}.{suffix}"
                path.unlink(missing_ok=True)  # ours by the lock on the name; a dead holder leaves it behind
                self.wires.bind(kind, str(path))

    def connect(self, target: str) -> None:
        """Begin to connect to an actor's command socket; sends fail until it is there."""
        self.wires.connect(DEALER, target, str(self._folder / f"{target}.cmd"))

    def subscribe(self, publisher: str, prefix: str) -> None:
        if publisher not in self._publishers:
            self._publishers.add(publisher)
            self.wires.connect(SUB, publisher, str(self._folder / f"{publisher}.pub"))
            if publisher not in self.wires.dealers:
                self.connect(publisher)
        self.wires.subscribe(prefix)

    def close(self) -> None:
        """Let the last frames leave, then close everything and take the names away."""
        self.wires.close()
        for suffix in ("cmd", "pub"):
            with contextlib.suppress(FileNotFoundError):
                (self._folder / f"{self.name}.{suffix}").unlink()
