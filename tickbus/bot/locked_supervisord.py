"""supervisord under the lock of its bot, so that a bot runs once.

python -m tickbus.bot.locked_supervisord RUN_DIR bound|free SUPERVISORD_ARGUMENTS...
"""

import fcntl
import os
import sys
from pathlib import Path

from actors.live.lock import Lock
from protocol.errors import TickbusError
from tickbus.bot.registry import SUPERVISOR
from tickbus.bot.supervisor_logs import make_logs_lossy
from tickbus.process.kernel import stop_with_parent

BOUND, FREE = "bound", "free"


def main() -> int:
    """Runs supervisord while holding the bot's lock. `bound`: supervisord ends when its parent ends."""
    folder, lifetime, arguments = Path(sys.argv[1]), sys.argv[2], sys.argv[3:]
    os.umask(0o077)
    if lifetime == BOUND:
        stop_with_parent()
    lock = Lock(folder, SUPERVISOR)
    try:
        lock.acquire()
    except TickbusError as error:
        sys.stderr.write(f"tickbus: {error}\n")
        return error.exit_code
    # systemd-tmpfiles, which cleans /tmp, removes nothing from a folder that is locked.
    fcntl.flock(os.open(folder, os.O_RDONLY | os.O_CLOEXEC), fcntl.LOCK_SH | fcntl.LOCK_NB)
    from supervisor import supervisord

    from tickbus.bot.child_groups import end_groups_with_their_leader

    end_groups_with_their_leader()
    make_logs_lossy()
    supervisord.main(["-n", *arguments])  # in the foreground: a caller that wants a daemon starts a session for it
    return 0


if __name__ == "__main__":
    sys.exit(main())
