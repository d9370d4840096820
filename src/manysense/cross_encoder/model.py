"""CrossEncoder: one score, or several, per pair of a query and a document, of any modality the model reads.

Knows: the public face, which is Sentence Transformers' (5.4 to 6.x). Does not know: how pairs become scores (line.py
and batching/run.py), how scores become a ranking (rank.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, Literal, overload

import numpy.typing as npt
from torch import Tensor, nn

from ..batching.pool import Pool, checked, start
from ..checkpoints.card import CrossEncoderModelCardData
from ..checkpoints.foreign import code_of
from ..construct import opened, renamed
from ..inputs.pairs import as_pairs
from ..inputs.types import Modality
from ..line import ModelLine
from ..media.policy import DEFAULT, Policy
from ..model import Model, merged_prompts
from ..modules.dense import Dense, name_of
from ..modules.logit_score import LogitScore
from ..modules.transformer import Transformer
from ..outputs.scores import Activation
from ..settings import OnError, OnTruncate, Settings
from .construct import call_settings, stored_activation, with_head
from .float32 import keep_in_float32
from .line import PairLine
from .predict import Form, How, predict
from .rank import Ranking, Wanted, rank, rank_stream, work_of

Scores = npt.NDArray[Any]


class CrossEncoder(Model):
    """A model that looks at a query and a document together and says how well they fit.

    model_name_or_path: a folder, or a Hub name.  modules: build from these instead.  num_labels: scores per pair, None
    for what the model has; another number than that gives it a new head, to be trained.  max_length: tokens read of a
    pair.  activation_fn: what scores go through; None for the folder's own, else a probability for one label and raw
    values for several.  keep_in_fp32_modules: names of linear layers that compute in float32 in a model of half
    precision.  The other arguments are those of SentenceTransformer.

    What a score means is the head's affair: a probability where the activation is Sigmoid, else a logit; the scores of
    two models cannot be compared.

    Raises ModelNotFound, ModelError, UntrustedCode, NotEnoughMemory, UsageError.
    """

    model_type: ClassVar[str] = "CrossEncoder"
    organisation: ClassVar[str] = "cross-encoder"

    def __init__(
        self,
        model_name_or_path: str | Path | None = None,
        num_labels: int | None = None,
        max_length: int | None = None,
        activation_fn: Activation | None = None,
        device: Any = None,
        *,
        modules: Sequence[nn.Module] | Mapping[str, nn.Module] | None = None,
        prompts: Mapping[str, str] | None = None,
        default_prompt_name: str | None = None,
        cache_folder: str | None = None,
        trust_remote_code: bool = False,
        revision: str | None = None,
        local_files_only: bool = False,
        token: bool | str | None = None,
        model_kwargs: Mapping[str, Any] | None = None,
        processor_kwargs: Mapping[str, Any] | None = None,
        config_kwargs: Mapping[str, Any] | None = None,
        model_card_data: Any = None,
        backend: Literal["torch", "onnx", "openvino"] = "torch",
        keep_in_fp32_modules: Sequence[str] | None = None,
        policy: Policy = DEFAULT,
        **old: Any,
    ) -> None:
        activation_fn = old.pop("default_activation_function", activation_fn)
        dropout = old.pop("classifier_dropout", None)
        given = renamed(
            "CrossEncoder",
            old,
            model_name_or_path=model_name_or_path,
            model_kwargs=model_kwargs,
            processor_kwargs=processor_kwargs,
            config_kwargs=config_kwargs,
            cache_folder=cache_folder,
            revision=revision,
            local_files_only=local_files_only,
            trust_remote_code=trust_remote_code,
            token=token,
        )
        given["config_kwargs"] = with_head(given["config_kwargs"], num_labels, dropout)
        found = opened(type(self), given, modules, device, backend, policy)
        stored = found.loaded.config
        super().__init__(
            found.loaded.modules,
            device=found.device,
            prompts=merged_prompts(stored.get("prompts"), prompts),
            default_prompt_name=default_prompt_name or stored.get("default_prompt_name"),
            card=found.loaded.card,
            spread=found.spread,
        )
        self.policy = policy
        self.model_card_data: Any = model_card_data if model_card_data is not None else CrossEncoderModelCardData()
        if max_length is not None:
            self.max_seq_length = max_length
        self.activation_fn = (
            activation_fn
            if activation_fn is not None
            else stored_activation(found.loaded, self.config, self.num_labels, trust_remote_code)
        )

        self.keep_in_fp32_modules: list[str] = []
        kept = keep_in_fp32_modules if keep_in_fp32_modules is not None else stored.get("keep_in_fp32_modules")
        self.set_keep_in_fp32_modules(list(kept or ()))

    def set_keep_in_fp32_modules(self, module_names: Sequence[str]) -> None:
        """Let these linear layers, named as in `named_modules()`, compute in float32, and no others. A folder keeps it.

        Raises UsageError for what is no plain linear layer.
        """
        self.keep_in_fp32_modules = keep_in_float32(self, module_names, self.keep_in_fp32_modules)

    def __setattr__(self, name: str, value: Any) -> None:
        """An activation is no module of the network: its name would come between theirs."""
        if name == "activation_fn":
            self.__dict__[name] = value
        else:
            super().__setattr__(name, value)

    # ---- predict

    @overload
    def predict(
        self, inputs: Any = ..., prompt_name: str | None = ..., *, convert_to_tensor: Literal[True], **kwargs: Any
    ) -> Tensor: ...
    @overload
    def predict(
        self, inputs: Any = ..., prompt_name: str | None = ..., *, convert_to_numpy: Literal[False], **kwargs: Any
    ) -> list[Tensor]: ...
    @overload
    def predict(self, inputs: Any = ..., *args: Any, **kwargs: Any) -> Scores: ...

    def predict(
        self,
        inputs: Any = None,
        prompt_name: str | None = None,
        prompt: str | None = None,
        batch_size: int | None = None,
        show_progress_bar: bool | None = None,
        activation_fn: Activation | None = None,
        apply_softmax: bool | None = False,
        convert_to_numpy: bool = True,
        convert_to_tensor: bool = False,
        device: Any = None,
        pool: Pool | None = None,
        chunk_size: int | None = None,
        *,
        modality: Modality | None = None,
        on_error: OnError = "raise",
        on_truncate: OnTruncate = "warn",
        policy: Policy | None = None,
        return_stats: bool = False,
        **kwargs: Any,
    ) -> Any:
        """Scores of pairs.

        inputs: one pair (query, document), or a list, generator or column of them; a side is anything that `encode`
        takes, but a chat.  activation_fn: for this call alone.  apply_softmax: over the labels, where there are
        several.  The other arguments are those of `SentenceTransformer.encode`.

        Returns (pairs,) float32 for one label, (pairs, labels) for several, as a numpy array, a tensor with
        convert_to_tensor, a list of tensors with convert_to_numpy=False; for a single pair its score alone; with
        return_stats the pair (scores, Stats).

        Raises UsageError before any work; ItemError with index, source, reason, its `partial` holding what was
        finished.
        """
        if inputs is None:
            inputs = kwargs.pop("sentences", None)
        how = self._how(
            kwargs,
            activation_fn,
            prompt=prompt,
            prompt_name=prompt_name,
            batch_size=batch_size,
            progress=show_progress_bar,
            modality=modality,
            on_error=on_error,
            on_truncate=on_truncate,
            policy=policy,
        )
        how = replace(how, softmax=bool(apply_softmax), device=device, pool=pool, chunk_size=chunk_size)
        form: Form = "tensor" if convert_to_tensor else "numpy" if convert_to_numpy else "list"
        return predict(self, inputs, how, form, return_stats)

    def _how(self, kwargs: Mapping[str, Any], activation: Activation | None, **named: Any) -> How:
        """kwargs: what a call was given beside its arguments, old names too."""
        others = {key: value for key, value in kwargs.items() if key not in ("activation_fct", "num_workers")}
        chosen = activation if activation is not None else kwargs.get("activation_fct")
        return How(call_settings(self, others, **named), self.activation_fn if chosen is None else chosen)

    # ---- rank

    def rank(
        self,
        query: Any = None,
        documents: Any = None,
        top_k: int | None = None,
        return_documents: bool = False,
        prompt_name: str | None = None,
        prompt: str | None = None,
        batch_size: int | None = None,
        show_progress_bar: bool | None = None,
        activation_fn: Activation | None = None,
        device: Any = None,
        pool: Pool | None = None,
        chunk_size: int | None = None,
        *,
        queries: Sequence[Any] | None = None,
        min_score: float | None = None,
        modality: Modality | None = None,
        on_error: Literal["raise", "skip"] = "raise",
        on_truncate: OnTruncate = "warn",
        policy: Policy | None = None,
        return_stats: bool = False,
        **kwargs: Any,
    ) -> Any:
        """Documents in the order of their scores for a query, best first; of equal scores the earlier document first.

        query: one query.  queries: several in its place; then one ranking for each.  documents: for all queries, or a
        list of lists, one for each.  top_k: at most so many of each ranking.  min_score: leave out what scores lower.
        return_documents: each hit has its document under "text", whatever its modality.  on_error="skip": broken
        documents are left out and listed in the ranking's `errors`.  Other arguments are those of `predict`.

        Returns a list of {"corpus_id": position in documents, "score": float}; for `queries` a list of such lists; with
        return_stats the pair (that, Stats).  Raises ModelError for a model with several labels; ItemError, its
        `partial` holding finished scores and, beside each, the position of its document, or (query, document) for
        `queries`.
        """
        kwargs.pop("apply_softmax", None)  # of versions before 6.2; one label has nothing to be shared out
        work, single = work_of(query, queries, documents)
        how = self._how(
            kwargs,
            activation_fn,
            prompt=prompt,
            prompt_name=prompt_name,
            batch_size=batch_size,
            progress=show_progress_bar,
            modality=modality,
            on_error=on_error,
            on_truncate=on_truncate,
            policy=policy,
        )
        how = replace(how, device=device, pool=pool, chunk_size=chunk_size)
        return rank(self, work, Wanted(top_k, min_score, return_documents), how, single, return_stats)

    def rank_stream(
        self,
        queries: Iterable[Any],
        documents: Any,
        top_k: int | None = None,
        return_documents: bool = False,
        *,
        prompt_name: str | None = None,
        prompt: str | None = None,
        batch_size: int | None = None,
        activation_fn: Activation | None = None,
        device: Any = None,
        min_score: float | None = None,
        modality: Modality | None = None,
        on_error: Literal["raise", "skip"] = "raise",
        on_truncate: OnTruncate = "warn",
        policy: Policy | None = None,
        **kwargs: Any,
    ) -> Iterator[tuple[int, Ranking]]:
        """`rank` for many queries, each ranking as soon as it is final: yields (position of the query, ranking)."""
        work, _ = work_of(None, list(queries), documents)
        how = self._how(
            kwargs,
            activation_fn,
            prompt=prompt,
            prompt_name=prompt_name,
            batch_size=batch_size,
            progress=False,
            modality=modality,
            on_error=on_error,
            on_truncate=on_truncate,
            policy=policy,
        )
        wanted = Wanted(top_k, min_score, return_documents)
        return rank_stream(self, work, wanted, replace(how, device=device))

    # ---- what it is

    @property
    def num_labels(self) -> int:
        """Scores per pair."""
        for module in reversed(list(self)):
            if isinstance(module, Dense) and module.module_output_name == "scores":
                return module.out_features
            if isinstance(module, LogitScore):
                return 1
            if isinstance(module, Transformer):
                return int(module.config.num_labels)
        return 1

    @property
    def model(self) -> Any:
        """The transformers model inside, or None."""
        return self.transformers_model

    @property
    def max_length(self) -> int | None:
        """Old name of `max_seq_length`."""
        return self.max_seq_length

    @max_length.setter
    def max_length(self, value: int | None) -> None:
        self.max_seq_length = value

    @property
    def default_activation_function(self) -> Activation:
        """Old name of `activation_fn`."""
        return self.activation_fn

    def _line(self, settings: Settings) -> ModelLine:
        return PairLine(self, self, settings, lambda features, count: [])

    def _listed(self, inputs: Any) -> Iterable[Any]:
        return as_pairs(inputs)[0]

    def _classes(self) -> tuple[type[Any], ...]:
        return (type(self.activation_fn),)

    def _config(self) -> dict[str, Any]:
        code = code_of(type(self.activation_fn))
        config = {**super()._config(), "activation_fn": code[0] if code else name_of(self.activation_fn)}
        return config | ({"keep_in_fp32_modules": self.keep_in_fp32_modules} if self.keep_in_fp32_modules else {})

    # ---- pools of processes

    def start_multi_process_pool(self, target_devices: Sequence[Any] | None = None) -> Pool:
        """Worker processes with this model, for `predict(…, pool=pool)` and `rank`; `with` ends them, as `pool.stop()`
        does. See SentenceTransformer.start_multi_process_pool."""
        return start(self, target_devices)

    @staticmethod
    def stop_multi_process_pool(pool: Pool) -> None:
        """End the processes of a pool, also in the middle of their work."""
        checked(pool).stop()
