"""What is held is what may be sold again: a flat account stays flat for the risk check, after any number of trips."""

from decimal import Decimal

import msgspec
import pytest

from protocol import OrdStatus, OrdType, Side, TimeInForce
from tests.connectors.conftest import LIMITS, SYMBOL

IOC = (OrdType.LIMIT, TimeInForce.IOC)
TRIPS = 120


@pytest.mark.slow
def test_round_trips_of_a_flat_account_never_end_at_the_position_limit(new_world):
    """Each purchase pays 0.00009 BTC of commission: without them, trip 112 could become 0.1 BTC long."""
    world = new_world()
    world.settings = msgspec.structs.replace(
        world.settings, limits={SYMBOL: msgspec.structs.replace(LIMITS, max_position=Decimal("0.1"))}
    )
    world.kill_connector()
    world.start_connector()
    world.ready()
    for number in range(TRIPS):
        if number % 5 == 0:
            world.make_book()
        bought = world.place(Side.BUY, 6_001_000, 9_000, *IOC)
        world.run(0.1)
        assert world.last(bought).status is OrdStatus.FILLED
        sold = world.place(Side.SELL, 5_999_000, 8_991, *IOC)
        world.run(0.1)
        assert world.last(sold).status is OrdStatus.FILLED
    position = world.connector.tracker.owners["maker"].positions[SYMBOL]
    assert (position.held, position.net_lots) == (0, TRIPS * 9)
    assert position.realized_pnl == Decimal(world.ledger["balances"]["USDT"]["free"]) - 120_000
    world.check()
