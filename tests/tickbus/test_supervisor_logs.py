"""supervisord's logs on a full disk: lines are lost, nothing is raised, and lines are written again later."""

import subprocess
import sys
from textwrap import dedent

import pytest

pytestmark = pytest.mark.process


def run(tmp_path, code):
    """Runs code in a process of its own: it changes classes of supervisord."""
    begin = f"from pathlib import Path\nfolder = Path({str(tmp_path)!r})\n"
    command = [sys.executable, "-c", begin + dedent(code)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)


def test_a_log_on_a_full_disk_loses_lines_and_goes_on(tmp_path):
    done = run(tmp_path, """
        from tickbus.bot.supervisor_logs import make_logs_lossy
        make_logs_lossy()
        from supervisor import loggers
        path = folder / "supervisord.log"
        path.symlink_to("/dev/full")
        log = loggers.Logger()
        loggers.handle_file(log, str(path), "%(message)s\\n", rotating=True, maxbytes=200, backups=1)
        for n in range(100):
            log.critical(f"lost {n}")
        path.unlink()
        for handler in log.handlers:
            try:
                handler.stream.close()
            except OSError:
                pass
        for n in range(100):
            log.info(f"kept {n}")
        older = path.with_name("supervisord.log.1")
        print(sorted(one.name for one in folder.iterdir()), "kept 99" in path.read_text() + older.read_text())
    """)  # fmt: skip
    assert done.stderr == ""
    assert done.stdout == "['supervisord.log', 'supervisord.log.1'] True\n"
