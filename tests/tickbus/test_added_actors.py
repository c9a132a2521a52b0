"""Added actors: their tables are checked before anything is started."""

import pytest

from actors.run.run_file import load
from protocol.errors import BadRunFile
from tickbus.run_files.added_actors import add_table, remove_table, table_of_file, table_of_options


@pytest.fixture
def run(run_file):
    return load(run_file)


def test_a_table_from_options_is_the_table_that_a_user_would_write(run, run_file):
    text = table_of_options(
        "more", "own_actors:Follower", ["source"], ["size_lots=3", "market=binance:BTC-USDT"], run_file.parent
    )
    assert text == (
        f'folder = "{run_file.parent}"\n[actors.more]\nuse = "own_actors:Follower"\nfollows = ["source"]\n'
        'settings.size_lots = 3\nsettings.market = "binance:BTC-USDT"\n'
    )
    assert add_table(run, text) == "more"
    merged = load(run_file)
    assert merged.actor_settings("more").size_lots == 3
    assert merged.actor_settings("more").market == "binance:BTC-USDT"


def test_modules_are_found_beside_the_given_file(run, run_file):
    folder = run_file.parent / 'it"s own'
    folder.mkdir()
    (folder / "beside_it.py").write_text("from actors.actor import Actor\nclass Beside(Actor):\n    pass\n")
    (folder / "x.toml").write_text('[actors.beside]\nuse = "beside_it:Beside"\n')
    assert add_table(run, table_of_file(folder / "x.toml")) == "beside"
    assert load(run_file).actor_class("beside").__name__ == "Beside"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('[actors.more]\nuse = "own_actors:Follwer"\n', "has no `Follwer`, did you mean `Follower`?"),
        (
            '[actors.more]\nuse = "own_actors:Follower"\nfollows = ["sorce"]\n',
            "unknown actor `sorce`, did you mean `source`?",
        ),
        (
            '[actors.more]\nuse = "own_actors:Follower"\nsettings.size_lot = 2\n',
            "unknown field `size_lot`, did you mean `size_lots`?",
        ),
        ('[actors.follower]\nuse = "own_actors:Follower"\n', "actor `follower` exists already"),
        (
            '[actors.a]\nuse = "own_actors:Source"\n[actors.b]\nuse = "own_actors:Source"\n',
            "expected one [actors.NAME] table, not 2",
        ),
        ('[actors.clockd]\nuse = "own_actors:Source"\n', "`clockd` is a reserved name"),
    ],
)
def test_a_table_with_a_mistake_is_refused_and_leaves_no_file(run, run_file, text, line):
    with pytest.raises(BadRunFile) as refused:
        add_table(run, text)
    assert line in str(refused.value)
    assert list((run.dir / "actors.d").glob("*")) == [] if (run.dir / "actors.d").exists() else True
    assert list(load(run_file).actors) == ["source", "follower"]


def test_an_actor_of_the_run_file_or_with_followers_is_not_removed(run, run_file):
    for name, leader in (("one", "source"), ("two", "one")):
        add_table(load(run_file), f'[actors.{name}]\nuse = "own_actors:Follower"\nfollows = ["{leader}"]\n')
    with pytest.raises(BadRunFile, match=r"`source` is in the run file: delete its table in .*h\.toml"):
        remove_table(load(run_file), "source")
    with pytest.raises(BadRunFile, match="`one` is followed by two: remove that first"):
        remove_table(load(run_file), "one")
    with pytest.raises(BadRunFile, match="unknown actor `tow`, did you mean `two`"):
        remove_table(load(run_file), "tow")
    remove_table(load(run_file), "two")
    remove_table(load(run_file), "one")
    assert load(run_file).extras == {}
