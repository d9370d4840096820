"""BERT and its kin as they label pairs: packed, and the last layer for the one position that the head reads.

Knows: where transformers puts the parts of a BERT layer. Does not know: tokens, batches.
Source: transformers, models/bert and models/roberta, whose modules it calls.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import Tensor

from .packed import Pack

_HEADS = {
    "BertForSequenceClassification": "pooled",
    "RobertaForSequenceClassification": "first",
    "XLMRobertaForSequenceClassification": "first",
    "CamembertForSequenceClassification": "first",
    "ElectraForSequenceClassification": "first",
}
"""Class → what its classifier takes: the pooler's output, or the hidden states, of which it reads the first."""
_LAYERS = frozenset("BertLayer RobertaLayer XLMRobertaLayer CamembertLayer ElectraLayer".split())


@dataclass(frozen=True, slots=True)
class PackedEncoder:
    """offset: the number that the position table gives the first token."""

    head: str
    offset: int

    @classmethod
    def of(cls, network: Any) -> PackedEncoder | None:
        head = _HEADS.get(type(network).__name__)
        body = getattr(network, "base_model", None)
        if head is None or body is None or not plain(network, body.encoder.layer, _LAYERS):
            return None
        if network.config.is_decoder or getattr(network.config, "add_cross_attention", False):
            return None
        padding = network.config.pad_token_id if head == "first" and "Electra" not in type(network).__name__ else None
        return cls(head, 0 if padding is None else padding + 1)

    def __call__(self, network: Any, ids: Tensor, types: Tensor | None, pack: Pack) -> Tensor:
        """ids, types: (size,) → logits (items, labels)."""
        body = network.base_model
        positions = pack.numbered.to(ids.device) + self.offset
        hidden = body.embeddings(
            input_ids=ids[None], token_type_ids=None if types is None else types[None], position_ids=positions[None]
        )
        if hasattr(body, "embeddings_project"):
            hidden = body.embeddings_project(hidden)
        hidden = hidden[0]
        *layers, last = body.encoder.layer
        for layer in layers:
            hidden = _layer(layer, hidden, pack)
        first = _layer(last, hidden, pack, pack.first.to(ids.device))[:, None]  # (items, 1, width)
        return network.classifier(body.pooler(first) if self.head == "pooled" else first)  # type: ignore[no-any-return]


def _layer(layer: Any, hidden: Tensor, pack: Pack, rows: Tensor | None = None) -> Tensor:
    """hidden: (size, width). rows: only these positions are wanted, one of each item."""
    attention = layer.attention.self
    wanted = hidden if rows is None else hidden[rows]

    def heads(made: Tensor) -> Tensor:
        return made.view(made.shape[0], -1, attention.attention_head_size).transpose(0, 1)

    q, k, v = heads(attention.query(wanted)), heads(attention.key(hidden)), heads(attention.value(hidden))
    scale = attention.attention_head_size**-0.5
    context = pack.attend(q, k, v, scale, causal=False) if rows is None else pack.attend_from(q, k, v, scale)
    attended = layer.attention.output(context, wanted)
    made: Tensor = layer.output(layer.intermediate(attended), attended)
    return made


def plain(network: Any, layers: Any, names: frozenset[str]) -> bool:
    """Whether every layer is of a known class, and the attention one that ours stands in for."""
    if getattr(network.config, "_attn_implementation", None) not in ("sdpa", "eager"):
        return False
    return len(layers) > 0 and all(type(layer).__name__ in names for layer in layers)


def watched(network: Any) -> bool:
    """Whether somebody listens to the network or moves its weights about, so that its own forward has to run."""
    return network.training or any(
        module._forward_hooks or module._forward_pre_hooks or "_hf_hook" in module.__dict__
        for module in network.modules()
    )
