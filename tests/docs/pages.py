"""The pages of the documentation as data: fenced blocks with their marks, links, tables, named lines.

    python tests/docs/pages.py

updates what follows from the code: lines of named functions, files that a page shows, and the table of faults.
"""

import re
import sys
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
from venue.faults.kinds.catalogue import KINDS  # noqa: E402

PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]

_BLOCK = re.compile(r"(?:^<!-- ([^\n]*?) -->\n)?^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)|!\[[^\]]*\]\(([^)\s]+)\)")
NAMED_LINE = re.compile(r"\[`([\w/]+\.py):(\d+)`\]\(([\w/.]+)#L(\d+)\) `(\w+)`")
_FAULT_ROW = re.compile(r"^\| `(\w+)` \| .* \|$", re.MULTILINE)
_SHOWN_FILE = re.compile(r"(<!-- file: (\S+) -->\n```python\n).*?(^```)", re.MULTILINE | re.DOTALL)


class Block(NamedTuple):
    """A fenced block. `mark` is the text of the comment directly above it."""

    page: Path
    line: int
    mark: str
    language: str
    text: str

    @property
    def where(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def blocks(page: Path) -> list[Block]:
    text = page.read_text(encoding="utf-8")
    return [
        Block(page, text[: found.start(3)].count("\n"), found[1] or "", found[2], found[3])
        for found in _BLOCK.finditer(text)
    ]


def links(page: Path) -> list[str]:
    """Targets of links and pictures, except those in code blocks."""
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    return [one or two for one, two in _LINK.findall(text)]


def anchors(page: Path) -> set[str]:
    """The anchors of a page: its headings, in GitHub's form."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    plain = [re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings]
    return {heading.strip().replace(" ", "-") for heading in plain}


def tables(page: Path) -> dict[str, dict[str, tuple[str, str]]]:
    """{heading: {key: (default, description)}} of the tables of settings. The first column is `code`."""
    found: dict[str, dict[str, tuple[str, str]]] = {}
    heading = ""
    for line in page.read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            heading = line.lstrip("# ")
        elif row := re.match(r"\| `(\w+)` \|\s*(.*?)\s*\|\s*(.*?)\s*\|$", line):
            found.setdefault(heading, {})[row[1]] = (row[2].strip("`"), row[3])
    return found


def line_of(path: Path, function: str) -> int:
    """The line that defines a function. Raises StopIteration if there is none."""
    lines = path.read_text(encoding="utf-8").splitlines()
    define = re.compile(rf"\s*(async )?def {function}\(")
    return next(n for n, line in enumerate(lines, start=1) if define.match(line))


def refreshed(text: str) -> str:
    """A page with its named lines, shown files and faults as they are now."""

    def named(found: re.Match[str]) -> str:
        path, _, link, _, function = found.groups()
        line = line_of(ROOT / path, function)
        return f"[`{path}:{line}`]({link}#L{line}) `{function}`"

    def shown(found: re.Match[str]) -> str:
        return found[1] + (ROOT / found[2]).read_text(encoding="utf-8") + found[3]

    before, heading, faults = _SHOWN_FILE.sub(shown, NAMED_LINE.sub(named, text)).partition("\n## Faults\n\nThe local")
    return before + heading + _FAULT_ROW.sub(_fault, faults)


def _fault(row: re.Match[str]) -> str:
    kind = KINDS.get(row[1])
    return row[0] if kind is None else f"| `{row[1]}` | {(kind.__doc__ or '').strip().splitlines()[0]} |"


if __name__ == "__main__":
    for one in PAGES:
        before = one.read_text(encoding="utf-8")
        if (after := refreshed(before)) != before:
            one.write_text(after, encoding="utf-8")
            print(f"{one.relative_to(ROOT)} refreshed")
