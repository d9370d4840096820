"""Saving over a model: whatever happens on the way, the folder is the old model or the new one, never a mixture."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import twins.words
from manysense import ModelError, SentenceTransformer
from manysense.checkpoints import save as saving
from manysense.modules import Normalize, Pooling, Transformer

TEXTS = ["a dog", "the red house on the hill"]


class Killed(BaseException):
    """Stands for the end of the process: nothing may run after it."""


@pytest.fixture
def models(tmp_path_factory):
    """Two of one architecture and other weights in every module that has some."""
    base = tmp_path_factory.mktemp("models")
    folders = [twins.words.build(base / str(seed), seed, middle="lstm") for seed in (0, 1)]
    return [SentenceTransformer(str(folder), device="cpu") for folder in folders]


@pytest.fixture
def killed_at(monkeypatch):
    """with killed_at(n): the n-th replacement of a file kills, and nothing is tidied up."""

    @contextlib.contextmanager
    def armed(n):
        calls, replace = iter(range(1, 10_000)), os.replace

        def counted(source, target):
            if next(calls) == n:
                raise Killed
            replace(source, target)

        with monkeypatch.context() as patch:
            patch.setattr(saving.os, "replace", counted)
            patch.setattr(saving.shutil, "rmtree", lambda *args, **kwargs: None)
            yield

    return armed


def whose(folder, old, new):
    """ "old" or "new": whose vectors the folder gives, to the last bit."""
    made = SentenceTransformer(str(folder), device="cpu").encode(TEXTS)
    found = [name for name, model in (("old", old), ("new", new)) if np.array_equal(model.encode(TEXTS), made)]
    assert len(found) == 1
    return found[0]


def files(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_a_save_that_is_killed_at_any_replacement_leaves_one_of_the_models(models, tmp_path, killed_at):
    old, new = models
    old.save_pretrained(tmp_path / "old")
    count = len(files(tmp_path / "old")) + 1  # modules.json is replaced twice
    found = []
    for n in range(1, count + 1):
        folder = Path(shutil.copytree(tmp_path / "old", tmp_path / str(n)))
        with killed_at(n), pytest.raises(Killed):
            new.save_pretrained(folder)
        found.append(whose(folder, old, new))
    assert found == ["old", *["new"] * (count - 1)]
    assert count > 7


@pytest.mark.parametrize("n", [1, 2, 5])
def test_what_a_killed_save_left_goes_with_the_next(models, tmp_path, killed_at, n):
    old, new = models
    new.save_pretrained(tmp_path / "clean")
    old.save_pretrained(tmp_path / "model")
    with killed_at(n), pytest.raises(Killed):
        new.save_pretrained(tmp_path / "model")
    assert list((tmp_path / "model").glob(".saving-*"))
    new.save_pretrained(tmp_path / "model", model_name="clean")
    assert files(tmp_path / "model") == files(tmp_path / "clean")


def test_prompts_of_a_killed_save_are_those_of_its_weights(models, tmp_path, killed_at):
    old, new = models
    old.prompts, new.prompts = {"query": "old: "}, {"query": "new: "}
    old.save_pretrained(tmp_path)
    with killed_at(2), pytest.raises(Killed):
        new.save_pretrained(tmp_path)
    assert SentenceTransformer(str(tmp_path), device="cpu").prompts["query"] == "new: "


def test_a_save_that_fails_leaves_the_folder_as_it_was(models, tmp_path):
    class Broken(Normalize):
        def save(self, output_path, **kwargs):
            raise OSError("no space left on device")

    old, new = models
    old.save_pretrained(tmp_path)
    before = files(tmp_path)
    with pytest.raises(OSError, match="no space"):
        SentenceTransformer(modules=[*new, Broken()], device="cpu").save_pretrained(tmp_path)
    assert files(tmp_path) == before


def test_a_file_that_is_being_read_keeps_its_content(models, tmp_path):
    """Weights may be mapped into memory, also those of the model that is saved."""
    old, new = models
    old.save_pretrained(tmp_path)
    with (tmp_path / "model.safetensors").open("rb") as file:
        before = (tmp_path / "model.safetensors").read_bytes()
        new.save_pretrained(tmp_path)
        assert file.read() == before
    assert (tmp_path / "model.safetensors").read_bytes() != before


def test_saves_into_one_folder_take_turns(models, tmp_path):
    with ThreadPoolExecutor(6) as threads:
        list(threads.map(lambda model: model.save_pretrained(tmp_path), models * 6))
    whose(tmp_path, *models)
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize("links", [True, False])
def test_files_and_folders_of_others_stay(models, tmp_path, monkeypatch, links):
    if not links:
        monkeypatch.setattr(saving.os, "link", lambda *args: (_ for _ in ()).throw(OSError("not here")))
    (tmp_path / "9_Mine").mkdir()
    (tmp_path / "9_Mine" / "model.safetensors").write_text("mine")
    (tmp_path / "1_LSTM").mkdir()
    (tmp_path / "1_LSTM" / "notes.txt").write_text("mine")
    (tmp_path / "pytorch_model.bin").write_text("mine")
    models[0].save_pretrained(tmp_path)
    for path in ("9_Mine/model.safetensors", "1_LSTM/notes.txt", "pytorch_model.bin"):
        assert (tmp_path / path).read_text() == "mine"
    whose(tmp_path, *models)


def test_weights_that_would_be_read_instead_of_the_new_ones_are_an_error(models, tmp_path):
    """They are not removed, and nothing is written."""
    models[0].save_pretrained(tmp_path)
    before = files(tmp_path)
    with pytest.raises(ModelError, match=r"model\.safetensors would be read instead of the new pytorch_model\.bin"):
        models[1].save_pretrained(tmp_path, safe_serialization=False)
    assert files(tmp_path) == before


def test_a_module_with_the_older_signature_of_save_is_written(twin, tmp_path):
    class Old(Normalize):
        def save(self, output_path):
            (Path(output_path) / "note.txt").write_text("here")

    model = SentenceTransformer(modules=[Transformer(str(twin("bert-bare"))), Pooling(32), Old()], device="cpu")
    model.save_pretrained(tmp_path)
    assert (tmp_path / "2_Old" / "note.txt").read_text() == "here"
    assert json.loads((tmp_path / "modules.json").read_text())[2]["type"].endswith("Old")


def test_a_module_that_cannot_be_written_is_an_error_before_anything_is(twin, tmp_path):
    from torch import nn

    model = SentenceTransformer(modules=[Transformer(str(twin("bert-bare"))), nn.Identity()], device="cpu")
    with pytest.raises(ModelError, match="Identity has no save"):
        model.save_pretrained(tmp_path)
    assert files(tmp_path) == {}


def test_per_call_arguments_that_a_folder_lists_are_passed_on_and_saved_again(models, tmp_path):
    models[0].save_pretrained(tmp_path / "first")
    path = tmp_path / "first" / "modules.json"
    listed = json.loads(path.read_text())
    listed[2]["kwargs"] = ["task"]
    path.write_text(json.dumps(listed))
    model = SentenceTransformer(str(tmp_path / "first"), device="cpu")
    assert model.get_model_kwargs() == ["task"]
    with pytest.raises(TypeError, match="task"):  # Pooling is asked, and takes none
        model(model.preprocess(TEXTS), task="query")
    model.save_pretrained(tmp_path / "second")
    assert json.loads((tmp_path / "second" / "modules.json").read_text())[2]["kwargs"] == ["task"]


# ---- processes


KILL = """
import os, shutil, sys
from pathlib import Path
from manysense import SentenceTransformer

old, new, out = sys.argv[1:]
model = SentenceTransformer(new, device="cpu")
n, code = 0, 9
while code:  # until the child comes through
    n += 1
    folder = Path(out) / str(n)
    shutil.copytree(old, folder)
    child = os.fork()
    if not child:
        calls, replace = iter(range(1, 10_000)), os.replace
        os.replace = lambda source, target: os._exit(9) if next(calls) == n else replace(source, target)
        model.save_pretrained(folder)
        os._exit(0)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
print(n)
"""


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="the processes that are killed are forked")
def test_a_process_that_is_killed_while_it_saves_leaves_one_of_the_models(twin, tmp_path):
    old, new = (SentenceTransformer(str(twin("bert", dense=8, seed=seed)), device="cpu") for seed in (0, 1))
    for name, model in (("old", old), ("new", new)):
        model.save_pretrained(tmp_path / name)
    (tmp_path / "killed").mkdir()
    places = [str(tmp_path / name) for name in ("old", "new", "killed")]
    made = subprocess.run([sys.executable, "-c", KILL, *places], capture_output=True, text=True, check=True)
    count = int(made.stdout)
    assert count > 10
    found = [whose(tmp_path / "killed" / str(n), old, new) for n in range(1, count + 1)]
    assert found == ["old", *["new"] * (count - 1)]
