"""What is written, and that it reads back the same."""

from __future__ import annotations

import json

import numpy as np
import pytest

from manysense import SentenceTransformer, UsageError

TEXTS = ["a dog", "the red house on the hill"]


@pytest.mark.parametrize(
    ("name", "variant"),
    [
        ("bert", {}),
        ("bert", {"dense": 8, "style": "new"}),
        ("bert-bare", {}),
        ("static", {}),
        ("clip", {}),
        ("clap", {}),
    ],
)
def test_a_saved_model_gives_the_same_vectors(model, tmp_path, name, variant):
    model(name, **variant).save_pretrained(tmp_path / "saved")
    again = SentenceTransformer(str(tmp_path / "saved"), device="cpu")
    np.testing.assert_array_equal(again.encode(TEXTS), model(name, **variant).encode(TEXTS))


def test_modules_are_written_under_the_names_that_every_version_reads(model, tmp_path):
    model("bert", dense=8).save_pretrained(tmp_path)
    listed = json.loads((tmp_path / "modules.json").read_text())
    kinds = [f"sentence_transformers.models.{name}" for name in ("Transformer", "Pooling", "Dense", "Normalize")]
    assert [entry["type"] for entry in listed] == kinds
    assert [entry["path"] for entry in listed] == ["", "1_Pooling", "2_Dense", "3_Normalize"]


def test_all_that_is_saved_is_as_readable_as_any_new_file(model, tmp_path):
    model("bert", dense=8).save_pretrained(tmp_path / "saved")
    (tmp_path / "new").touch()
    files = [path for path in (tmp_path / "saved").rglob("*") if path.is_file()]
    assert "model.safetensors" in {path.name for path in files}
    assert {path.stat().st_mode for path in files} == {(tmp_path / "new").stat().st_mode}


def test_what_belongs_to_the_model_is_kept(twin, tmp_path):
    prompts = {"query": "q: ", "passage": "p: "}
    model = SentenceTransformer(
        str(twin("bert")), device="cpu", prompts=prompts, default_prompt_name="query", truncate_dim=9,
        similarity_fn_name="dot",
    )  # fmt: skip
    model.max_seq_length = 17
    model.save_pretrained(tmp_path)
    again = SentenceTransformer(str(tmp_path), device="cpu")
    assert again.prompts == {"query": "q: ", "document": "", "passage": "p: "}
    assert again.default_prompt_name == "query"
    assert (again.truncate_dim, again.similarity_fn_name, again.max_seq_length) == (9, "dot", 17)


def test_pickled_weights_can_be_asked_for(model, tmp_path):
    model("bert", dense=8).save_pretrained(tmp_path, safe_serialization=False)
    assert (tmp_path / "2_Dense" / "pytorch_model.bin").is_file()
    again = SentenceTransformer(str(tmp_path), device="cpu")
    np.testing.assert_array_equal(again.encode(TEXTS), model("bert", dense=8).encode(TEXTS))


def test_files_of_others_in_the_folder_stay(model, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    model("static").save_pretrained(tmp_path)
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_saving_twice_into_one_folder_is_the_same(model, tmp_path):
    model("bert").save_pretrained(tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}
    model("bert").save_pretrained(tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()} == before


def test_the_card_shows_how_to_use_the_model(model, tmp_path):
    model("clip").save_pretrained(tmp_path, model_name="me/my-clip")
    card = (tmp_path / "README.md").read_text()
    assert 'SentenceTransformer("me/my-clip")' in card
    assert "text, image" in card


def test_a_card_that_came_with_the_model_is_kept(broken, tmp_path):
    folder = broken("static")
    (folder / "README.md").write_text("# Ours: ä\n", encoding="utf-8")
    SentenceTransformer(str(folder), device="cpu").save_pretrained(tmp_path / "again")
    assert (tmp_path / "again" / "README.md").read_text(encoding="utf-8") == "# Ours: ä\n"


def test_no_card_is_written_when_none_is_wanted(model, tmp_path):
    model("static").save_pretrained(tmp_path, create_model_card=False)
    assert not (tmp_path / "README.md").exists()


def test_a_model_without_modules_is_refused():
    with pytest.raises(UsageError):
        SentenceTransformer(modules=[])
