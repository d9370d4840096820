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
    "qwen3_vl": "qwen3_vl",
    **dict.fromkeys(("t5", "mt5", "umt5", "longt5"), "t5"),
}

_RERANKS = {"qwen3_vl": "any-to-any"}
"""Families of language models that read media: the task that makes them answer."""


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
    """What a model does as a reranker, where its folder does not say: answer as a language model, or label pairs."""
    if str(config.get("model_type")) in _RERANKS:
        return _RERANKS[str(config.get("model_type"))]
    first = next(iter(config.get("architectures") or ()), "")
    return "text-generation" if str(first).endswith("ForCausalLM") else "sequence-classification"
