"""The supervisord configuration of a bot: one program for each process, with the settings that a bot needs."""

import glob
import hashlib
import re
import shlex
import sys
from pathlib import Path

import msgspec

from actors.run.run_file import Run
from protocol.errors import BadRunFile
from tickbus.bot.registry import SOCKET

CONF = "supervisord.conf"
MIN_DESCRIPTORS = 256  # of supervisord, which needs three for each process; its default is 1024
PROGRAMS = "programs.d"  # folder with one file for each actor that was added later

VENUE_PRIORITY = 10
CLOCK_PRIORITY = 20
SOURCE_PRIORITY = 30  # actors that follow no other: connectors
FOLLOWER_PRIORITY = 40  # actors that follow a source; one more for each further step
STOP_WAIT_S = 12  # time that an actor has to stop (it needs at most 8 s); then SIGKILL

# supervisord's defaults give up after four quick exits, do not restart after exit code 0, and let child processes
# outlive a stop. A bot needs the opposite of each.
RESTARTS = {
    "autostart": "true",
    "autorestart": "true",
    "startsecs": "0",
    "startretries": "1000000000",
    "stopsignal": "TERM",
    "stopwaitsecs": str(STOP_WAIT_S),
    "stopasgroup": "false",
    "killasgroup": "true",
    "redirect_stderr": "true",
}


def priorities(run: Run) -> dict[str, int]:
    """Returns the start priority of each program; supervisord stops them in the reverse order."""
    found = {"clockd": CLOCK_PRIORITY}
    if run.venue is not None:
        found["venue"] = VENUE_PRIORITY
    depth: dict[str, int] = {}
    for _ in run.actors:  # a chain is no longer than the number of actors
        for name, conf in run.actors.items():
            depth[name] = max((depth.get(one, 0) + 1 for one in conf.follows), default=0)
    return found | {name: SOURCE_PRIORITY if d == 0 else FOLLOWER_PRIORITY + d - 1 for name, d in depth.items()}


def render(run: Run, passphrase_file: Path | None = None) -> str:
    """Returns the whole configuration; it includes the folder of the actors that were added later."""
    folder = _text(run.dir)
    sections = [
        _section(
            "unix_http_server",
            {"file": f"{folder}/{SOCKET}", "chmod": "0700"},
        ),
        _section(
            "supervisord",
            {
                "logfile": f"{folder}/logs/supervisord.log",
                "pidfile": f"{folder}/supervisord.pid",
                "childlogdir": f"{folder}/logs",
                "umask": "077",
                "minfds": str(MIN_DESCRIPTORS),
                "silent": "true",
                "nocleanup": "true",
            }
            | ({"environment": f'TICKBUS_PASSPHRASE_FILE="{_text(passphrase_file)}"'} if passphrase_file else {}),
        ),
        _section("rpcinterface:supervisor", {"supervisor.rpcinterface_factory": FACTORY}),
        _section("supervisorctl", {"serverurl": f"unix://{folder}/{SOCKET}"}),
        _section("include", {"files": f"{_text(_pattern(str(run.dir)))}/{PROGRAMS}/*.conf"}),
    ]
    sections += [program(run, name) for name in priorities(run) if name not in run.extras]
    return "\n".join(sections)


def program(run: Run, name: str) -> str:
    """Returns the [program] section of one actor, of the clock or of the local exchange."""
    arguments = [name] if name in ("venue", "clockd") else ["actor", name]
    # -P: the current folder is not on sys.path, so a user's folder `market` beside the run file does not hide ours
    command = [sys.executable, "-P", "-m", "tickbus.main", *arguments, "--run", str(run.path), "--dir", str(run.dir)]
    options = {
        "command": _text(shlex.join(command)),
        "directory": _text(run.path.parent),
        "priority": str(priorities(run)[name]),
        "environment": f'TICKBUS_TABLE="{_digest(run, name)}"',
        **RESTARTS,
        "stdout_logfile": f"{_text(_text(run.dir))}/logs/{name}.out",  # supervisord expands this one twice
        "stdout_logfile_maxbytes": "4MB",
        "stdout_logfile_backups": "1",
    }
    return _section(f"program:{name}", options)


def _digest(run: Run, name: str) -> str:
    """Returns a digest of a program's table: supervisord restarts the program when its environment changes."""
    table: object = run.actors.get(name)
    if name == "clockd":
        table = run.clock  # without the actors: an actor that joins later does not restart the clock
    elif name == "venue":
        table = run.venue
    return hashlib.blake2b(msgspec.json.encode(table), digest_size=8).hexdigest()


FACTORY = "supervisor.rpcinterface:make_main_rpcinterface"


def _section(name: str, options: dict[str, str]) -> str:
    return "\n".join([f"[{name}]", *(f"{key} = {value}" for key, value in options.items()), ""])


def check_paths(run: Run) -> None:
    """Raises BadRunFile for a path that supervisord's configuration cannot contain."""
    for path in (run.dir, run.path):
        if found := _COMMENT.search(str(path)):
            raise BadRunFile(
                f"{path}: supervisord's configuration cannot contain {found[0]!r} in a path: "
                "rename the folder, or set another `dir`"
            )


_COMMENT = re.compile(r"\s[;#]|[\r\n]")  # supervisord reads a comment from here on


def _pattern(folder: str) -> str:
    """Returns a pattern that matches a folder of this name. supervisord splits a list of patterns at blanks, so these
    stand as "none of the visible characters"."""
    return re.sub(r"\s", "[!!-~]", glob.escape(folder))


def _text(value: object) -> str:
    """Returns `value` with percent signs doubled, since supervisord expands them."""
    return str(value).replace("%", "%%")
