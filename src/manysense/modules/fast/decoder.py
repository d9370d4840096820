"""Llama and its kin as they answer: packed, a shared beginning once, the last layer for the last position alone.

Knows: where transformers puts the parts of such a layer, and where pictures enter. Does not know: tokens, templates.
Source: transformers, models/qwen3 and models/qwen3_vl, whose modules it calls.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from .encoder import plain
from .packed import Pack

_LAYERS = frozenset(
    "LlamaDecoderLayer MistralDecoderLayer Qwen2DecoderLayer Qwen3DecoderLayer "
    "Qwen2VLDecoderLayer Qwen2_5_VLDecoderLayer Qwen2_5OmniDecoderLayer Qwen3VLTextDecoderLayer".split()
)
_SCALED = ("final_logit_softcapping", "logit_scale", "logits_scaling", "attn_logit_softcapping")


@dataclass(frozen=True, slots=True, eq=False)
class Visual:
    """Vectors in the place of placeholders. positions: (n,) in the pack.  embeddings: (n, width).  deep: of each of the
    first layers (n, width), added to what it gives."""

    positions: Tensor
    embeddings: Tensor
    deep: Sequence[Tensor] = ()


@dataclass(frozen=True, slots=True)
class PackedDecoder:
    """One for every network: it keeps nothing."""

    @classmethod
    def of(cls, network: Any) -> PackedDecoder | None:
        head, body = getattr(network, "lm_head", None), _body(network)
        if head is None or body is None or not hasattr(body, "rotary_emb") or not plain(body, body.layers, _LAYERS):
            return None
        config = body.config
        if any(getattr(config, name, None) for name in _SCALED):
            return None
        if getattr(body.rotary_emb, "rope_type", "default") in ("dynamic", "longrope"):
            return None
        if any(getattr(layer.self_attn, "sliding_window", None) for layer in body.layers):
            return None
        return cls()

    def __call__(
        self, network: Any, ids: Tensor, positions: Tensor, pack: Pack, visual: Visual | None = None
    ) -> Tensor:
        """ids: (size,).  positions: (size,), or (3, size) where a model counts in three directions → logits (items, 1,
        vocabulary) of each item's last token."""
        body = _body(network)
        hidden = body.embed_tokens(ids)
        if visual is not None:
            hidden = hidden.index_copy(0, visual.positions, visual.embeddings.to(hidden.dtype))
        places = positions[None] if positions.ndim == 1 else positions[:, None]
        cos, sin = body.rotary_emb(hidden[None], places)
        *layers, last = body.layers
        deep = list(visual.deep) if visual is not None else []
        for i, layer in enumerate(layers):
            hidden = _layer(layer, hidden, cos, sin, pack)
            if i < len(deep):
                assert visual is not None
                hidden = hidden.index_add(0, visual.positions, deep[i].to(hidden.dtype))
        ends = pack.last.to(ids.device)
        hidden = _layer(last, hidden, cos, sin, pack, ends)
        if len(layers) < len(deep):  # a last layer's picture vectors concern placeholders alone, which no item ends in
            assert visual is not None
            assert not torch.isin(ends, visual.positions).any()
        logits: Tensor = network.lm_head(body.norm(hidden))
        return logits[:, None]


def _body(network: Any) -> Any:
    """The part with the layers of the language model."""
    inner = getattr(network, "model", None)
    inner = getattr(inner, "language_model", inner)
    return inner if hasattr(inner, "layers") else None


def _layer(layer: Any, hidden: Tensor, cos: Tensor, sin: Tensor, pack: Pack, rows: Tensor | None = None) -> Tensor:
    """hidden: (size, width). rows: only these positions are wanted, one of each item."""
    attention = layer.self_attn
    normed = layer.input_layernorm(hidden)
    wanted, asked = (hidden, normed) if rows is None else (hidden[rows], normed[rows])
    rotate = sys.modules[type(attention).__module__].apply_rotary_pos_emb

    def heads(made: Tensor, norm: Any = None) -> Tensor:
        made = made.view(made.shape[0], -1, attention.head_dim)
        return (made if norm is None else norm(made)).transpose(0, 1)[None]  # (1, heads, n, d)

    k = heads(attention.k_proj(normed), getattr(attention, "k_norm", None))
    v = heads(attention.v_proj(normed))[0]
    q = heads(attention.q_proj(asked), getattr(attention, "q_norm", None))
    if rows is None:
        q, k = rotate(q, k, cos, sin)
        context = pack.attend(q[0], k[0], v, attention.scaling, causal=True)
    else:
        k = rotate(k, k, cos, sin)[1]
        q = rotate(q, q, cos[:, rows], sin[:, rows])[0]
        context = pack.attend_from(q[0], k[0], v, attention.scaling)
    made: Tensor = wanted + attention.o_proj(context)
    return made + layer.mlp(layer.post_attention_layernorm(made))  # type: ignore[no-any-return]
