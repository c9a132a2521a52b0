"""Strategies that hang, in processes of their own: the connector does not leave their orders unwatched."""

import json
import os
import signal
from pathlib import Path

import pytest

from protocol import Health, Heartbeat
from tests.e2e.conftest import DEFAULT, Bot, end_of

pytestmark = pytest.mark.process

STRATEGIES = '''
"""Strategies with the faults that users make."""

import multiprocessing
import os
import subprocess
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from protocol import OrdStatus
from strategies import Strategy


class Placing(Strategy):
    """Rests one order far from the market, once."""

    class Settings(Strategy.Settings):
        market: str

    placed = False

    def on_tick(self, tick):
        market = self.market(self.settings.market)
        if market.ready and not self.placed and not market.open_orders:
            self.placed = True
            self.buy(market, price_ticks=market.best_bid_ticks - 20_000, size_lots=1_000)
        self.act()

    def act(self):
        """What a subclass does in each tick."""


class Crashing(Placing):
    """Has a bug that appears once its order rests."""

    def act(self):
        orders = self.market(self.settings.market).open_orders
        if any(order.status is OrdStatus.NEW for order in orders):
            raise ValueError("a bug of the user")


class Forking(Placing):
    """Computes in a process pool, and with a program of its own."""

    def on_start(self):
        self.pool = ProcessPoolExecutor(2, multiprocessing.get_context("fork"))
        for _ in range(2):
            self.pool.submit(time.sleep, 600)
        self.program = subprocess.Popen(["sleep", "600"])
        children = Path(f"/proc/self/task/{os.getpid()}/children").read_text()
        Path("children").write_text(f"{os.getpid()} {children}")


class Hanging(Placing):
    """Hangs in a handler while the file `hang` exists: a forgotten breakpoint, a call that waits."""

    def act(self):
        while Path("hang").exists():
            time.sleep(0.05)
'''

ACTOR = """
[actors.{name}]
use = "faulty:{kind}"
follows = ["binance"]
settings = {{ market = "binance:BTC-USDT" }}
"""


class FaultyBot(Bot):
    """The default bot with strategies of a user in the place of its own."""

    def __init__(self, folder: Path, actors: dict[str, str]) -> None:
        super().__init__(folder)
        head, _, rest = DEFAULT.read_text().partition("[actors.maker]\n")
        text = head.replace('order = ["binance", "maker"]', "order = []").replace("tick_ms = 1000", "tick_ms = 200")
        text = text.replace("[actors.binance.settings]\n", "[actors.binance.settings]\nowner_silent_s = 4\n")
        tables = "".join(ACTOR.format(name=name, kind=kind) for name, kind in actors.items())
        self.run_file.write_text('path = ["."]\n' + text + tables + "[venue]" + rest.partition("[venue]")[2])
        (folder / "faulty.py").write_text(STRATEGIES)

    def open_orders_of(self, owner: str) -> list[str]:
        orders = [one["clientOrderId"] for one in self.ledger()["open_orders"]]
        return [one for one in orders if f"-{owner}-" in one]

    def detail(self) -> str:
        found = self.last(Health, "binance")
        return found.body.detail if found else ""


def is_alive(pid: int) -> bool:
    """Returns whether a process runs: it is neither gone nor a zombie that waits for its parent."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.fixture
def faulty(tmp_path_factory):
    """`faulty(name=KIND)`: a bot with these strategies, which runs."""
    folder = Path(os.path.realpath(tmp_path_factory.mktemp("tb")))
    built = []

    def start(**actors):
        bot = FaultyBot(folder, actors)
        built.append(bot)
        bot.up()
        return bot

    yield start
    for bot in built:
        end_of(bot)


def test_the_orders_of_a_strategy_that_hangs_in_a_handler_are_cancelled(faulty):
    bot = faulty(hanging="Hanging", calm="Placing")
    bot.wait(lambda: bot.open_orders_of("hanging") and bot.open_orders_of("calm"))
    (bot.folder / "hang").touch()
    bot.wait(lambda: not bot.open_orders_of("hanging"))
    bot.wait(lambda: "hanging is silent" in bot.detail())
    assert bot.open_orders_of("calm")
    (bot.folder / "hang").unlink()
    bot.wait(lambda: not bot.detail())


def test_a_crash_loop_is_shown_with_its_last_exception_and_its_orders_are_cancelled(faulty):
    bot = faulty(crashing="Crashing", calm="Placing")
    bot.wait(lambda: bot.open_orders_of("crashing"))
    safe = bot.wait(lambda: [one for one in bot.since(Heartbeat, sender="crashing") if one.body.state == "SAFE"], 60)
    assert "ValueError: a bug of the user (faulty.py:" in safe[0].body.detail
    bot.wait(lambda: not bot.open_orders_of("crashing"))
    assert bot.open_orders_of("calm")
    row = next(
        one
        for one in json.loads(bot.tickbus("status", bot.run_file, "--json"))["processes"]
        if one["name"] == "crashing"
    )
    assert row["crash_loop"]
    assert row["last_error"].startswith("ValueError: a bug of the user")
    line = next(one for one in bot.tickbus("status", bot.run_file).splitlines() if one.startswith("crashing"))
    assert "CRASH LOOP" in line
    assert "ValueError: a bug of the user" in line
    bot.wait(lambda: bot.open_orders_of("crashing"), 60)  # the delay is over: it runs its own code again


def test_a_connector_that_is_killed_again_and_again_does_not_wait_to_cancel(faulty):
    bot = faulty(calm="Placing")
    bot.wait(lambda: bot.open_orders_of("calm") and bot.last(Heartbeat, "binance"))
    for _ in range(4):
        pid = bot.last(Heartbeat, "binance").body.pid
        os.kill(pid, signal.SIGKILL)
        bot.wait(lambda pid=pid: bot.last(Heartbeat, "binance").body.pid != pid)
    bot.wait(lambda: "safe start for 1.0 s" in bot.last(Heartbeat, "binance").body.detail)
    (bot.run_dir / "KILL").write_text("cancel")
    killed_ns = bot.now_ns()
    bot.wait(lambda: not bot.open_orders_of("calm"))
    assert bot.now_ns() - killed_ns < 5_000_000_000


def test_a_strategy_with_a_process_pool_comes_back_after_a_kill_and_its_children_end(faulty):
    bot = faulty(forking="Forking")
    bot.wait(lambda: bot.open_orders_of("forking"))
    pid, *children = map(int, (bot.folder / "children").read_text().split())
    assert len(children) == 3
    os.kill(pid, signal.SIGKILL)
    bot.wait(lambda: int((bot.folder / "children").read_text().split()[0]) != pid)
    bot.wait(lambda: not any(map(is_alive, children)))
    again = map(int, (bot.folder / "children").read_text().split()[1:])
    bot.tickbus("down", bot.run_file)
    assert not [one for one in again if is_alive(one)]


def test_the_clock_may_stand_still_and_no_strategy_is_silent(faulty):
    bot = faulty(calm="Placing")
    bot.wait(lambda: bot.open_orders_of("calm"))
    os.kill(bot.pids()["clockd"], signal.SIGSTOP)
    until_ns = bot.now_ns() + 7_000_000_000
    bot.wait(lambda: bot.now_ns() > until_ns)
    os.kill(bot.pids()["clockd"], signal.SIGCONT)
    assert bot.open_orders_of("calm")
    assert "silent" not in bot.detail()
