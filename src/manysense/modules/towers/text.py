"""The starter's text tower as a module that can be trained: token vectors, summed, and one small layer over the sum.

Knows: that it computes what manysense.starter.text computes, on parameters. Does not know: prompts, the other towers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from ...errors import ItemError
from ...inputs.types import Item, Route
from ...media.text import encodable
from ...settings import positive
from ...starter.text import Pieces
from ..base import Features, InputModule, Measured, write_json
from ..transformer.pixels import unknown_overrides
from ..transformer.texts import open_texts
from ..weights import load_weights, save_weights
from .packed import pack, restored

if TYPE_CHECKING:
    from ...media.reader import Reader
    from ...settings import Settings


class TokenSum(InputModule):
    """Texts → `sentence_embedding` (batch, dimension), of length 1; a text without tokens gives zeros.

    With s the sum of the rows of a text's tokens at length 1, the vector is the direction of
    s·basis + max(0, s·inner + bias)·outer.

    tokenizer: a `tokenizers.Tokenizer`.  weights: rows (vocabulary, rank), basis (rank, dimension), inner (rank,
    hidden), bias (hidden,), outer (hidden, dimension).
    """

    def __init__(self, tokenizer: Any, weights: Mapping[str, Tensor]) -> None:
        super().__init__()
        self.tokenizer = tokenizer
        self._pieces = Pieces(tokenizer)
        self.max_seq_length: int | None = None
        for name in ("rows", "basis", "inner", "bias", "outer"):
            self.register_parameter(name, nn.Parameter(weights[name].float()))

    def get_embedding_dimension(self) -> int:
        return self.get_parameter("outer").shape[1]

    get_sentence_embedding_dimension = get_embedding_dimension

    # ---- the line

    def check(self, settings: Settings) -> None:
        """Raise UsageError for per-call options that this model does not know."""
        text = settings.section("text")
        unknown_overrides("text", text, ("max_length",))
        if "max_length" in text:
            positive('processing_kwargs["text"]["max_length"]', text["max_length"])

    def measure(self, items: Sequence[Item], reader: Reader, settings: Settings) -> list[Measured | ItemError]:
        texts = open_texts(items, reader, encodable(settings.prompt or ""))
        limit = settings.section("text").get("max_length") or settings.max_length or self.max_seq_length
        ids = iter(self._pieces.ids([text for text in texts if isinstance(text, str)]))
        return [self._measured(next(ids), limit) if isinstance(text, str) else text for text in texts]

    @staticmethod
    def _measured(ids: list[int], limit: int | None) -> Measured:
        cut = (len(ids), limit, "tokens") if limit is not None and len(ids) > limit else None
        return Measured("text", 1, ids[:limit], extra=len(ids) // 64, cut=cut, group="text")

    def prepare(self, measured: Measured, reader: Reader, settings: Settings) -> Features:
        return {"input_ids": measured.draft}

    def collate(self, features: Sequence[Features], route: Route) -> Features:
        ids = [np.asarray(one["input_ids"], dtype=np.int64) for one in features]
        offsets = np.cumsum([0] + [len(row) for row in ids[:-1]], dtype=np.int64)
        return {"input_ids": torch.from_numpy(np.concatenate(ids)), "offsets": torch.from_numpy(offsets)}

    def forward(self, features: Features) -> Features:
        weights = dict(self.named_parameters())
        sums = functional.embedding_bag(features["input_ids"], weights["rows"], features["offsets"], mode="sum")
        length = sums.norm(dim=1, keepdim=True)
        sums = sums / (length + 1e-12)
        hidden = functional.relu(sums @ weights["inner"] + weights["bias"])
        made = functional.normalize(sums @ weights["basis"] + hidden @ weights["outer"], dim=1)
        features["sentence_embedding"] = torch.where(length > 0, made, torch.zeros_like(made))
        return features

    # ---- the folder

    def save(self, output_path: str, *args: Any, safe_serialization: bool = True, **kwargs: Any) -> None:
        folder = Path(output_path)
        write_json(folder / self.config_file_name, {"kind": "static text"})
        self.tokenizer.save(str(folder / "tokenizer.json"))
        stored = pack({"rows": self.get_parameter("rows").detach()})
        rest = {name: tensor for name, tensor in self.state_dict().items() if name != "rows"}
        save_weights({**{name.removeprefix("rows."): tensor for name, tensor in stored.items()}, **rest}, folder)

    @classmethod
    def load_from(cls, folder: Path, **kwargs: Any) -> TokenSum:
        from tokenizers import Tokenizer

        stored = load_weights(folder)
        if "codes" in stored:
            stored["rows"] = restored(stored.pop("codes"), stored.pop("scales"))
        return cls(Tokenizer.from_file(str(folder / "tokenizer.json")), stored)
