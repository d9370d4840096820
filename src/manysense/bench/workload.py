"""What is asked: shapes of requests, and requests drawn from them.

Knows: a request, its shape, even draws. Does not know: where queries and documents come from (generated.py, folder.py,
judged.py), rerankers, time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, Literal

Kind = Literal["text", "multimodal"]


@dataclass(frozen=True, slots=True)
class Request:
    """One query and its candidates.

    kind: "multimodal" as soon as one document is more than text.  pixels: of a document with a picture, on average.
    judged: position of the query in Workload.judgements, None without a judgement.
    """

    query: Any
    documents: tuple[Any, ...]
    kind: Kind = "text"
    pixels: int = 0
    judged: int | None = None


@dataclass(frozen=True, slots=True)
class Shape:
    """Requests that cost about the same.  label: for people.  make: draws one of them."""

    label: str
    make: Callable[[Random], Request]


@dataclass(frozen=True, slots=True)
class Workload:
    """facts: what a reader of the report should know of it.  judgements: for each judged query the relevance of all its
    documents, in the order of retrieval."""

    shapes: tuple[Shape, ...]
    facts: Mapping[str, Any]
    judgements: Sequence[Sequence[float]] = field(default=())

    def draw(self, count: int, random: Random) -> list[Request]:
        """`count` requests in random order, each shape equally often (give or take one)."""
        requests: list[Request] = []
        while len(requests) < count:
            shapes = list(self.shapes)
            random.shuffle(shapes)
            requests += [shape.make(random) for shape in shapes[: count - len(requests)]]
        return requests

    def one_of_each(self, random: Random) -> list[Request]:
        return [shape.make(random) for shape in self.shapes]
