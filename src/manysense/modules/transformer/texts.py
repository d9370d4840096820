"""Measure texts and pairs of texts: open them, put the prompt before them, turn them into token ids.

Knows: items of one text part, pairs of two. Does not know: chats (messages.py), batches.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ...errors import ItemError, UsageError
from ...inputs.types import Item
from ..base import Features, Measured, parted
from ..text_pairs import PairTemplate
from ..tokens import Ids, Tokens

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


def measure_texts(
    items: Sequence[Item], reader: Reader, tokens: Tokens, prompt: str, limit: int | None, padding: int | None
) -> list[Measured | ItemError]:
    """limit: tokens read.  padding: every text is padded to this length, None for a batch's longest."""
    texts = open_texts(items, reader, prompt)
    ids = iter(tokens.encode([t for t in texts if isinstance(t, str)], limit))
    prompt_length = len(tokens.encode([prompt], None, special=False)[0].ids) if prompt else 0
    if prompt_length:
        prompt_length += tokens.leading
    if limit is not None and prompt_length and prompt_length + tokens.added - tokens.leading >= limit:
        raise UsageError(f"the prompt leaves no room for text: it takes {prompt_length} of {limit} tokens")

    def measured(found: Ids) -> Measured:
        cut = (found.length, limit, "tokens") if limit is not None and found.length > limit else None
        draft: Features = {"input_ids": found.ids}
        if prompt_length:
            draft["prompt_length"] = prompt_length
        length = padding or len(found.ids)
        return Measured("text", length, draft, nbytes=16 * length, cut=cut, group="text")

    return [text if isinstance(text, ItemError) else measured(next(ids)) for text in texts]


def measure_pairs(
    items: Sequence[Item],
    reader: Reader,
    tokens: Tokens,
    template: PairTemplate,
    prompt: str,
    limit: int | None,
    typed: bool,
) -> list[Measured | ItemError]:
    """Each distinct text is tokenised once, also across the windows of a call.

    prompt: put before the first text of each pair.  typed: whether the model reads token types.
    """
    opened: list[tuple[str, str] | ItemError] = []
    for item in items:
        try:
            query, document = (reader.text(part) for part in item.parts)
            opened.append((prompt + query, document))
        except ItemError as error:
            opened.append(error)
    known: dict[Any, Ids] = reader.tokenised
    new = {text: None for pair in opened if not isinstance(pair, ItemError) for text in pair if text not in known}
    if len(known) > KNOWN:
        known.clear()
    fresh = dict(zip(new, tokens.encode(list(new), limit, special=False)))
    known.update(fresh)
    measured: list[Measured | ItemError] = []
    for pair in opened:
        if isinstance(pair, ItemError):
            measured.append(pair)
            continue
        first, second = (found if (found := known.get(text)) else fresh[text] for text in pair)
        made = template.pair(first, second, limit)
        cut = (made.length, limit, "tokens") if limit is not None and made.length > limit else None
        draft = {"input_ids": made.ids, "token_type_ids": made.types} if typed else {"input_ids": made.ids}
        size = len(made.ids)
        measured.append(Measured("pair", size, draft, nbytes=24 * size, cut=cut, group="pair"))
    return measured


KNOWN = 20_000
"""Texts whose ids are kept for the next window of a call."""
