"""The answer of a language model → a score: how much likelier "yes" is than "no".

Knows: which tokens are the answers. Does not know: how the question was put (the chat template does).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from torch import Tensor

from .base import Features, Module


class LogitScore(Module):
    """`module_input_name` (batch, positions, vocabulary) → "scores" (batch, 1), read at the last position.

    true_token_id, false_token_id: ids of the answers; the score is the difference of their logits, that is the log-odds
    of the first against the second; without false_token_id the first one's logit alone.
    Source: Nogueira et al. 2020 (monoT5); Qwen3-Reranker.
    """

    config_keys: ClassVar[Sequence[str]] = ("true_token_id", "false_token_id", "module_input_name")

    def __init__(
        self, true_token_id: int, false_token_id: int | None = None, module_input_name: str = "causal_logits"
    ) -> None:
        super().__init__()
        self.true_token_id, self.false_token_id = true_token_id, false_token_id
        self.module_input_name = module_input_name

    def forward(self, features: Features) -> Features:
        logits: Tensor = features[self.module_input_name][:, -1].float()
        scores = logits[:, self.true_token_id]
        if self.false_token_id is not None:
            scores = scores - logits[:, self.false_token_id]
        features["scores"] = scores.unsqueeze(1)
        return features
