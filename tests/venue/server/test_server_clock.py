"""The exchange's clock is monotonic: a wall clock that is set back refuses no order."""

import time

import msgspec
import pytest

from actors.live.run_time import RunTime
from venue.base.settings import VenueSettings
from venue.base.wire import Request
from venue.exchange import Exchange
from venue.server.main import clock_of
from venue.server.server import Server

SECOND_NS = 1_000_000_000


@pytest.mark.parametrize("step_s", [-30, 30])
@pytest.mark.parametrize("of_a_run", [True, False])
def test_a_step_of_the_wall_clock_does_not_move_the_exchanges_time(tmp_path, monkeypatch, step_s, of_a_run):
    now_ns = clock_of(tmp_path if of_a_run else None)
    real = time.time_ns
    before_ns = now_ns()
    monkeypatch.setattr(time, "time_ns", lambda: real() + step_s * SECOND_NS)
    assert 0 <= now_ns() - before_ns < 5 * SECOND_NS
    server = Server(Exchange(VenueSettings(), now_ns(), []), None, now_ns)
    answer = server.handle(Request("GET", "/api/v3/time", "", {}, b"", "", now_ns()))
    assert abs(msgspec.json.decode(answer.body)["serverTime"] - before_ns // 1_000_000) < 5_000


def test_the_exchange_of_a_run_has_the_time_of_its_actors(tmp_path):
    assert abs(clock_of(tmp_path)() - RunTime(tmp_path).now_ns()) < SECOND_NS
