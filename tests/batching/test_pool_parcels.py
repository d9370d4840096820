"""Inputs and results on their way between processes."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from manysense.batching.parcels import PARCEL_BYTES, Parcel, dumps, loads, parcel_size, parcels
from manysense.errors import UnsupportedInput
from manysense.media.image import open_picture
from manysense.media.policy import DEFAULT

DTYPES = [torch.float32, torch.bfloat16, torch.float16, torch.float64, torch.int8, torch.int64, torch.uint8, torch.bool]


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("shape", [(3, 5), (), (0, 4)], ids=str)
def test_a_tensor_arrives_with_its_type_shape_and_values(dtype, shape):
    tensor = torch.arange(int(np.prod(shape))).reshape(shape).to(dtype)
    made = loads(dumps({"one": [tensor]}))["one"][0]
    assert (made.dtype, made.shape) == (tensor.dtype, tensor.shape)
    assert torch.equal(made, tensor)


def test_a_view_is_sent_without_what_it_looks_at():
    big = torch.zeros(1000, 1000)
    assert len(dumps(big[::2, 3])) < 5_000
    assert torch.equal(loads(dumps(big.T[:2])), big.T[:2])


def test_a_sparse_tensor_arrives():
    tensor = torch.eye(3).to_sparse()
    assert torch.equal(loads(dumps(tensor)).to_dense(), torch.eye(3))


def _with_clear_colours() -> Image.Image:
    picture = Image.new("P", (8, 4))
    picture.putdata([index % 16 for index in range(32)])
    colours = np.random.default_rng(0).integers(0, 256, 64, dtype=np.uint8)
    picture.putpalette(colours.tobytes(), "RGBA")
    return picture


def _plain() -> Image.Image:
    return Image.fromarray(np.random.default_rng(1).integers(0, 256, (5, 9, 3), dtype=np.uint8))


PICTURES = {
    "a palette with clear colours": _with_clear_colours,
    "a palette": lambda: _plain().quantize(8),
    "16 bits": lambda: Image.fromarray(np.random.default_rng(2).integers(0, 65536, (5, 9), dtype=np.uint16)),
    "clear pixels": lambda: _plain().convert("RGBA"),
    "print colours": lambda: _plain().convert("CMYK"),
}


@pytest.mark.parametrize("make", PICTURES.values(), ids=PICTURES)
def test_a_picture_looks_the_same_on_the_other_side(make):
    picture = make()
    wanted = np.asarray(open_picture(picture, DEFAULT))
    np.testing.assert_array_equal(np.asarray(open_picture(loads(dumps(picture)), DEFAULT)), wanted)


def test_a_picture_stays_turned_on_the_other_side(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    for suffix in ("jpg", "tif", "png", "webp"):
        _plain().save(tmp_path / f"turned.{suffix}", exif=exif)
        with Image.open(tmp_path / f"turned.{suffix}") as picture:
            made = open_picture(loads(dumps(picture)), DEFAULT)
        with Image.open(tmp_path / f"turned.{suffix}") as picture:
            np.testing.assert_array_equal(np.asarray(made), np.asarray(open_picture(picture, DEFAULT)))
        assert made.size == (5, 9)


def test_parcels_hold_so_many_inputs_and_name_their_places():
    made = list(parcels((f"text {i}" for i in range(7)), 3))
    assert [str(parcel) for parcel in made] == ["inputs 0 to 2", "inputs 3 to 5", "input 6"]
    assert made[1].open() == ([3, 4, 5], ["text 3", "text 4", "text 5"], [])


def test_heavy_inputs_make_smaller_parcels():
    heavy = [np.zeros(PARCEL_BYTES // 3, np.uint8)] * 7
    assert [len(parcel.rows) for parcel in parcels(heavy, 100)] == [3, 3, 1]


def test_inputs_are_read_only_when_a_parcel_is_asked_for():
    def endless():
        while True:
            yield "text"

    assert next(parcels(endless(), 5)).rows == [0, 1, 2, 3, 4]


def test_what_cannot_be_sent_is_an_error_in_its_place():
    (parcel,) = parcels(["a", lambda: 1, "b"], 5)
    rows, values, (error,) = parcel.open()
    assert (rows, values) == ([0, 2], ["a", "b"])
    assert isinstance(error, UnsupportedInput)
    assert (error.index, error.reason.partition(":")[0]) == (1, "a function that cannot be sent to another process")


def test_what_cannot_be_read_is_an_error_in_its_place():
    rows, values, (error,) = Parcel([3, 4], [b"no pickle", dumps("b")]).open()
    assert (rows, values) == ([4], ["b"])
    assert isinstance(error, UnsupportedInput)
    assert (error.index, error.reason.partition(":")[0]) == (3, "a value that a worker process cannot read")


@pytest.mark.parametrize(
    ("total", "workers", "size"),
    [(1, 4, 1), (20, 2, 10), (100, 2, 32), (10_000, 4, 250), (10_000_000, 4, 5000), (None, 4, 256), (0, 2, 1)],
)
def test_a_parcel_is_a_share_that_lets_workers_end_together(total, workers, size):
    assert parcel_size(total, workers) == size
