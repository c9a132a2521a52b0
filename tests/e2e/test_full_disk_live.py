"""A bot whose run folder is on a disk that fills up: no process ends, cancels go out, and it trades again by itself."""

import contextlib
import os
import subprocess
import tempfile
from pathlib import Path

import pytest

from actors.live.lock import holder
from protocol import Health, Heartbeat
from tests.e2e.conftest import Bot, end_of

pytestmark = [pytest.mark.process, pytest.mark.slow]

SECOND_NS = 1_000_000_000
NO_JOURNAL = "no order is placed until the journal can be written"


class SmallDisk:
    """A file system of 1 MB in memory, mounted on `folder`."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700)
        command = ["mount", "-t", "tmpfs", "-o", "size=1m,mode=700", "tmpfs", str(folder)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"mounting a file system is not permitted here: {done.stderr.strip()}")
        self.folder = folder
        self._filler = folder / "filler"

    def fill(self) -> None:
        with self._filler.open("ab", buffering=0) as file:
            for size in (4096, 1):
                with contextlib.suppress(OSError):
                    while True:
                        file.write(b"x" * size)

    def make_room(self) -> None:
        self._filler.unlink()

    def unmount(self) -> None:
        subprocess.run(["umount", "-l", str(self.folder)], check=True)


@pytest.fixture
def disk():
    folder = Path(tempfile.mkdtemp(prefix="tb-"))
    found = SmallDisk(folder / ".tickbus")
    yield found
    found.unmount()


@pytest.fixture
def bot(disk):
    folder = disk.folder.parent
    built = Bot(folder)
    text = built.run_file.read_text()
    assert "\nseed = 1\n" in text
    ledger = f'\nseed = 1\nledger_file = "{folder}/venue.ledger"\n'  # as on another machine
    built.run_file.write_text(text.replace("\nseed = 1\n", ledger))
    try:
        built.up()
        built.wait(lambda: built.is_ticked() and built.is_trading(), 60)
        for asset, amount in (("BTC", 1_000), ("USDT", 100_000_000)):
            built.call("POST", "/control/deposit", {"account": "external", "asset": asset, "amount": amount})
        yield built
    finally:
        end_of(built)


def is_halted(bot, since_ns):
    return any(one.body.state == "HALTED" and NO_JOURNAL in one.body.detail for one in bot.since(Health, since_ns))


def test_a_full_disk_ends_no_process_and_the_bot_trades_again_once_there_is_room(bot, disk):
    bot.trade()
    before, supervisord = bot.pids(), holder(bot.run_dir, "supervisord")
    full_ns = bot.now_ns()
    disk.fill()
    bot.wait(lambda: disk.fill() or is_halted(bot, full_ns))
    (bot.run_dir / "logs" / "maker.log").unlink()  # a new file, on a disk without room for a line of it

    os.kill(before["binance"], 9)
    again_ns = bot.now_ns()
    bot.wait(lambda: bot.pids().get("binance") not in (0, before["binance"]))
    # Its journal is rewritten, smaller, so it may have some room: TRADING is right until that is used up.
    bot.wait(lambda: disk.fill() or bot.since(Heartbeat, again_ns + 3 * SECOND_NS, "binance"))
    assert bot.tickbus("status", bot.run_file)

    bot.supervisor.stop("maker")
    bot.wait(lambda: not bot.ledger()["open_orders"])  # its cancels go out without a journal
    bot.wait(lambda: not bot.pids().get("maker"))  # a start before its end would be ignored

    disk.make_room()
    bot.supervisor.start("maker")
    bot.wait(lambda: bot.is_trading(bot.now_ns() - SECOND_NS))
    bot.trade()
    bot.assert_books_agree()
    after = bot.pids()
    assert {name: after[name] for name in ("venue", "clockd")} == {name: before[name] for name in ("venue", "clockd")}
    assert holder(bot.run_dir, "supervisord") == supervisord
    assert bot.tickbus("down", bot.run_file)
