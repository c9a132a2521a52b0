"""Commands have an id and a deadline; each is acted on once, and its sender gets exactly one answer."""

import pytest

from actors.actor import Actor
from actors.command_client import MAX_PENDING
from actors.command_server import MAX_REMEMBERED
from actors.sim.driver import Sim
from protocol import Answer, AnswerCode, Health, RefusalCode
from protocol.frame import body, split
from protocol.message import Command

MS_NS = 1_000_000


class Deposit(Command):
    """Adds to a sum."""

    amount: int


class Unwanted(Command):
    """No actor has a handler for it."""


class Bank(Actor):
    """Keeps a sum, and rejects negative amounts."""

    ticks = False
    total = acted = 0

    def on_deposit(self, deposit):
        self.acted += 1
        if deposit.amount < 0:
            return Answer(deposit.cmd_id, AnswerCode.REFUSED, "this bank gives nothing back")
        self.total += deposit.amount
        self.sender = self.envelope.sender
        return None


class Client(Actor):
    """Sends commands for the test."""

    ticks = False

    def on_start(self):
        self.answers = []

    def request(self, command):
        self.send("bank", command, lambda answer: self.answers.append((answer, self.now_ns)))

    def deposit(self, amount, within_ms=1_000):
        command = Deposit(self.new_id(), self.now_ns + within_ms * MS_NS if within_ms else 0, amount)
        self.request(command)
        return command

    @property
    def codes(self):
        return [answer.code for answer, _ in self.answers]


class Subscriber(Actor):
    """Subscribes to the client."""

    ticks = False

    def on_start(self):
        self.subscribe("md.client.")


class Line(Sim):
    """A simulation in which answers may be lost and commands late: `delays(method)` in ms, one for each copy."""

    delays = staticmethod(lambda method: [0])

    def __init__(self):
        super().__init__()
        self.arrived = []  # the receiver of each frame, in order
        self.frames = []  # (input, frame)

    def deliver(self, process, runtime_input, *args):
        method = runtime_input.__name__
        if method == "call":
            super().deliver(process, runtime_input, *args)
            return
        self.arrived.append(process.name)
        self.frames.append((method, args[-1]))
        if method == "frame_in":
            super().deliver(process, runtime_input, *args)
            return
        for delay_ms in self.delays(method):
            self.at(self.now_ns + delay_ms * MS_NS, super().deliver, process, runtime_input, *args)

    def call(self, name, *args):
        """Runs a method of an actor now, as one of its own handlers."""
        self.act(self.processes[name].actor, *args)


@pytest.fixture
def line():
    line = Line()
    line.bank, line.client = line.add("bank", Bank), line.add("client", Client)
    line.run_for(0.1)
    return line


def test_a_command_is_acted_on_and_answered(line):
    line.call("client", line.client.deposit, 5)
    line.run_for(0.1)
    assert line.client.codes == [AnswerCode.OK]
    assert (line.bank.total, line.bank.sender) == (5, "client")


def test_a_rejection_contains_its_reason(line):
    line.call("client", line.client.deposit, -5)
    line.run_for(0.1)
    answer, _ = line.client.answers[0]
    assert (answer.code, answer.text) == (AnswerCode.REFUSED, "this bank gives nothing back")


def test_a_command_without_a_handler_is_rejected_by_name(line):
    line.call("client", line.client.request, Unwanted(1, 0))
    line.run_for(0.1)
    assert line.client.answers[0][0] == Answer(
        1, AnswerCode.REFUSED, "bank does not accept Unwanted", RefusalCode.NEVER
    )


def test_an_expired_command_is_not_acted_on_and_its_sender_gets_an_answer(line):
    line.delays = lambda method: [30] if method == "command_in" else [0]
    line.call("client", line.client.request, Deposit(7, line.now_ns + 20 * MS_NS, 5))
    line.run_for(0.1)
    assert line.bank.acted == 0
    # The client had given up by then: SILENT was all that it could know.
    assert line.client.codes == [AnswerCode.SILENT]


def test_a_late_command_is_answered_expired_if_its_sender_still_waits(line):
    """The sender has not run its timers yet, so it gets the answer of the receiver."""
    line.delays = lambda method: [30] if method == "command_in" else [0]
    command = Deposit(7, line.now_ns + 20 * MS_NS, 5)
    line.call("client", line.client.request, command)
    line.run_for(0.1)
    ((_method, frame),) = [one for one in line.frames if one[0] == "answer_in"]
    answer = body(frame, split(frame)[-1])
    assert (answer.cmd_id, answer.code) == (7, AnswerCode.EXPIRED)
    assert "10." in answer.text
    assert "ms after its deadline" in answer.text
    assert line.bank.acted == 0


def test_a_command_that_comes_twice_is_acted_on_once_and_answered_twice(line):
    line.delays = lambda method: [0, 1, 50] if method == "command_in" else [0]
    answers = []
    line.call("client", line.client.send, "bank", Deposit(9, 0, 5), answers.append)
    line.run_for(0.2)
    assert (line.bank.acted, line.bank.total) == (1, 5)
    assert len(answers) == 1  # the sender gets one of the two


def test_a_rejection_is_remembered_too(line):
    line.delays = lambda method: [0, 10] if method == "command_in" else [0]
    line.call("client", line.client.deposit, -1)
    line.run_for(0.1)
    assert line.bank.acted == 1
    assert line.client.codes == [AnswerCode.REFUSED]


def test_a_lost_answer_comes_again_after_the_same_command_is_sent_again(line):
    line.delays = lambda method: [] if method == "answer_in" else [0]
    command = Deposit(11, line.now_ns + 500 * MS_NS, 5)
    line.call("client", line.client.request, command)
    line.run_for(0.1)
    assert line.client.codes == []
    line.delays = lambda method: [0]
    line.call("client", line.client.request, command)
    line.run_for(0.1)
    assert line.client.codes == [AnswerCode.OK]
    assert (line.bank.acted, line.bank.total) == (1, 5)


def test_commands_without_a_deadline_whose_answers_are_lost_are_given_up_in_the_end(line):
    line.delays = lambda method: [] if method == "answer_in" else [0]
    for n in range(MAX_PENDING + 3):
        line.call("client", line.client.request, Deposit(n, 0, 1))
    line.run_for(1)
    assert line.client.codes == [AnswerCode.SILENT] * 3


def test_one_id_of_two_senders_is_two_commands(line):
    other = line.add("other", Client)
    line.run_for(0.1)
    for name, client in (("client", line.client), ("other", other)):
        line.call(name, client.request, Deposit(1, 0, 5))
    line.run_for(0.1)
    assert line.bank.total == 10


def test_a_missing_receiver_is_reported_at_once_and_nothing_is_kept_for_it(line):
    line.kill("bank")
    line.call("client", line.client.deposit, 5)
    answer, when_ns = line.client.answers[0]
    assert (answer.code, when_ns) == (AnswerCode.UNREACHABLE, line.now_ns)
    assert answer.text == "bank is not connected"
    bank = line.add("bank", Bank)
    line.run_for(2)
    assert bank.acted == 0
    assert len(line.client.answers) == 1


def test_a_receiver_that_dies_during_the_command_leaves_the_sender_waiting_until_the_deadline(line):
    line.delays = lambda method: [] if method == "answer_in" else [0]
    command = line.client.deposit
    line.call("client", command, 5, 70)
    asked_ns = line.now_ns
    line.run_for(1)
    assert line.client.codes == [AnswerCode.SILENT]
    assert line.client.answers[0][1] == asked_ns + 70 * MS_NS
    assert line.bank.total == 5  # it may or may not have been acted on


def test_an_answer_after_the_deadline_changes_nothing_more(line):
    line.delays = lambda method: [100] if method == "answer_in" else [0]
    line.call("client", line.client.deposit, 5, 50)
    line.run_for(1)
    assert line.client.codes == [AnswerCode.SILENT]


def test_ids_are_unique_over_restarts(line):
    first = [line.client.new_id() for _ in range(3)]
    line.kill("client")
    client = line.add("client", Client)
    second = [client.new_id() for _ in range(3)]
    assert len({*first, *second}) == 6
    assert min(second) > max(first)


def test_a_command_of_an_earlier_process_run_is_refused_once_a_newer_one_was_seen(line):
    line.delays = lambda method: [50] if method == "command_in" else [0]
    line.call("client", line.client.deposit, 5)
    line.run_for(0.001)
    line.kill("client")
    line.delays = lambda method: [0]
    client = line.add("client", Client)
    line.call("client", client.deposit, 2)
    line.run_for(0.2)
    assert (line.bank.acted, line.bank.total) == (1, 2)
    answers = [body(frame, split(frame)[-1]) for method, frame in line.frames if method == "answer_in"]
    (refused,) = [one for one in answers if one.code is AnswerCode.REFUSED]
    assert refused.refusal is RefusalCode.OLD_SENDER
    assert refused.text.startswith("client has had a newer process run (2) than the one that sent this (1)")


def test_a_snapshot_request_of_a_newer_process_run_is_enough_to_refuse_the_older_ones(line):
    line.delays = lambda method: [50] if method == "command_in" else [0]
    line.call("client", line.client.deposit, 5)
    line.run_for(0.001)
    line.kill("client")
    line.delays = lambda method: [0]
    client = line.add("client", Client)
    line.call("client", client.subscribe, "md.bank.")
    line.call("client", client.resync, "md.bank.X.book.")
    line.run_for(0.2)
    assert line.bank.acted == 0


def test_an_older_process_run_is_served_until_a_newer_one_is_seen(line):
    """The deadline of a command bounds how late it may be; no clock is compared."""
    line.delays = lambda method: [50] if method == "command_in" else [0]
    line.call("client", line.client.deposit, 5)
    line.run_for(0.001)
    line.kill("client")
    line.add("client", Client)
    line.run_for(0.2)
    assert line.bank.total == 5


def test_effects_are_performed_in_the_order_of_the_calls(line):
    def act():
        line.client.publish("md.client.X.health.", Health("BEFORE"))
        line.client.deposit(1)
        line.client.publish("md.client.X.health.", Health("AFTER"))

    line.add("subscriber", Subscriber)
    line.run_for(1)
    line.arrived.clear()
    line.call("client", act)
    line.run_for(0.01)
    assert line.arrived == ["subscriber", "bank", "subscriber", "client"]


def test_remembered_answers_are_bounded(line):
    for n in range(MAX_REMEMBERED + 10):
        line.call("client", line.client.request, Deposit(n, 0, 1))
    line.run_for(1)
    assert line.bank.total == MAX_REMEMBERED + 10
    line.call("client", line.client.request, Deposit(MAX_REMEMBERED, 0, 1))
    line.run_for(1)
    assert line.bank.total == MAX_REMEMBERED + 10
