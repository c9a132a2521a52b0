"""The sockets of one actor on a run's bus: their paths, and to which actors they are connected."""

import contextlib
import os
from collections.abc import Callable
from pathlib import Path

from actors.live.bus_token import bus_token
from actors.live.transport import DEALER, PUB, ROUTER, SUB, Transport
from actors.live.transport_choice import transport_class
from actors.run.run_dir import MAX_SOCKET_PATH_BYTES


class Bus:
    """PUB and ROUTER bound under the actor's name; a SUB for each publisher; a DEALER for each actor that it sends to.

    No queue holds anything for an actor that is not connected. A frame above the transport's limit would end the
    connection, so senders refuse at half of it.
    """

    def __init__(
        self,
        name: str,
        folder: Path,
        kind: type[Transport] | None = None,
        *,
        bind: bool = True,
        reads_only: bool = False,
    ) -> None:
        """`bind`: False for a process to which no other connects. `reads_only`: it may not command any actor."""
        self.name = name
        self._folder = folder
        self.transport = transport = (kind or transport_class())(
            name, self._command_path, token=b"" if reads_only else bus_token(folder)
        )  # fmt: skip
        # The transport's own methods: no Python between the actor and the socket for what is sent most.
        self.publish: Callable[[bytes], None] = transport.publish
        self.send: Callable[[str, bytes], bool] = transport.send
        self.reply: Callable[[str, bytes], bool] = transport.reply
        self._publishers: set[str] = set()
        if bind:
            for socket, suffix in ((ROUTER, "cmd"), (PUB, "pub")):
                path = folder / f"{name}.{suffix}"
                path.unlink(missing_ok=True)  # ours by the lock on the name; a killed holder leaves it behind
                transport.bind(socket, str(path))

    def subscribe(self, publisher: str, prefix: str) -> None:
        """Receive what `publisher` publishes under `prefix`. Connects to its command socket too."""
        if publisher not in self._publishers:
            if len(os.fsencode(self._command_path(publisher))) > MAX_SOCKET_PATH_BYTES:
                return  # no actor can have this name in this folder
            self._publishers.add(publisher)
            self.transport.connect(SUB, publisher, str(self._folder / f"{publisher}.pub"))
            self.transport.connect(DEALER, publisher, self._command_path(publisher))
        self.transport.subscribe(prefix)

    def close(self) -> None:
        """Wait for the last frames to leave, then close all sockets and remove their files."""
        self.transport.close()
        for suffix in ("cmd", "pub"):
            with contextlib.suppress(FileNotFoundError):
                (self._folder / f"{self.name}.{suffix}").unlink()

    def _command_path(self, target: str) -> str:
        return str(self._folder / f"{target}.cmd")
