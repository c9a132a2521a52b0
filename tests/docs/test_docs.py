"""Blocks of README and docs run, named files and links exist, and lists are complete."""

import importlib.util
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import msgspec
import pytest

from actors import command_server, inbox, outbox, timers
from actors.live import transport_limits
from actors.run.run_file import ActorConf, ClockConf, ExtraFile, RunFile, load, problems
from connectors.binance import BinanceSpot
from connectors.market_data.settings import FeedSettings
from connectors.net.session import SessionSettings
from connectors.orders.risk_gate import Limits
from protocol import AnswerCode, OrdStatus, errors, frame
from strategies.ping_pong import PingPong
from tickbus.main import COMMANDS, cli
from tickbus.process.bot_process import BUG_EXIT_CODE
from tickbus.run_files.added_actors import add_table, table_of_file
from tickbus.summary.summary import Summary
from venue.base.settings import (
    AccountSettings,
    CommissionSettings,
    FlowSettings,
    KeySettings,
    LimitSettings,
    MarketSettings,
    PaperSettings,
    RateSettings,
    ReplaySettings,
    VenueSettings,
)

_spec = importlib.util.spec_from_file_location("docs_pages", Path(__file__).with_name("pages.py"))
assert _spec is not None
assert _spec.loader is not None
pages = importlib.util.module_from_spec(_spec)
sys.modules["docs_pages"] = pages
_spec.loader.exec_module(pages)

ROOT = pages.ROOT
DOCS = ROOT / "docs"
BLOCKS = [block for page in pages.PAGES for block in pages.blocks(page)]
PARTS = ("part of: ", "added to: ")


def of(*languages):
    """Returns test parameters: the blocks of these languages, named by page and line."""
    return [pytest.param(block, id=block.where) for block in BLOCKS if block.language in languages]


def text_of(page):
    return page.read_text(encoding="utf-8")


# -- code ---------------------------------------------------------------------------------------------


@pytest.mark.process
@pytest.mark.parametrize("block", of("python"))
def test_a_python_block_uses_no_name_that_its_page_does_not_define(block):
    """A block is complete, or stands below the one that it continues."""
    above = [one.text for one in pages.blocks(block.page) if one.language == "python"]
    text = block.text if block.mark != "runs" else "\n".join(above[: above.index(block.text) + 1])
    names = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--isolated", "--select", "F821,E9", "--quiet", "-"],
        input=text, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert names.stdout == "", block.where


@pytest.mark.parametrize("page", [pytest.param(page, id=page.name) for page in pages.PAGES])
def test_marked_blocks_run_after_the_blocks_before_them(page):
    found = [block for block in pages.blocks(page) if block.language == "python"]
    marked = [n for n, block in enumerate(found) if block.mark == "runs"]
    scope = {"__name__": _module_of(page)}
    for block in found[: max(marked, default=-1) + 1]:
        exec(compile(block.text, block.where, "exec"), scope)


def test_the_pages_that_teach_have_code_that_runs():
    assert {block.page.stem for block in BLOCKS if block.mark == "runs"} >= {"actor", "connector", "bus"}


@pytest.mark.parametrize("block", of("toml"))
def test_toml_is_a_run_file_without_mistakes_or_a_part_of_one(block, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", [*sys.path])
    for shown in (one for one in BLOCKS if one.page == block.page and one.language == "python"):
        (tmp_path / f"{_module_of(block.page)}.py").write_text(shown.text)
        break
    kind, _, base = block.mark.partition(": ")
    path = tmp_path / "run.toml"
    if kind == "part of":
        path.write_text(f'path = ["."]\n{text_of(ROOT / base)}\n{block.text}')
        assert problems(path, None, VenueSettings) == []
    elif kind == "added to":
        path.write_text(text_of(ROOT / base))
        (tmp_path / "added.toml").write_text(block.text)
        run = load(path, tmp_path / "run")
        assert add_table(run, table_of_file(tmp_path / "added.toml")) in block.text
    else:
        path.write_text(block.text)
        assert problems(path, None, VenueSettings) == []


def _module_of(page):
    """The module of a page's class, by the name in the page's TOML."""
    found = re.search(r'^use = "(\w+):', text_of(page), re.MULTILINE)
    return found[1] if found else f"shown_in_{page.stem}"


@pytest.mark.parametrize("block", of("sh"))
def test_commands_are_known_with_all_their_options(block):
    for line in block.text.splitlines():
        words = shlex.split(line, comments=True)
        if not words:
            continue
        if words[0] == "make":
            assert re.search(rf"^{words[1]}:", text_of(ROOT / "Makefile"), re.MULTILINE), line
        elif words[0] == "tickbus":
            _parse(words[1], words[2:], line)
        else:
            assert words[0] == "supervisorctl", f"{block.where}: {line}"
            assert (ROOT / words[words.index("-c") + 1]).exists()


def _parse(verb, arguments, line):
    if verb.startswith("--"):
        assert verb in {option for one in cli.params for option in one.opts}, line
        return
    command = cli.get_command(click.Context(cli), verb)
    assert command is not None, line
    context = command.make_context(verb, list(arguments))  # raises UsageError for an unknown option
    if isinstance(command, click.Group):
        name, inner, rest = command.resolve_command(context, arguments)
        assert inner is not None, line
        inner.make_context(name, list(rest))


@pytest.mark.parametrize("page", [pytest.param(one, id=one.name) for one in pages.PAGES if one.name != "reference.md"])
def test_prose_is_wrapped_at_120_characters(page):
    """Tables, code and a word without a blank may be longer."""
    text = re.sub(r"^ *```.*?^ *```", "", text_of(page), flags=re.MULTILINE | re.DOTALL)
    prose = [line for line in text.splitlines() if not line.startswith(("|", "#", "<", "!["))]
    atoms = [re.sub(r"`[^`]*`|\[[^\]]*\]\([^)]*\)", lambda found: "x" * len(found[0]), line) for line in prose]
    assert [line for line in atoms if len(line) > 120 and " " in line.strip()[2:]] == []


RELIABILITY_ROWS = [
    line for line in text_of(DOCS / "reliability.md").splitlines() if line.startswith("| ") and "::test_" in line
]


@pytest.mark.parametrize("row", RELIABILITY_ROWS)
def test_each_test_of_the_reliability_table_exists(row):
    for name in re.findall(r"`([^`]*::\w+)`", row.rsplit("|", 2)[1]):
        path, _, test = name.partition("::")
        assert re.search(rf"^ *(async )?def {test}\(", text_of(ROOT / path), re.MULTILINE), name


@pytest.mark.parametrize("block", of("ini"))
def test_a_shown_program_has_only_settings_that_our_configuration_uses(block):
    known = text_of(ROOT / "supervisord.conf")
    for line in block.text.splitlines():
        if " = " in line:
            assert f"\n{line.partition(' = ')[0]} = " in known, line


def test_every_block_is_of_a_kind_that_is_checked():
    kinds = {block.language for block in BLOCKS}
    assert kinds <= {"python", "toml", "sh", "ini", "text"}


# -- names --------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", [pytest.param(page, id=str(page.relative_to(ROOT))) for page in pages.PAGES])
def test_links_have_a_target(page):
    for link in pages.links(page):
        path, _, anchor = link.partition("#")
        if path.startswith(("http://", "https://")):
            continue
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{page.name}: {link}"
        assert target.is_relative_to(ROOT)
        if re.fullmatch(r"L\d+", anchor):
            assert int(anchor[1:]) <= len(text_of(target).splitlines()), f"{page.name}: {link}"
        elif anchor:
            assert anchor in pages.anchors(target), f"{page.name}: {link}"


@pytest.mark.parametrize("page", [pytest.param(page, id=str(page.relative_to(ROOT))) for page in pages.PAGES])
def test_named_lines_and_shown_files_are_as_they_are_now(page):
    assert text_of(page) == pages.refreshed(text_of(page)), "run: python tests/docs/pages.py"


def test_the_readme_is_short_and_starts_with_what_tickbus_is():
    lines = text_of(ROOT / "README.md").splitlines()
    assert len(lines) <= 250
    assert "trading-bot framework" in " ".join(lines[:5])


def test_the_readme_names_the_loops_by_line():
    named = {found[5] for found in pages.NAMED_LINE.finditer(text_of(ROOT / "README.md"))}
    assert named >= {"poll", "_cycle", "run_until"}


@pytest.mark.parametrize("page", [pytest.param(page, id=page.name) for page in pages.PAGES])
def test_files_that_are_named_exist(page):
    for name in re.findall(r"`((?:[a-z]+/)+\w+\.(?:py|pyx|toml|c))`", text_of(page)):
        assert (ROOT / name).exists(), f"{page.name}: {name}"


# Pages whose subject is names of others, or names of before.
OTHER_NAMES = {"comparison.md", "names.md", "style.md"}
HUMMINGBOT = [
    "TimeIterator",
    "c_tick",
    "ConnectorBase",
    "ExchangePyBase",
    "status_dict",
    "get_price",
    "get_vwap_for_volume",
    "get_balance",
    "InFlightOrder",
    "ClientOrderTracker",
    "did_fill_order",
    "did_",
    "TradingRule",
    "BudgetChecker",
    "order_levels",
    "order_level_spread",
    "order_level_amount",
    "order_amount",
    "order_refresh_time",
    "order_refresh_tolerance_pct",
    "filled_order_delay",
    "inventory_target_base_pct",
    "add_transaction_costs",
    "hanging_orders_enabled",
    "hanging_orders_cancel_pct",
]
SHOWN_ONLY = {"on_tik", "MyClass", "zsh_source", "fish_source", "ticker_1h", "ticker_4h", "ticker_1d", "ethusdt_spot"}


@pytest.fixture(scope="module")
def known_names():
    """Every identifier of the sources, and every file name."""
    kinds = (".py", ".pyx", ".pxd", ".pyi", ".toml", ".c", ".conf")
    files = [path for path in ROOT.rglob("*") if path.suffix in kinds and ".venv" not in path.parts[len(ROOT.parts)]]
    found = {name for path in files for name in re.findall(r"[A-Za-z_]\w*", text_of(path))}
    return found | {path.stem for path in files} | set(HUMMINGBOT) | SHOWN_ONLY


@pytest.mark.parametrize("page", [pytest.param(page, id=str(page.relative_to(ROOT))) for page in pages.PAGES])
def test_names_in_code_exist_in_the_sources(page, known_names):
    """Names with an underscore and names in CamelCase; others may be English words."""
    if page.name in OTHER_NAMES:
        return
    text = re.sub(r"^```.*?^```", "", text_of(page), flags=re.MULTILINE | re.DOTALL)
    named = {name for code in re.findall(r"`([^`\n]+)`", text) for name in re.findall(r"[A-Za-z_]\w*", code)}
    own = {name for name in named if re.fullmatch(r"[a-z]+_[a-z0-9_]+|[A-Z][a-z]+[A-Z]\w*", name)}
    assert own - known_names == set()


def test_every_decision_is_in_the_list():
    listed = text_of(DOCS / "decisions" / "README.md")
    for page in (DOCS / "decisions").glob("*.md"):
        assert page.name == "README.md" or f"({page.name})" in listed


def test_every_page_can_be_reached_from_the_readme():
    reached, new = set(), {ROOT / "README.md"}
    while new:
        reached |= new
        targets = [(page, link.partition("#")[0]) for page in new for link in pages.links(page)]
        new = {(page.parent / path).resolve() for page, path in targets if path.endswith(".md")} - reached
    assert set(pages.PAGES) <= reached


# -- lists -------------------------------------------------------------------------------------

TABLES = {
    "Top level": [RunFile],
    "`[clock]`": [ClockConf],
    "`[actors.NAME]`": [ActorConf],
    "Settings of a connector": [BinanceSpot.Settings],
    "Limits": [Limits],
    "Feed": [FeedSettings],
    "Session": [SessionSettings],
    "Settings of strategies": [PingPong.Settings],
    "`[venue]`": [VenueSettings],
    "`[[venue.markets]]`": [MarketSettings],
    "`[venue.markets.commission]`": [CommissionSettings],
    "Rates": [RateSettings],
    "`[venue.markets.flow]`": [FlowSettings],
    "`[[venue.accounts]]`": [AccountSettings],
    "`[[venue.accounts.keys]]`": [KeySettings],
    "`[venue.rate_limits]`": [LimitSettings],
    "A file of `actors.d`": [ExtraFile],
}


VENUE_TABLES = {"Replay": [ReplaySettings], "Paper": [PaperSettings]}


@pytest.mark.parametrize("heading", [*TABLES, *VENUE_TABLES])
def test_every_key_of_a_run_file_is_listed_with_its_default_and_a_description(heading):
    (kind,) = (TABLES | VENUE_TABLES)[heading]
    listed = pages.tables(DOCS / ("venue.md" if heading in VENUE_TABLES else "run-file.md"))[heading]
    fields = {field.name: field for field in msgspec.structs.fields(kind)}
    assert listed.keys() == fields.keys()
    for name, field in fields.items():
        default, description = listed[name]
        assert description, f"{heading}: {name} has no description"
        if default:  # a table of its own has no default in the list
            assert default == _default(field), f"{heading}: {name}"


def _default(field):
    if field.required:
        return "required"
    value = field.default if field.default is not msgspec.NODEFAULT else field.default_factory()
    if value is None:
        return "none"
    return json.dumps(value) if isinstance(value, (str, bool, int, float, list, dict)) else str(value)


def test_every_state_of_an_order_is_listed():
    listed = set(re.findall(r"`([A-Z_]+)`", text_of(DOCS / "orders.md")))
    assert {status.name for status in OrdStatus} <= listed


def test_every_answer_is_listed():
    listed = set(re.findall(r"`([A-Z_]+)`", text_of(DOCS / "bus.md")))
    assert {code.name for code in AnswerCode} <= listed


def test_every_number_of_the_summary_is_listed(tmp_path):
    path = tmp_path / "run.toml"
    path.write_text(text_of(ROOT / "runs" / "default.toml"))
    found = Summary(load(path, tmp_path / "run")).as_dict()
    listed = set(re.findall(r"`(\w+)`", text_of(DOCS / "operations.md")))
    assert found.keys() <= listed


def test_every_exit_code_is_listed():
    codes = {kind.exit_code for kind in vars(errors).values() if isinstance(kind, type)} | {BUG_EXIT_CODE}
    listed = {int(code) for code in re.findall(r"^\| (\d+) \|", text_of(DOCS / "operations.md"), re.MULTILINE)}
    assert codes | {0} <= listed


def test_every_command_is_shown_somewhere():
    shown = {shlex.split(line)[1] for block in BLOCKS if block.language == "sh" for line in block.text.splitlines()
             if line.startswith("tickbus ")}  # fmt: skip
    prose = "\n".join(text_of(page) for page in pages.PAGES)
    assert {verb for verb in COMMANDS if verb not in shown and f"`{verb}`" not in prose} == set()


BOUNDS = [
    (frame.MAX_FRAME_BYTES, 8 * 1024 * 1024, "8 MiB"),
    (frame.MAX_TOPIC_BYTES, 250, "250 bytes"),
    (transport_limits.PUB_MAX_BYTES, 32 * 1024 * 1024, "32 MiB"),
    (transport_limits.DIRECT_MAX_BYTES, 16 * 1024 * 1024, "16 MiB"),
    (transport_limits.HEARTBEAT_MS, 1_000, "after 1 s of silence"),
    (transport_limits.HEARTBEAT_TIMEOUT_MS, 3_000, "cut off 3 s later"),
    (transport_limits.RECONNECT_MS, 20, "after 20 ms"),
    (transport_limits.RECONNECT_MAX_MS, 500, "at most each 500 ms"),
    (transport_limits.MAX_PREFIXES, 10_000, "10,000 prefixes"),
    (transport_limits.HWM_FRAMES, 100_000, "100,000 for a subscriber"),
    (transport_limits.HWM_DIRECT_FRAMES, 10_000, "10,000 on a command connection"),
    (inbox.MAX_HELD_FRAMES, 10_000, "10,000 a stream"),
    (outbox.MAX_POSITIONS, 1_000, "1,000 busiest"),
    (transport_limits.BATCH, 256, "256"),
    (command_server.MAX_REMEMBERED, 10_000, "last 10,000 answers"),
    (timers.MAX_TIMERS, 100_000, "100,000: more is a bug"),
]


@pytest.mark.parametrize(("bound", "value", "words"), BOUNDS)
def test_bounds_of_the_bus_are_those_of_the_page(bound, value, words):
    assert bound == value
    assert words in text_of(DOCS / "bus.md")


def test_the_counted_calls_are_those_of_the_page():
    counted = text_of(ROOT / "tests" / "connectors" / "test_call_counts.py")
    bounds = re.findall(r'^    "(\w+: [\w ]+)": \((\d+, \d+)\)', counted, re.MULTILINE)
    page = text_of(DOCS / "decisions" / "joints.md")
    assert bounds
    for event, numbers in bounds:
        assert re.search(rf"^\| {event}.*\| {numbers} \|$", page, re.MULTILINE), event


def test_the_view_and_its_summary_are_shown():
    shown = {block.mark: block.text for block in pages.blocks(ROOT / "README.md") if block.language == "text"}
    assert "* " in shown["view"]
    assert "own orders, fills and position agree" in shown["summary"]


def test_no_page_names_a_folder_of_a_machine():
    for page in pages.PAGES:
        assert str(ROOT) not in text_of(page)
        assert os.path.expanduser("~/") not in text_of(page)
