"""modules.json: its order counts, and a model is never put together from two that were saved into one folder."""

from __future__ import annotations

import itertools
import json
import threading

import numpy as np
import pytest

from manysense import SentenceTransformer
from manysense.errors import ModelError
from manysense.modules import Pooling, Transformer
from reference.closeness import CLOSE, assert_close, distance
from twins.samples import TEXTS


def load(folder):
    return SentenceTransformer(str(folder), device="cpu")


def vectors(model):
    return model.encode(list(TEXTS))


@pytest.fixture
def renumbered(broken):
    """A folder whose entries say other numbers than their places."""
    folder = broken(dense=8)
    listed = json.loads((folder / "modules.json").read_text())
    for entry, number in zip(listed, (0, 1, 3, 2)):
        entry["idx"] = number
    (folder / "modules.json").write_text(json.dumps(listed))
    return folder


def test_modules_run_in_the_order_in_which_they_are_listed(renumbered, model):
    made = load(renumbered)
    assert [type(module).__name__ for module in made] == ["Transformer", "Pooling", "Dense", "Normalize"]
    assert_close(vectors(made), vectors(model("bert", dense=8)))


@pytest.mark.slow
def test_the_known_library_runs_them_in_that_order_too(renumbered):
    library = pytest.importorskip("sentence_transformers")
    assert_close(vectors(library.SentenceTransformer(str(renumbered), device="cpu")), vectors(load(renumbered)))


# ---- a save meanwhile


def _refused(*args):
    raise OSError("no locks on this file system")


@pytest.fixture
def saved_meanwhile(monkeypatch):
    """saved_meanwhile(kind, model, folder, times) → the model is saved there when a module of that kind is about to be
    read, the first so many times."""

    def arrange(kind, model, folder, times=1):
        read, left = kind.load_from, [None] * times

        def reading(place, **kwargs):
            if left:
                left.pop()
                model.save_pretrained(folder)
            return read(place, **kwargs)

        monkeypatch.setattr(kind, "load_from", reading)

    return arrange


def test_a_model_that_is_saved_over_while_it_is_read_is_read_anew(twin, model, tmp_path, saved_meanwhile):
    load(twin("bert")).save_pretrained(tmp_path)
    saved_meanwhile(Pooling, load(twin("bert", seed=1, pooling="max")), tmp_path)
    assert_close(vectors(load(tmp_path)), vectors(model("bert", seed=1, pooling="max")))
    assert distance(vectors(model("bert")), vectors(model("bert", seed=1, pooling="max"))) > 0.1


def test_a_copy_that_goes_while_it_is_read_is_no_error(twin, model, tmp_path, saved_meanwhile):
    """The folder as a save leaves it that was killed halfway; the next save takes the copy away."""
    load(twin("bert")).save_pretrained(tmp_path / ".saving-0")
    listed = json.loads((tmp_path / ".saving-0" / "modules.json").read_text())
    moved = [{**entry, "path": f".saving-0/{entry['path']}"} for entry in listed]
    (tmp_path / "modules.json").write_text(json.dumps(moved))
    saved_meanwhile(Transformer, load(twin("bert", seed=1)), tmp_path)
    made = load(tmp_path)
    assert not (tmp_path / ".saving-0").exists()
    np.testing.assert_array_equal(vectors(made), vectors(model("bert", seed=1)))


def test_a_model_that_is_saved_over_again_and_again_is_read_in_its_turn(twin, tmp_path):
    load(twin("bert")).save_pretrained(tmp_path)
    models, ended = [load(twin("bert", seed=1)), load(twin("bert"))], threading.Event()

    def save():
        for model in itertools.cycle(models):
            if ended.is_set():
                return
            model.save_pretrained(tmp_path)

    saving = threading.Thread(target=save)
    saving.start()
    try:
        made = [vectors(load(tmp_path)) for _ in range(5)]
    finally:
        ended.set()
        saving.join()
    known = [vectors(model) for model in models]
    assert all(min(distance(one, other) for other in known) < CLOSE for one in made)


def test_saves_without_an_end_are_said_where_folders_cannot_be_locked(twin, tmp_path, saved_meanwhile, monkeypatch):
    monkeypatch.setattr("fcntl.flock", _refused)
    load(twin("bert")).save_pretrained(tmp_path)
    saved_meanwhile(Pooling, load(twin("bert")), tmp_path, times=9)
    with pytest.raises(ModelError, match="saved to again and again while it was read"):
        load(tmp_path)
