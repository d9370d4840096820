"""Qwen3-VL folders give the vectors of the authors' own script, one input at a time."""

from __future__ import annotations

import av
import numpy as np
import pytest
import torch
from PIL import Image

from manysense import SentenceTransformer, Video
from reference.closeness import MOVED, assert_close, assert_same_tensors, distance, moved
from twins import qwen3_vl
from twins.samples import TEXTS, clip, pictures

pytestmark = pytest.mark.slow

VARIANTS = [{}, {"form": "st"}, {"tied": False}, {"form": "st", "tied": False}]
LETTERS = {"text": "text", "image": "image", "video": "video_frames"}


def small(frames, seed=0):
    return clip(frames, 64, 48, seed)


def see_through():
    picture = pictures()[0].convert("RGBA")
    picture.putalpha(Image.linear_gradient("L").resize(picture.size))
    return picture


MIXTURES = {
    "picture and text": lambda: {"text": TEXTS[1], "image": pictures()[0]},
    "two pictures": lambda: {"image": pictures()[:2]},
    "three pictures and a text": lambda: {"image": pictures(), "text": TEXTS[0]},
    "a picture and two texts": lambda: {"image": pictures()[1], "text": [TEXTS[0], TEXTS[3]]},
    "video and text": lambda: {"text": TEXTS[2], "video": small(4)},
    "everything": lambda: {"text": TEXTS[0], "video": small(2), "image": pictures()[:2]},
    "two videos and a picture": lambda: {"video": [small(2), small(4, seed=1)], "image": pictures()[2]},
    "an empty text": lambda: {"text": ""},
    "an empty text and a picture": lambda: {"text": "", "image": pictures()[1]},
}


def wanted(folder, value, instruction=None):
    given = {LETTERS[name]: part for name, part in value.items()}
    return qwen3_vl.reference(folder, instruction=instruction, **given)


@pytest.mark.parametrize("variant", VARIANTS, ids=str)
def test_texts_equal_the_reference(variant, twin, model):
    texts = [*TEXTS, "", " two  spaces \n"]
    made = model("qwen3_vl", **variant).encode(texts)
    assert_close(made, [qwen3_vl.reference(twin("qwen3_vl", **variant), text=text) for text in texts])


@pytest.mark.parametrize("variant", VARIANTS, ids=str)
def test_pictures_equal_the_reference(variant, twin, model):
    made = model("qwen3_vl", **variant).encode(pictures())
    assert_close(made, [qwen3_vl.reference(twin("qwen3_vl", **variant), image=picture) for picture in pictures()])


@pytest.mark.parametrize("variant", VARIANTS, ids=str)
@pytest.mark.parametrize("mixture", MIXTURES)
def test_mixtures_equal_the_reference(mixture, variant, twin, model):
    value = MIXTURES[mixture]()
    assert distance(model("qwen3_vl", **variant).encode(value), wanted(twin("qwen3_vl", **variant), value)) < 1e-5


@pytest.mark.slow
@pytest.mark.parametrize("frames", [1, 2, 5, 6, 70])
def test_a_list_of_frames_equals_the_reference(frames, twin, model):
    made = model("qwen3_vl").encode([{"video": small(frames)}])
    assert_close(made, [qwen3_vl.reference(twin("qwen3_vl"), video_frames=small(frames))])


def test_an_array_of_frames_is_the_list_of_its_frames(twin, model):
    stacked = np.stack([np.asarray(frame) for frame in small(6)])
    wanted = qwen3_vl.reference(twin("qwen3_vl"), video_frames=small(6))
    assert_close(model("qwen3_vl").encode([stacked, Video(stacked), Video(small(6))]), [wanted] * 3)


@pytest.mark.parametrize(("frames", "fps"), [(6, 2.0), (40, 8.0), (33, 11.0)])
def test_frames_with_a_rate_are_sampled_as_a_file_is(frames, fps, twin, model):
    made = model("qwen3_vl").encode([Video(small(frames), fps=fps)])
    assert_close(made, [qwen3_vl.reference(twin("qwen3_vl"), video_frames=small(frames), fps=fps)])


@pytest.mark.parametrize("form", ["raw", "st"])
def test_a_video_file_equals_the_reference_of_its_frames(form, twin, model, samples):
    with av.open(str(samples / "bouncing_ball.mp4")) as file:
        rate = float(file.streams.video[0].average_rate)
        frames = [Image.fromarray(frame.to_ndarray(format="rgb24")) for frame in file.decode(video=0)]
    made = model("qwen3_vl", form=form).encode(str(samples / "bouncing_ball.mp4"))
    assert distance(made, qwen3_vl.reference(twin("qwen3_vl", form=form), video_frames=frames, fps=rate)) < 1e-5


@pytest.mark.parametrize("name", ["red_circle.png", "blue_square.png", "night_sky.jpg", "icon.gif"])
def test_a_picture_file_equals_the_reference_of_what_it_shows(name, twin, model, samples):
    shown = Image.open(samples / name)
    shown = shown if shown.mode == "RGBA" else shown.convert("RGB")
    made = model("qwen3_vl").encode([str(samples / name), samples / name, {"image": str(samples / name)}])
    assert_close(made, [qwen3_vl.reference(twin("qwen3_vl"), image=shown)] * 3)


def test_a_see_through_picture_lies_on_white(twin, model):
    made = model("qwen3_vl").encode([see_through()])
    assert_close(made, [qwen3_vl.reference(twin("qwen3_vl"), image=see_through())])


@pytest.mark.parametrize("prompt", ["Find it", " Find the picture?  ", "Hallo Welt。", "a\nb"])
@pytest.mark.parametrize("form", ["raw", "st"])
def test_a_prompt_is_the_system_turn(prompt, form, twin, model):
    values = [{"text": TEXTS[0]}, {"image": pictures()[0]}, MIXTURES["everything"]()]
    made = model("qwen3_vl", form=form).encode(values, prompt=prompt)
    assert_close(made, [wanted(twin("qwen3_vl", form=form), value, prompt) for value in values])


def test_named_prompts_of_the_folder_are_instructions(twin, model):
    encoder, folder = model("qwen3_vl", form="st"), twin("qwen3_vl", form="st")
    query = "Retrieve images or text relevant to the user's query."
    plain, asked = (qwen3_vl.reference(folder, text=TEXTS[0], instruction=text) for text in (None, query))
    assert distance(encoder.encode_query(TEXTS[0]), asked) < 1e-5
    assert distance(encoder.encode_document(TEXTS[0]), plain) < 1e-5
    assert distance(encoder.encode(TEXTS[0]), plain) < 1e-5


def test_a_conversation_of_one_user_turn_is_its_content(twin, model):
    picture, text = pictures()[0], TEXTS[0]
    content = [{"type": "image", "image": picture}, {"type": "text", "text": text}]
    made = model("qwen3_vl").encode([{"role": "user", "content": content}])
    assert distance(made, qwen3_vl.reference(twin("qwen3_vl"), text=text, image=picture)) < 1e-5


def test_a_system_turn_of_the_conversation_is_its_instruction(twin, model):
    made = model("qwen3_vl").encode(
        [{"role": "system", "content": "Find it."}, {"role": "user", "content": TEXTS[0]}], prompt="another one"
    )
    assert distance(made, qwen3_vl.reference(twin("qwen3_vl"), text=TEXTS[0], instruction="Find it.")) < 1e-5


# ---- what the network is given


def tensors_of(folder, value):
    """The oracle's tensors, its frames rounded as transformers' video processors round them.

    Those fold 1/255 into mean and deviation, the oracle takes one step after the other: the last bit may differ.
    """
    tensors = qwen3_vl.prepared(folder, **{LETTERS[key]: part for key, part in value.items()})
    if "pixel_values_videos" in tensors:
        levels = ((tensors["pixel_values_videos"].double() + 1) * 127.5).round().float()
        tensors["pixel_values_videos"] = (levels - 127.5) / 127.5
    return tensors


PREPARED = {
    "text": lambda: {"text": TEXTS[4]},
    "picture": lambda: {"image": pictures()[0]},
    "see-through picture": lambda: {"image": see_through()},
    "tiny picture": lambda: {"image": pictures()[0].resize((3, 5))},
    "long picture": lambda: {"image": pictures()[0].resize((900, 7))},
    "one frame": lambda: {"video": small(1)},
    "five frames": lambda: {"video": small(5)},
    "seventy frames": lambda: {"video": small(70)},
    "large frames": lambda: {"video": clip(2, 350, 210)},
    **MIXTURES,
}


@pytest.mark.slow
@pytest.mark.parametrize("name", PREPARED)
def test_the_tensors_are_those_of_the_reference(name, twin, model):
    value = PREPARED[name]()
    assert_same_tensors(model("qwen3_vl").preprocess([value]), tensors_of(twin("qwen3_vl"), value))


def test_a_large_picture_is_fitted_as_the_reference_fits_it(twin, model):
    picture = pictures()[0].resize((1500, 1400))
    made = model("qwen3_vl").preprocess([picture])
    wanted = qwen3_vl.prepared(twin("qwen3_vl"), image=picture)
    assert wanted["image_grid_thw"].prod() * 16 * 16 <= 1800 * 32 * 32 < 1500 * 1400
    assert_same_tensors(made, wanted)


def test_a_batch_is_padded_on_the_right_and_its_media_are_joined(twin, model):
    folder, values = twin("qwen3_vl"), [{"text": "x"}, MIXTURES["everything"](), {"image": pictures()[2]}]
    alone = [tensors_of(folder, value) for value in values]
    length = max(one["input_ids"].shape[1] for one in alone)
    wanted = {}
    for name in ("input_ids", "attention_mask", "mm_token_type_ids"):
        fill = qwen3_vl.byte_pairs().token_to_id("<|endoftext|>") if name == "input_ids" else 0
        rows = [torch.nn.functional.pad(one[name], (0, length - one[name].shape[1]), value=fill) for one in alone]
        wanted[name] = torch.cat(rows)
    for name in ("pixel_values", "image_grid_thw", "pixel_values_videos", "video_grid_thw"):
        wanted[name] = torch.cat([one[name] for one in alone if name in one])
    assert_same_tensors(model("qwen3_vl").preprocess(values), wanted)


def test_a_chat_over_the_limit_loses_text_and_keeps_its_frame(twin):
    encoder = SentenceTransformer(str(twin("qwen3_vl")), device="cpu")
    encoder.max_seq_length = 60
    whole = qwen3_vl.prepared(twin("qwen3_vl"), text="the dog " * 100)["input_ids"][0].tolist()
    end = qwen3_vl.byte_pairs().token_to_id("<|im_end|>")
    frame = whole[len(whole) - 1 - whole[::-1].index(end) :]
    made = encoder.preprocess(["the dog " * 100])["input_ids"][0].tolist()
    assert made == whole[: 60 - len(frame)] + frame


# ---- what a mistake would do


def test_another_order_of_parts_would_be_seen(twin, model):
    value = MIXTURES["everything"]()
    content = [{"type": "text", "text": value["text"]}]
    content += [{"type": "image", "image": picture} for picture in value["image"]]
    content += [{"type": "video", "video": value["video"]}]
    given = {LETTERS[key]: part for key, part in value.items()}
    tensors = qwen3_vl.prepared(twin("qwen3_vl"), **given, order=("text", "image", "video"))
    wrong = model("qwen3_vl").encode([{"role": "user", "content": content}])
    assert distance(wrong, qwen3_vl.pooled(twin("qwen3_vl"), tensors)) < 1e-5
    assert moved(wrong, model("qwen3_vl").encode(value)) > MOVED


@pytest.mark.parametrize("short", [{"text": "x"}, {"image": pictures()[2], "text": "x"}], ids=["text", "picture"])
def test_padding_without_a_mask_would_be_seen(short, twin, model):
    encoder = model("qwen3_vl")
    features = encoder.preprocess([short, MIXTURES["three pictures and a text"]()])
    with torch.no_grad():
        right = encoder(dict(features))["sentence_embedding"][0]
        blind = {**features, "attention_mask": torch.ones_like(features["attention_mask"])}
        wrong = encoder(blind)["sentence_embedding"][0]
    assert distance(right, wanted(twin("qwen3_vl"), short)) < 1e-5
    assert moved(wrong, right) > MOVED


def test_kinds_that_take_a_picture_for_text_would_be_seen(twin, model):
    encoder = model("qwen3_vl")
    features = encoder.preprocess([pictures()[0]])
    with torch.no_grad():
        right = encoder(dict(features))["sentence_embedding"][0]
        wrong = encoder({**features, "mm_token_type_ids": torch.zeros_like(features["mm_token_type_ids"])})
    assert distance(right, qwen3_vl.reference(twin("qwen3_vl"), image=pictures()[0])) < 1e-5
    assert moved(wrong["sentence_embedding"][0], right) > MOVED
