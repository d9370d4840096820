"""What search asks of a model.

Knows: names and shapes. Does not know: any model; whatever has these methods will do.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol, runtime_checkable


@runtime_checkable
class Embedder(Protocol):
    """Turns queries and documents into vectors of one space. SentenceTransformer is one."""

    def encode_query(self, inputs: Any, /, **kwargs: Any) -> Any:
        """(n, dims) vectors of n queries."""
        ...

    def encode_document(self, inputs: Any, /, **kwargs: Any) -> Any:
        """(n, dims) vectors of n documents."""
        ...

    def similarity(self, a: Any, b: Any, /) -> Any:
        """(n, dims), (m, dims) → (n, m) scores; higher is more alike."""
        ...


@runtime_checkable
class Reranker(Protocol):
    """Looks at a query and a document together. A cross-encoder is one."""

    def rank(self, query: Any, documents: Any, /, *, top_k: int | None = None) -> Iterable[Mapping[str, Any]]:
        """[{"corpus_id": position in documents, "score": …}, …]; higher is better; all of them with top_k=None."""
        ...
