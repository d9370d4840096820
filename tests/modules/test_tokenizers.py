"""A model reads with the tokenizer that it has now: with words added, another one, one in Python; control tokens of a
prompt are tokens, and those of a text stay words.

Knows: token ids. Does not know: folders (tests/checkpoints).
"""

from __future__ import annotations

import copy
import json
import pickle
import string

import pytest
import torch

import twins.bert
import twins.qwen3_vl
from manysense import CrossEncoder, ManysenseWarning, ModelError, SentenceTransformer
from manysense.modules import Transformer
from manysense.modules.tokens import tokens_of
from reference.closeness import CLOSE, MOVED, distance

TEXT = "the dog house by the water"
LONG = TEXT + " a cat and two dogs in front of it" * 9


def ours(folder, **kwargs):
    return SentenceTransformer(str(folder), device="cpu", **kwargs)


def ids(model, text, **more):
    return model.preprocess([text], **more)["input_ids"][0].tolist()


@pytest.fixture
def fresh(twin):
    return ours(twin("bert"))


@pytest.fixture
def theirs():
    library = pytest.importorskip("sentence_transformers")
    return lambda folder: library.SentenceTransformer(str(folder), device="cpu")


def grow(model, *words, special=False):
    add = model.tokenizer.add_special_tokens if special else model.tokenizer.add_tokens
    add({"additional_special_tokens": list(words)} if special else list(words))
    torch.manual_seed(0)
    model[0].auto_model.resize_token_embeddings(len(model.tokenizer), mean_resizing=False)
    return model


# ---- words that were added


@pytest.mark.parametrize("used", [False, True], ids=["at once", "after a call"])
def test_words_that_were_added_are_read(fresh, used):
    if used:
        fresh.encode("[DOC] a dog")
    grow(fresh, "[DOC]")
    new = fresh.tokenizer.convert_tokens_to_ids("[DOC]")
    assert ids(fresh, "[DOC] a dog")[1] == new
    assert ids(fresh, "[DOC] a dog") == fresh.tokenizer("[DOC] a dog")["input_ids"]


def test_a_special_token_that_was_added_stays_a_word_in_a_text(fresh):
    grow(fresh, "[QRY]", special=True)
    assert fresh.tokenizer.convert_tokens_to_ids("[QRY]") not in ids(fresh, "[QRY] a dog")


def test_words_that_were_added_are_read_by_static_vectors(twin):
    model = ours(twin("static"))
    assert len(ids_of_static(model, "[DOC]")) == 4
    model.tokenizer.add_tokens(["[DOC]"])
    assert ids_of_static(model, "[DOC] a dog") == model.tokenizer.encode("[DOC] a dog", add_special_tokens=False).ids


def ids_of_static(model, text):
    return model.preprocess([text])["input_ids"].tolist()


def test_words_that_were_added_are_read_in_a_chat(twin):
    model = grow(ours(twin("qwen3_vl")), "walrusly")
    assert model.tokenizer.convert_tokens_to_ids("walrusly") not in ids(model, "no walrusly")  # a control token there
    assert ids(model, "a plain text") == ids(ours(twin("qwen3_vl")), "a plain text")


def test_another_tokenizer_is_read_with(fresh):
    other = copy.deepcopy(fresh.tokenizer)
    other.add_tokens(["[DOC]"])
    fresh.tokenizer = other
    assert ids(fresh, "[DOC]")[1] == len(other) - 1


def test_another_tokenizer_brings_its_length(fresh):
    other = copy.deepcopy(fresh.tokenizer)
    other.model_max_length = 7
    fresh.tokenizer = other
    assert len(ids(fresh, LONG)) == fresh.max_seq_length == 7


def test_another_tokenizer_of_static_vectors_is_read_with(twin):
    model = ours(twin("static"))
    model.tokenizer = Transformer(str(twin("bert"))).tokenizer  # of transformers, where the first was of tokenizers
    assert ids_of_static(model, "a dog") == ids_of_static(ours(twin("static")), "a dog")


def test_a_length_above_the_positions_that_the_tokenizer_says_is_cut_to_them(fresh):
    fresh.tokenizer.model_max_length = 10**30
    assert fresh.max_seq_length == twins.bert.POSITIONS


# ---- control tokens of a prompt


@pytest.mark.parametrize("name", ["bert", "clip", "clap"])
def test_a_control_token_of_a_prompt_is_that_token(name, model):
    word = model(name).tokenizer.sep_token or model(name).tokenizer.eos_token
    for prompt in (f"a {word} ", word):
        assert ids(model(name), "a dog", prompt=prompt) == model(name).tokenizer(f"{prompt}a dog")["input_ids"]


@pytest.mark.parametrize("name", ["bert", "clip", "clap"])
def test_a_control_token_of_a_text_stays_a_word_behind_such_a_prompt(name, model):
    word = model(name).tokenizer.sep_token or model(name).tokenizer.eos_token
    made = ids(model(name), f"a {word} dog", prompt=f"{word} ")
    token = model(name).tokenizer.convert_tokens_to_ids(word)
    assert made.count(token) == ids(model(name), "a dog", prompt=f"{word} ").count(token)
    assert len(made) > len(ids(model(name), "a dog", prompt=f"{word} ")) + 1


@pytest.mark.parametrize("prompt", ["[QRY] ", "[QRY]", "find[QRY]: ", "[QRY][SEP]é ", "in [MASK] "])
@pytest.mark.parametrize("text", ["dogs", "s and the house", " a"])
def test_prompt_and_text_are_cut_into_tokens_as_one_string(fresh, prompt, text):
    grow(fresh, "[QRY]", special=True)
    assert ids(fresh, text, prompt=prompt) == fresh.tokenizer(prompt + text)["input_ids"]


@pytest.mark.parametrize("text", ["[QRY] a", "Y] a", "\ue0000.5\ue001 a", "[SEP]"])
def test_no_text_writes_a_control_token_behind_a_prompt_that_has_one(fresh, text):
    grow(fresh, "[QRY]", special=True)
    special = {*fresh.tokenizer.all_special_ids} - {fresh.tokenizer.unk_token_id}
    plain = [i for i in ids(fresh, "a", prompt="[QRY] [QR") if i in special]
    assert [i for i in ids(fresh, text, prompt="[QRY] [QR") if i in special] == plain


def test_the_prompt_of_a_task_has_its_tokens_too(twin, tmp_path):
    model = grow(ours(twin("bert", include_prompt=False), prompts={"query": "[QRY] "}), "[QRY]", special=True)
    made = model.encode_query("a dog")
    assert distance(made, model.encode("a dog", prompt="[ QRY ] ")) > MOVED
    model.save_pretrained(tmp_path)
    assert distance(ours(tmp_path).encode_query("a dog"), made) < CLOSE
    assert model.preprocess(["a dog"], prompt="[QRY] ")["prompt_length"].tolist() == [2]


def test_control_tokens_of_a_prompt_are_tokens_before_static_vectors(twin):
    model = ours(twin("static"))
    sep = model.tokenizer.token_to_id("[SEP]")
    made = model.preprocess(["[SEP] dog"], prompt="[SEP] ")["input_ids"].tolist()
    assert made[0] == sep
    assert made.count(sep) == 1


@pytest.fixture
def reranker(twin):
    with pytest.warns(ManysenseWarning, match="the head is random"):
        return CrossEncoder(str(twin("bert-bare")), device="cpu")


@pytest.mark.parametrize("pair", [("the dog", LONG), (LONG, "the dog"), (LONG, LONG + " again")])
def test_a_pair_that_is_cut_on_the_left_keeps_the_ends_of_its_texts(reranker, pair):
    reranker.max_length = 15
    reranker.tokenizer.truncation_side = "left"
    expected = reranker.tokenizer(*pair, truncation=True, max_length=15)
    features = reranker.preprocess([pair])
    assert features["input_ids"][0].tolist() == expected["input_ids"]
    assert features["token_type_ids"][0].tolist() == expected["token_type_ids"]


def test_control_tokens_of_a_prompt_are_tokens_in_a_pair_and_only_on_its_side(reranker):
    model = reranker
    sep = model.tokenizer.sep_token_id
    features = model.preprocess([("a", "the [SEP] dog")], prompt="the [SEP] ")
    assert features["input_ids"][0].tolist()[1:5] == model.tokenizer("the [SEP] a")["input_ids"][1:5]
    assert features["input_ids"][0].tolist().count(sep) == 3


# ---- tokenizers in Python


@pytest.fixture(scope="module")
def slow(twin, tmp_path_factory):
    """The BERT twin with a PhoBERT tokenizer, which is written in Python."""
    folder = tmp_path_factory.mktemp("slow")
    ours(twin("bert", normalize=False)).save_pretrained(folder)
    for name in ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"):
        (folder / name).unlink(missing_ok=True)
    letters = [*string.ascii_lowercase, *string.digits, *"[]<>/"]
    words = [*(f"{letter}@@" for letter in letters), *letters, "the", "dog", "hou@@", "se"]
    (folder / "vocab.txt").write_text("".join(f"{word} 1\n" for word in words))
    merges = ("t h", "th e</w>", "d o", "do g</w>", "h o", "ho u", "s e</w>")
    (folder / "bpe.codes").write_text("".join(f"{pair} 9\n" for pair in merges))
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "PhobertTokenizer"}))
    return folder


def test_a_tokenizer_in_python_gives_its_ids(slow):
    model = ours(slow)
    assert not model.tokenizer.is_fast
    for text in (TEXT, "", "a"):
        assert ids(model, text) == model.tokenizer(text)["input_ids"]


def test_a_tokenizer_in_python_cuts_to_the_limit_on_its_side(slow):
    model = ours(slow)
    model.max_seq_length = 6
    whole = model.tokenizer(LONG)["input_ids"]
    assert ids(model, LONG) == [*whole[:5], whole[-1]]
    model.tokenizer.truncation_side = "left"
    assert ids(model, LONG) == [whole[0], *whole[-5:]]


@pytest.mark.parametrize("text", ["</s>", "a </s><s> b", "<s", "s></s>", "</s</s>", "<mask><pad>"])
def test_no_text_writes_a_control_token_of_a_tokenizer_in_python(slow, text):
    model = ours(slow)
    special = {*model.tokenizer.all_special_ids} - {model.tokenizer.unk_token_id}
    assert not special & set(ids(model, text)[1:-1])
    assert not special & set(ids(model, text, prompt="a </")[1:-1])


def test_a_control_token_of_a_prompt_is_that_token_to_a_tokenizer_in_python(slow):
    model = ours(slow)
    assert ids(model, "dog", prompt="</s> the ") == model.tokenizer("</s> the dog")["input_ids"]


def test_a_tokenizer_in_python_lower_cases_texts_and_no_control_token():
    class Upper:
        """Words that are letters; [SEP] is a control token."""

        added_tokens_decoder = {9: type("Added", (), {"content": "[SEP]", "special": True, "single_word": False})}  # noqa: RUF012

        def build_inputs_with_special_tokens(self, first):
            return first

        def tokenize(self, text):
            return ["[SEP]" if piece == "\0" else piece for piece in text.replace("[SEP]", "\0")]

        def convert_tokens_to_ids(self, tokens):
            return [9 if token == "[SEP]" else ord(token) for token in tokens]

    made = tokens_of(Upper(), lowercase=True).encode(["[SEP]A"], None, prompt="[SEP]B", special=False)[0]
    assert made.ids.tolist() == [9, *map(ord, "b[sep]a")]


def test_a_model_with_a_tokenizer_in_python_can_be_copied_and_sent(slow):
    model = ours(slow)
    for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert ids(other, TEXT, prompt="</s> ") == ids(model, TEXT, prompt="</s> ")


def test_a_copy_reads_with_a_tokenizer_of_its_own(fresh):
    other = copy.deepcopy(fresh)
    grow(other, "[DOC]")
    assert len(ids(fresh, "[DOC]")) == 6
    assert len(ids(other, "[DOC]")) == 3


def test_what_is_no_tokenizer_is_refused():
    with pytest.raises(ModelError, match="object is no tokenizer of transformers"):
        tokens_of(object())


# ---- with the known library


@pytest.mark.slow
@pytest.mark.parametrize("text", [TEXT, "", "s"])
def test_the_known_library_reads_a_prompt_with_added_tokens_in_the_same_way(fresh, theirs, tmp_path, text):
    grow(fresh, "[QRY]", special=True).prompts = {"query": "[QRY] "}
    fresh.save_pretrained(tmp_path)
    assert distance(ours(tmp_path).encode_query(text), theirs(tmp_path).encode_query(text)) < CLOSE


@pytest.mark.slow
def test_the_known_library_reads_the_folder_of_a_tokenizer_in_python_in_the_same_way(slow, theirs, tmp_path):
    texts = [TEXT, "a", LONG]
    made = ours(slow).encode(texts, on_truncate="ignore")
    assert distance(made, theirs(slow).encode(texts)) < CLOSE
    ours(slow).save_pretrained(tmp_path)
    assert distance(theirs(tmp_path).encode(texts), made) < CLOSE
