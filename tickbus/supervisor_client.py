"""Ask a supervisord over its Unix socket, with a bounded wait."""

import http.client
import socket
import xmlrpc.client
from pathlib import Path
from typing import Any

import msgspec

from protocol.errors import Unreachable
from tickbus.supervisor_config import SOCKET

TIMEOUT_S = 5.0
NOT_RUNNING = 70  # supervisor.xmlrpc.Faults.NOT_RUNNING
BAD_NAME = 10
ALREADY_STARTED = 60


class Process(msgspec.Struct):
    """One process as supervisord sees it. `pid` 0: it does not run."""

    name: str
    state: str
    pid: int
    uptime_s: int
    exit_code: int
    trouble: str


class _Connection(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=TIMEOUT_S)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(TIMEOUT_S)
        self.sock.connect(self._path)


class _Transport(xmlrpc.client.Transport):
    def __init__(self, path: str) -> None:
        super().__init__()
        self._path = path

    def make_connection(self, host: Any) -> _Connection:
        return _Connection(self._path)


class Supervisor:
    """The supervisord of one run folder. Every method raises Unreachable if it does not answer."""

    def __init__(self, run_dir: Path) -> None:
        self._path = run_dir / SOCKET

    def call(self, method: str, *args: Any) -> Any:
        """One call of its XML-RPC interface, `supervisor.METHOD`. Raises xmlrpc.client.Fault as it does."""
        server = xmlrpc.client.ServerProxy("http://localhost", transport=_Transport(str(self._path)))
        try:
            return getattr(server.supervisor, method)(*args)
        except (OSError, http.client.HTTPException) as error:
            raise Unreachable(f"no supervisord answers at {self._path} ({error})") from None

    def is_up(self) -> bool:
        try:
            return bool(self.call("getState")["statename"] == "RUNNING")
        except Unreachable:
            return False

    def processes(self) -> list[Process]:
        return [
            Process(
                one["name"], one["statename"], one["pid"],
                max(0, one["now"] - one["start"]) if one["pid"] else 0, one["exitstatus"], one["spawnerr"],
            )
            for one in self.call("getAllProcessInfo")
        ]  # fmt: skip

    def stop(self, name: str) -> None:
        """Ask a process to end; does not wait for it."""
        self._tolerate(NOT_RUNNING, "stopProcess", name, False)

    def start(self, name: str) -> None:
        self._tolerate(ALREADY_STARTED, "startProcess", name, False)

    def update(self) -> tuple[list[str], list[str], list[str]]:
        """Read the configuration again and follow it, as `supervisorctl update`; (added, changed, removed) programs."""
        added, changed, removed = self.call("reloadConfig")[0]
        for name in [*changed, *removed]:
            self._tolerate(NOT_RUNNING, "stopProcessGroup", name)
            self.call("removeProcessGroup", name)
        for name in [*added, *changed]:
            self.call("addProcessGroup", name)
        return added, changed, removed

    def shutdown(self) -> None:
        self.call("shutdown")

    def _tolerate(self, code: int, method: str, *args: Any) -> None:
        try:
            self.call(method, *args)
        except xmlrpc.client.Fault as fault:
            if fault.faultCode != code:
                raise
