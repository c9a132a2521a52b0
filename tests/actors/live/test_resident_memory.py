"""The heartbeat contains the resident memory of a live process; in virtual time it is 0."""

import pytest

from actors.actor import Actor
from actors.live.driver import resident_bytes
from actors.sim.driver import Sim
from protocol import Heartbeat
from protocol.frame import body, split


class Silent(Actor):
    """Publishes its heartbeat alone."""

    ticks = False


class Recorder(Sim):
    """Keeps all heartbeats."""

    def __init__(self):
        super().__init__()
        self.heartbeats = []

    def deliver(self, process, runtime_input, *args):
        if runtime_input.__name__ == "frame_in":
            message = body(args[-1], split(args[-1])[-1])
            self.heartbeats += [message] if isinstance(message, Heartbeat) else []
        super().deliver(process, runtime_input, *args)


class Reader(Silent):
    """Follows the other."""

    def on_start(self):
        self.subscribe("md.silent.")


def test_this_process_has_between_a_megabyte_and_the_size_of_the_machine():
    ballast = bytearray(64 * 1024 * 1024)
    before = resident_bytes()
    ballast[::4096] = b"\x01" * len(ballast[::4096])  # touches each page
    assert 1_000_000 < before < 1 << 40
    assert resident_bytes() - before > 32 * 1024 * 1024 or before > len(ballast)


def test_in_virtual_time_the_memory_is_not_reported():
    sim = Recorder()
    sim.add("silent", Silent)
    sim.add("reader", Reader)
    sim.run_for(2.5)
    assert sim.heartbeats
    assert {heartbeat.rss_bytes for heartbeat in sim.heartbeats} == {0}


@pytest.mark.process
def test_a_live_actor_reports_its_memory(processes):
    processes.start("feed", "BatchPublisher", {"updates": 1})
    with processes.tap(Heartbeat) as tap:
        heartbeats = []
        for _ in range(40):
            heartbeats += tap.poll(0.5)
            if heartbeats:
                break
    assert heartbeats[0].body.rss_bytes > 5_000_000
