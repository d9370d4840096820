"""Loading and saving shows no bars and reports of transformers, and changes nothing of how others see them."""

from __future__ import annotations

import importlib
import io
import json
import logging
import shutil
import threading

import pytest
from transformers.utils import logging as reports

from manysense import SentenceTransformer
from manysense.modules.transformer.quiet import quiet, without_bars


@pytest.fixture
def shown(capfd):
    """shown() → the bars and reports since it was last asked. Reports go through a handler of the program's own."""
    said = io.StringIO()
    handler, logger = logging.StreamHandler(said), logging.getLogger("transformers")
    logger.addHandler(handler)

    def ask() -> str:
        text = "".join(capfd.readouterr()) + said.getvalue()
        said.seek(0)
        said.truncate()
        return text

    yield ask
    logger.removeHandler(handler)


def bar(steps: int = 3) -> None:
    """A bar as transformers makes one."""
    for _ in reports.tqdm(range(steps), desc="a bar of transformers"):
        pass


def test_loading_and_saving_a_transformer_shows_nothing(twin, tmp_path, shown):
    folder = twin("bert")
    shown()
    SentenceTransformer(str(folder), device="cpu").save_pretrained(tmp_path / "saved")
    assert shown() == ""


OWN = """
import torch
from transformers import BertModel

class Second(torch.nn.Module):
    '''A network of transformers behind a class that came with the model.'''

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, features):
        return features

    @classmethod
    def load_from(cls, folder, **kwargs):
        return cls(BertModel.from_pretrained(folder))

    def save(self, folder, safe_serialization=True):
        self.network.save_pretrained(folder)
"""


def test_code_that_comes_with_a_model_shows_no_bars_either(broken, edit, tmp_path, shown, twin):
    folder = broken()
    (folder / "own.py").write_text(OWN)
    shutil.copytree(twin("bert-bare"), folder / "9_Second")
    listed = json.loads((folder / "modules.json").read_text())
    listed.append({"idx": len(listed), "name": "second", "path": "9_Second", "type": "own.Second"})
    (folder / "modules.json").write_text(json.dumps(listed))
    shown()
    model = SentenceTransformer(str(folder), device="cpu", trust_remote_code=True)
    model.save_pretrained(tmp_path / "saved")
    assert type(model[-1]).__name__ == "Second"
    assert "Loading weights" not in shown()


def test_a_bar_of_transformers_is_shown_outside_and_not_inside(shown):
    bar()
    assert "a bar of transformers" in shown()
    for silence in (quiet, without_bars):
        with silence():
            bar()
            with silence():
                bar()
            bar()
        assert shown() == ""
    bar()
    assert "a bar of transformers" in shown()


def test_inside_quiet_only_errors_are_reported_and_without_bars_all_is(shown):
    logger = reports.get_logger("transformers.modeling_utils")
    with quiet():
        logger.warning("a warning")
        logger.error("an error")
    assert "a warning" not in (said := shown())
    assert "an error" in said
    with without_bars():
        logger.warning("a warning")
    assert "a warning" in shown()
    logger.warning("another")
    assert "another" in shown()


def test_another_thread_keeps_its_bars_and_reports(shown):
    logger = reports.get_logger("transformers.modeling_utils")

    def other() -> None:
        bar()
        logger.warning("a warning of another thread")

    with quiet():
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
        bar()
        logger.warning("a warning of this one")
    said = shown()
    assert "a bar of transformers" in said
    assert "a warning of another thread" in said
    assert "a warning of this one" not in said


def test_no_setting_of_the_process_is_changed_while_a_model_loads_or_after(twin, tmp_path, monkeypatch):
    bars = importlib.import_module("huggingface_hub.utils.tqdm")
    monkeypatch.setattr(bars, "progress_bar_states", {"_global": True, "peft": False})

    def settings() -> tuple:
        return (
            reports.is_progress_bar_enabled(),
            reports.get_verbosity(),
            dict(bars.progress_bar_states),
            len(logging.getLogger("transformers").handlers),
        )

    before = settings()
    with quiet():
        assert settings() == before
        SentenceTransformer(str(twin("bert")), device="cpu").save_pretrained(tmp_path / "saved")
        assert settings() == before
    assert settings() == before
    assert not any(handler.filters for handler in logging.getLogger("transformers").handlers)


def test_a_hook_of_the_program_sees_its_bars_and_comes_back(shown):
    made = []

    def hook(make, args, kwargs):
        made.append(kwargs["desc"])
        return make(*args, **kwargs)

    before = reports.set_tqdm_hook(hook)
    try:
        with quiet():
            thread = threading.Thread(target=bar)
            thread.start()
            thread.join()
            bar()
        assert made == ["a bar of transformers"]
        assert reports.set_tqdm_hook(None) is hook
    finally:
        reports.set_tqdm_hook(before)


def test_a_hook_that_the_program_sets_meanwhile_stays():
    def hook(make, args, kwargs):
        return make(*args, **kwargs)

    before = reports.set_tqdm_hook(None)
    try:
        with quiet():
            reports.set_tqdm_hook(hook)
        assert reports.set_tqdm_hook(None) is hook
    finally:
        reports.set_tqdm_hook(before)
