"""Models over whole words: how texts become ids, and what WordEmbeddings, WordWeights and BoW make of them."""

from __future__ import annotations

import gzip
import json

import numpy as np
import pytest
import torch

import twins.words
from manysense import ManysenseWarning, ModelError, SentenceTransformer, UsageError
from manysense.errors import InputTooLong, ModelNotFound
from manysense.modules import BoW, Pooling, WordEmbeddings, WordWeights
from manysense.modules.words import PhraseTokenizer, TransformersTokenizerWrapper, WhitespaceTokenizer
from twins.words import TEXTS, VOCABULARY, WEIGHTS, WIDTH

VARIANTS = [(style, middle) for style in ("old", "new") for middle in (None, "weights", "lstm", "cnn")]


@pytest.fixture
def words(tmp_path):
    """words(**variant) → the folder of a model over whole words."""
    return lambda **variant: twins.words.build(tmp_path / "words", **variant)


def model_of(*modules):
    return SentenceTransformer(modules=list(modules), device="cpu")


def embeddings(vocabulary=VOCABULARY, **kwargs):
    table = np.random.default_rng(0).normal(size=(len(vocabulary), WIDTH))
    return WordEmbeddings(WhitespaceTokenizer(vocabulary, **kwargs), table)


# ---- folders


@pytest.mark.parametrize(("style", "middle"), VARIANTS, ids=str)
def test_a_folder_gives_the_vectors_of_the_reference(words, style, middle):
    folder = words(style=style, middle=middle)
    made = SentenceTransformer(str(folder), device="cpu").encode(TEXTS)
    np.testing.assert_allclose(made, [twins.words.reference(folder, text) for text in TEXTS], atol=1e-6)


@pytest.mark.parametrize(("style", "middle"), VARIANTS, ids=str)
def test_a_text_does_not_know_its_neighbours(words, style, middle):
    model = SentenceTransformer(str(words(style=style, middle=middle)), device="cpu")
    alone = [model.encode(text) for text in TEXTS]
    np.testing.assert_allclose(model.encode(TEXTS[::-1], batch_size=7)[::-1], alone, atol=1e-6)


def test_a_foreign_tokenizer_class_is_refused_and_not_imported(words):
    folder = words()
    path = folder / "wordembedding_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"tokenizer_class": "antigravity.Tokenizer"}))
    with pytest.raises(ModelError, match=r"antigravity\.Tokenizer.*not imported"):
        SentenceTransformer(str(folder), device="cpu", trust_remote_code=True)


def test_a_folder_without_its_table_says_so(words):
    from safetensors.torch import save_file

    folder = words()
    save_file({"other": torch.zeros(2, 2)}, folder / "model.safetensors")
    with pytest.raises(ModelError, match=r"emb_layer\.weight"):
        SentenceTransformer(str(folder), device="cpu")


def test_models_of_equal_tables_and_other_words_have_other_identities():
    one, other = (model_of(embeddings(vocabulary), Pooling(WIDTH)) for vocabulary in (VOCABULARY, VOCABULARY[::-1]))
    assert one.identity != other.identity


# ---- WhitespaceTokenizer


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("red dog", [1, 4]),
        ("Red", [1]),
        ("Dog dog DOG", [5, 4, 4]),
        ("(world) world! 'world'", [7, 7, 7]),
        ("the red and unknown house", [1, 2]),
        ("", []),
        ("\n\t ", []),
        ("hello", []),
    ],
)
def test_a_word_is_looked_up_as_it_is_then_bare_then_in_lower_case(text, found):
    assert WhitespaceTokenizer(VOCABULARY).tokenize(text) == found


def test_a_stop_word_is_left_out_in_every_form():
    tokenizer = WhitespaceTokenizer(["the", "dog"], stop_words=["the"])
    assert tokenizer.tokenize("the The (the) dog") == [1]


def test_texts_can_be_read_in_lower_case():
    assert WhitespaceTokenizer(VOCABULARY, do_lower_case=True).tokenize("Dog") == [4]


def test_of_a_word_that_comes_twice_the_last_counts_also_when_read_again(tmp_path):
    tokenizer = WhitespaceTokenizer(["dog", "cat", "dog"])
    tokenizer.save(str(tmp_path))
    for one in (tokenizer, WhitespaceTokenizer.load(str(tmp_path))):
        assert one.tokenize("dog cat") == [2, 1]


def test_a_saved_tokenizer_is_the_same_file_in_every_process(tmp_path):
    """Sets have another order in each process; files must not."""
    WhitespaceTokenizer(VOCABULARY).save(str(tmp_path))
    stop_words = json.loads((tmp_path / "whitespacetokenizer_config.json").read_text())["stop_words"]
    assert stop_words == sorted(stop_words)
    assert len(stop_words) == 386


# ---- PhraseTokenizer


@pytest.fixture
def phrases():
    pytest.importorskip("nltk")
    return PhraseTokenizer(["New_York", "new_york_city", "York", "city", "a__b", "is"], stop_words=[])


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("New York is", [0, 5]),
        ("New York city", [1]),
        ("York", [2]),
        ("NEW YORK CITY is in New York.", [1, 5, 0]),
        ("a b", []),
        ("city,", [3]),
    ],
)
def test_words_that_form_a_known_phrase_are_one(phrases, text, found):
    assert phrases.tokenize(text) == found


def test_a_phrase_tokenizer_is_the_same_when_read(phrases, tmp_path):
    phrases.save(str(tmp_path))
    assert PhraseTokenizer.load(str(tmp_path)).to_str() == phrases.to_str()


def test_without_its_package_a_phrase_tokenizer_says_what_to_install(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "nltk", None)
    with pytest.raises(ImportError, match="pip install nltk"):
        PhraseTokenizer([])


# ---- WordEmbeddings


def test_a_tokenizer_of_transformers_is_used_with_its_special_tokens(twin, tmp_path):
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(twin("bert-bare"))
    table = torch.randn(len(tokenizer), 5, generator=torch.Generator().manual_seed(0))
    model = model_of(WordEmbeddings(tokenizer, table), Pooling(5))
    expected = table[tokenizer("the red house")["input_ids"]].mean(0)
    np.testing.assert_allclose(model.encode("the red house"), expected, atol=1e-6)
    model.save_pretrained(tmp_path)
    again = SentenceTransformer(str(tmp_path), device="cpu")
    assert isinstance(again.tokenizer, TransformersTokenizerWrapper)
    np.testing.assert_array_equal(again.encode("the red house"), model.encode("the red house"))


def test_anything_else_is_no_tokenizer():
    with pytest.raises(UsageError, match="WordTokenizer"):
        WordEmbeddings(str.split, np.zeros((1, 1)))


def test_the_table_learns_only_where_it_shall():
    tokenizer = WhitespaceTokenizer(["a"])
    assert not WordEmbeddings(tokenizer, [[1.0]]).emb_layer.weight.requires_grad
    assert WordEmbeddings(tokenizer, [[1.0]], update_embeddings=True).emb_layer.weight.requires_grad


def test_a_limit_is_kept_to_and_told():
    module = embeddings()
    module.max_seq_length = 2
    model = model_of(module, Pooling(WIDTH))
    with pytest.warns(ManysenseWarning, match="2 words are read, the longest has 3"):
        made = model.encode(["red dog cat"])
    np.testing.assert_array_equal(made[0], model.encode("red dog"))
    with pytest.raises(InputTooLong):
        model.encode("red dog cat", on_truncate="error")
    options = {"text": {"max_length": 1}}
    np.testing.assert_array_equal(
        model.encode("red dog", processing_kwargs=options, on_truncate="ignore"), model.encode("red")
    )


def test_an_option_that_no_word_model_knows_is_refused():
    with pytest.raises(UsageError, match="padding"):
        model_of(embeddings(), Pooling(WIDTH)).encode("red", processing_kwargs={"text": {"padding": True}})


def test_a_prompt_is_read_before_the_text():
    model = model_of(embeddings(), Pooling(WIDTH))
    np.testing.assert_array_equal(model.encode("dog", prompt="red "), model.encode("red dog"))


def test_several_texts_in_one_item_are_an_error():
    with pytest.raises(ValueError, match="one text at a time"):
        model_of(embeddings(), Pooling(WIDTH)).encode({"text": ["red", "dog"]})


# ---- text files


@pytest.mark.parametrize("form", ["plain", "header", "gz"])
def test_a_file_of_word_vectors_is_read(tmp_path, form):
    path = tmp_path / "vectors.txt"
    vectors = twins.words.text_file(path, header=form == "header")
    if form == "gz":
        packed = tmp_path / "vectors.txt.gz"
        packed.write_bytes(gzip.compress(path.read_bytes()))
        path = packed
    model = model_of(WordEmbeddings.from_text_file(str(path)), Pooling(WIDTH))
    np.testing.assert_allclose(
        model.encode("red piano"), np.mean([vectors["red"], vectors["piano"]], axis=0), atol=1e-6
    )


def test_so_many_words_of_a_file_are_read_as_asked_for(tmp_path):
    twins.words.text_file(tmp_path / "vectors.txt")
    module = WordEmbeddings.from_text_file(str(tmp_path / "vectors.txt"), max_vocab_size=3)
    assert module.tokenizer.get_vocab() == VOCABULARY[:4]


def test_lines_of_another_width_are_left_out_and_told(tmp_path):
    path = tmp_path / "vectors.txt"
    path.write_text("dog 1 2\n. . . 3 4\ncat 5 6\n", encoding="utf-8")
    with pytest.warns(ManysenseWarning, match="1 lines"):
        module = WordEmbeddings.from_text_file(path)
    assert module.emb_layer.weight.tolist() == [[0, 0], [1, 2], [5, 6]]


def test_a_file_that_is_not_there_is_not_fetched_from_anywhere():
    with pytest.raises(ModelNotFound, match="https://"):
        WordEmbeddings.from_text_file("glove.6B.300d.txt.gz")


def test_a_file_without_word_vectors_says_so(tmp_path):
    (tmp_path / "empty.txt").write_text("\n")
    with pytest.raises(ModelError, match="no word vectors"):
        WordEmbeddings.from_text_file(tmp_path / "empty.txt")


# ---- WordWeights and BoW


def test_weights_that_were_learned_are_read_again(tmp_path):
    module = WordWeights(VOCABULARY, WEIGHTS)
    with torch.no_grad():
        module.emb_layer.weight.add_(0.25)
    module.save(str(tmp_path))
    torch.testing.assert_close(WordWeights.load_from(tmp_path).emb_layer.weight, module.emb_layer.weight)


def test_word_weights_without_a_file_of_weights_are_those_of_the_words(tmp_path):
    WordWeights(["dog", "Red", "x"], WEIGHTS, 7).save(str(tmp_path))
    (tmp_path / "model.safetensors").unlink()
    assert WordWeights.load_from(tmp_path).emb_layer.weight.flatten().tolist() == [0.5, 2, 7]


@pytest.mark.parametrize(("cumulative", "expected"), [(True, [4, 0, 1.5]), (False, [2, 0, 1.5])])
def test_a_bag_of_words_holds_the_weight_of_each_word(cumulative, expected):
    model = model_of(BoW(["red", "dog", "cat", "red"], {"red": 2}, 1.5, cumulative_term_frequency=cumulative))
    np.testing.assert_allclose(model.encode(["red RED! cat", ""]), [expected, [0, 0, 0]])


def test_a_saved_bag_of_words_is_the_same_when_read(tmp_path):
    model = model_of(BoW(VOCABULARY, WEIGHTS, 0.5, False))
    model.save_pretrained(tmp_path)
    again = SentenceTransformer(str(tmp_path), device="cpu")
    assert again[0].get_config_dict() == model[0].get_config_dict()
    np.testing.assert_array_equal(again.encode(TEXTS), model.encode(TEXTS))
