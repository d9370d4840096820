"""What first modules over whole words share: texts → word ids, at the stations measure and prepare.

Knows: how texts are opened, cut and counted. Does not know: what is made of the ids.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ...errors import ItemError, UnsupportedModality
from ...inputs.types import Item
from ...media.text import encodable
from ...settings import positive
from ..base import Features, InputModule, Measured
from ..transformer.pixels import unknown_overrides
from ..transformer.texts import open_texts
from .tokenizers import WordTokenizer

if TYPE_CHECKING:
    from ...media.reader import Reader
    from ...settings import Settings


class WordModule(InputModule):
    """A first module whose `tokenizer` turns texts into word ids, at most `max_seq_length`; None for no limit."""

    modalities: Sequence[str] = ("text",)
    tokenizer: WordTokenizer
    max_seq_length: int | None = None

    def check(self, settings: Settings) -> None:
        """Raise UsageError for per-call options that this model does not know."""
        for name in ("image", "audio", "video", "chat_template"):
            unknown_overrides(name, settings.processing.get(name, {}), ())
        text = settings.section("text")
        unknown_overrides("text", text, ("max_length",))
        if "max_length" in text:
            positive('processing_kwargs["text"]["max_length"]', text["max_length"])

    def measure(self, items: Sequence[Item], reader: Reader, settings: Settings) -> list[Measured | ItemError]:
        limit = settings.section("text").get("max_length") or settings.max_length or self.max_seq_length
        texts = open_texts(items, reader, encodable(settings.prompt or ""))
        measured: list[Measured | ItemError] = []
        for item, text in zip(items, texts, strict=True):
            if len(item.parts) > 1:
                measured.append(_several(item))
            else:
                measured.append(text if isinstance(text, ItemError) else self._measured(text, limit))
        return measured

    def _measured(self, text: str, limit: int | None) -> Measured:
        ids = self.tokenizer.tokenize(text)
        cut = (len(ids), limit, "words") if limit is not None and len(ids) > limit else None
        ids = ids[:limit]
        return Measured("text", self._length(ids), ids, nbytes=self._nbytes(ids), cut=cut, group="text")

    def _length(self, ids: list[int]) -> int:
        """Along the axis that a batch pads."""
        return max(1, len(ids))

    def _nbytes(self, ids: list[int]) -> int:
        """Of the features of one item."""
        return 16 * max(1, len(ids))

    def prepare(self, measured: Measured, reader: Reader, settings: Settings) -> Features:
        return {"input_ids": measured.draft}


def _several(item: Item) -> ItemError:
    return UnsupportedModality(
        f"this model encodes one text at a time, and the item holds {len(item.parts)}",
        source=f"{len(item.parts)} texts",
        hint="Encode them as items of their own, or join them to one text.",
    )
