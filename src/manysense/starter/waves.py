"""What the starter models' sound tower listens to: windows of two seconds, as log-mel pictures.

Knows: samples at 16 kHz, silence, the mel scale. Does not know: files, other rates, the tower. Loudness carries no
meaning here: a sound at half the volume gives the same picture.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray

Samples = NDArray[np.float32]

RATE = 16_000
"""Samples a second."""
MELS = 64
FRAMES = 200
"""Frames a window: 2 s, one every 10 ms."""
WINDOW = 32_000
"""Samples a window."""
LIMIT = 30
"""Windows a sound: a minute is heard whole, of more than that evenly spread parts."""

HOP, SPAN, POINTS = 160, 400, 512
LOWEST, HIGHEST = 40.0, 8000.0
FLOOR = -65.0
"""Decibels below the loudest band of the window that still count."""
HUSH = -50.0
"""Decibels below the loudest hundredth of a second from where leading and trailing sound counts as silence."""


def windows(samples: Samples) -> list[Samples]:
    """Cut a sound into windows of two seconds; (32000,) each, at least one, at most 30.

    samples: (n,) at 16 kHz; may be empty.  Silence at both ends is left out first.  Up to two seconds stand in the
    middle of one window; more follow each other, the last one ends with the sound (and may overlap the one before).
    """
    heard = _trimmed(np.asarray(samples, np.float32))
    if len(heard) <= WINDOW:
        before = (WINDOW - len(heard)) // 2
        return [np.pad(heard, (before, WINDOW - len(heard) - before))]
    last = len(heard) - WINDOW
    count = -(-len(heard) // WINDOW)
    if count <= LIMIT:
        starts = [*range(0, last, WINDOW), last]
    else:
        starts = [int(start) for start in np.linspace(0, last, LIMIT)]
    return [heard[start : start + WINDOW] for start in starts]


def log_mel(samples: Samples) -> NDArray[np.float32]:
    """Loudness of 64 bands over 200 frames, (64, 200), from -1 (65 dB below the loudest, or less) to 1 (the loudest).

    samples: (32000,) at 16 kHz.  Silence gives -1 everywhere.  A window of 25 ms stands around the middle of its frame.
    """
    assert samples.shape == (WINDOW,), f"a window has {WINDOW} samples, not {samples.shape}"
    padded = np.pad(samples.astype(np.float32, copy=False), (SPAN - HOP) // 2)
    peak = np.abs(padded).max()
    if not peak > 1e-8:
        return np.full((MELS, FRAMES), -1.0, np.float32)
    frames = np.lib.stride_tricks.sliding_window_view(padded / peak, SPAN)[::HOP] * _hann()  # (200, 400)
    spectrum = torch.fft.rfft(torch.from_numpy(frames), POINTS).numpy()  # (200, 257): in a fifth of numpy's time
    power = spectrum.real**2 + spectrum.imag**2
    bands = _bank() @ power.T.astype(np.float32, copy=False)  # (64, 200)
    bands /= bands.max()
    decibels = 10.0 * np.log10(np.maximum(bands, np.float32(10.0 ** (FLOOR / 10.0))))
    return np.asarray(1.0 - decibels * (2.0 / FLOOR), np.float32)


def _trimmed(samples: Samples) -> Samples:
    """Without the silence at both ends; empty if there is nothing but silence."""
    whole = np.pad(samples, (0, -len(samples) % HOP)).reshape(-1, HOP)
    energy = (whole * whole).mean(axis=1)
    if not len(energy) or not energy.max() > 1e-14:
        return samples[:0]
    loud = np.flatnonzero(energy >= energy.max() * 10.0 ** (HUSH / 10.0))
    return samples[int(loud[0]) * HOP : (int(loud[-1]) + 1) * HOP]


@cache
def _hann() -> NDArray[np.float32]:
    return np.asarray(0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(SPAN) / SPAN), np.float32)


@cache
def _bank() -> NDArray[np.float32]:
    """Triangles of the mel scale, (64, 257); narrow ones at the bottom are at least one bin wide."""
    top, bottom = _mel(HIGHEST), _mel(LOWEST)
    edges = 700.0 * (10.0 ** (np.linspace(bottom, top, MELS + 2) / 2595.0) - 1.0)
    bins = np.arange(POINTS // 2 + 1) * (RATE / POINTS)
    width = RATE / POINTS
    left, centre, right = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    rising = (bins - np.minimum(left, centre - width)) / np.maximum(centre - left, width)
    falling = (np.maximum(right, centre + width) - bins) / np.maximum(right - centre, width)
    bank = np.maximum(0.0, np.minimum(rising, falling))
    return np.asarray(bank / bank.sum(axis=1, keepdims=True), np.float32)


def _mel(hertz: float) -> float:
    return float(2595.0 * np.log10(1.0 + hertz / 700.0))
