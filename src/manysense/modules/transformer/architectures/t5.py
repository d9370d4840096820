"""T5 and its kin, of which the encoder alone is read: Sentence-T5, GTR, INSTRUCTOR. Raffel et al. 2020."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ..recipe import Recipe
from . import text_encoder

ENCODERS = {
    "t5": "T5EncoderModel",
    "mt5": "MT5EncoderModel",
    "umt5": "UMT5EncoderModel",
    "longt5": "LongT5EncoderModel",
}
"""Model type → the class of transformers that builds no decoder."""


def recipe(config: Mapping[str, Any], task: str) -> Recipe:
    if task != "feature-extraction":
        return text_encoder.recipe(config, task)
    alone = text_encoder.recipe({**config, "is_encoder_decoder": False, "architectures": None}, task)
    return replace(alone, auto_class=ENCODERS[str(config["model_type"])])
