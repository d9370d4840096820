"""Folders of Router that go to Sentence Transformers and come from it.

The tests that import it are slow, and skipped where it is not installed (the dependency group "bench").
"""

from __future__ import annotations

import shutil
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from manysense import SentenceTransformer, modules
from twins.samples import pictures

TEXTS = ["a dog", "the red house on the hill", "music"]
OURS = SimpleNamespace(**{name: getattr(modules, name) for name in modules.__all__})


@pytest.fixture(scope="module")
def theirs():
    library = pytest.importorskip("sentence_transformers")
    from sentence_transformers.sentence_transformer import modules as m

    def load(source):
        if isinstance(source, list):
            return library.SentenceTransformer(modules=source, device="cpu")
        return library.SentenceTransformer(str(source), device="cpu")

    return SimpleNamespace(**{name: getattr(m, name) for name in m.__all__}, load=load)


def ours(source):
    if isinstance(source, list):
        return SentenceTransformer(modules=source, device="cpu")
    return SentenceTransformer(str(source), device="cpu")


def static(m, folder):
    from safetensors.torch import load_file
    from tokenizers import Tokenizer

    weights = load_file(folder / "model.safetensors")["embedding.weight"]
    return m.StaticEmbedding(Tokenizer.from_file(str(folder / "tokenizer.json")), embedding_weights=weights)


@pytest.fixture
def made(twin):
    """made(form, m) → modules out of the classes of m, with weights that are the same on both sides."""
    static_folder, bert, clip = twin("static", layout="root"), str(twin("bert-bare")), str(twin("clip"))

    def query_and_document(m):
        document = [m.Transformer(bert, max_seq_length=20), m.Pooling(32), m.Dense(32, 24)]
        return [m.Router.for_query_document([static(m, static_folder)], document), m.Normalize()]

    def shared(m):
        transformer = m.Transformer(bert)
        routes = {"query": [transformer, m.Pooling(32)], "document": [transformer, m.Pooling(32, "cls")]}
        return [m.Router(routes, default_route=None, allow_empty_key=False)]

    def behind(m):
        return [m.Transformer(bert), m.Pooling(32), m.Router({"query": [m.Dense(32, 8)], "document": [m.Dense(32, 8)]})]

    def mapped(m):
        routes = {"texts": [static(m, static_folder)], "pictures": [m.Transformer(clip)]}
        rules = {(None, "image"): "pictures", ("query", "text"): "texts", (None, None): "texts"}
        return [m.Router(routes, route_mappings=rules)]

    forms = {f.__name__: f for f in (query_and_document, shared, behind, mapped)}

    def make(form, m):
        torch.manual_seed(0)
        return forms[form](m)

    return make


FORMS = ["query_and_document", "shared", "behind", "mapped"]


def vectors(model, form, batch_size=None):
    given = {} if batch_size is None else {"batch_size": batch_size}
    rows = [model.encode_query(TEXTS, **given), model.encode_document(TEXTS, **given)]
    if form != "shared":
        rows.append(model.encode(TEXTS, **given))
    if form == "mapped":
        rows.append(model.encode(pictures()[:2], **given))
    return rows


def assert_same(made, expected):
    for one, other in zip(made, expected, strict=True):
        far = np.linalg.norm(one - other, axis=1) / np.linalg.norm(other, axis=1)
        assert far.max() < 1e-5, far  # pictures are resized by other code; texts agree to 1e-6


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMS)
def test_what_the_known_library_saves_takes_the_same_routes_here(form, made, theirs, tmp_path):
    model = theirs.load(made(form, theirs))
    model.save_pretrained(str(tmp_path))
    assert_same(vectors(ours(tmp_path), form), vectors(model, form, 1))


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMS)
def test_what_is_saved_here_takes_the_same_routes_in_the_known_library(form, made, theirs, tmp_path):
    model = ours(made(form, OURS))
    model.save_pretrained(tmp_path)
    assert_same(vectors(theirs.load(tmp_path), form, 1), vectors(model, form))


@pytest.mark.parametrize("form", FORMS)
def test_a_loaded_router_writes_the_same_files(form, made, tmp_path):
    ours(made(form, OURS)).save_pretrained(tmp_path / "first", model_name="m")
    ours(tmp_path / "first").save_pretrained(tmp_path / "second", model_name="m")
    first, second = (
        {str(path.relative_to(tmp_path / name)): path.read_bytes() for path in (tmp_path / name).rglob("*.*")}
        for name in ("first", "second")
    )
    assert first == second


@pytest.mark.slow
def test_items_with_a_task_of_their_own_go_the_same_way(made, theirs):
    mine, other = ours(made("query_and_document", OURS)), theirs.load(made("query_and_document", theirs))
    items = [{"query": text} for text in TEXTS]
    assert_same([mine.encode(items)], [other.encode(items, batch_size=1)])


@pytest.mark.slow
def test_a_folder_of_asym_is_the_same_on_both_sides(made, theirs, tmp_path):
    """Its old file is that of a Router without rules."""
    model = ours(made("behind", OURS))
    model.save_pretrained(tmp_path)
    shutil.move(tmp_path / "2_Router" / "router_config.json", tmp_path / "2_Router" / "config.json")
    assert_same(vectors(theirs.load(tmp_path), "behind", 1), vectors(ours(tmp_path), "behind"))
