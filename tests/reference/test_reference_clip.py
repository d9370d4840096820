"""CLIP folders of every form give the vectors that transformers alone gives, one text or picture at a time."""

from __future__ import annotations

import pytest
import torch
from PIL import Image, ImageOps

from manysense import ManysenseWarning
from reference.closeness import MOVED, assert_close, assert_same_tensors, distance, moved
from twins import clip
from twins.samples import TEXTS, pictures

FORMS = ["bare", "new", "old"]
FILES = ["red_circle.png", "bar_chart.png", "night_sky.jpg", "landscape.jpg", "invoice.webp"]
LONG = "a photo of a dog " * 40


def opened(path):
    return ImageOps.exif_transpose(Image.open(path)).convert("RGB")


@pytest.mark.parametrize("form", FORMS)
def test_texts_equal_the_reference(form, twin, model):
    wanted = [clip.reference_text(twin("clip", form=form), text) for text in [*TEXTS, ""]]
    assert_close(model("clip", form=form).encode([*TEXTS, ""]), wanted)


@pytest.mark.parametrize("form", FORMS)
def test_pictures_equal_the_reference(form, twin, model):
    wanted = [clip.reference_image(twin("clip", form=form), picture) for picture in pictures()]
    assert_close(model("clip", form=form).encode(pictures()), wanted)


@pytest.mark.parametrize("form", FORMS)
def test_texts_and_pictures_in_one_list_equal_the_reference(form, twin, model):
    folder = twin("clip", form=form)
    inputs = [TEXTS[1], *pictures(), TEXTS[0]]
    wanted = [clip.reference(folder, **({"text": one} if isinstance(one, str) else {"image": one})) for one in inputs]
    assert_close(model("clip", form=form).encode(inputs), wanted)


@pytest.mark.parametrize("name", FILES)
def test_a_picture_file_equals_the_reference_of_what_it_shows(name, twin, model, samples):
    made = model("clip").encode(str(samples / name))
    assert distance(made, clip.reference_image(twin("clip"), opened(samples / name))) < 1e-5


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("size", [(130, 75), (90, 141), (48, 48), (20, 9), (49, 97), (1, 300), (1000, 50)], ids=str)
def test_the_pixels_are_those_of_the_reference(form, size, twin, model):
    picture = pictures()[2].resize(size)
    made = model("clip", form=form).preprocess([picture])
    assert_same_tensors(made, {"pixel_values": clip.pixels(twin("clip", form=form), picture)})


@pytest.mark.parametrize("mode", ["L", "P", "1", "CMYK", "YCbCr", "HSV"])
def test_the_pixels_of_other_colour_modes_are_those_of_the_reference(mode, twin, model):
    picture = pictures()[0].convert(mode)
    wanted = clip.pixels(twin("clip"), picture.convert("RGB"))
    assert_same_tensors(model("clip").preprocess([picture]), {"pixel_values": wanted})


def test_the_pixels_of_a_see_through_picture_are_those_of_the_reference(twin, model):
    picture = pictures()[0].convert("RGBA")
    picture.putalpha(Image.linear_gradient("L").resize(picture.size))
    made = model("clip").preprocess([picture])
    assert_same_tensors(made, {"pixel_values": clip.pixels(twin("clip"), picture)})


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("text", [*TEXTS, "", LONG])
def test_the_token_ids_are_those_of_the_reference(form, text, twin, model):
    ids = torch.tensor([clip.token_ids(twin("clip", form=form), text)])
    made = model("clip", form=form).preprocess([text])
    assert_same_tensors(made, {"input_ids": ids, "attention_mask": torch.ones_like(ids)})


def test_a_long_text_is_cut_before_its_end_token(twin, model):
    with pytest.warns(ManysenseWarning, match="77 tokens"):
        made = model("clip").encode(LONG)
    assert distance(made, clip.reference_text(twin("clip"), LONG)) < 1e-5


def test_a_missing_end_token_would_be_seen(twin, model):
    encoder = model("clip")
    features = encoder.preprocess([TEXTS[0]])
    with torch.no_grad():
        right = encoder(dict(features))["sentence_embedding"]
        wrong = encoder({name: ids[:, :-1] for name, ids in features.items()})["sentence_embedding"]
    assert_close(right, [clip.reference_text(twin("clip"), TEXTS[0])])
    assert moved(wrong, right) > MOVED


def test_padding_that_is_read_before_the_end_token_would_be_seen(twin, model):
    encoder, wanted = model("clip"), clip.reference_text(twin("clip"), TEXTS[3])
    features = encoder.preprocess([TEXTS[3], TEXTS[2]])
    assert features["attention_mask"][0].tolist().count(0) > 0
    with torch.no_grad():
        right = encoder(dict(features))["sentence_embedding"][0]
        shifted = {name: torch.roll(value, 1, dims=1) for name, value in features.items()}
        wrong = encoder(shifted)["sentence_embedding"][0]
    assert distance(right, wanted) < 1e-5
    assert moved(wrong, wanted) > MOVED


def test_swapped_colours_would_be_seen(twin, model):
    encoder, picture = model("clip"), pictures()[1]
    features = encoder.preprocess([picture])
    with torch.no_grad():
        right = encoder(dict(features))["sentence_embedding"][0]
        wrong = encoder({"pixel_values": features["pixel_values"].flip(1)})["sentence_embedding"][0]
    assert distance(right, clip.reference_image(twin("clip"), picture)) < 1e-5
    assert moved(wrong, right) > MOVED
