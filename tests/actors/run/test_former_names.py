"""Run files of earlier versions: a setting that was renamed is still read under its earlier name."""

import importlib
from typing import Annotated

import msgspec
import pytest

from actors.run.former_names import FORMER_NAMES, current
from connectors.binance.spot import BinanceSpot
from connectors.settings import ConnectorSettings
from venue.base.settings import VenueSettings
from venue.sources.profiles import Profile

CASES = [(kind, former, name) for kind, names in FORMER_NAMES.items() for former, name in names.items()]


@pytest.mark.parametrize(("kind", "former", "name"), CASES)
def test_each_earlier_name_stands_for_a_field_of_today(kind, former, name):
    module, _, cls = kind.partition(":")
    fields = getattr(importlib.import_module(module), cls).__struct_fields__
    assert name in fields
    assert former not in fields


def test_a_connector_of_an_earlier_version_has_the_same_settings():
    table = {
        "markets": ["BTC-USDT"], "limits": {}, "silence_ms": 6_000, "settle_ms": 7_000, "poll_ms": 3_000,
        "line_session": {"life_ms": 11_000},
        "feed": {
            "garbage_max": 5, "garbage_ms": 9_000, "settle_ms": 1_500, "silence_ms": 3_000,
            "session": {"life_ms": 12_000},
        },
    }  # fmt: skip
    found = msgspec.convert(current(table, BinanceSpot.Settings), BinanceSpot.Settings)
    assert (found.user_event_ms, found.late_trades_ms, found.poll_ms) == (6_000, 7_000, 3_000)
    assert found.order_session.max_age_ms == 11_000
    assert (found.feed.invalid_frames_max, found.feed.invalid_frames_window_ms) == (5, 9_000)
    assert (found.feed.overlap_ms, found.feed.silence_ms, found.feed.session.max_age_ms) == (1_500, 3_000, 12_000)


def test_an_exchange_of_an_earlier_version_has_the_same_settings():
    table = {"log_file": "ledger", "limits": "binance", "markets": [{"symbol": "BTC-USDT", "max_position": 3}]}
    found = msgspec.convert(current(table, VenueSettings), VenueSettings)
    assert (found.ledger_file, found.rate_limits, found.markets[0].max_owned) == ("ledger", "binance", 3)
    table = {"limits": {"weight_1m": 9}}
    found = msgspec.convert(current(table, VenueSettings), VenueSettings)
    assert found.limit_settings().weight_1m == 9


def test_a_flow_profile_of_an_earlier_version_is_read():
    found = current({"touch": {"life_s": 2.0}, "bands": [{"life_s": 3.0, "size": 1.0}]}, Profile)
    assert found == {"touch": {"lifetime_s": 2.0}, "bands": [{"lifetime_s": 3.0, "size": 1.0}]}


def test_both_spellings_together_are_not_merged():
    table = {"silence_ms": 6_000, "user_event_ms": 7_000}
    assert current(table, ConnectorSettings) == table


def test_a_name_is_not_replaced_in_a_class_that_has_such_a_field():
    class Own(ConnectorSettings):
        settle_ms: Annotated[int, msgspec.Meta(ge=1)] = 5

    assert current({"settle_ms": 6, "silence_ms": 7}, Own) == {"settle_ms": 6, "user_event_ms": 7}


@pytest.mark.parametrize("value", [3, "text", [1, 2], None])
def test_what_is_no_table_stays_as_it_is(value):
    assert current(value, VenueSettings) == value
    assert current({"markets": value}, VenueSettings) == {"markets": value}
