"""What programs for Sentence Transformers call on a model beside encode, and what they override."""

from __future__ import annotations

import inspect
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from manysense import ManysenseWarning, SentenceTransformer
from manysense.errors import ModelError, UsageError
from manysense.sentence_transformer.construct import AFTER_PROMPT
from reference.closeness import assert_close
from twins import bert
from twins.samples import TEXTS

THREE = list(TEXTS[:3])


def test_members_of_old_programs_are_there(twin, model):
    encoder = SentenceTransformer.load(str(twin("bert")))
    assert_close(encoder.encode(THREE), model("bert").encode(THREE))
    assert encoder.backend == encoder.get_backend() == "torch"
    assert SentenceTransformer.SUPPORTED_SIMILARITY_FN_NAMES == ("cosine", "dot", "euclidean", "manhattan")


def test_a_subclass_loads_itself(twin):
    class Mine(SentenceTransformer):
        pass

    assert type(Mine.load(str(twin("bert")))) is Mine


def test_the_old_name_of_the_device_is_read_and_set(twin):
    encoder = SentenceTransformer(str(twin("bert")), device="cpu")
    assert encoder._target_device == torch.device("cpu")
    encoder._target_device = "cpu"
    with pytest.raises(UsageError, match="meta"):
        encoder._target_device = "meta"
    assert encoder._target_device == encoder.device == torch.device("cpu")


@pytest.mark.parametrize(
    ("value", "one"),
    [
        ("a", True),
        ({"text": "a"}, True),
        ([{"role": "user", "content": "a"}], True),
        (["a"], False),
        (("a", "b"), False),
        (np.array(["a"]), False),
    ],
    ids=str,
)
def test_one_input_is_told_from_many(value, one, model):
    assert model("bert").is_singular_input(value) is one


@pytest.mark.slow
def test_the_known_library_tells_them_apart_alike(twin, model):
    library = pytest.importorskip("sentence_transformers")
    known = library.SentenceTransformer(str(twin("bert")), device="cpu")
    for value in ("a", {"text": "a"}, [{"role": "user", "content": "a"}], ["a"], ("a", "b"), np.array(["a"])):
        assert known.is_singular_input(value) == model("bert").is_singular_input(value)


def test_pairs_with_labels_become_features_and_a_tensor(model):
    pairs = [SimpleNamespace(texts=[one, other], label=label) for one, other, label in zip(THREE, TEXTS[1:], (0, 1, 1))]
    features, labels = model("bert").smart_batching_collate(pairs)
    assert labels.tolist() == [0, 1, 1]
    with torch.no_grad():
        made = [model("bert")(one)["sentence_embedding"] for one in features]
    assert_close(made[0], model("bert").encode(THREE))
    assert_close(made[1], model("bert").encode(list(TEXTS[1:4])))


# ---- a name and modules


def test_modules_beside_a_name_are_left_aside_with_a_warning(twin, model):
    with pytest.warns(ManysenseWarning, match="modules= is for a model without a name, and was left aside"):
        encoder = SentenceTransformer(str(twin("bert")), modules=[torch.nn.Identity()], device="cpu")
    assert_close(encoder.encode(THREE), model("bert").encode(THREE))


# ---- encode


def test_a_precision_of_none_is_that_of_the_model(model):
    assert_close(model("bert").encode(THREE, precision=None), model("bert").encode(THREE))
    assert_close(list(model("bert").encode_stream(THREE, precision=None)), model("bert").encode(THREE))


class OnlyInputs(SentenceTransformer):
    """A subclass of a caller's, whose encode has places of its own."""

    def encode(self, inputs, **options):
        self.seen = options
        return super().encode(inputs, **options)


@pytest.mark.parametrize("verb", ["encode_query", "encode_document"])
def test_an_encode_of_ones_own_is_called_by_keyword(verb, twin, model):
    encoder = OnlyInputs(str(twin("bert")), device="cpu", prompts={"query": "find : ", "document": "find : "})
    asked = [bert.reference(twin("bert"), text, "find : ") for text in THREE]
    assert_close(getattr(encoder, verb)(THREE, None, None, 2, False), asked)
    assert encoder.seen["task"] == verb.removeprefix("encode_")
    assert (encoder.seen["batch_size"], encoder.seen["show_progress_bar"]) == (2, False)
    assert_close(getattr(encoder, verb)(sentences=THREE), asked)


def test_places_behind_the_prompt_are_those_of_encode(model):
    parameters = inspect.signature(SentenceTransformer.encode).parameters
    by_place = [one.name for one in parameters.values() if one.kind is one.POSITIONAL_OR_KEYWORD]
    assert by_place == ["self", "inputs", "prompt_name", "prompt", *AFTER_PROMPT]
    with pytest.raises(TypeError, match="takes 14 arguments by place, got 15"):
        model("bert").encode_query(*[None] * 15)


# ---- a device_map


@pytest.mark.parametrize(
    "places", ["cpu", "auto", {"": "cpu"}, {"embeddings": "cpu", "encoder": "cpu", "pooler": "cpu"}]
)
def test_a_device_map_of_one_device_is_that_device(places, twin, model, tmp_path):
    pytest.importorskip("accelerate")
    encoder = SentenceTransformer(str(twin("bert", dense=8)), model_kwargs={"device_map": places})
    if encoder.device.type != "cpu":
        pytest.skip("auto is another device here")
    assert_close(encoder.encode(THREE), model("bert", dense=8).encode(THREE))
    encoder.save_pretrained(tmp_path)
    assert_close(SentenceTransformer(str(tmp_path), device="cpu").encode(THREE), encoder.encode(THREE))


def test_a_model_with_layers_on_the_disk_is_not_saved(twin, model, tmp_path):
    pytest.importorskip("accelerate")
    places = {"embeddings": "cpu", "encoder.layer.0": "cpu", "encoder.layer.1": "disk", "pooler": "cpu"}
    options = {"device_map": places, "offload_folder": str(tmp_path / "layers")}
    encoder = SentenceTransformer(str(twin("bert")), model_kwargs=options)
    assert_close(encoder.encode(THREE), model("bert").encode(THREE))
    with pytest.raises(ModelError, match="spread over devices"):
        encoder.save_pretrained(tmp_path / "saved")


# ---- vectors of tokens in fewer bits


@pytest.mark.parametrize(("precision", "dtype"), [("int8", np.int8), ("uint8", np.uint8), ("ubinary", np.uint8)])
def test_vectors_of_tokens_are_quantised_on_one_scale(precision, dtype, model):
    many = [f"{number} dogs and a cat" for number in range(30)]
    made = model("bert").encode(many, output_value="token_embeddings", precision=precision)
    plain = [matrix.numpy() for matrix in model("bert").encode(many, output_value="token_embeddings")]
    assert {matrix.dtype for matrix in made} == {np.dtype(dtype)}
    assert [len(matrix) for matrix in made] == [len(matrix) for matrix in plain]
    if precision == "ubinary":
        assert all(np.array_equal(one, np.packbits(other > 0, axis=-1)) for one, other in zip(made, plain))
        return
    low, high = np.concatenate(plain).min(0), np.concatenate(plain).max(0)
    step = (high - low) / 255
    for one, other in zip(made, plain):
        assert np.abs((one.astype(float) - np.iinfo(dtype).min) * step + low - other).max() <= 1.01 * step.max()


def test_ranges_for_vectors_of_tokens_may_be_given(model):
    ranges = np.array([[-2.0] * bert.WIDTH, [2.0] * bert.WIDTH])
    options = {"output_value": "token_embeddings", "precision": "int8", "ranges": ranges}
    made = model("bert").encode(THREE, **options)
    alone = model("bert").encode(THREE[1], **options)
    assert np.abs(alone.astype(int) - made[1]).max() <= 1  # a value on the edge of two levels


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["int8", "binary"])
def test_the_known_library_quantises_vectors_of_tokens_alike(precision, twin, model):
    library = pytest.importorskip("sentence_transformers")
    many = [f"{number} dogs and a cat" for number in range(30)]
    options = {"output_value": "token_embeddings", "precision": precision}
    theirs = library.SentenceTransformer(str(twin("bert")), device="cpu").encode(many, **options)
    for one, other in zip(model("bert").encode(many, **options), theirs):
        assert np.mean(one == other) > 0.99
