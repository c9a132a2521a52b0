"""The clock with real processes on real sockets: order, positions, lateness."""

import json
import signal
import time
from itertools import pairwise

import pytest

from actors.sim.driver import Sim
from clockd import Clock
from protocol import Heartbeat, TickReport

pytestmark = pytest.mark.process

ORDER = [["feed"], ["follower"]]


def account_of_a_run(processes, ticks, **clock):
    report = processes.folder / "report.json"
    processes.start("feed", "BatchPublisher")
    options = {"position_wait_ms": 5_000, "patience_ms": 10_000}  # other work on the machine is not what is tested
    processes.start("follower", "BatchFollower", {"report": str(report)}, follows=["feed"], **options)
    processes.start("clockd", "Clock", {"order": ORDER, "tick_ms": 5, "ticks_max": ticks, **clock})
    assert processes.wait("clockd", 120) == 0
    processes.stop("follower")
    return json.loads(report.read_text())


def test_no_turn_begins_before_the_data_of_the_turns_before_it(processes, sample_actors):
    account = account_of_a_run(processes, 2_100)  # the first few pass while the actors come up
    assert account["turns"] >= 2_000
    assert account["seen"] >= 2_000 * sample_actors.UPDATES
    assert account["short"] == 0
    assert account["positions_missed"] == 0


def test_without_marks_turns_overtake_their_data(processes):
    account = account_of_a_run(processes, 500, positions=False)
    assert account["turns"] >= 400
    assert account["short"] > 0


def lockstep_over_zeromq(processes, ticks):
    report = processes.folder / "report.json"
    options = {"lockstep": True, "position_wait_ms": 5_000}
    settings = {"order": ORDER, "tick_ms": 1_000, "mode": "lockstep", "ticks_max": ticks, "start_ns": 10**18}
    processes.start("clockd", "Clock", settings)  # it waits for all actors; this test waits until the tap receives it
    with processes.tap(TickReport, Heartbeat) as tap:
        received(tap, lambda body: isinstance(body, Heartbeat))
        processes.start("feed", "BatchPublisher", {"updates": 50}, **options)
        settings = {"report": str(report), "updates": 50}
        processes.start("follower", "BatchFollower", settings, follows=["feed"], **options)
        last = received(tap, lambda body: isinstance(body, TickReport) and body.ticks >= ticks)
    processes.stop("follower")
    return last, json.loads(report.read_text())


def received(tap, wanted, timeout_s=60):
    """The first message of a tap that is `wanted`."""
    end = time.monotonic() + timeout_s
    while time.monotonic() < end:
        for tapped in tap.poll(1.0):
            if wanted(tapped.body):
                return tapped.body
    raise AssertionError(f"not received within {timeout_s} s")


def test_a_lockstep_run_over_zeromq_and_the_same_run_under_sim_leave_the_same_trace(processes, sample_actors):
    last, account = lockstep_over_zeromq(processes, 200)
    assert last.ticks == 200

    sim = Sim(start_ns=start_ns_of_run(processes), lockstep=True)
    settings = Clock.Settings(order=ORDER, tick_ms=1_000, mode="lockstep", ticks_max=200, start_ns=10**18)
    reports = []
    clock = sim.add("clockd", Clock, settings)
    publish = clock.publish
    clock.publish = lambda topic, message: reports.append(message) or publish(topic, message)
    sim.add("feed", sample_actors.BatchPublisher, sample_actors.BatchPublisher.Settings(updates=50))
    follower = sim.add(
        "follower", sample_actors.BatchFollower, sample_actors.BatchFollower.Settings(updates=50), follows=["feed"]
    )
    sim.run_for(60)

    assert reports[-1].ticks == 200
    assert follower.effects.outbox.trace == account["trace"]
    assert reports[-1].trace == last.trace != 0


def start_ns_of_run(processes):
    return json.loads((processes.folder / "run.time").read_text())["born_ns"]


def ticked(report):
    return {name for name, _ in report.hops}


def read(tap, until, timeout_s=30):
    """TickReports, up to the first of which `until` is true."""
    reports = []
    end = time.monotonic() + timeout_s
    while time.monotonic() < end:
        for tapped in tap.poll(0.2):
            reports.append(tapped.body)
            if until(tapped.body):
                return reports
    raise AssertionError(f"not within {timeout_s} s; last: {reports[-1:]}")


def start_a_sleeper(processes, patience_ms, **settings):
    settings |= {"cue": str(processes.folder / "cue")}
    processes.start("sleeper", "Sleeper", settings, patience_ms=patience_ms)
    processes.start("feed", "BatchPublisher", {"updates": 1}, patience_ms=5_000)
    processes.start("follower", "BatchFollower", {"updates": 1}, follows=["feed", "sleeper"], patience_ms=5_000)
    processes.start("clockd", "Clock", {"order": [["sleeper"], ["feed"], ["follower"]], "tick_ms": 50})


TROUBLES = {
    "hangs": lambda processes: (processes.folder / "cue").touch(),
    "crashes": lambda processes: (processes.folder / "cue").touch(),
    "is stopped": lambda processes: processes.signal("sleeper", signal.SIGSTOP),
    "is killed": lambda processes: processes.signal("sleeper", signal.SIGKILL),
}


@pytest.mark.parametrize("trouble", TROUBLES)
def test_an_actor_that_hangs_or_dies_delays_the_others_once_by_its_patience(processes, trouble):
    start_a_sleeper(processes, patience_ms=1_000, hang_ms=4_000 if trouble == "hangs" else 0)
    with processes.tap(TickReport) as tap:
        read(tap, lambda report: ticked(report) == {"sleeper", "feed", "follower"})
        TROUBLES[trouble](processes)
        reports = read(tap, lambda report: "sleeper" in report.late)
        reports += read(tap, lambda report, last=reports[-1].n: report.n >= last + 40)

    without = [report for report in reports if "sleeper" in report.late]
    assert len(without) >= 10  # the others are still ticked, and their Ticks name it as late
    assert all({"feed", "follower"} <= ticked(report) for report in without)
    assert sum(report.took_ns >= 1_000_000_000 for report in reports) <= 1
    assert all(report.ticks_late <= 1 for report in reports)


def test_an_actor_that_was_frozen_is_ticked_again_after_it_continues(processes):
    start_a_sleeper(processes, patience_ms=300)
    with processes.tap(TickReport) as tap:
        read(tap, lambda report: "sleeper" in ticked(report))
        processes.signal("sleeper", signal.SIGSTOP)
        read(tap, lambda report: "sleeper" in report.late)
        processes.signal("sleeper", signal.SIGCONT)
        read(tap, lambda report: "sleeper" in ticked(report) and not report.late)


def test_ticks_missed_by_an_overrun_are_skipped_counted_and_reported(processes):
    start_a_sleeper(processes, patience_ms=5_000, hang_ms=430)
    with processes.tap(TickReport) as tap:
        reports = read(tap, lambda report: "sleeper" in ticked(report))[-1:]
        (processes.folder / "cue").touch()
        reports += read(tap, lambda report: report.skipped >= 5)
    first = reports[0]
    for earlier, report in pairwise(reports):
        assert report.n == earlier.n + 1 + report.skipped
        assert report.n - first.n == (report.ticks - first.ticks) + (report.ticks_skipped - first.ticks_skipped)


def test_a_wall_clock_that_steps_by_an_hour_both_ways_makes_no_tick_early_double_or_missing(processes):
    processes.start("feed", "BatchPublisher", {"updates": 1}, wall_steps=True, patience_ms=5_000)
    processes.start("clockd", "Clock", {"order": [["feed"]], "tick_ms": 50}, wall_steps=True)
    with processes.tap(TickReport) as tap:
        reports = read(tap, lambda report: "feed" in ticked(report))[-1:]
        reports += read(tap, lambda report: report.n >= reports[0].n + 60)
    for earlier, report in pairwise(reports):
        assert report.n == earlier.n + 1 + report.skipped
        assert report.time_ns - earlier.time_ns == 50_000_000 * (report.n - earlier.n)
    assert all(0 <= report.late_by_ns < 5_000_000_000 for report in reports)
    assert all("feed" in ticked(report) for report in reports)
