"""`tickbus check`: what is wrong between the tables of a run file, each in one line with its place."""

from pathlib import Path

import pytest

from actors.run.run_file import load
from tickbus.run_files.check import all_problems

DEFAULT = (Path(__file__).resolve().parents[2] / "runs" / "default.toml").read_text()
ETH_LIMITS = "[actors.binance.settings.limits.ETH-USDT]"
BTC_LIMITS = "[actors.binance.settings.limits.BTC-USDT]"

MISTAKES = {
    "a market that the connector does not serve": (
        ("binance:BTC-USDT", "binance:ETH-USDT"),
        "`binance` does not serve ETH-USDT: its `markets` are BTC-USDT - at `$.actors.maker.settings.market`",
    ),
    "an unknown connector": (
        ("binance:BTC-USDT", "binanc:BTC-USDT"),
        "`binanc:BTC-USDT`: there is no actor `binanc`, did you mean `binance`? - at `$.actors.maker.settings.market`",
    ),
    "a strategy that follows no connector": (
        ('follows = ["binance"]\n\n[actors.maker', "\n\n[actors.maker"),
        '`maker` trades on `binance` and does not follow it: add follows = ["binance"] - at `$.actors.maker.follows`',
    ),
    "an unknown account": (
        ("venue/maker", "venue/mker"),
        "the local exchange has no account `mker`, did you mean `maker`? - at `$.actors.binance.keys`",
    ),
    "a name without a dash": (
        ('markets = ["BTC-USDT"]', 'markets = ["BTCUSDT"]'),
        "'BTCUSDT' is not a market's name: use BASE-QUOTE, as in BTC-USDT - at `$.actors.binance.settings`",
    ),
    "limits for another market": (
        (BTC_LIMITS, ETH_LIMITS),
        "`limits` has ETH-USDT, and `markets` has not: add it there, or remove its limits (markets are BTC-USDT) "
        "- at `$.actors.binance.settings`",
    ),
    "a negative limit": (
        ("max_position = 0.5 ", "max_position = -0.5 "),
        "max_position = -0.5: a limit is a number above 0, and at most 1,000,000,000,000 "
        "- at `$.actors.binance.settings.limits.BTC-USDT`",
    ),
    "a limit that is none": (
        ("max_order_notional = 5000 ", "max_order_notional = inf "),
        "max_order_notional = Infinity: a limit is a number above 0, and at most 1,000,000,000,000 "
        "- at `$.actors.binance.settings.limits.BTC-USDT`",
    ),
    "a limit above every limit": (
        ("max_order_notional = 5000 ", "max_order_notional = 1e20 "),
        "max_order_notional = 1E+20: a limit is a number above 0, and at most 1,000,000,000,000 "
        "- at `$.actors.binance.settings.limits.BTC-USDT`",
    ),
    "an order size over its own limit": (
        ("size = 0.01 ", "size = 0.6 "),
        "`maker` orders 0.6 of BTC-USDT, and the limit max_position is 0.5: no such order can pass "
        "- at `$.actors.binance.settings.limits.BTC-USDT`",
    ),
    "a URL without a scheme": (
        ('rest_url = "local://venue"', 'rest_url = "api.binance.com"'),
        "rest_url = 'api.binance.com': a URL begins with one of https://, http://, local:// and names a server "
        "- at `$.actors.binance.settings`",
    ),
    "a book deeper than the exchange's": (
        ('markets = ["BTC-USDT"]', 'markets = ["BTC-USDT"]\nfeed = {depth_levels = 10000}'),
        "feed.depth_levels = 10000: Binance has at most 5000 - at `$.actors.binance.settings`",
    ),
    "a silence of zero": (
        ('markets = ["BTC-USDT"]', 'markets = ["BTC-USDT"]\nfeed = {silence_ms = 0}'),
        "expected `int` >= 1 - at `$.actors.binance.settings.feed.silence_ms`",
    ),
}


def problems(tmp_path, *change):
    text = DEFAULT.replace(*change) if change else DEFAULT
    assert text != DEFAULT or not change
    file = tmp_path / "bot.toml"
    file.write_text(text)
    return all_problems(load(file, tmp_path / "run"))


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_one_line_with_its_place(name, tmp_path):
    change, line = MISTAKES[name]
    assert problems(tmp_path, *change)[0] == line


def test_the_default_run_file_has_no_mistake(tmp_path):
    assert problems(tmp_path) == []


def test_a_market_without_limits_cannot_be_traded(tmp_path):
    change = DEFAULT.partition(BTC_LIMITS)[2].partition("[actors.maker]")[0]
    text = DEFAULT.replace(BTC_LIMITS + change, "[actors.binance.settings.limits]\n\n")
    file = tmp_path / "bot.toml"
    file.write_text(text)
    assert all_problems(load(file, tmp_path / "run")) == [
        "`maker` trades BTC-USDT, and `binance` has no limits for it: every order would be refused "
        "- at `$.actors.binance.settings.limits`"
    ]


def test_a_market_whose_name_is_not_ascii_is_valid(tmp_path):
    change = 'markets = ["BTC-USDT"]', 'markets = ["BTC-USDT", "币安人生-USDT"]'
    assert problems(tmp_path, *change) == []


@pytest.mark.parametrize(
    ("name", "meant"),
    [("btc/usdt", "BTC-USDT"), ("ETHBTC", "ETH-BTC"), ("BTC_USDC", "BTC-USDC"), ("SOL-USDT-SWAP", "BTC-USDT")],
)
def test_the_name_that_is_probably_meant_is_shown(name, meant, tmp_path):
    found = problems(tmp_path, 'markets = ["BTC-USDT"]', f'markets = ["BTC-USDT", "{name}"]')
    assert found == [f"{name!r} is not a market's name: use BASE-QUOTE, as in {meant} - at `$.actors.binance.settings`"]


@pytest.mark.parametrize("row", ["market: list[str] = []", "markets: int = 3", 'markets: str = "all"'])
def test_a_users_strategy_may_have_settings_of_these_names_and_another_type(tmp_path, row):
    name = f"own_{abs(hash(row))}"
    begin = "from strategies.strategy import Strategy\nclass Own(Strategy):\n    class Settings(Strategy.Settings):\n"
    (tmp_path / f"{name}.py").write_text(f"{begin}        {row}\n        size_lots: int = 1\n")
    (tmp_path / "own.toml").write_text(f'path = ["."]\n[actors.own]\nuse = "{name}:Own"\n')
    assert all_problems(load(tmp_path / "own.toml")) == []
