"""The heap of events: ordered by time, and within one time in the order in which they were added."""

from actors.sim.events import Events


def test_events_run_in_the_order_of_their_times_and_then_of_their_addition():
    events, ran = Events(100), []
    for when_ns, name in ((300, "c"), (200, "a"), (200, "b")):
        events.at(when_ns, ran.append, name)
    events.run_until(250)
    assert (ran, events.now_ns, events.count) == (["a", "b"], 250, 2)
    events.run_until(1_000)
    assert (ran, events.now_ns, events.count) == (["a", "b", "c"], 1_000, 3)


def test_an_event_may_add_events_of_the_same_time():
    events, ran = Events(0), []
    events.after(10, lambda: events.after(0, ran.append, events.now_ns))
    events.run_until(10)
    assert ran == [10]


def test_a_run_stops_at_the_event_after_which_the_condition_is_true():
    events, ran = Events(0), []
    for when_ns in (1, 2, 3):
        events.at(when_ns, ran.append, when_ns)
    events.run_until(10, lambda: ran == [1, 2])
    assert (ran, events.now_ns) == ([1, 2], 2)
