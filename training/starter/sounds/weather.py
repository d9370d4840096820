"""Weather and elements: rain, thunder, wind, waves, a stream, fire, bubbles, hail.

Knows: how each is made of noise and grains. Does not know: rooms, captions.
"""

from __future__ import annotations

import numpy as np

from .dice import Dice
from .kinds import sound
from .synth import (
    Array,
    above,
    band,
    below,
    clicks,
    decay,
    drift,
    driven,
    fade,
    joined,
    length,
    line,
    noise,
    resonance,
    scattered,
    sine,
    struck,
    wave,
)


@sound("rain")
def rain_of_noise(d: Dice) -> Array:
    n = length(d.between(2, 5))
    hiss = band(noise(d, n, d.between(0.0, 0.8)), d.between(400, 1800), d.between(5000, 7800))
    drops = band(clicks(d, n, d.between(60, 900), 3), d.between(800, 2500), 7500) * d.between(1, 8)
    return hiss * drift(d, n, 2, 0.7, 1.0) + drops


@sound("rain")
def rain_of_drops(d: Dice) -> Array:
    n = length(d.between(2, 5))
    out = noise(d, n, 0.5) * d.between(0.005, 0.05)
    for _ in range(d.whole(3, 6)):
        grains = clicks(d, n, d.between(80, 1200), 2)
        out += resonance(grains, d.between(900, 6500), d.between(300, 2500))
    return above(out, d.between(150, 900))


@sound("thunder")
def thunder_roll(d: Dice) -> Array:
    n = length(d.between(2.5, 6))
    out = np.zeros(n)
    for _ in range(d.whole(2, 6)):
        start = d.whole(0, n // 2 - 1)
        m = n - start
        out[start:] += below(noise(d, m, 1), d.between(90, 500)) * decay(m, d.between(1.5, 5), d.between(0.02, 0.4))
    crack = above(noise(d, n), 700) * decay(n, d.between(0.2, 0.9), 0.002) * d.between(0, 0.6)
    return driven(out * drift(d, n, d.between(5, 14), 0.4, 1), d.between(0.5, 3)) + crack


@sound("thunder")
def thunder_crack(d: Dice) -> Array:
    n = length(d.between(2, 5))
    shape = decay(n, d.between(2, 5), 0.005) * drift(d, n, 9, 0.2, 1.0) ** 2
    rumble = noise(d, n, 2.0) * shape
    first = clicks(d, n, 300, 1) * decay(n, d.between(0.2, 0.8))
    return rumble / 3 + below(first, d.between(1500, 5000)) * d.between(0.3, 2)


@sound("wind")
def wind_gusts(d: Dice) -> Array:
    n = length(d.between(3, 6))
    out = np.zeros(n)
    centre = d.between(250, 900)
    for step in (0.5, 1.0, 1.6):
        gust = drift(d, n, d.between(0.5, 2), 0.05, 1.0) ** 1.5
        out += resonance(noise(d, n, 1), centre * step * d.between(0.9, 1.1), d.between(40, 260)) * gust
    return out


@sound("wind")
def wind_howl(d: Dice) -> Array:
    n = length(d.between(3, 6))
    pitch = drift(d, n, d.between(0.5, 1.5), 1.0, d.between(1.3, 2.2)) * d.between(200, 600)
    wander = np.cumsum(d.rng.standard_normal(n)) * d.between(0.01, 0.05)
    howl = np.sin(2 * np.pi * np.cumsum(pitch) / 16000 + wander) * drift(d, n, 1, 0.1, 1)
    air = below(noise(d, n, 1.3), d.between(400, 1500)) * drift(d, n, 1, 0.3, 1)
    return howl * d.between(0.05, 0.5) + air


@sound("sea waves")
def waves_breaking(d: Dice) -> Array:
    n = length(d.between(4, 6))
    swell = np.clip(wave(n, d.between(0.15, 0.45), -0.3, 1, d.between(0, 6)), 0.03, 1) ** d.between(1, 2.5)
    foam = above(noise(d, n, 0.5), d.between(500, 2000)) * np.roll(swell, length(d.between(0.05, 0.4)))
    return below(noise(d, n, 1.5), d.between(400, 1200)) * swell + foam * d.between(0.3, 1.2)


@sound("sea waves")
def waves_on_shore(d: Dice) -> Array:
    rising = length(d.between(1.0, 2.4))
    falling = length(d.between(1.2, 3.0))
    n = rising + falling
    swell = joined(line(rising, 0.05, 0.3, 1.0), line(falling, 1.0, 0.4, 0.1, 0.03))
    low, high = below(noise(d, n), 900), above(noise(d, n), 900)
    return low * swell + high * swell**2 * d.between(0.4, 1.0)


@sound("stream")
def stream_of_bubbles(d: Dice) -> Array:
    n = length(d.between(2, 5))
    centre = d.between(500, 1300)

    def bubble() -> Array:
        m = length(d.between(0.02, 0.1))
        pitch = centre * d.between(0.5, 2.2)
        return sine(m, line(m, pitch, pitch * d.between(1.05, 1.7))) * decay(m, d.between(0.03, 0.12))

    wash = band(noise(d, n, 0.7), 300, d.between(1500, 4000)) * d.between(0.02, 0.15)
    return scattered(d, n, d.between(30, 90), bubble) + wash


@sound("stream")
def stream_of_noise(d: Dice) -> Array:
    n = length(d.between(2, 5))
    out = np.zeros(n)
    for _ in range(d.whole(5, 9)):
        flicker = np.clip(drift(d, n, d.between(8, 25), -1.2, 1), 0, 1)
        out += resonance(noise(d, n), d.between(350, 2600), d.between(30, 150)) * flicker
    return out


@sound("fire")
def fire_crackling(d: Dice) -> Array:
    n = length(d.between(2, 5))
    crackle = band(clicks(d, n, d.between(12, 60), 4), d.between(700, 2500), 7000, 1) * d.between(3, 9)
    hiss = above(noise(d, n), 2500) * d.between(0.004, 0.03)
    roar = below(noise(d, n, 1.2), d.between(150, 500)) * drift(d, n, 4, 0.3, 1) * d.between(0.02, 0.15)
    return crackle + hiss + roar


@sound("fire")
def fire_snapping(d: Dice) -> Array:
    n = length(d.between(2, 5))

    def snap() -> Array:
        m = length(d.between(0.003, 0.03))
        return resonance(noise(d, m), d.between(900, 5000), d.between(400, 2000)) * decay(m, m / 16000)

    return levelled_mix(scattered(d, n, d.between(10, 45), snap), noise(d, n, 1.0), d.between(0.01, 0.08))


@sound("hail")
def hailstones(d: Dice) -> Array:
    n = length(d.between(2, 4))

    def stone() -> Array:
        m = length(0.05)
        base = d.between(700, 4500)
        return struck(d, m, [base, base * 1.7, base * 2.3], [0.03, 0.02, 0.02], [1, 0.6, 0.4])

    return scattered(d, n, d.between(40, 160), stone)


@sound("bubbles")
def bubbles_rising(d: Dice) -> Array:
    n = length(d.between(1.5, 4))

    def bubble() -> Array:
        m = length(d.between(0.04, 0.16))
        pitch = d.between(180, 900)
        return sine(m, line(m, pitch, pitch * d.between(1.3, 3))) * fade(m, 0.005, m / 32000)

    return scattered(d, n, d.between(5, 18), bubble)


@sound("bubbles")
def boiling_water(d: Dice) -> Array:
    n = length(d.between(2, 4))

    def bubble() -> Array:
        m = length(d.between(0.02, 0.07))
        pitch = d.between(150, 600)
        return sine(m, line(m, pitch, pitch * 1.6)) * decay(m, 0.06)

    return below(scattered(d, n, d.between(25, 60), bubble), 2500) + noise(d, n, 1) * 0.01


def levelled_mix(front: Array, back: Array, share: float) -> Array:
    """Two layers at the same peak, the second one at a share of it."""
    return front / np.abs(front).max() + share * back / np.abs(back).max()
