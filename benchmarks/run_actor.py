"""`python -m benchmarks.run_actor USE NAME FOLDER SETTINGS EPOCH`: one live actor; prints its `result`."""

import json
import sys
from pathlib import Path

import msgspec

from actors.live.driver import Live
from actors.log.log import make_log
from actors.run.class_loader import load_class


def main(use: str, name: str, folder: str, settings: str, epoch: str) -> int:
    kind = load_class(use)
    converted = msgspec.convert(json.loads(settings), kind.Settings, strict=False)
    log = make_log(name, level="warning")
    keys = getattr(kind, "bench_keys", None)
    live = Live(name, kind, converted, Path(folder), keys=keys, epoch=int(epoch), log=log)
    exit_code = live.run()
    result = getattr(live.runtime.actor, "result", None)
    if result is not None:
        print(json.dumps(result), flush=True)
    return exit_code


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
