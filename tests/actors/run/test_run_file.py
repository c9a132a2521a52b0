"""Run files: a valid file is loaded; every mistake is reported at once, with its path and what to write."""

import os
import sys
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from actors.run import run_dir
from actors.run.run_file import load, problems
from protocol.errors import BadRunFile

ACTORS = """
from decimal import Decimal
from actors.actor import Actor
from protocol import Settings

class Source(Actor):
    pass

class Quoter(Actor):
    class Settings(Settings):
        market: str
        half_spread_ticks: int
        edge: Decimal = Decimal(0)
        ratio: float = 0.5

class NoActor:
    pass
"""

GOOD = """
path = ["."]
[clock]
tick_ms = 250
order = ["source", "quoter"]
[actors.source]
use = "{module}:Source"
[actors.quoter]
use = "{module}:Quoter"
follows = ["source"]
settings = {{ market = "source:BTC-USDT", half_spread_ticks = 15, edge = 0.1 }}
"""


@pytest.fixture
def module(tmp_path):
    """A module of the user's own beside the run file; a new name for each test."""
    name = f"own_{tmp_path.name}".replace("-", "_").replace("[", "_").replace("]", "_")
    (tmp_path / f"{name}.py").write_text(ACTORS)
    yield name
    sys.modules.pop(name, None)
    if str(tmp_path) in sys.path:
        sys.path.remove(str(tmp_path))


@pytest.fixture
def run_file(tmp_path, module):
    """Writes a run file; GOOD with replacements, or any text."""

    def write(*changes, text=GOOD):
        text = text.format(module=module)
        for old, new in changes:
            assert old in text
            text = text.replace(old, new.format(module=module))
        path = tmp_path / "paper.toml"
        path.write_text(text)
        return path

    return write


def test_a_good_file_becomes_a_run_with_its_classes_and_settings(run_file):
    run = load(run_file())
    assert run.clock.tick_ms == 250
    assert run.order == [["source"], ["quoter"]]
    assert run.actors["quoter"].patience_ms == 500
    settings = run.actor_settings("quoter")
    assert (settings.half_spread_ticks, settings.edge, settings.ratio) == (15, Decimal("0.1"), 0.5)
    assert run.actor_class("quoter").__name__ == "Quoter"
    assert problems(run.path) == []


def test_the_run_folder_follows_from_the_file_unless_it_is_named(run_file, tmp_path):
    assert load(run_file()).dir == tmp_path / ".tickbus" / "paper"
    assert load(run_file(("path = [", 'dir = "here"\npath = ['))).dir == tmp_path / "here"
    assert load(run_file(), tmp_path / "there").dir == tmp_path / "there"


MISTAKES = [
    (
        "half_spread_ticks",
        "half_spred_ticks",
        "unknown field `half_spred_ticks`, did you mean `half_spread_ticks`?",
        "$.actors.quoter.settings",
    ),
    ("tick_ms = 250", "tick_ms = 0", "expected `int` >= 1", "$.clock.tick_ms"),
    ("tick_ms = 250", 'tick_ms = "1s"', "expected `int`, got `str`", "$.clock.tick_ms"),
    ("path = [", 'bus = "tcp"\npath = [', "unknown value `tcp`; known are ipc, ipc-libzmq", "$.bus"),
    ("path = [", 'bus = "ipc-zmq"\npath = [', "unknown value `ipc-zmq`, did you mean `ipc-libzmq`?", "$.bus"),
    ("tick_ms", "tik_ms", "unknown field `tik_ms`, did you mean `tick_ms`?", "$.clock"),
    ("[clock]", "[clok]", "unknown field `clok`, did you mean `clock`?", "$"),
    ('use = "{module}:Source"\n', "", "missing field `use`", "$.actors.source"),
    (":Quoter", ":Qoter", "module `{module}` has no `Qoter`, did you mean `Quoter`?", "$.actors.quoter.use"),
    (
        ":Quoter",
        ":NoActor",
        "`{module}:NoActor` is no Actor: derive it from strategies.Strategy or another actor class",
        "$.actors.quoter.use",
    ),
    (
        "{module}:Quoter",
        "Quoter",
        "`Quoter` is no class: want `module:Class`, as in `strategies.ping_pong:PingPong`",
        "$.actors.quoter.use",
    ),
    (
        "{module}:Quoter",
        "actors.actr:Quoter",
        "no module `actors.actr`, did you mean `actors.actor`?",
        "$.actors.quoter.use",
    ),
    (
        'follows = ["source"]',
        'follows = ["sorce"]',
        "unknown actor `sorce`, did you mean `source`?",
        "$.actors.quoter.follows[0]",
    ),
    ('follows = ["source"]', 'follows = ["quoter"]', "`quoter` follows itself", "$.actors.quoter.follows[0]"),
    (
        '["source", "quoter"]',
        '["source", "qoter"]',
        "unknown actor `qoter`, did you mean `quoter`?",
        "$.clock.order[1]",
    ),
    (
        '["source", "quoter"]',
        '[["source", "quoter"]]',
        "`quoter` follows `source` of its own wave: put it after",
        "$.clock.order[0]",
    ),
    (
        '["source", "quoter"]',
        '["quoter", "source"]',
        "`quoter` is ticked before `source`, which it follows",
        "$.clock.order",
    ),
    (
        '["source", "quoter"]',
        '["source", "quoter", "source"]',
        "`source` is in the order twice",
        "$.clock.order[2]",
    ),
    (
        "[actors.source]\n",
        '[actors.source]\nfollows = ["quoter"]\n',
        "actors follow each other in a circle: source -> quoter -> source",
        "$.actors",
    ),
    (
        "[actors.source]",
        "[actors.Source]",
        "actor name `Source`: want at most 32 of a-z 0-9 _ -, a letter first",
        "$.actors",
    ),
    (
        "[actors.source]",
        "[actors.clockd]",
        "`clockd` is a reserved name: rename the actor",
        "$.actors.clockd",
    ),
    (
        "[actors.source]\n",
        '[actors.source]\nkeys = "mian"\n',
        "the key file has no `mian`, did you mean `main`? (add it: tickbus keys add mian)",
        "$.actors.source.keys",
    ),
    (
        "[actors.source]\n",
        '[actors.source]\nkeys = "venue/maker"\n',
        "keys `venue/maker` are of the local exchange, and there is no [venue] table",
        "$.actors.source.keys",
    ),
    ('market = "source:BTC-USDT", ', "", "missing field `market`", "$.actors.quoter.settings"),
]


@pytest.mark.parametrize(("old", "new", "text", "at"), MISTAKES)
def test_each_mistake_is_one_line_with_its_path(run_file, module, old, new, text, at):
    path = run_file((old.format(module=module), new))
    assert f"{text.format(module=module)} - at `{at}`" in problems(path, key_names=["main"])


def test_all_mistakes_are_found_at_once(run_file):
    path = run_file(
        ("half_spread_ticks", "half_spred_ticks"),
        ("tick_ms = 250", "tick_ms = 0"),
        ('= ["source"]\n', '= ["nobody"]\n'),
    )
    found = problems(path)
    assert len(found) == 3, found
    assert {line.split(" - at ")[1] for line in found} == {
        "`$.clock.tick_ms`",
        "`$.actors.quoter.follows[0]`",
        "`$.actors.quoter.settings`",
    }


def test_loading_a_wrong_file_names_the_file_the_first_mistake_and_how_many_more(run_file):
    path = run_file(("tick_ms = 250", "tick_ms = 0"), ("[actors.quoter]", "[actors.quoter]\nfolows = []"))
    with pytest.raises(BadRunFile) as refused:
        load(path)
    assert (
        str(refused.value) == f"{path}: expected `int` >= 1 - at `$.clock.tick_ms` (and 1 more: tickbus check {path})"
    )
    assert refused.value.exit_code == 2


def test_a_module_that_fails_at_import_is_reported_with_its_line(run_file, tmp_path, module):
    (tmp_path / f"{module}_broken.py").write_text("x = 1\nraise ValueError('no such thing')\n")
    found = problems(run_file((f"{module}:Quoter", f"{module}_broken:Quoter")))
    assert f"breaks at {tmp_path}/{module}_broken.py:2: ValueError: no such thing" in found[0]


def test_a_misspelt_handler_is_reported_by_the_check(run_file, tmp_path, module):
    (tmp_path / f"{module}_tik.py").write_text(
        "from actors.actor import Actor\nclass Quoter(Actor):\n    def on_tik(self, tick): pass\n"
    )
    found = problems(run_file((f"{module}:Quoter", f"{module}_tik:Quoter")))
    assert "no message reaches on_tik, did you mean on_tick?" in found[0]


def test_a_settings_class_may_reject_what_its_fields_allow(run_file, tmp_path, module):
    (tmp_path / f"{module}.py").write_text(
        ACTORS.replace(
            "        ratio: float = 0.5\n",
            "        ratio: float = 0.5\n        def __post_init__(self):\n"
            "            if self.edge > 50: raise ValueError('edge is wider than the spread')\n",
        )
    )
    found = problems(run_file(("edge = 0.1", "edge = 99")))
    assert found == ["edge is wider than the spread - at `$.actors.quoter.settings`"]


def test_invalid_toml_and_a_missing_file_are_reported_in_one_line(tmp_path):
    bad = tmp_path / "bad.toml"
    bad.write_text("[clock\n")
    assert problems(bad) == [f"{bad}: no TOML: Expected ']' at the end of a table declaration (at line 1, column 7)"]
    assert problems(tmp_path / "none.toml")[0].startswith(f"{tmp_path}/none.toml: no such run file")


def test_the_venue_table_is_checked_against_the_settings_that_are_given(run_file):
    class Venue(msgspec.Struct, forbid_unknown_fields=True):
        seed: int = 1

    path = run_file(("[clock]", "[venue]\nsed = 2\n[clock]"))
    assert problems(path, venue_settings=Venue) == ["unknown field `sed`, did you mean `seed`? - at `$.venue`"]


def test_tables_in_the_run_folder_add_actors_that_come_after_those_that_they_follow(run_file, tmp_path, module):
    path = run_file()
    extras = tmp_path / ".tickbus" / "paper" / "actors.d"
    extras.mkdir(parents=True)
    (extras / "late.toml").write_text(f'[actors.late]\nuse = "{module}:Source"\nfollows = ["quoter"]\n')
    run = load(path)
    assert list(run.actors) == ["source", "quoter", "late"]
    assert list(run.extras) == ["late"]
    assert run.order == [["source"], ["quoter"]]
    (extras / "twice.toml").write_text(f'[actors.quoter]\nuse = "{module}:Source"\n')
    with pytest.raises(BadRunFile, match="actor `quoter` is there already"):
        load(path)


def test_without_an_order_each_actor_comes_after_those_that_it_follows(run_file):
    run = load(
        run_file(
            ('order = ["source", "quoter"]\n', ""),
            (
                "[actors.source]",
                '[actors.zero]\nuse = "{module}:Source"\nfollows = ["quoter"]\n[actors.source]',
            ),
        )
    )
    assert run.order == [["source"], ["quoter"], ["zero"]]


def test_a_run_folder_that_others_may_read_is_rejected(tmp_path):
    folder = tmp_path / "open"
    folder.mkdir(mode=0o755)
    folder.chmod(0o755)
    with pytest.raises(BadRunFile, match=rf"open to others \(0755\): chmod 700 {folder}"):
        run_dir.open_dir(folder)
    made = run_dir.open_dir(tmp_path / "a" / "b")
    assert made.stat().st_mode & 0o777 == 0o700
    assert {one.name for one in made.iterdir()} == {"logs", "actors.d"}


def test_a_run_folder_with_a_path_too_long_for_a_socket_is_rejected_with_the_reason(tmp_path):
    deep = tmp_path / ("d" * 90)
    with pytest.raises(BadRunFile, match=r"107 that a socket path may have; set a shorter `dir`"):
        run_dir.check_socket_paths(deep, ["maker"])
    run_dir.check_socket_paths(Path("/tmp/short"), ["a" * 32])


def test_new_run_folders_are_distinct():
    one, two = run_dir.fresh_dir(), run_dir.fresh_dir()
    try:
        assert one != two
        assert one.stat().st_mode & 0o777 == 0o700
        assert len(os.fsencode(one)) < 40
    finally:
        one.rmdir()
        two.rmdir()
