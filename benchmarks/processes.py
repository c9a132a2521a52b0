"""The memory of a tree of processes, from /proc."""

from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")


@dataclass(frozen=True)
class Memory:
    """One process, in MB of 10**6 bytes: `rss_mb` counts shared pages in full, `pss_mb` its share of them."""

    pid: int
    name: str
    rss_mb: float
    pss_mb: float


def tree(root_pid: int) -> list[int]:
    """Returns the process and all its descendants that still run."""
    children: dict[int, list[int]] = {}
    for status in PROC.glob("[0-9]*/stat"):
        try:
            text = status.read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue
        parent_pid = int(text.rpartition(")")[2].split()[1])
        children.setdefault(parent_pid, []).append(int(status.parent.name))
    found = [root_pid]
    for pid in found:
        found += sorted(children.get(pid, []))
    return found


def memory_of(pid: int) -> Memory | None:
    """Returns the memory of one process; None if it has ended."""
    folder = PROC / str(pid)
    try:
        fields = dict(line.split(":", 1) for line in (folder / "smaps_rollup").read_text().splitlines()[1:])
        words = (folder / "cmdline").read_bytes().rstrip(b"\0").decode(errors="replace").split("\0")
    except (FileNotFoundError, ProcessLookupError):
        return None
    rss_mb, pss_mb = (int(fields[key].split()[0]) * 1024 / 1e6 for key in ("Rss", "Pss"))
    return Memory(pid, _name(words), round(rss_mb, 1), round(pss_mb, 1))


def _name(words: list[str]) -> str:
    """Returns the command line without interpreter, folders and options: "tickbus actor maker"."""
    plain = [Path(word).name for word in words if not word.startswith("-")]
    if len(plain) > 1 and plain[0].startswith("python"):
        del plain[0]
    return " ".join(plain[:3])
