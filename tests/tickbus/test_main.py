"""The command line: quick to start, with one clear line for each mistake."""

import subprocess
import sys

import pytest

from tickbus.main import VERBS

pytestmark = pytest.mark.process

HEAVY = ("zmq", "aiohttp", "structlog", "cryptography", "supervisor", "asyncio", "uvloop")


def test_help_names_every_verb(tickbus):
    done = tickbus("--help")
    assert done.returncode == 0
    for verb, (_, text) in VERBS.items():
        assert verb in done.stdout
        assert text.split()[0] in done.stdout


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_a_help_text(tickbus, verb):
    done = tickbus(verb, "--help")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"Usage: tickbus {verb}")
    assert "--help" in done.stdout


@pytest.mark.parametrize("args", [["--help"], ["--version"], ["no-such-verb"]])
def test_a_call_without_a_verb_imports_no_heavy_package(args):
    code = (
        "import sys\n"
        "from tickbus.main import main\n"
        "try: main(sys.argv[1:])\n"
        f"except SystemExit: print(sorted(set(sys.modules) & set({HEAVY!r})))"
    )
    done = subprocess.run([sys.executable, "-c", code, *args], capture_output=True, text=True, check=False)
    assert done.stdout.splitlines()[-1] == "[]", done.stdout + done.stderr


@pytest.mark.parametrize(
    ("args", "line"),
    [
        (["rn"], "tickbus: no verb `rn`, did you mean `run`? (tickbus --help)\n"),
        (["run", "--forr", "5"], "tickbus: No such option '--forr'. Did you mean '--for'? (tickbus run --help)\n"),
        (["actor"], "tickbus: Missing argument 'NAME'. (tickbus actor --help)\n"),
        (
            ["tap", "--for", "soon"],
            "tickbus: Invalid value for '--for': 'soon' is not a duration: give 5s, 250ms or 2m (tickbus tap --help)\n",
        ),
    ],
)
def test_a_mistyped_call_is_one_line_and_exit_code_2(tickbus, args, line):
    done = tickbus(*args)
    assert (done.stderr, done.returncode) == (line, 2)


def test_version(tickbus):
    assert tickbus("--version").stdout.startswith("tickbus 0.")
