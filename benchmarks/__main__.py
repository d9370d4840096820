"""The one command. Exit status 1 when results of the two sides differ; a slow side is no failure."""

from __future__ import annotations

import argparse
import sys

from . import (
    duplicates,
    imports,
    maxsim,
    photos,
    report,
    rerank,
    screenshots,
    single_query,
    stream,
    texts_memory,
    texts_speed,
)
from .harness import CannotRun, measure

FILES = (imports, texts_speed, texts_memory, single_query, duplicates, stream, photos, screenshots, maxsim, rerank)
BENCHMARKS = {one.name: one for file in FILES for one in file.BENCHMARKS}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", action="append", choices=list(BENCHMARKS), help="this one; may be repeated")
    parser.add_argument("--pairs", type=int, default=5, help="turns of each side (default 5)")
    parser.add_argument("--quick", action="store_true", help="tiny inputs; nothing is kept")
    options = parser.parse_args()
    differing = []
    for name in options.only or BENCHMARKS:
        print(f"{name} …", file=sys.stderr, flush=True)
        try:
            result = measure(BENCHMARKS[name], options.pairs, options.quick) | report.facts()
        except CannotRun as error:
            print(f"{name}: left out: {error}", file=sys.stderr)
            continue
        if not options.quick:
            report.keep(result)
            report.write_page(list(BENCHMARKS))
        if not result["equal"]:
            differing.append(name)
        print(report.table([result]), flush=True)
    if differing:
        print(f"results differ: {', '.join(differing)}", file=sys.stderr)
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
