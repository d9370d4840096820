"""The house: doors, clocks, water, kitchen and bathroom.

Knows: knocks, creaks, pours. Does not know: machines and tools (tools.py), rooms, captions.
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
    buzz,
    clicks,
    clock,
    curve,
    decay,
    drift,
    fade,
    joined,
    length,
    line,
    noise,
    put,
    repeated,
    resonance,
    rest,
    scattered,
    sine,
    square,
    struck,
)


@sound("door knock")
def knock_on_wood(d: Dice) -> Array:
    wood = d.between(110, 420)
    times = d.between(0.04, 0.16)

    def knock() -> Array:
        n = length(0.2)
        tones = struck(
            d,
            n,
            [wood, wood * 1.6, wood * 2.4, wood * 4.1],
            [times, times * 0.7, times * 0.5, times * 0.3],
            [1, 0.7, 0.5, 0.3],
        )
        return tones + band(noise(d, n), 200, 2500) * decay(n, 0.03) * d.between(0.1, 0.6)

    count, gap = d.whole(2, 6), d.between(0.14, 0.36)
    return repeated(d, length(count * gap), gap, knock, 0.06)


@sound("door knock")
def knock_of_noise(d: Dice) -> Array:
    edge = d.between(250, 1100)

    def knock() -> Array:
        n = length(0.15)
        return below(noise(d, n), edge, 4) * decay(n, d.between(0.05, 0.12), 0.002)

    count, gap = d.whole(2, 5), d.between(0.15, 0.4)
    out = repeated(d, length(count * gap), gap, knock, 0.05)
    return joined(out, rest(0.3), out) if d.chance(0.3) else out


@sound("door creak")
def creak_of_clicks(d: Dice) -> Array:
    n = length(d.between(0.8, 2.4))
    rate = drift(d, n, d.between(1.5, 4), d.between(15, 50), d.between(90, 260))
    ticks = np.diff(np.floor(np.cumsum(rate * drift(d, n, 40, 0.8, 1.2)) / 16000), prepend=0) > 0
    body = [(d.between(500, 3200), d.between(40, 160)) for _ in range(4)]
    return sum((resonance(ticks.astype(float), f, w) for f, w in body), np.zeros(n)) * drift(d, n, 4, 0.3, 1)


@sound("door creak")
def creak_squeaking(d: Dice) -> Array:
    n = length(d.between(0.7, 2))
    pitch = (
        d.between(300, 900)
        * curve(n, *[(k / 5, d.between(0.7, 1.5)) for k in range(6)])
        * (1 + 0.08 * drift(d, n, 50, -1, 1))
    )
    return buzz(n, pitch, 0.4, 15) * drift(d, n, 12, 0, 1) ** 1.5 * fade(n, 0.05, 0.1)


@sound("door slam")
def door_slam(d: Dice) -> Array:
    n = length(d.between(0.5, 1.1))
    low = d.between(45, 110)
    boom = struck(d, n, [low, low * 1.8, low * 2.9], [0.4, 0.3, 0.2], [1, 0.8, 0.5])
    out = boom + below(noise(d, n), d.between(800, 3000)) * decay(n, d.between(0.12, 0.35)) * 0.7
    put(out, above(noise(d, length(0.05)), 1500) * decay(length(0.05), 0.03) * 0.4, d.between(0.02, 0.1))
    return out


@sound("clock ticking")
def clock_tick_tock(d: Dice) -> Array:
    high = d.between(1400, 5000)
    gap = d.pick([0.25, 0.5, 0.5, 1.0]) * d.between(0.9, 1.1)
    out = np.zeros(length(d.between(2, 4)))
    lower = d.between(0.6, 1)
    for k, start in enumerate(np.arange(0.02, len(out) / 16000, gap)):
        n = length(0.06)
        pitch = high * (lower if k % 2 else 1)
        put(out, struck(d, n, [pitch, pitch * 1.5, pitch * 0.4], [0.025, 0.015, 0.03], [1, 0.6, 0.3]), start)
    return out


@sound("clock ticking")
def clock_tick_noise(d: Dice) -> Array:
    n = length(d.between(2, 4))
    edge, time = d.between(1200, 4500), d.between(0.006, 0.025)

    def tick() -> Array:
        m = length(0.04)
        return above(noise(d, m), edge) * decay(m, time)

    return repeated(d, n, d.pick([0.2, 0.25, 0.4, 0.5, 1.0]), tick, 0.002)


@sound("water drip")
def drip_plink(d: Dice) -> Array:
    n = length(d.between(1.5, 3.5))
    base = d.between(500, 1800)

    def drop() -> Array:
        m = length(d.between(0.05, 0.14))
        pitch = base * d.between(0.9, 1.1)
        return sine(m, line(m, pitch, pitch * d.between(1.2, 2.0))) * decay(m, d.between(0.06, 0.15), 0.003)

    return repeated(d, n, d.between(0.25, 1.1), drop, 0.12)


@sound("water drip")
def drip_plop(d: Dice) -> Array:
    n = length(d.between(1.5, 3.5))
    base = d.between(350, 1300)

    def drop() -> Array:
        m = length(0.18)
        out = above(noise(d, m), 3000) * decay(m, 0.01) * 0.3
        put(out, struck(d, m, [base, base * 2.7], [0.12, 0.05], [1, 0.3]), 0.02)
        return out

    return repeated(d, n, d.between(0.3, 1.0), drop, 0.05)


@sound("pouring water")
def pour_into_glass(d: Dice) -> Array:
    n = length(d.between(1.5, 4))
    start = d.between(350, 800)
    pitch = line(n, start, start * d.between(1.6, 3))
    gurgle = sine(n, pitch * (1 + 0.3 * drift(d, n, d.between(15, 35), -1, 1))) * drift(d, n, 30, 0, 1) ** 2
    wash = band(noise(d, n), 500, d.between(3000, 7000)) * drift(d, n, 12, 0.5, 1)
    return gurgle * d.between(0.3, 1.2) + wash * d.between(0.15, 0.5)


@sound("pouring water")
def pour_of_bubbles(d: Dice) -> Array:
    n = length(d.between(1.5, 3.5))
    out = np.zeros(n)
    for start in d.rng.uniform(0, n / 16000, int(n / 16000 * d.between(60, 140))):
        m = length(d.between(0.01, 0.05))
        pitch = (500 + 900 * start * 16000 / n) * d.between(0.6, 1.8)
        put(out, sine(m, line(m, pitch, pitch * 1.3)) * decay(m, 0.05) * d.between(0.2, 1), start)
    return out + above(noise(d, n), 1500) * 0.05


@sound("frying")
def frying_pan(d: Dice) -> Array:
    n = length(d.between(2, 4))
    sizzle = above(noise(d, n), d.between(2000, 4500)) * drift(d, n, 8, 0.6, 1)
    pops = above(clicks(d, n, d.between(60, 400), 4), d.between(1200, 3500)) * d.between(8, 30)
    return sizzle + pops


@sound("toilet flush")
def toilet_flush(d: Dice) -> Array:
    n = length(d.between(2.5, 5))
    shape = curve(n, (0, 0), (0.06, 1), (0.35, 0.8), (0.7, 0.3), (1, 0.05))
    rush = band(noise(d, n, 0.6), d.between(200, 500), d.between(2000, 5000)) * shape
    gurgle = resonance(noise(d, n), d.between(180, 420), 50) * np.clip(
        np.sin(2 * np.pi * d.between(5, 11) * clock(n)), 0, 1
    )
    click = struck(d, n, [900, 1700], [0.05, 0.03], [1, 0.5]) * d.between(0, 1.5)
    return rush + gurgle * curve(n, (0, 0), (0.4, 0.2), (0.7, 1), (1, 0)) * 0.8 + click


@sound("shower")
def shower(d: Dice) -> Array:
    n = length(d.between(2, 4))
    return above(noise(d, n, 0.2), d.between(700, 1600)) + resonance(noise(d, n), d.between(250, 600), 100) * d.between(
        0, 1
    )


@sound("splash")
def splash(d: Dice) -> Array:
    n = length(d.between(0.6, 1.6))
    burst = band(noise(d, n, 0.3), d.between(250, 800), 7000) * curve(n, (0, 0), (0.05, 1), (0.25, 0.4), (1, 0)) ** 1.3

    def drop() -> Array:
        m = length(0.06)
        pitch = d.between(500, 1800)
        return sine(m, line(m, pitch, pitch * 1.5)) * decay(m, 0.06)

    return burst + scattered(d, n, 25, drop) * line(n, 0.2, 0.8, 0.2) * 0.6


@sound("glass breaking")
def glass_shards(d: Dice) -> Array:
    n = length(d.between(0.7, 1.8))

    def shard() -> Array:
        m = length(0.25)
        pitches = [d.between(2200, 7500) for _ in range(3)]
        return struck(d, m, pitches, [0.2, 0.12, 0.08], [1, 0.7, 0.5])

    fall = scattered(d, n, d.between(20, 60), shard) * decay(n, d.between(1.2, 3), 0.01)
    return fall + above(noise(d, n), 1800) * decay(n, d.between(0.1, 0.4)) * 2


@sound("glass breaking")
def glass_crash(d: Dice) -> Array:
    n = length(d.between(0.7, 1.6))
    out = above(clicks(d, n, 900, 2), 2500) * decay(n, 1.2) * 4
    for _ in range(d.whole(8, 25)):
        place = d.between(0, 0.6) ** 1.5
        put(out, struck(d, length(0.3), [d.between(2500, 7000)], [d.between(0.05, 0.3)], [d.between(0.2, 1)]), place)
    put(out, below(noise(d, length(0.2)), 1500) * decay(length(0.2), 0.1), 0)
    return out


@sound("coins")
def coins_jingling(d: Dice) -> Array:
    n = length(d.between(0.6, 2))
    base = d.between(2600, 4800)

    def coin() -> Array:
        m = length(0.3)
        f = base * d.between(0.85, 1.2)
        return struck(d, m, [f, f * 1.41, f * 1.93], [d.between(0.08, 0.3), 0.15, 0.1], [1, 0.8, 0.5])

    return scattered(d, n, d.between(5, 18), coin)


@sound("paper")
def paper_rustling(d: Dice) -> Array:
    n = length(d.between(0.8, 2.2))
    grains = above(clicks(d, n, d.between(400, 2500), 4), d.between(1000, 2500))
    return grains * np.clip(drift(d, n, d.between(4, 10), -0.4, 1), 0, 1)


@sound("paper")
def paper_tearing(d: Dice) -> Array:
    n = length(d.between(0.4, 1.1))
    rip = np.diff(np.floor(np.cumsum(line(n, 120, 400)) / 16000), prepend=0) > 0
    return band(noise(d, n) * (0.2 + resonance(rip.astype(float), 300, 200) * 40), 1200, 7800) * fade(n, 0.03, 0.05)


@sound("kettle whistle")
def kettle_whistle(d: Dice) -> Array:
    n = length(d.between(1.8, 4))
    pitch = (
        d.between(1700, 3400)
        * curve(n, (0, 0.75), (d.between(0.2, 0.5), 1), (1, 1.02))
        * (1 + 0.004 * drift(d, n, 20, -1, 1))
    )
    steam = above(noise(d, n), 2000) * d.between(0.03, 0.25)
    return (sine(n, pitch) + d.between(0, 0.4) * sine(n, pitch * d.between(1.2, 1.4))) * line(n, 0.1, 1, 1) + steam


@sound("kettle whistle")
def kettle_steam(d: Dice) -> Array:
    n = length(d.between(1.8, 3.5))
    f = d.between(1600, 3000)
    out = band(noise(d, n), f * 0.985, f * 1.015) + 0.5 * square(
        n, f * line(n, 0.9, 1, 1) * (1 + 0.01 * np.sin(2 * np.pi * 14 * clock(n))), 2
    )
    return out * line(n, 0.15, 0.9, 1) + noise(d, n) * 0.04
