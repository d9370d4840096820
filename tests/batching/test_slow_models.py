"""A big model on a CPU says once how long it will take, by the clock."""

from __future__ import annotations

import itertools
import warnings

from manysense import SentenceTransformer, collect


def test_a_big_model_on_a_cpu_says_once_how_long_it_will_take(twin, monkeypatch):
    clock = itertools.count(step=60)
    monkeypatch.setattr(collect, "BIG", 1)
    monkeypatch.setattr(collect, "time", type("Clock", (), {"monotonic": staticmethod(lambda: next(clock))}))
    model = SentenceTransformer(twin("bert"), device="cpu")
    said = []
    for _ in range(2):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            model.encode([f"the number {i}" for i in range(12)], batch_size=2)
        said += [str(warning.message) for warning in caught]
    assert len(said) == 1
    assert "left for the other 10 inputs" in said[0]
