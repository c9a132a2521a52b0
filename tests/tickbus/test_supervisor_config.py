"""supervisord's configuration: the one that tickbus writes and `supervisord.conf` are the same."""

import configparser
import shlex
from pathlib import Path

import pytest

from actors.run.run_file import load
from tickbus.bot.supervisor_config import RESTARTS, priorities, render

ROOT = Path(__file__).resolve().parents[2]
SAME = (*RESTARTS, "priority", "directory", "stdout_logfile_maxbytes", "stdout_logfile_backups")


def parsed(text, **expand):
    for key, value in expand.items():
        text = text.replace(f"%({key})s", value)
    parser = configparser.RawConfigParser(inline_comment_prefixes=(";",))
    parser.read_string(text.replace("%%", "%"))
    return parser


def programs(parser):
    return {name.partition(":")[2]: dict(parser[name]) for name in parser.sections() if name.startswith("program:")}


def arguments(command):
    """Returns the arguments of tickbus, without the run folder, which follows from the run file."""
    words = shlex.split(command)
    words = words[4:] if words[1:4] == ["-P", "-m", "tickbus.main"] else words[1:]
    return words[: words.index("--dir")] if "--dir" in words else words


def test_supervisord_conf_has_the_programs_of_tickbus_up():
    ours = parsed(render(load(ROOT / "runs" / "default.toml")))
    by_hand = parsed((ROOT / "supervisord.conf").read_text(), here=str(ROOT))
    assert programs(ours).keys() == programs(by_hand).keys() == {"venue", "clockd", "binance", "maker"}
    for name, program in programs(ours).items():
        other = programs(by_hand)[name]
        assert arguments(program["command"]) == arguments(other["command"])
        assert {key: program[key] for key in SAME} == {key: other[key] for key in SAME}
    assert by_hand["supervisord"]["umask"] == ours["supervisord"]["umask"] == "077"
    assert by_hand["unix_http_server"]["chmod"] == ours["unix_http_server"]["chmod"] == "0700"
    assert by_hand["include"]["files"] == ours["include"]["files"]


def test_no_process_is_given_up_and_exit_0_is_restarted():
    assert (RESTARTS["autorestart"], RESTARTS["startsecs"]) == ("true", "0")
    assert int(RESTARTS["startretries"]) >= 10**9


@pytest.fixture
def run(tmp_path):
    path = tmp_path / "r.toml"
    path.write_text(
        '[actors.c]\nuse="m:C"\nfollows=["b"]\n[actors.b]\nuse="m:B"\nfollows=["a"]\n[actors.a]\nuse="m:A"\n'
        '[actors.z]\nuse="m:Z"\n[venue]\n'
    )
    return load(path)


def test_a_follower_stops_before_the_actor_that_it_follows(run):
    assert priorities(run) == {"venue": 10, "clockd": 20, "a": 30, "z": 30, "b": 40, "c": 41}


def test_percent_signs_in_a_path_are_not_expanded(tmp_path):
    folder = tmp_path / "100%s"
    folder.mkdir()
    (folder / "r.toml").write_text("")
    text = render(load(folder / "r.toml"))
    assert f"--run {tmp_path}/100%%s/r.toml" in text
    assert "%" not in text.replace("%%", "")


def test_a_passphrase_is_passed_as_the_path_of_a_file(run):
    assert "TICKBUS_PASSPHRASE_FILE" not in render(run)
    assert 'environment = TICKBUS_PASSPHRASE_FILE="/dev/shm/x"' in render(run, Path("/dev/shm/x"))
