"""What `tickbus doctor` looks at. Each check says what it saw and, if that is bad, what to do."""

import importlib
import os
import resource
import shutil
import socket
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import NamedTuple

from actors.run.run_dir import MAX_SOCKET_PATH_BYTES, check_private
from protocol.errors import TickbusError
from tickbus.bot.registry import running_dirs
from tickbus.keys.keyfile import default_path

OK, WARN, BAD = "ok", "warn", "BAD"
MIN_FILES = 256  # open files: a few per actor, and a reserve for cancelling
GOOD_FILES = 1024
DISTRIBUTIONS = (
    "aiohttp",
    "click",
    "cryptography",
    "msgspec",
    "pyzmq",
    "structlog",
    "supervisor",
    "uvloop",
    "websockets",
)
TWINS = {
    "wires": "actors.live.transport",
    "book": "market.book",
    "matching": "market.matching",
    "levels": "market.levels",
}
FREE_BYTES = 256 * 1024 * 1024
MAX_YEARS_OFF = 1.0


class Check(NamedTuple):
    verdict: str
    what: str
    detail: str


def examine() -> list[Check]:
    """All checks, in the order in which trouble is likely."""
    return [
        _python(), _distributions(), *_twins(), _libzmq(), _supervisord(), _files(), _loopback(), _sockets(), _clock(),
        _disk(), _memory_for_keys(), _key_file(), *_runs(),
    ]  # fmt: skip


def _python() -> Check:
    found = ".".join(map(str, sys.version_info[:3]))  # pip has refused what is older than 3.11
    return Check(OK, "python", f"{found} ({sys.executable})")


def _distributions() -> Check:
    missing, found = [], []
    for name in DISTRIBUTIONS:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            missing.append(name)
    if missing:
        return Check(BAD, "packages", f"missing: {', '.join(missing)} (pip install tickbus)")
    return Check(OK, "packages", ", ".join(found))


def _twins() -> list[Check]:
    """Which of the two twins runs: the compiled one, or the plain one, which is right and slower."""
    forced = os.environ.get("TICKBUS_PLAIN") == "1"
    checks = []
    for what, module in TWINS.items():
        kind = getattr(importlib.import_module(module), "IMPLEMENTATION", "plain")
        why = " by TICKBUS_PLAIN=1" if forced else ": slower; with a C compiler, pip install again compiles it"
        checks.append(Check(OK if kind == "cython" or forced else WARN, what, kind + ("" if kind == "cython" else why)))
    return checks


def _libzmq() -> Check:
    import zmq

    verdict = OK if zmq.zmq_version_info() >= (4, 3) else BAD
    return Check(verdict, "libzmq", f"{zmq.zmq_version()} (pyzmq {zmq.__version__}), for taps and plain wires")


def _supervisord() -> Check:
    try:
        from supervisor import options
    except ImportError as error:
        return Check(BAD, "supervisord", f"cannot be imported ({error}): pip install 'supervisor>=4.3'")
    return Check(OK, "supervisord", str(options.VERSION))


def _files() -> Check:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < MIN_FILES:
        return Check(BAD, "open files", f"limit {soft}: raise it (ulimit -n {GOOD_FILES})")
    return Check(OK if soft >= GOOD_FILES else WARN, "open files", f"limit {soft} (at most {hard})")


def _loopback() -> Check:
    try:
        with socket.socket() as one:
            one.bind(("127.0.0.1", 0))
            port = one.getsockname()[1]
    except OSError as error:
        return Check(BAD, "loopback", f"no port can be had on 127.0.0.1: {error}")
    return Check(OK, "loopback", f"free ports are to be had (127.0.0.1:{port})")


def _sockets() -> Check:
    """A Unix socket in the folder where fresh runs go."""
    folder = Path(tempfile.mkdtemp(prefix="tickbus-"))
    path = folder / "supervisord.sock.4194304"
    try:
        with socket.socket(socket.AF_UNIX) as one:
            one.bind(str(path))
    except OSError as error:
        return Check(BAD, "sockets", f"none can be made in {folder.parent} ({error}): set TMPDIR to a short local path")
    finally:
        shutil.rmtree(folder)
    left = MAX_SOCKET_PATH_BYTES - len(os.fsencode(path))
    return Check(OK, "sockets", f"{folder.parent} will do ({left} bytes of the path's length to spare)")


def _clock() -> Check:
    built = Path(__file__).stat().st_mtime
    years = (time.time() - built) / (365 * 86_400)
    tick_us = min(_step_us() for _ in range(5))
    if years < -MAX_YEARS_OFF:
        return Check(
            BAD, "clock", "it is set before this program was installed: exchanges refuse a wrong time (use NTP)"
        )
    return Check(OK, "clock", f"{time.strftime('%Y-%m-%d %H:%M:%S', time.gmtime())} UTC, reads in {tick_us:.2f} us")


def _step_us() -> float:
    begun = time.monotonic_ns()
    for _ in range(1000):
        time.monotonic_ns()
    return (time.monotonic_ns() - begun) / 1e6


def _disk() -> Check:
    free = shutil.disk_usage(Path.cwd()).free
    verdict = OK if free > FREE_BYTES else BAD
    return Check(verdict, "disk", f"{free / 1e9:.1f} GB free here" + ("" if verdict == OK else ": journals need room"))


def _memory_for_keys() -> Check:
    """scrypt takes 128 MiB for the moment in which a key file is opened."""
    found = {}
    for line in Path("/proc/meminfo").read_text().splitlines() if Path("/proc/meminfo").exists() else []:
        name, _, rest = line.partition(":")
        found[name] = int(rest.split()[0]) * 1024
    free = found.get("MemAvailable", 1 << 40)
    return Check(OK if free > 512 * 1024 * 1024 else WARN, "memory", f"{free / 1e9:.1f} GB to be had")


def _key_file() -> Check:
    path = default_path()
    if not path.exists():
        return Check(OK, "key file", f"none at {path} (the local exchange needs none)")
    try:
        check_private_file(path)
    except TickbusError as error:
        return Check(BAD, "key file", str(error))
    return Check(OK, "key file", str(path))


def check_private_file(path: Path) -> None:
    """Raises BadKeyFile if it is open to others or no key file."""
    from tickbus.keys.keyfile import KeyFile

    KeyFile(path).names()


def _runs() -> list[Check]:
    return [_guarded(f"run {folder.name}", lambda folder=folder: _run(folder)) for folder in running_dirs()]


def _run(folder: Path) -> str:
    check_private(folder)
    return f"runs in {folder}"


def _guarded(what: str, look: Callable[[], str]) -> Check:
    try:
        return Check(OK, what, look())
    except TickbusError as error:
        return Check(BAD, what, str(error))
