"""SentenceTransformer: one vector per input, of any modality the model reads.

Knows: the public face, which is Sentence Transformers' (5.4 to 6.x). Does not know: how inputs become vectors
(line.py and batching/run.py), how results are stored (outputs/).
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal, get_args, overload

import numpy.typing as npt
from torch import Tensor, nn

from ..batching.pool import Pool, checked, start
from ..checkpoints.card import SentenceTransformerModelCardData
from ..collect import Kept
from ..construct import opened, renamed
from ..errors import UsageError
from ..inputs.prompts import DOCUMENT_NAMES, QUERY_NAMES, first_named
from ..inputs.types import Modality
from ..media.policy import DEFAULT, Policy
from ..model import merged_prompts
from ..outputs.precision import as_ranges
from ..settings import OnError, OnTruncate, OutputValue, Precision
from ..util.similarity import SimilarityFunction
from .construct import AFTER_PROMPT, LATER, call_settings, check_dims, read_as_instructor
from .encode import encode, encode_stream
from .old_names import OldNames

Vectors = npt.NDArray[Any]
Similarity = Literal["cosine", "dot", "euclidean", "manhattan"]


class SentenceTransformer(OldNames):
    """A model that maps text, images, audio, video and mixtures of them to vectors.

    model_name_or_path: a folder, or a Hub name.  modules: build from these instead.  device: None for the best one.
    prompts, default_prompt_name: texts put before inputs, by name.  similarity_fn_name: "cosine", "dot", "euclidean",
    "manhattan".  truncate_dim: keep only the first dimensions.  model_kwargs, processor_kwargs, config_kwargs: for
    transformers (dtype, attn_implementation, device_map …; min_pixels, max_pixels …).  policy: limits on what inputs
    may open; see manysense.Policy.

    Raises ModelNotFound, ModelError, UntrustedCode, NotEnoughMemory, UsageError.
    """

    model_type: ClassVar[str] = "SentenceTransformer"
    own_prompts: ClassVar[Mapping[str, str]] = {"query": "", "document": ""}
    SUPPORTED_SIMILARITY_FN_NAMES: ClassVar[tuple[str, ...]] = get_args(Similarity)

    def __init__(
        self,
        model_name_or_path: str | Path | None = None,
        modules: Sequence[nn.Module] | Mapping[str, nn.Module] | None = None,
        device: Any = None,
        prompts: Mapping[str, str] | None = None,
        default_prompt_name: str | None = None,
        similarity_fn_name: str | SimilarityFunction | None = None,
        cache_folder: str | None = None,
        trust_remote_code: bool = False,
        revision: str | None = None,
        local_files_only: bool = False,
        token: bool | str | None = None,
        use_auth_token: bool | str | None = None,
        truncate_dim: int | None = None,
        model_kwargs: Mapping[str, Any] | None = None,
        processor_kwargs: Mapping[str, Any] | None = None,
        config_kwargs: Mapping[str, Any] | None = None,
        model_card_data: Any = None,
        backend: Literal["torch", "onnx", "openvino"] = "torch",
        *,
        policy: Policy = DEFAULT,
        **old: Any,
    ) -> None:
        given = renamed(
            "SentenceTransformer",
            old,
            model_name_or_path=model_name_or_path,
            model_kwargs=model_kwargs,
            processor_kwargs=processor_kwargs,
            config_kwargs=config_kwargs,
            cache_folder=cache_folder,
            revision=revision,
            local_files_only=local_files_only,
            trust_remote_code=trust_remote_code,
            token=token if token is not None else use_auth_token,
        )
        found = opened(type(self), given, modules, device, backend, policy)
        stored, own = found.loaded.config, found.loaded.own
        super().__init__(
            found.loaded.modules,
            device=found.device,
            prompts=merged_prompts(stored.get("prompts"), prompts),
            default_prompt_name=default_prompt_name or stored.get("default_prompt_name"),
            card=found.loaded.card,
            spread=found.spread,
        )
        self.policy = policy
        self.model_card_data: Any = (
            model_card_data if model_card_data is not None else SentenceTransformerModelCardData()
        )
        self.truncate_dim = truncate_dim if truncate_dim is not None else stored.get("truncate_dim")
        self._similarity_fn_name: str | None = None
        kept = stored.get("similarity_fn_name")  # of another family it may be one that compares many vectors
        self.similarity_fn_name = similarity_fn_name or (kept if kept in self.SUPPORTED_SIMILARITY_FN_NAMES else None)
        self.embedding_ranges: Vectors | None = None
        if "embedding_ranges" in own:
            self.embedding_ranges = as_ranges(own["embedding_ranges"])
        read_as_instructor(self, str(given["model_name_or_path"] or ""))

    def __getattr__(self, name: str) -> Any:
        if name in LATER:
            raise AttributeError(f"{type(self).__name__}.{name} is not supported yet")
        return super().__getattr__(name)

    # ---- encode

    @overload
    def encode(
        self,
        inputs: Any = ...,
        prompt_name: str | None = ...,
        prompt: str | None = ...,
        batch_size: int | None = ...,
        show_progress_bar: bool | None = ...,
        *,
        on_error: Literal["skip"],
        **kwargs: Any,
    ) -> Kept: ...
    @overload
    def encode(
        self,
        inputs: Any = ...,
        prompt_name: str | None = ...,
        prompt: str | None = ...,
        batch_size: int | None = ...,
        show_progress_bar: bool | None = ...,
        *,
        output_value: Literal["token_embeddings"],
        **kwargs: Any,
    ) -> list[Tensor]: ...
    @overload
    def encode(
        self,
        inputs: Any = ...,
        prompt_name: str | None = ...,
        prompt: str | None = ...,
        batch_size: int | None = ...,
        show_progress_bar: bool | None = ...,
        *,
        output_value: None,
        **kwargs: Any,
    ) -> list[dict[str, Any]]: ...
    @overload
    def encode(
        self,
        inputs: Any = ...,
        prompt_name: str | None = ...,
        prompt: str | None = ...,
        batch_size: int | None = ...,
        show_progress_bar: bool | None = ...,
        *,
        convert_to_tensor: Literal[True],
        **kwargs: Any,
    ) -> Tensor: ...
    @overload
    def encode(
        self,
        inputs: Any = ...,
        prompt_name: str | None = ...,
        prompt: str | None = ...,
        batch_size: int | None = ...,
        show_progress_bar: bool | None = ...,
        *,
        convert_to_numpy: Literal[False],
        **kwargs: Any,
    ) -> list[Tensor]: ...
    @overload
    def encode(
        self,
        inputs: Any = ...,
        prompt_name: str | None = ...,
        prompt: str | None = ...,
        batch_size: int | None = ...,
        show_progress_bar: bool | None = ...,
        output_value: OutputValue | None = ...,
        precision: Precision | None = ...,
        convert_to_numpy: bool = ...,
        **kwargs: Any,
    ) -> Vectors: ...

    def encode(
        self,
        inputs: Any = None,
        prompt_name: str | None = None,
        prompt: str | None = None,
        batch_size: int | None = None,
        show_progress_bar: bool | None = None,
        output_value: OutputValue | None = "sentence_embedding",
        precision: Precision | None = "float32",
        convert_to_numpy: bool = True,
        convert_to_tensor: bool = False,
        device: Any = None,
        normalize_embeddings: bool = False,
        truncate_dim: int | None = None,
        pool: Pool | None = None,
        chunk_size: int | None = None,
        *,
        modality: Modality | None = None,
        on_error: OnError = "raise",
        on_truncate: OnTruncate = "warn",
        ranges: Any = None,
        out: Vectors | None = None,
        policy: Policy | None = None,
        **kwargs: Any,
    ) -> Any:
        """Vectors of inputs.

        inputs: one input, or a list, tuple, generator, column of them; docs/inputs.md lists every accepted form.
        batch_size: at most so many items at once; None lets the cost of the items decide. It never changes a vector.
        output_value: "sentence_embedding"; "token_embeddings", a list of (tokens, width), with a lower precision numpy
        arrays of one scale; or None for every feature.
        precision: "float32" or None (the model's own float type), "int8", "uint8" (with `ranges`, (2, dims)), "binary",
        "ubinary".  modality: what plain inputs are.  on_error: "raise"; "nan" fills the rows of broken inputs;
        "skip" leaves them out and returns Kept(embeddings, indices).  on_truncate: "warn", "error", "ignore".
        out: a writable array or memory map (inputs, dims) to write into.  pool: do the work in these processes, whose
        devices then count and not `device`; a list as `device` starts some for this call alone.  The result is that of
        one process, on the CPU.  chunk_size: inputs that a process is sent at once.

        Returns (inputs, dims) as a numpy array, a tensor with convert_to_tensor, a list of tensors with
        convert_to_numpy=False; for a single input its row alone.  bfloat16 becomes float32 in numpy.

        Raises UsageError before any work for wrong arguments; ItemError with index, source, reason for an input, its
        `partial` holding what was finished.
        """
        if inputs is None and "sentences" in kwargs:
            inputs = kwargs.pop("sentences")
        settings = call_settings(
            self,
            kwargs,
            prompt=prompt,
            prompt_name=prompt_name,
            modality=modality,
            batch_size=batch_size,
            output=output_value,
            normalize=normalize_embeddings,
            truncate_dim=truncate_dim,
            precision=precision,
            on_error=on_error,
            on_truncate=on_truncate,
            policy=policy,
            progress=show_progress_bar,
        )
        as_tensor, as_numpy = convert_to_tensor, convert_to_numpy and not convert_to_tensor
        form: Literal["tensor", "numpy", "list"] = "tensor" if as_tensor else "numpy" if as_numpy else "list"
        return encode(self, inputs, settings, form, device, ranges=ranges, out=out, pool=pool, chunk_size=chunk_size)

    def encode_query(
        self, inputs: Any = None, prompt_name: str | None = None, prompt: str | None = None, *args: Any, **kwargs: Any
    ) -> Any:
        """`encode` with the model's prompt for queries, where it has one, and task "query"."""
        return self._encode_as("query", QUERY_NAMES, inputs, prompt_name, prompt, args, kwargs)

    def encode_document(
        self, inputs: Any = None, prompt_name: str | None = None, prompt: str | None = None, *args: Any, **kwargs: Any
    ) -> Any:
        """`encode` with the model's prompt for documents (document, passage or corpus), and task "document"."""
        return self._encode_as("document", DOCUMENT_NAMES, inputs, prompt_name, prompt, args, kwargs)

    def _encode_as(
        self,
        task: str,
        names: tuple[str, ...],
        inputs: Any,
        prompt_name: str | None,
        prompt: str | None,
        args: Any,
        kwargs: dict[str, Any],
    ) -> Any:
        """By keyword: a subclass may have an `encode` with places of its own."""
        if prompt is None and prompt_name is None:
            prompt_name = first_named(names, self.prompts)
        if inputs is None and "sentences" in kwargs:
            inputs = kwargs.pop("sentences")
        if len(args) > len(AFTER_PROMPT):
            raise TypeError(f"encode_{task} takes {3 + len(AFTER_PROMPT)} arguments by place, got {3 + len(args)}")
        placed = dict(zip(AFTER_PROMPT, args))
        kwargs.setdefault("task", task)
        return self.encode(inputs=inputs, prompt_name=prompt_name, prompt=prompt, **placed, **kwargs)

    def encode_stream(
        self,
        inputs: Iterable[Any],
        *,
        prompt_name: str | None = None,
        prompt: str | None = None,
        batch_size: int | None = None,
        precision: Precision | None = "float32",
        device: Any = None,
        normalize_embeddings: bool = False,
        truncate_dim: int | None = None,
        modality: Modality | None = None,
        on_error: OnError = "raise",
        on_truncate: OnTruncate = "warn",
        ranges: Any = None,
        policy: Policy | None = None,
        with_index: bool = False,
        **kwargs: Any,
    ) -> Iterator[Any]:
        """Vectors of any number of inputs, in order, in bounded memory: one (dims,) numpy row after the other.

        with_index: yield (position, row).  on_error="skip" leaves broken inputs out.  int8 and uint8 need `ranges`,
        or ranges kept with the model (`embedding_ranges`).
        """
        settings = call_settings(
            self,
            kwargs,
            prompt=prompt,
            prompt_name=prompt_name,
            modality=modality,
            batch_size=batch_size,
            output="sentence_embedding",
            normalize=normalize_embeddings,
            truncate_dim=truncate_dim,
            precision=precision,
            on_error=on_error,
            on_truncate=on_truncate,
            policy=policy,
            progress=False,
        )
        return encode_stream(self, inputs, settings, device=device, ranges=ranges, with_index=with_index)

    # ---- pools of processes

    def start_multi_process_pool(self, target_devices: Sequence[Any] | None = None) -> Pool:
        """Worker processes with this model, for `encode(…, pool=pool)`; `with` ends them, as `pool.stop()` does.

        target_devices: one worker for each, ["cuda:0", "cuda:1"] or ["cpu"] * 4.  None: every CUDA device, else CPU
        workers, as many as there are cores and at most 4; they share out the threads that torch has here.
        A script starts a pool under `if __name__ == "__main__":`.  Raises UsageError, WorkerError.
        """
        return start(self, target_devices)

    @staticmethod
    def stop_multi_process_pool(pool: Pool) -> None:
        """End the processes of a pool, also in the middle of their work."""
        checked(pool).stop()

    # ---- dimensions

    def _full_dimension(self) -> int | None:
        for module in reversed(self):
            for name in ("get_embedding_dimension", "get_sentence_embedding_dimension"):
                function = getattr(module, name, None)
                if callable(function) and (dims := function()) is not None:
                    return int(dims)
        return None

    def get_embedding_dimension(self) -> int | None:
        """Numbers per vector, after `truncate_dim`; None where no module says."""
        full = self._full_dimension()
        return min(full, self.truncate_dim) if full and self.truncate_dim else full

    @contextlib.contextmanager
    def truncate_embeddings(self, truncate_dim: int | None) -> Iterator[None]:
        """Within this context, calls that name no truncate_dim use this one."""
        check_dims(self, truncate_dim)
        before, self.truncate_dim = self.truncate_dim, truncate_dim
        try:
            yield
        finally:
            self.truncate_dim = before

    truncate_sentence_embeddings = truncate_embeddings

    # ---- similarity

    @property
    def similarity_fn_name(self) -> str:
        """ "cosine", "dot", "euclidean" or "manhattan"."""
        return self._similarity_fn_name or "cosine"

    @similarity_fn_name.setter
    def similarity_fn_name(self, value: str | SimilarityFunction | None) -> None:
        name = value.value if isinstance(value, SimilarityFunction) else value
        if name in ("maxsim", "meanmaxsim"):
            raise UsageError(
                f"similarity_fn_name={name!r} compares many vectors of each input, and this model makes one\n"
                "  Choose cosine, dot, euclidean or manhattan; util.maxsim takes token embeddings."
            )
        if name is not None:
            SimilarityFunction.to_similarity_fn(name)
        self._similarity_fn_name = name

    def similarity(self, embeddings1: Any, embeddings2: Any) -> Tensor:
        """(n, dims), (m, dims) → (n, m) scores of the model's similarity function; higher is more alike."""
        return SimilarityFunction.to_similarity_fn(self.similarity_fn_name)(embeddings1, embeddings2)

    def similarity_pairwise(self, embeddings1: Any, embeddings2: Any) -> Tensor:
        """(n, dims), (n, dims) → (n,) scores of row i with row i."""
        return SimilarityFunction.to_similarity_pairwise_fn(self.similarity_fn_name)(embeddings1, embeddings2)

    # ---- prompts and the folder

    def set_pooling_include_prompt(self, include_prompt: bool) -> None:
        """Whether pooling counts the prompt's tokens."""
        module: Any
        for module in self.modules():
            if hasattr(module, "include_prompt"):
                module.include_prompt = include_prompt

    def _config(self) -> dict[str, Any]:
        config = {**super()._config(), "similarity_fn_name": self.similarity_fn_name}
        if self.truncate_dim is not None:
            config["truncate_dim"] = self.truncate_dim
        return config

    def _own_config(self) -> dict[str, Any]:
        if self.embedding_ranges is None:
            return {}
        return {"embedding_ranges": as_ranges(self.embedding_ranges).tolist()}
