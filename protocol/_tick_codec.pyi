from protocol.ticks import Tick

class FastTickCodec:
    def tick_frame(
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
    def tick_of(self, frame: bytes) -> Tick | None: ...
    def done_frame(
        self,
        prefix: bytes,
        epoch: int,
        seq: int,
        ts_ns: int,
        n: int,
        waited_ns: int,
        trace: int,
        marks_missed: int,
    ) -> bytes: ...
    def done_of(self, frame: bytes) -> int: ...
