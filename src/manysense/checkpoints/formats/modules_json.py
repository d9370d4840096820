"""The folders of Sentence Transformers: modules.json and one sub-folder per module.

Knows: the class names of every version, old and new, and that a folder may be in the middle of a save, or be saved to
while it is read. Does not know: what a module reads in its folder, how a class that is on no list is found
(foreign.py).
"""

from __future__ import annotations

import contextlib
import importlib
from pathlib import Path, PurePosixPath
from typing import Any

from ...errors import ModelError, UntrustedCode
from ...modules.base import read_json
from ...warn import warn
from ..foreign import foreign_class
from ..save import OWN_FILE, SAVING, turn
from ..types import Loaded, Wanted
from . import transformers_folder

_OLD_TRANSFORMERS = ("BERT", "RoBERTa", "DistilBERT", "ALBERT", "CamemBERT", "XLMRoBERTa", "XLNet")
"""What Transformer was called before version 0.4, one class for each architecture."""

_CLASSES = {
    "Asym": "manysense.modules.router:Router",
    "BoW": "manysense.modules.bow:BoW",
    "CLIPModel": "manysense.modules.transformer:Transformer",
    "CNN": "manysense.modules.cnn:CNN",
    "Dense": "manysense.modules.dense:Dense",
    "Dropout": "manysense.modules.dropout:Dropout",
    "LSTM": "manysense.modules.lstm:LSTM",
    "LayerNorm": "manysense.modules.layer_norm:LayerNorm",
    "LogitScore": "manysense.modules.logit_score:LogitScore",
    "Normalize": "manysense.modules.normalize:Normalize",
    "Pooling": "manysense.modules.pooling:Pooling",
    "Router": "manysense.modules.router:Router",
    "StaticEmbedding": "manysense.modules.static_embedding:StaticEmbedding",
    "TokenSum": "manysense.modules.towers.text:TokenSum",
    "Towers": "manysense.modules.towers:Towers",
    "Transformer": "manysense.modules.transformer:Transformer",
    "WeightedLayerPooling": "manysense.modules.weighted_layer_pooling:WeightedLayerPooling",
    "WordEmbeddings": "manysense.modules.word_embeddings:WordEmbeddings",
    "WordWeights": "manysense.modules.word_weights:WordWeights",
    **dict.fromkeys(_OLD_TRANSFORMERS, "manysense.modules.transformer:Transformer"),
}
"""Last part of a class path → our class. The packages that versions have put it in differ, its name does not."""
_PACKAGES = ("sentence_transformers.", "manysense.")
NAME = "modules.json"
_TRIES = 5
"""Where folders can be locked, two are enough."""


def recognises(folder: Path) -> bool:
    return (folder / NAME).is_file()


def read(folder: Path, wanted: Wanted) -> Loaded:
    """Raises ModelError for a folder that is broken, UntrustedCode for a module class outside the list.

    A save that is at work meanwhile replaces files that are still to be read: then everything is read anew, while saves
    wait, so that a model is never put together from two.
    """
    for again in range(_TRIES):
        with turn(folder, reading=True) if again else contextlib.nullcontext():
            before = _stamp(folder)
            try:
                loaded = _read(folder, wanted)
            except Exception:
                if _stamp(folder) == before:
                    raise
                continue
            if _stamp(folder) == before:
                return loaded
    raise ModelError(f"{folder} was saved to again and again while it was read; load it when that has ended")


def _stamp(folder: Path) -> tuple[int, int]:
    """Another one after each step of a save that changes what is read."""
    state = (folder / NAME).stat()
    return state.st_ino, state.st_mtime_ns


def _read(folder: Path, wanted: Wanted) -> Loaded:
    listed = _listed(folder / NAME)
    whole = _whole(folder, listed)
    config = read_json(whole / "config_sentence_transformers.json", default={})
    saved_as = str(config.get("model_type") or "SentenceTransformer")
    if saved_as != wanted.family and "CrossEncoder" in (saved_as, wanted.family):
        return _other_family(folder, listed, saved_as, wanted)
    modules: dict[str, Any] = {}
    for entry in listed:  # in this order, whatever their "idx" says
        name = str(entry.get("name", entry.get("idx")))
        if not name or "." in name:
            raise ModelError(f"{folder / NAME}: {name!r} cannot be the name of a module")
        module = modules[name] = load_module(str(entry["type"]), folder, str(entry.get("path") or ""), wanted, whole)
        if entry.get("kwargs"):
            module.listed_kwargs = [str(one) for one in entry["kwargs"]]
            module.forward_kwargs = frozenset({*getattr(module, "forward_kwargs", ()), *module.listed_kwargs})
    card = folder / "README.md"
    text = card.read_text(encoding="utf-8", errors="replace") if card.is_file() else None
    return Loaded(modules, config, text, read_json(whole / OWN_FILE, default={}))


def _other_family(folder: Path, listed: list[dict[str, Any]], saved_as: str, wanted: Wanted) -> Loaded:
    """The transformer of a model of another family, with the modules that this one gives it."""
    warn(
        f"{folder} was saved as a {saved_as}: of its modules only the transformer is taken, and what a "
        f"{wanted.family} adds to it has not been trained"
    )
    return transformers_folder.read(_inside(folder, str(listed[0].get("path") or "")), wanted)


def load_module(kind: str, folder: Path, path: str, wanted: Wanted, code: Path | None = None) -> Any:
    """One module of the model in `folder`, from its sub-folder `path`.

    kind: the dotted name of its class.  code: where the folder's own code is, None for `folder`.  Raises ModelError,
    UntrustedCode.
    """
    found = _class_of(kind, code or folder, wanted)
    place = _inside(folder, path)
    if not hasattr(found, "load_from"):
        raise ModelError(f"{kind} has no load_from(folder)")
    return found.load_from(place, **wanted.arguments())


def _listed(path: Path) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = read_json(path)
    if not isinstance(listed, list) or not listed or not all(isinstance(e, dict) and "type" in e for e in listed):
        raise ModelError(f"{path} is not valid: it must be a list of entries with a type")
    return listed


def _class_of(name: str, folder: Path, wanted: Wanted) -> Any:
    last = name.rpartition(".")[2]
    if name.startswith(_PACKAGES) and last in _CLASSES:
        module, _, attribute = _CLASSES[last].partition(":")
        return getattr(importlib.import_module(module), attribute)
    if name.startswith(_PACKAGES):
        raise ModelError(f"module class {name!r} is not supported yet")
    return foreign_class(name, folder, wanted)


def _inside(folder: Path, path: str) -> Path:
    """The module's folder. Raises UntrustedCode when it would lie outside the model's folder."""
    made = (folder / path).resolve()
    if not made.is_relative_to(folder.resolve()):
        raise UntrustedCode(f"modules.json points outside its folder: {path!r}")
    return made


def _whole(folder: Path, listed: list[dict[str, Any]]) -> Path:
    """Where the files beside the modules are: the folder, or the copy that a save which was killed left in it."""
    first = PurePosixPath(str(listed[0].get("path") or "")).parts[:1]
    copy = folder / first[0] if first and first[0].startswith(SAVING) else folder
    return copy if recognises(copy) else folder
