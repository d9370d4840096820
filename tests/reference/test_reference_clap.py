"""CLAP folders give the vectors that transformers gives when its random windows are held still."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import soundfile
import soxr
import torch

from manysense import Audio, ManysenseWarning
from reference.closeness import MOVED, assert_close, assert_same_tensors, distance, moved
from twins import clap
from twins.samples import RATE, TEXTS, sounds

KINDS = ["rand_trunc", "fusion"]
LONG = "the sound of rain " * 200


@pytest.fixture(scope="module")
def heard():
    """Shorter than the window, much shorter, a little longer, more than twice as long."""
    return sounds()


@pytest.mark.parametrize("kind", KINDS)
def test_texts_equal_the_reference(kind, twin, model):
    wanted = [clap.reference_text(twin("clap", truncation=kind), text) for text in [*TEXTS, ""]]
    assert_close(model("clap", truncation=kind).encode([*TEXTS, ""]), wanted)


def test_a_long_text_is_cut_where_the_reference_cuts_it(twin, model):
    with pytest.warns(ManysenseWarning, match="512 tokens"):
        made = model("clap").encode([LONG])
    assert_close(made, [clap.reference_text(twin("clap"), LONG)])


def test_without_fusion_a_long_sound_is_its_first_window(twin, model, heard):
    with pytest.warns(ManysenseWarning, match="2 of 4 inputs are longer .* 10.0 seconds are read"):
        made = model("clap").encode(heard)
    assert_close(made, [clap.reference_audio(twin("clap"), sound) for sound in heard])


def test_with_fusion_the_whole_of_a_long_sound_counts(twin, model, heard):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        made = model("clap", truncation="fusion").encode(heard)
    assert_close(made, [clap.reference_audio(twin("clap", truncation="fusion"), sound) for sound in heard])


@pytest.mark.parametrize("kind", KINDS)
def test_texts_and_sounds_in_one_list_equal_the_reference(kind, twin, model, heard):
    folder, inputs = twin("clap", truncation=kind), [TEXTS[0], heard[0], TEXTS[2], heard[1]]
    wanted = [clap.reference(folder, **{"text" if isinstance(one, str) else "audio": one}) for one in inputs]
    assert_close(model("clap", truncation=kind).encode(inputs), wanted)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seconds", [0.01, 3.4, 5, 9.999, 10, 10.005, 10.02, 19.7])
def test_the_spectrogram_is_that_of_the_reference(kind, seconds, twin, model, heard):
    sound = heard[3][: round(seconds * RATE)]
    made = dict(model("clap", truncation=kind).preprocess([sound]))
    wanted = clap.features(twin("clap", truncation=kind), sound)
    made["is_longer"], wanted["is_longer"] = made["is_longer"].reshape(-1), wanted["is_longer"].reshape(-1)
    if kind == "rand_trunc":
        made.pop("is_longer"), wanted.pop("is_longer")  # a model without fusion does not read it
    assert_same_tensors(made, wanted)


@pytest.mark.parametrize("text", [*TEXTS, "", LONG])
def test_the_token_ids_are_those_of_the_reference(text, twin, model):
    ids = torch.tensor([clap.token_ids(twin("clap"), text)])
    made = model("clap").preprocess([text])
    assert_same_tensors(made, {"input_ids": ids, "attention_mask": torch.ones_like(ids)})


@pytest.mark.parametrize("name", ["chime.wav", "recipe.flac", "weather.wav"])
def test_a_sound_file_equals_the_reference_of_its_mixed_and_resampled_samples(name, twin, model, samples):
    stored, rate = soundfile.read(samples / name, dtype="float32", always_2d=True)
    sound = stored.mean(1, dtype=np.float32)
    if rate != RATE:  # as librosa does, and transformers with it: the length is rounded up
        sound = soxr.resample(sound, rate, RATE)
        sound = np.pad(sound, (0, -(-len(stored) * RATE // rate) - len(sound)))
    made = model("clap").encode(str(samples / name))
    assert distance(made, clap.reference_audio(twin("clap"), sound)) < 1e-5


@pytest.mark.parametrize(
    "form",
    [
        lambda sound: sound,
        lambda sound: (sound, RATE),
        lambda sound: {"array": sound, "sampling_rate": RATE},
        lambda sound: Audio(sound, RATE),
        lambda sound: torch.from_numpy(sound),
        lambda sound: np.stack([sound, sound]),
        lambda sound: {"audio": sound},
        lambda sound: sound.astype(np.float64),
    ],
    ids=["bare", "pair", "dict", "wrapper", "tensor", "stereo", "audio key", "float64"],
)
def test_every_form_of_the_same_samples_equals_the_reference(form, twin, model, heard):
    made = model("clap").encode([form(heard[0])])
    assert_close(made, [clap.reference_audio(twin("clap"), heard[0])])


def test_silence_instead_of_repetition_would_be_seen(twin, model, heard):
    encoder = model("clap")
    padded = np.pad(heard[0], (0, 10 * RATE - len(heard[0])))
    right, wrong = encoder.encode([heard[0], padded])
    assert distance(right, clap.reference_audio(twin("clap"), heard[0])) < 1e-5
    assert moved(wrong, right) > MOVED


def test_a_wrong_is_longer_would_be_seen(twin, model, heard):
    encoder = model("clap", truncation="fusion")
    features = encoder.preprocess([heard[0]])
    with torch.no_grad():
        right = encoder(dict(features))["sentence_embedding"][0]
        wrong = encoder({**features, "is_longer": ~features["is_longer"]})["sentence_embedding"][0]
    assert distance(right, clap.reference_audio(twin("clap", truncation="fusion"), heard[0])) < 1e-5
    assert moved(wrong, right) > MOVED


def test_a_text_without_its_mask_would_be_seen(twin, model):
    encoder = model("clap")
    features = encoder.preprocess([TEXTS[3], TEXTS[2]])
    with torch.no_grad():
        right = encoder(dict(features))["sentence_embedding"][0]
        blind = {**features, "attention_mask": torch.ones_like(features["attention_mask"])}
        wrong = encoder(blind)["sentence_embedding"][0]
    assert distance(right, clap.reference_text(twin("clap"), TEXTS[3])) < 1e-5
    assert moved(wrong, right) > MOVED
