"""A picture of any size → the small square that the picture tower sees.

Knows: fitting and padding. Does not know: files, networks.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image

SIDE = 96
"""Pixels along each side of what the tower sees."""

Pixels = npt.NDArray[np.uint8]


def square(picture: Image.Image, side: int = SIDE) -> Pixels:
    """(side, side, 3): the whole RGB picture, scaled to fit, on the mean colour of its border."""
    scale = side / max(picture.size)
    width, height = (max(1, round(length * scale)) for length in picture.size)
    fitted = np.asarray(picture.resize((width, height), Image.Resampling.BICUBIC, reducing_gap=3.0))
    if width == height:
        return fitted
    border = np.concatenate([fitted[0], fitted[-1], fitted[:, 0], fitted[:, -1]])
    padded = np.empty((side, side, 3), np.uint8)
    padded[:] = border.mean(0).round()
    top, left = (side - height) // 2, (side - width) // 2
    padded[top : top + height, left : left + width] = fitted
    return padded
