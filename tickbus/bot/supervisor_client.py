"""Calls to a supervisord over its Unix socket, each with a bounded wait."""

import http.client
import socket
import xmlrpc.client
from pathlib import Path
from typing import Any

import msgspec

from actors.live.lock import holder
from protocol.errors import TickbusError, Unreachable
from tickbus.bot.registry import SOCKET, SUPERVISOR, lost_text

TIMEOUT_S = 5.0
NOT_RUNNING = 70  # fault codes of supervisor.xmlrpc.Faults
ALREADY_STARTED = 60
SHUTDOWN_STATE = 6
STOPPING = "the bot in {} starts or stops just now: try again once it has"


class ProcessInfo(msgspec.Struct):
    """One process as supervisord reports it. `pid` is 0 while it does not run; `trouble` is its start error or ""."""

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
    """The supervisord of one run folder. Every method raises Unreachable if it does not answer in TIMEOUT_S."""

    def __init__(self, run_dir: Path) -> None:
        self._run_dir = run_dir
        self._path = run_dir / SOCKET

    def call(self, method: str, *args: Any) -> Any:
        """Calls `supervisor.METHOD` of its XML-RPC interface. Raises xmlrpc.client.Fault if that method does."""
        server = xmlrpc.client.ServerProxy("http://localhost", transport=_Transport(str(self._path)))
        try:
            return getattr(server.supervisor, method)(*args)
        except (OSError, http.client.HTTPException) as error:
            text = lost_text(self._run_dir) or f"no supervisord answers at {self._path} ({error})"
            raise Unreachable(text) from None
        except xmlrpc.client.Fault as fault:
            if fault.faultCode == SHUTDOWN_STATE:
                raise Unreachable(STOPPING.format(self._run_dir)) from None
            raise

    def is_up(self) -> bool:
        """Returns whether supervisord answers and runs."""
        try:
            return bool(self.call("getState")["statename"] == "RUNNING")
        except Unreachable:
            return False

    def processes(self) -> list[ProcessInfo]:
        """Returns the state of every process, in supervisord's order."""
        return [
            ProcessInfo(
                one["name"], one["statename"], one["pid"],
                max(0, one["now"] - one["start"]) if one["pid"] else 0, one["exitstatus"], one["spawnerr"],
            )
            for one in self.call("getAllProcessInfo")
        ]  # fmt: skip

    def stop(self, name: str) -> None:
        """Stops a process; returns at once, before it has ended."""
        self._tolerate(NOT_RUNNING, "stopProcess", name, False)

    def signal(self, name: str, signal: str) -> None:
        """Sends a signal to a process; one that ends by it is started again by supervisord. Returns at once."""
        self._tolerate(NOT_RUNNING, "signalProcess", name, signal)

    def start(self, name: str) -> None:
        """Starts a process; returns at once."""
        self._tolerate(ALREADY_STARTED, "startProcess", name, False)

    def update(self) -> tuple[list[str], list[str], list[str]]:
        """Reads the configuration again and applies it, as `supervisorctl update` does.

        Returns the names of the added, changed and removed programs.
        """
        added, changed, removed = self.call("reloadConfig")[0]
        for name in [*changed, *removed]:
            self._tolerate(NOT_RUNNING, "stopProcessGroup", name)
            self.call("removeProcessGroup", name)
        for name in [*added, *changed]:
            self.call("addProcessGroup", name)
        return added, changed, removed

    def shutdown(self) -> None:
        """Ends supervisord and its processes; returns at once."""
        self.call("shutdown")

    def require_up(self, otherwise: str) -> None:
        """Raises Unreachable if supervisord does not answer: with the reason if one runs, else with `otherwise`."""
        if not self.is_up():
            raise Unreachable(self.trouble() or otherwise)

    def trouble(self) -> str:
        """Returns why a supervisord that runs this bot takes no calls; "" if there is none."""
        if text := lost_text(self._run_dir):
            return text
        return STOPPING.format(self._run_dir) if holder(self._run_dir, SUPERVISOR) else ""

    def _tolerate(self, code: int, method: str, *args: Any) -> None:
        try:
            self.call(method, *args)
        except xmlrpc.client.Fault as fault:
            if fault.faultCode != code:
                raise TickbusError(f"supervisord: {fault.faultString}") from None
