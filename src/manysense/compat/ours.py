"""What the known library's names are here.

Knows: one line for each of its modules that this library has an answer to, and what to do meanwhile about the others.
Does not know: which names there are (table.py), how they are imported (doors.py).

To add what a later part of the library brings, add its line to HOMES.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Any

from .later import Later, later

HOMES = {
    "base.modules": "modules",
    "cross_encoder.model": "cross_encoder.model",
    "cross_encoder.model_card": "checkpoints.card",
    "cross_encoder.modules": "modules",
    "cross_encoder.modules.logit_score": "modules.logit_score",
    "sentence_transformer.model": "sentence_transformer.model",
    "sentence_transformer.modules": "modules",
    "sentence_transformer.modules.tokenizer": "modules.words",
    "sentence_transformer.model_card": "checkpoints.card",
    "util": "util",
}
"""Module of the known library, with all below it → module of ours that has names of it under the same name."""

RENAMED = {
    ("base.model", "BaseModel"): ("model", "Model"),
    ("base.peft_mixin", "PeftAdapterMixin"): ("adapters", "Adapters"),
    ("sentence_transformer.modules.clip_model", "CLIPModel"): ("modules", "Transformer"),
}
"""(module, name) of the known library → (module, name) here."""

BORROWED = {("base.sampler", "BatchSampler"): "torch.utils.data"}
"""(module, name) that programs import from there, though the known library has it from elsewhere → from where."""

_TRAINING = (
    "training is still to come",
    "Until then, train with sentence-transformers; a folder that it saves loads here.",
)
_EVALUATION = (
    "evaluation is still to come",
    "Until then, evaluate with sentence-transformers, which loads the folders that are saved here.",
)
_INNER = (
    "it is an inner part of sentence-transformers, which this library does without",
    "Use sentence-transformers for it; both can be imported in one program.",
)
_BESIDE = "Until then, use sentence-transformers beside manysense; both can be imported in one program."
AREAS = {
    "": ("it is still to come", _BESIDE),
    "backend": (
        "running on ONNX and OpenVINO is still to come",
        "Until then, run the model with torch, or export its folder with optimum.",
    ),
    "base.data_collator": _TRAINING,
    "base.evaluation": _EVALUATION,
    "base.losses": _TRAINING,
    "base.modality": _INNER,
    "base.modality_types": _INNER,
    "base.model_card": _TRAINING,
    "base.modules": _INNER,
    "base.peft_mixin": _INNER,
    "base.sampler": _TRAINING,
    "base.trainer": _TRAINING,
    "base.training_args": _TRAINING,
    "cross_encoder": _TRAINING,
    "cross_encoder.evaluation": _EVALUATION,
    "multi_vector_encoder": ("a model with several vectors for each input is still to come", _BESIDE),
    "sentence_transformer": _TRAINING,
    "sentence_transformer.evaluation": _EVALUATION,
    "sentence_transformer.modules": ("this module is still to come", _BESIDE),
    "sparse_encoder": ("a model with sparse vectors is still to come", _BESIDE),
    "util.decorators": _INNER,
    "util.deprecated_import": _INNER,
    "util.distributed": _TRAINING,
}
"""Module of the known library, with all below it → (why a name of it is not here, what to do)."""


def find(definer: str, name: str) -> Any:
    """What `name` of the known library's module `definer` is here; None where there is no such thing yet."""
    home, own = RENAMED.get((definer, name), (_nearest(HOMES, definer), name))
    if home is None:
        return None
    module = import_module(f"manysense.{home}")
    return getattr(module, own) if own in getattr(module, "__all__", vars(module)) else None


def borrowed(path: str, name: str) -> Any:
    """What a module of today shows of another library; None where programs do not look for it there."""
    home = BORROWED.get((path, name))
    return None if home is None else getattr(import_module(home), name)


def says(definer: str, name: str) -> str:
    """The message for a name that is not here yet."""
    why, way_out = _nearest(AREAS, definer)
    return f"manysense has no {name}: {why}\n  {way_out}"


@cache
def missing(definer: str, name: str, root: str, *, patient: bool) -> Later:
    """The stand-in for a name that is not here yet, the same one each time. root: where the caller imports from."""
    return later(name, f"{root}.{definer}", says(definer, name), patient=patient)


def _nearest(table: dict[str, Any], path: str) -> Any:
    """The entry of the path itself or of the nearest module above it, None where there is none."""
    while path and path not in table:
        path = path.rpartition(".")[0]
    return table.get(path)
