"""What Sentence Transformers 6.2 gets wrong without an error, made right: one test for each line of the page.

Knows: the twins' oracles. Does not know: the known library; that it still does so is shown under the same names in
test_known_library.py.
"""

from __future__ import annotations

import base64
import io
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from differences import cases
from manysense import ManysenseWarning, ModelError, SentenceTransformer, modules
from manysense.errors import (
    AmbiguousInput,
    ForwardError,
    ItemError,
    MediaError,
    MediaNotFound,
    UnsupportedInput,
    UnsupportedModality,
    UntrustedCode,
    UsageError,
)
from reference.closeness import MOVED, assert_close, distance
from twins import bert, clap, clip, qwen3_vl, samples, words
from twins.samples import TEXTS, pictures, sounds

# ---- strings


@pytest.mark.parametrize("name", cases.MISSING)
def test_a_missing_file_is_never_text(name, model):
    with pytest.raises(MediaNotFound, match=r"item 1 of 2.*there is no such file") as error:
        model("clip").encode(["a dog", name])
    assert name in error.value.source


def test_a_path_of_any_picture_format_is_opened(model, twin, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    picture = pictures()[0]
    picture.save(tmp_path / "a.tif")
    picture.save(tmp_path / "b.png")
    made = model("clip").encode([str(tmp_path / "a.tif"), (tmp_path / "b.png").as_uri(), "~/b.png"])
    assert_close(made, [clip.reference_image(twin("clip"), picture)] * 3)


def test_base64_of_a_picture_is_that_picture(model, twin):
    file = io.BytesIO()
    pictures()[2].save(file, "PNG")
    made = model("clip").encode([base64.b64encode(file.getvalue()).decode()])
    assert_close(made, [clip.reference_image(twin("clip"), pictures()[2])])


@pytest.mark.parametrize("name", cases.OTHER_MEDIA)
def test_a_medium_that_the_model_does_not_read_is_never_text(name, model):
    with pytest.raises(UnsupportedModality, match=r"item 1 of 2.*reads image, text"):
        model("clip").encode(["a dog", name])


def test_an_address_that_does_not_say_what_it_holds_is_never_text(model):
    with pytest.raises(AmbiguousInput, match="does not say what it holds"):
        model("clip").encode([cases.ADDRESS])


@pytest.mark.parametrize("family", cases.CONTROL)
def test_words_of_control_tokens_stay_words(family, model):
    one, other = model(family).encode(list(cases.CONTROL[family]))
    assert distance(one, other) > MOVED


# ---- chats and mixtures


def test_a_chat_beside_a_text_keeps_its_words(model, twin):
    made = model("qwen3_vl").encode([cases.CHAT, "a dog"])
    assert_close(made, [qwen3_vl.reference(twin("qwen3_vl"), text=text) for text in (cases.TEXT, "a dog")])


@pytest.mark.parametrize("chat", cases.UNKNOWN, ids=["type", "none"])
def test_unknown_content_of_a_chat_is_refused(chat, model):
    with pytest.raises(UnsupportedInput, match=r"item 1 of 2: content .* chat message"):
        model("qwen3_vl").encode(["a dog", chat])


def test_none_is_never_the_word_none(model):
    with pytest.raises(UnsupportedInput, match="text is None"):
        model("qwen3_vl").encode([{"text": None}])


def test_a_turn_that_the_template_leaves_out_is_refused(model):
    with pytest.raises(UnsupportedInput, match="leaves out a turn of 'critic'"):
        model("qwen3_vl").encode([cases.said_by("critic", "a dog")])


def test_a_system_turn_of_a_chat_is_not_replaced_by_the_prompt(model, twin):
    made = model("qwen3_vl", form="st").encode([cases.INSTRUCTED])
    assert_close(made, [qwen3_vl.reference(twin("qwen3_vl"), text=cases.TEXT, instruction=cases.INSTRUCTION)])


def test_the_order_of_keys_changes_nothing(model, twin):
    picture = cases.small_picture()
    made = model("qwen3_vl").encode([{"text": cases.TEXT, "image": picture}, {"image": picture, "text": cases.TEXT}])
    assert_close(made, [qwen3_vl.reference(twin("qwen3_vl"), text=cases.TEXT, image=picture)] * 2)


def test_pictures_of_one_input_stay_with_it(model, twin):
    wide, tall, square = pictures()
    with pytest.raises(UnsupportedModality, match=r"item 0 of 2.*2 parts of image"):
        model("clip").encode([{"image": [wide, tall]}, {"image": [square, wide]}])
    made = model("clip").encode([{"image": [wide]}, {"image": [square]}])
    assert_close(made, [clip.reference_image(twin("clip"), picture) for picture in (wide, square)])


# ---- prompts and options


def test_a_prompt_that_has_no_place_is_said(model):
    with pytest.warns(ManysenseWarning, match="prompt was not put before"):
        made = model("clip").encode([pictures()[0]], prompt=cases.PROMPT)
    assert_close(made, model("clip").encode([pictures()[0]]))


def test_a_prompt_that_leaves_no_room_is_refused(model):
    with pytest.raises(UsageError, match="leaves no room for text"):
        model("bert").encode(["a dog", "a cat"], prompt=cases.FILLING)


def test_a_mistake_in_a_module_is_not_hidden_by_leaving_the_prompt_out():
    encoder = SentenceTransformer(modules=[cases.Faulty()], device="cpu")
    with pytest.raises(ItemError, match="a mistake of its own"):
        encoder.encode(["a dog"], prompt=cases.PROMPT)


@pytest.mark.parametrize("dims", [0, -5])
def test_impossible_dimensions_are_refused(dims, model):
    with pytest.raises(UsageError, match=f"truncate_dim={dims} must be a whole number from 1 to {bert.WIDTH}"):
        model("bert").encode(["a dog"], truncate_dim=dims)


@pytest.mark.parametrize("options", [{"smell": {}}, {"text": {"max_lenght": 8}}], ids=["section", "name"])
def test_unknown_options_are_refused(options, model):
    with pytest.raises(UsageError, match=r"smell|max_lenght"):
        model("bert").encode(["a dog"], processing_kwargs=options)


def test_threads_do_not_share_lengths(model):
    def cut(limit):
        limited = {"text": {"max_length": limit}}
        return model("bert").encode([cases.LONG], processing_kwargs=limited, on_truncate="ignore")[0]

    alone = {limit: cut(limit) for limit in cases.LIMITS}
    with ThreadPoolExecutor(len(cases.LIMITS)) as crowd:
        made = crowd.map(lambda limit: [cut(limit) for _ in range(12)], cases.LIMITS)
    for limit, rows in zip(cases.LIMITS, made):
        assert_close(rows, [alone[limit]] * len(rows))


def test_the_side_of_padding_changes_nothing(twin, tmp_path):
    encoder = SentenceTransformer(str(cases.padded_on_the_left(twin("bert"), tmp_path / "left")), device="cpu")
    assert_close(encoder.encode(list(TEXTS)), [bert.reference(twin("bert"), text) for text in TEXTS])
    tokens = encoder.encode(list(TEXTS), output_value="token_embeddings")
    assert [len(one) for one in tokens] == [len(bert.token_ids(twin("bert"), text)) for text in TEXTS]


def test_a_prompt_for_documents_is_used_under_each_of_its_names(model, twin):
    for name in ("passage", "corpus"):
        folder = twin("bert", prompts={name: cases.PROMPT})
        made = model("bert", prompts={name: cases.PROMPT}).encode_document([cases.TEXT])
        assert_close(made, [bert.reference(folder, cases.TEXT, cases.PROMPT)])


# ---- what is not a number


def test_a_sound_with_nan_is_refused(model):
    with pytest.raises(MediaError, match=r"item 1 of 2.*NaN"):
        model("clap").encode(["a dog", cases.as_row(cases.broken_sound())])


def test_a_clip_with_nan_is_refused(model):
    with pytest.raises(ItemError, match="item 1 of 2"):
        model("qwen3_vl").encode(["a dog", cases.broken_clip()])


def test_a_vector_of_nan_is_an_error(twin):
    encoder = SentenceTransformer(str(twin("bert")), device="cpu")
    cases.forget(encoder, bert.vocabulary().index("dog"))
    with pytest.raises(ForwardError, match=r"item 1 of 2.*NaN"):
        encoder.encode(["a cat", "a dog"])


# ---- pictures


def test_a_16_bit_picture_keeps_its_shades(model, twin):
    picture, same = cases.sixteen_bits()
    assert_close(model("clip").encode([picture]), [clip.reference_image(twin("clip"), same)])


@pytest.mark.parametrize("kind", cases.scaled())
def test_a_picture_of_values_up_to_one_is_scaled_once(kind, model, twin):
    values, same = cases.scaled()[kind]
    assert_close(model("clip").encode([values]), [clip.reference_image(twin("clip"), same)])


def test_a_turned_picture_is_upright_as_a_file_and_as_an_object(model, twin, tmp_path):
    path, upright = cases.turned(tmp_path)
    with Image.open(path) as opened:
        made = model("clip").encode([str(path), opened])
    assert_close(made, [clip.reference_image(twin("clip"), upright)] * 2)


def test_a_transparent_picture_is_laid_over_white_as_a_file_and_as_an_object(model, twin, tmp_path):
    path, seen = cases.see_through(tmp_path)
    with Image.open(path) as opened:
        made = model("clip").encode([str(path), opened])
    assert_close(made, [clip.reference_image(twin("clip"), seen)] * 2)


# ---- Qwen3-VL


def test_a_bare_qwen3_vl_folder_gives_the_vectors_of_its_authors(model, twin):
    assert_close(model("qwen3_vl").encode(list(TEXTS)), [qwen3_vl.reference(twin("qwen3_vl"), t) for t in TEXTS])


def test_an_instruction_of_qwen3_vl_ends_in_punctuation(model, twin):
    made = model("qwen3_vl", form="st").encode([cases.TEXT], prompt="Find it")
    assert_close(made, [qwen3_vl.reference(twin("qwen3_vl"), text=cases.TEXT, instruction="Find it")])


def test_a_small_picture_is_not_enlarged_for_qwen3_vl(model, twin):
    picture = cases.small_picture()
    made = model("qwen3_vl", form="st").encode([picture])
    assert_close(made, [qwen3_vl.reference(twin("qwen3_vl"), image=picture)])


def test_a_clip_of_qwen3_vl_has_the_size_and_times_of_its_authors(model, twin):
    frames = samples.clip(4, 64, 64)
    made = model("qwen3_vl", form="st").encode([{"video": frames}])
    assert_close(made, [qwen3_vl.reference(twin("qwen3_vl"), video_frames=frames)])


# ---- sounds


def test_clap_is_not_changed_by_reading_a_text_and_saving(twin, tmp_path):
    encoder = SentenceTransformer(str(twin("clap")), device="cpu")
    encoder.encode("a text")
    encoder.save_pretrained(tmp_path)
    made = SentenceTransformer(str(tmp_path), device="cpu").encode([cases.as_row(sounds()[0])])
    assert_close(made, [clap.reference_audio(twin("clap"), sounds()[0])])


@pytest.mark.parametrize("kind", ["rand_trunc", "fusion"])
def test_a_long_sound_has_one_vector(kind, model, twin):
    made = model("clap", truncation=kind).encode([cases.as_row(sounds()[3])], on_truncate="ignore")
    assert_close(made, [clap.reference_audio(twin("clap", truncation=kind), sounds()[3])])


def test_a_sound_does_not_know_its_neighbours(model, twin):
    made = model("clap", truncation="fusion").encode([cases.as_row(sound) for sound in sounds()[:2]])
    assert_close(made, [clap.reference_audio(twin("clap", truncation="fusion"), sound) for sound in sounds()[:2]])


def test_samples_of_whole_numbers_are_scaled(model, twin):
    numbers = cases.whole_numbers()
    made = model("clap").encode([cases.as_row(numbers)])
    assert_close(made, [clap.reference_audio(twin("clap"), numbers.astype(np.float32) / 32768)])


# ---- modules of older models


def test_a_cnn_does_not_read_padding(tmp_path):
    folder = cases.with_cnn(tmp_path)
    made = SentenceTransformer(str(folder), device="cpu").encode(words.TEXTS)
    assert_close(made, [words.reference(folder, text) for text in words.TEXTS])


def test_weights_of_words_that_were_learned_are_read_again(tmp_path):
    folder = cases.with_learned_weights(tmp_path)
    made = SentenceTransformer(str(folder), device="cpu").encode([cases.WORDS])
    assert_close(made, [words.reference(folder, cases.WORDS)])


def test_layers_that_are_not_there_are_an_error(twin):
    encoder = SentenceTransformer(modules=cases.layers(modules, twin("bert-bare")), device="cpu")
    with pytest.raises(ModelError, match="the transformer gives its last only"):
        encoder.encode(cases.TEXT)


def test_a_text_without_words_is_zeros_under_max_pooling(tmp_path):
    made = SentenceTransformer(str(cases.pooled_by_max(tmp_path)), device="cpu").encode(["", "red"])
    assert made[0].tolist() == [0] * words.WIDTH
    assert made[1].any()


def test_a_word_that_stands_twice_keeps_its_vector(tmp_path):
    encoder = SentenceTransformer(str(cases.with_a_word_twice(tmp_path / "first")), device="cpu")
    encoder.save_pretrained(tmp_path / "second")
    loaded = SentenceTransformer(str(tmp_path / "second"), device="cpu")
    texts = ["dog", cases.WORDS_BEHIND]
    assert_close(loaded.encode(texts), encoder.encode(texts))


def test_an_activation_that_is_not_trusted_is_an_error(twin, tmp_path):
    folder = cases.with_activation(twin("bert", dense=8), tmp_path / "copy")
    with pytest.raises(UntrustedCode, match=cases.ACTIVATION):
        SentenceTransformer(str(folder), device="cpu")


def test_a_softmax_of_tokens_stays_within_each_of_them(tmp_path):
    dense = modules.Dense.load_from(cases.with_softmax_of_tokens(tmp_path))
    both = dense({"token_embeddings": cases.token_vectors(2)})["token_embeddings"].detach()
    alone = dense({"token_embeddings": cases.token_vectors(1)})["token_embeddings"].detach()
    assert_close(both[0], alone[0])


# ---- adapters


def test_adapters_that_are_switched_on_again_are_whole(twin):
    pytest.importorskip("peft")
    encoder = cases.with_copied_layers(SentenceTransformer(str(twin("bert")), device="cpu"))
    before = encoder.encode([cases.TEXT])
    encoder.disable_adapters()
    encoder.enable_adapters()
    assert_close(encoder.encode([cases.TEXT]), before)


def test_an_adapter_that_does_not_fit_is_an_error(twin, tmp_path):
    pytest.importorskip("peft")
    folder = cases.adapter(twin("bert-bare"), tmp_path / "adapter")
    fitting = SentenceTransformer(str(folder), device="cpu").encode(cases.TEXT)
    assert distance(fitting, bert.reference(twin("bert-bare"), cases.TEXT)) > MOVED
    with pytest.raises(ModelError, match="does not fit"):
        SentenceTransformer(str(cases.with_other_names(folder)), device="cpu")


def test_a_whole_model_is_not_saved_under_an_adapter(model, twin, tmp_path):
    pytest.importorskip("peft")
    folder = cases.adapter(twin("bert-bare"), tmp_path / "adapter")
    with pytest.raises(ModelError, match="holds an adapter, which would be put on the new model"):
        model("bert").save_pretrained(folder)
