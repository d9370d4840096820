"""Known functions that this package does not have yet: each says so when it is called.

Knows: their names and what to do meanwhile. Does not know: when they come.
"""

from __future__ import annotations

from typing import Any, NoReturn

from ..errors import UsageError


def mine_hard_negatives(*args: Any, **kwargs: Any) -> NoReturn:
    """Raises UsageError: training is not supported yet."""
    raise UsageError(
        "mine_hard_negatives is not supported yet; semantic_search finds the nearest texts of every anchor, from which "
        "negatives can be chosen"
    )


def resolve_ids(*args: Any, **kwargs: Any) -> NoReturn:
    """Raises UsageError: training is not supported yet."""
    raise UsageError("resolve_ids is not supported yet; replace the ids of your data set by their texts yourself")


def export_optimized_onnx_model(*args: Any, **kwargs: Any) -> NoReturn:
    """Raises UsageError: models run with torch."""
    _no_export("export_optimized_onnx_model")


def export_dynamic_quantized_onnx_model(*args: Any, **kwargs: Any) -> NoReturn:
    """Raises UsageError: models run with torch."""
    _no_export("export_dynamic_quantized_onnx_model")


def export_static_quantized_openvino_model(*args: Any, **kwargs: Any) -> NoReturn:
    """Raises UsageError: models run with torch."""
    _no_export("export_static_quantized_openvino_model")


def is_training_available() -> bool:
    """Whether models can be trained here: not yet."""
    return False


def _no_export(name: str) -> NoReturn:
    raise UsageError(
        f"{name} is not supported yet: models run with torch; for fewer bits use "
        'model_kwargs={"dtype": "bfloat16"} and quantize_embeddings'
    )
