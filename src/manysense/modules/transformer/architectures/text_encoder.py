"""BERT and whatever else maps token ids to one hidden state per token, to labels, or to the next token."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ....errors import ModelError
from ..messages import Chat
from ..recipe import Call, FolderFacts, Policies, Recipe
from ..templates import pair_template

POSITION_OFFSET = dict.fromkeys(
    "roberta xlm-roberta xlm-roberta-xl camembert mpnet data2vec-text longformer roberta-prelayernorm xmod".split(), 2
)
"""Families whose position table spends rows before the first token."""


def recipe(config: Mapping[str, Any], task: str) -> Recipe:
    """Raises ModelError for an architecture that has no plain text encoder."""
    kind = str(config.get("model_type"))
    if config.get("is_encoder_decoder") and task != "sequence-classification":
        raise ModelError(f"model type {kind!r} is an encoder with a decoder, which is not supported yet")
    policies = Policies(position_offset=POSITION_OFFSET.get(kind, 0), chat=_chat)
    if task == "sequence-classification":
        call = Call("forward", ("logits",), "scores")
        return Recipe({"pair": call, "text": call}, policies, "AutoModelForSequenceClassification")
    if task == "text-generation":
        return Recipe(
            {"message": Call("forward", ("logits",), "causal_logits", last=True)}, policies, "AutoModelForCausalLM"
        )
    causal = any(str(name).endswith("ForCausalLM") for name in config.get("architectures") or ())
    return Recipe(
        routes={"text": Call(), "pair": Call()},
        policies=policies,
        bare_modules=("lasttoken",) if causal else ("mean",),
    )


def _chat(facts: FolderFacts) -> Chat:
    """Raises ModelError where nothing says how a pair is put to the model."""
    template = pair_template(facts)
    if template is None:
        raise ModelError(
            "the model has no chat template, so nothing says how a query and a document are put to it\n"
            '  Give one: processor_kwargs={"chat_template": "…"}, with the roles "query" and "document".'
        )
    return Chat(template=template, generation=False)
