"""Folders go both ways between this library and the known one, and give equal scores there."""

from __future__ import annotations

import json

import numpy as np
import pytest
from torch import nn

from checkpoints.hub_stub import connected
from cross_encoder.pairs import DOCUMENTS, QUERY, assert_scores, gap
from manysense import CrossEncoder

PAIRS = [(QUERY, document) for document in DOCUMENTS]
FOLDERS = [
    *(("labeller", {"kind": kind}) for kind in ("bert", "roberta", "deberta-v3")),
    ("labeller", {"kind": "bert", "labels": 3}),
    ("labeller", {"kind": "bert", "form": "modules"}),
    *(("answerer", {"form": form}) for form in ("flat", "structured", "mxbai", "bge", "head")),
]
every_folder = pytest.mark.parametrize(("name", "variant"), FOLDERS, ids=str)
LOOSE = 3e-5
"""The known library pads and runs whole batches."""


@pytest.fixture(scope="module")
def known():
    """The known library's class; skips where it is missing."""
    return pytest.importorskip("sentence_transformers").CrossEncoder


def scores(model):
    """Of this library's model, and of the known one's."""
    quiet = {"on_truncate": "ignore"} if isinstance(model, CrossEncoder) else {}
    return model.predict(PAIRS, **quiet)


@every_folder
def test_both_libraries_give_one_folder_the_same_scores(name, variant, known, twin, reranker):
    theirs = known(str(twin(name, **variant)), device="cpu")
    made = scores(reranker(name, **variant))
    assert_scores(made, scores(theirs), LOOSE)
    if "labels" not in variant:
        hits = reranker(name, **variant).rank(QUERY, list(DOCUMENTS), top_k=3, on_truncate="ignore")
        wanted = theirs.rank(QUERY, list(DOCUMENTS), top_k=3)
        assert [hit["corpus_id"] for hit in hits] == [hit["corpus_id"] for hit in wanted]


@every_folder
def test_what_this_library_saves_is_read_by_both(name, variant, known, twin, reranker, tmp_path):
    model = reranker(name, **variant)
    model.save(str(tmp_path))
    wanted = scores(model)
    assert_scores(scores(CrossEncoder(tmp_path, device="cpu")), wanted)
    assert_scores(scores(known(str(tmp_path), device="cpu")), wanted, LOOSE)


@every_folder
def test_what_the_known_library_saves_is_read_here(name, variant, known, twin, reranker, tmp_path):
    known(str(twin(name, **variant)), device="cpu").save(str(tmp_path))
    assert_scores(scores(CrossEncoder(tmp_path, device="cpu")), scores(reranker(name, **variant)))


def test_a_raw_language_model_is_saved_with_the_template_it_was_asked_in(known, reranker, tmp_path):
    model = reranker("answerer")
    model.save(str(tmp_path))
    theirs = known(str(tmp_path), device="cpu")
    assert_scores(scores(theirs), scores(model), LOOSE)
    assert gap(scores(theirs), np.full(len(PAIRS), 0.5)) > 0.1


def test_what_is_saved_says_what_it_is(reranker, tmp_path):
    reranker("answerer", form="flat").save(str(tmp_path))
    config = json.loads((tmp_path / "config_sentence_transformers.json").read_text())
    assert config["model_type"] == "CrossEncoder"
    assert config["activation_fn"] == "torch.nn.modules.linear.Identity"
    kinds = [one["type"].rpartition(".")[2] for one in json.loads((tmp_path / "modules.json").read_text())]
    assert kinds == ["Transformer", "LogitScore"]
    assert "CrossEncoder" in (tmp_path / "README.md").read_text()


def test_prompts_and_lengths_survive_saving(twin, tmp_path):
    variant = {"form": "flat", "prompts": (("query", "Find a song"),), "default_prompt_name": "query"}
    model = CrossEncoder(twin("answerer", **variant), device="cpu", max_length=230, prompts={"page": "Find a page"})
    model.save(str(tmp_path))
    again = CrossEncoder(tmp_path, device="cpu")
    assert {name: text for name, text in again.prompts.items() if text} == {
        "query": "Find a song",
        "page": "Find a page",
    }
    assert again.default_prompt_name == "query"
    assert again.max_length == 230
    assert_scores(scores(again), scores(model))


# ---- the Hub


def test_a_pushed_reranker_is_read_back_by_both(known, twin, tmp_path):
    model = CrossEncoder(twin("labeller"), device="cpu", activation_fn=nn.Tanh())
    with connected(tmp_path) as hub:
        hub.users["hf_acme"] = "acme"
        model.push_to_hub("acme/reranker", token="hf_acme")
        assert {"modules.json", "model.safetensors"} <= set(hub.repositories["acme/reranker"].files())
        assert_scores(scores(CrossEncoder("acme/reranker", device="cpu")), scores(model))
        assert_scores(scores(known("acme/reranker", device="cpu")), scores(model), LOOSE)


def test_what_the_known_library_pushes_is_read_here(known, twin, tmp_path, reranker):
    theirs = known(str(twin("answerer", form="flat")), device="cpu")
    with connected(tmp_path) as hub:
        hub.users["hf_acme"] = "acme"
        theirs.push_to_hub("acme/answers", token="hf_acme")
        made = scores(CrossEncoder("acme/answers", device="cpu"))
    assert_scores(made, scores(reranker("answerer", form="flat")))


def test_a_name_without_an_owner_is_one_of_the_cross_encoders(twin, tmp_path, reranker):
    with connected(tmp_path) as hub:
        hub.add("cross-encoder/ms-marco-tiny", twin("labeller"))
        model = CrossEncoder("ms-marco-tiny", device="cpu")
    assert_scores(scores(model), scores(reranker("labeller")))
