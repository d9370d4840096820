"""A plain transformers folder: config.json and weights, or an adapter for one; no modules.json.

Knows: which modules follow the transformer when the folder does not say: what its recipe names.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ...modules.normalize import Normalize
from ...modules.pooling import Pooling
from ...modules.transformer import Transformer
from ...modules.transformer.folder import ADAPTER
from ..types import Loaded, Wanted


def recognises(folder: Path) -> bool:
    return any((folder / name).is_file() for name in ("config.json", ADAPTER))


def read(folder: Path, wanted: Wanted) -> Loaded:
    transformer = Transformer.load_from(
        folder,
        trust_remote_code=wanted.trust_remote_code,
        model_kwargs=wanted.model_kwargs,
        processor_kwargs=wanted.processor_kwargs,
        config_kwargs=wanted.config_kwargs,
        weights=wanted.weights,
    )
    modules: list[Any] = [transformer]
    for name in transformer.recipe.bare_modules:
        modules.append(Normalize() if name == "normalize" else Pooling(transformer.get_embedding_dimension(), name))
    return Loaded({str(i): module for i, module in enumerate(modules)})
