"""Every file of examples/ is run with the commands of its docstring; run files are bots of real processes."""

import ast
import json
import os
import re
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.process

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"
SCRIPTS = {  # name -> a pattern that its output has to match
    "simulation": r"^open: SELL 999 lots at \d+ ticks\nheld: 0.00999000 BTC, profit -?\d+\.\d\d USDT$",
    "imbalance": r"^WATCHING Imbalance\(symbol='BTC-USDT', bid_share=\d+\)$",
    "toy_exchange": r"^one delta was lost: 1 gap found, book LIVE, best bid 1155$",
}
RUN_FILES = sorted(EXAMPLES.glob("*.toml"))
SHOWN = {  # page -> classes that it shows and an example has too
    "strategy": {"DipBuyer": "dip_buyer"},
    "actor": {"ImbalanceWatch": "imbalance", "Imbalance": "imbalance"},
    "connector": {"Toy": "toy_connector", "ToyMarket": "toy_connector", "ToyRequests": "toy_connector"},
}
START_S = 60.0

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A short folder for run folders, also of the list of running bots."""
    with tempfile.TemporaryDirectory(prefix="tb-") as name:
        monkeypatch.setenv("XDG_RUNTIME_DIR", name)
        monkeypatch.setenv("TMPDIR", name)
        yield Path(name)


@pytest.fixture
def start(folder: Path) -> Iterator[Start]:
    """Start a process; all that still run after the test are stopped, bots in order."""
    started: list[subprocess.Popen[str]] = []

    def run(*args: object) -> "subprocess.Popen[str]":
        pipe = subprocess.PIPE
        child = subprocess.Popen([sys.executable, *map(str, args)], stdout=pipe, stderr=pipe, text=True, cwd=folder)
        started.append(child)
        return child

    yield run
    for child in reversed(started):
        if child.poll() is None:
            child.send_signal(signal.SIGINT)
        child.communicate(timeout=90)


def test_every_example_is_run_here() -> None:
    names = {path.stem for path in EXAMPLES.glob("*.py")}
    used = {one["use"].partition(":")[0] for path in RUN_FILES for one in actors_of(path).values()}
    assert names == {*SCRIPTS, "print_fills", "toy_connector"} | (used & names)


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.stem)
def test_the_docstring_of_an_example_has_its_commands(path: Path) -> None:
    text = ast.get_docstring(ast.parse(path.read_text())) or ""
    commands = re.findall(r"(?:python|tickbus run) (examples/\S+)", text)
    assert commands
    assert all((ROOT / name).exists() for name in commands)


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_runs_from_any_folder(name: str, tmp_path: Path) -> None:
    command = [sys.executable, str(EXAMPLES / f"{name}.py")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert re.search(SCRIPTS[name], done.stdout, re.MULTILINE), done.stdout


@pytest.mark.parametrize("path", RUN_FILES, ids=lambda path: path.stem)
def test_a_run_file_has_no_mistake(path: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tickbus", "check", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, cwd=tmp_path)
    assert (done.stdout, done.returncode) == (f"{path} is valid\n", 0), done.stderr


@pytest.mark.parametrize("path", RUN_FILES, ids=lambda path: path.stem)
def test_a_bot_of_the_examples_runs_and_ends_clean(path: Path, folder: Path, start: Start) -> None:
    bot = start("-m", "tickbus", "run", path, "--dir", folder / "run", "--json")
    journal = folder / "run" / "binance.orders.journal"
    trades = "keys" in actors_of(path)["binance"]
    until = time.monotonic() + START_S
    while not (journal.exists() and journal.stat().st_size > 400 if trades else is_ticked(folder / "run")):
        assert bot.poll() is None, bot.communicate()
        assert time.monotonic() < until
        time.sleep(0.1)
    bot.send_signal(signal.SIGINT)
    out, error = bot.communicate(timeout=90)
    found = json.loads(out.splitlines()[-1])
    assert bot.returncode == 0, found | {"stderr": error}
    assert found["restarts"] == 0
    assert found["own_position_matches_venue"] is (True if trades else None)
    assert (found["orders_sent"] > 0) is trades


def test_the_tap_prints_the_fills_of_a_running_bot(folder: Path, start: Start) -> None:
    start("-m", "tickbus", "run", EXAMPLES / "ping_pong.toml", "--dir", folder / "run", "--json")
    until = time.monotonic() + START_S
    while not (folder / "run" / "venue.address").exists():
        assert time.monotonic() < until
        time.sleep(0.1)
    tap = start(EXAMPLES / "print_fills.py", folder / "run")
    assert tap.stdout is not None
    ready, _, _ = select.select([tap.stdout], [], [], START_S)
    assert ready, "no fill was printed"
    assert re.fullmatch(r"\w+ (BUY|SELL) \d+ lots at \d+ ticks\n", tap.stdout.readline())


def test_the_tap_without_a_bot_is_one_line(folder: Path) -> None:
    command = [sys.executable, str(EXAMPLES / "print_fills.py"), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1), done.stderr


@pytest.mark.parametrize(("page", "name", "module"), [(page, *one) for page in SHOWN for one in SHOWN[page].items()])
def test_an_example_is_the_class_that_its_page_shows(page: str, name: str, module: str) -> None:
    blocks = re.findall(r"^```python\n(.*?)^```", (ROOT / "docs" / f"{page}.md").read_text(), re.MULTILINE | re.DOTALL)
    shown = [found for block in blocks for found in classes(block, name)]
    assert shown == classes((EXAMPLES / f"{module}.py").read_text(), name)


def classes(source: str, name: str) -> list[str]:
    """The text of each top-level class of this name."""
    return [
        ast.unparse(node) for node in ast.parse(source).body if isinstance(node, ast.ClassDef) and node.name == name
    ]


def actors_of(path: Path) -> dict[str, dict[str, str]]:
    import tomllib

    found: dict[str, dict[str, str]] = tomllib.loads(path.read_text())["actors"]
    return found


def is_ticked(run_dir: Path) -> bool:
    """Whether the clock has ticked an actor, by a tap."""
    from actors.tap import Tap
    from protocol import TickReport

    if not os.path.exists(run_dir / "clockd.pub"):
        return False
    with Tap(run_dir, TickReport) as tap:
        return any(len(tapped.body.hops) > 1 for tapped in tap.poll(1.0))
