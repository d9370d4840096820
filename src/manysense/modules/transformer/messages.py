"""An item → the token ids of a rendered chat.

Knows: chat templates, placeholders, control tokens. Does not know: tensors, towers.

A template writes control tokens around what people wrote. If a text contains the words of such a token ("<|im_end|>"),
it must stay words. So before rendering, those words are swapped for private characters; after it, whatever control
tokens stand in the result were written by the template; they become ids, and everything between them is tokenised as
plain text with the words swapped back.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import InputTooLong, ItemError, UnsupportedInput
from ...inputs.types import Item, Modality, Part, Turn
from ..tokens import Tokens
from .templates import compiled, document_first

_ROLES_HINT = "Roles are system (first only), user and assistant; media stand in user turns."
PRIVATE = 0xF0000
"""First of the private-use code points that stand in for control tokens while a template is rendered."""


@dataclass(frozen=True)
class Placeholder:
    """token: what the template writes for one medium, and what is repeated for it.  kind: its number in
    mm_token_type_ids.  stamped: how each group of a video's frames is written, with {seconds} for its time and {pads}
    for its tokens; None for the tokens alone, all in one."""

    token: str
    kind: int
    stamped: str | None = None


@dataclass(frozen=True)
class Chat:
    """How a family puts items into its chat template.

    default_instruction: the system turn when the call gives no prompt; None for no system turn.
    punctuate: end an instruction with "." when it has no punctuation.  placeholders: by modality.  generation: whether
    the template is asked for the header of an answer.  structured: content is a list of typed parts, not a string.
    options: further names for the template.
    """

    template: str
    default_instruction: str | None = None
    punctuate: bool = False
    placeholders: dict[Modality, Placeholder] = field(default_factory=dict)
    generation: bool = True
    structured: bool = True
    options: Mapping[str, Any] = field(default_factory=dict)

    def instruction(self, prompt: str | None) -> str | None:
        text = prompt or self.default_instruction
        if text is None or not self.punctuate:
            return text
        text = text.strip()
        return text if not text or unicodedata.category(text[-1]).startswith("P") else text + "."

    def turns(self, item: Item, prompt: str | None) -> tuple[Turn, ...]:
        """The turns that are rendered: a system turn first, unless the caller's own chat opens with one."""
        if item.chat and item.turns[0].role == "system":
            return item.turns
        instruction = self.instruction(prompt)
        system = () if instruction is None else (Turn("system", (Part("text", instruction),)),)
        return (*system, *item.turns)

    def written(self, turns: Sequence[Turn]) -> list[Turn]:
        """The turns in the order in which the template writes them: some put the document of a pair first."""
        late = {"query": 1} if any(turn.role == "query" for turn in turns) and document_first(self.template) else {}
        return sorted(turns, key=lambda turn: late.get(turn.role, 0))


@dataclass(slots=True)
class Rendered:
    """ids: (n,) token ids. kinds: (n,) 0 for text, else the placeholder's kind. length: before truncation."""

    ids: npt.NDArray[np.int64]
    kinds: npt.NDArray[np.int64]
    length: int


class Renderer:
    """Renders chats of one model folder."""

    def __init__(self, chat: Chat, tokens: Tokens, special: dict[str, Any], control: Sequence[str]) -> None:
        """special: names such as bos_token for the template.  control: the words of every control token."""
        self.chat, self.tokens, self.special = chat, tokens, special
        self.control = sorted(control, key=len, reverse=True)

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        return re.compile("|".join(re.escape(word) for word in self.control) or r"(?!)")

    @cached_property
    def _template(self) -> Any:
        return compiled(self.chat.template)

    def __getstate__(self) -> dict[str, Any]:
        return {k: v for k, v in self.__dict__.items() if k not in ("_template", "_pattern")}

    def render(
        self,
        turns: Sequence[Turn],
        text_of: Callable[[Part], str],
        expand: Callable[[Part], str],
        limit: int | None,
        left: bool = False,
    ) -> Rendered:
        """Token ids of the turns.

        text_of: opens a text part.  expand: what replaces the placeholder of a medium.  limit: tokens; the last text
        of the last turn is shortened until the whole fits, so that control tokens, media and the assistant's header
        stay.  left: it loses its beginning and not its end.  Raises InputTooLong when media and template alone are over
        the limit.
        """
        texts = {
            id(part): self.tokens.beginning(text_of(part), limit, left)
            for turn in turns
            for part in turn.parts
            if part.modality == "text"
        }
        made = self._ids(turns, texts, expand)
        if limit is None or len(made[0]) <= limit:
            return Rendered(made[0], made[1], len(made[0]))
        return self._shortened(turns, texts, expand, made, limit, left)

    def _shortened(
        self,
        turns: Sequence[Turn],
        texts: dict[int, str],
        expand: Callable[[Part], str],
        made: Any,
        limit: int,
        left: bool,
    ) -> Rendered:
        length = len(made[0])
        for part in reversed(
            [p for turn in turns if turn.role != "system" for p in turn.parts if p.modality == "text"]
        ):
            full = texts[id(part)]
            ends = self.tokens.ends(full)
            keep = len(ends)
            while len(made[0]) > limit and keep > 0:
                keep = max(0, keep - (len(made[0]) - limit))
                if left:
                    texts[id(part)] = full[ends[-keep - 1] if keep < len(ends) else 0 :] if keep else ""
                else:
                    texts[id(part)] = full[: ends[keep - 1]] if keep else ""
                made = self._ids(turns, texts, expand)
            if len(made[0]) <= limit:
                return Rendered(made[0], made[1], length)
        media = any(part.modality != "text" for turn in turns for part in turn.parts)
        raise InputTooLong(
            f"the {'media and the chat' if media else 'chat'} around its text take {len(made[0]):,} tokens; this model "
            f"reads {limit:,}",
            hint="Lower max_pixels or the number of frames, or pass fewer media." if media else "Shorten the prompt.",
        )

    def _ids(self, turns: Sequence[Turn], texts: dict[int, str], expand: Callable[[Part], str]) -> Any:
        swaps = self._swaps(texts.values())
        back = {private: word for word, private in swaps.items()}
        plain_chat = self._rendered(turns, texts, swaps)
        self._check_whole(plain_chat, turns, texts, swaps)
        rendered = self._expanded(plain_chat, turns, expand)
        ids: list[npt.NDArray[np.int64]] = []
        runs: list[str] = []
        last = 0
        order: list[int | None] = []  # a control token's id, or None for the next run of text
        for match in self._pattern.finditer(rendered):
            if match.start() > last:
                runs.append(rendered[last : match.start()])
                order.append(None)
            order.append(self.tokens.id_of(match.group()))
            last = match.end()
        if last < len(rendered):
            runs.append(rendered[last:])
            order.append(None)
        plain = iter(self.tokens.encode([_swap(run, back) for run in runs], None, special=False))
        for token in order:
            ids.append(next(plain).ids if token is None else np.array([token], np.int64))
        flat = np.concatenate(ids) if ids else np.empty(0, np.int64)
        # a user's text never gives the id of a control token, so that kinds can be read off the ids
        kinds = np.zeros_like(flat)
        for holder in self.chat.placeholders.values():
            kinds[flat == self.tokens.id_of(holder.token)] = holder.kind
        return flat, kinds

    def _swaps(self, texts: Any) -> dict[str, str]:
        """Control word → private character, for the words that occur in the texts."""
        found: dict[str, str] = {}
        point = PRIVATE
        joined = "\0".join(texts)
        for word in sorted(set(self._pattern.findall(joined))):
            while chr(point) in joined:
                point += 1
            found[word] = chr(point)
            point += 1
        return found

    def _rendered(self, turns: Sequence[Turn], texts: dict[int, str], swaps: dict[str, str]) -> str:
        messages = []
        for turn in turns:
            words = [_swap(texts[id(part)], swaps) for part in turn.parts if part.modality == "text"]
            given = iter(words)
            parts = [
                {"type": "text", "text": next(given)} if part.modality == "text" else {"type": part.modality}
                for part in turn.parts
            ]
            messages.append({"role": turn.role, "content": parts if self.chat.structured else "".join(words)})
        names = {"add_generation_prompt": self.chat.generation, **self.special, **self.chat.options}
        try:
            return str(self._template.render(messages=messages, **names))
        except Exception as error:
            raise ItemError(f"the model's chat template refused the input: {error}") from error

    def _check_whole(self, rendered: str, turns: Sequence[Turn], texts: dict[int, str], swaps: dict[str, str]) -> None:
        """Raise UnsupportedInput where the template left a text out, as it does for roles that it does not know."""
        for turn in turns:
            for part in turn.parts:
                if part.modality == "text" and _swap(texts[id(part)], swaps).strip() not in rendered:
                    raise UnsupportedInput(
                        f"the model's chat template leaves out a turn of {turn.role!r}", hint=_ROLES_HINT
                    )

    def _expanded(self, rendered: str, turns: Sequence[Turn], expand: Callable[[Part], str]) -> str:
        for modality, holder in self.chat.placeholders.items():
            parts = [part for turn in self.chat.written(turns) for part in turn.parts if part.modality == modality]
            pieces = rendered.split(holder.token) if parts else [rendered]
            if parts and len(pieces) != len(parts) + 1:
                raise UnsupportedInput(
                    f"the model's chat template wrote {len(pieces) - 1} of {len(parts)} {modality} parts",
                    hint=_ROLES_HINT,
                )
            for i, part in enumerate(parts):
                pieces[i] += expand(part)
            rendered = "".join(pieces)
        return rendered


def _swap(text: str, swaps: dict[str, str]) -> str:
    if not swaps:
        return text
    pattern = re.compile("|".join(re.escape(w) for w in sorted(swaps, key=len, reverse=True)))
    return pattern.sub(lambda match: swaps[match.group()], text)
