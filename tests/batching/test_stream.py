"""encode_stream: any number of inputs, in order, in bounded memory."""

from __future__ import annotations

import itertools
import threading

import numpy as np
import pytest

from manysense import MediaError, UsageError
from manysense.batching import run as loop
from manysense.errors import InputTooLong, MediaNotFound, UnsupportedInput


def crew():
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("manysense")]


def texts(count):
    """Of many lengths, so that batches finish out of order."""
    return [f"the text {i} " + "and a word " * (i * 7 % 5) for i in range(count)]


def test_rows_come_in_the_order_of_the_inputs(model):
    inputs = texts(5_000)
    rows = list(model("static").encode_stream(text for text in inputs))
    assert len(rows) == 5_000
    np.testing.assert_allclose(np.stack(rows), model("static").encode(inputs), atol=1e-6)


def test_rows_of_several_windows_come_in_order(model, monkeypatch):
    monkeypatch.setattr(loop, "WINDOW_ITEMS", 16)
    inputs = texts(200)
    rows = list(model("bert").encode_stream(iter(inputs), batch_size=3))
    np.testing.assert_allclose(np.stack(rows), model("bert").encode(inputs), atol=1e-5)


def test_an_endless_generator_gives_its_first_row_after_a_bounded_number_of_inputs(model, monkeypatch):
    monkeypatch.setattr(loop, "WINDOW_ITEMS", 64)
    pulled = itertools.count()
    stream = model("static").encode_stream(f"text {next(pulled)}" for _ in itertools.repeat(None))
    next(stream)
    stream.close()
    assert next(pulled) <= 64 * (loop.AHEAD_BATCHES + 1)


def test_what_is_read_ahead_does_not_grow_while_rows_are_taken(model, monkeypatch):
    monkeypatch.setattr(loop, "WINDOW_ITEMS", 64)
    pulled = []
    stream = model("static").encode_stream(pulled.append(i) or f"text {i}" for i in itertools.count())
    ahead = []
    for taken, _ in enumerate(itertools.islice(stream, 5_000), 1):
        ahead.append(len(pulled) - taken)
    stream.close()
    assert max(ahead[2_500:]) <= 10 * 64  # some windows, however the threads take turns; of 5,000 rows


def test_the_first_row_of_tiny_texts_does_not_wait_for_ten_thousand_inputs(model):
    pulled = itertools.count()
    stream = model("static").encode_stream(f"text {next(pulled)}" for _ in itertools.repeat(None))
    next(stream)
    stream.close()
    assert next(pulled) <= 4 * loop.WINDOW_ITEMS


def test_nothing_is_read_before_the_first_row_is_asked_for(model):
    pulled = []
    stream = model("static").encode_stream(pulled.append(i) or "a" for i in range(3))
    assert pulled == []
    next(stream)


def test_closing_early_stops_every_thread(model, monkeypatch):
    monkeypatch.setattr(loop, "WINDOW_ITEMS", 32)
    stream = model("bert").encode_stream((f"text {i}" for i in itertools.count()), batch_size=4)
    next(stream)
    assert crew()
    stream.close()
    assert crew() == []


def test_forgetting_the_stream_stops_every_thread(model, monkeypatch):
    monkeypatch.setattr(loop, "WINDOW_ITEMS", 32)
    stream = model("bert").encode_stream((f"text {i}" for i in itertools.count()), batch_size=4)
    next(stream)
    assert crew()
    del stream
    assert crew() == []


def test_an_error_of_the_source_comes_through_and_stops_every_thread(model):
    def source():
        yield from texts(3_000)
        raise ConnectionError("the database went away")

    with pytest.raises(ConnectionError, match="went away"):
        list(model("bert").encode_stream(source()))
    assert crew() == []


def test_an_empty_stream_gives_no_row(model):
    assert list(model("bert").encode_stream([])) == []


def test_with_index_gives_each_row_its_position(model):
    pairs = list(model("clip").encode_stream(["a", "b", "c"], with_index=True))
    assert [index for index, _ in pairs] == [0, 1, 2]
    np.testing.assert_allclose(pairs[1][1], model("clip").encode("b"), rtol=1e-5, atol=1e-5)


def test_skip_leaves_broken_inputs_out_and_the_index_tells_which(model):
    inputs = ["a", None, "b", "missing.jpg", "c"]
    pairs = list(model("clip").encode_stream(inputs, on_error="skip", with_index=True))
    assert [index for index, _ in pairs] == [0, 2, 4]
    np.testing.assert_allclose(pairs[2][1], model("clip").encode("c"), rtol=1e-5, atol=1e-5)


def test_nan_fills_the_rows_of_broken_inputs(model):
    rows = list(model("clip").encode_stream(["a", "missing.jpg", "b"], on_error="nan"))
    assert [bool(np.isnan(row).all()) for row in rows] == [False, True, False]


def test_a_broken_input_is_raised_with_its_position(model):
    with pytest.raises(MediaNotFound) as error:
        list(model("clip").encode_stream(iter(["a", "b", "missing.jpg"])))
    assert error.value.index == 2
    assert isinstance(error.value, MediaError)


def test_a_wrong_type_is_raised_with_its_position(model):
    with pytest.raises(UnsupportedInput) as error:
        list(model("bert").encode_stream(iter(["a", None])))
    assert error.value.index == 1


def test_an_error_comes_in_its_place_after_the_rows_before_it(model):
    stream = model("clip").encode_stream(["a", "b", "missing.jpg", "c"], with_index=True)
    assert [next(stream)[0], next(stream)[0]] == [0, 1]
    with pytest.raises(MediaNotFound):
        next(stream)


def test_a_wrong_argument_is_found_before_the_first_row_is_asked_for(model):
    with pytest.raises(UsageError):
        model("bert").encode_stream(["a"], on_error="ignore")


def test_truncation_is_told_by_one_error_or_at_the_end(model):
    long = ["word " * 100] * 2
    with pytest.raises(InputTooLong) as error:
        list(model("bert").encode_stream(["short", *long], on_truncate="error"))
    assert error.value.index == 1
    with pytest.warns(UserWarning, match="were cut") as caught:
        list(model("bert").encode_stream(["short", *long]))
    assert len(caught) == 1


def test_rows_do_not_share_memory(model):
    first, second = model("bert").encode_stream(["a", "a"])
    first[:] = 0
    assert np.abs(second).sum() > 0


def test_two_streams_of_one_model_may_be_taken_in_turns(model):
    one, two = (model("bert").encode_stream(texts(300)) for _ in range(2))
    for a, b in zip(one, two):
        np.testing.assert_allclose(a, b, atol=1e-6)


def test_prompt_width_and_length_apply_to_a_stream(model):
    kwargs = {"prompt": "query: ", "truncate_dim": 7, "normalize_embeddings": True}
    rows = np.stack(list(model("bert", normalize=False).encode_stream(["a", "b"], **kwargs)))
    np.testing.assert_allclose(rows, model("bert", normalize=False).encode(["a", "b"], **kwargs), atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-6)
