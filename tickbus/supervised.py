"""supervisord, bound to who started it: `python -m tickbus.supervised LOCK_DIR supervisord-arguments...`"""

import os
import sys
from pathlib import Path

from actors.lock import Lock
from protocol.errors import TickbusError
from tickbus.process import die_with_parent


def main() -> int:
    """Hold the house's lock for as long as supervisord runs. With `-n` (foreground) it ends with its parent."""
    folder, arguments = Path(sys.argv[1]), sys.argv[2:]
    os.umask(0o077)
    if "-n" in arguments:
        die_with_parent()
    lock = Lock(folder, "supervisord")
    try:
        lock.acquire()
    except TickbusError as error:
        sys.stderr.write(f"tickbus: {error}\n")
        return error.exit_code
    from supervisor import supervisord

    supervisord.main(arguments)
    return 0


if __name__ == "__main__":
    sys.exit(main())
