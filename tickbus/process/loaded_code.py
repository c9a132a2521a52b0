"""LoadedCode: which Python files a process has loaded, and whether they have changed since."""

import hashlib
import json
import sys
import sysconfig
from contextlib import suppress
from pathlib import Path

LIBRARIES = tuple({sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")})


class LoadedCode:
    """The files of one actor's process, in `<run folder>/NAME.code`: those of the user, and of a checkout of tickbus.

    Python's own files and installed packages are left out: an upgrade of these needs a restart of the whole bot.
    """

    def __init__(self, run_dir: Path, name: str) -> None:
        self._path = run_dir / f"{name}.code"

    def record(self) -> None:
        """Stores the files that this process has loaded until now. On a full disk nothing is stored."""
        files = {str(getattr(one, "__file__", None)) for one in list(sys.modules.values())}
        found = {file: _digest(Path(file)) for file in sorted(files) if _is_source(file)}
        fresh = self._path.with_name(self._path.name + ".new")
        with suppress(OSError):
            try:
                fresh.write_text(json.dumps(found))
                fresh.rename(self._path)
            except OSError:
                fresh.unlink(missing_ok=True)
                self._path.unlink(missing_ok=True)

    def changed(self) -> list[Path]:
        """Returns the recorded files whose content is another one now, sorted; none if nothing was recorded."""
        try:
            recorded = json.loads(self._path.read_text())
            return [Path(file) for file, digest in recorded.items() if _digest(Path(file)) != digest]
        except (OSError, ValueError, AttributeError):
            return []


def _is_source(file: str) -> bool:
    return file.endswith(".py") and not file.startswith(LIBRARIES)


def _digest(file: Path) -> str:
    try:
        return hashlib.blake2b(file.read_bytes(), digest_size=16).hexdigest()
    except OSError:
        return ""
