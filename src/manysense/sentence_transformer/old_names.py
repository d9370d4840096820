"""Members of a SentenceTransformer that programs for earlier versions of the known library call.

Knows: their names, and what does the same today. Does not know: how anything is done.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy.typing as npt
import torch
from torch import Tensor

from ..batching.devices import as_device
from ..inputs.shape import is_single
from ..model import Model
from ..modules.base import Features

if TYPE_CHECKING:
    from ..batching.pool import Pool


class OldNames(Model):
    """What SentenceTransformer adds itself to."""

    backend: ClassVar[str] = "torch"

    if TYPE_CHECKING:

        def encode(self, *args: Any, **kwargs: Any) -> Any: ...

        def get_embedding_dimension(self) -> int | None: ...

    @classmethod
    def load(cls, input_path: str | Path) -> Self:
        """Old way to write the constructor."""
        return cls(input_path)  # type: ignore[arg-type]

    def get_backend(self) -> str:
        """What runs the model: always "torch"."""
        return self.backend

    @staticmethod
    def is_singular_input(inputs: Any) -> bool:
        """Whether `encode` gives a single row for this, not one for each of many. Raises UnsupportedInput."""
        return is_single(inputs)

    def smart_batching_collate(self, batch: Sequence[Any]) -> tuple[list[Features], Tensor]:
        """InputExamples → (features of their first texts, of their second …), their labels: for a DataLoader."""
        columns = zip(*(example.texts for example in batch))
        return [self.preprocess(column) for column in columns], torch.as_tensor([example.label for example in batch])

    def encode_multi_process(
        self,
        sentences: Any,
        pool: Pool,
        prompt_name: str | None = None,
        prompt: str | None = None,
        batch_size: int | None = None,
        chunk_size: int | None = None,
        show_progress_bar: bool | None = None,
        **kwargs: Any,
    ) -> npt.NDArray[Any]:
        """Old name of `encode(…, pool=pool)`."""
        made: npt.NDArray[Any] = self.encode(
            inputs=sentences,
            prompt_name=prompt_name,
            prompt=prompt,
            batch_size=batch_size,
            show_progress_bar=show_progress_bar,
            pool=pool,
            chunk_size=chunk_size,
            **kwargs,
        )
        return made

    def get_sentence_embedding_dimension(self) -> int | None:
        """Old name of `get_embedding_dimension`."""
        return self.get_embedding_dimension()

    @property
    def _target_device(self) -> torch.device:
        return self.device

    @_target_device.setter
    def _target_device(self, device: Any) -> None:
        self.to(as_device(device))
