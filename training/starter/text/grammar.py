"""Everyday sentences, queries, headlines and titles from a grammar.

Knows: how grammar.txt is filled in, which words WordNet can put in as well. Does not know: the teacher, other sources.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np

from .sources import WORDNET

GRAMMAR = Path(__file__).parent / "grammar.txt"
RARE = 0.35
"""How often a thing or its adjective comes from WordNet and not from the topic."""

_SLOT = re.compile(r"\{(\w+)\}")
_VOWEL = re.compile(r"\b([Aa]) (?=[aeiou](?!ne\b|ni))")


@cache
def sections() -> dict[str, list[str]]:
    """Lines of the grammar by section."""
    found: dict[str, list[str]] = {}
    for line in GRAMMAR.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            current = found.setdefault(line.strip("[]"), [])
        elif line and not line.startswith("#"):
            current.append(line)
    return found


@cache
def words(topic: str) -> dict[str, list[str]]:
    """Slots of one topic, those of [common] beneath."""
    lines = sections()["common"] + sections()[topic]
    return {slot: items.split(" | ") for slot, items in (line.split(": ", 1) for line in lines)}


@cache
def frequent(part: str) -> list[str]:
    """Lower-case words of a part of speech ("noun", "adj", "verb") that occur in WordNet's tagged texts."""
    numbers = {"noun": "1", "verb": "2", "adj": "35"}[part]
    keys = (line.split("%") for line in (WORDNET / "cntlist.rev").read_text(encoding="utf-8").splitlines())
    found = {key[0].replace("_", " ") for key in keys if key[1][0] in numbers}
    return sorted(word for word in found if word.isascii() and word.replace(" ", "").isalpha() and word.islower())


def fill(pattern: str, topic: str, rng: np.random.Generator) -> str:
    """The pattern with words of the topic."""
    slots = words(topic)

    def word(found: re.Match[str]) -> str:
        slot = found.group(1)
        rare = {"thing": "noun", "adj": "adj"}.get(slot)
        items = frequent(rare) if rare and rng.random() < RARE else slots[slot]
        return items[int(rng.integers(len(items)))]

    return _VOWEL.sub(r"\1n ", _SLOT.sub(word, pattern))


def everyday(count: int, seed: int) -> Iterator[str]:
    """Sentences, queries and titles of all topics."""
    rng = np.random.default_rng(seed)
    patterns = sections()["patterns"]
    topics = [name for name in sections() if name not in ("patterns", "common")]
    for _ in range(count):
        sentence = fill(patterns[int(rng.integers(len(patterns)))], topics[int(rng.integers(len(topics)))], rng)
        style = rng.random()
        if style < 0.5 and sentence[-1] in ".!?":
            sentence = sentence[0].upper() + sentence[1:]
        elif style > 0.9:
            sentence = sentence.lower().rstrip(".?!")
        yield sentence


def conjugated(verb: str) -> str:
    """Third person singular: "carry out" → "carries out"."""
    first, _, rest = verb.partition(" ")
    if re.search(r"(s|x|z|ch|sh|o)$", first):
        first += "es"
    else:
        first = re.sub(r"y$", "ies", first) if re.search(r"[^aeiou]y$", first) else first + "s"
    return f"{first} {rest}".strip()


def frames() -> Iterator[str]:
    """WordNet's example frames with every verb they are given for: 'The cars race down the avenue'."""
    patterns = dict(line.split(" ", 1) for line in (WORDNET / "sents.vrb").read_text(encoding="utf-8").splitlines())
    for line in (WORDNET / "sentidx.vrb").read_text(encoding="utf-8").splitlines():
        key, _, numbers = line.partition(" ")
        verb = key.split("%")[0].replace("_", " ")
        for number in numbers.split(","):
            pattern = patterns.get(number.strip())
            if pattern:
                yield pattern.replace("%s", verb).replace("----s", conjugated(verb)).strip()
