"""Identities on command sockets: the name of a process, and the run's token if the process has it."""

from hmac import compare_digest

READER = "@"  # before the name of a peer without the token; no actor's name begins so


def identity(name: bytes, token: bytes) -> bytes:
    """What a process sends when it connects."""
    return name + b"\0" + token if token else name


def peer_name(received: bytes, token: bytes) -> str:
    """The name of a peer: of one that has not sent the token it begins with READER. No token of ours: not checked."""
    if not token:
        return received.decode("latin-1")
    name, _, given = received.partition(b"\0")
    text = name.decode("latin-1")
    return text if compare_digest(given, token) else READER + text


def peer_identity(name: str, token: bytes) -> bytes:
    """The identity that `peer_name` has read."""
    if not token:
        return name.encode("latin-1")
    if name.startswith(READER):
        return name[len(READER) :].encode("latin-1")
    return identity(name.encode("latin-1"), token)
