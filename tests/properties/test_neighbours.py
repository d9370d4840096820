"""A vector does not know its neighbours: not their number, their kinds, their order, nor how batches are cut."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from manysense.errors import UnsupportedModality
from properties.pools import FAMILIES, pool, twin_name
from reference.closeness import assert_close, distance
from twins.samples import RATE, TEXTS, clip, pictures, sounds

pytestmark = pytest.mark.slow

BATCHES = st.sampled_from([None, 1, 2, 3, 5, 32])
few = settings(deadline=None, max_examples=12, derandomize=True, suppress_health_check=list(HealthCheck))
every_family = pytest.mark.parametrize("family", FAMILIES)


@pytest.fixture(scope="module")
def alone(model):
    """family → the vectors of its pool, each from a call of its own."""

    @cache
    def vectors(family):
        encoder = model(twin_name(family), **FAMILIES[family])
        return [encoder.encode(value, on_truncate="ignore") for value in pool(family)]

    return vectors


@every_family
@few
@given(data=st.data(), batch_size=BATCHES)
def test_any_list_in_any_batches_gives_the_vectors_of_its_items_alone(family, data, batch_size, model, alone):
    picks = data.draw(st.lists(st.integers(0, len(pool(family)) - 1), min_size=1, max_size=14))
    encoder = model(twin_name(family), **FAMILIES[family])
    made = encoder.encode([pool(family)[pick] for pick in picks], batch_size=batch_size, on_truncate="ignore")
    assert_close(made, [alone(family)[pick] for pick in picks])


@every_family
def test_distinct_inputs_of_a_pool_have_distinct_vectors(family, alone):
    """Without this, the other properties would hold for a model that gives one vector to all."""
    vectors = [vector for vector in alone(family) if np.linalg.norm(vector)]
    near = [(i, j) for i in range(len(vectors)) for j in range(i) if distance(vectors[i], vectors[j]) < 1e-3]
    assert near == []


@every_family
def test_a_stream_gives_the_vectors_of_the_list_in_its_order(family, model, alone):
    encoder = model(twin_name(family), **FAMILIES[family])
    made = list(encoder.encode_stream(iter(pool(family)), on_truncate="ignore"))
    assert_close(made, alone(family))


@every_family
def test_a_long_list_gives_every_item_its_own_vector(family, model, alone):
    encoder = model(twin_name(family), **FAMILIES[family])
    order = np.random.default_rng(3).integers(0, len(pool(family)), 60)
    made = encoder.encode([pool(family)[pick] for pick in order], on_truncate="ignore")
    assert_close(made, [alone(family)[pick] for pick in order])


@pytest.mark.parametrize("family", ["bert", "static", "clip", "qwen3_vl"])
@few
@given(texts=st.lists(st.text(max_size=60), min_size=1, max_size=6), batch_size=BATCHES)
def test_any_texts_give_the_vectors_they_give_alone(family, texts, batch_size, model):
    encoder = model(family)
    options = {"on_truncate": "ignore", "modality": "text"}
    made = encoder.encode(texts, batch_size=batch_size, **options)
    assert_close(made, [encoder.encode(text, **options) for text in texts])


@pytest.mark.parametrize("family", ["bert", "qwen3_vl"])
def test_token_matrices_do_not_know_their_neighbours(family, model):
    encoder = model(family)
    for text, made in zip(TEXTS, encoder.encode(list(TEXTS), output_value="token_embeddings")):
        (single,) = encoder.encode([text], output_value="token_embeddings")
        assert_close(made, single)


@pytest.mark.parametrize("family", ["bert", "clip", "clap", "qwen3_vl"])
@pytest.mark.parametrize(
    "options",
    [{"normalize_embeddings": True}, {"truncate_dim": 8}, {"precision": "ubinary"}, {"convert_to_tensor": True}],
    ids=str,
)
def test_every_form_of_result_is_that_of_the_item_alone(family, options, model):
    encoder = model(family)
    values = [pool(family)[pick] for pick in (0, 7, 2, 0, 1)]
    made = encoder.encode(values, on_truncate="ignore", **options)
    single = [encoder.encode(value, on_truncate="ignore", **options) for value in values]
    if options.get("precision"):
        assert np.array_equal(made, np.stack(single))
    else:
        assert_close(made, single)


# ---- a dict has no order


ORDERS = st.permutations(["text", "image", "video"])


@few
@given(first=ORDERS, second=ORDERS, size=st.integers(1, 3))
def test_the_order_of_a_dicts_keys_never_matters(first, second, size, model):
    value = {"text": TEXTS[0], "image": pictures()[0].resize((64, 64)), "video": clip(2, 64, 48)}
    keys = set(first[:size])
    one = {key: value[key] for key in first if key in keys}
    other = {key: value[key] for key in second if key in keys}
    made = model("qwen3_vl").encode([one, TEXTS[1], other])
    assert np.array_equal(made[0], made[2])
    assert_close([model("qwen3_vl").encode(one)], [made[2]])


@few
@given(pairs=st.lists(st.booleans(), min_size=1, max_size=4))
def test_dicts_of_both_orders_may_stand_in_one_list(pairs, model):
    picture = pictures()[0].resize((64, 64))
    order = {True: {"text": "a dog", "image": picture}, False: {"image": picture, "text": "a dog"}}
    made = model("qwen3_vl").encode([order[pair] for pair in pairs])
    assert_close(made, [model("qwen3_vl").encode(order[True])] * len(pairs))


def test_the_keys_of_a_sounds_dict_may_come_in_any_order(model):
    tone = sounds()[0]
    one, other = {"array": tone, "sampling_rate": RATE}, {"sampling_rate": RATE, "array": tone}
    made = model("clap").encode([one, other, {"audio": other}, tone])
    assert_close(made, [model("clap").encode(tone)] * 4)


@pytest.mark.parametrize("keys", [("text", "image"), ("image", "text")], ids="-".join)
def test_a_dual_encoder_refuses_a_pair_in_either_order(keys, model):
    value = {"text": "a dog", "image": pictures()[0]}
    with pytest.raises(UnsupportedModality) as caught:
        model("clip").encode(["a dog", {key: value[key] for key in keys}])
    assert caught.value.index == 1


# ---- equal inputs share work, different ones never do


def test_turns_of_different_roles_are_different_inputs(model):
    encoder = model("qwen3_vl")
    talks = [[{"role": role, "content": "a red circle"}] for role in ("user", "assistant")]
    apart = [encoder.encode(talk) for talk in talks]
    assert distance(*apart) > 1e-3
    assert_close(encoder.encode([*talks, "a red circle"]), [*apart, apart[0]])


def test_the_same_samples_at_another_rate_are_another_sound(model):
    encoder, tone = model("clap"), sounds()[0]
    values = [(tone, RATE), (tone, RATE // 2)]
    assert_close(encoder.encode(values), [encoder.encode(value) for value in values])
    assert distance(*encoder.encode(values)) > 1e-3


def test_frames_with_a_rate_are_not_the_frames_without(model):
    from manysense import Video

    encoder, frames = model("qwen3_vl"), clip(8, 64, 48)
    values = [Video(frames), Video(frames, fps=8.0), Video(frames, fps=2.0)]
    apart = [encoder.encode(value) for value in values]
    assert distance(apart[0], apart[1]) > 1e-3
    assert_close(encoder.encode(values), apart)


def test_parts_in_other_turns_are_another_conversation(model):
    encoder = model("qwen3_vl")
    one = [{"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}]
    other = [{"role": "user", "content": "a"}, {"role": "user", "content": "b"}]
    apart = [encoder.encode(talk) for talk in (one, other)]
    assert distance(*apart) > 1e-3
    assert_close(encoder.encode([one, other]), apart)


def test_a_text_that_spells_a_pictures_key_stays_a_text(model):
    from manysense.inputs.types import Part
    from manysense.media.policy import DEFAULT
    from manysense.media.reader import Reader

    picture = pictures()[0]
    spelled = Reader(DEFAULT).key(Part("image", picture))
    encoder = model("clip")
    text = spelled if isinstance(spelled, str) else str(spelled)
    assert_close(encoder.encode([picture, text]), [encoder.encode(picture), encoder.encode(text)])


def test_a_picture_changed_between_calls_is_read_again(model, tmp_path):
    encoder, path = model("clip"), tmp_path / "picture.png"
    vectors = []
    for picture in pictures()[:2]:
        picture.save(path)
        vectors.append(encoder.encode(str(path)))
    assert_close(vectors, encoder.encode(pictures()[:2]))
