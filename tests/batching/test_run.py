"""What runs ahead of what, what is bounded, and what is done once."""

from __future__ import annotations

import io
import threading

import numpy as np
import pytest
from PIL import Image as Pictures

from manysense import Text
from manysense.batching import run as loop
from manysense.line import ModelLine
from manysense.media import image
from manysense.outputs import dense
from manysense.settings import Settings


def distinct_pictures(count, side=40):
    random = np.random.default_rng(3)
    return [Pictures.fromarray(random.integers(0, 256, (side, side, 3), dtype=np.uint8)) for _ in range(count)]


def line_of(model, forward):
    """The line of one call, as encode builds it, whose network is `forward`."""
    line = ModelLine(model, model, Settings(), lambda features, count: dense.vectors(features, None, False))
    line.network = forward
    return line


def rows_of(done):
    return [row for piece in done for unit in piece.rows for row in unit]


# ---- ahead


def test_the_next_items_are_prepared_before_a_forward_pass_ends(model):
    """The first forward passes end only once every item is prepared: without running ahead, they never would."""
    model = model("clip")
    everything, prepared = threading.Event(), []
    lock = threading.Lock()

    def on_event(name, facts):
        if name == "prepared":
            with lock:
                prepared.append(facts)
            if len(prepared) == 9:
                everything.set()

    def forward(features, **more):
        assert everything.wait(30), f"only {prepared} were prepared while the first forward passes ran"
        return model(features, **more)

    line = line_of(model, forward)
    done = list(loop.run(line, distinct_pictures(9), batch_size=1, on_event=on_event))
    assert [piece.error for piece in done] == [None] * 9
    assert sorted(rows_of(done)) == list(range(9))


def test_the_trace_of_a_call_names_every_row_at_every_station(model):
    model, trace = model("clip"), []
    line = line_of(model, model)
    list(loop.run(line, distinct_pictures(6), batch_size=2, on_event=lambda name, facts: trace.append((name, facts))))
    prepared = [row for name, facts in trace if name == "prepared" for row in facts]
    forward = [row for name, facts in trace if name == "forward" for unit in facts for row in unit]
    forwarded = [row for name, facts in trace if name == "forwarded" for unit in facts for row in unit]
    assert sorted(prepared) == sorted(forward) == sorted(forwarded) == list(range(6))


# ---- bounded


@pytest.mark.slow
def test_prepared_features_under_way_are_bounded_by_bytes(model, monkeypatch):
    """No forward pass ends until the crew has had time to prepare all that it may."""
    model = model("clip")
    pictures = distinct_pictures(24)
    line = line_of(model, model)
    reader = line.reader()
    (one,) = {measured.nbytes for measured in line.measure([line.parse(p) for p in pictures], reader)}
    bound = 6 * one
    monkeypatch.setattr(loop, "limits", lambda device_type: (4096, bound))
    lock, too_much = threading.Lock(), threading.Event()
    held = most = 0

    def on_event(name, facts):
        nonlocal held, most
        with lock:
            held += {"prepared": one, "forwarded": -one * len(facts)}.get(name, 0)
            most = max(most, held)
            if held > bound + one:
                too_much.set()

    def forward(features, **more):
        too_much.wait(0.25)
        return model(features, **more)

    line.network = forward
    done = list(loop.run(line, pictures, on_event=on_event))
    assert sorted(rows_of(done)) == list(range(24))
    assert 2 * one <= most <= bound + one, f"{most / one:.0f} items were held at once; {bound / one:.0f} may be"


def test_no_batch_alone_holds_more_than_a_share_of_the_bytes(model, monkeypatch):
    model, seen = model("clip"), []
    pictures = distinct_pictures(16)
    line = line_of(model, model)
    (one,) = {made.nbytes for made in line.measure([line.parse(p) for p in pictures], line.reader())}
    monkeypatch.setattr(loop, "limits", lambda device_type: (10**9, 8 * one))
    list(loop.run(line, pictures, on_event=lambda name, facts: seen.append(len(facts)) if name == "forward" else None))
    assert max(seen) <= 2


def test_inputs_are_read_a_window_at_a_time(model, monkeypatch):
    monkeypatch.setattr(loop, "WINDOW_ITEMS", 10)
    model, pulled = model("static"), []
    inputs = (pulled.append(i) or f"text {i}" for i in range(10_000))
    pieces = loop.run(line_of(model, model), inputs)
    next(pieces)
    pieces.close()
    assert len(pulled) <= 10 * (loop.AHEAD_BATCHES + 1)


def test_bytes_that_callers_hand_over_count_for_the_window(model, monkeypatch):
    model, png = model("clip"), io.BytesIO()
    distinct_pictures(1)[0].save(png, "PNG")
    monkeypatch.setattr(loop, "WINDOW_BYTES", 3 * len(png.getvalue()))
    line = line_of(model, model)
    windows = [len(window) for window in loop._windows(line, [png.getvalue()] * 9)]
    assert windows == [3, 3, 3]


def test_media_count_for_the_window(model, monkeypatch):
    monkeypatch.setattr(loop, "WINDOW_MEDIA", 4)
    line = line_of(model("clip"), None)
    windows = [len(window) for window in loop._windows(line, ["a.jpg"] * 8 + ["text"] * 8)]
    assert windows == [4, 4, 8]


# ---- once


@pytest.fixture
def opened(monkeypatch):
    """What `open_picture` was called with."""
    calls, original = [], image.open_picture

    def count(value, *args, **kwargs):
        calls.append(value)
        return original(value, *args, **kwargs)

    monkeypatch.setattr(image, "open_picture", count)
    return calls


def test_equal_paths_are_opened_once(model, opened, samples):
    path = str(samples / "red_circle.png")
    vectors = model("clip").encode([path, "a text", path, path, "another"])
    assert len(opened) == 1
    np.testing.assert_array_equal(vectors[0], vectors[2])
    np.testing.assert_array_equal(vectors[0], vectors[3])


def test_equal_bytes_in_different_objects_are_opened_once(model, opened, samples):
    data = (samples / "red_circle.png").read_bytes()
    model("clip").encode([data, bytearray(data), io.BytesIO(data), {"bytes": data, "path": None}])
    assert len(opened) == 1


def test_equal_pictures_in_different_objects_are_encoded_once(behind, rows):
    pictures = distinct_pictures(2)
    vectors = behind(rows, "clip").encode([*pictures, pictures[0].copy(), pictures[1].copy()])
    assert rows.total == 2
    np.testing.assert_array_equal(vectors[:2], vectors[2:])


def test_equal_texts_are_encoded_once(behind, rows):
    vectors = behind(rows).encode(["a dog", "a cat", "a dog", Text("a dog"), "a dog "])
    assert rows.total == 3
    np.testing.assert_array_equal(vectors[[0, 0]], vectors[[2, 3]])


def test_pictures_that_differ_in_one_pixel_are_two(behind, rows):
    (one,) = distinct_pictures(1)
    other = one.copy()
    other.putpixel((20, 20), (0, 0, 0))
    vectors = behind(rows, "clip").encode([one, other])
    assert rows.total == 2
    assert not np.array_equal(vectors[0], vectors[1])


def test_the_same_samples_at_two_rates_are_two_sounds(behind, rows):
    samples = np.random.default_rng(0).normal(0, 0.1, 8_000).astype(np.float32)
    vectors = behind(rows, "clap").encode([(samples, 8_000), (samples, 16_000), (samples, 8_000)])
    assert rows.total == 2
    np.testing.assert_array_equal(vectors[0], vectors[2])


def test_a_picture_that_occurs_in_two_different_items_is_opened_once(model, opened, samples):
    path = str(samples / "red_circle.png")
    model("qwen3_vl").encode([{"image": path, "text": "one"}, {"image": path, "text": "two"}, path])
    assert len(opened) == 1


def test_the_same_words_in_two_roles_are_two_items(behind, rows):
    chat = [[{"role": role, "content": "hello"}] for role in ("user", "system")]
    behind(rows, "qwen3_vl").encode(chat)
    assert rows.total == 2


def test_a_text_that_spells_the_key_of_a_picture_is_still_a_text(model):
    (picture,) = distinct_pictures(1)
    line = line_of(model("clip"), None)
    reader = line.reader()
    words = str(line.key(line.parse(picture), reader)[0])
    assert line.key(line.parse(Text(words)), reader) != line.key(line.parse(picture), reader)


def test_equal_rows_are_not_one_and_the_same_memory(model):
    tensors = model("bert").encode(["a dog", "a dog"], convert_to_numpy=False)
    tensors[0].zero_()
    assert tensors[1].abs().sum() > 0


# ---- how batches are cut


def test_batch_size_is_a_cap(behind, rows):
    behind(rows).encode([f"text {i}" for i in range(23)], batch_size=4)
    assert max(rows.batches) <= 4
    assert rows.total == 23


def test_without_a_batch_size_the_cost_decides(behind, rows, monkeypatch):
    monkeypatch.setattr(loop, "limits", lambda device_type: (100, 10**9))
    behind(rows).encode([f"text {i}" for i in range(60)])
    assert 1 < max(rows.batches) <= 100 // 3


def test_a_short_text_starts_no_thread(behind):
    names = []
    behind(lambda features: names.append(threading.current_thread().name)).encode(["one", "two"])
    assert names == [threading.current_thread().name]


def test_an_input_that_cannot_be_told_apart_costs_no_other_item_anything(model):
    """A generator of generators: each is one item that has no rule."""
    found = model("bert").encode(["a", (c for c in "bc"), "d"], on_error="skip")
    assert found.indices.tolist() == [0, 2]
