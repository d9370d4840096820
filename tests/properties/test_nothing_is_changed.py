"""A call changes nothing but its result; a model can be copied, pickled, cast and moved like any torch module."""

from __future__ import annotations

import copy
import io
import pickle
import random
import threading

import numpy as np
import pytest
import torch

from manysense import SentenceTransformer
from manysense.errors import ItemError
from properties.pools import FAMILIES, pool, twin_name
from reference.closeness import assert_close, distance
from twins.samples import RATE, TEXTS, clip, pictures, sounds

pytestmark = pytest.mark.slow

every_family = pytest.mark.parametrize("family", FAMILIES)


@pytest.fixture
def fresh(twin):
    """family → a model of this test alone."""
    return lambda family, **options: SentenceTransformer(
        str(twin(twin_name(family), **FAMILIES[family])), device="cpu", **options
    )


def mixed(family):
    """A few inputs of every modality of the family."""
    values = pool(family)
    return [values[0], values[1], *values[5:8]]


def encoded(encoder, family):
    return encoder.encode(mixed(family), on_truncate="ignore")


# ---- copies, casts and moves


@every_family
@pytest.mark.parametrize(
    "copied", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))], ids=["deepcopy", "pickle"]
)
def test_a_copy_gives_equal_vectors_and_shares_nothing(family, copied, fresh):
    encoder = fresh(family)
    before = encoded(encoder, family)
    twin = copied(encoder)
    assert_close(encoded(twin, family), before)
    with torch.no_grad():
        for weight in twin.parameters():
            weight.zero_()
    assert_close(encoded(encoder, family), before)


@every_family
@pytest.mark.parametrize(
    ("cast", "dtype"),
    [(lambda model: model.half(), "float16"), (lambda model: model.to(torch.bfloat16), "bfloat16")],
    ids=["half", "bfloat16"],
)
def test_a_model_in_half_precision_gives_nearly_the_same_vectors(family, cast, dtype, fresh):
    encoder = fresh(family)
    before = encoded(encoder, family)
    made = encoded(cast(encoder), family)
    assert str(encoder.dtype) == f"torch.{dtype}"
    assert made.dtype == (np.float16 if dtype == "float16" else np.float32)
    for one, other in zip(made.astype(np.float64), before.astype(np.float64)):
        assert one @ other >= 0.9 * np.linalg.norm(one) * np.linalg.norm(other)


@every_family
def test_casting_back_and_moving_to_the_same_device_keep_a_model_working(family, fresh):
    encoder = fresh(family)
    before = encoded(encoder, family)
    assert encoder.to("cpu") is encoder
    assert_close(encoded(encoder, family), before)
    encoder.double()
    assert_close(encoded(encoder, family), before, limit=1e-3)
    assert encoded(encoder.float(), family).dtype == np.float32


def test_weights_set_in_place_are_seen_by_the_next_call(fresh):
    encoder, other = fresh("bert"), fresh("bert")
    before = encoder.encode(TEXTS[0])
    with torch.no_grad():
        for weight in other.parameters():
            weight.mul_(0.5)
    encoder.load_state_dict(other.state_dict())
    assert distance(encoder.encode(TEXTS[0]), before) > 1e-3
    assert_close([encoder.encode(TEXTS[0])], [other.encode(TEXTS[0])])


# ---- the model's own state


@every_family
def test_a_training_model_is_evaluated_and_trains_again(family, fresh):
    encoder = fresh(family)
    before = encoded(encoder, family)
    for module in encoder.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.5
    encoder.train()
    frozen = next(encoder.children())
    frozen.eval()
    modes = [module.training for module in encoder.modules()]
    assert_close(encoded(encoder, family), before)
    assert [module.training for module in encoder.modules()] == modes


def test_a_call_that_fails_leaves_a_training_model_training(fresh):
    encoder = fresh("clip")
    encoder.train()
    with pytest.raises(ItemError):
        encoder.encode([TEXTS[0], "no such file.png"])
    assert all(module.training for module in encoder.modules())


def test_a_stream_left_early_leaves_a_training_model_training(fresh):
    encoder = fresh("bert")
    encoder.train()
    stream = encoder.encode_stream(iter(TEXTS * 50))
    next(stream)
    stream.close()
    assert all(module.training for module in encoder.modules())


@every_family
def test_encoding_leaves_no_gradient_and_keeps_gradients_possible(family, fresh):
    encoder = fresh(family)
    made = encoder.encode(mixed(family), convert_to_tensor=True, on_truncate="ignore")
    assert not made.requires_grad
    assert torch.is_grad_enabled()
    assert all(weight.requires_grad for weight in encoder.parameters())
    encoder(encoder.preprocess([TEXTS[0]]))["sentence_embedding"].sum().backward()
    assert any(weight.grad is not None for weight in encoder.parameters())


@every_family
def test_the_weights_and_the_tokenizer_stay_as_they_were(family, fresh):
    encoder = fresh(family)
    weights = {name: value.clone() for name, value in encoder.state_dict().items()}
    tokenizer = getattr(encoder.tokenizer, "_tokenizer", encoder.tokenizer)
    before, length, prompts = tokenizer.to_str(), encoder.max_seq_length, dict(encoder.prompts)
    encoded(encoder, family)
    encoder.encode(TEXTS[1], prompt="a prompt ", on_truncate="ignore", truncate_dim=3)
    encoder.encode(TEXTS[1], processing_kwargs={"text": {"max_length": 40}}, on_truncate="ignore")
    encoder.preprocess([TEXTS[0], TEXTS[1]])
    assert tokenizer.to_str() == before
    assert (encoder.max_seq_length, encoder.prompts, encoder.truncate_dim) == (length, prompts, None)
    assert all(torch.equal(value, weights[name]) for name, value in encoder.state_dict().items())


# ---- the caller's objects


def test_arrays_and_tensors_keep_their_values(model):
    sound, pixels = sounds()[0], np.asarray(pictures()[0]).copy()
    frames = np.stack([np.asarray(frame) for frame in clip(2, 64, 48)])
    given = {
        "clap": [sound, torch.from_numpy(sound.copy()), np.stack([sound, -sound / 2]), (sound, RATE // 2)],
        "clip": [pixels, torch.from_numpy(pixels.copy())],
        "qwen3_vl": [pixels, frames],
    }
    before = copy.deepcopy(given)
    for family, values in given.items():
        model(family).encode(values)
    for family, values in given.items():
        for value, kept in zip(values, before[family]):
            value, kept = (one[0] if isinstance(one, tuple) else one for one in (value, kept))
            assert np.array_equal(np.asarray(value), np.asarray(kept))


def test_arrays_that_may_not_be_written_are_read(model):
    sound, pixels = sounds()[0].copy(), np.asarray(pictures()[0]).copy()
    expected = [model("clap").encode(sound), model("clip").encode(pixels)]
    sound.setflags(write=False)
    pixels.setflags(write=False)
    assert_close([model("clap").encode(sound)], expected[:1])
    assert_close([model("clip").encode(pixels)], expected[1:])


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P", "L"])
@pytest.mark.parametrize("family", ["clip", "qwen3_vl"])
def test_pictures_stay_as_they_were(family, mode, model):
    picture = pictures()[0].convert(mode)
    before = (picture.mode, picture.size, picture.tobytes(), dict(picture.info))
    model(family).encode([picture, picture])
    assert (picture.mode, picture.size, picture.tobytes(), dict(picture.info)) == before


@pytest.mark.parametrize("position", [0, 17])
def test_files_keep_their_position_and_stay_open(position, model, samples):
    path = samples / "red_circle.png"
    inside = io.BytesIO(path.read_bytes())
    with path.open("rb") as outside:
        for file in (inside, outside):
            file.seek(position)
        try:
            model("clip").encode([inside, outside])
        except ItemError:
            assert position  # from there on it is no picture
        assert [file.tell() for file in (inside, outside)] == [position] * 2
        assert not any(file.closed for file in (inside, outside))


def test_a_picture_opened_by_the_caller_stays_usable(model, samples):
    from PIL import Image

    with Image.open(samples / "red_circle.png") as picture:
        expected = model("clip").encode(picture)
        assert_close(model("clip").encode([picture, picture]), [expected] * 2)
        assert picture.getpixel((3, 3)) is not None


def test_lists_dicts_and_options_stay_as_they_were(model):
    picture = pictures()[0]
    inputs = [
        {"text": [TEXTS[0], TEXTS[1]], "image": [picture]},
        [{"role": "user", "content": [{"type": "image", "image": picture}, {"type": "text", "text": "a"}]}],
        {"video": clip(2, 64, 48)},
    ]
    options = {"text": {"max_length": 500}, "image": {"max_pixels": 128 * 128}}
    shape, kept = repr(inputs), copy.deepcopy(options)
    model("qwen3_vl").encode(inputs, processing_kwargs=options)
    assert repr(inputs) == shape
    assert options == kept


def test_constructor_options_stay_as_they_were(twin):
    options = {
        "model_kwargs": {"torch_dtype": "float32", "attn_implementation": "eager"},
        "processor_kwargs": {"max_pixels": 100_000},
        "config_kwargs": {},
        "prompts": {"query": "q: "},
    }
    kept = copy.deepcopy(options)
    SentenceTransformer(str(twin("qwen3_vl")), device="cpu", **options).encode("a")
    assert options == kept


# ---- the process


@pytest.mark.parametrize("family", ["bert", "clip", "clap", "qwen3_vl"])
def test_the_process_keeps_its_settings(family, model):
    def facts():
        seen = []
        thread = threading.Thread(target=lambda: seen.append((torch.ones(1).add_(1), torch.get_num_threads())[1]))
        thread.start()
        thread.join()
        return (
            torch.get_num_threads(),
            seen[0],
            torch.get_num_interop_threads(),
            torch.get_default_dtype(),
            torch.is_grad_enabled(),
            random.getstate(),
            repr(np.random.get_state()),
            torch.get_rng_state().tolist(),
        )

    before = facts()
    model(family).encode(pool(family) * 3, on_truncate="ignore")
    assert facts() == before
