"""Which families of pictures make up the training pools, and in what shares.

Knows: the mixes. Does not know: how a family draws.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..examples import Family


def emoji() -> Sequence[Family]:
    """Emoji, and objects and icons in many hands."""
    from . import emoji as emoji_
    from . import icons, objects

    return [*emoji_.FAMILIES, *objects.FAMILIES, *icons.FAMILIES]


def everything() -> Sequence[Family]:
    """The whole of what is drawn."""
    from . import charts, documents, emoji, icons, objects, scenes, shapes, textures, words

    parts = (charts, documents, emoji, icons, objects, scenes, shapes, textures, words)
    return [family for part in parts for family in part.FAMILIES]


def scenes() -> Sequence[Family]:
    """Landscapes and places alone."""
    from . import scenes as scenes_

    return scenes_.FAMILIES
