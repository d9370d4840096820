"""Models over whole words, as Sentence Transformers made them from GloVe: a table, a word list, a few steps behind.

Knows: the files in their old and their new form, and the reference vector of one text, computed from these files with
torch alone. Nothing of the library under test is imported here.

Files as sentence-transformers/average_word_embeddings_glove.6B.300d ("old": a sub-folder for each module, pickles) and
as Sentence Transformers 6.2 writes them ("new": the first module in the root, safetensors).
"""

from __future__ import annotations

import string
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn import functional

from ._parts import as_vector, read_json, write_json

WIDTH = 6
VOCABULARY = ["PADDING_TOKEN", "red", "house", "hill", "dog", "Dog", "barks", "world", "Hello", "cat", "music", "piano"]
STOP_WORDS = ["the", "on", "a", "and", "!", "."]
WEIGHTS = {"red": 2.0, "dog": 0.5, "hello": 3.0, "unseen": 9.0}
TEXTS = ("the red house on the hill", "a Dog, barks!", "", "zzz qqq", "Hello (world) dog dog cat", "PIANO music", "red")
Middle = Literal["weights", "lstm", "cnn"]
Style = Literal["old", "new"]

_HOME = "sentence_transformers.sentence_transformer.modules"
_FILES = {"WordEmbeddings": "wordembedding_config.json", "LSTM": "lstm_config.json", "CNN": "cnn_config.json"}
_SNAKE = {"WordEmbeddings": "word_embeddings", "WordWeights": "word_weights", "LSTM": "lstm", "CNN": "cnn"}
_TOKENIZER = {
    "old": "sentence_transformers.models.tokenizer.WhitespaceTokenizer.WhitespaceTokenizer",
    "new": f"{_HOME}.tokenizer.whitespace.WhitespaceTokenizer",
}


def build(folder: Path, seed: int = 0, *, style: Style = "new", middle: Middle | None = None) -> Path:
    """Write WordEmbeddings, what stands in the middle, and mean Pooling; return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    random = torch.Generator().manual_seed(seed)
    table = torch.randn(len(VOCABULARY), WIDTH, generator=random)  # the row of padding is no zero: it must not matter
    config = {"tokenizer_class": _TOKENIZER[style], "update_embeddings": False, "max_seq_length": 1_000_000}
    steps: list[tuple[str, dict[str, Any], dict[str, Tensor]]] = [
        ("WordEmbeddings", config, {"emb_layer.weight": table})
    ]
    if middle is not None:
        steps.append(_middle(middle, style, random))
    listed = []
    for i, (name, own, weights) in enumerate(steps):
        path = "" if style == "new" and i == 0 else f"{i}_{name}"
        write_json(folder / path / _FILES.get(name, "config.json"), own)
        if style == "new":
            save_file(weights, folder / path / "model.safetensors")
        else:
            torch.save(weights, folder / path / "pytorch_model.bin")
        kind = f"{_HOME}.{_SNAKE[name]}.{name}" if style == "new" else f"sentence_transformers.models.{name}"
        listed.append({"idx": i, "name": str(i), "path": path, "type": kind})
    width = {"lstm": 8, "cnn": 8}.get(middle or "", WIDTH)
    pooling = f"{len(steps)}_Pooling"
    write_json(folder / pooling / "config.json", {"word_embedding_dimension": width, "pooling_mode_mean_tokens": True})
    kind = "sentence_transformers.models.Pooling"
    listed.append({"idx": len(steps), "name": str(len(steps)), "path": pooling, "type": kind})
    words = {"vocab": VOCABULARY, "stop_words": STOP_WORDS, "do_lower_case": False}
    write_json(folder / listed[0]["path"] / "whitespacetokenizer_config.json", words)
    write_json(folder / "modules.json", listed)
    return folder


def _middle(name: Middle, style: Style, random: torch.Generator) -> tuple[str, dict[str, Any], dict[str, Tensor]]:
    """(class, configuration, weights)"""

    def noise(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=random)

    dimension = "word_embedding_dimension" if style == "old" else "embedding_dimension"
    if name == "weights":
        weights = [WEIGHTS.get(word, WEIGHTS.get(word.lower(), 1.5)) for word in VOCABULARY]
        config = {"vocab": VOCABULARY, "word_weights": WEIGHTS, "unknown_word_weight": 1.5}
        return "WordWeights", config, {"emb_layer.weight": torch.tensor(weights)[:, None]}
    if name == "lstm":
        lstm = {"hidden_dim": 4, "num_layers": 1, "dropout": 0, "bidirectional": True}
        shapes = {"weight_ih": (16, WIDTH), "weight_hh": (16, 4), "bias_ih": (16,), "bias_hh": (16,)}
        made = {f"encoder.{key}_l0{way}": noise(*shape) for way in ("", "_reverse") for key, shape in shapes.items()}
        return "LSTM", {dimension: WIDTH, **lstm}, made
    cnn = {"out_channels": 4, "kernel_sizes": [1, 3], "stride_sizes": [1, 1]}
    made = {f"convs.{i}.weight": noise(4, WIDTH, size) for i, size in enumerate((1, 3))}
    return "CNN", {f"in_{dimension}": WIDTH, **cnn}, {**made, **{f"convs.{i}.bias": noise(4) for i in (0, 1)}}


def word_ids(text: str) -> list[int]:
    """Each word as it is, else without punctuation around it, else in lower case; stop words at no stage."""
    ids = []
    for word in text.split():
        bare = word.strip(string.punctuation)
        for form in (word, bare, bare.lower()):
            if form in STOP_WORDS:
                break
            if form in VOCABULARY:
                ids.append(VOCABULARY.index(form))
                break
    return ids


def reference(folder: Path, text: str) -> np.ndarray:
    """The vector of one text, alone."""
    listed = read_json(folder / "modules.json")
    ids = torch.tensor(word_ids(text), dtype=torch.int64)
    tokens = _weights(folder / listed[0]["path"])["emb_layer.weight"][ids]  # (words, width)
    divisor = float(len(ids))
    for entry in listed[1:-1]:
        kind, place = entry["type"].rpartition(".")[2], folder / entry["path"]
        weights = _weights(place)
        if kind == "WordWeights":
            scale = weights["emb_layer.weight"][ids]
            tokens, divisor = tokens * scale, float(scale.sum())
        elif len(ids):
            tokens = _lstm(tokens, weights) if kind == "LSTM" else _cnn(tokens, weights)
    if not len(ids):
        width = read_json(folder / listed[-1]["path"] / "config.json")["word_embedding_dimension"]
        return np.zeros(width, np.float32)
    return as_vector(tokens.sum(0) / divisor)


def _weights(place: Path) -> dict[str, Tensor]:
    safe = place / "model.safetensors"
    return load_file(safe) if safe.exists() else torch.load(place / "pytorch_model.bin", weights_only=True)


def _cnn(tokens: Tensor, weights: dict[str, Tensor]) -> Tensor:
    """(words, width) → (words, channels): zeros stand before the first word and after the last."""
    made = [functional.conv1d(tokens.T[None], weights[f"convs.{i}.weight"], padding=i)[0].T for i in (0, 1)]
    return torch.cat([one + weights[f"convs.{i}.bias"] for i, one in enumerate(made)], dim=1)


def _lstm(tokens: Tensor, weights: dict[str, Tensor]) -> Tensor:
    """(words, width) → (words, 2 x hidden), step by step. Source: Hochreiter & Schmidhuber 1997, gates as in torch."""

    def one_way(steps: Tensor, way: str) -> Tensor:
        hidden, cell, made = torch.zeros(4), torch.zeros(4), []
        for step in steps:
            gates = weights[f"encoder.weight_ih_l0{way}"] @ step + weights[f"encoder.bias_ih_l0{way}"]
            gates = gates + weights[f"encoder.weight_hh_l0{way}"] @ hidden + weights[f"encoder.bias_hh_l0{way}"]
            enter, forget, new, leave = gates.chunk(4)
            cell = forget.sigmoid() * cell + enter.sigmoid() * new.tanh()
            hidden = leave.sigmoid() * cell.tanh()
            made.append(hidden)
        return torch.stack(made)

    return torch.cat([one_way(tokens, ""), one_way(tokens.flip(0), "_reverse").flip(0)], dim=1)


def text_file(path: Path, seed: int = 0, header: bool = False) -> dict[str, list[float]]:
    """Write word vectors as GloVe does (word2vec's form with a header); word → numbers."""
    random = np.random.default_rng(seed)
    vectors = {word: [round(float(x), 4) for x in random.normal(size=WIDTH)] for word in VOCABULARY[1:]}
    lines = [f"{word} {' '.join(map(str, numbers))}" for word, numbers in vectors.items()]
    start = [f"{len(vectors)} {WIDTH}"] if header else []
    path.write_text("\n".join([*start, *lines]) + "\n", encoding="utf-8")
    return vectors
