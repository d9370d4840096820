"""The media of a chat: what each will be, and opening it.

Knows: what stands in a chat for a picture, a sound, a video with or without time stamps. Does not know: the chat around
them (messages.py), families (their placeholders are data).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ...inputs.types import Item, Part
from .media_towers import MediaCache, Medium, key_of
from .messages import Chat, Placeholder

if TYPE_CHECKING:
    from ...media.reader import Reader


@dataclass(frozen=True, slots=True, eq=False)
class MediumPlan:
    """policy: that prepares it.  patches: that the tower sees.  tokens, expansion: that stand for it in the chat.

    indices: the chosen frames of a video.  listed: whether these are frames that the caller sampled.  runs: pieces of
    its placeholder in the chat.  beside: what the model reads of it beside the prepared arrays.  cut: (seconds, seconds
    heard, "seconds") of a sound that is too long.
    """

    part: Part
    policy: Any
    patches: int
    tokens: int
    expansion: str
    indices: tuple[int, ...] = ()
    listed: bool = False
    runs: int = 1
    beside: Mapping[str, Any] = field(default_factory=dict)
    cut: tuple[float, float, str] | None = None


def plan_media(item: Item, chat: Chat, policy_of: Callable[[Part], Any], reader: Reader) -> list[MediumPlan]:
    """Of all media of an item, in the order in which the chat's template writes them. Raises ItemError."""
    parts = [part for turn in chat.written(item.turns) for part in turn.parts if part.modality != "text"]
    return [_plan(part, policy_of(part), reader, chat.placeholders[part.modality]) for part in parts]


def _plan(part: Part, policy: Any, reader: Reader, holder: Placeholder) -> MediumPlan:
    """Decide from the header alone; of a sound from its samples, since headers of sounds may be estimates.

    Raises ItemError.
    """
    if part.modality == "image":
        tokens, patches = policy.tokens(reader.picture_size(part))
        return MediumPlan(part, policy, patches, tokens, holder.token * tokens)
    if part.modality == "audio":
        return _plan_sound(part, policy, reader, holder)
    size, listed = reader.clip_size(part), reader.is_frames(part)
    indices = policy.choose(size, listed)
    time, each, patches = policy.tokens(size, len(indices), listed)
    beside = policy.beside(size, len(indices), listed)
    if holder.stamped is None:
        tokens = time * each
        return MediumPlan(part, policy, patches, tokens, holder.token * tokens, tuple(indices), listed, 1, beside)
    stamps = policy.stamps(size, indices, listed)
    assert len(stamps) == time
    expansion = "".join(holder.stamped.format(seconds=stamp, pads=holder.token * each) for stamp in stamps)
    return MediumPlan(part, policy, patches, time * each, expansion, tuple(indices), listed, len(stamps), beside)


def _plan_sound(part: Part, policy: Any, reader: Reader, holder: Placeholder) -> MediumPlan:
    count = len(_samples(part, policy, reader))
    frames, tokens = policy.heard(count)
    seconds = count / policy.rate
    cut = (round(seconds, 3), policy.window, "seconds") if seconds > policy.window else None
    return MediumPlan(part, policy, frames, tokens, holder.token * tokens, cut=cut)


def _samples(part: Part, policy: Any, reader: Reader) -> Any:
    key = ("samples", reader.key(part), policy.rate)
    return reader.once(key, lambda: reader.sound(part, policy.rate))


def open_medium(plan: MediumPlan, reader: Reader) -> Mapping[str, Any]:
    """Its prepared arrays; equal media are opened once per window. Raises ItemError."""
    key = ("prepared", reader.key(plan.part))
    opened: Mapping[str, Any] = reader.once(key, lambda: _made(plan, reader))
    return opened


def _made(plan: MediumPlan, reader: Reader) -> Mapping[str, Any]:
    part, policy = plan.part, plan.policy
    if part.modality == "image":
        made: Mapping[str, Any] = policy.prepare(reader.picture(part))
    elif part.modality == "audio":
        made = policy.prepare(_samples(part, policy, reader))
    else:
        made = policy.prepare(reader.clip(part, plan.indices).frames, plan.listed)
    return {**made, **plan.beside}


def medium_of(plan: MediumPlan, reader: Reader, cache: MediaCache) -> Medium:
    """The medium for a tower, opened now unless one has seen it. Raises ItemError."""
    key = (reader.key(plan.part), key_of(plan.policy), plan.indices, plan.listed)

    def opened() -> Mapping[str, Any]:
        return cache.open(key, lambda: _made(plan, reader), reader.tally)

    cache.open_ahead(key, lambda: _made(plan, reader), reader.tally)
    return Medium(plan.part.modality, key, opened, reader.tally, plan.tokens)
