"""Sentence Transformers still gives the wrong results that docs/differences.md tells of, under the names of its lines.

Knows: what it does. Does not know: what this library does instead (test_wrong_results.py). When a test here fails after
an upgrade, the defect is mended: take its line off the page.
"""

from __future__ import annotations

import base64
import io
import time
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from differences import cases
from reference.closeness import CLOSE, MOVED, assert_close, distance
from twins import bert, clip, qwen3_vl, samples, words
from twins.samples import TEXTS, pictures, sounds

pytestmark = pytest.mark.slow


def is_read_as_words(encoder, folder, string):
    return distance(encoder.encode(string), clip.reference_text(folder, string)) < CLOSE


# ---- strings


def test_a_missing_file_is_never_text(known, twin):
    assert all(is_read_as_words(known("clip"), twin("clip"), name) for name in cases.MISSING)


def test_a_path_of_any_picture_format_is_opened(known, twin, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    pictures()[0].save(tmp_path / "a.tif")
    pictures()[0].save(tmp_path / "b.png")
    for name in (str(tmp_path / "a.tif"), (tmp_path / "b.png").as_uri(), "~/b.png"):
        assert is_read_as_words(known("clip"), twin("clip"), name)


def test_base64_of_a_picture_is_that_picture(known, twin):
    file = io.BytesIO()
    pictures()[2].save(file, "PNG")
    assert is_read_as_words(known("clip"), twin("clip"), base64.b64encode(file.getvalue()).decode())


def test_a_medium_that_the_model_does_not_read_is_never_text(known, twin):
    assert all(is_read_as_words(known("clip"), twin("clip"), name) for name in cases.OTHER_MEDIA)


def test_an_address_that_does_not_say_what_it_holds_is_never_text(known, twin):
    assert is_read_as_words(known("clip"), twin("clip"), cases.ADDRESS)


@pytest.mark.parametrize("family", cases.CONTROL)
def test_words_of_control_tokens_stay_words(family, known):
    one, other = (known(family).encode([value])[0] for value in cases.CONTROL[family])
    assert distance(one, other) < CLOSE


# ---- chats and mixtures


def test_a_chat_beside_a_text_keeps_its_words(known):
    encoder = known("qwen3_vl", form="st")
    beside = encoder.encode([cases.CHAT, "a dog"])[0]
    assert_close([beside], encoder.encode([cases.said_by("user", "")]))
    assert distance(beside, encoder.encode([cases.CHAT])[0]) > MOVED


def test_unknown_content_of_a_chat_is_refused(known):
    encoder = known("qwen3_vl", form="st")
    assert_close(encoder.encode(list(cases.UNKNOWN)), [encoder.encode([cases.said_by("user", "")])[0]] * 2)


def test_none_is_never_the_word_none(known):
    encoder = known("qwen3_vl", form="st")
    assert_close(encoder.encode([{"text": None}]), encoder.encode(["None"]))


def test_a_turn_that_the_template_leaves_out_is_refused(known):
    encoder = known("qwen3_vl", form="st")
    one, other = (encoder.encode([cases.said_by("critic", text)])[0] for text in TEXTS[:2])
    assert distance(one, other) < CLOSE


def test_a_system_turn_of_a_chat_is_not_replaced_by_the_prompt(known, twin):
    made = known("qwen3_vl", form="st").encode([cases.INSTRUCTED])
    assert_close(made, [qwen3_vl.reference(twin("qwen3_vl"), text=cases.TEXT)])


def test_the_order_of_keys_changes_nothing(known):
    picture = cases.small_picture()
    one, other = (
        known("qwen3_vl", form="st").encode([item])[0]
        for item in ({"text": cases.TEXT, "image": picture}, {"image": picture, "text": cases.TEXT})
    )
    assert distance(one, other) > MOVED


def test_pictures_of_one_input_stay_with_it(known):
    wide, tall, square = pictures()
    made = known("clip").encode([{"image": [wide, tall]}, {"image": [square, wide]}])
    assert_close(made, known("clip").encode([wide, tall]))


# ---- prompts and options


def test_a_prompt_that_has_no_place_is_said(known):
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        made = known("clip").encode([pictures()[0]], prompt=cases.PROMPT)
    assert_close(made, known("clip").encode([pictures()[0]]))


def test_a_prompt_that_leaves_no_room_is_refused(known):
    one, other = known("bert").encode(["a dog", "a cat"], prompt=cases.FILLING)
    assert distance(one, other) < CLOSE


def test_a_mistake_in_a_module_is_not_hidden_by_leaving_the_prompt_out():
    library = pytest.importorskip("sentence_transformers")
    encoder = library.SentenceTransformer(modules=[cases.Faulty()], device="cpu")
    assert encoder.encode(["a dog"], prompt=cases.PROMPT).tolist() == [[len(cases.PROMPT + "a dog")]]


def test_impossible_dimensions_are_refused(known):
    shapes = [known("bert").encode(["a dog"], truncate_dim=dims).shape for dims in (0, -5)]
    assert shapes == [(1, 0), (1, bert.WIDTH - 5)]


@pytest.mark.parametrize("options", [{"smell": {}}, {"text": {"max_lenght": 8}}], ids=["section", "name"])
def test_unknown_options_are_refused(options, known):
    assert_close(known("bert").encode(["a dog"], processing_kwargs=options), known("bert").encode(["a dog"]))


def test_threads_do_not_share_lengths(known):
    encoder, end = known("bert"), time.monotonic() + 60

    def cut(limit):
        return encoder.encode([cases.LONG], processing_kwargs={"text": {"max_length": limit}})[0]

    alone = {limit: cut(limit) for limit in cases.LIMITS}
    wrong = []

    def work(limit):
        while not wrong and time.monotonic() < end:
            if distance(cut(limit), alone[limit]) > MOVED:
                wrong.append(limit)

    with ThreadPoolExecutor(len(cases.LIMITS)) as crowd:
        list(crowd.map(work, cases.LIMITS))
    assert wrong


def test_the_side_of_padding_changes_nothing(twin, tmp_path):
    library = pytest.importorskip("sentence_transformers")
    folder = cases.padded_on_the_left(twin("bert"), tmp_path / "left")
    encoder = library.SentenceTransformer(str(folder), device="cpu")
    assert distance(encoder.encode(list(TEXTS))[0], encoder.encode(TEXTS[0])) > MOVED
    tokens = encoder.encode(list(TEXTS), output_value="token_embeddings")
    assert len(tokens[0]) > len(bert.token_ids(twin("bert"), TEXTS[0]))


def test_a_prompt_for_documents_is_used_under_each_of_its_names(known):
    for name in ("passage", "corpus"):
        encoder = known("bert", prompts={name: cases.PROMPT})
        assert_close(encoder.encode_document([cases.TEXT]), encoder.encode([cases.TEXT]))
        assert distance(encoder.encode(cases.TEXT, prompt_name=name), encoder.encode(cases.TEXT)) > MOVED


# ---- what is not a number


def test_a_sound_with_nan_is_refused(known):
    assert np.isnan(known("clap").encode([cases.as_row(cases.broken_sound())])).all()


def test_a_clip_with_nan_is_refused(known):
    assert np.isnan(known("qwen3_vl", form="st").encode([cases.broken_clip()])).all()


def test_a_vector_of_nan_is_an_error(twin):
    library = pytest.importorskip("sentence_transformers")
    encoder = library.SentenceTransformer(str(twin("bert")), device="cpu")
    cases.forget(encoder, bert.vocabulary().index("dog"))
    assert np.isnan(encoder.encode(["a cat", "a dog"])).any(1).tolist() == [False, True]


# ---- pictures


def one_is_seen_otherwise(encoder, path, seen):
    """Whether the file or the opened picture has another vector than what is seen of them. Which one it is depends on
    whether torchvision is installed."""
    with Image.open(path) as opened:
        made = [encoder.encode([value])[0] for value in (str(path), opened)]
    return max(distance(one, encoder.encode([seen])[0]) for one in made) > MOVED


def test_a_16_bit_picture_keeps_its_shades(known, twin):
    picture, same = cases.sixteen_bits()
    assert distance(known("clip").encode([picture])[0], clip.reference_image(twin("clip"), same)) > MOVED


@pytest.mark.parametrize("kind", cases.scaled())
def test_a_picture_of_values_up_to_one_is_scaled_once(kind, known, twin):
    values, same = cases.scaled()[kind]
    assert distance(known("clip").encode([values])[0], clip.reference_image(twin("clip"), same)) > MOVED


def test_a_turned_picture_is_upright_as_a_file_and_as_an_object(known, tmp_path):
    assert one_is_seen_otherwise(known("clip"), *cases.turned(tmp_path))


def test_a_transparent_picture_is_laid_over_white_as_a_file_and_as_an_object(known, tmp_path):
    assert one_is_seen_otherwise(known("clip"), *cases.see_through(tmp_path))


# ---- Qwen3-VL


def test_a_bare_qwen3_vl_folder_gives_the_vectors_of_its_authors(known):
    encoder = known("qwen3_vl")
    assert encoder[1].get_config_dict()["pooling_mode"] == "mean"
    assert np.linalg.norm(encoder.encode(cases.TEXT)) > 1 + MOVED


def test_an_instruction_of_qwen3_vl_ends_in_punctuation(known, twin):
    made = known("qwen3_vl", form="st").encode([cases.TEXT], prompt="Find it")
    wanted = qwen3_vl.reference(twin("qwen3_vl"), text=cases.TEXT, instruction="Find it")
    assert distance(made[0], wanted) > MOVED


def test_a_small_picture_is_not_enlarged_for_qwen3_vl(known, twin):
    picture = cases.small_picture()
    made = known("qwen3_vl", form="st").encode([picture])
    assert distance(made[0], qwen3_vl.reference(twin("qwen3_vl"), image=picture)) > MOVED


def test_a_clip_of_qwen3_vl_has_the_size_and_times_of_its_authors(known, twin):
    frames = samples.clip(4, 64, 64)
    made = known("qwen3_vl", form="st").encode([{"video": frames}])
    assert distance(made[0], qwen3_vl.reference(twin("qwen3_vl"), video_frames=frames)) > MOVED


# ---- sounds


def test_clap_is_not_changed_by_reading_a_text_and_saving(twin, tmp_path):
    library = pytest.importorskip("sentence_transformers")
    encoder = library.SentenceTransformer(str(twin("clap")), device="cpu")
    sound = cases.as_row(sounds()[0])
    encoder.encode("a text")
    encoder.save_pretrained(str(tmp_path))
    loaded = library.SentenceTransformer(str(tmp_path), device="cpu")
    assert encoder.preprocess([sound])["input_features"].shape == (1, 1, 1001, 64)
    assert loaded.preprocess([sound])["input_features"].shape == (1, 1, 2, 64)


@pytest.mark.parametrize("kind", ["rand_trunc", "fusion"])
def test_a_long_sound_has_one_vector(kind, known):
    one, other = (known("clap", truncation=kind).encode([cases.as_row(sounds()[3])])[0] for _ in range(2))
    assert distance(one, other) > MOVED


def test_a_sound_does_not_know_its_neighbours(known):
    encoder, rows = known("clap", truncation="fusion"), [cases.as_row(sound) for sound in sounds()[:2]]
    alone = [encoder.encode([row])[0] for row in rows]
    assert max(distance(one, other) for one, other in zip(encoder.encode(rows), alone)) > MOVED


def test_samples_of_whole_numbers_are_scaled(known):
    numbers = cases.whole_numbers()
    one, other = (known("clap").encode([cases.as_row(row)])[0] for row in (numbers, numbers.astype(np.float32) / 32768))
    assert distance(one, other) > MOVED


# ---- modules of older models


@pytest.fixture
def read():
    """read(folder) → its model in the known library; read(modules=[…]) → one of these."""
    library = pytest.importorskip("sentence_transformers")
    return lambda folder=None, **given: library.SentenceTransformer(folder and str(folder), device="cpu", **given)


def test_a_cnn_does_not_read_padding(read, tmp_path):
    folder = cases.with_cnn(tmp_path)
    made = read(folder).encode(list(words.TEXTS))
    assert max(distance(row, words.reference(folder, text)) for row, text in zip(made, words.TEXTS) if text) > MOVED


def test_weights_of_words_that_were_learned_are_read_again(read, tmp_path):
    folder = cases.with_learned_weights(tmp_path)
    assert distance(read(folder).encode(cases.WORDS), words.reference(folder, cases.WORDS)) > MOVED


def test_layers_that_are_not_there_are_an_error(read, twin):
    from sentence_transformers.sentence_transformer import modules

    folder = twin("bert-bare")
    made = read(modules=cases.layers(modules, folder)).encode([cases.TEXT])
    assert_close(made, [bert.reference(folder, cases.TEXT)])


def test_a_text_without_words_is_zeros_under_max_pooling(read, tmp_path):
    assert np.isneginf(read(cases.pooled_by_max(tmp_path)).encode("")).all()


def test_a_word_that_stands_twice_keeps_its_vector(read, tmp_path):
    encoder = read(cases.with_a_word_twice(tmp_path / "first"))
    encoder.save_pretrained(str(tmp_path / "second"))
    loaded = read(tmp_path / "second")
    assert distance(loaded.encode(cases.WORDS_BEHIND), encoder.encode(cases.WORDS_BEHIND)) > MOVED


def test_an_activation_that_is_not_trusted_is_an_error(read, twin, tmp_path):
    tanh = twin("bert", dense=8)
    made = read(cases.with_activation(tanh, tmp_path / "copy")).encode([cases.TEXT])
    assert_close(made, [bert.reference(tanh, cases.TEXT)])


@pytest.mark.filterwarnings("ignore:Implicit dimension choice")
def test_a_softmax_of_tokens_stays_within_each_of_them(tmp_path):
    library = pytest.importorskip("sentence_transformers")
    dense = library.sentence_transformer.modules.Dense.load(str(cases.with_softmax_of_tokens(tmp_path)))
    both = dense({"token_embeddings": cases.token_vectors(2)})["token_embeddings"].detach()
    alone = dense({"token_embeddings": cases.token_vectors(1)})["token_embeddings"].detach()
    assert distance(both[0], alone[0]) > MOVED


# ---- adapters


def test_adapters_that_are_switched_on_again_are_whole(read, twin, monkeypatch):
    """Where transformers takes the peft that is there: its 5.24 asks for one that is not released."""
    peft = pytest.importorskip("peft")
    monkeypatch.setattr("transformers.integrations.peft.MIN_PEFT_VERSION", peft.__version__)
    encoder = cases.with_copied_layers(read(twin("bert")))
    before = encoder.encode(cases.TEXT)
    encoder.disable_adapters()
    encoder.enable_adapters()
    assert distance(encoder.encode(cases.TEXT), before) > MOVED


def test_an_adapter_that_does_not_fit_is_an_error(read, twin, tmp_path):
    pytest.importorskip("peft")
    folder = cases.with_other_names(cases.adapter(twin("bert-bare"), tmp_path))
    assert_close(read(folder).encode([cases.TEXT]), [bert.reference(twin("bert-bare"), cases.TEXT)])


def test_a_whole_model_is_not_saved_under_an_adapter(read, twin, tmp_path):
    pytest.importorskip("peft")
    folder = cases.adapter(twin("bert-bare"), tmp_path)
    whole = read(twin("bert", seed=1))
    whole.save_pretrained(str(folder))
    assert distance(read(folder).encode(cases.TEXT), whole.encode(cases.TEXT)) > MOVED
