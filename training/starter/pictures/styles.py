"""The same drawing by another hand: grey, posterised, outlined, a silhouette, two tones, a sticker, tinted.

Knows: premultiplied RGBA bitmaps. Does not know: what they show. Colours are meaning, so each style says whether it
keeps them; who calls it must not put a colour into the caption of one that does not.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

Bitmap = NDArray[np.uint8]
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)


def luma(bitmap: Bitmap) -> NDArray[np.float32]:
    """Premultiplied brightness, 0 to 255."""
    return bitmap[..., :3] @ _LUMA


def inked(alpha: NDArray[np.generic], ink: NDArray[np.generic]) -> Bitmap:
    """One colour with this alpha, 0 to 255."""
    cover = np.clip(alpha, 0, 255).astype(np.uint16)[..., None]
    out = np.empty((*alpha.shape, 4), np.uint8)
    out[..., :3] = cover * ink.astype(np.uint16) // 255
    out[..., 3:] = cover
    return out


def grey(bitmap: Bitmap, rng: np.random.Generator, ink: NDArray[np.uint8]) -> Bitmap:
    """Brightness alone."""
    out = bitmap.copy()
    out[..., :3] = luma(bitmap)[..., None]
    return out


def posterised(bitmap: Bitmap, rng: np.random.Generator, ink: NDArray[np.uint8]) -> Bitmap:
    """Few levels of each colour, hard edges."""
    out = bitmap.copy()
    out[..., 3] = np.where(bitmap[..., 3] > 100, 255, 0)
    step = int(rng.choice([64, 85, 128]))
    levels = bitmap[..., :3].astype(np.uint16) // step * step * 255 // (255 // step * step)
    out[..., :3] = np.minimum(levels, out[..., 3:])
    return out


def line_art(bitmap: Bitmap, rng: np.random.Generator, ink: NDArray[np.uint8]) -> Bitmap:
    """Edges of colour and outline in ink, the inside often filled with paper."""
    seen = luma(bitmap) + 0.5 * bitmap[..., 3]
    edge = np.zeros(seen.shape, np.float32)
    edge[:, :-1] = np.abs(np.diff(seen, axis=1))
    edge[:-1] = np.maximum(edge[:-1], np.abs(np.diff(seen, axis=0)))
    lines = inked((edge - 8) * rng.uniform(4, 9), ink)
    if rng.random() < 0.5:
        return lines
    paper = np.uint8(255) - ink // 8 if ink.mean() < 128 else ink // 8
    return over(inked(bitmap[..., 3], paper), lines)


def silhouette(bitmap: Bitmap, rng: np.random.Generator, ink: NDArray[np.uint8]) -> Bitmap:
    """The outline filled with one colour."""
    return inked(bitmap[..., 3], ink)


def two_tone(bitmap: Bitmap, rng: np.random.Generator, ink: NDArray[np.uint8]) -> Bitmap:
    """Ink where the drawing is darker than its mean (brighter, for a light ink), paper or nothing elsewhere."""
    bright = luma(bitmap)
    solid = bitmap[..., 3] > 128
    if not solid.any():
        return silhouette(bitmap, rng, ink)
    threshold = bright[solid].mean() * rng.uniform(0.8, 1.05)
    sign = 4 if ink.mean() < 128 or rng.random() < 0.5 else -4
    dark = np.clip((threshold - bright) * sign + 128, 0, 255) * solid
    padded = np.pad(bitmap[..., 3].astype(np.int16), 1)
    inner = np.minimum.reduce([padded[:-2, 1:-1], padded[2:, 1:-1], padded[1:-1, :-2], padded[1:-1, 2:]])
    drawn = inked(np.maximum(dark, bitmap[..., 3] - inner), ink)
    return drawn if rng.random() < 0.6 else over(inked(bitmap[..., 3], np.uint8(255) - ink), drawn)


def sticker(bitmap: Bitmap, rng: np.random.Generator, ink: NDArray[np.uint8]) -> Bitmap:
    """A white or dark rim around the whole."""
    width = int(rng.choice([3, 5, 7]))
    rim = Image.fromarray(bitmap[..., 3]).filter(ImageFilter.MaxFilter(width))
    color = np.full(3, 255, np.uint8) if rng.random() < 0.7 else ink
    return over(inked(np.asarray(rim), color), bitmap)


def tinted(bitmap: Bitmap, rng: np.random.Generator, ink: NDArray[np.uint8]) -> Bitmap:
    """A print in one colour: dark parts in it, light parts in paper."""
    color = ink.astype(np.float32) if ink.mean() < 150 else ink.astype(np.float32) * 0.4
    out = bitmap.copy()
    bright = luma(bitmap)[..., None]
    out[..., :3] = bright + (bitmap[..., 3:].astype(np.float32) - bright) * color / 255
    return out


def over(below: Bitmap, above: Bitmap) -> Bitmap:
    """One premultiplied bitmap on another."""
    keep = 255 - above[..., 3:].astype(np.uint16)
    return above + (below * keep // 255).astype(np.uint8)


Style = Callable[[Bitmap, np.random.Generator, NDArray[np.uint8]], Bitmap]
COLOR_KEEPING: dict[str, tuple[Style | None, float]] = {
    "colour": (None, 0.8), "posterised": (posterised, 0.08), "sticker": (sticker, 0.12),
}  # fmt: skip
FREE: dict[str, tuple[Style | None, float]] = {
    "colour": (None, 0.42), "posterised": (posterised, 0.05), "sticker": (sticker, 0.07), "grey": (grey, 0.09),
    "line art": (line_art, 0.12), "two tone": (two_tone, 0.14), "tinted": (tinted, 0.06),
    "silhouette": (silhouette, 0.05),
}  # fmt: skip
"""Name → style and its share. A silhouette is only for what its outline tells."""


def pick(rng: np.random.Generator, styles: dict[str, tuple[Style | None, float]]) -> str:
    """The name of a style, by share."""
    shares = np.cumsum([share for _, share in styles.values()])
    return list(styles)[int(np.searchsorted(shares, rng.random() * shares[-1]))]
