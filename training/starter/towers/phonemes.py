"""While the sound tower learns words it also learns to spell them in phonemes: a thousand words share sixty.

Knows: how espeak-ng spells a text, connectionist temporal classification (Graves et al. 2006) off a tower's temporal
part, how a word is told from others like it. Does not know: what else a tower is trained for, how well a spelling fits
(manysense/modules/towers/recall.py).
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
from manysense.modules.towers.recall import fits, phonemes_in

from ..sounds import speech
from ..split import allowed

SAID = "say:"
"""How the keys of speech begin."""
PLACES = 2
"""Phonemes that one column of the tower's planes may hold."""
NOTHING = 20
"""As so many phonemes counts what is no speech."""
SHARPNESS, RIVALS = 50.0, 48
"""How sharply the tower is to recall a word while it learns; and of so many words each has to be told."""
ALIKE = 0.95
"""Meanings with such a cosine are no rivals."""
PHONEMES = (
    "0 3 ? @ @2 @L A A@ D E I I# I2 N O O2 O@ OI S T U U@ V Z a a# aI aI3 aI@ aU aa b d dZ e@ eI f g h i i@ i@3 "
    "j k l m n o@ oU p r s t t# t2 tS u v w z"
).split()
"""Of espeak-ng, in the order of their numbers, from 1: 0 is none."""


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
    """Every text that training says → numbers of its phonemes. Raises KeyError for a phoneme without a number."""
    number = {phoneme: i for i, phoneme in enumerate(PHONEMES, 1)}
    texts = [*speech.words(), *allowed(speech.phrases(), "train")]
    return {text: [number[one] for one in parts] for text, parts in zip(texts, spelled(texts), strict=True)}


def spellings_of(names: Sequence[str]) -> Tensor:
    """(names, longest) uint8: the phonemes of each key of speech, then 0; none of any other."""
    found = [spellings()[name.removeprefix(SAID)] if name.startswith(SAID) else [] for name in names]
    made = torch.zeros(len(names), max(map(len, found), default=0), dtype=torch.uint8)
    for row, phonemes in zip(made, found, strict=True):
        row[: len(phonemes)] = torch.tensor(phonemes, dtype=torch.uint8)
    return made


class Phonemes(nn.Module):
    """Reads phonemes off all blocks but the last of a tower's temporal part; the last one joins them to words."""

    def __init__(self, tower: nn.Module) -> None:
        super().__init__()
        assert isinstance(tower.temporal, Temporal), "words are spelled off a temporal part"
        self.read = nn.Linear(tower.temporal.config["width"], PLACES * (1 + len(PHONEMES)))
        self.planes = torch.empty(0)
        tower.temporal.register_forward_hook(self._keep)

    def _keep(self, module: nn.Module, given: object, found: tuple[Tensor, Tensor]) -> None:
        self.planes = found[1]

    def loss(self, names: Sequence[str]) -> Tensor:
        """names: (batch,) keys of what the tower has just heard; what is no speech spells nothing. By phoneme."""
        spoken = [spellings()[name.removeprefix(SAID)] if name.startswith(SAID) else [] for name in names]
        read = phonemes_in(self.planes.float(), self.read, PLACES)
        wanted = torch.tensor([one for word in spoken for one in word], dtype=torch.long, device=read.device)
        lengths = torch.tensor([len(word) for word in spoken], device=read.device)
        columns = torch.full((len(read),), read.shape[1], device=read.device)
        lost = functional.ctc_loss(
            read.log_softmax(2).transpose(0, 1), wanted, columns, lengths, reduction="none", zero_infinity=True
        )
        return (lost / torch.tensor([len(word) or NOTHING for word in spoken], device=lost.device)).mean()

    def rival_loss(self, vectors: Tensor, own: Tensor, classes: Tensor, spelled: Tensor) -> Tensor:
        """Cross-entropy over each word and those that it is nearest to, weighed as the tower will weigh what it
        recalls: by cosine as much as by spelling.

        vectors: (batch, dimension) of what the tower has just heard, of length 1.  own: (batch,) class, -1 for none.
        classes: (classes, dimension) of length 1.  spelled: (classes, longest) phonemes of each that is a word.
        """
        words = (spelled > 0).any(1)
        said = (own >= 0) & words[own]
        own = own[said]
        scores = SHARPNESS * vectors[said] @ classes.T
        none = ~words | (classes[own] @ classes.T > ALIKE)
        with torch.no_grad():
            near = scores.masked_fill(none, -torch.inf).scatter(1, own[:, None], torch.inf)
            near = near.topk(min(RIVALS, len(classes)), 1)
        spelling = fits(phonemes_in(self.planes[said].float(), self.read, PLACES), spelled[near.indices].long())
        among = (scores.gather(1, near.indices) + spelling) / 2
        among = among.masked_fill(near.values == -torch.inf, -torch.inf)
        lost = among.logsumexp(1) - among[:, 0]
        return lost.sum() / max(1, len(own))
