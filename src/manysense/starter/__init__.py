"""The small models that ship with the package: where they lie, and how their inputs are prepared.

Knows: their names. Does not know: networks (modules/towers/), how they were made (training/starter/ in the repository).
Nothing here imports torch: `manysense.starter.text` embeds texts without it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .text import StaticText

NAMES = ("manysense/starter", "manysense/starter-minilm")
"""Reserved: no folder and no repository of these names is ever looked at."""

_MODELS = Path(__file__).parent / "models"


def folder(name: str) -> Path | None:
    """The folder of a model that ships with the package, None for any other name."""
    return _MODELS / name.partition("/")[2] if name in NAMES else None


def ships(folder: Path) -> bool:
    """Whether this is the folder of one of these models."""
    return folder.parent == _MODELS


def text_encoder() -> StaticText:
    """The text tower of manysense/starter: `encode(texts)` gives (n, 384) float32. Needs no torch."""
    from .text import StaticText

    return StaticText.load(_MODELS / "starter" / "text")
