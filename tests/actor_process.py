"""One of the sample actors as a process of its own.

python actor_process.py FOLDER NAME CLASS '{"settings": {...}, "options": {...}}'
"""

import json
import sys
from pathlib import Path

import msgspec
import sample_actors

from actors.live.driver import Live
from actors.live.lock import Lock
from actors.live.run_time import RunTime
from actors.log.log import make_log


def main() -> int:
    folder, name, kind = Path(sys.argv[1]), sys.argv[2], getattr(sample_actors, sys.argv[3])
    conf = json.loads(sys.argv[4])
    table, options = conf["settings"], conf["options"]
    if options.pop("wall_steps", False):
        sample_actors.step_the_wall_clock()
    if "start_ns" in kind.Settings.__struct_fields__:
        table.setdefault("start_ns", RunTime(folder).started_ns)
    with (folder / f"{name}.log").open("a", buffering=1) as lines:
        log = make_log(name, write=lines.write)
        epoch = Lock(folder, name).acquire()
        live = Live(name, kind, msgspec.convert(table, kind.Settings), folder, log=log, epoch=epoch, **options)
        live.runtime.actor.runtime = live.runtime  # for actors that report what their runtime has counted
        return live.run()


if __name__ == "__main__":
    sys.exit(main())
