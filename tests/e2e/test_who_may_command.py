"""A bot of real processes: an unlisted program commands nothing; an added strategy and the operator do."""

import time

import pytest
import zmq

from protocol import Answer, AnswerCode, CancelAll, Heartbeat
from protocol.frame import body, pack, prefix, split
from tests.e2e.test_strategy_troubles import ACTOR, faulty  # noqa: F401  # a fixture

pytestmark = pytest.mark.process


def test_an_unlisted_program_is_refused_an_added_strategy_trades_and_the_operator_cancels(faulty):  # noqa: F811
    bot = faulty(calm="Placing")
    bot.wait(lambda: bot.open_orders_of("calm"))
    with zmq.Context() as context, context.socket(zmq.DEALER) as program:
        program.set(zmq.LINGER, 0)
        program.set(zmq.ROUTING_ID, b"calm")
        program.connect(f"ipc://{bot.run_dir}/binance.cmd")
        frame = pack(prefix("cmd.calm.binance."), 2**31, 1, time.time_ns(), CancelAll(1, 0))
        program.send(frame)
        assert program.poll(10_000)
        data = program.recv()
    answer = body(data, split(data)[-1])
    assert isinstance(answer, Answer)
    assert answer.code is AnswerCode.REFUSED
    bot.wait(lambda: any(one.body.refused_frames == 1 for one in bot.since(Heartbeat, sender="binance")))
    assert bot.open_orders_of("calm")

    (bot.folder / "late.toml").write_text(ACTOR.format(name="late", kind="Placing"))
    bot.tickbus("add", bot.folder / "late.toml", "--run", bot.run_file)
    bot.wait(lambda: bot.open_orders_of("late"), 60)
    bot.tickbus("cancel-all", "--run", bot.run_file)
    bot.wait(lambda: not bot.open_orders_of("late") and not bot.open_orders_of("calm"))
