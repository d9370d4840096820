"""Bad input gives one clear error that names the item, or is read after all: one test for each line of the page.

Knows: what the caller is told. Does not know: what Sentence Transformers says in its place; docs/differences.md does.
"""

from __future__ import annotations

import io

import numpy as np
import pytest
import soundfile
import soxr
import torch

from differences import cases
from manysense import Policy, SentenceTransformer
from manysense.errors import (
    FetchError,
    FetchRefused,
    InputTooLong,
    ItemError,
    MediaError,
    MediaTooLarge,
    ModelNotFound,
    UnsupportedInput,
    UnsupportedModality,
    UsageError,
)
from reference.closeness import assert_close
from twins import bert, clap, clip, qwen3_vl
from twins.samples import RATE, TEXTS, pictures, sounds

LOOPBACK = Policy(private_hosts=True)

# ---- values


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (None, "no rule for None\n.*drop it"),
        (float("nan"), "no rule for float nan\n.*drop it"),
        (3, 'no rule for int 3\n.*as text: "3"'),
        ({"a"}, "no rule for set .*\n.*pass a list"),
        (b"ab", "bytes of 2 is no known picture, sound or video.*\n.*decode"),
        (object(), "no rule for object .*\n.*Accepted: text, path"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_value_of_no_kind_is_named_with_its_place_and_a_way_on(value, says, model):
    with pytest.raises(UnsupportedInput, match=f"item 1 of 3: {says}") as error:
        model("bert").encode(["a", value, "b"])
    assert isinstance(error.value, TypeError)


@pytest.mark.parametrize("form", [lambda value: value, lambda value: [value]], ids=["alone", "in a list"])
def test_a_missing_value_in_a_dict_is_named(form, model):
    with pytest.raises(UnsupportedInput, match="image is None"):
        model("clip").encode([{"image": form(None)}])


def test_a_modality_of_another_model_is_named_with_its_place(model):
    with pytest.raises(UnsupportedModality, match=r"item 1 of 2: .* is image, and this model reads text"):
        model("bert").encode(["a dog", pictures()[0]])


def test_an_empty_array_is_named_by_its_shape(model):
    with pytest.raises(UnsupportedModality, match=r"array \(0,\) float64 is audio by its shape.*reads text"):
        model("bert").encode(np.array([]))


def test_an_empty_name_of_a_model_is_not_found():
    with pytest.raises(ModelNotFound, match="name of the model is empty"):
        SentenceTransformer("")


def test_one_bad_item_costs_the_others_nothing(model, twin):
    inputs = ["a dog", None, "a cat", "missing.jpg"]
    kept = model("clip").encode(inputs, on_error="skip")
    assert kept.indices.tolist() == [0, 2]
    assert_close(kept.embeddings, [clip.reference_text(twin("clip"), text) for text in ("a dog", "a cat")])
    with pytest.raises(ItemError) as error:
        model("clip").encode(["a dog", "missing.jpg"])
    assert error.value.partial is not None


def test_a_model_that_reads_one_thing_at_a_time_takes_mixed_lists(model, twin):
    made = model("clip").encode([TEXTS[0], pictures()[0], TEXTS[1]])
    wanted = [clip.reference(twin("clip"), **item) for item in ({"text": TEXTS[0]}, {"image": pictures()[0]})]
    assert_close(made, [*wanted, clip.reference_text(twin("clip"), TEXTS[1])])


# ---- texts


def test_half_a_character_is_replaced(model, twin):
    assert_close(model("bert").encode(["a \ud800 b"]), [bert.reference(twin("bert"), "a \ufffd b")])


def test_a_placeholder_of_a_picture_in_a_text_is_text(model, twin):
    made = model("qwen3_vl").encode(["a <|image_pad|> b", "a dog"])
    assert np.isfinite(made).all()
    assert_close([made[1]], [qwen3_vl.reference(twin("qwen3_vl"), text="a dog")])


def test_media_that_do_not_fit_are_too_long(model):
    short = {"text": {"max_length": 8}}
    with pytest.raises(InputTooLong, match=r"item 0 of 1: the media and the chat .* this model reads 8\n.*max_pixels"):
        model("qwen3_vl").encode([{"image": pictures()[0], "text": "a dog"}], processing_kwargs=short)


# ---- pictures


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_picture_that_was_cut_is_refused(kind, model):
    file = io.BytesIO()
    pictures()[2].save(file, kind)
    with pytest.raises(MediaError, match=r"item 1 of 2: .*file ends after"):
        model("clip").encode(["a dog", file.getvalue()[: file.tell() // 2]])


@pytest.mark.parametrize(
    ("body", "says"),
    [(b"", "it is empty"), (b"<html>404</html>", "it is a web page"), (b"\x07" * 99, "no picture format")],
)
def test_a_file_that_is_no_picture_says_what_it_is(body, says, model, tmp_path):
    (tmp_path / "a.jpg").write_bytes(body)
    with pytest.raises(MediaError, match=rf"item 1 of 2: cannot open image '.*a\.jpg'.*{says}"):
        model("clip").encode(["a dog", str(tmp_path / "a.jpg")])


def test_an_answer_without_a_picture_names_address_and_status(server, model):
    with pytest.raises(FetchError, match=rf"item 1 of 2: .*{server}/missing\.png.*404"):
        model("clip").encode(["a dog", f"{server}/missing.png"], policy=LOOPBACK)


def test_a_private_address_is_not_fetched(server, samples, model):
    address = f"{server}/red_circle.png"
    with pytest.raises(FetchRefused, match="not on the public Internet"):
        model("clip").encode([address])
    assert_close(
        model("clip").encode([address], policy=LOOPBACK), model("clip").encode([str(samples / "red_circle.png")])
    )


def test_a_picture_over_the_limit_is_refused(model):
    with pytest.raises(MediaTooLarge, match="item 0 of 1"):
        model("clip").encode([pictures()[0]], policy=Policy(max_pixels=1000))


def test_a_flat_array_is_a_grey_picture(model, twin):
    grey = pictures()[0].convert("L")
    assert_close(model("clip").encode([np.asarray(grey)]), [clip.reference_image(twin("clip"), grey.convert("RGB"))])


@pytest.mark.parametrize(
    ("pixels", "says"),
    [(np.full((6, 5, 3), np.nan, np.float32), "NaN or infinite"), (np.zeros((0, 5, 3), np.uint8), "it has none")],
    ids=["nan", "empty"],
)
def test_pixels_that_are_no_picture_are_refused(pixels, says, model):
    with pytest.raises(MediaError, match=f"item 1 of 2: .*{says}"):
        model("clip").encode(["a dog", pixels])


# ---- sounds


@pytest.mark.parametrize(
    "form",
    [torch.from_numpy, lambda sound: np.stack([sound, sound]), lambda sound: cases.as_row(np.stack([sound, sound]))],
    ids=["tensor", "stereo", "row of stereo"],
)
def test_a_tensor_and_a_stereo_array_are_sounds(form, model, twin):
    assert_close(model("clap").encode([form(sounds()[0])]), [clap.reference_audio(twin("clap"), sounds()[0])])


def test_samples_of_another_rate_are_resampled(model, twin):
    half = sounds()[0][::2].copy()
    made = model("clap").encode([cases.as_row(half, RATE // 2)])
    assert_close(made, [clap.reference_audio(twin("clap"), soxr.resample(half, RATE // 2, RATE))])


def _cut_file() -> bytes:
    file = io.BytesIO()
    soundfile.write(file, sounds()[0], RATE, format="WAV")
    return file.getvalue()[: file.tell() // 2]


@pytest.mark.parametrize(
    ("sound", "says"),
    [
        (cases.as_row(np.zeros(0, np.float32)), "there is no sample"),
        ({"audio": _cut_file()}, "file ends after 62 kB of 125 kB"),
    ],
    ids=["empty", "cut"],
)
def test_a_sound_without_samples_or_without_its_end_is_refused(sound, says, model):
    with pytest.raises(MediaError, match=f"item 1 of 2: .*{says}"):
        model("clap").encode(["a dog", sound])


# ---- arguments


def test_an_unknown_output_value_is_answered_with_the_known_ones(model):
    with pytest.raises(UsageError, match="'zzz' is not known; choose one of 'sentence_embedding', 'token_embeddings'"):
        model("bert").encode("a dog", output_value="zzz")


def test_vectors_of_other_sizes_cannot_be_compared_and_other_number_types_can(model):
    with pytest.raises(UsageError, match="vectors of 3 and of 4 dimensions"):
        model("bert").similarity(np.ones((2, 3)), np.ones((2, 4)))
    for one, other in ((np.float64, np.float32), (np.int8, np.int8), (np.float16, np.int8)):
        scores = model("bert").similarity(np.eye(2, dtype=one), np.eye(2, dtype=other))
        assert scores.tolist() == [[1, 0], [0, 1]]


@pytest.mark.parametrize("dims", [bert.WIDTH + 1, 1.5])
def test_more_dimensions_than_there_are_are_refused(dims, model):
    with pytest.raises(UsageError, match=f"must be a whole number from 1 to {bert.WIDTH}"):
        model("bert").encode(["a dog"], truncate_dim=dims)


def test_a_longer_limit_than_the_model_has_positions_is_cut(twin):
    encoder = SentenceTransformer(str(twin("bert")), device="cpu")
    with pytest.warns(UserWarning, match="more than the 64 positions of this model"):
        encoder.max_seq_length = 1000
    assert encoder.encode("a dog " * 100, on_truncate="ignore").shape == (bert.WIDTH,)
