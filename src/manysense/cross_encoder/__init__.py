"""One score per pair of a query and a document."""

from typing import Any

from .model import CrossEncoder
from .stats import Stats

__all__ = ["CrossEncoder", "Stats"]


def __getattr__(name: str) -> Any:
    """What the known library also shows here."""
    from ..compat.doors import attribute

    return attribute(__name__, name)
