"""What a tower remembers: the meanings of its training, and how those that are words are spelled in phonemes.

Knows: how a vector is drawn towards the meanings that it is near, how well a spelling fits what was heard. Does not
know: the nets that hear, how phonemes are learned.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

CANDIDATES = 128
"""Of so many nearest meanings the lexicon looks at those that are words."""
SILENCE = 0.98
"""A column in which nothing was said with this probability is passed over."""
MISHEARD = 1e-3
"""A phoneme counts as so many times the likeliest one of its column, or more."""
SCALED = 4
"""After so many columns numbers are brought back to 1 at most, before they get too small or too large."""


class Lexicon(nn.Module):
    """How well spellings fit what was heard: the forward pass of connectionist temporal classification (Graves et al.
    2006), over those columns in which something was said (Chen et al. 2016, "phone synchronous decoding"). A phoneme
    and the nothing after it are one state: one said twice in a row is not told from one said once.

    inside: channels of the planes.  phonemes: how many there are, with 0 for none.  places: phonemes that a column may
    hold.  spellings: (meanings, longest) phonemes of each meaning, then 0; a meaning that is no word has none.
    """

    spellings: Tensor

    def __init__(self, inside: int, meanings: int, phonemes: int, places: int, longest: int) -> None:
        super().__init__()
        self.config = {"phonemes": phonemes, "places": places, "longest": longest}
        self.places = places
        self.read = nn.Linear(inside, places * phonemes)
        self.register_buffer("spellings", torch.zeros(meanings, longest, dtype=torch.uint8))

    def forward(self, planes: Tensor, candidates: Tensor) -> tuple[Tensor, Tensor]:
        """planes: (batch, inside, 1, columns).  candidates: (batch, k) numbers of meanings.  Returns (batch, k)
        log-likelihoods, but for a constant of each sound; and which of the candidates are words."""
        spelled = self.spellings[candidates].long()
        return fits(phonemes_in(planes, self.read, self.places), spelled), (spelled > 0).any(2)


def fits(logits: Tensor, spelled: Tensor) -> Tensor:
    """logits: (batch, columns, phonemes).  spelled: (batch, k, longest) phonemes, then 0.  Returns (batch, k)
    log-likelihoods, but for a constant of each sound."""
    said, chances = _spoken(logits.float().softmax(2))
    chances = (chances / chances.amax(2, keepdim=True)).clamp_min(MISHEARD) * said[:, :, None]
    batch, count, longest = spelled.shape
    columns = chances.shape[1]
    places = spelled.flatten(1)[:, None].expand(-1, columns, -1)
    begun = functional.pad(chances.gather(2, places).reshape(batch, columns, count, longest), (1, 0))
    stay = begun + torch.where(said, chances[:, :, 0], 1.0)[:, :, None, None]
    ways = functional.pad(chances.new_ones(batch, count, 1), (0, longest))
    for step, (begin, keep) in enumerate(zip(begun.unbind(1), stay.unbind(1)), 1):
        ways = torch.addcmul(ways * keep, ways.roll(1, 2), begin)  # what is rolled to the front begins with chance 0
        if step % SCALED == 0:
            ways = ways / ways.amax((1, 2), keepdim=True)
    found = ways.gather(2, (spelled > 0).sum(2)[:, :, None])[:, :, 0]
    return found.clamp_min(torch.finfo(found.dtype).tiny).log()


def phonemes_in(planes: Tensor, read: nn.Linear, places: int) -> Tensor:
    """planes: (batch, inside, 1, columns).  Returns logits (batch, places * columns, phonemes)."""
    logits: Tensor = read(planes.permute(0, 3, 1, 2).flatten(2))
    return logits.reshape(len(logits), logits.shape[1] * places, logits.shape[2] // places)


def _spoken(chances: Tensor) -> tuple[Tensor, Tensor]:
    """(batch, columns, phonemes) → (batch, kept), which of these columns are not padding; and those columns in order,
    as many as the sound with most of them has."""
    said = chances[:, :, 0] < SILENCE
    kept = max([1, *said.sum(1).tolist()])
    order = said.to(torch.uint8).sort(dim=1, descending=True, stable=True).indices[:, :kept]
    return said.gather(1, order), chances.gather(1, order[:, :, None].expand(-1, -1, chances.shape[2]))


class Recall(nn.Module):
    """Draws a vector towards the known meanings that it is near, each weighed by softmax(sharpness * cosine): the
    convex combination of Norouzi et al. 2014 ("ConSE"), one step of the memory of Ramsauer et al. 2021. Among the
    nearest that are words the lexicon has an equal say (the logarithmic opinion pool of Genest and Zidek 1986).

    meanings: (meanings, dimension) of length 1.  shares: (meanings,) how much of each goes into the result, 0 to 1; the
    vector has the rest.  lexicon: arguments of `Lexicon` but `inside`, given apart, and `meanings`.
    """

    def __init__(
        self,
        meanings: int,
        dimension: int,
        sharpness: float,
        lexicon: Mapping[str, int] | None = None,
        inside: int | None = None,
    ) -> None:
        super().__init__()
        self.config: dict[str, Any] = {"meanings": meanings, "sharpness": sharpness}
        self.sharpness = sharpness
        self.meanings = nn.Parameter(torch.zeros(meanings, dimension))
        self.shares = nn.Parameter(torch.zeros(meanings))
        self.lexicon: Lexicon | None = None
        if lexicon is not None:
            assert inside is not None, "a lexicon reads the planes of a temporal part"
            self.lexicon = Lexicon(inside, meanings, **lexicon)
            self.config["lexicon"] = self.lexicon.config

    def forward(self, vectors: Tensor, planes: Tensor | None = None) -> Tensor:
        """vectors: (batch, dimension) of length 1.  planes: what the lexicon reads.  Returns the vectors' shape, of
        length 1."""
        scores = self.sharpness * vectors @ self.meanings.T
        weights = scores.softmax(1)
        if self.lexicon is not None:
            assert planes is not None
            near = scores.topk(min(CANDIDATES, len(self.meanings)), 1)
            fits, words = self.lexicon(planes, near.indices)
            among = ((near.values + fits.to(near.values)) / 2).masked_fill(~words, -1e4).softmax(1)
            own = weights.gather(1, near.indices)
            own = torch.where(words, among * (own * words).sum(1, keepdim=True), own)
            weights = weights.scatter(1, near.indices, own)
        recalled = functional.normalize(weights @ self.meanings, dim=1)
        share = (weights @ self.shares)[:, None]
        return functional.normalize(vectors + share * (recalled - vectors), dim=1)
