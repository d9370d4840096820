"""CLIP: one tower for text, one for pictures. Radford et al. 2021."""

from __future__ import annotations

from ..pixels import FixedSquare
from ..recipe import Call, Policies, Recipe

RECIPE = Recipe(
    routes={
        "text": Call("get_text_features", ("pooler_output",), "sentence_embedding"),
        "image": Call("get_image_features", ("pooler_output",), "sentence_embedding"),
    },
    policies=Policies(image=FixedSquare.of),
    bare_modules=(),
)
