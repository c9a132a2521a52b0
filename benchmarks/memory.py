"""A measuring process: runs the default bot, reads the memory of each of its processes, and lets it end by itself."""

import json
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.processes import memory_of, tree
from benchmarks.worker import serve

RUN_S = 20
MEASURED_AFTER_S = 15
END_WITHIN_S = 60


def measure() -> dict[str, Any]:
    """Returns the megabytes of the whole bot and of each process. Raises RuntimeError if the bot does not trade."""
    command = [str(Path(sys.executable).with_name("tickbus")), "run", "--for", str(RUN_S), "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as run:
        try:
            time.sleep(MEASURED_AFTER_S)
            found = [one for one in map(memory_of, tree(run.pid)) if one is not None]
            output, _none = run.communicate(timeout=END_WITHIN_S)
        except BaseException:
            run.terminate()
            raise
    if run.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {run.returncode}")
    summary = json.loads(output.splitlines()[-1])
    if not summary["ticks"] or not summary["orders_sent"]:
        raise RuntimeError(f"the run did not trade: {summary}")
    pss_mb, rss_mb = (round(sum(getattr(one, key) for one in found), 1) for key in ("pss_mb", "rss_mb"))
    each = ", ".join(f"{one.name} {one.pss_mb:.0f} ({one.rss_mb:.0f})" for one in found)
    detail = {
        "processes": [asdict(one) for one in found],
        "rss_mb": rss_mb,
        "note": f"MB as PSS (and RSS, which counts shared pages in each process: {rss_mb:.0f} in all): {each}",
    }
    return {"pss_mb": pss_mb, "detail": detail}


if __name__ == "__main__":
    serve(measure)
