"""Session: one websocket that is kept open, over effects that the test controls."""

import heapq
from itertools import pairwise

import pytest
import structlog

from actors.net import Link
from connectors.net.session import MS_NS, Session, SessionSettings

SECOND_NS = 1_000 * MS_NS


class Net:
    """Effects: time, timers and connections that the test controls."""

    def __init__(self):
        self.now_ns = 0
        self.log = structlog.get_logger()
        self.links, self.opened_at = [], []
        self.refuses = False
        self.hangs = False
        self._heap, self._calls, self._count = [], {}, 0

    def after(self, delay_ns, call, *args):
        self._count += 1
        self._calls[self._count] = (call, args)
        heapq.heappush(self._heap, (self.now_ns + delay_ns, self._count))
        return self._count

    def cancel_timer(self, timer):
        self._calls.pop(timer, None)

    def connect(self, url, listener):
        link = Link(len(self.links), url, listener, self)
        self.links.append(link)
        self.opened_at.append(self.now_ns)
        if self.refuses:
            self.after(MS_NS, self.close, link, "refused")
        elif not self.hangs:
            self.after(MS_NS, self.open, link)
        return link

    def ws_send(self, link, data):
        pass

    def ws_send_now(self, link, data):
        pass

    def ws_close(self, link):
        self.after(MS_NS, self.close, link, "closed by us")

    def open(self, link):
        if not link.is_closed:
            link.is_open = True
            link.listener.ws_opened(link)

    def close(self, link, reason="reset"):
        if not link.is_closed:
            link.is_open, link.is_closed = False, True
            link.listener.ws_closed(link, reason)

    def run(self, seconds):
        end_ns = self.now_ns + round(seconds * SECOND_NS)
        while self._heap and self._heap[0][0] <= end_ns:
            self.now_ns, timer = heapq.heappop(self._heap)
            call, args = self._calls.pop(timer, (None, ()))
            if call is not None:
                call(*args)
        self.now_ns = end_ns


class Owner:
    """Notes the events; confirms a silence or not."""

    def __init__(self):
        self.events = []
        self.confirms = False

    def session_up(self, session):
        self.events.append("handover" if session.is_handover else "up")

    def session_down(self, session, reason):
        self.events.append("down")

    def session_frame(self, session, data):
        self.events.append(data)

    def session_silent(self, session, silence_ms):
        self.events.append("silent")
        if self.confirms:
            session.confirm_silence()
        else:
            session.recycle("silent")


@pytest.fixture
def net():
    return Net()


def started(net, **options):
    owner = Owner()
    session = Session(net, "ws://x", owner, SessionSettings(**options), "seed")
    session.start()
    return session, owner


def test_a_dropped_connection_is_tried_again_at_once(net):
    _session, owner = started(net, max_silence_ms=60_000)
    net.run(10)
    dropped_ns = net.now_ns
    net.close(net.links[0])
    assert owner.events == ["up", "down"]
    net.run(1)
    assert owner.events == ["up", "down", "up"]
    assert net.opened_at[1] - dropped_ns <= 60 * MS_NS


def test_delays_grow_apart_up_to_a_cap_and_begin_anew_after_a_steady_time(net):
    session, _ = started(net, max_silence_ms=3_600_000)
    net.run(10)
    net.refuses = True
    net.close(net.links[0])
    net.run(120)
    gaps = [(b - a) / MS_NS for a, b in pairwise(net.opened_at[1:])]
    assert all(gap <= session.settings.max_retry_ms + 2 for gap in gaps[:40])
    assert max(gaps[:20]) > 300
    assert len(set(gaps)) > len(gaps) // 2, "jitter"
    net.refuses = False
    net.run(20)
    assert session.is_up
    before = len(net.links)
    net.close(net.links[-1])
    net.run(0.1)
    assert len(net.links) == before + 1


def test_two_sessions_with_other_seeds_do_not_come_back_together():
    times = []
    for seed in ("one", "two", "one"):
        net = Net()
        net.refuses = True
        Session(net, "ws://x", Owner(), SessionSettings(), seed).start()
        net.run(60)
        times.append(net.opened_at)
    assert times[0] != times[1]
    assert times[0] == times[2]


def test_attempts_are_bounded_in_any_window(net):
    net.refuses = True
    started(net, max_retry_ms=50, attempts_max=20, attempts_window_ms=60_000)
    net.run(300)
    for start_ns in range(0, 300 * SECOND_NS, SECOND_NS):
        assert sum(start_ns <= at < start_ns + 60 * SECOND_NS for at in net.opened_at) <= 20
    gaps_s = [(b - a) / SECOND_NS for a, b in pairwise(net.opened_at)]
    assert max(gaps_s) < 10, "however long it lasts, the next attempt is never far"


def test_a_connection_that_does_not_open_is_given_up(net):
    net.hangs = True
    session, owner = started(net, connect_ms=1_000)
    net.run(5)
    assert len(net.links) >= 4
    net.hangs = False
    net.run(2)
    assert session.is_up
    net.open(net.links[0])
    assert owner.events == ["up"], "one that opens after all is closed"


def test_the_listener_decides_about_silence(net):
    _session, owner = started(net, max_silence_ms=1_000)
    owner.confirms = True
    net.run(4.5)
    assert owner.events == ["up"] + ["silent"] * 4
    owner.confirms = False
    net.run(1)
    assert owner.events[-3:] == ["silent", "down", "up"]
    late = net.links[0]
    late.is_open, late.is_closed = True, False
    late.listener.ws_frame(late, b"late")
    assert b"late" not in owner.events, "frames of a dropped connection are ignored"


def test_frames_are_no_silence(net):
    _session, owner = started(net, max_silence_ms=1_000)
    for _ in range(8):
        net.run(0.5)
        net.links[0].listener.ws_frame(net.links[0], b"x")
    assert owner.events == ["up"] + [b"x"] * 8


def test_a_renewed_connection_leaves_no_moment_without_one(net):
    session, owner = started(net, max_silence_ms=60_000)
    net.run(1)
    session.renew("shutdown")
    net.run(0.5)
    assert owner.events == ["up", "handover"]
    for link in net.links:
        link.listener.ws_frame(link, b"x")
    assert owner.events[2:] == [b"x", b"x"], "both deliver"
    session.finish_handover()
    net.run(1)
    assert net.links[0].is_closed
    assert not session.is_handover
    assert session.send(b"to the new one")
    assert "down" not in owner.events


def test_the_maximum_age_ends_in_a_handover_and_an_old_connection_is_closed(net):
    session, owner = started(net, max_silence_ms=3_600_000, max_age_ms=10_000, handover_ms=2_000)
    net.run(61)
    assert owner.events.count("handover") in (5, 6)
    assert "down" not in owner.events
    assert sum(not link.is_closed for link in net.links) <= 2
    assert session.handovers >= 5


def test_if_the_new_connection_dies_the_old_one_goes_on(net):
    session, owner = started(net, max_silence_ms=60_000)
    net.run(1)
    session.renew("shutdown")
    net.run(0.5)
    net.close(net.links[1])
    assert session.is_up
    assert "down" not in owner.events
    net.run(1)
    assert owner.events == ["up", "handover", "handover"], "and another is opened"
    net.close(net.links[0])
    assert session.is_up
    assert "down" not in owner.events


def test_after_stop_nothing_happens(net):
    session, owner = started(net, max_silence_ms=1_000)
    net.run(0.5)
    session.stop()
    net.run(100)
    assert owner.events == ["up"]
    assert len(net.links) == 1
    assert net.links[0].is_closed
