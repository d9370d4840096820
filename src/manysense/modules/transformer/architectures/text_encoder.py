"""BERT and whatever else maps token ids to one hidden state per token."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ....errors import ModelError
from ..recipe import Call, Policies, Recipe

POSITION_OFFSET = dict.fromkeys(
    "roberta xlm-roberta xlm-roberta-xl camembert mpnet data2vec-text longformer roberta-prelayernorm xmod".split(), 2
)
"""Families whose position table spends rows before the first token."""


def recipe(config: Mapping[str, Any]) -> Recipe:
    """Raises ModelError for an architecture that has no plain text encoder."""
    kind = str(config.get("model_type"))
    if config.get("is_encoder_decoder"):
        raise ModelError(f"model type {kind!r} is an encoder with a decoder, which is not supported yet")
    causal = any(str(name).endswith("ForCausalLM") for name in config.get("architectures") or ())
    return Recipe(
        routes={"text": Call()},
        policies=Policies(position_offset=POSITION_OFFSET.get(kind, 0)),
        bare_modules=("lasttoken",) if causal else ("mean",),
    )
