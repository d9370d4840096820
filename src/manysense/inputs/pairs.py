"""Any accepted pair of a query and a document → Item with a turn for each.

Knows: what is one pair and what is many, and the roles of its sides. Does not know: what a side may be (parse.py), what
a model does with a pair (modules/).
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ..errors import UnsupportedInput, UsageError
from .arrays import is_numpy
from .parse import Parser
from .shape import is_message, is_sound_pair
from .types import Item, Turn

ROLES = QUERY, DOCUMENT = "query", "document"
_HINT = 'A pair is (query, document), such as ("How many people live in Berlin?", "Berlin has 3.5 million.").'


def as_pairs(value: Any) -> tuple[Iterable[Any], int | None, bool]:
    """(pairs, their number or None where it is not known, whether the caller gave a single one).

    One: a list or tuple whose first value is not itself a pair; a column of two strings. Many: any other iterable.
    Raises UsageError for what can be neither.
    """
    if isinstance(value, (str, bytes, os.PathLike, Mapping, set, frozenset)) or not hasattr(value, "__iter__"):
        raise UsageError(f"pairs are lists of (query, document), got {type(value).__name__}\n  {_HINT}")
    if is_numpy(value):
        value = value.tolist() if value.ndim else [value.item()]
    elif hasattr(value, "to_pylist"):  # of pyarrow
        value = value.to_pylist()
    if isinstance(value, Iterator):
        return value, None, False
    held = value if isinstance(value, (list, tuple)) else list(value)
    if not held:
        return [], 0, False
    if _is_pair(held[0]):
        return held, len(held), False
    return [held], 1, True


def _is_pair(value: Any) -> bool:
    """Whether a first value is a pair of its own, rather than the first side of one."""
    return isinstance(value, (list, tuple)) and not is_sound_pair(value) and not (bool(value) and is_message(value[0]))


class PairParser:
    """Parses pairs for one model. A side that comes again at once, as the same object, is parsed once."""

    def __init__(self, parser: Parser) -> None:
        self.parser = parser
        self._last: dict[str, tuple[Any, Turn]] = {}

    def __call__(self, value: Any) -> Item:
        """Raises what Parser raises."""
        if isinstance(value, Item):
            return value
        if not isinstance(value, (list, tuple)) or len(value) != 2:
            what = f"{len(value)} values" if isinstance(value, (list, tuple)) else type(value).__name__
            raise UnsupportedInput(f"{what} where a pair is expected", source=what, hint=_HINT)
        query, document = value
        return Item((self.turn(QUERY, query), self.turn(DOCUMENT, document)))

    def turn(self, role: str, value: Any) -> Turn:
        """One side. Raises what Parser raises."""
        last = self._last.get(role)
        if last is None or last[0] is not value:
            last = self._last[role] = (value, self._parsed(role, value))
        return last[1]

    def _parsed(self, role: str, value: Any) -> Turn:
        if type(value) is str and set(self.parser.readable) == {"text"}:
            return Turn(role, (self.parser.part(value, "text"),))
        item = self.parser(value)
        if item.chat:
            raise UnsupportedInput(
                f"the {role} is a chat", source=role, hint="A side of a pair is a text, a medium, or a dict of them."
            )
        return Turn(role, item.turns[0].parts)
