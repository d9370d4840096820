"""Open the texts of a window and put the prompt before them.

Knows: items of one text part. Does not know: tokenizers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ...errors import ItemError
from ...inputs.types import Item
from ..base import parted

if TYPE_CHECKING:
    from ...media.reader import Reader


def open_texts(items: Sequence[Item], reader: Reader, prompt: str) -> list[str | ItemError]:
    """`prompt` + text of each item, or the error that opening it gave."""
    opened: list[str | ItemError] = []
    for item in items:
        try:
            if len(item.parts) > 1:
                raise parted(item, ("text",))
            opened.append(prompt + reader.text(item.parts[0]))
        except ItemError as error:
            opened.append(error)
    return opened
