"""Community detection: groups of vectors around a centre.

Knows: the algorithm. Does not know: models.

Neighbours are counted first and looked up later, only around centres that are still free, so that no more than a block
of scores is held, however large the groups are.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn.functional import normalize

from ..errors import UsageError
from ..progress import bar
from ..settings import positive
from ..warn import warn
from .matrix import BLOCK, Matrix, pieces
from .nearest import nans


@torch.no_grad()
def community_detection(
    embeddings: Any,
    threshold: float = 0.75,
    min_community_size: int = 10,
    batch_size: int = 1024,
    show_progress_bar: bool = False,
) -> list[list[int]]:
    """Groups of (n, dims) vectors whose cosine with the group's centre is at least `threshold`, largest group first.

    In each group the centre stands first, then the others, most alike first. A vector is in one group at most; groups
    smaller than `min_community_size` are left out.  batch_size: vectors that are scored at once, at most.  Number types
    are as in semantic_search. A vector that is not finite is in no group; a ManysenseWarning says so.
    Raises UsageError for counts below 1 and for a threshold that is no number.
    """
    positive("min_community_size", min_community_size)
    positive("batch_size", batch_size)
    if isinstance(threshold, bool) or not isinstance(threshold, (int, float, np.number)) or threshold != threshold:
        raise UsageError(f"threshold must be a number, a cosine from -1 to 1; got {threshold!r}")
    matrix = Matrix(embeddings, "embeddings")
    if len(matrix) < min_community_size:
        return []
    sizes = _sizes(matrix, float(threshold), batch_size, show_progress_bar)
    centres = np.flatnonzero(sizes >= min_community_size)
    centres = centres[np.argsort(-sizes[centres], kind="stable")]
    return _disjoint(matrix, float(threshold), min_community_size, batch_size, centres)


def _sizes(matrix: Matrix, threshold: float, batch_size: int, show: bool) -> npt.NDArray[np.int64]:
    """(n,) how many vectors are near each, itself too."""
    sizes = torch.zeros(len(matrix), dtype=torch.long, device=matrix.device)
    blocks = list(pieces(len(matrix), matrix.step(BLOCK)))
    step = min(matrix.step(batch_size), matrix.step(batch_size, blocks[0][1]))
    broken: list[int] = []
    with bar("Finding communities", len(matrix) * len(blocks), show) as advance:
        for start, stop in blocks:
            others = _unit(matrix, slice(start, stop))
            missing = nans(others)
            if missing is not None:
                broken += (missing.any(1).nonzero().flatten() + start).tolist()
            for begin, end in pieces(len(matrix), step):
                scores = _unit(matrix, slice(begin, end)) @ others.T
                sizes[begin:end] += (scores >= threshold).sum(1)
                advance(end - begin)
    if broken:
        warn(
            f"{len(broken)} of {len(matrix)} vectors are not finite, the first is {broken[0]}; they are in no community"
        )
    found: npt.NDArray[np.int64] = sizes.cpu().numpy()
    return found


def _disjoint(
    matrix: Matrix, threshold: float, min_size: int, batch_size: int, centres: npt.NDArray[np.intp]
) -> list[list[int]]:
    """Groups without overlap; a centre comes before those with fewer neighbours."""
    at_once = max(1, min(batch_size, BLOCK // len(matrix)))
    used = np.zeros(len(matrix), bool)
    found: list[list[int]] = []
    waiting = iter(centres.tolist())
    while block := _some(waiting, at_once, used):
        for centre, scores in zip(block, _scores(matrix, block)):
            if used[centre]:
                continue
            members = _near(scores, threshold)
            free = members[~used[members]]
            if len(free) < min_size:
                continue
            group = [centre, *free[free != centre].tolist()]
            found.append(group)
            used[group] = True
    return sorted(found, key=len, reverse=True)


def _some(waiting: Iterator[int], most: int, used: npt.NDArray[np.bool_]) -> list[int]:
    """The next centres that are free."""
    block: list[int] = []
    while len(block) < most and (centre := next(waiting, None)) is not None:
        if not used[centre]:
            block.append(centre)
    return block


def _scores(matrix: Matrix, centres: list[int]) -> Tensor:
    """(centres, n) cosines."""
    middle = _unit(matrix, centres)
    parts = pieces(len(matrix), matrix.step(BLOCK))
    return torch.cat([middle @ _unit(matrix, slice(start, stop)).T for start, stop in parts], dim=1)


def _near(scores: Tensor, threshold: float) -> npt.NDArray[np.int64]:
    """Which of the (n,) scores reach the threshold, most alike first, the lower index first among equals."""
    ids = (scores >= threshold).nonzero().flatten()
    order = scores[ids].sort(descending=True, stable=True).indices
    found: npt.NDArray[np.int64] = ids[order].cpu().numpy()
    return found


def _unit(matrix: Matrix, which: slice | list[int]) -> Tensor:
    if isinstance(which, list):
        return normalize(matrix.rows(which, matrix.dtype, matrix.device), dim=-1)
    return normalize(matrix.piece(which.start, which.stop, matrix.dtype, matrix.device), dim=-1)
