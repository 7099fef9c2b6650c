"""The pages a person reads, cut into what can be checked: code blocks, sections, tables, links."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
PAGES = ["README.md", "CONTRIBUTING.md", *(f"docs/{path.name}" for path in sorted((REPOSITORY / "docs").glob("*.md")))]

_FENCE = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^(#+) (.+)$", re.MULTILINE)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_SPAN = re.compile(r"`([^`\n]+)`")


@dataclass(frozen=True)
class Block:
    """A fenced block: the page it is on, the line of its fence, its language and its text."""

    page: str
    line: int
    language: str
    text: str

    @property
    def place(self) -> str:
        """Page and line, as an editor opens it."""
        return f"{self.page}:{self.line}"


def read(page: str) -> str:
    """Return the text of *page*."""
    return (REPOSITORY / page).read_text("utf-8")


def blocks(page: str) -> list[Block]:
    """Return the fenced blocks of *page*."""
    text = read(page)
    return [
        Block(page, text.count("\n", 0, found.start()) + 1, found[1].strip(), found[2])
        for found in _FENCE.finditer(text)
    ]


def blocks_in(*languages: str) -> list[Block]:
    """Return the blocks of all pages that are written in one of *languages*."""
    return [block for page in PAGES for block in blocks(page) if block.language in languages]


def prose(page: str) -> str:
    """Return *page* without its fenced blocks."""
    return _FENCE.sub("", read(page))


def spans(text: str) -> list[str]:
    """Return what stands between single backticks in *text*."""
    return _SPAN.findall(text)


def links(page: str) -> list[str]:
    """Return the targets of the links of *page*."""
    return _LINK.findall(prose(page))


def anchors(page: str) -> set[str]:
    """Return the anchors of the headings of *page*, as GitHub makes them."""
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for _, title in _HEADING.findall(prose(page))}


def section(page: str, title: str) -> str:
    """Return the text below the heading *title*, up to the next heading of its rank or above, without blocks."""
    text = prose(page)
    headings = [(found, len(found[1])) for found in _HEADING.finditer(text)]
    start, rank = next((found.end(), rank) for found, rank in headings if found[2] == title)
    end = next((found.start() for found, other in headings if found.start() > start and other <= rank), len(text))
    return text[start:end]


def table_names(text: str) -> set[str]:
    """Return every name in backticks in the first column of the tables in *text*."""
    first = (line.strip("| ").partition(" | ")[0] for line in text.splitlines() if line.startswith("|"))
    return {name for cell in first for name in spans(cell)}


def command_lines(text: str) -> list[list[str]]:
    """Return the commands of a shell block as words, without prompts, comments, variables before them and pipes."""
    found = []
    for line in text.replace("\\\n", " ").splitlines():
        for part in re.split(r"\s(?:&&|\||>)\s", line.removeprefix("$ ")):
            words = shlex.split(part, comments=True)
            while len(words) > 1 and re.fullmatch(r"[A-Z_]+=.*", words[0]):
                del words[0]
            if words:
                found.append(words)
    return found
