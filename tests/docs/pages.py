"""The documents of the repository, cut into fenced blocks, links and names.

Knows: Markdown as these pages use it. Does not know: what a block does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
RUN = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), ROOT / "SECURITY.md"]
"""Pages whose code is run."""
READ = [*RUN, *(ROOT / name for name in ("CONTRIBUTING.md", "CHANGELOG.md"))]
"""Pages whose links and names are checked."""

_FENCE = re.compile(r"^```(?P<info>[^\n`]*)\n(?P<text>.*?)^```\s*$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"(?<!!)\[[^\]]*\]\((?P<target>[^)\s]+)\)")
_CODE = re.compile(r"`(?P<code>[^`\n]+)`")
_HEADING = re.compile(r"^#{1,6} (?P<title>.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """info: what stands behind the fence. line: number in the page of the first line of `text`."""

    page: Path
    info: str
    text: str
    line: int

    @property
    def language(self) -> str:
        return self.info.split()[0] if self.info.split() else ""

    @property
    def place(self) -> str:
        return f"{name(self.page)}:{self.line}"


def name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def blocks(page: Path) -> list[Block]:
    text = page.read_text(encoding="utf-8")
    return [
        Block(page, found["info"].strip(), found["text"], text[: found.start("text")].count("\n") + 1)
        for found in _FENCE.finditer(text)
    ]


def prose(page: Path) -> str:
    """The page without its fenced blocks."""
    return _FENCE.sub("", page.read_text(encoding="utf-8"))


def links(page: Path) -> Iterator[str]:
    for found in _LINK.finditer(_CODE.sub("", prose(page))):
        yield found["target"]


def code(page: Path) -> Iterator[str]:
    """What stands between backticks in the prose."""
    for found in _CODE.finditer(prose(page)):
        yield found["code"].strip()


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    titles = (found["title"].replace("`", "") for found in _HEADING.finditer(prose(page)))
    return {re.sub(r"[^\w\- ]", "", title.strip().lower()).replace(" ", "-") for title in titles}
