"""What the known library offers and where: its modules, their names, its old import paths.

Knows: known.txt, which holds the facts. Does not know: what of it this library has (ours.py).

A path is a module's name below the root of the known library: "" is the root, "util.similarity" a module.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

VERSION = "6.2.0"
"""The release of the known library that known.txt was read from, and that this library stands for."""


@dataclass(frozen=True, slots=True)
class Known:
    """defined: path → names that the module itself defines.  exported: path → names that it shows from elsewhere.

    members: (path, class) → its public members.  old: path of old → path of today.
    """

    defined: Mapping[str, frozenset[str]]
    exported: Mapping[str, frozenset[str]]
    members: Mapping[tuple[str, str], frozenset[str]]
    old: Mapping[str, str]

    def today(self, path: str) -> str | None:
        """The module that a path, old or new, names today; None where it names none."""
        if path in self.defined:
            return path
        if path in self.old:
            return self.old[path]
        parent, _, last = path.rpartition(".")
        moved = self.today(parent) if parent else None
        return self.today(f"{moved}.{last}") if moved is not None and moved != parent else None

    def is_package(self, path: str) -> bool:
        """Whether other modules, of today or of old, lie below this path."""
        return not path or any(other.startswith(f"{path}.") for other in (*self.defined, *self.old))

    def names(self, path: str) -> frozenset[str]:
        """Everything that the module at this path, old or new, is known to show."""
        today = self.today(path)
        return frozenset() if today is None else self.defined[today] | self.exported[today]

    def definer(self, path: str, name: str) -> str | None:
        """The module of today that defines what `path` calls `name`; None where `path` has no such name.

        A package shows what it exports. Any other module also shows what it imports from its own library, which is
        not written down: there, every known name is found. Of several modules that define a name, the one whose path
        is most like `path` is meant.
        """
        today = self.today(path)
        if today is None or (name not in self.names(path) and (self.is_package(today) or name not in _definers())):
            return None
        if name in self.defined[today]:
            return today
        return max(_definers().get(name, (today,)), key=lambda other: _in_common(today, other))


def _in_common(one: str, other: str) -> tuple[int, int]:
    """How alike two paths are: how many leading parts are equal, then how few there are in all."""
    first, second = one.split("."), other.split(".")
    same = next((i for i, (a, b) in enumerate(zip(first, second)) if a != b), min(len(first), len(second)))
    return same, -len(second)


@cache
def _definers() -> dict[str, tuple[str, ...]]:
    """Name → every module that defines it."""
    found: dict[str, tuple[str, ...]] = {}
    for path, names in known().defined.items():
        for name in names:
            found[name] = (*found.get(name, ()), path)
    return found


@cache
def known() -> Known:
    """The facts of known.txt."""
    text = files(__package__).joinpath("known.txt").read_text(encoding="utf-8")
    defined: dict[str, frozenset[str]] = {}
    exported: dict[str, frozenset[str]] = {}
    members: dict[tuple[str, str], frozenset[str]] = {}
    old: dict[str, str] = {}
    for line in text.replace("\n    ", " ").splitlines():
        if not line or line.startswith("#"):
            continue
        head, *words = line.split()
        if words[:1] == ["="]:
            old[head[1:]] = words[1][1:]
        elif head.endswith("():"):
            path, _, name = head[1:-3].rpartition(".")
            members[path, name] = frozenset(words)
        else:
            cut = words.index("+") if "+" in words else len(words)
            defined[head[1:-1]] = frozenset(words[:cut])
            exported[head[1:-1]] = frozenset(words[cut + 1 :])
    return Known(defined, exported, members, old)
