"""What is measured, from its name on the command line.

Knows: the kinds of names, where each reranker's class is, how many calls each takes at a time. Does not know: loads.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import version
from random import Random
from typing import Any

from ..errors import ManysenseError, ModelError, UsageError, first_line
from ..extras import need
from ..search.protocols import Embedder, Reranker
from ..settings import positive
from .clock import WallClock
from .endpoint import Endpoint, Form
from .stub import Stub, constant, exponential

FORMS = """\
  manysense:NAME               our CrossEncoder: a folder or a Hub name
  sentence-transformers:NAME   that of Sentence Transformers, where it is installed
  embeddings:NAME              our SentenceTransformer, embedding query and documents anew: the baseline
  http://127.0.0.1:PORT/rerank an endpoint on this machine
  stub:20ms                    no model: exactly 20 ms; stub:exponential:20ms for 20 ms on average"""
CONNECTIONS = 32
"""Calls at a time to an endpoint, which has a queue of its own; a model in this process is called once at a time."""

_STUB = re.compile(r"(?P<kind>exponential:)?(?P<amount>\d+(?:\.\d+)?)(?P<unit>ms|s)")


@dataclass(frozen=True, slots=True)
class Target:
    """workers: calls at a time.  pid: of the process whose memory counts, None where it is unknown.
    made_by: package and version, None where it is unknown."""

    name: str
    reranker: Reranker
    workers: int
    pid: int | None
    made_by: str | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """How a target is to be opened; those for endpoints are explained in endpoint.py."""

    device: str | None = None
    workers: int | None = None
    form: Form = "documents"
    served_name: str | None = None
    timeout: float = 60.0
    allow_remote: bool = False
    pid: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if self.workers is not None:
            positive("--workers", self.workers)
        if not self.timeout > 0:
            raise UsageError(f"--timeout is in seconds, above 0, got {self.timeout!r}")


def open_target(name: str, wanted: Wanted) -> Target:
    """Raises UsageError for a name of no known kind, MissingExtra, ModelError where a model cannot be loaded."""
    kind, _, rest = name.partition(":")
    if kind in ("http", "https"):
        endpoint = Endpoint(
            name,
            form=wanted.form,
            served_name=wanted.served_name,
            timeout=wanted.timeout,
            allow_remote=wanted.allow_remote,
        )
        return Target(name, endpoint, wanted.workers or CONNECTIONS, wanted.pid, None)
    if kind == "stub":
        return Target(name, _stub(name, rest, wanted.seed), wanted.workers or 1, os.getpid(), None)
    if kind not in _MODELS or not rest:
        raise UsageError(f"{name!r} is nothing that can be measured; name one of\n{FORMS}")
    reranker = _loaded(kind, rest, wanted.device)
    package = _MODELS[kind][0].partition(".")[0].replace("_", "-")
    return Target(name, reranker, wanted.workers or 1, os.getpid(), f"{package} {version(package)}")


def _stub(name: str, form: str, seed: int) -> Stub:
    found = _STUB.fullmatch(form)
    seconds = float(found["amount"]) / (1000 if found["unit"] == "ms" else 1) if found else 0.0
    if found is None or not seconds:
        raise UsageError(f"{name!r} is no stub; it is stub:20ms, stub:0.5s or stub:exponential:20ms")
    return Stub(exponential(seconds, Random(seed)) if found["kind"] else constant(seconds), WallClock())


_MODELS = {
    "manysense": ("manysense.cross_encoder", "CrossEncoder"),
    "sentence-transformers": ("sentence_transformers", "CrossEncoder"),
    "embeddings": ("manysense.sentence_transformer", "SentenceTransformer"),
}
"""Kind of name → module, class. Found by name, since one of them is another package's class of the same methods."""


def _loaded(kind: str, name: str, device: str | None) -> Reranker:
    module, attribute = _MODELS[kind]
    package = need(module, to="measure its CrossEncoder") if kind == "sentence-transformers" else import_module(module)
    try:
        model = getattr(package, attribute)(name, device=device)
    except ManysenseError:
        raise
    except Exception as error:
        raise ModelError(f"{kind}:{name} cannot be loaded: {type(error).__name__}: {first_line(error)}") from error
    return Embeddings(model) if kind == "embeddings" else model


class Embeddings:
    """An embedder as a reranker: by similarity of the query's vector with those of its documents, made at each call."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder

    def rank(self, query: Any, documents: Sequence[Any], /, *, top_k: int | None = None) -> list[dict[str, Any]]:
        embedder = self._embedder
        asked, there = embedder.encode_query([query]), embedder.encode_document(documents)
        scores = [float(score) for score in embedder.similarity(asked, there)[0]]
        order = sorted(range(len(scores)), key=lambda i: -scores[i])
        return [{"corpus_id": i, "score": scores[i]} for i in order][:top_k]
