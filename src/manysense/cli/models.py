"""Which model a command uses, and how it is opened.

Knows: the default, names for people, what makes two model folders the same. Does not know: what is embedded.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import starter
from ..errors import ManysenseError, ModelError

if TYPE_CHECKING:
    from ..model import Model
    from ..sentence_transformer.model import SentenceTransformer

KINDS = {"text": "text", "image": "picture", "audio": "sound", "video": "clip"}
"""Modalities, as people say them."""
DEFAULT = "manysense/starter"


@dataclass(frozen=True, slots=True)
class Chosen:
    """name: a folder or a Hub name.  label: what a person reads.  note: what a person should know of the choice."""

    name: str
    label: str
    note: str | None = None


def default_model() -> Chosen:
    """The model of a command without --model: the one that MANYSENSE_MODEL names, else the one that ships with us."""
    return chosen(os.environ.get("MANYSENSE_MODEL") or DEFAULT)


def chosen(name: str | None) -> Chosen:
    """The model that the caller named, or the default."""
    if name is None:
        return default_model()
    if starter.folder(name) is not None:
        return Chosen(name, name, "a small model that ships with manysense; --model names a larger one")
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
    seen = hashlib.blake2b(str(folder).encode() if starter.ships(folder) else b"", digest_size=16)
    root = folder.parent if starter.ships(folder) else folder  # models that ship with us share their towers
    for path in sorted(p for p in root.rglob("*") if p.is_file()):
        stat = path.stat()
        seen.update(f"{path.relative_to(root).as_posix()}\0{stat.st_size}\0{stat.st_mtime_ns}\n".encode())
    return seen.hexdigest()


def readable(model: Model) -> tuple[str, ...]:
    """The modalities of single inputs that it reads."""
    return tuple(modality for modality in model.modalities if modality in KINDS)
