"""Shorter vectors, vectors of length 1, sparser vectors; tensors on their way to a device."""

from __future__ import annotations

import numpy as np
import plain
import pytest
import torch

from manysense import UsageError, util

# ---- truncate


@pytest.mark.parametrize("form", [np.asarray, torch.tensor], ids=["array", "tensor"])
def test_the_first_numbers_are_kept_in_the_form_they_had(form):
    vectors = form(plain.rows(3))
    made = util.truncate_embeddings(vectors, 5)
    assert type(made) is type(vectors)
    np.testing.assert_array_equal(made, plain.rows(3)[:, :5])
    assert util.truncate_embeddings(vectors[0], 2).shape == (2,)
    assert util.truncate_embeddings(vectors, None) is vectors


def test_a_list_of_vectors_becomes_a_tensor():
    made = util.truncate_embeddings(list(torch.tensor(plain.rows(3))), 5)
    assert made.shape == (3, 5)


@pytest.mark.parametrize("dims", [0, -5, 9, 2.0, True])
def test_dimensions_that_are_not_there_are_refused(dims):
    with pytest.raises(UsageError, match="truncate_dim"):
        util.truncate_embeddings(plain.rows(3), dims)


# ---- normalise


@pytest.mark.parametrize(
    "dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64], ids=lambda dtype: str(dtype)[6:]
)
def test_a_tensor_keeps_its_type_and_has_length_one(dtype):
    made = util.normalize_embeddings(torch.tensor(plain.rows(5)).to(dtype))
    assert made.dtype == dtype
    np.testing.assert_allclose(made.double().norm(dim=1), 1, atol=torch.finfo(dtype).eps * 2)


def test_an_array_stays_an_array():
    made = util.normalize_embeddings(plain.rows(5))
    assert isinstance(made, np.ndarray)
    np.testing.assert_allclose(made, plain.unit(plain.rows(5)), atol=1e-6)
    assert util.normalize_embeddings(plain.rows(5)[0].astype(np.float16)).dtype == np.float16


def test_zeros_stay_zeros_and_the_callers_own_vectors_stay_as_they_are():
    vectors = np.array([[0.0, 0.0], [3.0, 4.0]])
    np.testing.assert_allclose(util.normalize_embeddings(vectors), [[0, 0], [0.6, 0.8]])
    assert vectors[1, 1] == 4


def test_half_precision_does_not_overflow_on_the_way():
    made = util.normalize_embeddings(torch.full((1, 4), 60_000.0).half())
    np.testing.assert_allclose(made, 0.5, atol=1e-3)


# ---- select


def test_the_numbers_furthest_from_zero_stay():
    made = util.select_max_active_dims(np.array([[1.0, -5.0, 2.0], [0.0, 0.5, -0.1]]), 2)
    assert isinstance(made, torch.Tensor)
    assert made.tolist() == [[0, -5, 2], [0, 0.5, -0.1]]


def test_of_equals_the_lower_dimension_stays():
    assert util.select_max_active_dims(torch.tensor([1.0, -1, 1, 1]), 2).tolist() == [1, -1, 0, 0]


def test_the_callers_own_vectors_stay_as_they_are_and_none_keeps_all():
    vectors = torch.ones(2, 4)
    util.select_max_active_dims(vectors, 1)
    assert vectors.sum() == 8
    assert util.select_max_active_dims(vectors, None) is vectors
    assert util.select_max_active_dims(vectors, 9).tolist() == vectors.tolist()


def test_no_active_dimension_is_refused():
    with pytest.raises(UsageError, match="max_active_dims must be a positive"):
        util.select_max_active_dims(torch.ones(2), 0)


# ---- devices


def test_tensors_of_a_batch_are_moved_and_the_rest_stays():
    batch = {"ids": torch.ones(2), "names": ["a", "b"]}
    made = util.batch_to_device(batch, "meta")
    assert made is batch
    assert made["ids"].device.type == "meta"
    assert made["names"] == ["a", "b"]


def test_the_device_is_one_that_torch_can_use():
    assert torch.ones(1).to(util.get_device_name()).sum() == 1
