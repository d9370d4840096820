"""Arrays of pixels: numpy arrays and torch tensors become 8-bit pictures.

Knows: shapes, dtypes and ranges of values. Does not know: files, formats. Needs no torch: a tensor is recognised only
where torch is loaded already.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from ..errors import AmbiguousInput, ItemError, MediaError, MediaTooLarge, UnsupportedInput
from ..inputs.arrays import pixels_layout
from .policy import Policy

Array = npt.NDArray[Any]

RESAVE = 'Save it again from another program, or set aside broken items with on_error="skip".'
FLOATS = "Scale values to 0..1, pass uint8 values 0..255, or clip what overshoots."


class Refusal(Exception):
    """What is wrong, before it is known what the value is called."""

    def __init__(self, reason: str, hint: str | None = RESAVE, kind: type[ItemError] = MediaError) -> None:
        super().__init__(reason)
        self.reason, self.hint, self.kind = reason, hint, kind


def is_tensor(value: Any) -> bool:
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.Tensor)


def check_kind(value: Any) -> None:
    if not (is_tensor(value) or isinstance(value, np.ndarray)):
        reason = "a picture is a path, URL, bytes, file object, PIL image, numpy array or torch tensor"
        raise Refusal(reason, None, UnsupportedInput)
    if not _is_real(value):
        raise Refusal("pixels are real numbers", "Convert it to uint8 or float first.", UnsupportedInput)


def _is_real(array: Any) -> bool:
    if is_tensor(array):
        return not array.dtype.is_complex
    return array.dtype.kind in "buif" or array.dtype.name == "bfloat16"  # numpy's bfloat16 comes from ml_dtypes


def as_array(value: Any) -> Array:
    """A view where that is possible; never written to."""
    if is_tensor(value):
        wide = value.float() if str(value.dtype) == "torch.bfloat16" else value  # which numpy does not know
        return np.asarray(wide.numpy(force=True))
    array = np.asarray(value)
    return array.astype(np.float32) if array.dtype.name == "bfloat16" else array


def array_size(value: Any, policy: Policy) -> tuple[int, int]:
    """Width and height of an array that is one picture."""
    check_kind(value)
    shape = tuple(int(length) for length in value.shape)
    layout = pixels_layout(shape)
    allowed = "one picture has shape (H, W), (H, W, 1|3|4) or (1|3|4, H, W)"
    if layout == "both":
        hint = "Say which by passing PIL.Image.fromarray(array) of an array (H, W, channels)."
        raise Refusal("both its first and its last axis could be the channels", hint, AmbiguousInput)
    if len(shape) == 4:
        raise Refusal(allowed, "Pass a batch of pictures as a list: list(array).", UnsupportedInput)
    if layout == "neither":
        raise Refusal(allowed, "Move or add the axis of channels.", MediaError)
    height, width = shape[1:] if layout == "first" else shape[:2]
    check_size((width, height), policy)
    return width, height


def from_array(array: Array) -> Image.Image:
    """array: of a shape that array_size has passed."""
    pixels = to_bytes(array)
    if pixels_layout(pixels.shape) == "first":
        pixels = np.moveaxis(pixels, 0, -1)
    if pixels.ndim == 3 and pixels.shape[2] == 1:
        pixels = pixels[:, :, 0]
    return Image.fromarray(np.ascontiguousarray(pixels))


def to_bytes(values: Array) -> Array:
    """Values to uint8 of the same shape, by the rules of their dtype."""
    kind = values.dtype.kind
    if kind == "b":
        return np.where(values, np.uint8(255), np.uint8(0))
    if kind == "f":
        check_floats(values)
        if values.min() < 0 or values.max() > 1:
            raise Refusal(f"its floats are from {values.min():g} to {values.max():g}; they must be in 0..1", FLOATS)
        fine = values.astype(np.float32) if values.dtype.itemsize < 4 else values
        scaled: Array = np.rint(fine * 255).astype(np.uint8)
        return scaled
    if values.dtype == np.uint8:
        return values
    if kind == "u" and values.dtype.itemsize == 2:
        return np.right_shift(values, 8).astype(np.uint8)
    if values.min() < 0 or values.max() > 255:
        reason = f"its integers are from {values.min()} to {values.max()}; they must be in 0..255"
        raise Refusal(reason, "Scale them to 0..255, or pass 16-bit values as uint16.")
    return values.astype(np.uint8)


def check_floats(values: Array) -> None:
    if not (np.isfinite(values.min()) and np.isfinite(values.max())):
        raise Refusal("it has values that are NaN or infinite", "Replace them first, e.g. with numpy.nan_to_num.")


def check_size(size: tuple[int, int], policy: Policy) -> None:
    width, height = size
    if width < 1 or height < 1:
        raise Refusal(f"it is {width} x {height} pixels: it has none", hint=None)
    if width * height > policy.max_pixels:
        reason = f"it has {width} x {height} = {width * height:,} pixels; the limit is {policy.max_pixels:,}"
        raise Refusal(reason, "Make it smaller first, or raise max_pixels of the policy.", MediaTooLarge)
