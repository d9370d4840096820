"""One input or many: what the call returns one row or many rows for.

Knows: types of containers. Does not know: what an item means (parse.py).
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ..errors import UnsupportedInput
from .arrays import is_array, is_numpy
from .types import Audio, Image, Item, Text, Video

_SINGLE = (str, bytes, bytearray, memoryview, Mapping, os.PathLike, Text, Image, Audio, Video, Item)


def is_message(value: Any) -> bool:
    """A chat message: a mapping with "role" and "content"."""
    return isinstance(value, Mapping) and "role" in value and "content" in value


def is_single(value: Any) -> bool:
    """Whether `value` is one input rather than a collection of inputs.

    One: a string, bytes, path, file, mapping, picture, numeric array or tensor, decoder, typed wrapper, a list that
    opens with a chat message (one conversation), a pair (samples, rate). Many: any other iterable.
    Raises UnsupportedInput for a set (no order) and a table (which column?).
    """
    if isinstance(value, (list, tuple)):
        return bool(value) and (is_message(value[0]) or is_sound_pair(value))
    if isinstance(value, (*_SINGLE, type)) or value is None or hasattr(value, "read") or is_array(value):
        return True
    if isinstance(value, (set, frozenset)):
        raise UnsupportedInput(
            "a set has no order, so rows could not be matched to inputs", hint="Pass sorted(inputs)."
        )
    if hasattr(value, "columns") and hasattr(value, "iloc"):
        raise UnsupportedInput("a table holds several columns", hint='Pass one column: frame["text"].')
    return not _is_collection(value)


def is_sound_pair(value: Any) -> bool:
    """(samples, rate): an array or list of numbers beside a whole number."""
    if not isinstance(value, tuple) or len(value) != 2:
        return False
    samples, rate = value
    return is_number(rate) and (
        is_array(samples) or (isinstance(samples, list) and bool(samples) and is_number(samples[0]))
    )


def is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) or (hasattr(value, "item") and getattr(value, "ndim", None) == 0)


def as_items(value: Any) -> tuple[Iterable[Any], int | None, bool]:
    """(inputs, their number or None where it is not known, whether the caller gave a single one)."""
    if is_single(value):
        return [value], 1, True
    if is_numpy(value):
        if value.ndim != 1:
            raise UnsupportedInput(
                f"an array of {value.dtype} with {value.ndim} dimensions", hint="A column of inputs has one dimension."
            )
        value = value.tolist()
    elif hasattr(value, "tolist") and hasattr(value, "dtype"):  # a column of pandas
        value = value.tolist()
    elif hasattr(value, "to_pylist"):  # of pyarrow
        value = value.to_pylist()
    if isinstance(value, (list, tuple)):
        items = value if type(value) in (list, tuple) else list(iter(value))  # a subclass may miscount itself
        return items, len(items), False
    return value, None, False  # what it says of its length is not trusted


def _is_collection(value: Any) -> bool:
    if isinstance(value, Iterator) or (hasattr(value, "__len__") and hasattr(value, "__getitem__")):
        return True
    return isinstance(value, Iterable) and not _is_picture(value)


def _is_picture(value: Any) -> bool:
    return any(c.__module__.startswith("PIL.") for c in type(value).__mro__)
