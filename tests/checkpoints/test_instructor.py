"""INSTRUCTOR: the instruction is read and left out of the mean, though its folders do not say so."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest

import twins.t5
from manysense import ManysenseWarning, SentenceTransformer
from reference.closeness import MOVED, assert_close, distance
from twins.samples import TEXTS
from twins.t5 import INSTRUCTION

NAME = "hkunlp/instructor-base"


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    return twins.t5.build(tmp_path_factory.mktemp("t5") / "model")


@pytest.fixture
def place(built, tmp_path, monkeypatch):
    """place(name) → the model's folder under this name in the present folder, where a folder wins over the Hub."""
    monkeypatch.chdir(tmp_path)

    def put(name):
        shutil.copytree(built, tmp_path / name)
        return name

    return put


def expected(folder, **options):
    return [twins.t5.reference(folder, text, INSTRUCTION, **options) for text in TEXTS]


def test_the_instruction_of_instructor_is_left_out_of_the_mean(built, place):
    model = SentenceTransformer(place(NAME), device="cpu")
    assert_close(model.encode(list(TEXTS), prompt=INSTRUCTION), expected(built))
    assert_close(model.encode(list(TEXTS)), [twins.t5.reference(built, text) for text in TEXTS])
    assert distance(expected(built)[0], expected(built, pooled=True)[0]) > MOVED


def test_a_text_with_its_instruction_does_not_know_its_neighbours(place):
    model = SentenceTransformer(place(NAME), device="cpu")
    together = model.encode(list(TEXTS), prompt=INSTRUCTION)
    assert_close(together, [model.encode(text, prompt=INSTRUCTION) for text in TEXTS])


def test_a_saved_copy_says_so_itself(built, place, tmp_path):
    SentenceTransformer(place(NAME), device="cpu").save_pretrained(tmp_path / "copy")
    assert json.loads((tmp_path / "copy" / "1_Pooling" / "config.json").read_text())["include_prompt"] is False
    copy = SentenceTransformer(str(tmp_path / "copy"), device="cpu")
    assert_close(copy.encode(list(TEXTS), prompt=INSTRUCTION), expected(built))


def test_a_folder_under_the_models_name_is_that_model_wherever_it_lies(built, place, tmp_path):
    place(f"models/{NAME}")
    model = SentenceTransformer(str(tmp_path / "models" / NAME), device="cpu")
    assert_close(model.encode(list(TEXTS), prompt=INSTRUCTION), expected(built))


def test_another_model_of_that_kind_is_read_as_its_folder_says_with_a_warning(built, place):
    name = place("me/my-Instructor")
    with pytest.warns(ManysenseWarning, match=r"set_pooling_include_prompt\(False\)"):
        model = SentenceTransformer(name, device="cpu")
    assert_close(model.encode(list(TEXTS), prompt=INSTRUCTION), expected(built, pooled=True))
    model.set_pooling_include_prompt(False)
    assert_close(model.encode(list(TEXTS), prompt=INSTRUCTION), expected(built))


def test_a_model_that_leaves_the_prompt_out_already_is_no_reason_to_warn(place, tmp_path, edit):
    name = place("me/my-instructor")
    edit(tmp_path / name / "1_Pooling" / "config.json", include_prompt=False)
    SentenceTransformer(name, device="cpu")


def test_of_a_whole_t5_the_encoder_is_read(tmp_path):
    folder = twins.t5.build(tmp_path / "whole", decoder=True)
    made = SentenceTransformer(str(folder), device="cpu").encode(list(TEXTS))
    assert_close(made, [twins.t5.reference(folder, text) for text in TEXTS])


@pytest.mark.slow
def test_the_known_library_gives_the_same_vectors(built, place, tmp_path):
    library = pytest.importorskip("sentence_transformers")
    name = place(NAME)
    mine, other = SentenceTransformer(name, device="cpu"), library.SentenceTransformer(name, device="cpu")
    assert_close(mine.encode(list(TEXTS), prompt=INSTRUCTION), other.encode(list(TEXTS), prompt=INSTRUCTION))
    assert distance(mine.encode(TEXTS[0], prompt=INSTRUCTION), mine.encode(TEXTS[0])) > MOVED
    mine.save_pretrained(tmp_path / "mine")
    other.save_pretrained(str(tmp_path / "other"))
    there = library.SentenceTransformer(str(tmp_path / "mine"), device="cpu")
    here = SentenceTransformer(str(tmp_path / "other"), device="cpu")
    for copy in (there, here):
        np.testing.assert_allclose(copy.encode(list(TEXTS), prompt=INSTRUCTION), expected(built), atol=1e-5)
