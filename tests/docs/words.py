"""The texts of pages and sources (docstrings, comments, log events, errors), and the words that docs/style.md refuses.

    python tests/docs/words.py [folder or file ...]

prints each finding as `file:line: word: text`; without arguments, of all packages and pages.
"""

import ast
import io
import re
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("protocol", "market", "actors", "clockd", "connectors", "strategies", "venue", "monitor", "tickbus")
TESTS = sorted(
    {f"tests/{one.parent.name}" for one in (ROOT / "tests").glob("*/*.py")}
    | {f"tests/{one.name}" for one in (ROOT / "tests").glob("*.py")}
)
OTHERS = (
    "benchmarks",
    "examples",
    *TESTS,
    "runs",
    "Makefile",
    "supervisord.conf",
    ".ci/run",
    "pyproject.toml",
    "setup.py",
    "tickbus_imports.py",
)
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
PICTURES = sorted((ROOT / "docs").rglob("*.svg"))
STYLE = ROOT / "docs" / "style.md"

_CODE = re.compile(r"``.+?``|`[^`\n]+`")


class Text(NamedTuple):
    """A text of a source file or page, at the line where it starts."""

    path: Path
    line: int
    text: str


class Finding(NamedTuple):
    path: Path
    line: int
    word: str
    text: str

    def __str__(self) -> str:
        return f"{self.path.relative_to(ROOT)}:{self.line}: {self.word}: {self.text.strip()}"


def banned_words(page: Path = STYLE) -> list[str]:
    """The words in the column "Not" of the word list, in the order of the page."""
    _, _, table = page.read_text(encoding="utf-8").partition("| Use | Not")
    rows = table.partition("\n\n")[0].splitlines()[2:]
    return [word for row in rows for word in re.findall(r"`([^`]+)`", row.split(" | ")[-1])]


def pattern(words: list[str]) -> re.Pattern[str]:
    """Matches each word as a whole, with or without a final s, in any case."""
    longest_first = sorted(words, key=len, reverse=True)
    alternatives = "|".join(re.escape(word).replace(r"\ ", r"\s+") + "s?" for word in longest_first)
    return re.compile(rf"(?:\b|(?='))(?:{alternatives})\b", re.IGNORECASE)


def findings(text: Text, refused: re.Pattern[str]) -> Iterator[Finding]:
    """The refused words in a text. Inline code is exempt."""
    plain = _CODE.sub(lambda code: "\n" * code[0].count("\n"), text.text)
    lines = plain.splitlines()
    for found in refused.finditer(plain):
        offset = plain.count("\n", 0, found.start())
        yield Finding(text.path, text.line + offset, found[0], lines[offset])


def page_text(path: Path) -> Text:
    """A page without code blocks, comments and targets of links; line numbers are kept."""
    text = path.read_text(encoding="utf-8")
    blank = re.compile(r"^```.*?^```|<!--.*?-->|(?<=\])\([^)\s]+\)", re.MULTILINE | re.DOTALL)
    return Text(path, 1, blank.sub(lambda found: "\n" * found[0].count("\n"), text))


def picture_texts(path: Path) -> Iterator[Text]:
    """Labels, title and description of an SVG picture."""
    source = path.read_text(encoding="utf-8")
    for found in re.finditer(r"<(text|title|desc)\b[^>]*>([^<]*)<", source):
        yield Text(path, source.count("\n", 0, found.start()) + 1, found[2])


def source_texts(path: Path) -> Iterator[Text]:
    """The texts of a source file for readers and users."""
    if path.suffix in (".py", ".pyi"):
        yield from _python_texts(path)
    elif path.suffix in (".pyx", ".pxd"):
        yield from _cython_texts(path)
    else:
        yield from _comments(path)


def _python_texts(path: Path) -> Iterator[Text]:
    """Comments, docstrings, and every string with a space in it: log events, errors, help, reasons.

    Of a test: its name, comments and docstrings; its other strings are data.
    """
    source = path.read_text(encoding="utf-8")
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield Text(path, token.start[0], token.string)
    nodes = list(ast.walk(ast.parse(source)))
    docstrings = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
    is_test = path.is_relative_to(ROOT / "tests")
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value.strip():
            if id(node) in docstrings or not is_test:
                yield Text(path, node.lineno, node.value)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            yield Text(path, node.lineno, node.name.replace("_", " "))


def _cython_texts(path: Path) -> Iterator[Text]:
    """Comments and triple-quoted texts: Cython has no parser in the standard library."""
    source = path.read_text(encoding="utf-8")
    for found in re.finditer(r'"""(.*?)"""', source, re.DOTALL):
        yield Text(path, source.count("\n", 0, found.start()) + 1, found[1])
    for number, line in enumerate(source.splitlines(), start=1):
        if found := re.search(r"(?:^|\s)(#\s.*|//\s.*)$", line):
            yield Text(path, number, found[1])


def _comments(path: Path) -> Iterator[Text]:
    """Comments of TOML and INI files, of a makefile and of a shell script."""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if found := re.search(r"(?:^|\s)[#;]+\s(.*)$", line):
            yield Text(path, number, found[1])


def sources(folder: Path) -> list[Path]:
    if folder.is_file():
        return [folder]
    return sorted(path for kind in ("py", "pyx", "pxd", "pyi", "md", "toml") for path in folder.rglob(f"*.{kind}"))


def check(paths: list[Path]) -> list[Finding]:
    """The refused words of pages and sources, by file and line."""
    refused = pattern(banned_words())
    texts: list[Text] = []
    for path in paths:
        if path.suffix == ".md":
            texts.append(page_text(path))
        else:
            texts += picture_texts(path) if path.suffix == ".svg" else source_texts(path)
    return sorted(found for text in texts for found in findings(text, refused))


if __name__ == "__main__":
    folders = [Path(one).resolve() for one in sys.argv[1:]] or [ROOT / one for one in PACKAGES + OTHERS] + PAGES
    for found in check([path for folder in folders for path in sources(folder)]):
        print(found)
