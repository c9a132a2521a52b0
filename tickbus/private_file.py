"""Files of a run folder that only their owner may read, replaced as a whole."""

from pathlib import Path

from actors.run.run_dir import check_private


def write_private(folder: Path, name: str, text: str) -> None:
    """Writes or replaces the file `name` in `folder`, mode 0600. Raises BadRunFile if others may read the folder."""
    check_private(folder)
    path = folder / name
    fresh = path.with_name(path.name + ".new")
    fresh.write_text(text, encoding="utf-8")
    fresh.chmod(0o600)
    fresh.rename(path)
