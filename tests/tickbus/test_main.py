"""The command line: quick to start, with one clear line for each mistake."""

import subprocess
import sys

import pytest

from tickbus.main import COMMANDS

pytestmark = pytest.mark.process

HEAVY = ("zmq", "aiohttp", "structlog", "cryptography", "supervisor", "asyncio", "uvloop")


def test_help_names_every_command(tickbus):
    done = tickbus("--help")
    assert done.returncode == 0
    for name, (_, text) in COMMANDS.items():
        assert name in done.stdout
        assert text.split()[0] in done.stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_a_help_text(tickbus, name):
    done = tickbus(name, "--help")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"Usage: tickbus {name}")
    assert "--help" in done.stdout


@pytest.mark.parametrize("args", [["--help"], ["--version"], ["no-such-name"]])
def test_a_call_without_a_command_imports_no_heavy_package(args):
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
        (["rn"], "tickbus: unknown command `rn`, did you mean `run`? (tickbus --help)\n"),
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


def test_an_output_on_a_full_disk_is_one_line(tickbus, run_file):
    with open("/dev/full", "w") as full:
        command = [sys.executable, "-m", "tickbus.main", "check", str(run_file)]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (1, "tickbus: a file cannot be written: No space left on device\n")
