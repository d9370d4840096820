"""A plain transformers folder: config.json and weights, or an adapter for one; no modules.json.

Knows: which modules a family of models has when the folder does not say: those that its recipe names for embeddings;
for a reranker a head for labels, or the answer of a language model.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ...errors import ModelError
from ...modules.logit_score import LogitScore
from ...modules.normalize import Normalize
from ...modules.pooling import Pooling
from ...modules.transformer import Transformer, stored
from ...modules.transformer.architectures import reranking_task
from ...modules.transformer.folder import ADAPTER
from ..types import Loaded, Wanted


def recognises(folder: Path) -> bool:
    return any((folder / name).is_file() for name in ("config.json", ADAPTER))


def read(folder: Path, wanted: Wanted) -> Loaded:
    """Raises ModelError."""
    if wanted.family == "CrossEncoder":
        return _reranker(folder, wanted)
    transformer = Transformer.load_from(folder, **wanted.arguments())
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
    tokenizer = transformer.tokenizer
    yes, no = (tokenizer.convert_tokens_to_ids(word) for word in ("yes", "no"))
    if None in (yes, no) or tokenizer.unk_token_id in (yes, no):
        raise ModelError(
            f'the tokenizer of {folder} has no tokens "yes" and "no", by which a language model answers\n'
            "  Build the model from modules: Transformer and LogitScore with the ids of its own answers."
        )
    return Loaded(_numbered([transformer, LogitScore(yes, no)]), card=_card(folder))


def _numbered(modules: list[Any]) -> dict[str, Any]:
    return {str(i): module for i, module in enumerate(modules)}


def _card(folder: Path) -> str | None:
    path = folder / "README.md"
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else None
