"""What differs from Sentence Transformers on purpose without being a defect: one test for each line of the page.

Knows: what a program that was written for it will notice. Does not know: bad input (test_bad_input.py), wrong vectors
(test_wrong_results.py).
"""

from __future__ import annotations

import inspect
import io
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from manysense import ManysenseWarning, SentenceTransformer, Text
from manysense.errors import (
    AmbiguousInput,
    MediaError,
    MediaNotFound,
    ModelError,
    ModelNotFound,
    UnsupportedInput,
    UsageError,
)
from manysense.modules import StaticEmbedding, WordEmbeddings
from reference.closeness import MOVED, assert_close, distance
from twins import bert, clip, static
from twins.samples import TEXTS, pictures, sounds

WORDS = "I saved it as cat.jpg"

# ---- what an input is


def test_whether_a_file_exists_does_not_decide_what_a_string_is(model, twin, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(MediaNotFound):
        model("clip").encode(WORDS)
    pictures()[0].save(tmp_path / WORDS, "PNG")
    assert_close([model("clip").encode(WORDS)], [clip.reference_image(twin("clip"), pictures()[0])])
    words = [model("clip").encode(WORDS, modality="text"), model("clip").encode(Text(WORDS))]
    assert_close(words, [clip.reference_text(twin("clip"), WORDS)] * 2)


@pytest.mark.parametrize(
    "collection",
    [iter, pd.Series, lambda texts: dict.fromkeys(texts).keys(), lambda texts: (text for text in texts)],
    ids=["iterator", "series", "view", "generator"],
)
def test_any_collection_is_many_inputs(collection, model, twin):
    made = model("bert").encode(collection(TEXTS))
    assert_close(made, [bert.reference(twin("bert"), text) for text in TEXTS])


def test_paths_bytes_and_files_are_read(model, samples, tmp_path):
    path = samples / "red_circle.png"
    made = model("clip").encode([path, path.read_bytes(), io.BytesIO(path.read_bytes())])
    assert_close(made, [model("clip").encode(str(path))] * 3)
    (tmp_path / "a.txt").write_text("a dog")
    assert_close([model("bert").encode(Path(tmp_path / "a.txt"))], [model("bert").encode("a dog")])


@pytest.mark.parametrize("pair", [("a dog", "a cat"), ["a dog", "a cat"]], ids=["tuple", "list"])
def test_a_pair_of_texts_is_no_input(pair, model):
    with pytest.raises(UnsupportedInput, match=r"item 0 of 1: .*\n.*a pair of texts is for a reranker"):
        model("bert").encode([pair])


def test_floats_of_a_picture_end_at_one(model):
    with pytest.raises(MediaError, match=r"its floats are from 0 to 255; they must be in 0\.\.1"):
        model("clip").encode([np.asarray(pictures()[2]).astype(np.float32)])


def test_an_array_that_reads_two_ways_is_refused(model):
    with pytest.raises(
        AmbiguousInput, match=r"reads as \(height, width, channels\) and as \(channels, height, width\)"
    ):
        model("clip").encode([np.zeros((3, 40, 3), np.uint8)])


# ---- what is said


def test_what_is_cut_is_said(model):
    long = ["a dog", "the dog and the cat " * 30]
    with pytest.warns(ManysenseWarning, match="1 of 2 inputs are longer than this model reads and were cut: 48 tokens"):
        warned = model("bert").encode(long)
    assert_close(model("bert").encode(long, on_truncate="ignore"), warned)
    with pytest.warns(ManysenseWarning, match=r"10\.0 seconds are read, the longest has 25\.0"):
        model("clap").encode([sounds()[3]])


def test_ranges_of_a_calls_own_rows_are_said_whatever_their_number(model):
    many = [f"{number} dog" for number in range(120)]
    with pytest.warns(ManysenseWarning, match="ranges were taken from this call's own 120 vectors"):
        made = model("bert").encode(many, precision="int8", batch_size=50)
    assert (made.min(0), made.max(0)) == (pytest.approx(-128), pytest.approx(127, abs=1))
    ranges = np.array([[-0.5] * bert.WIDTH, [0.5] * bert.WIDTH])
    one, other = (model("bert").encode([text, "a dog"], precision="int8", ranges=ranges)[1] for text in ("a", "b"))
    assert np.abs(one.astype(int) - other).max() <= 1  # a value on the edge of two levels


# ---- how a call runs


def test_batches_are_cut_by_cost_unless_a_size_is_given(model, twin):
    seen = []
    encoder = SentenceTransformer(str(twin("bert")), device="cpu")
    encoder[1].register_forward_hook(lambda module, args, output: seen.append(len(output["sentence_embedding"])))
    texts = [f"{number} dog" for number in range(40)]
    assert inspect.signature(encoder.encode).parameters["batch_size"].default is None
    made = encoder.encode(texts)
    assert max(seen) == 40
    seen.clear()
    assert_close(encoder.encode(texts, batch_size=32), made)
    assert max(seen) <= 32


def test_equal_inputs_are_computed_once(twin):
    seen = []
    encoder = SentenceTransformer(str(twin("bert")), device="cpu")
    encoder[1].register_forward_hook(lambda module, args, output: seen.append(len(output["sentence_embedding"])))
    assert_close(encoder.encode(["a dog"] * 50), [bert.reference(twin("bert"), "a dog")] * 50)
    assert seen == [1]


def test_a_device_for_one_call_does_not_move_the_model(twin):
    encoder = SentenceTransformer(str(twin("bert")), device="cpu")
    if torch.cuda.is_available():
        encoder.encode("a dog", device="cuda")
    else:
        with pytest.raises(UsageError, match="device='meta' is not there"):
            encoder.encode("a dog", device="meta")
    assert encoder.device.type == "cpu"
    assert distance(encoder.encode("a dog"), bert.reference(twin("bert"), "a dog")) < 1e-5


def test_a_training_model_trains_on(twin):
    encoder = SentenceTransformer(str(twin("bert")), device="cpu").train()
    encoder.encode("a dog")
    assert all(module.training for module in encoder.modules())


def test_vectors_may_enter_a_gradient(model):
    weight = torch.nn.Parameter(torch.ones(bert.WIDTH))
    vector = model("bert").encode("a dog", convert_to_tensor=True)
    (vector * weight).sum().backward()
    assert torch.equal(weight.grad, vector)


def test_autocast_of_the_caller_changes_nothing(model, twin):
    with torch.autocast("cpu", dtype=torch.bfloat16):
        made = model("bert").encode([TEXTS[1]])
    assert_close(made, [bert.reference(twin("bert"), TEXTS[1])])


# ---- what comes back


def test_every_form_of_result_is_normalised_on_request(model):
    (made,) = model("clip").encode(["a dog"], output_value=None, normalize_embeddings=True)
    assert_close([made["sentence_embedding"]], model("clip").encode(["a dog"], normalize_embeddings=True))
    assert distance(made["sentence_embedding"], model("clip").encode("a dog")) > MOVED


def test_an_empty_result_has_the_type_of_a_full_one(model):
    assert model("bert").encode([]).dtype == np.float32
    assert model("bert").encode([], precision="int8").dtype == np.int8


def test_a_saved_folder_has_the_old_names_of_its_modules(model, tmp_path):
    model("bert").save_pretrained(tmp_path)
    types = [module["type"] for module in json.loads((tmp_path / "modules.json").read_text())]
    assert types == [f"sentence_transformers.models.{name}" for name in ("Transformer", "Pooling", "Normalize")]


def test_the_processor_is_the_tokenizer(model):
    assert model("clip").processor is model("clip").tokenizer


def test_other_backends_than_torch_are_refused(twin):
    with pytest.raises(UsageError, match=r"backend='onnx' is not supported.*torch"):
        SentenceTransformer(str(twin("bert")), backend="onnx")


def test_word_vectors_are_read_from_a_file_that_is_there(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelNotFound, match=r"https://.*/glove\.6B\.300d\.txt\.gz"):
        WordEmbeddings.from_text_file("glove.6B.300d.txt.gz")
    assert not list(tmp_path.iterdir())


def test_a_table_of_model2vec_reads_a_text_to_its_end(twin):
    table, long = StaticEmbedding.from_model2vec(twin("static")), "the dog and the cat " * 200
    assert_close(SentenceTransformer(modules=[table]).encode([long]), [static.reference(twin("static"), long)])


def test_a_model_with_layers_elsewhere_is_not_saved(twin, tmp_path):
    pytest.importorskip("accelerate")
    places = {"embeddings": "cpu", "encoder.layer.0": "cpu", "encoder.layer.1": "disk", "pooler": "cpu"}
    options = {"device_map": places, "offload_folder": str(tmp_path / "layers")}
    encoder = SentenceTransformer(str(twin("bert")), model_kwargs=options)
    with pytest.raises(ModelError, match="spread over devices by device_map cannot be saved"):
        encoder.save_pretrained(tmp_path / "saved")
