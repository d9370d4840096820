"""Single layers in float32, in a model of half precision."""

from __future__ import annotations

import pytest
import torch

from manysense import CrossEncoder, UsageError

PAIRS = [("the red house", "a dog by the water"), ("music", "the long night of the bird")]


@pytest.fixture
def folder(twin):
    return twin("labeller")


def half(folder, **kwargs):
    return CrossEncoder(str(folder), device="cpu", model_kwargs={"dtype": "bfloat16"}, **kwargs)


def test_a_kept_layer_computes_in_float32(folder):
    model = half(folder, keep_in_fp32_modules=["0.model.classifier"])
    layer = model.get_submodule("0.model.classifier")
    assert layer.weight.dtype == torch.bfloat16
    assert layer(torch.ones(1, layer.in_features, dtype=torch.bfloat16)).dtype == torch.float32
    assert model.predict(PAIRS).tolist() != half(folder).predict(PAIRS).tolist()


def test_the_choice_survives_saving(folder, tmp_path):
    model = half(folder, keep_in_fp32_modules=["0.model.classifier"])
    model.save_pretrained(tmp_path / "saved")
    again = half(tmp_path / "saved")
    assert again.keep_in_fp32_modules == ["0.model.classifier"]
    assert again.predict(PAIRS).tolist() == model.predict(PAIRS).tolist()


def test_another_choice_replaces_the_first(folder):
    model = half(folder, keep_in_fp32_modules=["0.model.classifier"])
    model.set_keep_in_fp32_modules([])
    assert model.predict(PAIRS).tolist() == half(folder).predict(PAIRS).tolist()


@pytest.mark.parametrize("name", ["0.model", "nowhere"])
def test_what_is_no_linear_layer_is_refused(folder, name):
    with pytest.raises(UsageError, match=name):
        half(folder, keep_in_fp32_modules=[name])


def test_the_known_library_does_the_same(folder):
    peer = pytest.importorskip("sentence_transformers")
    theirs = peer.CrossEncoder(
        str(folder), device="cpu", model_kwargs={"dtype": "bfloat16"}, keep_in_fp32_modules=["0.model.classifier"]
    )
    ours = half(folder, keep_in_fp32_modules=["0.model.classifier"])
    for pair in PAIRS:
        assert ours.predict(pair) == pytest.approx(theirs.predict(pair), abs=0.02)
