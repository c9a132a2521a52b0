"""Bounds of the bus: bytes queued for one peer, heartbeats, and the delays between attempts to connect."""

from protocol.frame import MAX_FRAME_BYTES

PUB_MAX_BYTES = 32 * 1024 * 1024  # queued for a slow subscriber; further frames are lost to it, and `seq` shows the gap
DIRECT_MAX_BYTES = 2 * MAX_FRAME_BYTES  # queued for one peer of a command socket; at the limit `send` returns False
FLUSH_BYTES = 64 * 1024  # queued for one peer: above it, frames are written at once and not at the end of the turn
BATCH = 256  # messages taken from one connection before the others have their turn
MAX_PREFIXES = 10_000  # subscriptions of one subscriber; at the limit its connection is closed
MAX_PREFIX_BYTES = 1024 * 1024  # all prefixes of one subscriber together; above it its connection is closed
LINGER_MS = 200  # the longest time that a stopping actor waits for its last frames to leave
HEARTBEAT_MS = 1_000  # silence after which a peer is sent a PING
HEARTBEAT_TIMEOUT_MS = 3_000  # time to answer it; then the connection is closed: that process hangs, or is stopped
RECONNECT_MS = 20  # delay before the first attempt to connect again; each further delay is twice as long
RECONNECT_MAX_MS = 500
# libzmq counts frames instead of bytes.
HWM_FRAMES = 100_000
HWM_DIRECT_FRAMES = 10_000
