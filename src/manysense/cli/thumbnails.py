"""Small pictures between the lines of a terminal, where it says by its environment that it can show them.

Knows: three ways to send a picture to a terminal, and which of them the environment names. Does not know: how a file
becomes a thumbnail (sheet.py). A terminal is never asked: its answer would have to be read from the keyboard.

Sources: sw.kovidgoyal.net/kitty/graphics-protocol; iterm2.com/documentation-images.html; DEC VT330/VT340 Programmer
Reference Manual, volume 2, chapter 14 (sixel).
"""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import IO, TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt
    from PIL.Image import Image

Protocol = Literal["kitty", "iterm2", "sixel"]
ROWS, COLUMNS = 6, 12
"""Cells that a picture covers. A cell is about twice as high as it is wide."""
_CELL = 18
"""Pixels of a cell's height, as far as sixel is concerned, which knows pixels only."""
_COLOURS = 64
_CHUNK = 4096
"""Characters of base64 that kitty reads at once."""
_NO_PASSAGE = ("dumb", "screen", "tmux")


def protocol_of(environment: Mapping[str, str], stream: IO[str]) -> Protocol | None:
    """How pictures are sent to the terminal behind `stream`; None where it is none, or does not say that it can."""
    terminal, program = environment.get("TERM", ""), environment.get("TERM_PROGRAM", "")
    if not stream.isatty() or "TMUX" in environment or terminal.startswith(_NO_PASSAGE):
        return None
    if "KITTY_WINDOW_ID" in environment or terminal in ("xterm-kitty", "xterm-ghostty") or program == "ghostty":
        return "kitty"
    if program in ("iTerm.app", "WezTerm", "mintty") or environment.get("LC_TERMINAL") == "iTerm2":
        return "iterm2"
    if terminal.startswith(("foot", "mlterm")) or "sixel" in terminal:
        return "sixel"
    return None


def encoded(picture: Image, protocol: Protocol) -> str:
    """What to write to the terminal, so that the picture stands in ROWS x COLUMNS cells from the cursor on."""
    if protocol == "sixel":
        return _sixel(picture.convert("RGB").resize((ROWS * _CELL, ROWS * _CELL)))
    file = io.BytesIO()
    picture.save(file, "PNG")
    data = base64.b64encode(file.getvalue()).decode()
    if protocol == "iterm2":
        size = f"size={file.tell()};width={COLUMNS};height={ROWS}"
        return f"\x1b]1337;File=inline=1;{size};preserveAspectRatio=1:{data}\x07"
    return "".join(_kitty(data))


def _kitty(data: str) -> Iterator[str]:
    """Escape sequences that carry the base64 of a PNG in pieces."""
    told = f"a=T,f=100,q=2,c={COLUMNS},r={ROWS},"
    for start in range(0, len(data), _CHUNK):
        more = int(start + _CHUNK < len(data))
        yield f"\x1b_G{told}m={more};{data[start : start + _CHUNK]}\x1b\\"
        told = ""


def _sixel(picture: Image) -> str:
    """Bands of six lines. In each, every colour draws its pixels over the whole width: a character holds six, one bit
    each, the uppermost lowest."""
    few = picture.quantize(_COLOURS)
    pixels = np.asarray(few)  # (height, width) numbers of colours
    palette = np.asarray(few.getpalette(), np.float32).reshape(-1, 3)
    used = np.unique(pixels)
    colours = "".join(
        f"#{number};2;" + ";".join(str(round(part / 2.55)) for part in palette[number].tolist()) for number in used
    )
    bands = (pixels[top : top + 6] for top in range(0, len(pixels), 6))
    drawn = "-".join("$".join(_band(band, number) for number in np.unique(band)) for band in bands)
    return f'\x1bPq"1;1;{pixels.shape[1]};{pixels.shape[0]}{colours}{drawn}\x1b\\'


def _band(band: npt.NDArray[np.uint8], number: int) -> str:
    """One colour's pixels of a band (up to 6, width). Runs of equal characters are counted."""
    weights = 1 << np.arange(len(band))
    columns = ((band == number) * weights[:, None]).sum(0)
    runs = ((chr(63 + bits), len(list(same))) for bits, same in groupby(columns.tolist()))
    return f"#{number}" + "".join(f"!{length}{sign}" if length > 3 else sign * length for sign, length in runs)
