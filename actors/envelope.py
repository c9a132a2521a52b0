"""Envelope: the origin of the message that a handler has in hand."""


class Envelope:
    """Sender, topic, epoch, sequence number and send time (UTC) of the message in hand."""

    def __init__(self) -> None:
        self.sender = self.topic = ""
        self.epoch = self.seq = self.ts_ns = 0
