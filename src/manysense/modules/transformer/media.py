"""The pictures and videos of a chat: what each will be, and opening it.

Knows: placeholders of a picture and of a video with time stamps. Does not know: the chat around them (messages.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...inputs.types import Part
from .media_towers import MediaCache, Medium, key_of

if TYPE_CHECKING:
    from ...media.reader import Reader


@dataclass(frozen=True, slots=True, eq=False)
class MediumPlan:
    """policy: that prepares it.  patches: that the tower sees.  expansion: what stands for it in the chat.

    indices: the chosen frames of a video.  listed: whether these are frames that the caller sampled.  runs: pieces of
    its placeholder in the chat.
    """

    part: Part
    policy: Any
    patches: int
    expansion: str
    indices: tuple[int, ...] = ()
    listed: bool = False
    runs: int = 1


def plan_medium(part: Part, policy: Any, reader: Reader) -> MediumPlan:
    """Decide from the header alone. Raises ItemError."""
    if part.modality == "image":
        tokens, patches = policy.tokens(reader.picture_size(part))
        return MediumPlan(part, policy, patches, "<|image_pad|>" * tokens)
    size, listed = reader.clip_size(part), reader.is_frames(part)
    indices = policy.choose(size, listed)
    time, tokens, patches = policy.tokens(size, len(indices), listed)
    stamps = policy.stamps(size, indices, listed)
    assert len(stamps) == time
    block = "<|vision_start|>" + "<|video_pad|>" * tokens + "<|vision_end|>"
    expansion = "".join(f"<{stamp:.1f} seconds>{block}" for stamp in stamps)
    return MediumPlan(part, policy, patches, expansion, tuple(indices), listed, len(stamps))


def open_medium(plan: MediumPlan, reader: Reader) -> Mapping[str, Any]:
    """Its prepared arrays; equal media are opened once per window. Raises ItemError."""
    key = ("prepared", reader.key(plan.part))
    opened: Mapping[str, Any] = reader.once(key, lambda: _made(plan, reader))
    return opened


def _made(plan: MediumPlan, reader: Reader) -> Mapping[str, Any]:
    if plan.part.modality == "image":
        made: Mapping[str, Any] = plan.policy.prepare(reader.picture(plan.part))
        return made
    made = plan.policy.prepare(reader.clip(plan.part, plan.indices).frames, plan.listed)
    return made


def medium_of(plan: MediumPlan, reader: Reader, cache: MediaCache) -> Medium:
    """The medium for a tower, opened now unless one has seen it. Raises ItemError."""
    key = (reader.key(plan.part), key_of(plan.policy), plan.indices, plan.listed)
    cache.open_ahead(key, lambda: _made(plan, reader), reader.tally)
    return Medium(
        plan.part.modality, key, lambda: cache.open(key, lambda: _made(plan, reader), reader.tally), reader.tally
    )
