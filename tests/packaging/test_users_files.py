"""A user's files may have the names of tickbus' packages: both work, or one line names the file to rename."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tickbus_imports import NEEDS

pytestmark = pytest.mark.process

Run = Callable[..., subprocess.CompletedProcess[str]]
ROOT = Path(__file__).resolve().parents[2]

STRATEGY = "from strategies import Strategy\n\n\nclass {}(Strategy):\n    pass\n"
# Runs as `use`; imports a module beside it, relatively.
RELATIVE = "from .helper import Base\n\n\nclass Relative(Base):\n    pass\n"
RUN_FILE = 'path = ["."]\n'
ACTOR = '\n[actors.{}]\nuse = "{}"\n'


@pytest.fixture(params=["checkout", "wheel"])
def python(request: pytest.FixtureRequest) -> Path:
    """The Python of an editable installation, and of one from a wheel."""
    return Path(sys.executable) if request.param == "checkout" else request.getfixturevalue("uncompiled_wheel")


@pytest.fixture(params=[(), ("-P",)], ids=["", "-P"])
def tickbus(request: pytest.FixtureRequest, python: Path, run: Run) -> Run:
    """`python -m tickbus`, with the user's folder first on the path; with -P it is not on the path."""
    return lambda *args, **options: run(python, *request.param, "-m", "tickbus", *args, **options)


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def run_file(**uses: str) -> dict[str, str]:
    return {"bot.toml": RUN_FILE + "".join(ACTOR.format(name, use) for name, use in uses.items())}


def test_actors_in_files_with_the_names_of_our_packages_trade_beside_ours(folder: Path, python: Path, run: Run) -> None:
    names = {f"in_{name}": f"{name}:Own" for name in sorted(NEEDS)}
    default = (ROOT / "runs" / "default.toml").read_text().replace('order = ["binance", "maker"]', "#")
    actors = "".join(ACTOR.format(name, use) for name, use in (names | {"inside": "strategies.mine:Mine"}).items())
    write(folder, {f"{name}.py": STRATEGY.format("Own") for name in NEEDS})
    write(folder, {"strategies/mine.py": STRATEGY.format("Mine"), "bot.toml": RUN_FILE + default + actors})
    done = run(python.with_name("tickbus"), "run", "bot.toml", "--for", "12", "--json", timeout=120)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["processes_running"] == found["processes"] == 4 + len(names) + 1
    assert found["orders_sent"] > 0, found


FILES_THAT_WORK = {
    "a file": ({"mine": "market:Mine"}, {"market.py": STRATEGY.format("Mine")}),
    "a package": ({"mine": "strategies:Mine"}, {"strategies/__init__.py": STRATEGY.format("Mine")}),
    "a folder": ({"mine": "strategies.mine:Mine"}, {"strategies/mine.py": STRATEGY.format("Mine")}),
    "ours beside it": (
        {"mine": "connectors.mine:Mine", "theirs": "tests_of_mine:Other"},
        {"connectors/mine.py": STRATEGY.format("Mine"), "tests_of_mine.py": STRATEGY.format("Other")},
    ),
    "a file of a module of ours": (
        {"mine": "strategies.ping_pong:Mine"},
        {"strategies/ping_pong.py": STRATEGY.format("Mine")},
    ),
    "in a package of ours": (
        {"mine": "connectors.binance.mine:Mine"},
        {"connectors/binance/mine.py": STRATEGY.format("Mine")},
    ),
    "relative imports": (
        {"mine": "strategies.ping_pong:Relative"},
        {"strategies/ping_pong.py": RELATIVE, "strategies/helper.py": STRATEGY.format("Base")},
    ),
    "unused": (
        {"mine": "bot:Mine"},
        {"bot.py": STRATEGY.format("Mine"), "protocol.py": "1 / 0", "venue.py": "1 / 0", "actors/__init__.py": "1 / 0"},
    ),
}


@pytest.mark.parametrize(("uses", "files"), FILES_THAT_WORK.values(), ids=FILES_THAT_WORK.keys())
def test_both_work(uses: dict[str, str], files: dict[str, str], folder: Path, tickbus: Run) -> None:
    write(folder, run_file(**uses) | files)
    done = tickbus("check", "bot.toml")
    assert (done.returncode, done.stderr) == (0, ""), done.stdout


def test_a_file_may_have_the_name_of_a_module_of_python(folder: Path, python: Path, run: Run) -> None:
    write(folder, run_file(mine="signal:Mine") | {"signal.py": STRATEGY.format("Mine")})
    done = run(python.with_name("tickbus"), "check", "bot.toml")
    assert (done.returncode, done.stderr) == (0, ""), done.stdout


FILES_TO_RENAME = {
    "a name that ours has not": (
        {"mine": "bot:Mine"},
        {"bot.py": "from market import spread\n" + STRATEGY.format("Mine"), "market.py": "def spread(): ...\n"},
        "tickbus' package `market` has no `spread`; if {folder}/market.py has it, rename that file",
    ),
    "a whole module": (
        {"mine": "bot:Mine"},
        {"bot.py": "import market\n" + STRATEGY.format("Mine"), "market.py": "def spread(): ...\n"},
        "{folder}/bot.py imports `market`, a package of tickbus; {folder}/market.py has that name too: rename it",
    ),
    "a copy of ours": (
        {"mine": "strategies.ping_pong:PingPong"},
        {"strategies/ping_pong.py": (ROOT / "strategies" / "ping_pong.py").read_text()},
        "`strategies.ping_pong` is a module of tickbus, and also {folder}/strategies/ping_pong.py: rename that file",
    ),
}


@pytest.mark.parametrize(("uses", "files", "line"), FILES_TO_RENAME.values(), ids=FILES_TO_RENAME.keys())
def test_one_line_names_the_file_to_rename(
    uses: dict[str, str], files: dict[str, str], line: str, folder: Path, tickbus: Run
) -> None:
    write(folder, run_file(**uses) | files)
    done = tickbus("check", "bot.toml")
    assert done.returncode == 2
    (found,) = [one for one in (done.stdout + done.stderr).splitlines() if "rename" in one]
    assert line.format(folder=folder.resolve()) in found


SCRIPT = "from actors.tap import Tap\nfrom protocol import Fill\nprint(Tap.__name__, Fill.__name__)\n"


@pytest.mark.parametrize("name", sorted(NEEDS.keys() - {"actors"}))
def test_a_script_beside_a_file_with_the_name_of_a_package_reads_the_bus(
    name: str, folder: Path, python: Path, run: Run
) -> None:
    write(folder, {"script.py": SCRIPT, f"{name}.py": "1 / 0\n"})
    done = run(python, "script.py")
    assert (done.stdout, done.stderr) == ("Tap Fill\n", "")


def test_a_script_that_imports_its_own_protocol_gets_the_line_to_rename_it(
    folder: Path, python: Path, run: Run
) -> None:
    write(folder, {"protocol.py": "OWN = 1\n"})
    write(folder, {"late.py": "from actors.tap import Tap\nfrom protocol import OWN\n"})
    line = f"tickbus' package `protocol` has no `OWN`; if {folder.resolve()}/protocol.py has it, rename that file"
    assert run(python, "late.py").stderr.splitlines()[-1] == f"ImportError: {line}"
    write(folder, {"early.py": "from protocol import OWN\nfrom actors.tap import Tap\n"})
    line = (
        f"tickbus has a package `protocol`, but {folder.resolve()}/protocol.py was imported under this name: rename it"
    )
    assert run(python, "early.py").stderr.splitlines()[-1] == f"ImportError: {line}"


def test_a_script_may_use_its_own_files_that_tickbus_does_not_need(folder: Path, python: Path, run: Run) -> None:
    script = "import monitor\nfrom strategies.mine import OWN\nfrom actors.tap import Tap\nprint(monitor.OWN + OWN)\n"
    write(
        folder, {"monitor.py": "OWN = 1\n", "strategies/mine.py": "OWN = 2\n", "script.py": "import actors\n" + script}
    )
    write(folder, {"early.py": script.replace("import monitor", "import monitor, actors", 1)})
    assert run(python, "early.py").stdout == "3\n"


def test_a_missing_name_stays_an_attribute_error(folder: Path, python: Path, run: Run) -> None:
    write(folder, {"script.py": "import actors, protocol\nprint(hasattr(protocol, 'Nothing'))\n"})
    assert run(python, "script.py").stdout == "False\n"
