"""A static embedding: one row a token, the mean of the rows. No special tokens, no context, no length limit.

Files as Sentence Transformers writes them: "folder" is the form before 5.4, "root" that of 6.2.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer

from ._parts import as_vector, write_json
from .bert import word_piece

WIDTH = 24
TYPES = {
    "folder": "sentence_transformers.models.StaticEmbedding",
    "root": "sentence_transformers.sentence_transformer.modules.static_embedding.StaticEmbedding",
}


def build(folder: Path, seed: int = 0, *, layout: Literal["folder", "root"] = "folder") -> Path:
    """Write a Sentence Transformers folder with a StaticEmbedding module and return it."""
    path = "0_StaticEmbedding" if layout == "folder" else ""
    (folder / path).mkdir(parents=True, exist_ok=True)
    tokenizer = word_piece()
    tokenizer.save(str(folder / path / "tokenizer.json"))
    random = torch.Generator().manual_seed(seed)
    weight = torch.randn(tokenizer.get_vocab_size(), WIDTH, generator=random)
    save_file({"embedding.weight": weight}, folder / path / "model.safetensors")
    write_json(folder / "modules.json", [{"idx": 0, "name": "0", "path": path, "type": TYPES[layout]}])
    version = {"sentence_transformers": "3.3.1", "transformers": "4.46.3", "pytorch": "2.5.1"}
    config = {"__version__": version, "prompts": {}, "default_prompt_name": None, "similarity_fn_name": "cosine"}
    write_json(folder / "config_sentence_transformers.json", config)
    return folder


def _module(folder: Path) -> Path:
    return folder / "0_StaticEmbedding" if (folder / "0_StaticEmbedding").exists() else folder


def token_ids(folder: Path, text: str) -> list[int]:
    return Tokenizer.from_file(str(_module(folder) / "tokenizer.json")).encode(text, add_special_tokens=False).ids


def reference(folder: Path, text: str) -> np.ndarray:
    """The mean of the rows of one text's tokens; a text without tokens gives zeros."""
    rows = load_file(_module(folder) / "model.safetensors")["embedding.weight"]
    ids = token_ids(folder, text)
    return as_vector(rows[ids].mean(0) if ids else torch.zeros(rows.shape[1]))
