"""A contact sheet: questions down the left, their answers as thumbnails beside them.

Knows: drawing. Does not know: models, where answers come from.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from ..inputs.forms import suffix_kind
from ..inputs.types import Part
from ..media.policy import DEFAULT
from ..media.reader import Reader
from ..media.video import even_indices
from ..starter import waves

if TYPE_CHECKING:
    from .demo import Answer

THUMB, GAP, LEFT = 180, 16, 250
_INK, _SOFT, _PAPER = "#1f2430", "#7a8190", "#fafafa"
_LIGHT = np.array([[250, 250, 250], [120, 190, 220], [40, 90, 170], [20, 25, 70]], float)


def draw(answers: Sequence[Answer], folder: Path, out: Path) -> None:
    """Write the sheet to `out` (PNG, by its suffix any other format).  folder: of the files that questions name."""
    shown = max(len(answer.files) for answer in answers)
    line = THUMB + 40
    sheet = Image.new("RGB", (LEFT + shown * (THUMB + GAP) + GAP, len(answers) * line + GAP), _PAPER)
    pen = ImageDraw.Draw(sheet)
    for place, answer in enumerate(answers):
        top = GAP + place * line
        _question(sheet, pen, answer, folder, top)
        for column, (path, score) in enumerate(zip(answer.files, answer.scores)):
            left = LEFT + column * (THUMB + GAP)
            sheet.paste(thumbnail(path), (left, top))
            if not column:
                pen.rectangle((left - 2, top - 2, left + THUMB + 1, top + THUMB + 1), outline="#2f7d4f", width=3)
            pen.text((left, top + THUMB + 4), _short(path.name, 22), _INK, _font(13))
            pen.text((left + THUMB, top + THUMB + 4), f"{score:.2f}", _SOFT, _font(13), anchor="ra")
    sheet.save(out)


def _question(sheet: Image.Image, pen: Any, answer: Answer, folder: Path, top: int) -> None:
    question = answer.question
    if question.is_file:
        sheet.paste(thumbnail(folder / question.ask).resize((120, 120)), (GAP, top))
        pen.text((GAP, top + 126), _short(question.ask, 28), _INK, _font(15))
    else:
        words = "\n".join(_lines(question.ask, 26))
        pen.multiline_text((GAP, top + 4), words, _INK, _font(17), spacing=6)
    kind = {"image": "pictures", "audio": "sounds", "video": "clips"}[question.kind]
    pen.text((GAP, top + THUMB - 18), f"among {kind}", _SOFT, _font(13))


def thumbnail(path: Path) -> Image.Image:
    """The file as (THUMB, THUMB) pixels: a picture, the spectrogram of a sound, four frames of a clip."""
    reader, kind = Reader(DEFAULT), suffix_kind(path.name)
    part = Part(kind, str(path))  # type: ignore[arg-type]
    if kind == "image":
        return _fitted(reader.picture(part), THUMB)
    if kind == "audio":
        mel = waves.log_mel(waves.windows(reader.sound(part, waves.RATE))[0])
        return _spectrogram(mel)
    frames = reader.clip(part, even_indices(reader.clip_size(part).times, 4).tolist()).frames
    tile = Image.new("RGB", (THUMB, THUMB), _PAPER)
    half = THUMB // 2
    for i, frame in enumerate(frames):
        tile.paste(_fitted(Image.fromarray(frame), half - 1), (i % 2 * half, i // 2 * half))
    return tile


def _fitted(picture: Image.Image, side: int) -> Image.Image:
    tile = Image.new("RGB", (side, side), "#e9ebf0")
    fitted = picture.copy()
    fitted.thumbnail((side, side))
    tile.paste(fitted, ((side - fitted.width) // 2, (side - fitted.height) // 2))
    return tile


def _spectrogram(mel: Any) -> Image.Image:
    """mel: (bands, frames), -1 to 1, low bands first."""
    place = (mel[::-1] + 1) / 2 * (len(_LIGHT) - 1)
    colours = np.stack([np.interp(place, range(len(_LIGHT)), _LIGHT[:, c]) for c in range(3)], -1)
    return Image.fromarray(colours.astype(np.uint8)).resize((THUMB, THUMB))


def _lines(text: str, width: int) -> list[str]:
    import textwrap

    return textwrap.wrap(text, width) or [""]


def _short(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"


def _font(size: int) -> Any:
    return ImageFont.load_default(size)
