"""manysense: text, images, audio and video in one vector space.

Public names are resolved on first touch, so that importing the package loads neither torch nor transformers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import util
    from .errors import ItemError, ManysenseError, ManysenseWarning, MediaError, ModelError, UsageError
    from .inputs.types import Audio, Image, Text, Video
    from .media.policy import Policy
    from .sentence_transformer.encode import Kept
    from .sentence_transformer.model import SentenceTransformer
    from .util.similarity import SimilarityFunction

__version__ = "0.1.0"

_HOMES = {
    "Audio": "inputs.types",
    "Image": "inputs.types",
    "ItemError": "errors",
    "Kept": "sentence_transformer.encode",
    "ManysenseError": "errors",
    "ManysenseWarning": "errors",
    "MediaError": "errors",
    "ModelError": "errors",
    "Policy": "media.policy",
    "SentenceTransformer": "sentence_transformer.model",
    "SimilarityFunction": "util.similarity",
    "Text": "inputs.types",
    "UsageError": "errors",
    "Video": "inputs.types",
}

__all__ = [
    "Audio",
    "Image",
    "ItemError",
    "Kept",
    "ManysenseError",
    "ManysenseWarning",
    "MediaError",
    "ModelError",
    "Policy",
    "SentenceTransformer",
    "SimilarityFunction",
    "Text",
    "UsageError",
    "Video",
    "__version__",
    "util",
]


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name == "util":
        return import_module(f"{__name__}.util")
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
