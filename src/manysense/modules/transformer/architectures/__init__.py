"""One file per family: data and named policies, no algorithm.

`recipe_for(config)` finds the family by `model_type`; adding a family means adding one file and one line here.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from ....errors import ModelError
from ..recipe import Recipe

_FAMILIES = {
    "clip": "clip",
    "clap": "clap",
    "qwen2_vl": "qwen2_vl",
    "qwen2_5_vl": "qwen2_5_vl",
    **dict.fromkeys(("qwen2_5_omni", "qwen2_5_omni_thinker"), "qwen2_5_omni"),
    "qwen3_vl": "qwen3_vl",
    **dict.fromkeys(("t5", "mt5", "umt5", "longt5"), "t5"),
}

_RERANKS = dict.fromkeys(("qwen2_vl", "qwen2_5_vl", "qwen2_5_omni", "qwen2_5_omni_thinker", "qwen3_vl"), "any-to-any")
"""Families of language models that read media: the task that makes them answer."""
_SCORES = {"JinaVLForRanking": "feature-extraction"}
"""Architectures that have a score head of their own instead."""
_LISTWISE = ("JinaForRanking",)
"""Architectures that read a query with all its documents at once."""


def recipe_for(config: Mapping[str, Any], task: str = "feature-extraction") -> Recipe:
    """The family's recipe for a task of the known library's; a text encoder's for every other model type.

    Raises ModelError where the family has none for it.
    """
    family = _FAMILIES.get(str(config.get("model_type")), "text_encoder")
    module = import_module(f"{__name__}.{family}")
    if not hasattr(module, "recipe") and task != "feature-extraction":
        raise ModelError(f"a {config.get('model_type')} model has no use as {task!r}: it makes embeddings")
    recipe = module.recipe(config, task) if hasattr(module, "recipe") else module.RECIPE
    assert isinstance(recipe, Recipe)
    return recipe


def reranking_task(config: Mapping[str, Any]) -> str:
    """What a model does as a reranker, where its folder does not say: answer as a language model, or label pairs.

    Raises ModelError for one that does not read pairs.
    """
    first = next(iter(config.get("architectures") or ()), "")
    if first in _LISTWISE:
        raise ModelError(
            f"a {first} model reads a query with all its documents at once, and a CrossEncoder reads pairs\n"
            "  Take one that scores pairs, for example with ForSequenceClassification or ForCausalLM in its name."
        )
    if first in _SCORES:
        return _SCORES[first]
    if str(config.get("model_type")) in _RERANKS:
        return _RERANKS[str(config.get("model_type"))]
    return "text-generation" if str(first).endswith("ForCausalLM") else "sequence-classification"
