"""Let `import sentence_transformers` give this library, in the whole program, on request.

Knows: what other libraries look at: the import system, the version of the distribution, the name of a model's class.
Does not know: what the names are here (doors.py, ours.py).
"""

from __future__ import annotations

import re
import sys
import threading
from collections.abc import Iterable, Sequence
from importlib import import_module
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.metadata import Distribution, DistributionFinder
from os import PathLike
from types import ModuleType
from typing import NoReturn

from ..errors import UsageError
from .doors import KNOWN, STUB, find
from .table import VERSION

DISTRIBUTION = "sentence-transformers"
_lock = threading.RLock()


def install() -> None:
    """From now on `import sentence_transformers`, anywhere in this process, gives manysense.

    For libraries that import it themselves (KeyBERT, BERTopic, SetFit …): call this before they are imported, as the
    first line of the program. A sentence-transformers that is installed is left alone and not imported. A second call
    does nothing. Raises UsageError when the real package is already imported. Loads torch.
    """
    with _lock:
        if _FINDER in sys.meta_path:
            return
        there = sys.modules.get(KNOWN)
        if there is not None:
            raise UsageError(
                f"sentence_transformers is already imported, from {getattr(there, '__file__', None) or 'elsewhere'}\n"
                "  Call manysense.compat.install() first, before anything imports it; what has imported it keeps it."
            )
        _name_classes(STUB)
        sys.meta_path.insert(0, _FINDER)
        import_module(KNOWN)


def uninstall() -> None:
    """Undo `install`: the name means again what it meant before. What was imported meanwhile keeps what it got."""
    with _lock:
        if _FINDER not in sys.meta_path:
            return
        sys.meta_path.remove(_FINDER)
        for name in [name for name in sys.modules if name == KNOWN or name.startswith(f"{KNOWN}.")]:
            del sys.modules[name]
        _name_classes(None)


def _name_classes(module: str | None) -> None:
    """KeyBERT and BERTopic look for "sentence_transformers" in `str(type(model))`, and take another model, without a
    word, where they do not find it. STUB has that word in it, and is a place from which every process can unpickle."""
    from ..cross_encoder import model as reranking
    from ..sentence_transformer import model as embedding

    embedding.SentenceTransformer.__module__ = module or embedding.__name__
    reranking.CrossEncoder.__module__ = module or reranking.__name__


class _Distribution(Distribution):
    """What importlib.metadata tells of the package that this library stands for."""

    def read_text(self, filename: str) -> str | None:
        texts = {
            "METADATA": f"Metadata-Version: 2.1\nName: {DISTRIBUTION}\nVersion: {VERSION}\n",
            "top_level.txt": f"{KNOWN}\n",
        }
        return texts.get(filename)

    def locate_file(self, path: str | PathLike[str]) -> NoReturn:
        raise FileNotFoundError(f"{DISTRIBUTION} is stood for by manysense and has no file {path}")


class _Finder(MetaPathFinder):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        return find(fullname) if fullname == KNOWN or fullname.startswith(f"{KNOWN}.") else None

    def find_distributions(
        self,
        context: DistributionFinder.Context = DistributionFinder.Context(),  # noqa: B008
    ) -> Iterable[Distribution]:
        """Called by importlib.metadata. context.name: None for all."""
        wanted = context.name
        return [_Distribution()] if wanted is None or _normal(wanted) == DISTRIBUTION else []


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


_FINDER = _Finder()
