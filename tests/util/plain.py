"""What util must find, in plain numpy: whole matrices of scores, sorted. Nothing of manysense is imported here."""

from __future__ import annotations

import numpy as np


def rows(count: int, dims: int = 8, seed: int = 0) -> np.ndarray:
    """(count, dims) float32 vectors that are all different."""
    return np.random.default_rng(seed).normal(size=(count, dims)).astype(np.float32)


def coarse(count: int, dims: int = 3, seed: int = 0) -> np.ndarray:
    """(count, dims) vectors of -1, 0 and 1: their dot products are whole numbers, and many are equal."""
    return np.random.default_rng(seed).integers(-1, 2, (count, dims)).astype(np.float32)


def dot(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return a.astype(np.float64) @ b.astype(np.float64).T


def cosine(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return dot(unit(a), unit(b))


def unit(vectors: np.ndarray) -> np.ndarray:
    vectors = vectors.astype(np.float64)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.where(lengths > 0, lengths, 1)


def best(scores: np.ndarray, k: int) -> list[list[int]]:
    """The k highest of each row, the lower index first among equals, NaN never."""
    found = []
    for row in scores:
        order = sorted(np.flatnonzero(~np.isnan(row)), key=lambda i: (-row[i], i))
        found.append([int(i) for i in order[:k]])
    return found


def pairs(scores: np.ndarray, top_k: int, most: int) -> list[tuple[float, int, int]]:
    """Pairs of rows of which one is among the other's top_k, highest score first, then the lower pair."""
    np.fill_diagonal(scores, np.nan)
    found = {}
    for i, others in enumerate(best(scores, top_k)):
        for j in others:
            found.setdefault((min(i, j), max(i, j)), scores[i, j])
    ordered = sorted(((score, *pair) for pair, score in found.items()), key=lambda one: (-one[0], *one[1:]))
    return ordered[:most]


def communities(scores: np.ndarray, threshold: float, least: int) -> list[list[int]]:
    """The known algorithm, over a whole matrix of cosines."""
    near = [[j for j in best(row[None], len(row))[0] if row[j] >= threshold] for row in scores]
    centres = sorted((i for i in range(len(near)) if len(near[i]) >= least), key=lambda i: -len(near[i]))
    used: set[int] = set()
    found = []
    for centre in centres:
        free = [j for j in near[centre] if j not in used]
        if centre not in used and len(free) >= least:
            found.append([centre, *(j for j in free if j != centre)])
            used.update(found[-1])
    return sorted(found, key=len, reverse=True)
