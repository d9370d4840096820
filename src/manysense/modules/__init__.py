"""The network's steps, each features → features. Names are resolved on first touch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .base import InputModule, Module
    from .dense import Dense
    from .normalize import Normalize
    from .pooling import Pooling
    from .static_embedding import StaticEmbedding
    from .towers import Towers
    from .transformer import Transformer

_HOMES = {
    "Dense": "dense",
    "InputModule": "base",
    "Module": "base",
    "Normalize": "normalize",
    "Pooling": "pooling",
    "StaticEmbedding": "static_embedding",
    "Towers": "towers",
    "Transformer": "transformer",
}

__all__ = ["Dense", "InputModule", "Module", "Normalize", "Pooling", "StaticEmbedding", "Towers", "Transformer"]


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
