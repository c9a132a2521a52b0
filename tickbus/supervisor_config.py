"""The supervisord configuration of a run: one program an actor, with the settings that a bot needs."""

import hashlib
import shlex
import sys
from pathlib import Path

import msgspec

from actors.run.run_file import Run

SOCKET = "supervisord.sock"
CONF = "supervisord.conf"
PROGRAMS = "programs.d"  # one file a program that joined later

VENUE_PRIORITY = 10
CLOCK_PRIORITY = 20
SOURCE_PRIORITY = 30  # actors that follow nobody: connectors
FOLLOWER_PRIORITY = 40  # and who follows them, one more for each step
STOP_WAIT_S = 12  # an actor may take 8 s to wind up; then it is killed

# supervisord gives up after four quick exits, takes exit code 0 for a wish, and lets children outlive it: not here.
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
    """Start order of all programs; supervisord stops them in the reverse order, one priority after the other."""
    found = {"clockd": CLOCK_PRIORITY}
    if run.venue is not None:
        found["venue"] = VENUE_PRIORITY
    depth: dict[str, int] = {}
    for _ in run.actors:  # a chain is no longer than the number of actors
        for name, conf in run.actors.items():
            depth[name] = max((depth.get(one, 0) + 1 for one in conf.follows), default=0)
    return found | {name: SOURCE_PRIORITY if d == 0 else FOLLOWER_PRIORITY + d - 1 for name, d in depth.items()}


def render(run: Run, passphrase_file: Path | None = None) -> str:
    """The whole configuration, programs that joined later included by their folder."""
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
                "silent": "true",
                "nocleanup": "true",
            }
            | ({"environment": f'TICKBUS_PASSPHRASE_FILE="{_text(passphrase_file)}"'} if passphrase_file else {}),
        ),
        _section("rpcinterface:supervisor", {"supervisor.rpcinterface_factory": FACTORY}),
        _section("supervisorctl", {"serverurl": f"unix://{folder}/{SOCKET}"}),
        _section("include", {"files": f"{folder}/{PROGRAMS}/*.conf"}),
    ]
    sections += [program(run, name) for name in priorities(run) if name not in run.extras]
    return "\n".join(sections)


def program(run: Run, name: str) -> str:
    """The [program] of one actor, of the clock or of the local exchange."""
    verb = [name] if name in ("venue", "clockd") else ["actor", name]
    # -P: a folder `market` or `venue` beside somebody's run file is not ours
    command = [sys.executable, "-P", "-m", "tickbus.main", *verb, "--run", str(run.path), "--dir", str(run.dir)]
    options = {
        "command": _text(shlex.join(command)),
        "directory": _text(run.path.parent),
        "priority": str(priorities(run)[name]),
        "environment": f'TICKBUS_TABLE="{_digest(run, name)}"',
        **RESTARTS,
        "stdout_logfile": f"{_text(run.dir)}/logs/{name}.out",
        "stdout_logfile_maxbytes": "4MB",
        "stdout_logfile_backups": "1",
    }
    return _section(f"program:{name}", options)


def _digest(run: Run, name: str) -> str:
    """Changes with what the run file says of a program, so that supervisord sees that it is to be restarted."""
    table: object = run.actors.get(name)
    if name == "clockd":
        table = run.clock  # who joins later needs no new clock
    elif name == "venue":
        table = run.venue
    return hashlib.blake2b(msgspec.json.encode(table), digest_size=8).hexdigest()


FACTORY = "supervisor.rpcinterface:make_main_rpcinterface"


def _section(name: str, options: dict[str, str]) -> str:
    return "\n".join([f"[{name}]", *(f"{key} = {value}" for key, value in options.items()), ""])


def _text(value: object) -> str:
    """Percent signs begin an expansion in supervisord's files."""
    return str(value).replace("%", "%%")
