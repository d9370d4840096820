"""Count the work of reranking: files opened, pictures decoded, patches through the tower, time beside the model.

Knows: how one call of a library is watched from outside. Does not know: times of a whole call (rerank.py). Counts do
not depend on the machine, nor on how wide a network is, so a tiny one serves.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Any
from unittest.mock import patch

import numpy as np

from . import report, rerankers
from .harness import Resident
from .rerank import Case, many, opened_once, our_model, peer_model, pictures, query_picture

BEST = 10
START, END = "<!-- table: written by python -m benchmarks.rerank_work -->", "<!-- end of the table of work -->"


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
    with seen, decoded, _files_opened(case.pictures) as opened:
        call(model, case)
    return {"opened": sum(opened.values()), **{name: counts[name] for name in ("decoded", "seen", "patches")}}


@contextmanager
def _files_opened(paths: set[str]) -> Iterator[Counter[str]]:
    """Times that each file is opened meanwhile. An audit hook stays for good; it then does nothing."""
    counts: Counter[str] = Counter()
    listening = True

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if listening and event == "open" and str(arguments[0]) in paths:
            counts[str(arguments[0])] += 1

    sys.addaudithook(hook)
    yield counts
    listening = False


def ours_once(model: Any, case: Case, top_k: int | None = None) -> None:
    model[0].media_cache.clear()
    model.rank(queries=case.queries, documents=case.documents, top_k=top_k)


def peer_once(model: Any, case: Case) -> None:
    model.predict(opened_once(case))


def taken(case: Case) -> dict[str, float]:
    """One call of ours in a process of its own: CPU seconds of the "model" and of the "results", peak of "memory" in
    bytes above the loaded model."""
    side = Resident(clocked, case)
    try:
        turn, (model, results) = side.turn()
    finally:
        side.close()
    return {"model": float(model), "results": float(results), "memory": turn.memory}


def clocked(case: Case) -> Callable[[], Any]:
    """A call that gives CPU seconds: (in forward passes, from scores to rankings). It asks for the best few of each
    query, so that the memory is that of the work and not of what is handed over."""
    from manysense.cross_encoder.line import PairLine
    from manysense.cross_encoder.rank import Wanted
    from manysense.outputs.rows import ArrayRows

    parts: list[list[tuple[Any, str]]] = [[(PairLine, "forward")], [(ArrayRows, "write"), (Wanted, "ranking")]]
    model = our_model(case)

    def call() -> Any:
        seconds: list[list[float]] = [[] for _ in parts]
        with ExitStack() as stack:
            for spent, methods in zip(seconds, parts):
                for kind, name in methods:
                    stack.enter_context(patch.object(kind, name, _timed(getattr(kind, name), spent)))
            ours_once(model, case, BEST)
        return np.array([sum(spent) for spent in seconds])

    return call


def _timed(function: Any, spent: list[float]) -> Any:
    """The function; CPU seconds of each call in its thread go into `spent`."""

    def run(*arguments: Any) -> Any:
        start = time.thread_time()
        made = function(*arguments)
        spent.append(time.thread_time() - start)
        return made

    return run


def counted(quick: bool) -> dict[str, Any]:
    """Everything that the table shows. A peer that cannot run leaves the reason in "peer_error"."""
    made: dict[str, Any] = {"name": "rerank_work", "pictures": []}
    cases = {"10 queries x 6 pictures": pictures(quick), "1 picture x 64 texts": query_picture(quick)}
    for title, case in cases.items():
        case = replace(case, folder=rerankers.qwen3_vl("tiny"))
        row: dict[str, Any] = {"title": title, "distinct": len(case.pictures), "ours": work(our_model, ours_once, case)}
        try:
            row["peer"] = work(peer_model, peer_once, case)
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
    parser = argparse.ArgumentParser(prog="python -m benchmarks.rerank_work", description=__doc__)
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
