"""Reranking: text pairs of mixed lengths, pictures, prompts that begin alike, very many cheap pairs.

A row that is compared is one query's raw scores of all its documents. The peer scores all pairs in one call, which it
sorts by length; it has torchvision, which its processor of Qwen3-VL needs, and is handed open pictures in the place of
paths, so that it decodes each once.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from . import material, rerankers
from .harness import Benchmark, CannotRun

SIZE, SMALL = (480, 384), (320, 256)
"""Of pictures that no library resizes: the peer lets none have fewer than 65,536 pixels, the authors' code 4,096."""


@dataclass(frozen=True)
class Case:
    """A folder; queries, and documents that are the same for all of them: texts, or paths of pictures."""

    folder: str
    queries: Sequence[str]
    documents: Sequence[str]
    device: str = "cpu"

    @property
    def pairs(self) -> list[tuple[str, str]]:
        return [(query, document) for query in self.queries for document in self.documents]

    @property
    def pictures(self) -> set[str]:
        return {value for value in (*self.queries, *self.documents) if value.endswith(".jpg")}


# ---- what is scored


def text_pairs(queries: int, documents: int, quick: bool) -> Case:
    found = material.texts(3 if quick else documents)
    return Case(rerankers.minilm(), questions(2 if quick else queries), found)


def questions(count: int) -> list[str]:
    """Texts of eight words at most."""
    return [" ".join(text.split()[:8]) for text in material.texts(count, seed=material.SEED + 1)]


def pictures(quick: bool) -> Case:
    shown = material.photos(3 if quick else 6, SMALL if quick else SIZE)
    return Case(rerankers.qwen3_vl("tiny" if quick else "shallow"), questions(2 if quick else 10), shown)


def query_picture(quick: bool) -> Case:
    """One picture, many texts."""
    (shown,) = material.photos(1, SMALL if quick else SIZE)
    return Case(rerankers.qwen3_vl("tiny"), [shown], material.texts(3 if quick else 64))


def pictures_2b(quick: bool) -> Case:
    import torch

    if not torch.cuda.is_available():
        raise CannotRun("no CUDA device")
    folder = rerankers.qwen3_vl("tiny" if quick else "2b")
    return Case(folder, questions(10), material.photos(6, (1024, 1024)), device="cuda")


def answers(first: rerankers.First, quick: bool) -> Case:
    folder = rerankers.qwen3(first, tiny=quick)
    return Case(folder, questions(2 if quick else 5), material.texts(3 if quick else 10))


def many(queries: int, quick: bool) -> Case:
    """Cheap pairs: short texts, a network of one narrow layer."""
    count = 10 if quick else 1_000
    short = [f"{' '.join(text.split()[:12])} {i}" for i, text in enumerate(material.texts(count))]
    return Case(rerankers.tiny_bert(), questions(2 if quick else queries), short)


# ---- the sides


def ours(case: Case, fast: bool = True, sharing: bool = True) -> Callable[[], Any]:
    """fast: through forward passes of our own.  sharing: a common beginning is computed once.

    Raises CannotRun where a medium was not opened exactly once in a turn, and seen once by its tower.
    """
    model = our_model(case)
    model[0].fast = fast
    if not sharing:
        from manysense.modules.transformer import packing

        packing.WORTH_SHARING = sys.maxsize
    media = len(case.pictures)

    def call() -> Any:
        model[0].media_cache.clear()
        rankings, stats = model.rank(queries=case.queries, documents=case.documents, return_stats=True)
        if (stats.opened, stats.tower_runs) != (media, media):
            raise CannotRun(f"{media} media were opened {stats.opened} times and seen {stats.tower_runs} times")
        return _rows(rankings, len(case.documents))

    return call


def peer(case: Case) -> Callable[[], Any]:
    model = peer_model(case)
    return lambda: model.predict(opened_once(case)).reshape(len(case.queries), -1)


def opened_once(case: Case) -> list[tuple[Any, Any]]:
    """Pairs with open pictures in the place of paths: the peer decodes a path with torchvision, once for every pair."""
    from PIL import Image

    shown = {path: Image.open(path) for path in case.pictures}
    return [(shown.get(query, query), shown.get(document, document)) for query, document in case.pairs]


def our_model(case: Case) -> Any:
    rerankers.declare_operators()
    from manysense import CrossEncoder

    return _warm(CrossEncoder, case)


def peer_model(case: Case) -> Any:
    rerankers.declare_operators()
    from sentence_transformers import CrossEncoder

    return _warm(CrossEncoder, case)


def _warm(kind: Any, case: Case) -> Any:
    """The model of a folder, after it scored one pair. Scores are raw, so that a sigmoid hides no difference."""
    import torch

    dtype = torch.float32 if case.device == "cpu" else torch.bfloat16
    model = kind(case.folder, device=case.device, activation_fn=torch.nn.Identity(), model_kwargs={"dtype": dtype})
    model.predict(opened_once(case)[:1])
    return model


def _rows(rankings: Sequence[Sequence[Mapping[str, Any]]], documents: int) -> Any:
    """(queries, documents) scores in the order of the documents."""
    rows = np.empty((len(rankings), documents), np.float32)
    for row, ranking in zip(rows, rankings):
        row[[hit["corpus_id"] for hit in ranking]] = [hit["score"] for hit in ranking]
    return rows


_ALONE = "against ourselves without sharing"
BENCHMARKS = [
    Benchmark(
        f"rerank_text_{queries}x{documents}",
        f"{queries} queries x {documents} texts, MiniLM reranker",
        ours,
        peer,
        partial(text_pairs, queries, documents),
        targets={"wall": 1.4},
    )
    for queries, documents in ((5, 40), (10, 100))
] + [
    Benchmark(
        "rerank_pictures",
        "10 queries x 6 pictures, layers of Qwen3-VL-Reranker-2B (2 + 2)",
        ours,
        peer,
        pictures,
        targets={"wall": 2.5},
    ),
    Benchmark(
        "rerank_pictures_tower_once",
        "the same, forward pass of transformers: each picture through the tower once, nothing else",
        partial(ours, fast=False),
        peer,
        pictures,
    ),
    Benchmark(
        "rerank_pictures_2b",
        "10 queries x 6 pictures of 1 megapixel, shape of Qwen3-VL-Reranker-2B, bfloat16, CUDA",
        ours,
        peer,
        pictures_2b,
        tolerance=2e-2,
    ),
    Benchmark(
        "rerank_answers",
        "5 queries x 10 texts, layers of Qwen3-Reranker-0.6B (4)",
        ours,
        peer,
        partial(answers, "query"),
    ),
    Benchmark(
        "rerank_answers_shared",
        f"the same, {_ALONE}",
        ours,
        partial(ours, sharing=False),
        partial(answers, "query"),
    ),
    Benchmark(
        "rerank_document_first",
        "the same with the document before the query",
        ours,
        peer,
        partial(answers, "document"),
    ),
    Benchmark(
        "rerank_document_first_shared",
        f"the same with the document before the query, {_ALONE}",
        ours,
        partial(ours, sharing=False),
        partial(answers, "document"),
    ),
    Benchmark(
        "rerank_many",
        "10 queries x 1,000 short texts, reranker of 1 layer of 32",
        ours,
        peer,
        partial(many, 10),
    ),
]
