"""Finding things: retrieve, then rerank."""

from .in_memory import Hit, Ranking, Seconds, retrieve_then_rerank
from .protocols import Embedder, Reranker

__all__ = ["Embedder", "Hit", "Ranking", "Reranker", "Seconds", "retrieve_then_rerank"]
