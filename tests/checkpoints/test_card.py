"""README.md of a saved model: what the Hub reads in it, a snippet that runs, and a person's own words kept."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from huggingface_hub import ModelCard, ModelCardData
from torch import nn

from manysense import ManysenseWarning, SentenceTransformer
from manysense.checkpoints.card import SentenceTransformerModelCardData, make_card
from manysense.modules.normalize import Normalize

FILES = {"photo.jpg": "beach.jpg", "rain.wav": "rain.wav", "clip.mp4": "bouncing_ball.mp4"}


@pytest.fixture
def load(twin) -> Callable[..., SentenceTransformer]:
    return lambda name="static", **kwargs: SentenceTransformer(twin(name), device="cpu", **kwargs)


@pytest.fixture
def saved(tmp_path) -> Callable[..., str]:
    """saved(model, **kwargs) → the card in the folder "out" after this save."""

    def save(model: SentenceTransformer, **kwargs: Any) -> str:
        model.save_pretrained(tmp_path / "out", **kwargs)
        return (tmp_path / "out" / "README.md").read_text(encoding="utf-8")

    return save


def head(card: str) -> dict[str, Any]:
    return ModelCard(card).data.to_dict()


def snippet(card: str) -> str:
    (found,) = re.findall(r"```python\n(.*?)```", card, re.DOTALL)
    return found


# ---- the head


@pytest.mark.parametrize(
    ("name", "task", "tags"),
    [
        ("bert", "sentence-similarity", ["sentence-transformers", "feature-extraction", "sentence-similarity"]),
        ("clip", "feature-extraction", ["sentence-transformers", "feature-extraction", "image", "multimodal"]),
        ("clap", "feature-extraction", ["sentence-transformers", "feature-extraction", "audio", "multimodal"]),
    ],
)
def test_the_head_says_library_task_and_modalities(model, saved, name, task, tags):
    assert head(saved(model(name))) == {
        "library_name": "sentence-transformers", "pipeline_tag": task, "tags": tags
    }  # fmt: skip


def test_a_model_of_modules_of_our_own_names_our_library(model, saved):
    card = saved(model("towers"))
    assert head(card)["library_name"] == "manysense"
    assert "sentence-transformers" not in head(card)["tags"]
    assert "other libraries cannot load it" in card


def test_a_model_with_code_of_its_own_says_so(load, saved):
    class Own(Normalize):
        pass

    card = saved(SentenceTransformer(modules=[*load(), Own()], device="cpu"), model_name="me/own")
    assert 'SentenceTransformer("me/own", trust_remote_code=True)' in card


# ---- the facts


def test_the_table_says_what_the_model_is(twin, saved):
    model = SentenceTransformer(twin("bert"), device="cpu", similarity_fn_name="dot", truncate_dim=9)
    model.max_seq_length = 17
    rows = dict(re.findall(r"^\| ([A-Z][\w ]+) \| (.+) \|$", saved(model), re.MULTILINE))
    assert rows == {
        "Reads": "text",
        "Vectors": "9 numbers, of length 1",
        "Similarity": "dot",
        "Longest text": "17 tokens",
        "Modules": "Transformer → Pooling → Normalize",
    }


def test_prompts_are_shown(load, saved):
    model = load(prompts={"query": "Frage:\n", "passage": "Text: "}, default_prompt_name="query")
    card = saved(model)
    assert '"query": "Frage:\\n"' in card
    assert "A call that names none uses `query`." in card


def test_a_model_without_prompts_has_no_section_about_them(load, saved):
    assert "## Prompts" not in saved(load())


# ---- the snippet


@pytest.fixture
def run(tmp_path, samples, monkeypatch, saved) -> Callable[[SentenceTransformer], dict[str, Any]]:
    """run(model) → what the snippet of its card leaves behind, run where the files that it names are."""

    def execute(model: SentenceTransformer) -> dict[str, Any]:
        code = snippet(saved(model, model_name="out"))
        for name, sample in FILES.items():
            shutil.copy(samples / sample, tmp_path / name)
        monkeypatch.chdir(tmp_path)
        namespace: dict[str, Any] = {}
        exec(code, namespace)  # noqa: S102  our own card
        return {key: value.shape for key, value in namespace.items() if hasattr(value, "shape")}

    return execute


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("static", {"embeddings": (3, 24)}),
        ("clip", {"texts": (2, 24), "images": (1, 24)}),
        pytest.param("clap", {"texts": (2, 32), "sounds": (1, 32)}, marks=pytest.mark.slow),
        ("towers", {"texts": (2, 24), "images": (1, 24), "sounds": (1, 24), "videos": (1, 24)}),
        pytest.param(
            "qwen3_vl",
            {"texts": (2, 64), "images": (1, 64), "videos": (1, 64), "mixed": (1, 64)},
            marks=pytest.mark.slow,
        ),
    ],
)
def test_the_snippet_runs_and_uses_every_modality(model, run, name, made):
    assert run(model(name)) == made


def test_the_snippet_of_a_model_for_retrieval_asks_and_answers(load, run):
    assert run(load(prompts={"query": "q: "})) == {"queries": (1 + 1, 24), "documents": (2, 24)}


# ---- what a caller tells

TOLD = {
    "language": "en",
    "license": "mit",
    "model_name": "My model",
    "model_id": "me/mine",
    "task_name": "finding recipes",
    "tags": ["cooking"],
    "train_datasets": [{"name": "Recipes", "id": "me/recipes"}, {"name": "Notes"}],
    "eval_datasets": ["me/tests"],
}


@pytest.mark.parametrize("kind", ["dict", "ours", "any object"])
def test_what_is_told_of_the_model_stands_in_its_card(load, saved, kind):
    data = {"dict": dict, "ours": SentenceTransformerModelCardData, "any object": SimpleNamespace}[kind](**TOLD)
    card = saved(load(model_card_data=data))
    told = head(card)
    assert (told["language"], told["license"], told["datasets"]) == ("en", "mit", ["me/recipes"])
    assert told["tags"][-1] == "cooking"
    assert "\n# My model\n" in card
    assert "It is for finding recipes." in card
    assert 'SentenceTransformer("me/mine")' in card
    assert "| Trained on | [Recipes](https://huggingface.co/datasets/me/recipes), Notes |" in card
    assert "| Evaluated on | [me/tests](https://huggingface.co/datasets/me/tests) |" in card


@pytest.mark.slow
def test_the_known_library_s_own_data_is_taken(load, saved):
    peer = pytest.importorskip("sentence_transformers")
    data = peer.SentenceTransformerModelCardData(**TOLD | {"local_files_only": True, "eval_datasets": []})
    card = saved(load(model_card_data=data))
    assert (head(card)["license"], head(card)["language"]) == ("mit", "en")
    assert "It is for finding recipes." in card
    assert head(card)["tags"] == ["sentence-transformers", "feature-extraction", "sentence-similarity", "cooking"]


def test_the_hub_s_own_data_is_taken(load, saved):
    data = ModelCardData(license="mit", language="de", datasets=["me/recipes"], base_model="me/base")
    told = head(saved(load(model_card_data=data)))
    assert (told["license"], told["language"], told["datasets"]) == ("mit", "de", ["me/recipes"])
    assert told["base_model"] == "me/base"


def test_data_can_be_changed_by_its_methods(load, saved):
    data = SentenceTransformerModelCardData()
    data.set_license("mit")
    data.set_language(["en", "de"])
    data.set_base_model("me/base")
    data.set_model_id("me/mine")
    data.add_tags("cooking")
    card = saved(load(model_card_data=data))
    assert (head(card)["license"], head(card)["language"], head(card)["base_model"]) == ("mit", ["en", "de"], "me/base")
    assert "cooking" in head(card)["tags"]
    assert 'SentenceTransformer("me/mine")' in card


def test_what_no_card_carries_is_said(load, saved):
    with pytest.warns(ManysenseWarning, match=r"\['co2'\] are not written into cards"):
        saved(load(model_card_data={"license": "mit", "co2": 3}))


# ---- whose words they are


def test_a_card_written_from_the_model_is_written_anew_when_the_model_changes(load, saved):
    model = load()
    saved(model)
    model.prompts["query"] = "Frage: "
    assert "Frage: " in saved(model)


def test_save_load_save_gives_the_same_card(load, saved, tmp_path):
    first = saved(load(model_card_data=TOLD))
    again = SentenceTransformer(tmp_path / "out", device="cpu")
    again.save_pretrained(tmp_path / "again")
    assert (tmp_path / "again" / "README.md").read_text(encoding="utf-8") == first


def test_what_was_told_once_survives_a_change_of_the_model(load, saved, tmp_path):
    saved(load(model_card_data=TOLD))
    again = SentenceTransformer(tmp_path / "out", device="cpu", prompts={"query": "Frage: "})
    card = saved(again)
    assert "Frage: " in card
    assert "It is for finding recipes." in card
    assert head(card)["license"] == "mit"


def test_a_new_name_is_the_name_of_a_card_that_nobody_edited(load, saved, tmp_path):
    saved(load())
    card = saved(SentenceTransformer(tmp_path / "out", device="cpu"), model_name="me/renamed")
    assert 'SentenceTransformer("me/renamed")' in card
    assert "\n# me/renamed\n" in card


@pytest.mark.parametrize(
    "edit",
    [
        lambda card: card.replace("## Use", "## How I use it"),
        lambda card: card + "\nMy own last words.\n",
        lambda card: card[: card.index("<!--")] + "My own words, and no comment.\n",
        lambda card: "# Mine: ä\n",
    ],
    ids=["inside", "after the mark", "without the mark", "all of it"],
)
def test_an_edited_card_survives_saving_over_it_and_load_and_save(load, saved, tmp_path, edit):
    card = saved(load())
    mine = edit(card)
    assert mine != card
    (tmp_path / "out" / "README.md").write_text(mine, encoding="utf-8")
    assert saved(load(prompts={"query": "changed: "})) == mine
    SentenceTransformer(tmp_path / "out", device="cpu").save_pretrained(tmp_path / "again")
    assert (tmp_path / "again" / "README.md").read_text(encoding="utf-8") == mine


@pytest.mark.parametrize("mine", [b"# Mine\r\nin lines of Windows\r\n", b"# Mine in Latin-1: \xe4\n"])
def test_a_card_that_is_kept_stays_byte_for_byte(load, saved, tmp_path, mine):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "README.md").write_bytes(mine)
    load().save_pretrained(tmp_path / "out")
    assert (tmp_path / "out" / "README.md").read_bytes() == mine


def test_a_card_in_lines_of_windows_that_nobody_edited_is_written_anew(load, saved, tmp_path):
    saved(load())
    place = tmp_path / "out" / "README.md"
    place.write_bytes(place.read_bytes().replace(b"\n", b"\r\n"))
    assert "Frage: " in saved(load(prompts={"query": "Frage: "}))


def test_a_card_is_left_alone_where_none_is_wanted(load, saved, tmp_path):
    model = load()
    before = saved(model)
    model.prompts["query"] = "Frage: "
    assert saved(model, create_model_card=False) == before


@pytest.mark.parametrize("mine", ["# Mine\n", "---\nlanguage: de\nlicense: gpl\ntags:\n- old\n---\n# Mine\n"])
def test_what_is_told_goes_into_the_head_of_a_card_that_is_kept(load, saved, tmp_path, mine):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "README.md").write_text(mine)
    card = saved(load(model_card_data={"license": "mit", "tags": ["cooking"]}))
    assert head(card)["license"] == "mit"
    assert head(card)["tags"] == (["old", "cooking"] if "old" in mine else ["cooking"])
    assert card.endswith("# Mine\n")
    assert "## Use" not in card
    assert saved(load(model_card_data={"license": "mit", "tags": ["cooking"]})) == card


def test_a_head_that_is_no_yaml_is_left_as_it_is(load, saved, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "README.md").write_text("---\nlicense: [\n---\n# Mine\n")
    assert saved(load(model_card_data={"license": "mit"})) == "---\nlicense: [\n---\n# Mine\n"


class Lengths(nn.Module):
    """A caller's own first module, which says nothing of its width."""

    def preprocess(self, inputs: list[Any]) -> dict[str, torch.Tensor]:
        return {"lengths": torch.tensor([[float(len(text))] for text in inputs])}

    def forward(self, features: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        return {"sentence_embedding": features["lengths"]}


def test_a_model_whose_width_nobody_knows_has_a_card_that_does_not_say_it():
    card = make_card(SentenceTransformer(modules=[Lengths()], device="cpu"), "x", {})
    assert "This model maps texts to vectors.\n" in card
    assert "None" not in card
    assert "| Vectors |" not in card
