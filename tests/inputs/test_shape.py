"""One input or many."""

from __future__ import annotations

import io
from collections import OrderedDict, deque
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image as Pictures

from manysense import Audio, Image, Text, Video
from manysense.errors import UnsupportedInput
from manysense.inputs.shape import as_items, is_single

TURN = {"role": "user", "content": "hello"}
WAVE = np.zeros(1600, np.float32)

ONE = {
    "text": "a text",
    "empty text": "",
    "numpy text": np.str_("a"),
    "bytes": b"\x89PNG",
    "bytearray": bytearray(b"abc"),
    "memoryview": memoryview(b"abc"),
    "path": Path("a.jpg"),
    "file": io.BytesIO(b"abc"),
    "dict": {"text": "a", "image": "b.jpg"},
    "ordered dict": OrderedDict(text="a"),
    "picture": Pictures.new("RGB", (4, 4)),
    "waveform": WAVE,
    "waveform tensor": torch.zeros(1600),
    "stereo": np.zeros((2, 1600)),
    "pixels": np.zeros((4, 4, 3), np.uint8),
    "pair": (WAVE, 16_000),
    "pair of a list": ([0.0, 0.1], 16_000),
    "pair with a numpy rate": (WAVE, np.int64(16_000)),
    "pair with a tensor": (torch.zeros(1600), 16_000),
    "sound dict": {"array": WAVE, "sampling_rate": 16_000},
    "dataset row": {"bytes": b"abc", "path": None},
    "message": TURN,
    "conversation": [TURN, {"role": "assistant", "content": "hi"}],
    "conversation in a tuple": (TURN,),
    "Text": Text("a"),
    "Image": Image("a"),
    "Audio": Audio("a"),
    "Video": Video(["a.png", "b.png"]),
}

MANY = {
    "list": ["a", "b"],
    "empty list": [],
    "tuple": ("a", "b"),
    "list of one": ["a"],
    "tuple of a text and a number": ("a", 3),
    "list of an array and a number": [WAVE, 16_000],
    "list of waveforms": [WAVE, WAVE],
    "list of pairs": [(WAVE, 16_000), (WAVE, 8_000)],
    "list of conversations": [[TURN], [TURN]],
    "numpy texts": np.array(["a", "b"]),
    "numpy objects": np.array(["a", None], dtype=object),
    "series": pd.Series(["a", "b"]),
    "index": pd.Index(["a", "b"]),
    "dict keys": {"a": 1}.keys(),
    "dict values": {"a": "b"}.values(),
    "generator": (t for t in "ab"),
    "iterator": iter(["a"]),
    "map": map(str, [1, 2]),
    "range": range(3),
    "deque": deque(["a"]),
}


@pytest.mark.parametrize("value", ONE.values(), ids=ONE)
def test_one_input(value):
    assert is_single(value)
    items, total, single = as_items(value)
    assert (total, single) == (1, True)
    assert next(iter(items)) is value


@pytest.mark.parametrize("value", MANY.values(), ids=MANY)
def test_many_inputs(value):
    assert not is_single(value)


@pytest.mark.parametrize("value", [{"a", "b"}, frozenset("ab")])
def test_a_set_is_refused_since_it_has_no_order(value):
    with pytest.raises(UnsupportedInput, match="no order") as error:
        is_single(value)
    assert "sorted" in error.value.hint


def test_a_table_is_refused_and_the_hint_names_a_column():
    with pytest.raises(UnsupportedInput, match="column") as error:
        is_single(pd.DataFrame({"text": ["a"]}))
    assert 'frame["text"]' in error.value.hint


def test_the_order_of_a_series_is_that_of_its_rows_not_of_its_index():
    items, total, _ = as_items(pd.Series(["a", "b", "c"], index=[2, 0, 1]))
    assert list(items) == ["a", "b", "c"]
    assert total == 3


def test_numpy_texts_become_python_texts():
    items, total, single = as_items(np.array(["a", "bb"]))
    assert (list(items), total, single) == (["a", "bb"], 2, False)
    assert all(type(item) is str for item in items)


def test_the_number_of_a_generator_is_not_known():
    items, total, single = as_items(t for t in "ab")
    assert (list(items), total, single) == (["a", "b"], None, False)


def test_a_dict_view_is_read_in_its_order():
    items, _, single = as_items({"x": "a", "y": "b"}.values())
    assert (list(items), single) == (["a", "b"], False)


@pytest.mark.parametrize("value", [None, 3, 2.5, True])
def test_a_scalar_is_one_input_for_the_parser_to_refuse(value):
    assert is_single(value)
