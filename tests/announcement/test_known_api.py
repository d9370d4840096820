"""Programs written for Sentence Transformers, old keywords included, keep their meaning."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from manysense import ManysenseWarning, SentenceTransformer, util
from manysense.errors import UsageError
from reference.closeness import assert_close, distance
from twins import bert
from twins.samples import TEXTS

THREE = list(TEXTS[:3])


# ---- results


def test_the_default_is_a_float32_array_and_a_single_input_its_row(model):
    made = model("bert").encode(THREE)
    assert isinstance(made, np.ndarray)
    assert (made.shape, made.dtype) == ((3, bert.WIDTH), np.float32)
    single = model("bert").encode(THREE[1])
    assert isinstance(single, np.ndarray)
    assert distance(single, made[1]) < 1e-5


def test_a_tensor_is_given_on_request_and_wins_over_numpy(model):
    made = model("bert").encode(THREE, convert_to_tensor=True, convert_to_numpy=True)
    assert isinstance(made, torch.Tensor)
    assert made.shape == (3, bert.WIDTH)
    assert made.device == model("bert").device
    assert_close(made, model("bert").encode(THREE))
    assert model("bert").encode(THREE[0], convert_to_tensor=True).shape == (bert.WIDTH,)


def test_without_numpy_a_list_of_tensors_is_given(model):
    made = model("bert").encode(THREE, convert_to_numpy=False)
    assert isinstance(made, list)
    assert all(isinstance(row, torch.Tensor) for row in made)
    assert_close(made, model("bert").encode(THREE))


@pytest.mark.parametrize(
    ("options", "kind"),
    [({}, np.ndarray), ({"convert_to_tensor": True}, torch.Tensor), ({"convert_to_numpy": False}, list)],
    ids=str,
)
def test_no_inputs_give_an_empty_result(options, kind, model):
    made = model("bert").encode([], **options)
    assert isinstance(made, kind)
    assert len(made) == 0


def test_half_precision_stays_in_numpy_where_numpy_has_it(twin):
    for name, dtype in (("float16", np.float16), ("bfloat16", np.float32)):
        encoder = SentenceTransformer(str(twin("bert")), device="cpu", model_kwargs={"torch_dtype": name})
        assert encoder.encode(THREE).dtype == dtype
        assert str(encoder.encode(THREE, convert_to_tensor=True).dtype) == f"torch.{name}"


def test_token_embeddings_are_one_matrix_per_input_without_padding(twin, model):
    made = model("bert").encode(THREE, output_value="token_embeddings")
    for text, matrix in zip(THREE, made):
        assert isinstance(matrix, torch.Tensor)
        assert_close(matrix, bert.hidden(twin("bert"), bert.token_ids(twin("bert"), text)))
    single = model("bert").encode(THREE[0], output_value="token_embeddings")
    assert_close(single, made[0])


def test_output_value_none_gives_every_feature_of_each_input(model):
    made = model("bert").encode(THREE, output_value=None)
    assert len(made) == 3
    assert {"input_ids", "attention_mask", "token_embeddings", "sentence_embedding"} <= set(made[0])
    assert_close([one["sentence_embedding"] for one in made], model("bert").encode(THREE))


def test_the_first_dimensions_are_kept_and_normalised_only_on_request(model):
    whole = model("bert").encode(THREE)
    assert_close(model("bert").encode(THREE, truncate_dim=7), whole[:, :7])
    unit = model("bert").encode(THREE, truncate_dim=7, normalize_embeddings=True)
    assert_close(unit, whole[:, :7] / np.linalg.norm(whole[:, :7], axis=1, keepdims=True))


def test_dimensions_may_be_set_on_the_model_or_in_a_context(twin):
    encoder = SentenceTransformer(str(twin("bert")), device="cpu", truncate_dim=9)
    assert encoder.encode(THREE).shape == (3, 9)
    assert encoder.get_embedding_dimension() == encoder.get_sentence_embedding_dimension() == 9
    with encoder.truncate_embeddings(5):
        assert encoder.encode(THREE).shape == (3, 5)
    with encoder.truncate_sentence_embeddings(4):
        assert encoder.encode(THREE).shape == (3, 4)
    assert encoder.encode(THREE, truncate_dim=20).shape == (3, 20)
    assert encoder.truncate_dim == 9


@pytest.mark.parametrize("dims", [0, -5, 33, 1.5, True])
def test_impossible_dimensions_are_refused(dims, model):
    with pytest.raises(UsageError, match="truncate_dim"):
        model("bert").encode(THREE, truncate_dim=dims)


def test_unit_length_is_made_on_request(model):
    made = model("clip").encode(THREE, normalize_embeddings=True)
    raw = model("clip").encode(THREE)
    assert_close(made, raw / np.linalg.norm(raw, axis=1, keepdims=True))
    assert distance(made, raw) > 1e-3


# ---- precision


@pytest.mark.parametrize(("precision", "dtype"), [("binary", np.int8), ("ubinary", np.uint8)])
def test_binary_vectors_are_the_packed_signs(precision, dtype, model):
    whole = model("bert").encode(THREE)
    made = model("bert").encode(THREE, precision=precision)
    assert (made.shape, made.dtype) == ((3, bert.WIDTH // 8), dtype)
    offset = 128 if precision == "binary" else 0
    assert np.array_equal(made.astype(int) + offset, np.packbits(whole > 0, axis=-1))
    assert np.array_equal(model("bert").encode(THREE[0], precision=precision), made[0])


@pytest.mark.parametrize(("precision", "dtype", "lowest"), [("int8", np.int8, -128), ("uint8", np.uint8, 0)])
def test_ranges_map_to_whole_numbers_and_clip(precision, dtype, lowest, model):
    whole, ranges = model("bert").encode(THREE), np.array([[-0.2] * bert.WIDTH, [0.2] * bert.WIDTH])
    made = model("bert").encode(THREE, precision=precision, ranges=ranges)
    assert (made.shape, made.dtype) == (whole.shape, dtype)
    levels = np.clip(np.floor((whole - ranges[0]) / ((ranges[1] - ranges[0]) / 255)), 0, 255)
    assert (np.abs(made - (levels + lowest)) <= 1).all()  # a value on the edge of two levels
    assert np.mean(made == levels + lowest) > 0.99
    assert set(made[whole > 0.21].tolist()) == {lowest + 255}
    assert np.array_equal(model("bert").encode(THREE[0], precision=precision, ranges=ranges), made[0])


def test_ranges_of_the_calls_own_rows_are_warned_of(model):
    with pytest.warns(ManysenseWarning, match="ranges"):
        made = model("bert").encode(THREE, precision="uint8")
    assert made.min(0).tolist() == [0] * bert.WIDTH
    assert (made.max(0) >= 254).all()  # the step itself is rounded


def test_a_single_whole_number_vector_needs_ranges(model):
    with pytest.raises(ValueError, match="ranges"):
        model("bert").encode(THREE[0], precision="int8")


def test_whole_number_vectors_are_given_as_tensors_too(model):
    made = model("bert").encode(THREE, precision="ubinary", convert_to_tensor=True)
    assert made.dtype == torch.uint8
    assert made.device.type == "cpu"


# ---- old keywords and names


def test_sentences_is_the_old_name_of_inputs(model):
    assert_close(model("bert").encode(sentences=THREE), model("bert").encode(THREE))
    assert_close(model("bert").encode_query(sentences=THREE), model("bert").encode(THREE))
    assert_close(model("bert").encode_document(sentences=THREE), model("bert").encode(THREE))


def test_positional_arguments_keep_their_places(twin):
    encoder = SentenceTransformer(str(twin("bert")), None, "cpu", {"find": "search : "})
    made = encoder.encode(THREE, "find", None, 2, False, "sentence_embedding", "float32", False, True)
    assert isinstance(made, torch.Tensor)
    assert_close(made, [bert.reference(twin("bert"), text, "search : ") for text in THREE])


@pytest.mark.parametrize(
    "old",
    [
        {"tokenizer_kwargs": {"padding_side": "left"}},
        {"tokenizer_args": {}},
        {"automodel_args": {}},
        {"config_args": {}},
        {"use_auth_token": False},
        {"cache_dir": None},
    ],
    ids=str,
)
def test_old_constructor_keywords_are_read(old, twin, model):
    encoder = SentenceTransformer(str(twin("bert")), device="cpu", **old)
    assert_close(encoder.encode(THREE), model("bert").encode(THREE))


def test_model_name_is_an_old_name_of_the_path(twin, model):
    encoder = SentenceTransformer(model_name=str(twin("bert")), device="cpu")
    assert_close(encoder.encode(THREE), model("bert").encode(THREE))


def test_an_unknown_keyword_is_a_type_error_in_the_constructor_and_named_in_a_call(twin, model):
    with pytest.raises(TypeError, match="nonsense"):
        SentenceTransformer(str(twin("bert")), nonsense=1)
    with pytest.raises(ValueError, match="nonsense"):
        model("bert").encode(THREE, nonsense=1)


@pytest.mark.parametrize("verb", ["preprocess", "tokenize"])
def test_features_made_by_hand_give_the_vectors_of_encode(verb, model):
    encoder = model("bert")
    features = getattr(encoder, verb)(THREE)
    with torch.no_grad():
        made = encoder(features)["sentence_embedding"]
    assert_close(made, encoder.encode(THREE))


def test_the_length_limit_is_read_and_set_on_the_model(twin):
    encoder = SentenceTransformer(str(twin("bert")), device="cpu")
    assert encoder.max_seq_length == encoder.get_max_seq_length() == 48
    encoder.max_seq_length = 4
    assert encoder[0].max_seq_length == 4
    with pytest.warns(ManysenseWarning, match="4 tokens"):
        made = encoder.encode([TEXTS[1]])
    assert_close(made, [bert.reference(twin("bert", max_seq_length=4), TEXTS[1])])


def test_a_length_limit_may_be_given_for_one_call(twin, model):
    made = model("bert").encode([TEXTS[1]], processing_kwargs={"text": {"max_length": 4}}, on_truncate="ignore")
    assert_close(made, [bert.reference(twin("bert", max_seq_length=4), TEXTS[1])])
    assert model("bert").max_seq_length == 48


# ---- it is an nn.Sequential


def test_modules_are_reached_by_place_and_by_iteration(model):
    encoder = model("bert")
    assert isinstance(encoder, nn.Sequential)
    assert len(encoder) == 3
    assert [type(module).__name__ for module in encoder] == ["Transformer", "Pooling", "Normalize"]
    assert encoder[0] is encoder._first_module() is next(iter(encoder))
    assert encoder[0].auto_model is encoder.transformers_model
    assert encoder[1].get_embedding_dimension() == bert.WIDTH
    assert [name for name, _ in encoder.named_children()] == ["0", "1", "2"]
    assert all(name.startswith("0.") for name in encoder.state_dict())
    assert encoder.tokenizer.vocab_size == len(bert.vocabulary())


class Lengths(nn.Module):
    """A first module of a user's own: letters and words of each text."""

    def __init__(self, width=2):
        super().__init__()
        self.linear = nn.Linear(2, width, bias=False)
        nn.init.eye_(self.linear.weight)

    def preprocess(self, inputs, prompt=None, **kwargs):
        texts = [(prompt or "") + text for text in inputs]
        return {"counts": torch.tensor([[float(len(text)), float(len(text.split()))] for text in texts])}

    def forward(self, features):
        return {**features, "sentence_embedding": self.linear(features["counts"])}


class Doubled(nn.Module):
    def forward(self, features):
        return {**features, "sentence_embedding": 2 * features["sentence_embedding"]}

    def get_sentence_embedding_dimension(self):
        return 2


def test_a_model_is_made_of_modules_of_a_users_own():
    encoder = SentenceTransformer(modules=[Lengths(), Doubled()], device="cpu")
    assert encoder.encode(["abc", "a b"]).tolist() == [[6, 2], [6, 4]]
    assert encoder.encode("abcd ef").tolist() == [14, 4]
    assert encoder.encode(["abc"], prompt="a ").tolist() == [[10, 4]]
    assert encoder.get_embedding_dimension() == 2
    assert encoder.modalities == ["text"]
    assert encoder.encode(["abc", "a b"] * 40, batch_size=3).tolist() == [[6, 2], [6, 4]] * 40


def test_modules_may_be_named(model):
    from collections import OrderedDict

    encoder = SentenceTransformer(modules=OrderedDict(count=Lengths(), twice=Doubled()), device="cpu")
    assert [name for name, _ in encoder.named_children()] == ["count", "twice"]
    assert encoder.encode("abc").tolist() == [6, 2]


def test_known_modules_can_be_put_together_by_hand(twin, model):
    from manysense.modules.normalize import Normalize
    from manysense.modules.pooling import Pooling
    from manysense.modules.transformer import Transformer

    transformer = Transformer(str(twin("bert-bare")), max_seq_length=48)
    pooling = Pooling(transformer.get_word_embedding_dimension(), pooling_mode="mean")
    encoder = SentenceTransformer(modules=[transformer, pooling, Normalize()], device="cpu")
    assert_close(encoder.encode(THREE), model("bert").encode(THREE))


# ---- similarity


@pytest.mark.parametrize("name", ["cosine", "dot", "euclidean", "manhattan"])
def test_similarity_is_the_models_own_function(name, twin):
    encoder = SentenceTransformer(str(twin("bert")), device="cpu", similarity_fn_name=name)
    a, b = encoder.encode(THREE).astype(np.float64) * 2, encoder.encode(THREE[::-1]).astype(np.float64)
    wanted = {
        "cosine": a @ b.T / np.linalg.norm(a, axis=1)[:, None] / np.linalg.norm(b, axis=1),
        "dot": a @ b.T,
        "euclidean": -np.linalg.norm(a[:, None] - b, axis=-1),
        "manhattan": -np.abs(a[:, None] - b).sum(-1),
    }[name]
    made = encoder.similarity(a.astype(np.float32), b.astype(np.float32))
    assert isinstance(made, torch.Tensor)
    assert np.allclose(made.numpy(), wanted, atol=1e-5)
    pairwise = encoder.similarity_pairwise(a.astype(np.float32), b.astype(np.float32))
    assert np.allclose(pairwise.numpy(), wanted.diagonal(), atol=1e-5)
    assert encoder.similarity_fn_name == name


def test_similarity_reads_every_form_of_result(model):
    encoder = model("bert")
    wanted = encoder.similarity(encoder.encode(THREE), encoder.encode(THREE))
    tensors, rows = encoder.encode(THREE, convert_to_tensor=True), encoder.encode(THREE, convert_to_numpy=False)
    for form in (tensors, rows, encoder.encode(THREE).tolist()):
        assert torch.allclose(encoder.similarity(form, form).float(), wanted, atol=1e-6)
    assert util.cos_sim(tensors[0], tensors[1]).item() == pytest.approx(wanted[0, 1].item(), abs=1e-6)
    assert encoder.similarity(tensors[0], tensors).shape == (1, 3)
