"""Turn glyphs of fonts and SVG drawings into square RGBA bitmaps.

Knows: librsvg (through ctypes and cairocffi), FreeType with Raqm layout (through Pillow). Does not know: which drawings
there are, or where bitmaps are kept. Build-time only: nothing of it is shipped.
"""

from __future__ import annotations

import ctypes
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

SIDE = 112
"""Pixels of a stored bitmap."""

Bitmap = NDArray[np.uint8]
"""(SIDE, SIDE, 4): red, green, blue premultiplied with alpha, so that bitmaps can be resized without dark fringes."""


class _Rectangle(ctypes.Structure):
    _fields_ = [(side, ctypes.c_double) for side in ("x", "y", "width", "height")]


@cache
def _libraries() -> tuple[ctypes.CDLL, ctypes.CDLL]:
    """librsvg and gobject. Raises OSError where librsvg (Debian: librsvg2-2) is not installed."""
    rsvg, gobject = ctypes.CDLL("librsvg-2.so.2"), ctypes.CDLL("libgobject-2.0.so.0")
    rsvg.rsvg_handle_new_from_data.restype = ctypes.c_void_p
    rsvg.rsvg_handle_new_from_data.argtypes = [ctypes.c_char_p, ctypes.c_size_t, ctypes.c_void_p]
    rsvg.rsvg_handle_render_document.argtypes = [
        ctypes.c_void_p, ctypes.c_void_p, ctypes.POINTER(_Rectangle), ctypes.c_void_p,
    ]  # fmt: skip
    gobject.g_object_unref.argtypes = [ctypes.c_void_p]
    return rsvg, gobject


def trimmed_svg(source: bytes) -> Bitmap | None:
    """The drawing without the empty page around it, fitted into the square."""
    large = from_svg(source, 3 * SIDE)
    if large is None:
        return None
    return _fitted(Image.frombuffer("RGBa", large.shape[:2], large.tobytes(), "raw", "RGBa", 0, 1))


def from_svg(source: bytes, side: int = SIDE) -> Bitmap | None:
    """The page, fitted into the square. None for one that librsvg cannot draw, or that leaves the square empty."""
    import cairocffi  # type: ignore[import-untyped]

    rsvg, gobject = _libraries()
    handle = rsvg.rsvg_handle_new_from_data(source, len(source), None)
    if not handle:
        return None
    surface = cairocffi.ImageSurface(cairocffi.FORMAT_ARGB32, side, side)
    context = cairocffi.Context(surface)  # a name of its own: cairo must outlive the drawing
    address = ctypes.c_void_p(int(cairocffi.ffi.cast("intptr_t", context._pointer)))
    drawn = rsvg.rsvg_handle_render_document(handle, address, ctypes.byref(_Rectangle(1, 1, side - 2, side - 2)), None)
    gobject.g_object_unref(handle)
    surface.flush()
    bitmap = np.frombuffer(surface.get_data(), np.uint8).reshape(side, side, 4)[..., [2, 1, 0, 3]]
    return bitmap if drawn and bitmap[..., 3].any() else None


def from_color_font(font: ImageFont.FreeTypeFont, text: str) -> Bitmap | None:
    """A glyph of NotoColorEmoji, fitted into the square. None where the font draws the sequence as several glyphs."""
    if font.getlength(text, features=["-kern"]) > 1.5 * font.getlength("\N{GRINNING FACE}"):
        return None
    canvas = Image.new("RGBA", (200, 200))
    ImageDraw.Draw(canvas).text((30, 30), text, font=font, embedded_color=True)
    return _fitted(canvas)


def from_plain_font(font: ImageFont.FreeTypeFont, text: str) -> Bitmap | None:
    """A glyph of a font without colours, black, fitted into the square. None where it draws nothing."""
    left, top, right, bottom = font.getbbox(text)
    if right <= left or bottom <= top:
        return None
    canvas = Image.new("RGBA", (int(right - left) + 4, int(bottom - top) + 4))
    ImageDraw.Draw(canvas).text((2 - left, 2 - top), text, font=font, fill=(0, 0, 0, 255))
    return _fitted(canvas)


def plain_font(path: Path) -> ImageFont.FreeTypeFont:
    """A font at the size that fills the square."""
    return ImageFont.truetype(str(path), SIDE)


def color_font(path: Path) -> ImageFont.FreeTypeFont:
    """NotoColorEmoji holds bitmaps of one size."""
    return ImageFont.truetype(str(path), 109)


def _fitted(canvas: Image.Image) -> Bitmap | None:
    box = Image.fromarray(np.asarray(canvas)[..., 3]).getbbox()
    if box is None:
        return None
    part = canvas.crop(box)
    room = SIDE - 2
    scale = room / max(part.size)
    if part.mode != "RGBa":
        part = part.convert("RGBa")
    part = part.resize((max(1, round(part.width * scale)), max(1, round(part.height * scale))),
                                       Image.Resampling.LANCZOS)  # fmt: skip
    square = np.zeros((SIDE, SIDE, 4), np.uint8)
    top, left = (SIDE - part.height) // 2, (SIDE - part.width) // 2
    square[top : top + part.height, left : left + part.width] = np.asarray(part)
    square[..., :3] = np.minimum(square[..., :3], square[..., 3:])  # sharpening may overshoot the alpha
    return square
