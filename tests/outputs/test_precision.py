"""int8, uint8 and bits: the formulas, and where the ranges come from."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from manysense import SentenceTransformer, UsageError
from manysense.outputs.precision import as_ranges, own_ranges, quantize, width_of

TEXTS = [f"text number {i} about a dog, a cat or a house" for i in range(12)]
vectors = arrays.arrays(
    np.float32,
    st.tuples(st.integers(1, 6), st.integers(1, 20)),
    elements=st.floats(-4, 4, width=32, allow_subnormal=False),
)


@given(vectors)
def test_a_bit_says_whether_a_value_is_above_zero(values):
    bits = np.unpackbits(quantize(values, "ubinary"), axis=1)[:, : values.shape[1]]
    np.testing.assert_array_equal(bits, values > 0)


@given(vectors)
def test_signed_bits_are_the_unsigned_ones_less_128(values):
    unsigned, signed = quantize(values, "ubinary"), quantize(values, "binary")
    assert (unsigned.dtype, signed.dtype) == (np.uint8, np.int8)
    np.testing.assert_array_equal(unsigned.astype(int) - 128, signed.astype(int))
    assert unsigned.shape[1] == width_of(values.shape[1], "ubinary") == -(-values.shape[1] // 8)


@given(vectors)
def test_levels_are_even_steps_from_the_lowest_to_the_highest(values):
    low, high = np.float32(-3), np.float32(3)
    ranges = np.stack([np.full(values.shape[1], low), np.full(values.shape[1], high)])
    expected = np.clip(np.floor((values - low) / ((high - low) / np.float32(255))), 0, 255)
    np.testing.assert_array_equal(quantize(values, "uint8", ranges), expected)
    np.testing.assert_array_equal(quantize(values, "int8", ranges), expected - 128)


def test_values_outside_the_ranges_are_clipped_and_do_not_wrap():
    ranges = np.array([[-1.0], [1.0]])
    made = quantize(np.array([[-50.0], [50.0]], np.float32), "int8", ranges)
    assert made.tolist() == [[-128], [127]]


def test_a_dimension_that_never_varies_gives_a_level_and_no_warning():
    made = quantize(np.full((2, 1), 0.5, np.float32), "uint8", np.array([[0.5], [0.5]]))
    assert made.tolist() == [[0], [0]]


def test_own_ranges_are_the_lowest_and_highest_of_each_dimension():
    assert own_ranges(np.array([[1.0, 5.0], [3.0, -2.0]])).tolist() == [[1, -2], [3, 5]]


@pytest.mark.parametrize(
    "ranges",
    [
        np.zeros(4),
        np.zeros((3, 4)),
        np.zeros((2, 5)),
        [[1.0] * 4, [0.0] * 4],
        np.full((2, 4), np.inf),
        [[np.nan] * 4] * 2,
    ],
)
def test_ranges_that_are_none_are_refused(ranges):
    with pytest.raises(UsageError, match="ranges"):
        as_ranges(ranges, 4)


# ---- through a model


@pytest.fixture
def bert(twin):
    return SentenceTransformer(str(twin("bert")), device="cpu")


@pytest.fixture
def ranges(bert):
    return own_ranges(bert.encode(TEXTS))


@pytest.mark.parametrize("precision", ["int8", "uint8"])
def test_with_given_ranges_an_input_has_the_same_numbers_in_every_call(bert, ranges, precision):
    together = bert.encode(TEXTS, precision=precision, ranges=ranges)
    assert together.dtype == np.dtype(precision)
    alone = np.stack([bert.encode(text, precision=precision, ranges=ranges) for text in TEXTS])
    assert np.abs(together.astype(int) - alone.astype(int)).max() <= 1  # a float rounded just below a step


@pytest.mark.parametrize("precision", ["int8", "uint8", "binary", "ubinary"])
def test_numbers_follow_the_formula(bert, ranges, precision):
    given = {"ranges": ranges} if precision in ("int8", "uint8") else {}
    np.testing.assert_array_equal(
        bert.encode(TEXTS, precision=precision, **given), quantize(bert.encode(TEXTS), precision, ranges)
    )


@pytest.mark.parametrize("precision", ["int8", "uint8"])
def test_own_ranges_warn_and_say_what_to_do(bert, precision):
    with pytest.warns(UserWarning, match=r"own 12 vectors.*embedding_ranges") as caught:
        made = bert.encode(TEXTS, precision=precision)
    assert len(caught) == 1
    floats = bert.encode(TEXTS)
    np.testing.assert_array_equal(made, quantize(floats, precision, own_ranges(floats)))


@pytest.mark.parametrize("precision", ["int8", "uint8"])
def test_a_single_input_without_ranges_is_refused(bert, precision):
    with pytest.raises(UsageError, match="single input needs ranges"):
        bert.encode("a", precision=precision)


@pytest.mark.parametrize("precision", ["int8", "uint8"])
def test_a_stream_without_ranges_is_refused_at_once(bert, precision):
    with pytest.raises(UsageError, match="stream needs ranges"):
        bert.encode_stream(["a"], precision=precision)


def test_ranges_kept_with_the_model_are_used(bert, ranges):
    bert.embedding_ranges = ranges
    np.testing.assert_array_equal(bert.encode(TEXTS, precision="int8"), quantize(bert.encode(TEXTS), "int8", ranges))
    assert bert.encode("a", precision="uint8").dtype == np.uint8
    assert next(iter(bert.encode_stream(["a"], precision="int8"))).dtype == np.int8


def test_ranges_kept_with_the_model_survive_saving(bert, ranges, tmp_path):
    bert.embedding_ranges = ranges
    bert.save_pretrained(tmp_path / "saved")
    again = SentenceTransformer(str(tmp_path / "saved"), device="cpu")
    np.testing.assert_array_equal(again.embedding_ranges, ranges)
    np.testing.assert_array_equal(again.encode(TEXTS, precision="int8"), bert.encode(TEXTS, precision="int8"))


def test_given_ranges_win_over_kept_ones(bert, ranges):
    bert.embedding_ranges = ranges * 3
    made = bert.encode(TEXTS, precision="int8", ranges=ranges)
    np.testing.assert_array_equal(made, quantize(bert.encode(TEXTS), "int8", ranges))


def test_ranges_of_the_whole_width_serve_shorter_vectors(bert, ranges):
    made = bert.encode(TEXTS, precision="int8", ranges=ranges, truncate_dim=10)
    np.testing.assert_array_equal(made, quantize(bert.encode(TEXTS, truncate_dim=10), "int8", ranges[:, :10]))


def test_bits_of_a_shorter_vector_fill_whole_bytes(bert):
    assert bert.encode(TEXTS, precision="ubinary", truncate_dim=10).shape == (12, 2)


@pytest.mark.parametrize(
    ("precision", "dtype"), [("int8", torch.int8), ("uint8", torch.uint8), ("ubinary", torch.uint8)]
)
def test_quantised_tensors_are_of_the_integer_type(bert, ranges, precision, dtype):
    given = {"ranges": ranges} if precision != "ubinary" else {}
    assert bert.encode(TEXTS, precision=precision, convert_to_tensor=True, **given).dtype == dtype
    assert bert.encode(TEXTS, precision=precision, convert_to_numpy=False, **given)[0].dtype == dtype


def test_a_list_of_tensors_warns_of_own_ranges_too(bert):
    with pytest.warns(UserWarning, match="own 12 vectors"):
        made = bert.encode(TEXTS, precision="int8", convert_to_numpy=False)
    floats = bert.encode(TEXTS)
    np.testing.assert_array_equal(torch.stack(made).numpy(), quantize(floats, "int8", own_ranges(floats)))


def test_skip_leaves_nothing_of_a_broken_input_in_the_ranges(bert, ranges):
    with pytest.warns(UserWarning, match="own 12 vectors"):
        found = bert.encode([*TEXTS, None], precision="int8", on_error="skip")
    np.testing.assert_array_equal(found.embeddings, quantize(bert.encode(TEXTS), "int8", ranges))


def test_skip_keeps_bits(bert):
    found = bert.encode(["a", None, "b"], precision="ubinary", on_error="skip")
    np.testing.assert_array_equal(found.embeddings, bert.encode(["a", "b"], precision="ubinary"))


@pytest.mark.parametrize("precision", ["int8", "uint8", "binary", "ubinary", "float32"])
def test_no_input_gives_an_empty_array_of_the_type(bert, ranges, precision):
    given = {"ranges": ranges} if precision in ("int8", "uint8") else {}
    made = bert.encode([], precision=precision, **given)
    assert made.shape == (0,)
    assert made.dtype == {"binary": "int8", "ubinary": "uint8"}.get(precision, precision)
