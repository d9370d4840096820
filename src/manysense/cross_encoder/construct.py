"""From arguments to what they mean: which activation a reranker's scores go through, a call's frozen Settings.

Knows: where versions of the known library keep an activation, old names of arguments. Does not know: what a
CrossEncoder does.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from torch import nn

from ..construct import verbose
from ..errors import UsageError
from ..inputs.prompts import resolve_prompt
from ..modules.dense import activation_from
from ..settings import Settings, positive

if TYPE_CHECKING:
    from ..checkpoints.types import Loaded
    from ..media.policy import Policy
    from .model import CrossEncoder

_OLD_KEY = "sbert_ce_default_activation_function"


def with_head(config_kwargs: Mapping[str, Any] | None, labels: int | None, dropout: float | None) -> dict[str, Any]:
    """Arguments for the configuration, with what the caller said of the head. Raises UsageError."""
    if labels is not None:
        positive("num_labels", labels)
    said = {"num_labels": labels, "classifier_dropout": dropout}
    return {**(config_kwargs or {}), **{key: value for key, value in said.items() if value is not None}}


def stored_activation(loaded: Loaded, network_config: Any, labels: int, trusted: bool) -> nn.Module:
    """What config_sentence_transformers.json names, or config.json (network_config), where versions before 5.4 kept it.

    Without either, a probability for one label and raw values for several. Raises UntrustedCode for a class outside
    torch.nn of a folder that is not trusted.
    """
    config = loaded.config
    older = getattr(network_config, "sentence_transformers", None) or {}
    name = config.get("activation_fn") or older.get("activation_fn") or getattr(network_config, _OLD_KEY, None)
    if name:
        return activation_from(str(name), loaded.folder, trusted)
    return nn.Sigmoid() if labels == 1 else nn.Identity()


def call_settings(
    model: CrossEncoder,
    kwargs: Mapping[str, Any],
    *,
    prompt: str | None,
    prompt_name: str | None,
    progress: bool | None,
    policy: Policy | None,
    **named: Any,
) -> Settings:
    """The call, frozen. Raises UsageError."""
    known = model.get_model_kwargs()
    unknown = set(kwargs) - set(known) - {"processing_kwargs", "max_length"}
    if unknown:
        raise UsageError(
            f"predict and rank got unknown arguments {sorted(unknown)}; this model takes {known or 'no further ones'}"
        )
    return Settings(
        prompt=resolve_prompt(prompt, prompt_name, model.prompts, model.default_prompt_name),
        max_length=kwargs.get("max_length") or model.max_seq_length,
        progress=verbose() if progress is None else progress,
        policy=policy or model.policy,
        processing=kwargs.get("processing_kwargs") or {},
        forward={k: v for k, v in kwargs.items() if k in known},
        keep_media=True,
        **named,
    )
