"""The commands and the tap that README and docs/actor.md show, on the default bot with real processes."""

import importlib.util
import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest

pytestmark = pytest.mark.process

_spec = importlib.util.spec_from_file_location("docs_pages", Path(__file__).with_name("pages.py"))
assert _spec is not None
assert _spec.loader is not None
pages = importlib.util.module_from_spec(_spec)
sys.modules["docs_pages"] = pages
_spec.loader.exec_module(pages)

ROOT = pages.ROOT
PATIENCE_S = 90  # for a machine with much else to do


@pytest.fixture
def environment():
    """A folder for the bot, for the list of running bots, and for a user's files."""
    folder = Path(tempfile.mkdtemp(prefix="td-"))
    (folder / "runs").mkdir()
    shutil.copy(ROOT / "runs" / "default.toml", folder / "runs")
    settings = {"XDG_RUNTIME_DIR": str(folder), "TMPDIR": str(folder), "PYTHONPATH": str(ROOT)}
    yield folder, os.environ | settings
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def tickbus(environment):
    folder, variables = environment

    def call(*arguments):
        command = [sys.executable, "-m", "tickbus.main", *arguments]
        return subprocess.run(
            command, cwd=folder, env=variables, capture_output=True, text=True, timeout=PATIENCE_S, check=False
        )

    return call


@pytest.fixture
def bot(tickbus):
    assert tickbus("up", "runs/default.toml").returncode == 0
    yield
    assert tickbus("down").returncode == 0


def shown(page, language, mark=None):
    return [one for one in pages.blocks(page) if one.language == language and mark in (None, one.mark)]


def test_an_actor_is_added_tapped_and_removed_as_shown(environment, tickbus, bot):
    folder, page = environment[0], ROOT / "docs" / "actor.md"
    (folder / "imbalance.py").write_text(shown(page, "python")[0].text)
    (folder / "watch.toml").write_text(shown(page, "toml", "added to: runs/default.toml")[0].text)
    by_file, by_options, _ = shown(page, "sh")
    add, tap, remove = (shlex.split(line)[1:] for line in by_file.text.splitlines())

    assert tickbus(*add).stdout == "watch: started\n"
    received = tickbus(*tap, "--for", f"{PATIENCE_S - 10}s")
    assert len(received.stdout.splitlines()) == 5
    assert "md.watch.BTC-USDT.imbalance." in received.stdout
    assert "lost 0" in received.stderr
    assert tickbus(*remove).stdout == "watch: removed\n"

    assert tickbus(*shlex.split(by_options.text)[1:]).stdout == "watch: started\n"
    found = json.loads(tickbus("status", "--json").stdout)
    assert "watch" in {one["name"] for one in found["processes"]}


def test_the_tap_of_the_readme_receives_fills(environment, bot):
    folder, variables = environment
    (block,) = shown(ROOT / "README.md", "python", "tap: runs/default.toml")
    child = subprocess.Popen(
        [sys.executable, "-u", "-c", block.text], cwd=folder, env=variables, stdout=subprocess.PIPE, text=True
    )
    patience = threading.Timer(PATIENCE_S, child.kill)
    patience.start()
    try:
        assert child.stdout is not None
        line = child.stdout.readline()
    finally:
        patience.cancel()
        child.kill()
        child.wait()
    assert line.startswith("binance Fill(owner='maker'")
