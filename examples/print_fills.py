"""Print the fills of a running bot, through a tap.

Start a bot:    tickbus run examples/ping_pong.toml
Beside it:      python examples/print_fills.py examples/ping_pong.toml

The argument is the bot's run file or run folder. Explained in docs/tap.md.
"""

import sys
from pathlib import Path

from actors.tap import Tap
from protocol import Fill
from protocol.errors import TickbusError

DEFAULT = Path(__file__).parent / "ping_pong.toml"


def main() -> None:
    try:
        with Tap(sys.argv[1] if len(sys.argv) > 1 else DEFAULT, Fill) as tap:
            for message in tap:
                fill = message.body
                if isinstance(fill, Fill):
                    print(message.sender, fill.side.name, fill.last_lots, "lots at", fill.last_ticks, "ticks")
                    sys.stdout.flush()
    except TickbusError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
