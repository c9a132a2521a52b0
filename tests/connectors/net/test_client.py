"""ExchangeClient: requests leave within the limits, each answer is classified once, trouble goes up."""

import pytest

from actors.net import HttpFailure
from connectors.core.order_api import SocketRequest
from connectors.core.reports import Outcome, Trouble
from connectors.core.throttle import Limit
from connectors.net.client import ExchangeClient
from tests.connectors.parts import SECOND_NS, SYMBOL, Parts, error_body


@pytest.fixture
def parts():
    return Parts()


def send(parts, call):
    """Send a call; what `then` gets."""
    results = []
    assert parts.client.acquire(call)
    parts.client.send(call, lambda verdict, answer: results.append((verdict, answer)))
    return results


def test_an_answer_is_classified_and_passed_on_with_the_exchanges_own_count(parts):
    results = send(parts, parts.api.open_orders_request(SYMBOL, 0))
    parts.fx.answer(b"[]", headers={"x-mbx-used-weight-1m": "4000"})
    ((verdict, answer),) = results
    assert (verdict.outcome, answer.body) == (Outcome.OK, b"[]")
    assert parts.client.throttle.pools["weight-1m"].used == 4000
    assert parts.troubles == []


def test_a_call_over_the_limits_does_not_leave(parts):
    parts.api.rate_limits = [Limit("weight-1m", "weight", 10, 60 * SECOND_NS)]
    client = ExchangeClient(parts.fx, parts.api, parts.clock, None, parts.ban, parts.troubles.append)
    call = parts.api.open_orders_request(SYMBOL, 0)  # costs 6 of the 9 that are not reserved
    assert client.acquire(call)
    assert not client.acquire(call)
    client.release(call)
    assert client.acquire(call)
    failures = []
    client.request(call, failures.append)
    parts.fx.run(0.1)
    assert [one.sent for one in failures] == [False], "a market data request fails at once"
    assert parts.fx.paths == []


def test_a_ban_pauses_every_request_and_is_reported_as_trouble(parts):
    send(parts, parts.api.time_request())
    parts.fx.answer(error_body(-1003), status=429, headers={"retry-after": "20"})
    assert [one.trouble for one in parts.troubles] == [Trouble.RATE_LIMITED]
    assert "429" in parts.client.latest_failure
    cancel = parts.api.cancel_request(SYMBOL, "id", 0)
    assert not parts.client.acquire(cancel), "cancels are paused too"
    parts.fx.now_ns += 20 * SECOND_NS
    assert parts.client.acquire(cancel)


@pytest.mark.parametrize(
    ("code", "trouble"), [(-1021, Trouble.CLOCK_SKEW), (-2015, Trouble.BAD_KEY), (-1013, Trouble.RULES)]
)
def test_each_kind_of_trouble_goes_up_and_a_plain_rejection_does_not(parts, code, trouble):
    send(parts, parts.api.time_request())
    parts.fx.answer(error_body(-2010), status=400)
    assert parts.troubles == []
    send(parts, parts.api.time_request())
    parts.fx.answer(error_body(code), status=400)
    assert [one.trouble for one in parts.troubles] == [trouble]


def test_without_an_order_socket_requests_have_id_0_and_a_socket_request_fails_unsent(parts):
    assert parts.client.next_request_id() == 0
    assert not parts.client.is_socket_up
    call = parts.api.cancel_request(SYMBOL, "id", 0, request_id=3)
    assert isinstance(call.request, SocketRequest)
    results = send(parts, call)
    parts.fx.run(0.1)
    ((verdict, answer),) = results
    assert isinstance(answer, HttpFailure)
    assert (answer.sent, verdict.outcome) == (False, Outcome.NOT_SENT)


def test_time_is_the_exchanges(parts):
    for _ in range(5):
        parts.clock.add(0, 0, 7 * SECOND_NS)
    parts.fx.now_ns = SECOND_NS
    assert parts.client.now_ns == 8 * SECOND_NS
