"""Builds pingpong.c with the libzmq of pyzmq, and runs it."""

import json
import os
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path
from typing import Literal

import zmq

from benchmarks.placement import one_core, two_cores
from benchmarks.result import NotMeasured

SOURCE = Path(__file__).with_name("pingpong.c")
BUILT = Path(__file__).resolve().parents[1] / "build" / "benchmarks"
BYTES = 64
OPS = 4000
TIMEOUT_S = 60.0


def bundled_libzmq() -> Path:
    """Returns the shared library inside the pyzmq wheel. Raises NotMeasured if pyzmq uses another libzmq."""
    folder = Path(zmq.__file__).resolve().parents[1] / "pyzmq.libs"
    found = sorted(folder.glob("libzmq-*.so*"))
    if not found:
        raise NotMeasured(f"no libzmq bundled with pyzmq in {folder}")
    return found[0]


@cache
def build() -> Path:
    """Compiles the program if it is missing or older than its source or library; returns its path."""
    library = bundled_libzmq()
    program = BUILT / "pingpong"
    newest = max(SOURCE.stat().st_mtime, library.stat().st_mtime)
    if program.exists() and program.stat().st_mtime > newest:
        return program
    compiler = os.environ.get("CC") or shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        raise NotMeasured("needs a C compiler")
    BUILT.mkdir(parents=True, exist_ok=True)
    partial = program.with_suffix(f".{os.getpid()}")
    linked = [str(library), f"-Wl,-rpath,{library.parent}"]
    command = [compiler, "-O2", "-Wall", "-o", str(partial), str(SOURCE), *linked]
    built = subprocess.run(command, capture_output=True, text=True, check=False)
    if built.returncode:
        raise NotMeasured(f"{compiler} failed: {built.stderr.strip()}")
    return partial.replace(program)


def pingpong(
    mode: Literal["sequential", "wave"],
    pinger_core: int,
    ponger_core: int,
    peers: int = 1,
    ops: int = OPS,
    rest_us: int = 0,
) -> dict[str, float]:
    """Runs the program once; returns `ops, mean_ns, p10_ns, p50_ns, p90_ns, p99_ns` per peer and round trip.

    `rest_us`: pause between two round trips.
    """
    program = build()
    with tempfile.TemporaryDirectory(prefix="tickbus-pp-") as folder:
        command = [program, mode, *map(str, (pinger_core, ponger_core, peers, ops, BYTES, rest_us)), folder]
        ran = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    if ran.returncode:
        raise NotMeasured(f"pingpong failed: {ran.stderr.strip()}")
    return json.loads(ran.stdout)


class PingPongSide:
    """The yardstick of a hop in microseconds: the median round trip to one peer."""

    def __init__(self, placement: Literal["same", "split"]) -> None:
        self._cores = (one_core(), one_core()) if placement == "same" else two_cores()
        build()

    def round(self) -> float:
        return pingpong("sequential", *self._cores)["p50_ns"] / 1000

    def close(self) -> None:
        """Does nothing: no process runs between rounds."""
