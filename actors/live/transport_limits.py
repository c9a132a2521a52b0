"""Bounds of the bus: what is kept for whom, how long a silent peer is believed, how often a lost one is looked for."""

from protocol.frame import MAX_FRAME_BYTES

PUB_MAX_BYTES = 32 * 1024 * 1024  # kept for a slow subscriber; what does not fit is lost to it, and its seq shows it
DIRECT_MAX_BYTES = 2 * MAX_FRAME_BYTES  # queued for one peer; then sending fails
FLUSH_BYTES = 64 * 1024  # queued for one peer: written at once, and not at the end of the turn
BATCH = 256  # messages taken from one connection before the others have their turn
MAX_PREFIXES = 10_000  # that one subscriber may want; then it is cut
LINGER_MS = 200  # how long a stopping actor waits for its last frames to leave
HEARTBEAT_MS = 1_000  # silence after which a peer is asked for a sign of life
HEARTBEAT_TIMEOUT_MS = 3_000  # a peer that owes one for so long is cut off: its process hangs, or is stopped
RECONNECT_MS = 20
RECONNECT_MAX_MS = 500
