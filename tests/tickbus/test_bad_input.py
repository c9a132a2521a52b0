"""A user's mistakes: each is one line with what to do, and an exit code; never a traceback."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tickbus.keys.keyfile import KeyFile

pytestmark = pytest.mark.process

LONG = "d" * 100
DEFAULT = (Path(__file__).resolve().parents[2] / "runs" / "default.toml").read_text()

# (what, changes to the default run file, the command that meets them, the line, the exit code)
RUN_FILE_MISTAKES = [
    (
        "no such file",
        [],
        ["run", "{dir}/none.toml"],
        "{dir}/none.toml: no such run file (`tickbus run` without one starts the default bot)",
        2,
    ),
    (
        "no toml",
        [("[clock]", "[clock")],
        ["run", "{file}"],
        "{file}: no TOML: Expected ']' at the end of a table declaration (at line 4, column 7)",
        2,
    ),
    (
        "misspelt setting",
        [("bid_spread_bps", "bid_spred_bps")],
        ["run", "{file}"],
        "{file}: unknown field `bid_spred_bps`, did you mean `bid_spread_bps`? - at `$.actors.maker.settings`",
        2,
    ),
    (
        "class name",
        [('PureMarketMaking"', 'PureMarketMakin"')],
        ["run", "{file}"],
        "{file}: module `strategies.pure_market_making` has no `PureMarketMakin`, did you mean `PureMarketMaking`? "
        "- at `$.actors.maker.use`",
        2,
    ),
    (
        "module name",
        [("strategies.pure_market_making", "strategies.pure_market_makin")],
        ["up", "{file}"],
        "{file}: no module `strategies.pure_market_makin`, did you mean `strategies.pure_market_making`? "
        "- at `$.actors.maker.use`",
        2,
    ),
    (
        "market without connector",
        [("binance:BTC-USDT", "BTC-USDT")],
        ["run", "{file}"],
        "{file}: market must be connector:symbol, as in binance:BTC-USDT, not 'BTC-USDT' "
        "- at `$.actors.maker.settings`",
        2,
    ),
    (
        "unknown account",
        [("venue/maker", "venue/mker")],
        ["actor", "binance", "--run", "{file}"],
        "{file}: the exchange has no account `mker`, did you mean `maker`?",
        2,
    ),
    (
        "unknown key",
        [('"venue/maker"', '"main"')],
        ["run", "{file}"],
        "{file}: the key file has no `main`; there are none (add it: tickbus keys add main) "
        "- at `$.actors.binance.keys`",
        2,
    ),
    (
        "unknown actor",
        [],
        ["actor", "makr", "--run", "{file}"],
        "{file}: unknown actor `makr`, did you mean `maker`?",
        2,
    ),
    (
        "venue setting",
        [("seed = 1", "sed = 1")],
        ["run", "{file}"],
        "{file}: unknown field `sed`, did you mean `seed`? - at `$.venue`",
        2,
    ),
    (
        "folder open to others",
        [('bus = "ipc"', 'bus = "ipc"\ndir = "open"')],
        ["run", "{file}"],
        "run folder {dir}/open is open to others (0755): chmod 700 {dir}/open",
        2,
    ),
    (
        "folder too long",
        [
            (
                'bus = "ipc"',
                f'bus = "ipc"\ndir = "{LONG}"',
            )
        ],
        ["run", "{file}"],
        f"run folder {{dir}}/{LONG} is too long: socket supervisord.sock.4194304 in it would have {{long}} bytes of "
        "the 107 that a socket path may have; set a shorter `dir` in the run file",
        2,
    ),
    (
        "nothing runs",
        [],
        ["tap", "--run", "{file}"],
        "nothing runs in {dir}/.tickbus/bot: start it with `tickbus run` or `tickbus up`",
        69,
    ),
    ("no bot runs", [], ["down", "{file}"], "no bot runs in {dir}/.tickbus/bot", 69),
]


@pytest.fixture
def bot(folder):
    path = folder / "bot.toml"
    path.write_text(DEFAULT.replace("tick_ms = 1000", "tick_ms = 200"))
    return path


@pytest.mark.parametrize(
    ("changes", "args", "line", "code"),
    [one[1:] for one in RUN_FILE_MISTAKES],
    ids=[one[0] for one in RUN_FILE_MISTAKES],
)
def test_a_mistake_is_one_line_with_its_exit_code(tickbus, bot, folder, changes, args, line, code):
    (folder / "open").mkdir(mode=0o755)
    (folder / "open").chmod(0o755)
    for old, new in changes:
        assert old in bot.read_text()
        bot.write_text(bot.read_text().replace(old, new))
    names = {"file": bot, "dir": folder, "long": len(str(folder)) + 1 + 100 + 1 + len("supervisord.sock.4194304")}
    done = tickbus(*(one.format(**names) for one in args))
    assert (done.stderr, done.returncode) == (f"tickbus: {line.format(**names)}\n", code)
    assert done.stdout == ""


def test_check_finds_all_mistakes_of_a_file_at_once(tickbus, bot):
    for old, new in (
        ("bid_spread_bps", "bid_spred_bps"),
        ('["binance"]', '["binanc"]'),
        ("seed = 1", "sed = 1"),
        ("tick_ms = 200", "tick_ms = 0"),
    ):
        bot.write_text(bot.read_text().replace(old, new))
    done = tickbus("check", bot)
    assert done.returncode == 2
    assert done.stderr.splitlines() == [
        "expected `int` >= 1 - at `$.clock.tick_ms`",
        "unknown actor `binanc`, did you mean `binance`? - at `$.actors.maker.follows[0]`",
        "unknown field `bid_spred_bps`, did you mean `bid_spread_bps`? - at `$.actors.maker.settings`",
        "unknown field `sed`, did you mean `seed`? - at `$.venue`",
    ]
    found = json.loads(tickbus("check", bot, "--json").stdout)
    assert (found["ok"], len(found["problems"])) == (False, 4)
    bot.write_text(DEFAULT)
    assert tickbus("check", bot).stdout == f"{bot} is valid\n"


@pytest.mark.parametrize(
    ("spoil", "line"),
    [
        (lambda path: os.chmod(path, 0o644), "{path} is open to others (0644): chmod 600 {path}"),
        (lambda path: path.write_bytes(b"TBKEYS\x01\xff"), "{path} is damaged"),
        (lambda path: path.write_bytes(b"main = secret"), "{path} is not a key file (`tickbus keys add` creates one)"),
        (
            lambda path: path.write_bytes(path.read_bytes()[:-3]),
            "{path} does not open: the passphrase is wrong, or the file was changed",
        ),
        (Path.exists, "{path} does not open: the passphrase is wrong, or the file was changed"),
    ],
)
def test_a_key_file_that_cannot_be_used_is_one_line(tickbus, bot, folder, spoil, line):
    from actors.log.secret import ApiKey, Secret

    path = folder / "tickbus" / "keys"
    KeyFile(path, 14).add("main", ApiKey("k" * 20, Secret("s" * 20)), Secret("right"))
    spoil(path)
    bot.write_text(bot.read_text().replace('"venue/maker"', '"main"'))
    done = tickbus("run", bot, input="wrong\n")
    assert (done.stderr.count("\n"), done.returncode) == (1, 2), done.stderr
    assert done.stderr.startswith("tickbus: " + line.format(path=path))


def test_a_port_in_use_is_one_line(tickbus, bot):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        bot.write_text(bot.read_text().replace("seed = 1", f"seed = 1\nport = {port}"))
        done = tickbus("venue", "--run", bot)
    assert f"venue: port {port} on 127.0.0.1 is in use: free it, or set port = 0 for any\n" in done.stderr
    assert "Traceback" not in done.stderr
    assert done.returncode == 2


def test_a_second_copy_of_an_actor_is_one_line(tickbus, run_file, wait_for):
    command = [sys.executable, "-m", "tickbus.main", "actor", "source", "--run", str(run_file)]
    with subprocess.Popen(command, stderr=subprocess.PIPE) as first:
        wait_for((run_file.parent / ".tickbus" / "h" / "source.pub").exists)
        done = tickbus("actor", "source", "--run", run_file)
        assert done.stderr == (
            f"tickbus: source is already running (pid {first.pid}) in {run_file.parent}/.tickbus/h: "
            "stop that process first, or give this run another `dir`\n"
        )
        assert done.returncode == 75
        assert first.poll() is None
        first.terminate()
        first.communicate()


def reported(tickbus, bot, name):
    found = json.loads(tickbus("status", bot, "--json").stdout)
    row = next(one for one in found["processes"] if one["name"] == name)
    return f"{row.get('actor_state', '')} {row.get('detail', '')}"


def test_a_dead_exchange_at_the_start_is_waited_for_and_then_traded_with(tickbus, bot, folder, wait_for):
    with_exchange = bot.read_text()
    bot.write_text(with_exchange.replace('"venue/maker"', '""').partition("[venue]")[0])
    assert tickbus("up", bot).returncode == 0
    wait_for(lambda: "CONNECTING" in reported(tickbus, bot, "binance"))
    bot.write_text(with_exchange)
    assert tickbus("up", bot).returncode == 0
    run_dir = folder / ".tickbus" / "bot"
    pid = json.loads(tickbus("status", bot, "--json").stdout)["processes"][0]["pid"]
    assert pid
    os.kill(next(one["pid"] for one in _rows(tickbus, bot) if one["name"] == "binance"), 9)  # to read its key
    wait_for(lambda: "TRADING" in reported(tickbus, bot, "binance"), 30)
    assert "Traceback" not in "".join(path.read_text() for path in (run_dir / "logs").glob("*.out"))


def _rows(tickbus, bot):
    return json.loads(tickbus("status", bot, "--json").stdout)["processes"]


def test_a_wrong_api_key_halts_the_connector_with_a_reason(tickbus, bot, folder, wait_for):
    from actors.log.secret import ApiKey, Secret

    KeyFile(folder / "tickbus" / "keys", 14).add("main", ApiKey("k" * 64, Secret("s" * 64)), Secret("right"))
    bot.write_text(bot.read_text().replace('"venue/maker"', '"main"'))
    assert tickbus("up", bot, input="right\n").returncode == 0
    wait_for(lambda: "HALTED the exchange refuses the key" in reported(tickbus, bot, "binance"), 30)


def test_an_unknown_market_halts_the_connector_with_a_reason(tickbus, bot, wait_for):
    bot.write_text(bot.read_text().replace("BTC-USDT", "BTC-USDX"))
    assert tickbus("up", bot).returncode == 0
    wait_for(
        lambda: "HALTED" in reported(tickbus, bot, "binance") and "BTC-USDX" in reported(tickbus, bot, "binance"), 30
    )


def test_a_price_off_its_tick_ends_the_strategy_with_a_line_that_names_the_nearest(tickbus, bot, folder, wait_for):
    (folder / "off_tick.py").write_text(
        "from decimal import Decimal\nfrom strategies import Strategy\n\n\nclass OffTick(Strategy):\n"
        "    class Settings(Strategy.Settings):\n        market: str\n\n    def on_tick(self, tick):\n"
        "        market = self.market(self.settings.market)\n        if market.ready:\n"
        "            price_ticks = market.rules.price_ticks(Decimal('60000.001'))\n"
        "            self.buy(market, price_ticks=price_ticks, size_lots=1000)\n"
    )
    head, _, _ = bot.read_text().partition("[actors.maker]")
    exchange = "[venue]" + bot.read_text().partition("[venue]")[2]
    maker = (
        '[actors.maker]\nuse = "off_tick:OffTick"\nfollows = ["binance"]\nsettings = { market = "binance:BTC-USDT" }\n'
    )
    bot.write_text('path = ["."]\n' + head + maker + exchange)
    assert tickbus("up", bot).returncode == 0
    out = folder / ".tickbus" / "bot" / "logs" / "maker.out"
    wait_for(lambda: out.exists() and "OffTick" in out.read_text(), 30)
    line = out.read_text().splitlines()[0]
    assert line.startswith("tickbus: maker ended by a bug, OffTick: BTC-USDT: price 60000.001 ")
    assert "60000" in line
    wait_for(lambda: "last error: maker ended by a bug, OffTick" in tickbus("status", bot).stdout)
