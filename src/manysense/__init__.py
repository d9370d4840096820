"""manysense: text, images, audio and video in one vector space.

Public names are resolved on first touch, so that importing the package loads neither torch nor transformers. Names and
import paths that only the known library has are left to compat/: they resolve, and no list of names shows them.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import compat, util
    from .collect import Kept
    from .cross_encoder.model import CrossEncoder
    from .errors import ItemError, ManysenseError, ManysenseWarning, MediaError, ModelError, UsageError
    from .inputs.types import Audio, Image, Text, Video
    from .media.policy import Policy
    from .search.in_memory import retrieve_then_rerank
    from .sentence_transformer.model import SentenceTransformer
    from .util.similarity import SimilarityFunction

__version__ = "0.1.0"

_HOMES = {
    "Audio": "inputs.types",
    "CrossEncoder": "cross_encoder.model",
    "Image": "inputs.types",
    "ItemError": "errors",
    "Kept": "collect",
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
    "retrieve_then_rerank": "search.in_memory",
}

__all__ = [
    "Audio",
    "CrossEncoder",
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
    "compat",
    "retrieve_then_rerank",
    "util",
]


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name in ("compat", "util"):
        return import_module(f"{__name__}.{name}")
    if name not in _HOMES:
        from .compat.doors import attribute

        return attribute(__name__, name)
    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)


class _Elsewhere:
    """Finds modules that are no files of the package: the known library's import paths, and the code of models.

    It is asked last, after every other finder of the process, and loads nothing for names that are not its own.
    """

    @staticmethod
    def find_spec(fullname: str, path: Any = None, target: Any = None) -> Any:
        if fullname.startswith(f"{__name__}."):
            from .compat.doors import find

            return find(fullname)
        if fullname.partition(".")[0] == f"{__name__}_code":
            from .checkpoints.foreign import find_code

            return find_code(fullname)
        return None


sys.meta_path.append(_Elsewhere)
