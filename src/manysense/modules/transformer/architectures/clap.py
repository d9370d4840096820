"""CLAP: one tower for text, one for sound. Wu et al. 2023."""

from __future__ import annotations

from ..recipe import Call, Policies, Recipe
from ..waves import ClapMel

RECIPE = Recipe(
    routes={
        "text": Call("get_text_features", ("pooler_output",), "sentence_embedding"),
        "audio": Call("get_audio_features", ("pooler_output",), "sentence_embedding"),
    },
    policies=Policies(audio=ClapMel.of, position_offset=2),
    bare_modules=(),
)
