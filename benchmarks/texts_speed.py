"""Texts of mixed lengths through MiniLM, against the peer as it is and against the peer in token order.

The peer sorts texts by characters. "In token order" its sorting goes by tokens, counted before the clock starts: less
padding than its users get.
"""

from collections.abc import Callable
from typing import Any

from . import material, models
from .harness import Benchmark

Case = tuple[str, list[str]]


def prepare(quick: bool) -> Case:
    return material.minilm(), material.texts(60 if quick else 1000)


def ours(case: Case) -> Callable[[], Any]:
    folder, texts = case
    model = models.ours(folder)
    return lambda: model.encode(texts)


def peer(case: Case) -> Callable[[], Any]:
    folder, texts = case
    model = models.peer(folder)
    return lambda: model.encode(texts)


def peer_in_token_order(case: Case) -> Callable[[], Any]:
    folder, texts = case
    model = models.peer(folder)
    model._input_length = {text: len(model.tokenizer(text)["input_ids"]) for text in texts}.__getitem__
    return lambda: model.encode(texts)


BENCHMARKS = [
    Benchmark("texts_speed", "1,000 texts, MiniLM", ours, peer, prepare),
    Benchmark(
        "texts_speed_token_order",
        "1,000 texts, MiniLM, the peer in token order",
        ours,
        peer_in_token_order,
        prepare,
        targets={"wall": 1},
    ),
]
