"""One actor of a test's cast as a process of its own.

python cast_process.py FOLDER NAME CAST.py CLASS '{"settings": {...}, "options": {...}}'
"""

import json
import runpy
import sys
from pathlib import Path

import msgspec

from actors.live.driver import Live
from actors.live.lock import Lock
from actors.live.run_time import RunTime
from actors.log.log import make_log


def main() -> int:
    folder, name, path, which = Path(sys.argv[1]), *sys.argv[2:5]
    cast, conf = runpy.run_path(path, run_name="cast"), json.loads(sys.argv[5])
    kind, table, options = cast[which], conf["settings"], conf["options"]
    if options.pop("wall_steps", False):
        cast["step_the_wall_clock"]()
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
