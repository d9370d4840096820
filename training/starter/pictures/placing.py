"""Put bitmaps on a canvas: turned, mirrored, scaled, shifted, with a shadow; then what a camera or a file does to it.

Knows: premultiplied bitmaps and canvases. Does not know: what they mean.
"""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from .backgrounds import Canvas
from .styles import Bitmap

SIZES = (96, 104, 112, 120, 128)
INKS = np.array(
    [[0, 0, 0], [0, 0, 0], [30, 30, 35], [60, 60, 70], [20, 40, 90], [110, 25, 25], [20, 80, 50], [90, 40, 110],
     [120, 70, 20], [10, 90, 120]], np.uint8,
)  # fmt: skip


def canvas_size(rng: np.random.Generator) -> tuple[int, int]:
    """Height and width; mostly square."""
    longer = int(rng.choice(SIZES))
    kind = rng.random()
    shorter = longer if kind < 0.7 else int(longer * rng.choice([0.66, 0.75, 0.85]))
    return (longer, shorter) if kind > 0.85 else (shorter, longer)


def ink_for(brightness: float, rng: np.random.Generator) -> NDArray[np.uint8]:
    """A colour of ink that shows on a ground of this brightness: dark on light, light on dark."""
    ink = INKS[int(rng.integers(len(INKS)))]
    return np.asarray(ink if brightness > 110 else 255 - ink // 2, np.uint8)


def sized(bitmap: Bitmap, size: float, angle: float = 0.0, mirrored: bool = False) -> Bitmap:
    """The bitmap with this longer side, mirrored, turned by degrees."""
    picture = Image.frombuffer("RGBa", bitmap.shape[1::-1], np.ascontiguousarray(bitmap).tobytes(), "raw", "RGBa", 0, 1)
    if mirrored:
        picture = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    scale = size / max(picture.size)
    picture = picture.resize((max(4, round(picture.width * scale)), max(4, round(picture.height * scale))),
                             Image.Resampling.BOX if scale < 0.6 else Image.Resampling.BILINEAR)  # fmt: skip
    if abs(angle) > 1:
        picture = picture.rotate(angle, Image.Resampling.BILINEAR, expand=True)
    return np.frombuffer(picture.tobytes(), np.uint8).reshape(picture.height, picture.width, 4)


def lay(canvas: Canvas, bitmap: Bitmap, center: tuple[float, float]) -> None:
    """Draw the bitmap on the canvas in place, its middle at (x, y); what lies outside is cut off."""
    height, width = bitmap.shape[:2]
    left, top = round(center[0] - width / 2), round(center[1] - height / 2)
    x0, y0 = max(left, 0), max(top, 0)
    x1, y1 = min(left + width, canvas.shape[1]), min(top + height, canvas.shape[0])
    if x1 <= x0 or y1 <= y0:
        return
    part = bitmap[y0 - top : y1 - top, x0 - left : x1 - left]
    below = canvas[y0:y1, x0:x1]
    keep = 255 - part[..., 3:].astype(np.uint16)
    below[:] = part[..., :3] + (below * keep // 255).astype(np.uint8)


def shadow(bitmap: Bitmap, strength: float, blur: float) -> Bitmap:
    """A blurred shadow of the bitmap, with room for the blur."""
    room = int(2 * blur)
    alpha = Image.fromarray(np.pad(bitmap[..., 3], room)).filter(ImageFilter.BoxBlur(blur))
    out = np.zeros((alpha.height, alpha.width, 4), np.uint8)
    out[..., 3] = np.asarray(alpha) * strength
    return out


def finished(canvas: Canvas, rng: np.random.Generator) -> Image.Image:
    """The picture as it is, or blurred, of low resolution, noisy, or through JPEG."""
    picture = Image.fromarray(canvas)
    kind = rng.random()
    if kind < 0.05:
        return picture.filter(ImageFilter.BoxBlur(rng.uniform(0.5, 1.4)))
    if kind < 0.10:
        small = picture.resize((picture.width * 2 // 5, picture.height * 2 // 5), Image.Resampling.BOX)
        return small.resize(picture.size, Image.Resampling.BILINEAR)
    if kind < 0.16:
        file = io.BytesIO()
        picture.save(file, "JPEG", quality=int(rng.integers(18, 70)))
        return Image.open(file).convert("RGB")
    if kind < 0.19:
        grain = rng.integers(-14, 15, canvas.shape[:2], dtype=np.int16)[..., None]
        return Image.fromarray(np.clip(canvas + grain, 0, 255).astype(np.uint8))
    return picture
