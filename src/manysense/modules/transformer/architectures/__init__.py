"""One file per family: data and named policies, no algorithm.

`recipe_for(config)` finds the family by `model_type`; adding a family means adding one file and one line here.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from ..recipe import Recipe

_FAMILIES = {"clip": "clip", "clap": "clap", "qwen3_vl": "qwen3_vl"}


def recipe_for(config: Mapping[str, Any]) -> Recipe:
    """The family's recipe; a text encoder's for every other model type."""
    family = _FAMILIES.get(str(config.get("model_type")), "text_encoder")
    module = import_module(f"{__name__}.{family}")
    recipe = module.recipe(config) if hasattr(module, "recipe") else module.RECIPE
    assert isinstance(recipe, Recipe)
    return recipe
