"""The card of a saved CrossEncoder: what it says of scores and labels, a snippet that runs, whose words it keeps."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from huggingface_hub import ModelCard
from torch import nn

from manysense import CrossEncoder
from manysense.checkpoints.card import CrossEncoderModelCardData

FILES = {"photo.jpg": "beach.jpg", "clip.mp4": "bouncing_ball.mp4"}


@pytest.fixture
def load(twin) -> Callable[..., CrossEncoder]:
    """load(name, labels, **arguments of CrossEncoder) → a fresh model."""

    def loaded(name: str = "labeller", labels: int = 1, **kwargs: Any) -> CrossEncoder:
        variant = {} if labels == 1 else {"labels": labels}
        return CrossEncoder(twin(name, **variant), device="cpu", **kwargs)

    return loaded


@pytest.fixture
def saved(tmp_path) -> Callable[..., str]:
    """saved(model, **kwargs) → the card in the folder "out" after this save."""

    def save(model: CrossEncoder, **kwargs: Any) -> str:
        model.save_pretrained(tmp_path / "out", **kwargs)
        return (tmp_path / "out" / "README.md").read_text(encoding="utf-8")

    return save


def head(card: str) -> dict[str, Any]:
    return ModelCard(card).data.to_dict()


def rows(card: str) -> dict[str, str]:
    return dict(re.findall(r"^\| ([A-Z][\w ]+) \| (.+) \|$", card, re.MULTILINE))


# ---- what the model is


def test_the_hub_is_told_that_one_label_ranks_and_several_classify(load, saved):
    assert head(saved(load())) == {
        "library_name": "sentence-transformers",
        "pipeline_tag": "text-ranking",
        "tags": ["sentence-transformers", "cross-encoder", "reranker"],
    }
    several = head(saved(load(labels=3)))
    assert several["pipeline_tag"] == "text-classification"
    assert several["tags"] == ["sentence-transformers", "cross-encoder"]


def test_the_table_says_what_a_score_is(load, saved):
    assert rows(saved(load(max_length=17))) == {
        "Reads": "text",
        "Scores": "one per pair, through a sigmoid: probabilities",
        "Longest pair": "17 tokens",
        "Modules": "Transformer",
    }
    assert rows(saved(load(activation_fn=nn.Identity())))["Scores"] == "one per pair, through no activation: raw values"
    assert rows(saved(load(activation_fn=nn.Tanh())))["Scores"] == "one per pair, through Tanh"


def test_labels_have_the_names_that_the_folder_gives_them(load, saved):
    model = load(labels=3)
    assert "Labels" not in rows(saved(model))
    model.config.id2label = {0: "contradiction", 1: "entailment", 2: "neutral"}
    card = saved(model)
    assert rows(card)["Labels"] == "contradiction, entailment, neutral"
    assert "This model gives 3 scores to a pair of texts." in card


def test_a_model_that_sees_says_what_it_reads(load, saved):
    card = saved(load("vl_reranker"))
    assert head(card)["tags"][-3:] == ["image", "video", "multimodal"]
    assert "Both are texts or images or videos." in card
    assert 'pip install "manysense[video]"' in card


def test_its_prompts_are_shown_with_the_calls_that_take_them(load, saved):
    card = saved(load("answerer", prompts={"web": "Find pages."}, default_prompt_name="web"))
    assert (
        "`rank(…, prompt_name=…)` and `predict(…, prompt_name=…)` give the model one of these with each pair." in card
    )
    assert "A call that names none uses `web`." in card


def test_the_other_library_is_said_to_load_it_with_its_own_class(load, saved):
    assert "`from sentence_transformers import CrossEncoder` loads it too." in saved(load())


# ---- the snippet


@pytest.mark.parametrize(
    ("name", "labels", "documents"),
    [("labeller", 1, 2), ("answerer", 1, 2), pytest.param("vl_reranker", 1, 5, marks=pytest.mark.slow)],
)
def test_the_snippet_runs_and_ranks_every_modality(
    load, saved, tmp_path, samples, monkeypatch, name, labels, documents
):
    made = snippet(saved(load(name, labels), model_name="out"), tmp_path, samples, monkeypatch)
    assert len(made["documents"]) == len(made["scores"]) == documents
    best = np.argsort(-made["scores"])[:2]
    assert [hit["corpus_id"] for hit in made["ranking"]] == best.tolist()


def test_the_snippet_of_a_model_with_labels_predicts(load, saved, tmp_path, samples, monkeypatch):
    made = snippet(saved(load(labels=3), model_name="out"), tmp_path, samples, monkeypatch)
    assert made["scores"].shape == (2, 3)


def snippet(card: str, folder: Path, samples: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the snippet leaves behind, run where the model and the files that it names are."""
    (code,) = re.findall(r"```python\n(.*?)```", card, re.DOTALL)
    for name, sample in FILES.items():
        shutil.copy(samples / sample, folder / name)
    monkeypatch.chdir(folder)
    namespace: dict[str, Any] = {}
    exec(code, namespace)  # noqa: S102  our own card
    return namespace


# ---- what a caller tells, and whose words they are


def test_what_is_told_of_the_model_stands_in_its_card(load, saved):
    data = CrossEncoderModelCardData(language="en", license="mit", model_name="My judge", task_name="finding recipes")
    data.add_tags(["reranker", "cooking"])
    card = saved(load(model_card_data=data))
    assert (head(card)["license"], head(card)["language"]) == ("mit", "en")
    assert head(card)["tags"] == ["sentence-transformers", "cross-encoder", "reranker", "cooking"]
    assert "\n# My judge\n" in card
    assert "fits a query. Both are texts. It is for finding recipes." in card


@pytest.mark.slow
def test_the_known_library_s_own_data_is_taken(load, saved):
    peer = pytest.importorskip("sentence_transformers")
    data = peer.CrossEncoderModelCardData(license="mit", task_name="finding recipes", model_id="me/judge")
    card = saved(load(model_card_data=data))
    assert head(card)["license"] == "mit"
    assert head(card)["tags"] == ["sentence-transformers", "cross-encoder", "reranker"]
    assert 'CrossEncoder("me/judge")' in card


def test_save_load_save_gives_the_same_card(load, saved, tmp_path):
    first = saved(load(model_card_data={"license": "mit", "task_name": "finding recipes"}))
    CrossEncoder(tmp_path / "out", device="cpu").save_pretrained(tmp_path / "again")
    assert (tmp_path / "again" / "README.md").read_text(encoding="utf-8") == first


@pytest.mark.parametrize(
    "edit",
    [lambda card: card.replace("## Use", "## How I use it"), lambda card: "# Mine: ä\n"],
    ids=["inside", "whole"],
)
def test_an_edited_card_survives_saving_over_it_and_load_and_save(load, saved, tmp_path, edit):
    mine = edit(saved(load()))
    (tmp_path / "out" / "README.md").write_text(mine, encoding="utf-8")
    assert saved(load(max_length=17)) == mine
    CrossEncoder(tmp_path / "out", device="cpu").save_pretrained(tmp_path / "again")
    assert (tmp_path / "again" / "README.md").read_text(encoding="utf-8") == mine


def test_a_card_that_nobody_edited_follows_the_model(load, saved):
    assert "64 tokens" in saved(load())
    assert "17 tokens" in saved(load(max_length=17))
