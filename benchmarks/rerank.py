"""Reranking: text pairs of mixed lengths, pictures, prompts that begin alike, very many cheap pairs.

A row that is compared is one query's raw scores of all its documents. The peer scores all pairs in one call, which it
sorts by length; it has torchvision, which its processor of Qwen3-VL needs, and is handed open pictures in the place of
paths, so that it decodes each once.

`python -m benchmarks.rerank` counts the work instead of the time: files opened, pictures decoded, patches through the
tower, and what very many pairs take beside the model. Counts do not depend on the machine.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import cache, partial
from importlib.util import find_spec
from typing import Any
from unittest.mock import patch

import numpy as np

from . import material, report, rerankers
from .harness import Benchmark, CannotRun, Resident

START, END = "<!-- table: written by python -m benchmarks.rerank -->", "<!-- end of the table of work -->"


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
    shown = material.photos(3 if quick else 6, (64, 64) if quick else (480, 384))
    return Case(rerankers.qwen3_vl("tiny" if quick else "shallow"), questions(2 if quick else 10), shown)


def query_picture(quick: bool) -> Case:
    """One picture, many texts."""
    (shown,) = material.photos(1, (64, 64) if quick else (480, 384))
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
    model = _ours(case)
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
    model = _peer(case)
    return lambda: model.predict(_opened_once(case)).reshape(len(case.queries), -1)


def _opened_once(case: Case) -> list[tuple[Any, Any]]:
    """Pairs with open pictures in the place of paths: the peer decodes a path with torchvision, once for every pair."""
    from PIL import Image

    shown = {path: Image.open(path) for path in case.pictures}
    return [(shown.get(query, query), shown.get(document, document)) for query, document in case.pairs]


def _ours(case: Case) -> Any:
    declare_operators()
    from manysense import CrossEncoder

    return _warm(CrossEncoder, case)


def _peer(case: Case) -> Any:
    declare_operators()
    from sentence_transformers import CrossEncoder

    return _warm(CrossEncoder, case)


def _warm(kind: Any, case: Case) -> Any:
    """The model of a folder, after it scored one pair. Scores are raw, so that a sigmoid hides no difference."""
    import torch

    dtype = torch.float32 if case.device == "cpu" else torch.bfloat16
    model = kind(case.folder, device=case.device, activation_fn=torch.nn.Identity(), model_kwargs={"dtype": dtype})
    model.predict(_opened_once(case)[:1])
    return model


@cache
def declare_operators() -> Any:
    """Make torchvision importable, where it is installed, beside a torch for the CPU alone: the wheel of PyPI then
    finds no kernels for two operators, which no processor of pictures calls. What it returns has to be kept."""
    if find_spec("torchvision") is None:
        return None
    import torch

    try:
        import torchvision  # noqa: F401
    except RuntimeError:
        library = torch.library.Library("torchvision", "DEF")
        for name in ("nms", "qnms"):
            library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        return library
    return None


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
        targets={"wall": 2},
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


# ---- counting


def work(load: Callable[[Case], Any], call: Callable[[Any, Case], Any], case: Case) -> dict[str, int]:
    """What one call does with the pictures of a case: "opened" files, "decoded", "seen" by the tower, "patches"."""
    from PIL import Image

    model = load(case)
    tower = model[0].model.model.visual
    counts: Counter[str] = Counter()

    def seeing(patches: Any, grid_thw: Any, **options: Any) -> Any:
        counts.update(seen=len(grid_thw), patches=len(patches))
        return type(tower).forward(tower, patches, grid_thw, **options)

    def decoding(*arguments: Any) -> Any:
        counts["decoded"] += 1
        return decoder(*arguments)

    decoder = Image._getdecoder
    seen, decoded = patch.object(tower, "forward", seeing), patch.object(Image, "_getdecoder", decoding)
    with seen, decoded, _opened(case.pictures) as opened:
        call(model, case)
    return {"opened": sum(opened.values()), **{name: counts[name] for name in ("decoded", "seen", "patches")}}


@contextmanager
def _opened(paths: set[str]) -> Iterator[Counter[str]]:
    """Times that each file is opened meanwhile. An audit hook stays for good; it then does nothing."""
    counts: Counter[str] = Counter()
    listening = True

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if listening and event == "open" and str(arguments[0]) in paths:
            counts[str(arguments[0])] += 1

    sys.addaudithook(hook)
    yield counts
    listening = False


def ours_once(model: Any, case: Case) -> None:
    model[0].media_cache.clear()
    model.rank(queries=case.queries, documents=case.documents)


def peer_once(model: Any, case: Case) -> None:
    model.predict(_opened_once(case))


def taken(case: Case) -> dict[str, float]:
    """CPU seconds of one call of ours: "model", the forward passes; "results", from scores to rankings; "memory", its
    peak in bytes above the loaded model."""
    return {**dict(zip(("model", "results"), _spent(case))), "memory": _peak(case)}


def _spent(case: Case) -> tuple[float, float]:
    from manysense.cross_encoder.line import PairLine
    from manysense.cross_encoder.rank import Wanted
    from manysense.outputs.rows import ArrayRows

    parts = {"model": [(PairLine, "forward")], "results": [(ArrayRows, "write"), (Wanted, "ranking")]}
    seconds: Counter[str] = Counter()

    def clocked(part: str, function: Any) -> Any:
        def run(*arguments: Any) -> Any:
            start = time.thread_time()
            made = function(*arguments)
            seconds[part] += time.thread_time() - start  # type: ignore[assignment]
            return made

        return run

    model = _ours(case)
    with ExitStack() as stack:
        for part, methods in parts.items():
            for kind, name in methods:
                stack.enter_context(patch.object(kind, name, clocked(part, getattr(kind, name))))
        ours_once(model, case)
    return seconds["model"], seconds["results"]


def _peak(case: Case) -> int:
    side = Resident(ours, case)
    try:
        return side.turn()[0].memory
    finally:
        side.close()


def counted(quick: bool) -> dict[str, Any]:
    """Everything that the table shows. A peer that cannot run leaves the reason in "peer_error"."""
    made: dict[str, Any] = {"name": "rerank_work", "pictures": []}
    cases = {"10 queries x 6 pictures": pictures(quick), "1 picture x 64 texts": query_picture(quick)}
    for title, case in cases.items():
        case = replace(case, folder=rerankers.qwen3_vl("tiny"))
        row: dict[str, Any] = {"title": title, "distinct": len(case.pictures), "ours": work(_ours, ours_once, case)}
        try:
            row["peer"] = work(_peer, peer_once, case)
        except ImportError as error:
            made["peer_error"] = str(error).strip().splitlines()[0]
        made["pictures"].append(row)
    made["many"] = {len(case.pairs): taken(case) for case in (many(n, quick) for n in (30, 300))}
    return made | report.facts()


def table(result: dict[str, Any]) -> str:
    lines = [
        "| what | distinct pictures | of | files opened | decoded | seen by the tower | patches through it |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for row in result["pictures"]:
        for side, name in (("peer", "peer"), ("ours", "manysense")):
            if side in row:
                numbers = [f"{row[side][key]:,}" for key in ("opened", "decoded", "seen", "patches")]
                lines.append("| " + " | ".join([row["title"], str(row["distinct"]), name, *numbers]) + " |")
    lines += ["", "| pairs | model, CPU s | results, CPU s | memory |", "| --- | --- | --- | --- |"]
    for pairs, spent in result["many"].items():
        lines.append(
            f"| {int(pairs):,} | {spent['model']:.1f} | {spent['results']:.2f} | {spent['memory'] / 2**20:.0f} MiB |"
        )
    made = ", ".join(f"{name} {value}" for name, value in result["versions"].items() if value)
    return "\n".join([*lines, "", f"- {result['date']}; {made}."])


def write_page(text: str) -> None:
    """Replace the table between the markers."""
    page = report.PAGE.read_text(encoding="utf-8")
    before, _, rest = page.partition(START)
    _, _, after = rest.partition(END)
    report.PAGE.write_text(f"{before}{START}\n\n{text}\n\n{END}{after}", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.rerank", description="Count the work of reranking.")
    parser.add_argument("--quick", action="store_true", help="tiny inputs; nothing is kept")
    quick = parser.parse_args().quick
    result = counted(quick)
    text = table(result)
    if not quick:
        report.keep(result)
        write_page(text)
    print(text)


if __name__ == "__main__":
    main()
