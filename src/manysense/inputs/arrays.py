"""Which modality a bare array is, by its shape, its dtype and what the model reads.

Knows: shapes. Does not know: pixels or samples (media/), torch (tensors are recognised by their type's name).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any, Literal

from ..errors import AmbiguousInput, UnsupportedInput, UnsupportedModality
from .types import Modality

MOST_CHANNELS = 32
CHANNELS = (1, 3, 4)
Layout = Literal["gray", "last", "first", "both", "neither"]


def is_array(value: Any) -> bool:
    """A numpy array or a torch tensor of numbers."""
    if is_numpy(value):
        return value.dtype.kind in "biufc" or value.dtype.name == "bfloat16"
    kind = type(value)
    return kind.__module__.partition(".")[0] == "torch" and hasattr(kind, "dim") and hasattr(kind, "dtype")


def is_numpy(value: Any) -> bool:
    """A numpy array, told by its type: asking any value for its array would make a PIL picture decode itself."""
    return any(kind.__module__ == "numpy" and kind.__name__ == "ndarray" for kind in type(value).__mro__)


def describe_array(value: Any) -> str:
    """ "array (2, 16000) float32", for error messages."""
    return f"array {tuple(value.shape)} {str(value.dtype).replace('torch.', '')}"


def array_modality(value: Any, readable: Collection[Modality]) -> Modality:
    """The modality of a bare array, or an error that names the wrapper which settles it.

    1-D is sound; 2-D is sound as (channels, samples), or a grey picture (height, width) for a model that reads
    pictures and no sound; 3-D is a picture (height, width, channels) or (channels, height, width); 4-D is a video
    (frames, height, width, 3) or (frames, 3, height, width).
    """
    shape = tuple(int(n) for n in value.shape)
    modality = _BY_DIMENSIONS.get(len(shape), _no_rule)(shape, value, readable)
    if modality not in readable:
        raise UnsupportedModality(
            f"{describe_array(value)} is {modality} by its shape, and this model reads {', '.join(sorted(readable))}",
            source=describe_array(value),
            hint="A batch of pictures is passed as a list: list(array)." if len(shape) == 4 else None,
        )
    return modality


def _sound_or_grey(shape: tuple[int, ...], value: Any, readable: Collection[Modality]) -> Modality:
    sound = shape[0] <= MOST_CHANNELS and shape[0] < shape[1]
    if "audio" not in readable and not (sound and shape[0] <= 2 and shape[1] >= 1000):
        return "image" if "image" in readable else "audio"
    if sound and "audio" in readable and ("image" not in readable or shape[0] <= 8):
        return "audio"
    raise AmbiguousInput(
        f"{describe_array(value)} is not plainly (channels, samples)",
        source=describe_array(value),
        hint="Give sound as (channels, samples), or say what it is: Audio(array.T) or Image(array).",
    )


def _picture(shape: tuple[int, ...], value: Any, readable: Collection[Modality]) -> Modality:
    layout = pixels_layout(shape)
    if layout in ("first", "last"):
        return "image"
    what = (
        "reads as (height, width, channels) and as (channels, height, width)"
        if layout == "both"
        else "is neither (height, width, channels) nor (channels, height, width) with 1, 3 or 4 channels"
    )
    raise AmbiguousInput(
        f"{describe_array(value)} {what}",
        source=describe_array(value),
        hint="Pass PIL.Image.fromarray(pixels) of an array (height, width, channels); a batch is passed as a list.",
    )


def pixels_layout(shape: Sequence[int]) -> Layout:
    """Where the channels of an array of this shape are: none ("gray"), at the end ("last"), in front ("first").

    "both": it reads either way.  "neither": this is no shape of one picture.
    """
    if len(shape) == 2:
        return "gray"
    if len(shape) != 3:
        return "neither"
    first, last = shape[0] in CHANNELS, shape[2] in CHANNELS
    if first and last:
        return "both"
    return "last" if last else "first" if first else "neither"


def _no_rule(shape: tuple[int, ...], value: Any, readable: Collection[Modality]) -> Modality:
    raise UnsupportedInput(
        f"{describe_array(value)} has {len(shape)} dimensions; 1 and 2 are sound, 3 a picture, 4 a video",
        source=describe_array(value),
        hint="A batch is passed as a list of items: list(array).",
    )


_Rule = Callable[[tuple[int, ...], Any, Collection[Modality]], Modality]
_BY_DIMENSIONS: dict[int, _Rule] = {
    1: lambda shape, value, readable: "audio",
    2: _sound_or_grey,
    3: _picture,
    4: lambda shape, value, readable: "video",
}
