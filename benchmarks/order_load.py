"""A measuring process: orders per second that a server accepts over HTTP, from connections that send one at a time."""

import asyncio
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import uvloop

from benchmarks.order_requests import requests
from benchmarks.placement import on_cores
from benchmarks.worker import serve

CONNECTIONS = 16
ROUND_S = 30


class Client(asyncio.Protocol):
    """One connection: sends the next request after each answer, until none is left."""

    def __init__(self, waiting: list[bytes], done: "asyncio.Future[None]") -> None:
        self.waiting = waiting
        self.done = done
        self.data = b""
        self.answered = 0
        self.bytes = 0

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self._next()

    def data_received(self, data: bytes) -> None:
        self.data += data
        head_end = self.data.find(b"\r\n\r\n") + 4
        if head_end < 4:
            return
        at = self.data.lower().find(b"content-length: ") + 16
        length = int(self.data[at : self.data.index(b"\r", at)])
        if len(self.data) < head_end + length:
            return
        if not self.data.startswith(b"HTTP/1.1 200 "):
            self.done.set_exception(RuntimeError(self.data.decode()))
            return
        self.answered += 1
        self.bytes += length
        self.data = b""
        self._next()

    def connection_lost(self, reason: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(reason or ConnectionError("the server closed the connection"))

    def _next(self) -> None:
        if self.waiting:
            self.transport.write(self.waiting.pop())
        elif not self.done.done():
            self.done.set_result(None)


async def send(port: int, waiting: list[bytes]) -> tuple[int, int]:
    """Sends all requests; returns (nanoseconds, mean bytes of an answer's body)."""
    count = len(waiting)
    waiting.reverse()
    loop = asyncio.get_running_loop()
    clients = [Client(waiting, loop.create_future()) for _ in range(CONNECTIONS)]
    start_ns = time.monotonic_ns()
    for client in clients:
        await loop.create_connection(lambda client=client: client, "127.0.0.1", port)
    await asyncio.wait_for(asyncio.gather(*(client.done for client in clients)), ROUND_S)
    took_ns = time.monotonic_ns() - start_ns
    assert sum(client.answered for client in clients) == count
    for client in clients:
        client.transport.close()
    return took_ns, sum(client.bytes for client in clients) // count


class Server:
    """The server's process, on its core."""

    def __init__(self, kind: str, folder: Path, core: int) -> None:
        command = [sys.executable, "-m", "benchmarks.order_servers", kind, str(folder / "log")]
        with on_cores(core):
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline().rpartition(":")[2])

    def processor_ns(self) -> int:
        """Returns the processor time of all its threads until now."""
        tasks = Path("/proc", str(self.process.pid), "task").glob("*/schedstat")
        return sum(int(task.read_text().split()[0]) for task in tasks)

    def close(self) -> None:
        self.process.terminate()
        self.process.wait()


def measure(server: Server) -> dict[str, Any]:
    """Returns orders per second of the server's processor time, which other processes on its core do not change."""
    waiting = requests()
    count, before_ns = len(waiting), server.processor_ns()
    took_ns, answer_bytes = uvloop.run(send(server.port, waiting))
    ran_ns = server.processor_ns() - before_ns
    detail = {"answer_bytes": answer_bytes, "orders_per_s_by_the_clock": round(count / took_ns * 1e9)}
    return {"orders_per_s": count / ran_ns * 1e9, "detail": detail}


def main(kind: str, server_core: int, load_core: int) -> None:
    with tempfile.TemporaryDirectory(prefix="tickbus-rest-") as folder, on_cores(load_core):
        server = Server(kind, Path(folder), server_core)
        try:
            serve(lambda: measure(server))
        finally:
            server.close()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
