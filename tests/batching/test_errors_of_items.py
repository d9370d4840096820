"""One broken item of many: which error, what the others get."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch

from manysense import Image, Kept, ModelError, SentenceTransformer, UsageError
from manysense.batching import run as loop
from manysense.errors import ForwardError, ItemError, MediaError, MediaNotFound, UnsupportedInput

TEXTS = [f"text number {i} of a few" for i in range(20)]
POISON = "poison"


def with_poison():
    return [*TEXTS[:7], POISON, *TEXTS[7:]]


@pytest.fixture
def fragile(behind, model):
    """A model whose network fails on exactly one of `with_poison()`."""
    lengths = model("bert").preprocess(with_poison())["attention_mask"].sum(1)
    assert (lengths == lengths[7]).sum() == 1

    def watch(features):
        if (features["attention_mask"].sum(1) == lengths[7]).any():
            raise RuntimeError("index out of range in self")

    return behind(watch)


def test_an_error_of_the_network_falls_on_the_one_item_that_causes_it(fragile, model):
    found = fragile.encode(with_poison(), on_error="skip")
    assert isinstance(found, Kept)
    assert found.indices.tolist() == [*range(7), *range(8, 21)]
    np.testing.assert_allclose(found.embeddings, model("bert").encode(TEXTS), atol=1e-6)


def test_an_error_of_the_network_names_the_item_and_the_reason(fragile):
    with pytest.raises(ForwardError, match=r"item 7 of 21.*RuntimeError: index out of range") as error:
        fragile.encode(with_poison())
    assert (error.value.index, error.value.total) == (7, 21)
    assert isinstance(error.value, RuntimeError)
    assert isinstance(error.value.__cause__, RuntimeError)


def test_an_error_of_the_network_names_the_source(fragile):
    with pytest.raises(ForwardError) as error:
        fragile.encode(with_poison())
    assert "poison" in str(error.value.source)


def test_nan_fills_the_rows_of_broken_items_only(fragile, model):
    vectors = fragile.encode(with_poison(), on_error="nan")
    assert vectors.shape == (21, 32)
    assert np.isnan(vectors[7]).all()
    np.testing.assert_allclose(np.delete(vectors, 7, 0), model("bert").encode(TEXTS), atol=1e-6)


def test_nan_of_tensors_is_nan_too(fragile):
    vectors = fragile.encode(with_poison(), on_error="nan", convert_to_tensor=True)
    assert torch.isnan(vectors).all(1).nonzero().flatten().tolist() == [7]


def test_nan_keeps_to_a_shorter_width(fragile):
    vectors = fragile.encode(with_poison(), on_error="nan", truncate_dim=5)
    assert vectors.shape == (21, 5)
    assert np.isnan(vectors[7]).all()


def test_a_call_in_which_everything_fails_gives_all_nan(model):
    vectors = model("bert").encode([None, None], on_error="nan")
    assert vectors.shape == (2, 32)
    assert np.isnan(vectors).all()


def test_a_call_in_which_everything_fails_keeps_nothing(model):
    found = model("bert").encode([None, None], on_error="skip")
    assert len(found.embeddings) == 0
    assert found.indices.tolist() == []


def test_equal_broken_items_are_each_named(model):
    found = model("clip").encode(["a", "missing.jpg", "b", "missing.jpg"], on_error="skip")
    assert found.indices.tolist() == [0, 2]


@pytest.mark.parametrize("precision", ["int8", "uint8", "binary", "ubinary"])
def test_integer_vectors_refuse_nan(model, precision):
    with pytest.raises(UsageError, match="skip"):
        model("bert").encode(["a"], on_error="nan", precision=precision)


def test_skip_works_with_tensors(fragile):
    found = fragile.encode(with_poison(), on_error="skip", convert_to_tensor=True)
    assert isinstance(found.embeddings, torch.Tensor)
    assert found.embeddings.shape == (20, 32)


def test_skip_without_broken_items_keeps_all(model):
    found = model("bert").encode(TEXTS, on_error="skip")
    assert found.indices.tolist() == list(range(20))
    np.testing.assert_array_equal(found.embeddings, model("bert").encode(TEXTS))


# ---- raise


def test_a_broken_file_is_named_with_index_source_reason_and_total(model, samples, tmp_path):
    (tmp_path / "broken.png").write_bytes((samples / "red_circle.png").read_bytes()[:60])
    inputs = ["a text", str(samples / "red_circle.png"), str(tmp_path / "broken.png"), "another"]
    with pytest.raises(MediaError) as error:
        model("clip").encode(inputs)
    assert (error.value.index, error.value.total) == (2, 4)
    assert "broken.png" in error.value.source
    assert "broken.png" in error.value.reason
    assert "item 2 of 4" in str(error.value)


def test_a_missing_file_is_an_error_with_its_path_and_never_text(model):
    with pytest.raises(MediaNotFound, match=r"item 1 of 2.*no/such/photo\.jpg") as error:
        model("clip").encode(["a", "no/such/photo.jpg"])
    assert isinstance(error.value, FileNotFoundError)


def test_what_was_finished_is_reachable_from_the_error(model, monkeypatch):
    monkeypatch.setattr(loop, "WINDOW_ITEMS", 10)
    inputs = [*TEXTS, "missing.jpg"]
    with pytest.raises(MediaNotFound) as error:
        model("clip").encode(inputs)
    vectors, indices = error.value.partial
    assert len(indices) == len(vectors) > 0
    expected = model("clip").encode(TEXTS)
    np.testing.assert_allclose(vectors, expected[indices], rtol=1e-5, atol=1e-5)


def test_a_single_input_has_no_index(model):
    with pytest.raises(MediaNotFound) as error:
        model("clip").encode("missing.jpg")
    assert error.value.index is None
    assert "item" not in str(error.value).split("\n")[0]


def test_errors_can_be_pickled_with_what_they_hold(model):
    import pickle

    with pytest.raises(ItemError) as error:
        model("bert").encode(["a", None])
    copy = pickle.loads(pickle.dumps(error.value))
    assert type(copy) is UnsupportedInput
    assert (copy.index, copy.total, copy.reason, copy.source) == (1, 2, error.value.reason, error.value.source)


# ---- before any work

BROKEN = [None, 3, 2.5, float("nan"), {"a", "b"}, ["a", "b"], {}, {"caption": "a"}, object(), {"text": None}]


@pytest.mark.parametrize("value", BROKEN, ids=lambda value: type(value).__name__)
def test_a_value_of_a_wrong_type_is_found_before_anything_is_computed(behind, rows, value, monkeypatch):
    monkeypatch.setattr(loop, "WINDOW_ITEMS", 4)
    with pytest.raises(UnsupportedInput) as error:
        behind(rows).encode([*TEXTS, value])
    assert (error.value.index, error.value.total) == (20, 21)
    assert rows.total == 0


def test_a_wrong_value_in_a_column_is_found_before_anything_is_computed(behind, rows, monkeypatch):
    monkeypatch.setattr(loop, "WINDOW_ITEMS", 4)
    with pytest.raises(UnsupportedInput) as error:
        behind(rows).encode(pd.Series([*TEXTS, None]))
    assert error.value.index == 20
    assert rows.total == 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"precision": "int4"},
        {"output_value": "zzz"},
        {"on_error": "ignore"},
        {"on_truncate": "maybe"},
        {"modality": "smell"},
        {"batch_size": 0},
        {"batch_size": 2.5},
        {"batch_size": True},
        {"truncate_dim": 0},
        {"truncate_dim": 33},
        {"truncate_dim": 2.5},
        {"prompt_name": "qury"},
        {"device": "cpuu"},
        {"no_such_argument": 1},
        {"ranges": np.zeros((2, 32))},
        {"precision": "int8", "ranges": np.zeros((3, 32))},
        {"precision": "int8", "ranges": np.zeros((2, 31))},
        {"precision": "int8", "ranges": np.full((2, 32), np.nan)},
        {"on_error": "nan", "output_value": "token_embeddings"},
        {"processing_kwargs": {"smell": {}}},
        {"out": np.zeros((20, 31), np.float32)},
        {"out": np.zeros((19, 32), np.float32)},
        {"out": np.zeros((20, 32), np.int32)},
        {"out": [[0.0] * 32] * 20},
        {"out": np.zeros((20, 32), np.float32), "convert_to_tensor": True},
    ],
    ids=str,
)
def test_a_wrong_argument_is_found_before_anything_is_computed(behind, rows, wrong):
    with pytest.raises(UsageError) as error:
        behind(rows).encode(TEXTS, **wrong)
    assert rows.total == 0
    assert str(error.value)


def test_an_unknown_choice_is_answered_with_the_known_ones(model):
    with pytest.raises(UsageError, match="'raise', 'skip', 'nan'"):
        model("bert").encode("a", on_error="ignore")


@pytest.mark.parametrize("value", [{"a", "b"}, pd.DataFrame({"text": ["a"]}), None, 3])
def test_a_collection_that_cannot_be_read_is_refused_as_a_whole(model, value):
    with pytest.raises(UnsupportedInput):
        model("bert").encode(value)


# ---- a caller's own module


class Words(torch.nn.Module):
    """Has only the known `preprocess`; refuses one text with an error of its own."""

    def preprocess(self, inputs, prompt=None, **kwargs):
        if POISON in inputs[0]:
            raise KeyError("no such word")
        return {"numbers": torch.tensor([[float(len(text)), float(text.count("e"))] for text in inputs])}

    def forward(self, features):
        features["sentence_embedding"] = features["numbers"]
        return features


def test_a_module_that_cannot_prepare_one_item_fails_on_that_item_alone():
    model = SentenceTransformer(modules=[Words()], device="cpu")
    found = model.encode(["one", POISON, "three"], on_error="skip")
    assert found.indices.tolist() == [0, 2]
    np.testing.assert_array_equal(found.embeddings, [[3, 1], [5, 2]])


def test_a_module_that_cannot_prepare_one_item_is_told_which():
    model = SentenceTransformer(modules=[Words()], device="cpu")
    with pytest.raises(ItemError, match="no such word") as error:
        model.encode(["one", POISON, "three"])
    assert error.value.index == 1


def test_a_file_that_goes_away_between_measuring_and_opening_is_an_error_of_its_item(model, samples, tmp_path):
    """Opened twice by nature: its head first, its pixels later."""
    from manysense.media import image

    path = tmp_path / "a.png"
    path.write_bytes((samples / "red_circle.png").read_bytes())
    original = image.open_picture

    def late(value, *args, **kwargs):
        path.unlink(missing_ok=True)
        return original(value, *args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(image, "open_picture", late)
        found = model("clip").encode(["a", Image(str(path))], on_error="skip")
    assert found.indices.tolist() == [0]


def test_an_error_of_the_model_as_a_whole_is_not_put_on_an_item(model):
    """CLIP has no token vectors for anybody: no input is to blame."""
    with pytest.raises((ModelError, UsageError), match="token_embeddings"):
        model("clip").encode(["a", "b"], output_value="token_embeddings")
