"""The modules of a model → a folder.

Knows: the layout and the class names that the known library reads. Does not know: what a module writes inside its
folder. Files are replaced one by one, modules.json last; a file that was not written here is never removed.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..modules.base import write_json

OWN_FILE = "manysense.json"
"""What only this library knows of a model; the known library's files hold only its own keys."""

_OLD_NAMES = ("Transformer", "Pooling", "Normalize", "Dense", "StaticEmbedding")
"""Modules whose folders every version of the known library reads under its first class paths."""


def save(
    modules: Mapping[str, Any],
    config: Mapping[str, Any],
    folder: Path,
    *,
    own: Mapping[str, Any],
    card: str | None,
    safe: bool,
) -> None:
    """config, own: what the known library reads of a model, and what only this one does.

    card: text of README.md, None to leave the file alone.  safe: weights as safetensors.
    """
    folder.mkdir(parents=True, exist_ok=True)
    listed = []
    for i, (name, module) in enumerate(modules.items()):
        path = "" if i == 0 and getattr(module, "save_in_root", False) else f"{i}_{type(module).__name__}"
        (folder / path).mkdir(exist_ok=True)
        module.save(str(folder / path), safe_serialization=safe)
        listed.append({"idx": i, "name": name, "path": path, "type": type_name(module)})
    write_json(folder / "config_sentence_transformers.json", config)
    if own or (folder / OWN_FILE).exists():
        write_json(folder / OWN_FILE, own)
    if card is not None:
        (folder / "README.md").write_text(card, encoding="utf-8")
    write_json(folder / "modules.json", listed)


def type_name(module: Any) -> str:
    """The class path that is written: the known library's for its modules, else the module's own."""
    kind = type(module)
    if kind.__module__.startswith("manysense.") and kind.__name__ in _OLD_NAMES:
        return f"sentence_transformers.models.{kind.__name__}"
    return f"{kind.__module__}.{kind.__qualname__}"
