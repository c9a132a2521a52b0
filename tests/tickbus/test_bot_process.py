"""One process of a bot: what it does before its work, and what it leaves when it ends by an error."""

import json
import time

import pytest

from actors.run.run_file import load
from tickbus.process.backoff import Backoff

FAULTY = """\
from actors.actor import Actor


class Faulty(Actor):
    def on_start(self):
        raise RuntimeError("refused: api_key=abcdefghijk")
"""
RUN = """\
path = ["."]
[actors.faulty]
use = "faulty:Faulty"
keys = "venue/maker"
[venue]
"""


@pytest.fixture
def faulty(folder):
    (folder / "faulty.py").write_text(FAULTY)
    path = folder / "f.toml"
    path.write_text(RUN)
    (folder / ".tickbus" / "f").mkdir(mode=0o700, parents=True)
    return load(path)


def crashes_before(run, number, delay_until_s):
    """Record starts that ended at once; the last one ended `delay_until_s` before its delay was over."""
    now_s = time.clock_gettime(time.CLOCK_BOOTTIME)
    for _ in range(number):
        Backoff(run.dir, "faulty").record_start(now_s + delay_until_s)


@pytest.mark.process
def test_a_secret_in_an_exception_is_shown_nowhere(tickbus, faulty):
    done = tickbus("actor", "faulty", "--run", faulty.path)
    assert done.returncode == 70
    assert "refused: api_key=***" in done.stderr
    assert "abcdefghijk" not in done.stderr + done.stdout
    assert Backoff(faulty.dir, "faulty").crashes().error.startswith("RuntimeError: refused: api_key=***")


@pytest.mark.process
def test_an_actor_whose_safe_start_crashes_too_is_not_started_again_and_again(tickbus, faulty):
    crashes_before(faulty, 5, delay_until_s=20)
    done = tickbus("actor", "faulty", "--run", faulty.path)
    lines = [json.loads(line) for line in done.stderr.splitlines() if line.startswith("{")]
    loop, bug = (next(one for one in lines if one["event"].startswith(text)) for text in ("the process", "unexpected"))
    assert loop["starts_safe"]
    assert loop["waiting_s"] == 2
    waited_s = float(bug["time"][17:-1]) - float(loop["time"][17:-1])
    assert waited_s % 60 >= 2
