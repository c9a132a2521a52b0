"""Checks of the installation: Python, the packages that every bot needs, supervisord."""

import importlib
import sys
from importlib.metadata import PackageNotFoundError, version

from tickbus.doctor.check import BAD, OK, Check

NEEDED = {
    "aiohttp": "aiohttp",
    "click": "click",
    "cryptography": "cryptography",
    "httptools": "httptools",
    "msgspec": "msgspec",
    "pyzmq": "zmq",
    "structlog": "structlog",
    "supervisor": "supervisor",
    "uvloop": "uvloop",
}
"""{name of the package: name of its module}"""
LIBZMQ_MIN = (4, 3)


def python() -> Check:
    """The interpreter; pip refuses to install tickbus on one that is too old."""
    found = ".".join(map(str, sys.version_info[:3]))
    return Check(OK, "python", f"{found} ({sys.executable})")


def packages() -> Check:
    """Every package in NEEDED can be imported."""
    found, broken = [], []
    for package, module in NEEDED.items():
        if error := import_error(module):
            broken.append(f"{package} ({error})")
        else:
            found.append(f"{package} {version_of(package)}")
    if broken:
        return Check(BAD, "packages", f"cannot be imported: {', '.join(broken)}: run `pip install tickbus` again")
    return Check(OK, "packages", ", ".join(found))


def libzmq() -> Check:
    """libzmq serves taps, tcp, and ipc where the compiled transport is missing."""
    if error := import_error("zmq"):
        return Check(BAD, "libzmq", f"pyzmq cannot be imported ({error}): run `pip install pyzmq`")
    import zmq

    text = f"{zmq.zmq_version()} (pyzmq {zmq.__version__})"
    if zmq.zmq_version_info() < LIBZMQ_MIN:
        return Check(BAD, "libzmq", f"{text} is too old: run `pip install --upgrade pyzmq`")
    return Check(OK, "libzmq", text)


def supervisord() -> Check:
    """supervisord starts and restarts the processes of a bot."""
    if error := import_error("supervisor.supervisord"):
        return Check(BAD, "supervisord", f"cannot be imported ({error}): run `pip install 'supervisor>=4.3'`")
    return Check(OK, "supervisord", version_of("supervisor"))


def import_error(module: str) -> str:
    """Returns why a module cannot be imported; "" if it can."""
    try:
        importlib.import_module(module)
    except ImportError as error:
        return str(error)
    return ""


def version_of(package: str) -> str:
    """Returns the installed version; "of unknown version" if the package has no metadata."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "of unknown version"
