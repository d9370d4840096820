"""Measure texts and pairs of texts: open them, put the prompt before them, turn them into token ids.

Knows: items of one text part, pairs of two; what is made of a tokenizer, and when it must be made anew. Does not know:
how chats are rendered (messages.py), batches.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ...errors import ItemError, UsageError
from ...inputs.types import Item
from ..base import Features, Measured, parted
from ..text_pairs import PairTemplate, longest_first
from ..tokens import Ids, Tokens, tokens_of, words_added
from .messages import Chat, Renderer

if TYPE_CHECKING:
    from ...media.reader import Reader


class Reading:
    """What is made of a tokenizer of transformers. Raises ModelError.

    It fits as long as the tokenizer is the same one and no word was added to it.
    """

    def __init__(self, tokenizer: Any, lowercase: bool, chat: Chat | None) -> None:
        control = [token.content for token in tokenizer.added_tokens_decoder.values()] if chat else []
        self._tokenizer, self._words = tokenizer, words_added(tokenizer)
        self.tokens = tokens_of(tokenizer, lowercase=lowercase, control=control)
        self.renderer = Renderer(chat, self.tokens, dict(tokenizer.special_tokens_map), control) if chat else None

    def fits(self, tokenizer: Any) -> bool:
        return tokenizer is self._tokenizer and words_added(tokenizer) == self._words

    @property
    def left(self) -> bool:
        """Whether a text that is too long loses its beginning."""
        return getattr(self._tokenizer, "truncation_side", "right") == "left"

    @cached_property
    def pairs(self) -> PairTemplate:
        return PairTemplate(self.tokens)


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
    items: Sequence[Item],
    reader: Reader,
    tokens: Tokens,
    prompt: str,
    limit: int | None,
    padding: int | None,
    left: bool = False,
) -> list[Measured | ItemError]:
    """limit: tokens read.  padding: every text is padded to this length, None for a batch's longest.  left: what is too
    long loses its beginning, the prompt first."""
    texts = open_texts(items, reader, "")
    ids = iter(tokens.encode([t for t in texts if isinstance(t, str)], limit, prompt=prompt, left=left))
    own = len(tokens.encode([""], None, prompt=prompt, special=False)[0].ids) if prompt else 0
    leading = tokens.leading if own else 0
    if limit is not None and own and own + tokens.added >= limit:
        raise UsageError(f"the prompt leaves no room for text: it takes {own + leading} of {limit} tokens")

    def measured(found: Ids) -> Measured:
        cut = (found.length, limit, "tokens") if limit is not None and found.length > limit else None
        draft: Features = {"input_ids": found.ids}
        if own:
            lost = found.length - len(found.ids) if left else 0
            draft["prompt_length"] = leading + max(0, own - lost)
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
    left: bool = False,
) -> list[Measured | ItemError]:
    """Each distinct text is tokenised once, also across the windows of a call.

    prompt: put before the first text of each pair.  typed: whether the model reads token types.  left: texts that are
    too long lose their beginnings.
    """
    opened: list[tuple[str, str] | ItemError] = []
    for item in items:
        try:
            query, document = (reader.text(part) for part in item.parts)
            opened.append((query, document))
        except ItemError as error:
            opened.append(error)
    known: dict[Any, Ids] = reader.tokenised
    if len(known) > KNOWN:
        known.clear()
    found: dict[Any, Ids] = {}
    for side, before in enumerate((prompt, "")):
        keys = {(before, pair[side]): None for pair in opened if not isinstance(pair, ItemError)}
        new = [key for key in keys if key not in known and key not in found]
        ids = tokens.encode([text for _, text in new], limit, prompt=before, special=False, left=left)
        found |= {key: known[key] for key in keys if key in known} | dict(zip(new, ids))
    known.update(found)
    measured: list[Measured | ItemError] = []
    for pair in opened:
        if isinstance(pair, ItemError):
            measured.append(pair)
            continue
        first, second = found[prompt, pair[0]], found["", pair[1]]
        made = template.pair(
            *(_endings(first, second, limit - template.added) if left and limit else (first, second)), limit
        )
        cut = (made.length, limit, "tokens") if limit is not None and made.length > limit else None
        draft = {"input_ids": made.ids, "token_type_ids": made.types} if typed else {"input_ids": made.ids}
        size = len(made.ids)
        measured.append(Measured("pair", size, draft, nbytes=24 * size, cut=cut, group="pair"))
    return measured


def _endings(first: Ids, second: Ids, room: int) -> tuple[Ids, Ids]:
    """The last tokens of both, as many as a pair keeps of them."""
    sizes = longest_first(first.length, second.length, max(0, room))
    a, b = (Ids(one.ids[len(one.ids) - size :], one.length) for one, size in zip((first, second), sizes))
    return a, b


KNOWN = 20_000
"""Texts whose ids are kept for the next window of a call."""
