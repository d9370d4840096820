"""The two libraries, each with its defaults, on the CPU."""

from typing import Any


def ours(folder: str, first: Any = "one text") -> Any:
    """The model of a folder, after it embedded `first`: everything that is loaded once is in memory."""
    from manysense import SentenceTransformer

    return _warm(SentenceTransformer(folder, device="cpu"), first)


def peer(folder: str, first: Any = "one text") -> Any:
    from sentence_transformers import SentenceTransformer

    return _warm(SentenceTransformer(folder, device="cpu"), first)


def _warm(model: Any, first: Any) -> Any:
    model.encode([first])
    return model
