"""Text → token ids, without any state that a call could change.

Knows: the `tokenizers` backend and tokenizers in Python, truncation, which words of a text are control tokens. Does not
know: batches, tensors.

The tokenizer of a model folder carries truncation and padding settings that every caller of it may change, which makes
results depend on other threads and leaks into saved files. Here a private copy without either is used, lengths are
cut on ids, and the words of control tokens that stand in a user's text stay words. In a prompt, which whoever made the
model or calls it wrote, they are the tokens.
"""

from __future__ import annotations

import copy
import json
import re
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import ModelError

LONG_TEXT = 50_000
"""Characters beyond which a text is tokenised from the side that is kept only, as far as its limit needs."""


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

    @cached_property
    def _speaking(self) -> tuple[Any, dict[str, str], dict[int, int]]:
        """(a backend that also knows a secret word for each control token, these words, their ids → the true ids).

        A text cannot hold a word that it does not know. Around the words the backend does all that it does around the
        tokens, so that prompt and text are cut as one string.
        """
        from tokenizers import AddedToken, Tokenizer

        special = {i: token for i, token in self._backend.get_added_tokens_decoder().items() if token.special}
        key, backend = secrets.token_hex(8), Tokenizer.from_str(self._json)
        backend.encode_special_tokens = True
        words = {token.content: f"\ue000{key}.{i}\ue001" for i, token in special.items()}
        backend.add_tokens(
            [
                AddedToken(words[token.content], lstrip=token.lstrip, rstrip=token.rstrip, normalized=False)
                for token in special.values()
            ]
        )
        ids = {int(backend.token_to_id(words[token.content]) or 0): i for i, token in special.items()}
        return backend, words, ids

    @cached_property
    def _control(self) -> re.Pattern[str]:
        return pattern_of(t for t in self._backend.get_added_tokens_decoder().values() if t.special)

    def id_of(self, token: str) -> int | None:
        found: int | None = self._backend.token_to_id(token)
        return found

    @property
    def leading(self) -> int:
        """Special tokens before the text."""
        plain, whole = (self.encode(["a"], None, special=special)[0].ids.tolist() for special in (False, True))
        return next((i for i in range(len(whole)) if whole[i : i + len(plain)] == plain), 0)

    def encode(
        self, texts: Sequence[str], limit: int | None, *, prompt: str = "", special: bool = True, left: bool = False
    ) -> list[Ids]:
        """Token ids of each text, with the special tokens around it, at most `limit` in all.

        prompt: put before each text; control tokens may stand in it.  special: False leaves the special tokens of the
        post-processor out.  left: what is too long loses its beginning.
        """
        backend, true = self._backend, None
        if prompt and self._control.search(prompt):
            backend, words, true = self._speaking
            prompt = self._control.sub(lambda match: words[match.group()], prompt)
        added = self.added if special else 0
        whole = [self.beginning(prompt + text, limit, left) for text in texts]
        found = [self._finish(encoding, limit, added, special, left) for encoding in _batch(backend, whole)]
        if true is None:
            return found
        return [Ids(np.array([true.get(i, i) for i in one.ids.tolist()], np.int64), one.length) for one in found]

    def probe_pair(self) -> tuple[list[int], list[int], Any]:
        """(ids of a text, of another, both together as the post-processor puts them), to read its template off."""
        first, second = (self._backend.encode(text, add_special_tokens=False) for text in ("a", "b"))
        ids = list(first.ids), list(second.ids)
        return *ids, self._backend.post_process(first, second, True)

    def ends(self, text: str) -> list[int]:
        """Where each token of the text ends, in characters."""
        return [end for _, end in self._backend.encode(text, add_special_tokens=False).offsets]

    def beginning(self, text: str, limit: int | None, left: bool = False) -> str:
        """As much of a very long text as surely holds its first `limit` tokens; other texts whole.

        left: its last tokens.
        """
        if limit is None or len(text) <= LONG_TEXT:
            return text
        size = max(LONG_TEXT, 16 * limit)
        while size < len(text):
            part = _ending(text, size) if left else _beginning(text, size)
            if self._count(part) > limit + 64:
                return part
            size *= 8
        return text

    def _count(self, text: str) -> int:
        return len(self._backend.encode(text, add_special_tokens=False))

    def _finish(self, encoding: Any, limit: int | None, added: int, special: bool, left: bool) -> Ids:
        length = len(encoding) + added
        if limit is not None and length > limit:
            encoding.truncate(max(0, limit - added), direction="left" if left else "right")
        if special and added:
            encoding = self._backend.post_process(encoding, None, True)
        return Ids(np.array(encoding.ids, dtype=np.int64), length)


class SlowTokens(Tokens):
    """The same over a tokenizer that is written in Python and has no tokenizer.json."""

    def __init__(self, tokenizer: Any, *, lowercase: bool = False, control: Sequence[str] = ()) -> None:
        self._tokenizer = copy.deepcopy(tokenizer)
        self._lowercase, self._further = lowercase, frozenset(control)
        self.added = len(self._tokenizer.build_inputs_with_special_tokens([]))

    def __getstate__(self) -> dict[str, Any]:
        return {key: value for key, value in self.__dict__.items() if key != "_control"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)

    @cached_property
    def _control(self) -> re.Pattern[str]:
        own = self._tokenizer.added_tokens_decoder.values()
        return pattern_of(token for token in own if token.special or token.content in self._further)

    def id_of(self, token: str) -> int | None:
        found: int = self._tokenizer.convert_tokens_to_ids(token)
        return found if self._tokenizer.convert_ids_to_tokens(found) == token else None

    def encode(
        self, texts: Sequence[str], limit: int | None, *, prompt: str = "", special: bool = True, left: bool = False
    ) -> list[Ids]:
        return [self._encoded(self.beginning(text, limit, left), limit, prompt, special, left) for text in texts]

    def _encoded(self, text: str, limit: int | None, prompt: str, special: bool, left: bool) -> Ids:
        ids, added = self._plain(text, prompt), self.added if special else 0
        length = len(ids) + added
        if limit is not None and length > limit:
            room = max(0, limit - added)
            ids = ids[len(ids) - room :] if left else ids[:room]
        if special:
            ids = self._tokenizer.build_inputs_with_special_tokens(ids)
        return Ids(np.array(ids, dtype=np.int64), length)

    def _plain(self, text: str, prompt: str = "") -> list[int]:
        """Ids without the special tokens around."""
        whole, cuts, place = prompt + text, [0], 0
        while match := self._control.search(whole, place):
            place = match.end()
            if place > len(prompt):  # of the text: cut behind its first letter, so that it is no token
                place = match.start() + 1
                cuts.append(place)
        ids: list[int] = []
        for start, end in pairwise([*cuts, len(whole)]):
            piece = self._lowered(whole[start:end]) if self._lowercase else whole[start:end]
            ids += self._tokenizer.convert_tokens_to_ids(self._tokenizer.tokenize(piece))
        return ids

    def _lowered(self, text: str) -> str:
        """In lower case, but for control tokens."""
        edges = [0, *(edge for match in self._control.finditer(text) for edge in match.span()), len(text)]
        parts = [text[start:end] for start, end in pairwise(edges)]
        return "".join(part if i % 2 else part.lower() for i, part in enumerate(parts))

    def _count(self, text: str) -> int:
        return len(self._plain(text))

    def probe_pair(self) -> tuple[list[int], list[int], Any]:
        first, second = self._plain("a"), self._plain("b")
        ids = self._tokenizer.build_inputs_with_special_tokens(first, second)
        types = self._tokenizer.create_token_type_ids_from_sequences(first, second)
        return first, second, SimpleNamespace(ids=ids, type_ids=types)

    def ends(self, text: str) -> list[int]:
        """About: such a tokenizer does not say where its tokens stand."""
        count = self._count(text)
        return [round(len(text) * (i + 1) / count) for i in range(count)]


def tokens_of(tokenizer: Any, *, lowercase: bool = False, control: Sequence[str] = ()) -> Tokens:
    """Of a tokenizer of transformers. Raises ModelError for anything else."""
    backend = getattr(tokenizer, "_tokenizer", None)
    if backend is not None:
        return Tokens(backend, lowercase=lowercase, control=control)
    if not hasattr(tokenizer, "build_inputs_with_special_tokens"):
        raise ModelError(f"{type(tokenizer).__name__} is no tokenizer of transformers")
    return SlowTokens(tokenizer, lowercase=lowercase, control=control)


def words_added(tokenizer: Any) -> int:
    """How many words were added to the vocabulary of a tokenizer, of transformers or of tokenizers."""
    backend = getattr(tokenizer, "_tokenizer", tokenizer)
    own = getattr(backend, "get_added_tokens_decoder", None)
    return len(own() if own is not None else backend.added_tokens_decoder)


def pattern_of(tokens: Iterable[Any]) -> re.Pattern[str]:
    """Finds the words of these added tokens, the longest that fits first."""
    words = {
        rf"(?<!\w){re.escape(token.content)}(?!\w)" if token.single_word else re.escape(token.content): None
        for token in sorted(tokens, key=lambda token: len(token.content), reverse=True)
    }
    return re.compile("|".join(words) or r"(?!)")


def _batch(backend: Any, texts: list[str]) -> list[Any]:
    if len(texts) == 1:
        return [backend.encode(texts[0], add_special_tokens=False)]
    return list(backend.encode_batch_fast(texts, add_special_tokens=False)) if texts else []


def _beginning(text: str, size: int) -> str:
    """About its first `size` characters, whole words."""
    end = text.rfind(" ", size - 1000, size)
    return text[: end if end > 0 else size]


def _ending(text: str, size: int) -> str:
    """About its last `size` characters, whole words."""
    start = len(text) - size
    space = text.find(" ", start, start + 1000)
    return text[space if space > 0 else start :]


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
