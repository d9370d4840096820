"""While the sound tower learns words it also learns to spell them in phonemes: a thousand words share sixty.

Knows: how espeak-ng spells a text, connectionist temporal classification (Graves et al. 2006) off a tower's temporal
part. Does not know: what else a tower is trained for. Nothing of it is left in the tower when training ends.
"""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Sequence
from functools import cache

import torch
from torch import Tensor, nn
from torch.nn import functional

from manysense.modules.towers.nets import Temporal

from ..sounds import speech
from ..split import allowed

SAID = "say:"
"""How the keys of speech begin."""
PLACES = 2
"""Phonemes that one column of the tower's planes may hold."""
WEIGHT = 0.5
"""Of this loss beside the others."""


def spelled(texts: Sequence[str]) -> list[list[str]]:
    """Each text as espeak-ng's phonemes, without stress."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write("".join(f"{text}.\n" for text in texts))
        file.flush()
        command = ["espeak-ng", "-q", "-x", "--sep=_", "-v", "en-us", "-f", file.name]
        said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    lines = [line for line in said.splitlines() if line.strip()]
    assert len(lines) == len(texts), "espeak-ng gives a line for each text"
    cleaned = ([re.sub(r"[',%=:|;~-]", "", part) for part in re.split(r"[_ ]+", line)] for line in lines)
    return [[part for part in parts if part] for parts in cleaned]


@cache
def spellings() -> dict[str, list[int]]:
    """Every text that training says → numbers of its phonemes, from 1."""
    texts = [*speech.words(), *allowed(speech.phrases(), "train")]
    phonemes = spelled(texts)
    number = {phoneme: i for i, phoneme in enumerate(sorted({one for parts in phonemes for one in parts}), 1)}
    return {text: [number[one] for one in parts] for text, parts in zip(texts, phonemes, strict=True)}


class Phonemes(nn.Module):
    """Reads phonemes off all blocks but the last of a tower's temporal part; the last one joins them to words."""

    def __init__(self, tower: nn.Module) -> None:
        super().__init__()
        assert isinstance(tower.temporal, Temporal), "words are spelled off a temporal part"
        self.kinds = 1 + max(max(one) for one in spellings().values())  # 0: none
        self.read = nn.Linear(tower.temporal.config["width"], PLACES * self.kinds)
        self.planes = torch.empty(0)
        tower.temporal.blocks[-2].register_forward_hook(self._keep)

    def _keep(self, module: nn.Module, given: object, planes: Tensor) -> None:
        self.planes = planes

    def loss(self, names: Sequence[str]) -> Tensor:
        """names: (batch,) keys of what the tower has just heard; all but speech is left out. Mean over phonemes."""
        spoken = {i: spellings()[name.removeprefix(SAID)] for i, name in enumerate(names) if name.startswith(SAID)}
        if not spoken:
            return self.planes.new_zeros(())
        planes = self.planes[list(spoken)].float()
        count, columns = len(planes), PLACES * planes.shape[-1]
        read = self.read(planes.permute(0, 3, 1, 2).flatten(2)).reshape(count, columns, self.kinds)
        wanted = torch.tensor([one for word in spoken.values() for one in word], device=planes.device)
        lengths = torch.tensor([len(word) for word in spoken.values()], device=planes.device)
        heard = torch.full((count,), columns, device=planes.device)
        return functional.ctc_loss(read.log_softmax(2).transpose(0, 1), wanted, heard, lengths, zero_infinity=True)
