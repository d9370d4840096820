"""Where finished rows go."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from manysense import UsageError
from manysense.outputs.rows import ArrayRows, ListRows, check_width

TEXTS = [f"text number {i} of a few" for i in range(50)]


def rows(*values):
    return torch.tensor([[float(value)] * 3 for value in values])


def test_rows_may_come_in_any_order():
    store = ArrayRows(4)
    store.write([[3], [0]], rows(3, 0))
    store.write([[2], [1]], rows(2, 1))
    assert store.finish(4)[:, 0].tolist() == [0, 1, 2, 3]


def test_one_row_goes_to_every_position_of_its_unit():
    store = ArrayRows(3)
    store.write([[0, 2], [1]], rows(7, 8))
    assert store.finish(3)[:, 0].tolist() == [7, 8, 7]


def test_a_known_number_of_rows_makes_one_array_that_is_given_back_itself():
    store = ArrayRows(2)
    store.write([[0]], rows(1))
    first = store._array
    store.write([[1]], rows(2))
    assert store.finish(2) is first


def test_an_unknown_number_of_rows_makes_the_array_grow():
    store = ArrayRows(None)
    for i in range(3_000):
        store.write([[i]], rows(i))
    made = store.finish(3_000)
    assert made.shape == (3_000, 3)
    assert made[:, 0].tolist() == list(range(3_000))


def test_an_unknown_number_of_rows_may_begin_far_out():
    store = ArrayRows(None)
    store.write([[5_000]], rows(5))
    store.write([[0]], rows(1))
    assert store.finish(5_001)[[0, 5_000], 0].tolist() == [1, 5]


def test_rows_that_were_written_are_told_from_those_that_were_not():
    store = ArrayRows(5)
    store.write([[1], [4]], rows(1, 4))
    vectors, indices = store.kept(5, 3)
    assert vectors[:, 0].tolist() == [1, 4]
    assert indices.tolist() == [1, 4]


def test_a_store_without_any_row_keeps_nothing():
    vectors, indices = ArrayRows(5).kept(5, 3)
    assert vectors.shape == (0, 3)
    assert len(indices) == 0


def test_rows_go_into_the_callers_own_array():
    out = np.full((2, 3), -1, np.float32)
    store = ArrayRows(2, out=out)
    store.write([[1], [0]], rows(1, 0))
    assert store.finish(2) is out
    assert out[:, 0].tolist() == [0, 1]


def test_half_precision_stays_half():
    store = ArrayRows(1)
    store.write([[0]], rows(1).half())
    assert store.finish(1).dtype == np.float16


def test_a_list_keeps_rows_of_any_size_in_order():
    store = ListRows()
    store.write([[1], [0, 2]], [torch.ones(2, 3), torch.zeros(5, 3)])
    assert [len(row) for row in store.finish(3)] == [5, 2, 5]


def test_rows_of_a_list_do_not_hold_their_batch_alive():
    batch, store = torch.zeros(100, 3), ListRows()
    store.write([[0]], batch[:1])
    assert store.finish(1)[0].untyped_storage().nbytes() == 12


@pytest.mark.parametrize(
    "out", [np.zeros((2, 4), np.float32), np.zeros((3, 3), np.float32), np.zeros(6, np.float32), np.zeros((2, 3), int)]
)
def test_an_array_that_cannot_take_the_rows_is_refused(out):
    with pytest.raises(UsageError, match="out has"):
        check_width(out, 2, 3, "float32")


def test_a_read_only_array_is_refused():
    out = np.zeros((2, 3), np.float32)
    out.flags.writeable = False
    with pytest.raises(UsageError, match="writable"):
        check_width(out, 2, 3, "float32")


# ---- out=


def test_encode_writes_into_a_memory_map(model, tmp_path):
    out = np.lib.format.open_memmap(tmp_path / "rows.npy", "w+", np.float32, (50, 32))
    made = model("bert").encode(TEXTS, out=out)
    assert made is out
    out.flush()
    np.testing.assert_allclose(np.load(tmp_path / "rows.npy"), model("bert").encode(TEXTS), atol=1e-6)


def test_a_generator_may_be_written_into_an_array_of_its_length(model):
    out = np.zeros((50, 32), np.float32)
    model("bert").encode((text for text in TEXTS), out=out)
    np.testing.assert_allclose(out, model("bert").encode(TEXTS), atol=1e-6)


def test_a_generator_longer_than_the_array_is_a_usage_error(model):
    with pytest.raises(UsageError, match="out has"):
        model("bert").encode((text for text in TEXTS), out=np.zeros((20, 32), np.float32))


def test_a_broken_input_leaves_nan_in_the_array(model):
    out = np.zeros((3, 32), np.float32)
    model("bert").encode(["a", None, "b"], out=out, on_error="nan")
    assert np.isnan(out).all(1).tolist() == [False, True, False]


def test_bits_are_written_into_an_array_of_bytes(model):
    out = np.zeros((50, 4), np.uint8)
    model("bert").encode(TEXTS, out=out, precision="ubinary")
    np.testing.assert_array_equal(out, model("bert").encode(TEXTS, precision="ubinary"))


def test_a_double_precision_array_takes_the_values_exactly(model):
    out = np.zeros((50, 32), np.float64)
    model("bert").encode(TEXTS, out=out)
    np.testing.assert_array_equal(out.astype(np.float32), model("bert").encode(TEXTS))
