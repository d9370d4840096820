"""Community detection: the known groups, without a whole matrix."""

from __future__ import annotations

import numpy as np
import plain
import pytest
import torch

from manysense import ManysenseWarning, UsageError, util
from manysense.util import communities, matrix


def clouds(*sizes: int, seed: int = 0) -> np.ndarray:
    """So many vectors around each of some directions, shuffled."""
    dice = np.random.default_rng(seed)
    centres = np.repeat(dice.normal(size=(len(sizes), 16)), sizes, axis=0)
    vectors = (centres + dice.normal(scale=0.25, size=centres.shape)).astype(np.float32)
    return vectors[dice.permutation(len(vectors))]


@pytest.mark.parametrize("threshold", [0.3, 0.75, 0.9, 0.97])
@pytest.mark.parametrize("least", [1, 2, 5, 12])
def test_the_groups_are_the_known_ones(threshold, least):
    vectors = clouds(12, 25, 8, 3, 1)
    wanted = plain.communities(plain.cosine(vectors, vectors), threshold, least)
    assert util.community_detection(vectors, threshold, least) == wanted


def test_the_centre_comes_first_and_the_largest_group_too():
    groups = util.community_detection(clouds(12, 25, 8), 0.75, 5)
    assert [len(group) for group in groups] == [25, 12, 8]
    vectors = plain.unit(clouds(12, 25, 8))
    for centre, *others in groups:
        cosines = vectors[others] @ vectors[centre]
        assert list(cosines) == sorted(cosines, reverse=True)


@pytest.mark.parametrize("batch_size", [1, 3, 7, 1024])
@pytest.mark.parametrize("block", [64, 800, 2**24])
def test_the_groups_do_not_depend_on_the_sizes_of_the_pieces(batch_size, block, monkeypatch):
    vectors = clouds(12, 25, 8, seed=3)
    wanted = plain.communities(plain.cosine(vectors, vectors), 0.8, 2)
    for module in (matrix, communities):
        monkeypatch.setattr(module, "BLOCK", block)
    assert util.community_detection(vectors, 0.8, 2, batch_size) == wanted


def test_of_two_centres_with_as_many_neighbours_the_first_wins():
    vectors = np.eye(4)[[0, 1, 0, 1, 2]]
    assert util.community_detection(vectors, 0.9, 2) == [[0, 2], [1, 3]]


def test_no_vector_is_in_two_groups():
    members = [i for group in util.community_detection(plain.rows(200, dims=3), 0.9, 2) for i in group]
    assert len(members) == len(set(members))


def test_a_nan_vector_is_in_no_group_and_said():
    vectors = np.ones((5, 3), np.float32)
    vectors[1] = np.nan
    with pytest.warns(ManysenseWarning, match="1 of 5 vectors are not finite, the first is 1"):
        assert util.community_detection(vectors, 0.9, 2) == [[0, 2, 3, 4]]


@pytest.mark.parametrize(
    "form", [torch.tensor, list, lambda v: torch.tensor(v).half(), lambda v: torch.tensor(v).bfloat16()]
)
def test_vectors_come_in_any_form(form):
    vectors = clouds(12, 25)
    found = util.community_detection(form(vectors), 0.75, 5)
    assert [sorted(group) for group in found] == [sorted(g) for g in util.community_detection(vectors, 0.75, 5)]


@pytest.mark.parametrize(
    "few", [[], np.empty((0, 3)), np.ones(3), np.ones((9, 3))], ids=["list", "rows", "one", "nine"]
)
def test_fewer_vectors_than_a_group_needs_make_none(few):
    assert util.community_detection(few) == []


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"min_community_size": 0}, "min_community_size must be a positive"),
        ({"batch_size": 0}, "batch_size must be a positive"),
        ({"threshold": float("nan")}, "threshold must be a number"),
        ({"threshold": "high"}, "threshold must be a number"),
    ],
)
def test_what_makes_no_sense_is_refused(options, said):
    with pytest.raises(UsageError, match=said):
        util.community_detection(plain.rows(20), **options)
