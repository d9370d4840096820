"""Make the starter models, stage by stage: `python -m training.starter STAGE`. See README.md.

Knows: the stages, their order, where each keeps what it made. Does not know: how any of them works.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

WORK = Path(__file__).resolve().parents[2] / "build" / "starter"


def text() -> None:
    """Corpus, teacher vectors, the table of the text tower."""
    from .text import fit

    fit.main(WORK)


def pictures(kind: str, count: int, first: int, step: int) -> None:
    """Draw shards of training pictures: emoji or scenes alone, or the whole mix."""
    from . import pool
    from .pictures import mixes

    families = {"emoji": mixes.emoji, "mix": mixes.everything, "scenes": mixes.scenes}[kind]()
    for number in range(first, count, step):
        path = pool.shard(WORK / "pictures", f"{kind}-{number:04d}", families)
        print(path.stem, flush=True)


def sounds() -> None:
    """Synthesise shards of training sounds."""
    from .sounds import pool

    pool.main(WORK / "sounds")


def image(leg: str, workers: int) -> None:
    """Train the picture tower: first small pictures, then larger ones."""
    from .towers.run import train_image

    train_image(WORK, leg, workers)


def audio(leg: str, workers: int) -> None:
    """Train the sound tower."""
    from .towers.run import train_audio

    train_audio(WORK, leg, workers)


def export(keep_fusion: bool) -> None:
    """Put the trained towers into the package."""
    from .towers.export import export_all

    export_all(WORK, keep_fusion)


def report() -> None:
    """Measure everything again and write the card."""
    from .measure.card import main

    main(WORK)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m training.starter", description=__doc__)
    stages = parser.add_subparsers(dest="stage", required=True)
    for stage in (text, pictures, sounds, image, audio, export, report):
        one = stages.add_parser(stage.__name__, help=stage.__doc__)
        if stage is pictures:
            one.add_argument("kind", choices=("emoji", "mix", "scenes"))
            one.add_argument("--count", type=int, default=40, help="shards in all")
            one.add_argument("--first", type=int, default=0)
            one.add_argument("--step", type=int, default=1, help="take every STEP-th, for several processes")
        if stage is export:
            one.add_argument("--keep-fusion", action="store_true", help="leave what joins clips as it is")
        if stage in (image, audio):
            one.add_argument("--leg", default="all")
            one.add_argument("--workers", type=int, default=1, help="processes that share each step")
    given = vars(parser.parse_args())
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before numpy: more threads wait for each other
    import torch

    torch.set_num_threads(1)
    globals()[given.pop("stage")](**given)


if __name__ == "__main__":
    main()
