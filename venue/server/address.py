"""The venue's listening socket, and the file with its address for clients."""

import errno
import os
import socket
from pathlib import Path

import msgspec

from venue.base.venue_errors import BadVenue

BACKLOG = 512


class Address(msgspec.Struct):
    """The content of an address file."""

    http: str
    ws: str


def last_port(path: Path | None) -> int:
    """The port in an address file; 0 if it is missing or unreadable."""
    if path is None:
        return 0
    try:
        address = msgspec.json.decode(path.read_bytes(), type=Address)
        return int(address.http.rpartition(":")[2])
    except (OSError, msgspec.MsgspecError, ValueError):
        return 0


def bind(host: str, port: int, path: Path | None) -> socket.socket:
    """A listening socket: on `port`, or (0) on the port of the last run if it is free, else on any free port.

    Raises BadVenue if the port is in use, or the host is not an address of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    last = last_port(path) if port == 0 else 0
    for candidate in dict.fromkeys((port or last, port)):
        listening = socket.socket(family, socket.SOCK_STREAM)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((host, candidate))
            listening.listen(BACKLOG)  # SO_REUSEADDR lets two sockets bind the port; listen fails for the second
            return listening
        except OSError as error:
            listening.close()
            if candidate == last and port == 0 and last:
                continue
            if error.errno == errno.EADDRINUSE:
                raise BadVenue(f"port {port} on {host} is in use: free it, or set port = 0 for any") from None
            raise BadVenue(f"cannot listen on {host}:{port}: {error.strerror}") from None
    raise AssertionError("unreachable")


def write_address(listening: socket.socket, path: Path | None, is_tls: bool = False) -> Address:
    """Returns the socket's address and writes it atomically into the file."""
    tail = "s" if is_tls else ""
    host, port = listening.getsockname()[:2]
    host = f"[{host}]" if ":" in host else host
    address = Address(http=f"http{tail}://{host}:{port}", ws=f"ws{tail}://{host}:{port}")
    if path is not None:
        fresh = path.with_name(path.name + ".new")
        fresh.write_bytes(msgspec.json.encode(address) + b"\n")
        os.replace(fresh, path)
    return address
