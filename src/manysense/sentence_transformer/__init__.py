"""One vector per input."""

from typing import Any

from .model import SentenceTransformer

__all__ = ["SentenceTransformer"]


def __getattr__(name: str) -> Any:
    """What the known library also shows here."""
    from ..compat.doors import attribute

    return attribute(__name__, name)
