"""Text → token ids, without any state that a call could change.

Knows: the `tokenizers` backend, truncation, which words of a text are control tokens. Does not know: batches, tensors.

The tokenizer of a model folder carries truncation and padding settings that every caller of it may change, which makes
results depend on other threads and leaks into saved files. Here a private copy without either is used, lengths are
cut on ids, and the words of control tokens that stand in a user's text stay words.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

LONG_TEXT = 50_000
"""Characters beyond which a text is tokenised from its beginning only, as far as its limit needs."""


@dataclass(frozen=True, slots=True)
class Ids:
    """ids: (n,) token ids after truncation. length: tokens before it (for very long texts: at least that many)."""

    ids: npt.NDArray[np.int64]
    length: int


class Tokens:
    """A stateless tokenizer. Picklable; safe to use from many threads."""

    def __init__(self, backend: Any, *, lowercase: bool = False, control: Sequence[str] = ()) -> None:
        """backend: a `tokenizers.Tokenizer`; it is copied and never changed.  control: further words that a text must
        not turn into their token, beside the special ones."""
        self._json = _without_state(backend.to_str(), lowercase, control)
        self._build()

    def _build(self) -> None:
        from tokenizers import Tokenizer

        self._backend = Tokenizer.from_str(self._json)
        self._backend.encode_special_tokens = True  # in a text, "[SEP]" is five characters, not a separator
        self.added = int(self._backend.num_special_tokens_to_add(False))

    def __getstate__(self) -> dict[str, Any]:
        return {"_json": self._json}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._json = state["_json"]
        self._build()

    def id_of(self, token: str) -> int | None:
        found: int | None = self._backend.token_to_id(token)
        return found

    @property
    def leading(self) -> int:
        """Special tokens before the text."""
        plain, whole = (self.encode(["a"], None, special=special)[0].ids.tolist() for special in (False, True))
        return next((i for i in range(len(whole)) if whole[i : i + len(plain)] == plain), 0)

    def encode(self, texts: Sequence[str], limit: int | None, *, special: bool = True) -> list[Ids]:
        """Token ids of each text, with the special tokens around it, at most `limit` in all.

        special: False leaves the special tokens of the post-processor out.
        """
        added = self.added if special else 0
        encodings = self._batch([self.beginning(text, limit) for text in texts])
        return [self._finish(encoding, limit, added, special) for encoding in encodings]

    def probe_pair(self) -> tuple[list[int], list[int], Any]:
        """(ids of a text, of another, both together as the post-processor puts them), to read its template off."""
        first, second = (self._backend.encode(text, add_special_tokens=False) for text in ("a", "b"))
        ids = list(first.ids), list(second.ids)
        return *ids, self._backend.post_process(first, second, True)

    def ends(self, text: str) -> list[int]:
        """Where each token of the text ends, in characters."""
        return [end for _, end in self._backend.encode(text, add_special_tokens=False).offsets]

    def _batch(self, texts: list[str]) -> list[Any]:
        if len(texts) == 1:
            return [self._backend.encode(texts[0], add_special_tokens=False)]
        return list(self._backend.encode_batch_fast(texts, add_special_tokens=False)) if texts else []

    def beginning(self, text: str, limit: int | None) -> str:
        """As much of a very long text as surely holds its first `limit` tokens; other texts whole."""
        if limit is None or len(text) <= LONG_TEXT:
            return text
        size = max(LONG_TEXT, 16 * limit)
        while size < len(text):
            end = text.rfind(" ", size - 1000, size)
            start = text[: end if end > 0 else size]
            if len(self._backend.encode(start, add_special_tokens=False)) > limit + 64:
                return start
            size *= 8
        return text

    def _finish(self, encoding: Any, limit: int | None, added: int, special: bool) -> Ids:
        length = len(encoding) + added
        if limit is not None and length > limit:
            encoding.truncate(max(0, limit - added))
        if special and added:
            encoding = self._backend.post_process(encoding, None, True)
        return Ids(np.array(encoding.ids, dtype=np.int64), length)


def _without_state(text: str, lowercase: bool, control: Sequence[str]) -> str:
    """tokenizer.json without truncation and padding; with lower-casing put first where it is asked for and absent."""
    tokenizer = json.loads(text)
    tokenizer["truncation"] = tokenizer["padding"] = None
    for token in tokenizer.get("added_tokens", ()):
        token["special"] = token["special"] or token["content"] in control
    if lowercase and not _lowercases(tokenizer.get("normalizer")):
        steps = [{"type": "Lowercase"}] + ([tokenizer["normalizer"]] if tokenizer.get("normalizer") else [])
        tokenizer["normalizer"] = {"type": "Sequence", "normalizers": steps}
    return json.dumps(tokenizer, ensure_ascii=False)


def _lowercases(normalizer: Any) -> bool:
    if not isinstance(normalizer, dict):
        return False
    return (
        normalizer.get("type") == "Lowercase"
        or bool(normalizer.get("lowercase"))
        or any(_lowercases(step) for step in normalizer.get("normalizers", ()))
    )
