"""Development text: English that shares nothing with what is trained on.

Knows: the sets, and how a training sentence is held against them. Does not know: models.
"""

from __future__ import annotations

import hashlib
import re
import sysconfig
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path

from .sentences import distinct, is_prose, sentences
from .sources import docstrings, r_strings

SHINGLE = 8
"""A training sentence that shares this many words in a row with a development sentence is dropped."""


def by_hash(items: Iterable[str]) -> list[str]:
    """In an order that depends on the texts alone."""
    return sorted(items, key=lambda item: hashlib.sha256(item.encode()).digest())


def standard_library() -> Iterator[str]:
    """Docstrings of Python's standard library."""
    return docstrings(Path(sysconfig.get_path("stdlib")))


def austen() -> Iterator[str]:
    """Jane Austen's novels (r-cran-janeaustenr, public domain)."""
    lines = r_strings(Path("/usr/lib/R/site-library/janeaustenr/data/Rdata.rdb"))
    return sentences("\n".join(line.replace("_", "") for line in lines))


def fortunes() -> Iterator[str]:
    """Quotations and jokes (fortunes, fortunes-min); measured on only."""
    for path in sorted(Path("/usr/share/games/fortunes").iterdir()):
        if not path.suffix and path.name not in ("ascii-art", "cookie.dat"):
            for quotation in path.read_text(encoding="utf-8", errors="ignore").split("\n%\n"):
                yield from sentences(re.sub(r"\n\s*--.*", "", quotation, flags=re.DOTALL))


def harvard() -> Iterator[str]:
    """The Harvard sentences, everyday English (r-cran-stringr, public domain)."""
    path = Path("/usr/lib/R/site-library/stringr/data/Rdata.rdb")
    return filter(is_prose, r_strings(path)) if path.is_file() else iter(())


NATURAL: dict[str, Callable[[], Iterator[str]]] = {
    "docstrings": standard_library,
    "austen": austen,
    "fortunes": fortunes,
    "harvard": harvard,
}


@cache
def natural(name: str) -> tuple[str, ...]:
    """All sentences of one set, in an order by hash: the first thousands are a sample."""
    return tuple(by_hash(distinct(NATURAL[name]())))


def words(sentence: str) -> list[str]:
    """Lower-case words and numbers."""
    return re.findall(r"[a-z0-9]+", sentence.lower())


def _prints(sentence: str) -> list[str]:
    parts = words(sentence)
    return [" ".join(parts[start : start + SHINGLE]) for start in range(max(1, len(parts) - SHINGLE + 1))]


@cache
def _known() -> frozenset[str]:
    return frozenset(print_ for name in NATURAL for sentence in natural(name) for print_ in _prints(sentence))


def overlaps(sentence: str) -> bool:
    """Whether the sentence, or eight words of it in a row, is in a development set."""
    return not _known().isdisjoint(_prints(sentence))
