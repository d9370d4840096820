"""Text encoders give the vectors that transformers and torch alone give, one text at a time."""

from __future__ import annotations

import pytest
import torch

from manysense import ManysenseWarning, SentenceTransformer
from reference.closeness import MOVED, assert_close, assert_same_tensors, distance, moved
from twins import bert, static
from twins.samples import TEXTS

LONG = "the dog and the cat " * 40
STYLES = ("legacy", "new")
CONCATENATIONS = [("mean", "cls"), ("lasttoken", "mean", "cls"), bert.POOLINGS]
PROMPT = "query : "


def expected(folder, texts, prompt=""):
    return [bert.reference(folder, text, prompt) for text in texts]


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("normalize", [True, False])
@pytest.mark.parametrize("pooling", bert.POOLINGS)
def test_every_pooling_equals_the_reference(pooling, normalize, style, twin, model):
    variant = {"pooling": pooling, "normalize": normalize, "style": style}
    assert_close(model("bert", **variant).encode(list(TEXTS)), expected(twin("bert", **variant), TEXTS))


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("pooling", CONCATENATIONS, ids="+".join)
def test_concatenated_poolings_equal_the_reference_in_their_order(pooling, style, twin, model):
    variant = {"pooling": pooling, "normalize": False, "style": style}
    made = model("bert", **variant).encode(list(TEXTS))
    assert made.shape[1] == bert.WIDTH * len(pooling) == model("bert", **variant).get_embedding_dimension()
    assert_close(made, expected(twin("bert", **variant), TEXTS))


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("pooling", ["mean", ("mean", "max")], ids=str)
def test_a_dense_module_equals_the_reference(pooling, style, twin, model):
    variant = {"pooling": pooling, "dense": 16, "style": style}
    made = model("bert", **variant).encode(list(TEXTS))
    assert made.shape == (len(TEXTS), 16)
    assert_close(made, expected(twin("bert", **variant), TEXTS))


def test_a_plain_transformers_folder_averages_its_tokens(twin, model):
    assert_close(model("bert-bare").encode(list(TEXTS)), expected(twin("bert-bare"), TEXTS))


@pytest.mark.parametrize("style", STYLES)
def test_a_prompt_is_put_before_the_text(style, twin, model):
    made = model("bert", style=style).encode(list(TEXTS), prompt=PROMPT)
    assert_close(made, expected(twin("bert", style=style), TEXTS, PROMPT))


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("pooling", bert.POOLINGS)
def test_a_prompt_can_be_attended_without_being_pooled(pooling, style, twin, model):
    variant = {"pooling": pooling, "include_prompt": False, "style": style}
    made = model("bert", **variant).encode(list(TEXTS), prompt=PROMPT)
    assert_close(made, expected(twin("bert", **variant), TEXTS, PROMPT))


def test_a_prompt_may_leave_room_for_a_single_token(twin, model):
    encoder = model("bert", max_seq_length=5)  # [CLS] query : a [SEP]
    made = encoder.encode(TEXTS[0], prompt=PROMPT, on_truncate="ignore")
    assert distance(made, bert.reference(twin("bert", max_seq_length=5), TEXTS[0], PROMPT)) < 1e-5


def test_without_a_prompt_nothing_is_left_out_of_the_pool(twin, model):
    variant = {"include_prompt": False}
    assert_close(model("bert", **variant).encode(list(TEXTS)), expected(twin("bert", **variant), TEXTS))


@pytest.mark.parametrize(
    ("name", "variant", "limit"),
    [("bert", {}, 48), ("bert", {"style": "new"}, 48), ("bert", {"max_seq_length": 7}, 7), ("bert-bare", {}, 64)],
)
def test_a_long_text_is_cut_where_the_reference_cuts_it(name, variant, limit, twin, model):
    folder, encoder = twin(name, **variant), model(name, **variant)
    assert encoder.max_seq_length == limit
    with pytest.warns(ManysenseWarning, match="longer than"):
        made = encoder.encode([LONG, "x"])
    assert_close(made, expected(folder, [LONG, "x"]))


@pytest.mark.parametrize("text", [*TEXTS, "", " \n ", LONG, "ａ ﬁ e\u0301 \x00 \u200e"])
def test_the_token_ids_are_those_of_the_reference(text, twin, model):
    ids = torch.tensor([bert.token_ids(twin("bert"), text)])
    assert_same_tensors(model("bert").preprocess([text]), {"input_ids": ids, "attention_mask": torch.ones_like(ids)})


def test_a_batch_is_padded_on_the_right_and_masked(twin, model):
    short, long = (bert.token_ids(twin("bert"), text) for text in (TEXTS[3], TEXTS[2]))
    pads = [0] * (len(long) - len(short))
    wanted = {
        "input_ids": torch.tensor([[*short, *pads], long]),
        "attention_mask": torch.tensor([[1] * len(short) + pads, [1] * len(long)]),
    }
    assert_same_tensors(model("bert").preprocess([TEXTS[3], TEXTS[2]]), wanted)


@pytest.mark.parametrize("pooling", bert.POOLINGS)
def test_a_wrong_mask_would_be_seen(pooling, twin, model):
    variant = {"pooling": pooling}
    encoder, wanted = model("bert", **variant), expected(twin("bert", **variant), TEXTS)
    with torch.no_grad():
        right = encoder(encoder.preprocess(list(TEXTS)))["sentence_embedding"]
        features = encoder.preprocess(list(TEXTS))
        features["attention_mask"][:] = 1
        wrong = encoder(features)["sentence_embedding"]
    assert_close(right, wanted)
    assert all(moved(wrong[row], wanted[row]) > MOVED for row in (0, 3))  # the shorter ones, which have padding


# ---- static embeddings


@pytest.mark.parametrize("layout", ["folder", "root"])
def test_a_static_embedding_equals_the_mean_of_its_rows(layout, twin, model):
    texts = [*TEXTS, "", LONG]
    made = model("static", layout=layout).encode(texts)
    assert_close(made, [static.reference(twin("static", layout=layout), text) for text in texts])
    assert not made[len(TEXTS)].any()


def test_static_tokens_are_laid_end_to_end(twin, model):
    rows = [static.token_ids(twin("static"), text) for text in TEXTS]
    starts = [sum(map(len, rows[:row])) for row in range(len(rows))]
    wanted = {"input_ids": torch.tensor([token for row in rows for token in row]), "offsets": torch.tensor(starts)}
    assert_same_tensors(model("static").preprocess(list(TEXTS)), wanted)


def test_special_tokens_in_a_static_mean_would_be_seen(twin, model):
    encoder = model("static")
    ids = bert.word_piece().encode(TEXTS[0]).ids
    with torch.no_grad():
        wrong = encoder({"input_ids": torch.tensor(ids), "offsets": torch.tensor([0])})["sentence_embedding"][0]
        right = encoder({"input_ids": torch.tensor(ids[1:-1]), "offsets": torch.tensor([0])})["sentence_embedding"][0]
    assert distance(right, static.reference(twin("static"), TEXTS[0])) < 1e-5
    assert moved(wrong, encoder.encode(TEXTS[0])) > MOVED


# ---- real weights


@pytest.fixture(scope="module")
def sentences(samples):
    lines = (samples / "sentences.txt").read_text(encoding="utf-8").split("\n")
    return [*lines, *TEXTS, "", "rain " * 120, "¿Qué?", "日本語のテキスト", "A1-b2_c3 (x) 3.14", "UPPER lower"]


@pytest.fixture(scope="module")
def plain(minilm):
    """text → tokens, BertModel, mean over tokens, length 1: nothing but transformers and torch, one text at a time."""
    from transformers import AutoTokenizer, BertModel

    tokenizer = AutoTokenizer.from_pretrained(minilm)
    network = BertModel.from_pretrained(minilm, dtype=torch.float32).eval()

    def vector(text):
        tokens = tokenizer(text, truncation=True, max_length=256, return_tensors="pt")
        with torch.inference_mode():
            states = network(**tokens).last_hidden_state[0]
        return torch.nn.functional.normalize(states.mean(0), dim=-1).numpy()

    return vector


def test_minilm_equals_plain_transformers_item_by_item(minilm, plain, sentences):
    made = SentenceTransformer(minilm, device="cpu").encode(sentences)
    for row, text in enumerate(sentences):
        assert moved(made[row], plain(text)) <= 1e-6, text


def test_minilm_cuts_where_its_folder_says(minilm, plain):
    long = "Rain is water that falls from clouds. " * 60
    encoder = SentenceTransformer(minilm, device="cpu")
    with pytest.warns(ManysenseWarning, match="256 tokens"):
        made = encoder.encode([long, "rain"])
    assert moved(made[0], plain(long)) <= 1e-6
    assert moved(made[1], plain("rain")) <= 1e-6


def test_minilm_knows_which_sentences_mean_the_same(minilm, sentences):
    encoder = SentenceTransformer(minilm, device="cpu")
    first, same, other = encoder.encode(sentences[:3])
    assert encoder.similarity(first, same).item() > encoder.similarity(first, other).item()
