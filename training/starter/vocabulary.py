"""Read vocabulary.toml: what the starter models know names for.

Knows: the sections and their shape. Does not know: how anything is drawn or spoken.

Every section is a table of entries `key = ["name", "synonym", …]`; the first name is always trained, a synonym is held
out by the rule of split.py ("synonym NAME").
"""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path

from .split import Side, allowed, only_held_out

PATH = Path(__file__).with_name("vocabulary.toml")


@cache
def _sections() -> dict[str, dict[str, tuple[str, ...]]]:
    stored = tomllib.loads(PATH.read_text(encoding="utf-8"))
    return {name: {key: tuple(names) for key, names in entries.items()} for name, entries in stored.items()}


def section(name: str) -> dict[str, tuple[str, ...]]:
    """Entries of one section: key → name and synonyms. Raises KeyError for an unknown section."""
    return _sections()[name]


def names(entry: tuple[str, ...], side: Side) -> list[str]:
    """What the entry may be called on this side; the first name is always among them."""
    return [entry[0], *allowed(entry[1:], side, "synonym")]


def unseen_names(entry: tuple[str, ...]) -> list[str]:
    """Synonyms of the entry that training never sees; may be empty."""
    return only_held_out(entry[1:], "synonym")
