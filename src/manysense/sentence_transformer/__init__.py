"""One vector per input."""

from .model import SentenceTransformer

__all__ = ["SentenceTransformer"]
