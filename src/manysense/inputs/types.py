"""The one shape of everything a caller can hand over: an Item of Turns of Parts.

Knows: names of modalities, the frozen values that the rest of the line passes on, the typed wrappers for callers.
Does not know: how a value is recognised (parse.py), how it is opened (media/).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Modality = Literal["text", "image", "audio", "video"]
MODALITIES: tuple[Modality, ...] = ("text", "image", "audio", "video")
PART_ORDER: tuple[Modality, ...] = ("video", "image", "audio", "text")
"""Parts of one turn that came without an order of their own (a dict) are put in this one; media first, as the
authors of Qwen3-VL-Embedding do."""

Route = str | tuple[str, ...]
"""What a model does with an item: "text", "image", ("image", "text"), "message". Tuples are sorted by name."""


@dataclass(frozen=True, slots=True)
class Text:
    """This value is text, whatever it looks like."""

    value: str


@dataclass(frozen=True, slots=True)
class Image:
    """This value is a picture: path, URL, data URI, base64, bytes, file object, PIL, numpy or torch pixels."""

    value: Any


@dataclass(frozen=True, slots=True)
class Audio:
    """This value is sound: path, URL, data URI, base64, bytes, file object, samples (n,) or (channels, n).

    sampling_rate: of samples, in Hz; None means the model's own rate. Files carry their own.
    """

    value: Any
    sampling_rate: int | None = None


@dataclass(frozen=True, slots=True)
class Video:
    """This value is a video: path, URL, data URI, bytes, file object, or frames: a list of pictures or an array
    (frames, height, width, 3).

    fps: frames per second of a list or array of frames; None means that the frames are the sample.
    """

    value: Any
    fps: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """One piece of one modality, not opened yet.

    value: str for text; else whatever media/fetch.py or the modality's file opens.
    meta: facts that came with the value: sampling_rate (Hz), fps, metadata of a video.
    """

    modality: Modality
    value: Any
    meta: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Turn:
    """Parts that one speaker said. role: "user" for plain inputs, "system", "assistant", "query", "document"."""

    role: str
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Item:
    """One input. A plain input is one user turn; a chat is many (`chat` is True and its order is the caller's)."""

    turns: tuple[Turn, ...]
    chat: bool = False

    @property
    def parts(self) -> tuple[Part, ...]:
        return tuple(part for turn in self.turns for part in turn.parts)

    @property
    def modalities(self) -> tuple[str, ...]:
        """Names of the modalities present, sorted, each once."""
        return tuple(sorted({part.modality for part in self.parts}))

    @property
    def is_pair(self) -> bool:
        """Whether it is a query and a document."""
        return len(self.turns) == 2 and self.turns[0].role == "query" and self.turns[1].role == "document"

    @property
    def text(self) -> str:
        """The text of an item that is one text part."""
        (part,) = self.turns[0].parts
        assert part.modality == "text"
        return str(part.value)
