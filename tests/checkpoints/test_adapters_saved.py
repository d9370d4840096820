"""Adapters on the disk: a network that peft wrapped is saved as it computes, and no adapter is put where it does not
belong.

Knows: folders of adapters, as peft and as this library write them. Does not know: how adapters are changed on a model
(tests/adapters).
"""

from __future__ import annotations

import json

import pytest
import torch
from safetensors.torch import load_file, save_file

from manysense import ManysenseWarning, SentenceTransformer
from manysense.errors import ModelError
from reference.closeness import MOVED, assert_close, distance
from twins.samples import TEXTS

peft = pytest.importorskip("peft")


def config():
    return peft.LoraConfig(r=4, target_modules=["query", "value"], init_lora_weights=False)


def vectors(model):
    return model.encode(list(TEXTS))


@pytest.fixture
def plain(twin):
    return SentenceTransformer(str(twin("bert")), device="cpu")


@pytest.fixture
def wrapped(plain):
    """A model whose network was wrapped by peft after it had been used."""
    plain.encode("a dog")
    torch.manual_seed(0)
    plain[0].model = peft.get_peft_model(plain[0].model, config())
    return plain.eval()


@pytest.fixture
def folder(plain, tmp_path):
    """A folder of an adapter."""
    torch.manual_seed(0)
    plain.add_adapter(config())
    plain.save_pretrained(tmp_path / "adapter")
    return tmp_path / "adapter"


def test_a_network_that_peft_wrapped_gives_its_vectors_after_a_save(wrapped, model, tmp_path):
    wrapped.save_pretrained(tmp_path)
    assert_close(vectors(SentenceTransformer(str(tmp_path), device="cpu")), vectors(wrapped))
    assert distance(vectors(wrapped)[1], vectors(model("bert"))[1]) > MOVED


@pytest.mark.slow
def test_the_known_library_reads_a_saved_network_that_peft_wrapped(wrapped, tmp_path):
    library = pytest.importorskip("sentence_transformers")
    wrapped.save_pretrained(tmp_path)
    assert_close(vectors(library.SentenceTransformer(str(tmp_path), device="cpu")), vectors(wrapped))


def renamed(folder, change):
    path = folder / "adapter_model.safetensors"
    save_file({change(name): tensor for name, tensor in load_file(path).items()}, path)


def test_an_adapter_with_weights_of_other_names_does_not_fit(folder):
    renamed(folder, lambda name: name.replace("layer.", "block."))
    with pytest.raises(ModelError, match=r"does not fit .* it lacks 8 of the weights .* among them .*lora_A"):
        SentenceTransformer(str(folder), device="cpu")


def test_weights_of_an_adapter_that_have_no_place_are_said(folder, plain):
    path = folder / "adapter_model.safetensors"
    save_file({**load_file(path), "base_model.model.classifier.weight": torch.ones(2, 32)}, path)
    with pytest.warns(
        ManysenseWarning, match=r"no place in BertModel and are left out, 1 in all, .*classifier\.weight"
    ):
        again = SentenceTransformer(str(folder), device="cpu")
    assert_close(vectors(again), vectors(plain))


def test_a_whole_model_is_not_saved_over_an_adapter(folder, model):
    before = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    with pytest.raises(ModelError, match=r"holds an adapter.*\n.*Remove adapter_config\.json"):
        model("bert").save_pretrained(folder)
    assert {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()} == before


def test_an_adapter_is_saved_over_an_adapter(folder, plain):
    with torch.no_grad():
        for name, tensor in plain.named_parameters():
            if "lora_B" in name:
                tensor.mul_(2)
    plain.save_pretrained(folder)
    assert_close(vectors(SentenceTransformer(str(folder), device="cpu")), vectors(plain))
    assert json.loads((folder / "adapter_config.json").read_text())["r"] == 4


def test_pickled_weights_of_an_adapter_are_not_put_behind_older_ones(folder, plain):
    with pytest.raises(ModelError, match=r"adapter_model\.safetensors would be read instead of the new"):
        plain.save_pretrained(folder, safe_serialization=False)
