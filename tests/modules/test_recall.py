"""A word fits what was heard as well as all ways together in which its phonemes can lie over the columns."""

from __future__ import annotations

from itertools import product
from math import log, prod

import pytest
import torch

from manysense.modules.towers.recall import MISHEARD, Lexicon, Recall

WORDS = [[1, 2, 0], [0, 0, 0], [2, 0, 0], [2, 2, 0], [3, 1, 2]]


def lexicon() -> Lexicon:
    """Of three phonemes, read off the planes as they are; two places a column."""
    made = Lexicon(8, len(WORDS), 4, 2, 3)
    made.read.weight.data.copy_(torch.eye(8))
    made.read.bias.data.zero_()
    made.spellings.copy_(torch.tensor(WORDS, dtype=torch.uint8))
    return made.requires_grad_(False)


def planes(*chances: list[float]) -> torch.Tensor:
    """(1, 8, 1, columns): two rows of chances, of nothing and of three phonemes, in a column."""
    return torch.tensor(chances).log().reshape(-1, 8).T[None, :, None]


def by_ways(chances: list[list[float]], word: list[int]) -> float:
    """Log of the sum over every way: in each place a word stays where it is or goes on by one phoneme."""
    rows = [[max(chance / max(row), MISHEARD) for chance in row] for row in chances]
    total = 0.0
    for steps in product((0, 1), repeat=len(rows)):
        if sum(steps) != len(word):
            continue
        at, factors = 0, []
        for row, step in zip(rows, steps):
            at += step
            said = row[word[at - 1]] if at else 0.0
            factors.append(said if step else row[0] + said)
        total += prod(factors)
    return log(total)


HEARD = [[0.1, 0.6, 0.2, 0.1], [0.5, 0.1, 0.3, 0.1], [0.2, 0.1, 0.4, 0.3], [0.7, 0.0001, 0.1999, 0.1]]


def test_a_fit_is_the_sum_over_all_ways():
    fits, words = lexicon()(planes(*HEARD), torch.arange(5)[None])
    assert words.tolist() == [[True, False, True, True, True]]
    expected = [by_ways(HEARD, [one for one in word if one]) for word in WORDS]
    for one, other in ((0, 2), (0, 3), (0, 4)):
        assert float(fits[0, one] - fits[0, other]) == pytest.approx(expected[one] - expected[other], abs=1e-5)


def test_columns_in_which_nothing_is_said_change_nothing():
    silent = [0.99, 0.005, 0.003, 0.002]
    alone, _ = lexicon()(planes(*HEARD), torch.arange(5)[None])
    among, _ = lexicon()(planes(silent, HEARD[0], silent, silent, *HEARD[1:], silent), torch.arange(5)[None])
    torch.testing.assert_close(alone, among)
    batch = torch.cat([planes(*HEARD, silent, silent), planes(*[HEARD[0]] * 6), planes(*[silent] * 6)])
    together, _ = lexicon()(batch, torch.arange(5)[None].expand(3, -1))
    torch.testing.assert_close(together[:1], alone)
    assert together[2, WORDS.index([0, 0, 0])] == 0


def test_long_speech_is_neither_lost_nor_infinite():
    fits, _ = lexicon()(planes(*HEARD * 500), torch.arange(5)[None])
    assert torch.isfinite(fits).all()


def test_no_sounds_fit_nothing():
    fits, words = lexicon()(torch.zeros(0, 8, 1, 3), torch.zeros(0, 2, dtype=torch.long))
    assert fits.shape == words.shape == (0, 2)


def test_words_that_fit_are_recalled_before_those_that_are_only_near():
    recall = Recall(5, 2, 8.0, {"phonemes": 4, "places": 2, "longest": 3}, 8)
    recall.requires_grad_(False).lexicon = lexicon()
    recall.meanings.data.copy_(
        torch.nn.functional.normalize(torch.tensor([[4, 1], [-1, 4], [2, 3], [3, 2], [1, 4.0]]), dim=1)
    )
    recall.shares.data.fill_(1.0)
    vector, meant = torch.nn.functional.normalize(torch.ones(1, 2), dim=1), recall.meanings[4]
    says = planes(
        *[[0.01, 0.01, 0.01, 0.97], [0.01, 0.97, 0.01, 0.01], [0.01, 0.01, 0.97, 0.01], [0.97, 0.01, 0.01, 0.01]]
    )
    heard = recall(vector, says)[0]
    recall.lexicon.spellings.zero_()
    unheard = recall(vector, says)[0]
    assert float(heard @ meant) > float(unheard @ meant) + 0.05
    assert float(heard.norm()) == pytest.approx(1.0)
