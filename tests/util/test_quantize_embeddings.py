"""quantize_embeddings: its forms, where ranges come from, what it refuses. The formulas are in tests/outputs."""

from __future__ import annotations

import numpy as np
import plain
import pytest
import torch

from manysense import ManysenseWarning, UsageError, util
from manysense.util import quantization

MANY = plain.rows(200, dims=20)
LOW_HIGH = np.stack([MANY.min(0), MANY.max(0)])


@pytest.mark.parametrize("precision", ["int8", "uint8"])
def test_levels_go_from_the_lowest_to_the_highest_of_each_dimension(precision):
    made = util.quantize_embeddings(MANY, precision)
    levels = np.clip(np.floor((MANY - LOW_HIGH[0]) / ((LOW_HIGH[1] - LOW_HIGH[0]) / 255)), 0, 255)
    np.testing.assert_array_equal(made, levels - (128 if precision == "int8" else 0))
    assert made.dtype == precision


@pytest.mark.parametrize("precision", ["binary", "ubinary"])
def test_a_bit_says_whether_a_number_is_above_zero(precision):
    made = util.quantize_embeddings(MANY, precision)
    packed = np.packbits(MANY > 0, axis=1)
    np.testing.assert_array_equal(made, packed.astype(int) - (128 if precision == "binary" else 0))
    assert (made.shape, made.dtype) == ((200, 3), np.int8 if precision == "binary" else np.uint8)


def test_float32_is_a_copy_in_float32():
    half = MANY.astype(np.float16)
    made = util.quantize_embeddings(half, "float32")
    assert made.dtype == np.float32
    np.testing.assert_array_equal(made, half)
    made = util.quantize_embeddings(MANY, "float32")
    assert not np.shares_memory(made, MANY)


# ---- ranges


def test_given_ranges_win_over_calibration_and_both_over_the_vectors():
    few = MANY[:3]
    by_ranges = util.quantize_embeddings(few, "int8", LOW_HIGH, calibration_embeddings=MANY * 2)
    by_calibration = util.quantize_embeddings(few, "int8", calibration_embeddings=MANY)
    np.testing.assert_array_equal(by_ranges, by_calibration)
    np.testing.assert_array_equal(by_ranges, util.quantize_embeddings(MANY, "int8")[:3])


def test_ranges_of_few_vectors_are_said_to_be_rough():
    with pytest.warns(ManysenseWarning, match="int8 ranges were taken from 99 vectors only"):
        util.quantize_embeddings(MANY[:99], "int8")
    util.quantize_embeddings(MANY[:100], "int8")


@pytest.mark.parametrize("one", [MANY[0], MANY[:1]], ids=["vector", "row"])
def test_one_vector_has_no_ranges_of_its_own(one):
    with pytest.raises(UsageError, match="uint8 needs the lowest and highest value"):
        util.quantize_embeddings(one, "uint8")
    assert util.quantize_embeddings(one, "uint8", torch.tensor(LOW_HIGH)).shape == one.shape


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"ranges": LOW_HIGH[:, :5]}, r"ranges must have the shape \(2, 20\)"),
        ({"ranges": LOW_HIGH[::-1]}, "each low at most its high"),
        ({"calibration_embeddings": MANY[:, :5]}, r"ranges must have the shape \(2, 20\)"),
        ({"calibration_embeddings": MANY[0]}, "calibration_embeddings must be a matrix"),
    ],
)
def test_ranges_that_do_not_fit_are_refused(options, said):
    with pytest.raises(UsageError, match=said):
        util.quantize_embeddings(MANY, "int8", **options)


# ---- forms


@pytest.mark.parametrize("precision", ["float32", "int8", "uint8", "binary", "ubinary"])
@pytest.mark.parametrize(
    "form", [torch.tensor, list, lambda v: list(torch.tensor(v)), lambda v: v[::-1][::-1], np.asfortranarray]
)
def test_vectors_come_in_any_form(form, precision):
    wanted = util.quantize_embeddings(MANY, precision)
    made = util.quantize_embeddings(form(MANY), precision)
    assert isinstance(made, np.ndarray)
    np.testing.assert_array_equal(made, wanted)


FORMS_OF_DOUBLES = [np.asarray, torch.tensor, list, lambda v: v.tolist(), lambda v: list(torch.tensor(v))]


@pytest.mark.parametrize("precision", ["int8", "uint8"])
@pytest.mark.parametrize("form", FORMS_OF_DOUBLES)
def test_float64_is_not_rounded_before_its_level_is_found(form, precision):
    """The vectors lie just below the edge of a level: rounded to float32, they would be on it."""
    ranges = np.array([[0.0] * 4, [255.0] * 4])
    doubles = np.array([[1.0, 7.0, 100.0, 255.0]] * 3) - 1e-9
    assert (doubles.astype(np.float32) == np.round(doubles)).all()
    made = util.quantize_embeddings(form(doubles), precision, ranges).astype(int)
    np.testing.assert_array_equal(made + (128 if precision == "int8" else 0), np.floor(doubles))


@pytest.mark.parametrize("form", FORMS_OF_DOUBLES)
def test_a_float64_above_zero_is_above_zero_however_small(form):
    tiny = np.array([[1e-60, -1e-60, 0.0, 1.0] * 2] * 2)
    assert util.quantize_embeddings(form(tiny), "ubinary").tolist() == [[0b10011001]] * 2


@pytest.mark.parametrize("precision", ["int8", "ubinary"])
def test_bfloat16_is_read_as_the_float32_it_stands_for(precision):
    half = torch.tensor(MANY).bfloat16()
    np.testing.assert_array_equal(
        util.quantize_embeddings(half, precision), util.quantize_embeddings(half.float(), precision)
    )


@pytest.mark.parametrize("precision", ["float32", "int8", "binary"])
def test_one_vector_gives_one_row(precision):
    made = util.quantize_embeddings(MANY[7], precision, LOW_HIGH)
    np.testing.assert_array_equal(made, util.quantize_embeddings(MANY, precision, LOW_HIGH)[7])


@pytest.mark.parametrize("precision", ["float32", "int8", "uint8", "binary", "ubinary"])
def test_matrices_of_tokens_share_their_ranges(precision):
    made = util.quantize_embeddings([torch.tensor(MANY[:50]), torch.tensor(MANY[50:])], precision)
    assert [len(matrix) for matrix in made] == [50, 150]
    np.testing.assert_array_equal(np.concatenate(made), util.quantize_embeddings(MANY, precision))


@pytest.mark.parametrize("precision", ["float32", "int8", "uint8", "binary", "ubinary"])
def test_nothing_gives_nothing_of_the_right_shape(precision):
    width = 3 if "binary" in precision else 20
    made = util.quantize_embeddings(np.empty((0, 20), np.float32), precision)
    assert (made.shape, made.dtype) == ((0, width), util.quantize_embeddings(MANY, precision).dtype)
    assert util.quantize_embeddings(np.array([], np.float32), precision).shape == (0,)
    assert util.quantize_embeddings([], precision) == []
    empty, full = util.quantize_embeddings([np.empty((0, 20), np.float32), MANY], precision)
    assert (empty.shape, full.shape) == ((0, width), (200, width))


def test_pieces_change_nothing(monkeypatch):
    wanted = util.quantize_embeddings(MANY, "int8")
    monkeypatch.setattr(quantization, "BLOCK", 70)
    np.testing.assert_array_equal(util.quantize_embeddings(MANY, "int8"), wanted)


# ---- refused


@pytest.mark.parametrize("precision", ["int8", "uint8", "binary", "ubinary"])
@pytest.mark.parametrize("ranges", [None, LOW_HIGH], ids=["own", "given"])
def test_a_nan_is_refused_by_its_row(precision, ranges):
    broken = MANY.copy()
    broken[150, 3] = np.nan
    with pytest.raises(UsageError, match=f"vector 150 has a NaN, which {precision} cannot hold"):
        util.quantize_embeddings(broken, precision, ranges)


@pytest.mark.parametrize(
    ("vectors", "said"),
    [
        (np.zeros((2, 3), np.int8), "quantised already"),
        (np.zeros((2, 3, 4)), r"got \(2, 3, 4\)"),
        ([np.zeros((2, 3)), np.zeros((2, 4))], "matrix 1 has the shape"),
        ([["a"]], "must be numbers"),
        (None, "must be numbers"),
    ],
)
def test_what_is_no_matrix_of_floats_is_refused(vectors, said):
    with pytest.raises(UsageError, match=said):
        util.quantize_embeddings(vectors, "binary")


def test_an_unknown_precision_is_refused_with_the_known_ones():
    with pytest.raises(UsageError, match="precision='int4' is not known; choose one of 'float32', 'int8'"):
        util.quantize_embeddings(MANY, "int4")
