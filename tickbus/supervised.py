"""supervisord, holding its house: `python -m tickbus.supervised LOCK_DIR bound|free supervisord-arguments...`"""

import os
import sys
from pathlib import Path

from actors.live.lock import Lock
from protocol.errors import TickbusError
from tickbus.process import die_with_parent

BOUND, FREE = "bound", "free"


def main() -> int:
    """Hold the house's lock for as long as supervisord runs. `bound`: it ends with its parent."""
    folder, bond, arguments = Path(sys.argv[1]), sys.argv[2], sys.argv[3:]
    os.umask(0o077)
    if bond == BOUND:
        die_with_parent()
    lock = Lock(folder, "supervisord")
    try:
        lock.acquire()
    except TickbusError as error:
        sys.stderr.write(f"tickbus: {error}\n")
        return error.exit_code
    from supervisor import supervisord

    supervisord.main(["-n", *arguments])  # whoever wants it in the background starts a session for it
    return 0


if __name__ == "__main__":
    sys.exit(main())
