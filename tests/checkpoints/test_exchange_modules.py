"""Folders that go to Sentence Transformers and come from it: the same vectors on both sides, for every form.

The tests that import it are slow, and skipped where it is not installed (the dependency group "bench").
"""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

import twins.words
from manysense import SentenceTransformer, modules
from manysense.modules import words
from twins.words import TEXTS, VOCABULARY, WEIGHTS, WIDTH

TABLE = np.random.default_rng(0).normal(size=(len(VOCABULARY), WIDTH)).astype(np.float32)
TABLE[0] = 0
OURS = SimpleNamespace(**{name: getattr(modules, name) for name in modules.__all__}, words=words)


def _words(m):
    return m.WordEmbeddings(m.words.WhitespaceTokenizer(VOCABULARY), TABLE.copy(), max_seq_length=40)


def _layers(m, folder):
    weights = nn.Parameter(torch.tensor([0.25, 0.75]))
    return [
        m.Transformer(str(folder), config_kwargs={"output_hidden_states": True}),
        m.WeightedLayerPooling(32, num_hidden_layers=2, layer_start=1, layer_weights=weights),
        m.Pooling(32),
    ]


def _tokenizer(m, folder):
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    return [m.WordEmbeddings(tokenizer, np.random.default_rng(1).normal(size=(len(tokenizer), 5))), m.Pooling(5)]


EVERY_MEAN = ("mean", "mean_sqrt_len_tokens", "weightedmean")
FORMS = {
    "words": lambda m, folder: [_words(m), m.Pooling(WIDTH, "max")],
    "words of transformers": _tokenizer,
    "word weights": lambda m, folder: [
        _words(m),
        m.WordWeights(VOCABULARY, WEIGHTS, 1.5),
        m.Pooling(WIDTH, EVERY_MEAN),
    ],
    "lstm": lambda m, folder: [_words(m), m.LSTM(WIDTH, 4, num_layers=2, dropout=0.1), m.Pooling(8)],
    "lstm one way": lambda m, folder: [_words(m), m.LSTM(WIDTH, 4, bidirectional=False), m.Pooling(4)],
    "cnn": lambda m, folder: [_words(m), m.CNN(WIDTH, 4, [1, 3, 5]), m.Pooling(12)],
    "cnn even": lambda m, folder: [_words(m), m.CNN(WIDTH, 4, [2]), m.Pooling(4)],
    "bag of words": lambda m, folder: [m.BoW(VOCABULARY, WEIGHTS, 1.5), m.Normalize()],
    "bag of words, once": lambda m, folder: [m.BoW(VOCABULARY, cumulative_term_frequency=False)],
    "layer norm": lambda m, folder: [_words(m), m.Pooling(WIDTH), m.LayerNorm(WIDTH), m.Dropout(0.3)],
    "dense": lambda m, folder: [
        _words(m),
        m.Dense(WIDTH, 4, activation_function=nn.GELU(), module_input_name="token_embeddings"),
        m.Pooling(4),
        m.Dense(4, 3, bias=False, activation_function=None, use_residual=True),
    ],
    "layers": _layers,
}
LONG_ENOUGH = {"words": 1, "cnn even": 2}
"""Words that a text must have for the known library to give it a finite vector with a form; 0 where it is not named."""
every_form = pytest.mark.parametrize("form", FORMS)


@pytest.fixture
def made(twin):
    """made(form, m) → its modules out of the classes of m, with weights that are the same on both sides."""

    def make(form, m):
        torch.manual_seed(0)
        return FORMS[form](m, twin("bert-bare"))

    return make


def texts_for(form):
    return [text for text in TEXTS if len(twins.words.word_ids(text)) >= LONG_ENOUGH.get(form, 0)]


def ours(source):
    if isinstance(source, list):
        return SentenceTransformer(modules=source, device="cpu")
    return SentenceTransformer(str(source), device="cpu")


def files(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def assert_same(made, expected):
    """Each row within 5e-6 of its length: how a product is rounded depends on its shape and the processor."""
    made, expected = np.asarray(made, np.float64), np.asarray(expected, np.float64)
    assert made.shape == expected.shape
    far = np.linalg.norm(made - expected, axis=1) / np.linalg.norm(expected, axis=1).clip(1e-12)
    assert far.max() < 5e-6, far


# ---- here alone


@every_form
def test_a_loaded_copy_gives_the_same_vectors_and_the_same_files(form, made, tmp_path):
    model = ours(made(form, OURS))
    expected = model.encode(TEXTS)
    model.save_pretrained(tmp_path / "first", model_name="m")
    again = ours(tmp_path / "first")
    assert_same(again.encode(TEXTS), expected)
    again.save_pretrained(tmp_path / "second", model_name="m")
    assert files(tmp_path / "first") == files(tmp_path / "second")


@every_form
def test_a_text_of_a_form_does_not_know_its_neighbours(form, made):
    model = ours(made(form, OURS))
    assert_same(model.encode(TEXTS), [model.encode(text) for text in TEXTS])


HOMES = {
    "Transformer": "base.modules.transformer",
    "Dense": "base.modules.dense",
    "Normalize": "base.modules.normalize",
    "Router": "base.modules.router",
    "Asym": "base.modules.router",
    **{
        name: f"sentence_transformer.modules.{file}"
        for name, file in {
            "Pooling": "pooling",
            "BoW": "bow",
            "CNN": "cnn",
            "LSTM": "lstm",
            "Dropout": "dropout",
            "LayerNorm": "layer_norm",
            "StaticEmbedding": "static_embedding",
            "WeightedLayerPooling": "weighted_layer_pooling",
            "WordEmbeddings": "word_embeddings",
            "WordWeights": "word_weights",
        }.items()
    },
}
"""Where version 6.2 has each class."""
PATHS = {
    "models.X": lambda name: f"sentence_transformers.models.{name}",
    "models.X.X": lambda name: f"sentence_transformers.models.{name}.{name}",
    "home.X": lambda name: f"sentence_transformers.{HOMES[name]}.{name}",
    "sentence_transformer.modules.X": lambda name: f"sentence_transformers.sentence_transformer.modules.{name}",
    "base.modules.X": lambda name: f"sentence_transformers.base.modules.{name}",
    "manysense.modules.X": lambda name: f"manysense.modules.{name}",
}


@pytest.mark.parametrize("path", PATHS)
def test_a_class_is_found_under_every_path_that_a_version_wrote(path, made, tmp_path):
    from manysense.checkpoints.formats.modules_json import _class_of
    from manysense.checkpoints.types import Wanted

    for name in HOMES:
        assert _class_of(PATHS[path](name), tmp_path, Wanted()) is getattr(modules, name)


@pytest.mark.parametrize("kind", ["BERT", "DistilBERT", "RoBERTa", "XLMRoBERTa"])
def test_a_folder_of_the_first_versions_is_read(kind, twin, tmp_path):
    """One class for each architecture, in a sub-folder of its own."""
    import shutil

    shutil.copytree(twin("bert-bare"), tmp_path / f"0_{kind}")
    shutil.copytree(twin("bert") / "1_Pooling", tmp_path / "1_Pooling")
    config = {"max_seq_length": 20, "do_lower_case": True}
    (tmp_path / f"0_{kind}" / f"sentence_{kind.lower().replace('xlm', 'xlm-')}_config.json").write_text(
        json.dumps(config)
    )
    kinds = {f"0_{kind}": f"sentence_transformers.models.{kind}", "1_Pooling": "sentence_transformers.models.Pooling"}
    listed = [{"idx": i, "name": str(i), "path": path, "type": name} for i, (path, name) in enumerate(kinds.items())]
    (tmp_path / "modules.json").write_text(json.dumps(listed))
    model = ours(tmp_path)
    assert model.max_seq_length == 20
    assert_same([model.encode("a Dog")], [ours(twin("bert", normalize=False)).encode("a dog")])


# ---- with the known library


@pytest.fixture(scope="module")
def theirs():
    """The known library: its classes, and load(modules or folder) → encode."""
    library = pytest.importorskip("sentence_transformers")
    from sentence_transformers.sentence_transformer import modules as m
    from sentence_transformers.sentence_transformer.modules import tokenizer

    def load(source):
        if isinstance(source, list):
            return library.SentenceTransformer(modules=source, device="cpu")
        return library.SentenceTransformer(str(source), device="cpu")

    return SimpleNamespace(**{name: getattr(m, name) for name in m.__all__}, words=tokenizer, load=load)


def alone(model, texts):
    """One by one: in a batch its CNN reads the padding."""
    return model.encode(list(texts), batch_size=1)


@pytest.mark.slow
@every_form
def test_what_the_known_library_saves_gives_its_vectors_here(form, made, theirs, tmp_path):
    texts = texts_for(form)
    model = theirs.load(made(form, theirs))
    model.save_pretrained(str(tmp_path))
    assert_same(ours(tmp_path).encode(texts), alone(model, texts))


@pytest.mark.slow
@every_form
def test_what_is_saved_here_gives_its_vectors_in_the_known_library(form, made, theirs, tmp_path):
    texts = texts_for(form)
    model = ours(made(form, OURS))
    model.save_pretrained(tmp_path)
    assert_same(alone(theirs.load(tmp_path), texts), model.encode(texts))


@pytest.mark.slow
@pytest.mark.parametrize("form", ["words", "lstm", "bag of words", "dense"])
def test_pickled_weights_go_both_ways(form, made, theirs, tmp_path):
    mine, other = ours(made(form, OURS)), theirs.load(made(form, theirs))
    mine.save_pretrained(tmp_path / "mine", safe_serialization=False)
    other.save_pretrained(str(tmp_path / "other"), safe_serialization=False)
    texts = texts_for(form)
    assert_same(alone(theirs.load(tmp_path / "mine"), texts), mine.encode(texts))
    assert_same(ours(tmp_path / "other").encode(texts), alone(other, texts))


@pytest.mark.slow
@pytest.mark.parametrize("middle", [None, "weights", "lstm", "cnn"])
@pytest.mark.parametrize("style", ["old", "new"])
def test_the_twin_of_an_old_model_is_one_to_the_known_library(style, middle, theirs, tmp_path):
    """Else the fast tests would read files that nobody writes."""
    folder = twins.words.build(tmp_path, style=style, middle=middle)
    assert_same(alone(theirs.load(folder), TEXTS), [twins.words.reference(folder, text) for text in TEXTS])


@pytest.mark.slow
def test_phrases_are_read_alike(theirs, tmp_path):
    pytest.importorskip("nltk")
    vocabulary = ["PADDING_TOKEN", "New_York", "new_york_city", "city", "dog", "a_b_c"]
    texts = ["New York City is a city.", "a B c, dog", "the New York dog", "(city)", "nothing"]
    mine, other = (
        load([m.WordEmbeddings(m.words.PhraseTokenizer(vocabulary), TABLE[:6].copy()), m.Pooling(WIDTH)])
        for load, m in ((ours, OURS), (theirs.load, theirs))
    )
    assert_same(mine.encode(texts), alone(other, texts))
    mine.save_pretrained(tmp_path / "mine")
    other.save_pretrained(str(tmp_path / "other"))
    assert_same(alone(theirs.load(tmp_path / "mine"), texts), mine.encode(texts))
    assert_same(ours(tmp_path / "other").encode(texts), mine.encode(texts))


@pytest.mark.slow
def test_a_save_that_was_killed_leaves_a_folder_that_the_known_library_reads(made, theirs, tmp_path, monkeypatch):
    from manysense.checkpoints import save as saving

    model = ours(made("lstm", OURS))
    monkeypatch.setattr(saving, "_replace", lambda *args: (_ for _ in ()).throw(OSError("the process ends here")))
    with pytest.raises(OSError, match="ends here"):
        model.save_pretrained(tmp_path)
    assert_same(alone(theirs.load(tmp_path), TEXTS), model.encode(TEXTS))
