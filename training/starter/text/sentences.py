"""Cut running text into sentences that are worth learning from.

Knows: markup of docstrings and manuals, where sentences end, what is not English prose. Does not know: where the text
is from.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

SHORTEST, LONGEST = 3, 28
"""Words in a sentence; a longer one is cut at its commas."""

_MARKUP = re.compile(
    r":\w+(?::\w+)*:`~?([^`<]*)[^`]*`_*|``([^`]*)``|`([^`<]*)(?:<[^>]*>)?`_*|\*\*([^*]+)\*\*|\*([^*\s][^*]*)\*"
)
_NOTE = re.compile(r"\[\d+\]_?|<[^>]{1,80}>|\.\. \w+::|https?://\S+")
_TITLES = r"(?<!\bMr\.)(?<!\bMrs\.)(?<!\bDr\.)(?<!\bSt\.)(?<!\bvs\.)(?<!e\.g\.)(?<!i\.e\.)"
_END = re.compile(rf"(?<=[.!?]){_TITLES}[\"')\]]*\s+(?=[\"'(\[]*[A-Z])")
_CLAUSE = re.compile(r"(?<=[,;:])\s+|\s+(?=--|—|–)")
_SPACE = re.compile(r"\s+")
_PROSE = re.compile(r"[A-Za-z ]")


def paragraphs(text: str) -> Iterator[str]:
    """Blocks between empty lines, each joined to one line; code, tables and prompts are left out."""
    for block in re.split(r"\n\s*\n|\n(?=\s*[-*•] )", text):
        lines = block.splitlines()
        if any(re.match(r"\s*(>>>|\.\.\.|\$|[-=~^+|]{3,})", line) for line in lines):
            continue
        yield _SPACE.sub(" ", block).strip()


def plain(text: str) -> str:
    """Without the marks of reStructuredText and Markdown."""
    text = _MARKUP.sub(lambda found: next(part for part in found.groups() if part is not None), text)
    return _SPACE.sub(" ", _NOTE.sub(" ", text)).strip(" -*•\t")


def is_prose(sentence: str) -> bool:
    """Mostly letters and spaces, and of a length to learn from."""
    words = sentence.count(" ") + 1
    return SHORTEST <= words <= LONGEST and len(_PROSE.findall(sentence)) > 0.86 * len(sentence) and len(sentence) < 240


def shorter(sentence: str) -> list[str]:
    """The sentence, or when it is too long pieces of it that end at commas, of at least six words where that goes."""
    if sentence.count(" ") < LONGEST:
        return [sentence]
    pieces: list[str] = []
    for clause in _CLAUSE.split(sentence):
        if pieces and pieces[-1].count(" ") + clause.count(" ") < 15:
            pieces[-1] += " " + clause
        else:
            pieces.append(clause)
    return [piece.strip(" ,;:") for piece in pieces]


def sentences(text: str) -> Iterator[str]:
    """Prose sentences of a text with paragraphs."""
    for paragraph in paragraphs(text):
        for whole in _END.split(plain(paragraph)):
            yield from filter(is_prose, shorter(whole))


def distinct(items: Iterable[str]) -> list[str]:
    """In their order, each once; letter case and the full stop do not count."""
    return list({item.lower().rstrip(". "): item for item in reversed(list(items))}.values())[::-1]
