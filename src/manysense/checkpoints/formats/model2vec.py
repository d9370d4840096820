"""A folder of model2vec that has no modules.json: a table of token vectors, a tokenizer, config.json.

Knows: what marks such a folder, and its one option. Does not know: the table's forms (modules/static_embedding.py).
Source: Tulkens & van Dongen 2024; model2vec 0.1 to 0.10 as they write (`model_type` or `architectures` of StaticModel).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ...modules.base import read_json
from ...modules.normalize import Normalize
from ...modules.static_embedding import StaticEmbedding
from ..types import Loaded, Wanted


def recognises(folder: Path) -> bool:
    if not (folder / "config.json").is_file():
        return False
    config = read_json(folder / "config.json", default={})
    return bool(config.get("model_type") == "model2vec" or config.get("architectures") == ["StaticModel"])


def read(folder: Path, wanted: Wanted) -> Loaded:
    modules: list[Any] = [StaticEmbedding.load_from(folder)]
    if read_json(folder / "config.json", default={}).get("normalize"):
        modules.append(Normalize())
    return Loaded({str(i): module for i, module in enumerate(modules)})
