"""A plain transformers folder: config.json and weights, or an adapter for one; no modules.json.

Knows: which modules a family of models has when the folder does not say: those that its recipe names for embeddings;
for a reranker a head for labels, a score head of its own, or the answer of a language model.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from torch import nn

from ...errors import ModelError
from ...modules.dense import Dense
from ...modules.logit_score import LogitScore
from ...modules.normalize import Normalize
from ...modules.pooling import Pooling
from ...modules.transformer import Transformer, stored
from ...modules.transformer.architectures import reranking_task
from ...modules.transformer.folder import ADAPTER
from ...modules.weights import load_named
from ..types import Loaded, Wanted


def recognises(folder: Path) -> bool:
    return any((folder / name).is_file() for name in ("config.json", ADAPTER))


def read(folder: Path, wanted: Wanted) -> Loaded:
    """Raises ModelError."""
    if wanted.family == "CrossEncoder":
        return _reranker(folder, wanted)
    transformer = Transformer.load_from(folder, **wanted.arguments())
    if transformer.recipe.head is not None:
        raise ModelError(
            f"{folder} is a reranker: it scores pairs and makes no embeddings\n  Load it with CrossEncoder."
        )
    modules: list[Any] = [transformer]
    for name in transformer.recipe.bare_modules:
        modules.append(Normalize() if name == "normalize" else Pooling(transformer.get_embedding_dimension(), name))
    return Loaded(_numbered(modules), card=_card(folder))


def _reranker(folder: Path, wanted: Wanted) -> Loaded:
    opened, own = stored.read(folder, **wanted.arguments())
    task = own.setdefault("transformer_task", reranking_task(opened.raw_config()))
    transformer = Transformer(opened, **own)
    if task == "sequence-classification":
        return Loaded(_numbered([transformer]), card=_card(folder))
    if transformer.recipe.head is not None:
        return Loaded(_numbered([transformer, *_scored(transformer, folder)]), card=_card(folder))
    tokenizer = transformer.tokenizer
    yes, no = (tokenizer.convert_tokens_to_ids(word) for word in ("yes", "no"))
    if None in (yes, no) or tokenizer.unk_token_id in (yes, no):
        raise ModelError(
            f'the tokenizer of {folder} has no tokens "yes" and "no", by which a language model answers\n'
            "  Build the model from modules: Transformer and LogitScore with the ids of its own answers."
        )
    return Loaded(_numbered([transformer, LogitScore(yes, no)]), card=_card(folder))


def _scored(transformer: Transformer, folder: Path) -> list[Any]:
    """The last token's vector through the score head whose weights lie in the folder."""
    head = transformer.recipe.head
    assert head is not None
    pooling = Pooling(transformer.get_embedding_dimension(), "lasttoken")
    tensors = load_named(folder, [f"{layer}.{part}" for layer in head.layers for part in ("weight", "bias")])
    layers = []
    for layer in head.layers:
        weight, bias = (tensors[f"{layer}.{part}"].to(transformer.model.dtype) for part in ("weight", "bias"))
        last = layer == head.layers[-1]
        layers.append(
            Dense(
                weight.shape[1],
                weight.shape[0],
                activation_function=nn.Identity() if last else nn.ReLU(),
                init_weight=weight,
                init_bias=bias + head.shift if last else bias,
                module_output_name="scores" if last else None,
            )
        )
    return [pooling, *layers]


def _numbered(modules: list[Any]) -> dict[str, Any]:
    return {str(i): module for i, module in enumerate(modules)}


def _card(folder: Path) -> str | None:
    path = folder / "README.md"
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else None
