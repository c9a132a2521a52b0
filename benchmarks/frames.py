"""The recorded depth frames for both order books. Imports the standard library only, since yardsticks import it."""

import gzip
import json
from pathlib import Path

RECORDED = Path(__file__).resolve().parents[2] / "shared" / "data" / "binance_spot" / "btcusdt_20240808.gz"


def recorded_frames(path: str | Path = RECORDED) -> tuple[bytes, list[bytes]]:
    """Returns the REST snapshot and the raw depth frames after it, as the exchange sent them.

    Raises FileNotFoundError if there is no recording.
    """
    snapshot: bytes | None = None
    frames: list[bytes] = []
    with gzip.open(path) as lines:
        for line in lines:
            raw = line.split(b" ", 1)[1].rstrip(b"\n")
            if b'"lastUpdateId"' in raw[:40]:
                snapshot = raw
            elif b"@depth" in raw[:60]:
                frames.append(raw)
    if snapshot is None:
        raise ValueError(f"no snapshot in {path}")
    last_update_id = json.loads(snapshot)["lastUpdateId"]
    return snapshot, [frame for frame in frames if json.loads(frame)["data"]["u"] > last_update_id]
