"""No silent truncation: texts over the limit, sounds over their window."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from manysense import ManysenseWarning, SentenceTransformer
from manysense.errors import InputTooLong

RATE = 48_000
LONG, LONGER = "dog " * 100, "cat " * 150


def caught(call):
    """What `call()` gives, and the warnings of this package it made."""
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        made = call()
    return made, [str(w.message) for w in seen if issubclass(w.category, ManysenseWarning)]


def noise(seconds, seed=0):
    return np.random.default_rng(seed).normal(0, 0.1, int(seconds * RATE)).astype(np.float32)


def test_a_call_warns_once_with_count_and_lengths(model):
    _, said = caught(lambda: model("bert").encode(["short", LONG, LONGER, "short too"] * 3))
    assert len(said) == 1
    assert "6 of 12" in said[0]
    assert "48 tokens" in said[0]
    assert "152" in said[0]  # the longest: 150 words, [CLS] and [SEP]
    assert "on_truncate" in said[0]


def test_the_count_is_of_inputs_also_where_equal_ones_are_encoded_once(model):
    _, said = caught(lambda: model("bert").encode([LONG, LONG, "short"]))
    assert "2 of 3" in said[0]


def test_a_warning_points_at_the_callers_own_line(model):
    with pytest.warns(ManysenseWarning) as seen:
        model("bert").encode([LONG])
    assert seen[0].filename == __file__


def test_every_call_warns_anew(model):
    for _ in range(2):
        assert len(caught(lambda: model("bert").encode([LONG]))[1]) == 1


def test_a_single_input_warns_too(model):
    assert "102" in caught(lambda: model("bert").encode(LONG))[1][0]


def test_nothing_is_said_when_everything_fits(model):
    exact = "dog " * 46  # with [CLS] and [SEP] exactly 48
    assert caught(lambda: model("bert").encode([exact, "short"]))[1] == []
    assert len(caught(lambda: model("bert").encode(["dog " * 47]))[1]) == 1


def test_what_is_cut_is_the_end(model):
    made, _ = caught(lambda: model("bert").encode([LONG]))
    np.testing.assert_allclose(made[0], model("bert").encode("dog " * 46), atol=1e-6)


def test_ignore_says_nothing(model):
    assert caught(lambda: model("bert").encode([LONG], on_truncate="ignore"))[1] == []


def test_error_refuses_with_index_lengths_and_advice(model):
    with pytest.raises(InputTooLong, match=r"102 tokens.*48") as error:
        model("bert").encode(["short", LONG], on_truncate="error")
    assert (error.value.index, error.value.total) == (1, 2)
    assert "Split" in error.value.hint


def test_error_can_be_set_aside_like_any_other(model):
    found = model("bert").encode(["short", LONG, "short too"], on_truncate="error", on_error="skip")
    assert found.indices.tolist() == [0, 2]


def test_the_prompt_counts_for_the_limit(model):
    assert len(caught(lambda: model("bert").encode(["dog " * 44], prompt="a b c "))[1]) == 1


def test_the_limit_of_the_model_is_read_when_the_call_starts(twin):
    model = SentenceTransformer(str(twin("bert")), device="cpu")
    model.max_seq_length = 10
    assert "10 tokens" in caught(lambda: model.encode(["dog " * 20]))[1][0]


def test_a_chat_model_cuts_the_text_and_keeps_the_chat_around_it(model):
    _, said = caught(lambda: model("qwen3_vl").encode(["dog " * 200], processing_kwargs={"text": {"max_length": 60}}))
    assert len(said) == 1
    assert "60 tokens" in said[0]


def test_media_that_do_not_fit_a_chat_are_an_error_and_never_cut(model, samples):
    with pytest.raises(InputTooLong, match="media") as error:
        model("qwen3_vl").encode(
            ["a", {"image": str(samples / "landscape.jpg"), "text": "x"}],
            processing_kwargs={"text": {"max_length": 40}},
        )
    assert error.value.index == 1


def test_a_sound_over_its_window_warns_once_with_seconds(model):
    sounds = [noise(1), noise(12), noise(20.5, seed=1)]
    _, said = caught(lambda: model("clap").encode(sounds))
    assert len(said) == 1
    assert "2 of 3" in said[0]
    assert "seconds" in said[0]
    assert "20.5" in said[0]


def test_of_a_long_sound_the_first_window_is_heard(model):
    made, _ = caught(lambda: model("clap").encode([noise(12)]))
    start, _ = caught(lambda: model("clap").encode([noise(12)[: 10 * RATE]]))
    tail = np.concatenate([noise(12)[: 10 * RATE], np.zeros(2 * RATE, np.float32)])
    other, _ = caught(lambda: model("clap").encode([tail]))
    np.testing.assert_allclose(made, other, rtol=1e-5, atol=1e-6)
    assert made.shape == start.shape


def test_a_sound_of_exactly_its_window_is_not_cut(model):
    assert caught(lambda: model("clap").encode([noise(10)]))[1] == []


def test_a_long_sound_can_be_refused(model):
    with pytest.raises(InputTooLong, match="seconds") as error:
        model("clap").encode([noise(1), noise(12)], on_truncate="error")
    assert error.value.index == 1


def test_with_fusion_a_long_sound_is_heard_whole_and_nothing_is_said(model):
    assert caught(lambda: model("clap", truncation="fusion").encode([noise(12)]))[1] == []


def test_texts_and_sounds_that_are_cut_are_told_in_one_warning(model):
    _, said = caught(lambda: model("clap").encode(["dog " * 2_000, noise(12)]))
    assert len(said) == 1
    assert "2 of 2" in said[0]
    assert "seconds" in said[0]
    assert "tokens" in said[0]
