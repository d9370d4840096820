"""What every twin is made of: a word list, byte-level vocabularies, JSON files and spread-out random weights.

Knows: tokenizer vocabularies, parameter names. Does not know: any one model family, nor the library under test.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tokenizers import pre_tokenizers
from torch import Tensor, nn

WORDS: list[str] = re.findall(
    r"\S+",
    """
the of and a to in is you that it he was for on are as with his they be at one have this from or had by not but what all
were we when your can said there use an each which she do how their if will up other about out many then them these so
some her would make like him into time has look two more write go see number no way could people my than first water
been call who its now find long down day did get come made may part over new sound take only little work know place year
live me back give most very after thing our just name good sentence man think say great where help through much before
line right too mean old any same tell boy follow came want show also around form three small set put end does another
well large must big even such because turn here why ask went men read need land different home us move try kind hand
picture again change off play spell air away animal house point page letter mother answer found study still learn
should world red blue green circle square dog cat bird rain night song music piano photo video image text query document
search model vector embed instruction represent user input system assistant seconds retrieve relevant
""",
)

SUFFIXES = ["s", "ing", "ed", "er", "ly", "est", "ness", "ment", "tion", "able", "ful", "less", "al", "ic", "y", "en"]
SUFFIXES += ["ion", "ity", "ous", "ive"]


def write_json(path: Path, value: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def read_json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def byte_alphabet() -> list[str]:
    """The 256 characters that stand for bytes in a byte-level vocabulary, in a fixed order."""
    return sorted(pre_tokenizers.ByteLevel.alphabet())


def merges_for(words: list[str], end: str = "") -> list[tuple[str, str]]:
    """Merges that build each word from its characters, left to right; `end` is glued to a word's last character."""
    merges: dict[tuple[str, str], None] = {}
    for word in words:
        pieces = [*word[:-1], word[-1] + end]
        grown = pieces[0]
        for piece in pieces[1:]:
            merges[grown, piece] = None
            grown += piece
    return list(merges)


def spread(model: nn.Module, seed: int, gain: float = 2.0) -> None:
    """Replace every parameter by seeded noise wide enough that distinct inputs get distinct vectors.

    Tables get deviation 1, matrices and convolutions gain / sqrt(inputs), norm weights 1 with some noise, biases a
    little noise. Scalars (temperatures) and buffers stay, but for batch norms, whose statistics become uneven.
    """
    random = torch.Generator().manual_seed(seed)

    def noise(like: Tensor) -> Tensor:
        return torch.randn(like.shape, generator=random)

    tables = {id(module.weight) for module in model.modules() if isinstance(module, nn.Embedding)}
    with torch.no_grad():
        for name, weight in sorted(model.named_parameters()):
            if weight.ndim == 0:
                continue
            if id(weight) in tables or "position" in name or "class_embedding" in name:
                weight.copy_(noise(weight) * (0.5 if "position" in name else 1.0))
            elif weight.ndim > 1:
                weight.copy_(noise(weight) * gain / (weight.numel() / weight.shape[0]) ** 0.5)
            elif name.endswith("weight"):
                weight.copy_(1 + 0.1 * noise(weight))
            else:
                weight.copy_(0.1 * noise(weight))
        for _, module in sorted(model.named_modules()):
            if isinstance(module, nn.BatchNorm2d):
                assert module.running_mean is not None
                assert module.running_var is not None
                module.running_mean.copy_(0.2 * noise(module.running_mean))
                module.running_var.copy_(1 + 0.5 * noise(module.running_var).abs())


def phrases() -> list[str]:
    """Twelve word lists of 1 to 16 words."""
    return [" ".join(WORDS[20 * turn : 20 * turn + 1 + turn * 4 % 17]) for turn in range(12)]


def centre(bias: Tensor, vectors: list[Tensor]) -> None:
    """Take the mean of `vectors` off the bias that every one of them had added. Rounded: no noise of the machine."""
    bias.sub_((torch.stack(vectors).mean(0) * 100).round() / 100)


def unit(vector: Tensor) -> Tensor:
    return torch.nn.functional.normalize(vector, dim=-1)


def as_vector(tensor: Tensor) -> np.ndarray:
    """(1, width) or (width,) tensor -> (width,) float32."""
    array = tensor.detach().float().reshape(-1).numpy()
    assert np.isfinite(array).all()
    return array
