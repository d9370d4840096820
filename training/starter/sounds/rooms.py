"""Where a sound was heard: distance, walls, microphone, line, background. The same sound, many ways.

Knows: what a recording does to any sound. Does not know: what the sound is.
"""

from __future__ import annotations

import numpy as np

from .dice import Dice
from .synth import RATE, Array, below, levelled, noise


def resampled(x: Array, speed: float) -> Array:
    """Faster and higher (speed above 1), or slower and lower."""
    n = max(int(len(x) / speed), 16)
    return np.interp(np.linspace(0, len(x) - 1, n), np.arange(len(x)), below(x, 7000 / speed) if speed > 1.02 else x)


def _echoes(d: Dice, seconds: float) -> Array:
    """The answer of a room: early reflections and a tail of noise that falls by 60 dB in `seconds`."""
    n = int(seconds * RATE * 0.8) + 200
    tail = d.rng.standard_normal(n) * np.exp(-6.9 * np.arange(n) / (seconds * RATE))
    tail[: int(d.between(20, 400))] = 0
    tail /= np.sqrt((tail**2).sum()) + 1e-9
    for _ in range(d.whole(1, 5)):
        tail[d.rng.integers(16, n)] += d.rng.uniform(-0.4, 0.4)
    return tail


def _colour(d: Dice, bins: Array) -> Array:
    """Loudness by pitch: a tilt, bumps, and the limits of a line (telephone, small speaker, muffled wall)."""
    octaves = np.log2(np.maximum(bins, 20) / 1000)
    decibels = d.between(-3.0, 3.0) * octaves
    decibels += np.interp(octaves, np.linspace(-5.5, 3, 8), d.rng.normal(0, d.between(0, 4), 8))
    low = d.between(200, 500) if d.chance(0.12) else 0.0
    high = d.between(2800, 5500) if d.chance(0.2) else 9000.0
    decibels -= 24 * np.clip(np.log2(low / np.maximum(bins, 1)) if low else bins * 0, 0, 3)
    decibels -= 36 * np.clip(np.log2(np.maximum(bins, 1) / high), 0, 3)
    return 10 ** (decibels / 20)


def heard(d: Dice, x: Array, strength: float = 1.0) -> Array:
    """The sound in some place over some line. strength: 0 leaves it clean; about a third stays nearly clean anyway."""
    x = levelled(x)
    if d.chance(0.35):
        strength *= 0.2
    if d.chance(0.3 * strength):
        x = np.tanh(x * d.between(1, 6))
    wet = d.between(0.0, 0.7) * strength if d.chance(0.6) else 0.0
    room = _echoes(d, d.between(0.1, 1.3)) if wet > 0.02 else np.zeros(1)
    size = 1 << int(np.ceil(np.log2(len(x) + len(room))))
    spectrum = np.fft.rfft(x, size)
    bins = np.fft.rfftfreq(size, 1 / RATE)
    if wet > 0.02:
        spectrum = spectrum * (1 - wet + 1.4 * wet * np.fft.rfft(room, size))
    if d.chance(0.8):
        spectrum = spectrum * _colour(d, bins) ** min(strength * 1.2, 1.0)
    x = levelled(np.fft.irfft(spectrum, size)[: len(x) + len(room) // 2])
    if d.chance(0.5 * strength):
        background = levelled(noise(d, 1 << 15, d.pick([0.0, 0.5, 1.0, 1.5])))
        x = x + np.resize(background, len(x)) * 10 ** (-d.between(18, 60) / 20)
    if d.chance(0.08 * strength):
        x = np.round(x * d.between(20, 120)) / 100
    return x


def placed(d: Dice, x: Array, window: int = 2 * RATE) -> Array:
    """One window: a short sound anywhere in it (mostly the middle), a part of a long one that holds something."""
    if len(x) <= window:
        room = window - len(x)
        start = room // 2 if d.chance(0.5) else int(d.rng.integers(room + 1))
        return np.pad(x, (start, room - start))
    energy = np.cumsum(np.concatenate([[0.0], x * x]))
    for _ in range(8):
        start = int(d.rng.integers(len(x) - window + 1))
        if energy[start + window] - energy[start] > 0.15 * window / len(x) * energy[-1]:
            break
    return x[start : start + window]
