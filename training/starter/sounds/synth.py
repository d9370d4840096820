"""The pieces that sounds are built of: tones, noises, filters, envelopes, struck things, events in time.

Knows: float arrays at 16 kHz. Does not know: any particular sound, loudness (everything is scaled at the end).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, lfilter, sosfilt

from .dice import Dice

Array = NDArray[Any]
RATE = 16_000


def length(seconds: float) -> int:
    return max(int(seconds * RATE), 16)


def clock(n: int) -> Array:
    """Seconds of each sample."""
    return np.arange(n) / RATE


def line(n: int, *values: float) -> Array:
    """Straight lines through evenly spaced values: a contour of pitch or loudness."""
    return np.interp(np.linspace(0, 1, n), np.linspace(0, 1, len(values)), values)


def curve(n: int, *points: tuple[float, float]) -> Array:
    """Straight lines through (place 0-1, value) points."""
    places, values = zip(*points)
    return np.asarray(np.interp(np.linspace(0, 1, n), places, values))


def drift(d: Dice, n: int, rate: float, low: float = 0.0, high: float = 1.0) -> Array:
    """A smooth random walk between low and high that turns `rate` times a second."""
    knots = max(int(n / RATE * rate) + 3, 4)
    places = np.linspace(0, knots - 1.001, n)
    values = d.rng.random(knots + 1)
    left = places.astype(int)
    ease = 0.5 - 0.5 * np.cos(np.pi * (places - left))
    return np.asarray(low + (high - low) * (values[left] * (1 - ease) + values[left + 1] * ease))


def wave(n: int, rate: float, low: float, high: float, phase: float = 0.0) -> Array:
    """A slow sine between low and high."""
    return low + (high - low) * (0.5 + 0.5 * np.sin(2 * np.pi * rate * clock(n) + phase))


def phase(n: int, pitch: float | Array) -> Array:
    """Radians of an oscillator of the given pitch (a number, or one a sample)."""
    return 2 * np.pi * np.cumsum(np.broadcast_to(np.asarray(pitch, float), n)) / RATE


def sine(n: int, pitch: float | Array) -> Array:
    return np.sin(phase(n, pitch))


def buzz(n: int, pitch: float | Array, tilt: float = 1.0, most: int = 24, odd: bool = False) -> Array:
    """Harmonics that fall off as 1 / k**tilt, none above 7.6 kHz: saw (tilt 1), reed, string, voice source."""
    angle = phase(n, pitch)
    top = float(np.max(pitch))
    out = np.zeros(n)
    for k in range(1, most + 1, 2 if odd else 1):
        if k * top > 7600:
            break
        out += np.sin(k * angle) / k**tilt
    return out


def square(n: int, pitch: float | Array, tilt: float = 1.0) -> Array:
    return buzz(n, pitch, tilt, 30, odd=True)


def mixture(n: int, pitch: float | Array, shares: Sequence[float]) -> Array:
    """Harmonics with the given loudness each."""
    angle = phase(n, pitch)
    top = float(np.max(pitch))
    out = np.zeros(n)
    for k, share in enumerate(shares, 1):
        if k * top < 7600:
            out += share * np.sin(k * angle)
    return out


def modulated(n: int, pitch: float | Array, ratio: float, depth: float | Array) -> Array:
    """Frequency modulation: a carrier and a modulator at `ratio` times its pitch."""
    angle = phase(n, pitch)
    return np.sin(angle + depth * np.sin(ratio * angle))


def noise(d: Dice, n: int, colour: float = 0.0) -> Array:
    """Noise whose power falls as 1 / f**colour: 0 white, 1 pink, 2 brown."""
    white = d.rng.standard_normal(n)
    if colour == 0.0:
        return white
    spectrum = np.fft.rfft(white)
    steps = np.arange(len(spectrum))
    steps[0] = 1
    out = np.fft.irfft(spectrum * (np.maximum(steps, n * 20 / RATE) / n) ** (-colour / 2), n)
    return np.asarray(out / (out.std() + 1e-12))


def band(x: Array, low: float, high: float, order: int = 2) -> Array:
    low, high = max(low, 20.0), min(high, 7900.0)
    low = min(low, high * 0.95)
    return np.asarray(sosfilt(butter(order, [low, high], "bandpass", fs=RATE, output="sos"), x))


def below(x: Array, edge: float, order: int = 2) -> Array:
    return np.asarray(sosfilt(butter(order, min(max(edge, 25.0), 7900.0), "lowpass", fs=RATE, output="sos"), x))


def above(x: Array, edge: float, order: int = 2) -> Array:
    return np.asarray(sosfilt(butter(order, min(max(edge, 20.0), 7800.0), "highpass", fs=RATE, output="sos"), x))


def resonance(x: Array, pitch: float, width: float) -> Array:
    """One pole pair: rings at `pitch` with a band of `width` Hz."""
    r = np.exp(-np.pi * width / RATE)
    angle = 2 * np.pi * min(pitch, 7800.0) / RATE
    return np.asarray(lfilter([1 - r], [1, -2 * r * np.cos(angle), r * r], x))


def formants(x: Array, *peaks: tuple[float, float, float]) -> Array:
    """A mouth or a body: the sum of (pitch, width, loudness) resonances."""
    out = np.zeros(len(x))
    for pitch, width, loud in peaks:
        y = resonance(x, pitch, width)
        out += loud * y / (y.std() + 1e-9)
    return out


def fade(n: int, attack: float, release: float) -> Array:
    """Rises over `attack` seconds, stays, falls over `release` seconds."""
    t = clock(n)
    return np.clip(np.minimum(t / max(attack, 1e-3), (n / RATE - t) / max(release, 1e-3)), 0, 1)


def decay(n: int, time: float, attack: float = 0.001) -> Array:
    """Falls by 60 dB in `time` seconds."""
    t = clock(n)
    return np.minimum(t / attack, 1.0) * np.exp(-6.9 * t / time)


def struck(d: Dice, n: int, pitches: Sequence[float], times: Sequence[float], louds: Sequence[float]) -> Array:
    """Something hit: sines with own 60 dB times and loudness, slightly out of tune."""
    t = clock(n)
    out = np.zeros(n)
    for pitch, time, loud in zip(pitches, times, louds):
        if pitch < 7800:
            out += loud * np.exp(-6.9 * t / time) * np.sin(2 * np.pi * pitch * t + d.rng.uniform(0, 6.28))
    return out * np.minimum(t / 0.0008, 1)


def plucked(d: Dice, n: int, pitch: float, bright: float = 0.5, keep: float = 0.996) -> Array:
    """A string. Source: Karplus & Strong 1983, with a filter for how bright the finger is."""
    period = max(int(RATE / pitch - 0.5), 2)
    burst = np.zeros(n)
    m = min(period, n)
    burst[:m] = lfilter([bright], [1, bright - 1], d.rng.uniform(-1, 1, m))
    a = np.zeros(period + 2)
    a[0], a[period], a[period + 1] = 1.0, -0.5 * keep, -0.5 * keep
    return np.asarray(lfilter([1.0], a, burst))


def put(into: Array, x: Array, start: float) -> None:
    """Add x, beginning at `start` seconds; what does not fit is cut."""
    at = max(int(start * RATE), 0)
    part = x[: max(len(into) - at, 0)]
    into[at : at + len(part)] += part


def repeated(d: Dice, n: int, gap: float, make: Callable[[], Array], jitter: float = 0.1, start: float = 0.0) -> Array:
    """The same kind of event again and again, `gap` seconds apart, give or take."""
    out = np.zeros(n)
    at = start
    while at < n / RATE:
        put(out, make() * d.rng.uniform(0.75, 1.0), at)
        at += max(gap * (1 + jitter * d.rng.standard_normal()), 0.01)
    return out


def scattered(d: Dice, n: int, rate: float, make: Callable[[], Array]) -> Array:
    """Events at random times, `rate` a second, loud and soft."""
    out = np.zeros(n)
    for at in d.rng.uniform(0, n / RATE, max(int(rate * n / RATE), 1)):
        put(out, make() * d.rng.uniform(0.2, 1.0) ** 1.5, float(at))
    return out


def clicks(d: Dice, n: int, rate: float, sharp: float = 1.5) -> Array:
    """Impulses at random times with loudness of a long tail: grains for filters."""
    out = np.zeros(n)
    count = max(int(rate * n / RATE), 1)
    np.add.at(out, d.rng.integers(0, n, count), d.rng.choice([-1, 1], count) * d.rng.random(count) ** sharp)
    return out


def joined(*parts: Array) -> Array:
    return np.concatenate(parts)


def rest(seconds: float) -> Array:
    return np.zeros(length(seconds))


def driven(x: Array, gain: float) -> Array:
    """Soft clipping."""
    return np.asarray(np.tanh(gain * x / (np.abs(x).max() + 1e-9)))


def levelled(x: Array) -> Array:
    """Peak of one."""
    return np.asarray(x / (np.abs(x).max() + 1e-12))
