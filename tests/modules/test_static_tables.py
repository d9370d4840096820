"""StaticEmbedding from what model2vec wrote, and from what it distils of a model."""

from __future__ import annotations

import json
import shutil
import sys

import pytest
import torch
from safetensors.torch import load_file, save_file

from manysense import SentenceTransformer
from manysense.errors import MissingExtra, ModelNotFound, UsageError
from manysense.modules import Normalize, StaticEmbedding
from reference.closeness import assert_close
from twins import static
from twins.samples import TEXTS

ENDLESS = "the dog and the cat " * 200
KNOWN = TEXTS[:3]
"""Without unknown words, which model2vec leaves out of the mean."""


def vectors(module):
    return SentenceTransformer(modules=[module], device="cpu").encode([*TEXTS, ENDLESS])


@pytest.fixture(params=["model2vec", "in the folder", "in a sub-folder"])
def table(request, twin, tmp_path):
    """A folder with the table of the static twin, as model2vec and as Sentence Transformers write it."""
    if request.param != "model2vec":
        return twin("static", layout="root" if request.param == "in the folder" else "folder")
    inner = twin("static") / "0_StaticEmbedding"
    rows = load_file(inner / "model.safetensors")["embedding.weight"]
    order = torch.randperm(len(rows), generator=torch.Generator().manual_seed(0))
    save_file({"embeddings": rows[order], "mapping": order.argsort()}, tmp_path / "model.safetensors")
    shutil.copyfile(inner / "tokenizer.json", tmp_path / "tokenizer.json")
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "model2vec", "normalize": True}))
    return tmp_path


def test_a_table_of_model2vec_is_read(table, twin):
    module = StaticEmbedding.from_model2vec(str(table))
    assert_close(vectors(module), [static.reference(twin("static"), text) for text in (*TEXTS, ENDLESS)])
    assert module.base_model == str(table)


def test_a_table_that_is_nowhere_is_not_found(tmp_path):
    with pytest.raises(ModelNotFound):
        StaticEmbedding.from_model2vec(str(tmp_path / "none"))


@pytest.mark.slow
def test_the_known_library_reads_the_same_table(table):
    modules = pytest.importorskip("sentence_transformers.sentence_transformer.modules")
    pytest.importorskip("model2vec")
    theirs = modules.StaticEmbedding.from_model2vec(str(table))
    assert torch.equal(theirs.embedding.weight, StaticEmbedding.from_model2vec(str(table)).embedding.weight)


# ---- distilled


def test_without_model2vec_it_is_said_what_to_install(monkeypatch, twin):
    monkeypatch.setitem(sys.modules, "model2vec.distill", None)
    with pytest.raises(MissingExtra, match=r'pip install model2vec "skeletoken<0\.7"'):
        StaticEmbedding.from_distillation(str(twin("bert-bare")))


@pytest.fixture
def distil():
    pytest.importorskip("skeletoken", reason="model2vec distils with skeletoken")
    return pytest.importorskip("model2vec.distill").distill


def test_a_distilled_table_is_the_one_of_model2vec(distil, twin):
    folder = str(twin("bert-bare"))
    module = StaticEmbedding.from_distillation(folder, pca_dims=8, sif_coefficient=None)
    found = distil(folder, pca_dims=8, sif_coefficient=None, quantize_to="float32")
    assert module.get_embedding_dimension() == 8
    made = SentenceTransformer(modules=[module, Normalize()], device="cpu").encode(list(KNOWN))
    assert_close(made, found.encode(list(KNOWN)))
    assert module.base_model == folder


def test_a_distilled_table_reads_a_text_to_its_end_in_a_saved_copy_too(distil, twin, tmp_path):
    module = StaticEmbedding.from_distillation(str(twin("bert-bare")), ["rainy night"], pca_dims=None)
    SentenceTransformer(modules=[module], device="cpu").save_pretrained(tmp_path)
    assert_close(SentenceTransformer(str(tmp_path), device="cpu").encode([ENDLESS]), vectors(module)[-1:])
    assert module.tokenizer.truncation is None


@pytest.mark.parametrize("option", [{"use_subword": False}, {"nonsense": 1}], ids=str)
def test_what_the_installed_version_does_not_take_is_refused(option, distil, twin):
    with pytest.raises(UsageError, match=rf"does not take {next(iter(option))}; it takes .*pca_dims"):
        StaticEmbedding.from_distillation(str(twin("bert-bare")), **option)
