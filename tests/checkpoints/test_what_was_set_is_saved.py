"""What was set on a model is in a saved copy of it, in files and under keys that the known library reads.

Knows: lengths, budgets and sizes of pictures, templates, added words. Does not know: what a folder said before
(test_what_a_folder_says.py).
"""

from __future__ import annotations

import json

import pytest
import torch

from manysense import SentenceTransformer
from manysense.modules import StaticEmbedding
from reference.closeness import CLOSE, MOVED, distance
from twins.samples import pictures, sounds

TEXT = "the red house on the hill and the dog by the water"
SAID = "sentence_bert_config.json"
EXACT = {"do_center_crop": False, "do_resize": True, "size": {"height": 48, "width": 48}}


def ours(folder, **kwargs):
    return SentenceTransformer(str(folder), device="cpu", **kwargs)


def encode(model, value=TEXT):
    return model.encode(value, on_truncate="ignore")


def grown(model):
    """The model with one more word and a row for it."""
    model.tokenizer.add_tokens(["[DOC]"])
    torch.manual_seed(0)
    model[0].auto_model.resize_token_embeddings(len(model.tokenizer), mean_resizing=False)
    return model


def assert_same(made, expected):
    assert distance(made, expected) < CLOSE


@pytest.fixture
def copied(tmp_path):
    """copied(model) → a copy that went over the disk."""

    def over(model):
        model.save_pretrained(tmp_path / "copy")
        return ours(tmp_path / "copy")

    return over


@pytest.fixture
def theirs(tmp_path):
    """theirs() → the saved copy in the known library."""
    library = pytest.importorskip("sentence_transformers")
    return lambda: library.SentenceTransformer(str(tmp_path / "copy"), device="cpu")


@pytest.mark.parametrize(("name", "length"), [("bert", 5), ("clip", 5), ("qwen3_vl", 40), ("static", 3)])
def test_a_length(name, length, twin, copied):
    model = ours(twin(name))
    model.max_seq_length = length
    again = copied(model)
    assert again.max_seq_length == length
    text = TEXT * 5
    assert_same(encode(again, text), encode(model, text))
    assert distance(encode(model, text), encode(ours(twin(name)), text)) > MOVED


@pytest.mark.parametrize("name", ["bert", "clip", "qwen3_vl"])
def test_a_length_that_was_set_on_the_tokenizer(name, twin, copied):
    model = ours(twin(name))
    model.tokenizer.model_max_length = 40
    assert model.max_seq_length == 40
    assert copied(model).max_seq_length == 40


def test_a_length_that_nobody_set_is_not_written(twin, copied, tmp_path):
    copied(ours(twin("clip")))
    assert "max_seq_length" not in json.loads((tmp_path / "copy" / SAID).read_text())


def test_a_length_of_static_vectors_that_was_taken_away(twin, copied):
    model = ours(twin("static"))
    model.max_seq_length = 3
    limited = copied(model)
    limited.max_seq_length = None
    assert copied(limited).max_seq_length is None


@pytest.mark.parametrize("left", [False, True])
def test_static_vectors_stop_where_their_tokenizer_says(left, twin, copied):
    tokenizer = ours(twin("static"))[0].tokenizer
    tokenizer = type(tokenizer).from_str(tokenizer.to_str())
    tokenizer.enable_truncation(3, direction="left" if left else "right")
    table = ours(twin("static"))[0].embedding.weight.detach()
    model = SentenceTransformer(modules=[StaticEmbedding(tokenizer, table)], device="cpu")
    kept = "by the water" if left else "the red house"
    assert_same(encode(model), encode(ours(twin("static")), kept))
    assert_same(encode(copied(model)), encode(model))


def test_how_pictures_are_cut(twin, copied):
    picture = pictures()[0]
    model = ours(twin("clip"), processor_kwargs=EXACT)
    assert_same(encode(copied(model), picture), encode(model, picture))
    assert distance(encode(model, picture), encode(ours(twin("clip")), picture)) > MOVED


def test_the_callers_own_values_win_over_saved_ones(twin, copied, tmp_path):
    copied(ours(twin("clip"), processor_kwargs=EXACT))
    picture = pictures()[0]
    other = {"do_center_crop": True, "size": {"shortest_edge": 48}}
    assert_same(encode(ours(tmp_path / "copy", processor_kwargs=other), picture), encode(ours(twin("clip")), picture))


def test_the_pixels_of_a_picture_for_a_chat_model(twin, copied):
    picture = pictures()[0]
    model = ours(twin("qwen3_vl"), processor_kwargs={"min_pixels": 65536})
    assert_same(encode(copied(model), picture), encode(model, picture))
    assert distance(encode(model, picture), encode(ours(twin("qwen3_vl")), picture)) > MOVED


def test_how_a_sound_is_made_long_enough(twin, copied):
    model, sound = ours(twin("clap"), processor_kwargs={"padding": "pad"}), sounds()[0]
    assert_same(encode(copied(model), sound), encode(model, sound))
    assert distance(encode(model, sound), encode(ours(twin("clap")), sound)) > MOVED


def test_a_chat_template(twin, copied):
    template = (twin("qwen3_vl") / "chat_template.jinja").read_text().replace("<|im_start|>", "<|im_start|>the ", 1)
    model = ours(twin("qwen3_vl"), processor_kwargs={"chat_template": template})
    assert_same(encode(copied(model)), encode(model))


def test_words_that_were_added_to_the_tokenizer(twin, copied):
    model = grown(ours(twin("bert")))
    assert model.tokenize(["[DOC] a dog"])["input_ids"].tolist() == model.tokenizer(["[DOC] a dog"])["input_ids"]
    assert_same(encode(copied(model), "[DOC] a dog"), encode(model, "[DOC] a dog"))


# ---- with the known library


@pytest.mark.slow
@pytest.mark.parametrize(("name", "length"), [("bert", 5), ("clip", 5), ("static", 3)])
def test_the_known_library_reads_the_length(name, length, twin, copied, theirs):
    model = ours(twin(name))
    model.max_seq_length = length
    copied(model)
    assert_same(theirs().encode(TEXT), encode(model))


@pytest.mark.slow
def test_the_known_library_cuts_pictures_in_the_same_way(twin, copied, theirs):
    model, picture = ours(twin("clip"), processor_kwargs=EXACT), pictures()[0]
    copied(model)
    assert_same(theirs().encode(picture), encode(model, picture))


@pytest.mark.slow
def test_the_known_library_knows_the_added_words(twin, copied, theirs):
    model = grown(ours(twin("bert")))
    copied(model)
    assert_same(theirs().encode("[DOC] a dog"), encode(model, "[DOC] a dog"))
