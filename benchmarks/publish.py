"""Our side of the publish row: a publisher that runs through all rounds, and a new subscriber in each round."""

import tempfile
from pathlib import Path
from typing import Any

from benchmarks.actor_process import ActorProcess
from benchmarks.pubsub_pyzmq import MESSAGES

ROUND_S = 30.0


class PublishSide:
    """Messages per second, from the publisher's start until the last message was handled; none may be lost."""

    def __init__(self, sender_core: int, receiver_core: int) -> None:
        self._core = receiver_core
        self._epoch = 0
        self.detail: dict[str, Any] = {}
        self._home = tempfile.TemporaryDirectory(prefix="tickbus-pub-")
        self._folder = Path(self._home.name)
        self._publisher = ActorProcess("benchmarks.publish_actors:Publisher", "bench", self._folder, sender_core)

    def round(self) -> float:
        """Sends and receives all messages of one round."""
        self._epoch += 1
        use, settings = "benchmarks.publish_actors:Subscriber", {"count": MESSAGES}
        subscriber = ActorProcess(use, "reader", self._folder, self._core, settings, self._epoch)
        try:
            result = subscriber.result(ROUND_S)
        finally:
            subscriber.close()
        self.detail.update(result["detail"])
        return float(result["messages_per_s"])

    def close(self) -> None:
        """Stops the publisher."""
        self._publisher.close()
        self._home.cleanup()
