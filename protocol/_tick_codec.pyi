from protocol.ticks import Tick

class FastTickCodec:
    def encode_tick(
        self,
        prefix: bytes,
        epoch: int,
        seq: int,
        ts_ns: int,
        n: int,
        time_ns: int,
        period_ns: int,
        skipped: int,
    ) -> bytes: ...
    def decode_tick(self, frame: bytes) -> Tick | None: ...
    def encode_done(
        self,
        prefix: bytes,
        epoch: int,
        seq: int,
        ts_ns: int,
        n: int,
        waited_ns: int,
        trace: int,
        positions_missed: int,
    ) -> bytes: ...
    def decode_done(self, frame: bytes) -> int: ...
