"""The operator's verbs on a running bot: pause, resume, cancel-all, forget."""

import json
import shutil
from pathlib import Path

import pytest

from actors.run.run_file import load
from protocol.errors import Unreachable
from tickbus.bot.operator import connectors, send_to_all

DEFAULT = Path(__file__).resolve().parents[2] / "runs" / "default.toml"


@pytest.fixture
def default_run(folder):
    """The default bot's run file: a connector to the local exchange, and strategies."""
    return Path(shutil.copy(DEFAULT, folder / "bot.toml"))


def test_without_names_the_connectors_with_keys_are_meant(default_run):
    run = load(default_run)
    assert connectors(run, ()) == ["binance"]
    assert connectors(run, ("maker",)) == ["maker"]
    with pytest.raises(Unreachable, match="no actor nobody"):
        connectors(run, ("nobody",))


def test_commands_for_a_bot_that_has_never_run_are_one_line(folder, default_run):
    run, reached = load(default_run), []
    with pytest.raises(Unreachable, match=r"binance cannot be reached: .*; maker cannot be reached: no bot has run in"):
        send_to_all(run, ["binance", "maker"], "pause", "", reached.append)
    assert not reached
    assert not run.dir.exists()
    default_run.write_text("")
    with pytest.raises(Unreachable, match=r"no actor of .* has keys"):
        connectors(load(default_run), ())


@pytest.mark.process
def test_an_operator_pauses_resumes_and_cancels_and_forgets_nothing_that_is_not_there(tickbus, default_run, wait_for):
    def state():
        rows = json.loads(tickbus("status", "--json").stdout)["processes"]
        (row,) = [one for one in rows if one["name"] == "binance"]
        return row.get("actor_state", "")

    done = tickbus("pause", default_run.name, "--run", default_run)
    assert done.returncode == 69
    assert tickbus("up", default_run).returncode == 0
    wait_for(lambda: state() == "TRADING", 40)
    done = tickbus("pause", "--reason", "lunch")
    assert (done.stdout, done.returncode) == ("binance: paused\n", 0), done.stderr
    wait_for(lambda: state() == "HALTED")
    assert tickbus("cancel-all").returncode == 0
    refused = tickbus("forget", "no-such-order")
    assert refused.returncode == 1
    assert "no order that may be live has the id 'no-such-order'" in refused.stderr
    default_run.write_text(default_run.read_text() + '[actors.late]\nuse = "actors.actor:Actor"\n')
    early = tickbus("restart", "late")
    assert (early.returncode, early.stderr) == (69, f"tickbus: late is not started yet: tickbus up {default_run}\n")
    both = tickbus("cancel-all", "late", "binance")
    assert (both.returncode, both.stderr) == (69, "tickbus: late cannot be reached within 5 s\n")
    assert both.stdout.startswith("binance: cancels are wanted"), "one that is gone keeps none from the others"
    assert tickbus("resume", "binance").stdout == "binance: resumed\n"
    wait_for(lambda: state() == "TRADING")
