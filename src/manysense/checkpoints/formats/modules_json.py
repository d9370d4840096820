"""The folders of Sentence Transformers: modules.json and one sub-folder per module.

Knows: the class names of every version, old and new. A name that is not on the list is imported only with
trust_remote_code, and never from outside the model's own folder or an installed package that it names.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

from ...errors import ModelError, UntrustedCode
from ...modules.base import read_json
from ..save import OWN_FILE
from ..types import Loaded, Wanted

_CLASSES = {
    "Transformer": "manysense.modules.transformer:Transformer",
    "CLIPModel": "manysense.modules.transformer:Transformer",
    "Pooling": "manysense.modules.pooling:Pooling",
    "Normalize": "manysense.modules.normalize:Normalize",
    "Dense": "manysense.modules.dense:Dense",
    "StaticEmbedding": "manysense.modules.static_embedding:StaticEmbedding",
    "Towers": "manysense.modules.towers:Towers",
    "TokenSum": "manysense.modules.towers.text:TokenSum",
}
_PACKAGES = ("sentence_transformers.", "manysense.")
NAME = "modules.json"


def recognises(folder: Path) -> bool:
    return (folder / NAME).is_file()


def read(folder: Path, wanted: Wanted) -> Loaded:
    """Raises ModelError for a folder that is broken, UntrustedCode for a module class outside the list."""
    listed = _listed(folder / NAME)
    config = read_json(folder / "config_sentence_transformers.json", default={})
    modules: dict[str, Any] = {}
    for entry in sorted(listed, key=lambda e: int(e.get("idx", 0))):
        kind = _class_of(str(entry["type"]), wanted)
        path = _inside(folder, str(entry.get("path") or ""))
        if not hasattr(kind, "load_from"):
            raise ModelError(f"{entry['type']} has no load_from(folder)")
        name = str(entry.get("name", entry.get("idx")))
        if not name or "." in name:
            raise ModelError(f"{folder / NAME}: {name!r} cannot be the name of a module")
        modules[name] = kind.load_from(
            path,
            trust_remote_code=wanted.trust_remote_code,
            model_kwargs=wanted.model_kwargs,
            processor_kwargs=wanted.processor_kwargs,
            config_kwargs=wanted.config_kwargs,
            weights=wanted.weights,
        )
    card = folder / "README.md"
    text = card.read_text(encoding="utf-8") if card.is_file() else None
    return Loaded(modules, config, text, read_json(folder / OWN_FILE, default={}))


def _listed(path: Path) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = read_json(path)
    if not isinstance(listed, list) or not listed or not all(isinstance(e, dict) and "type" in e for e in listed):
        raise ModelError(f"{path} is not valid: it must be a list of entries with a type")
    return listed


def _class_of(name: str, wanted: Wanted) -> Any:
    last = name.rpartition(".")[2]
    if name.startswith(_PACKAGES) and last in _CLASSES:
        module, _, attribute = _CLASSES[last].partition(":")
        return getattr(importlib.import_module(module), attribute)
    if name.startswith(_PACKAGES):
        raise ModelError(f"module class {name!r} is not supported yet")
    if not wanted.trust_remote_code:
        raise UntrustedCode(
            f"modules.json names {name!r}, which is not a known module and was not imported\n"
            "  Read that code, then pass trust_remote_code=True."
        )
    module, _, attribute = name.rpartition(".")
    try:
        return getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise ModelError(f"module class {name!r} cannot be imported: {error}") from error


def _inside(folder: Path, path: str) -> Path:
    """The module's folder. Raises UntrustedCode when it would lie outside the model's folder."""
    made = (folder / path).resolve()
    if not made.is_relative_to(folder.resolve()):
        raise UntrustedCode(f"modules.json points outside its folder: {path!r}")
    return made
