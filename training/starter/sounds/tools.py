"""Machines and tools of house and yard: vacuum cleaner, hammer, saw, drill, keyboard, microwave, zip.

Knows: motors, blows, strokes. Does not know: doors and water (household.py), rooms, captions.
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
    sine,
    square,
    struck,
)


@sound("vacuum cleaner")
def vacuum_motor(d: Dice) -> Array:
    n = length(d.between(2, 4))
    pitch = d.between(180, 420) * curve(n, (0, d.between(0.5, 1)), (0.15, 1), (1, 1)) * drift(d, n, 2, 0.97, 1.03)
    air = band(noise(d, n, 0.5), 300, d.between(3500, 7500))
    return buzz(n, pitch, d.between(0.8, 1.4), 18) * d.between(0.2, 0.7) + air * d.between(0.5, 1)


@sound("vacuum cleaner")
def vacuum_roar(d: Dice) -> Array:
    n = length(d.between(2, 4))
    out = noise(d, n, 1.0) * 0.6
    f = d.between(250, 700)
    for k in (1, 2, 3, 5):
        out += resonance(noise(d, n), f * k, 12 * k) * 2.5 / k
    return out * drift(d, n, 1.5, 0.8, 1)


@sound("washing machine")
def washing_machine(d: Dice) -> Array:
    n = length(d.between(3, 6))
    rate = d.between(0.8, 2.2)
    turn = 0.5 + 0.5 * np.sin(2 * np.pi * rate * clock(n))
    slosh = band(noise(d, n, 1), 150, d.between(900, 2200)) * turn**2
    hum = buzz(n, d.between(45, 105), 0.9, 12) * (0.6 + 0.4 * turn)

    def thump() -> Array:
        m = length(0.25)
        return struck(d, m, [d.between(50, 90), 150], [0.2, 0.1], [1, 0.5])

    return slosh * 0.7 + hum * d.between(0.15, 0.5) + repeated(d, n, 1 / rate, thump, 0.04) * d.between(0.3, 1)


@sound("typing")
def typing_keys(d: Dice) -> Array:
    n = length(d.between(1.5, 3.5))
    body = d.between(800, 3500)

    def key() -> Array:
        m = length(0.09)
        out = resonance(noise(d, m) * decay(m, 0.012), body * d.between(0.8, 1.25), d.between(300, 1200))
        put(out, resonance(noise(d, m) * decay(m, 0.01), body * 1.4, 900) * d.between(0.2, 0.6), d.between(0.03, 0.06))
        return out

    return repeated(d, n, d.between(0.09, 0.2), key, 0.4)


@sound("typing")
def typewriter(d: Dice) -> Array:
    n = length(d.between(1.5, 3))

    def key() -> Array:
        m = length(0.08)
        f = d.between(1500, 3200)
        return struck(d, m, [f, f * 1.6, 400], [0.04, 0.03, 0.05], [1, 0.7, 0.6]) + noise(d, m) * decay(m, 0.02) * 0.6

    return repeated(d, n, d.between(0.1, 0.22), key, 0.35)


@sound("mouse click")
def mouse_click(d: Dice) -> Array:
    out = rest(d.between(0.4, 1.2))
    for start in (0.05, *((0.05 + d.between(0.12, 0.3),) if d.chance(0.5) else ())):
        for shift in (0.0, d.between(0.05, 0.1)):
            m = length(0.02)
            put(out, resonance(noise(d, m) * decay(m, 0.006), d.between(2000, 5000), 900), start + shift)
    return out


@sound("hammer")
def hammer_on_nail(d: Dice) -> Array:
    metal, wood = d.between(1800, 4200), d.between(120, 350)

    def blow() -> Array:
        n = length(0.3)
        ring = struck(d, n, [metal, metal * 1.47, metal * 2.1], [0.18, 0.1, 0.07], [0.7, 0.5, 0.3])
        return ring + struck(d, n, [wood, wood * 2], [0.1, 0.06], [1, 0.6]) + noise(d, n) * decay(n, 0.02) * 0.6

    gap = d.between(0.25, 0.65)
    return repeated(d, length(gap * d.whole(3, 7)), gap, blow, 0.05)


@sound("hammer")
def hammer_thuds(d: Dice) -> Array:
    edge = d.between(1200, 4500)

    def blow() -> Array:
        n = length(0.2)
        return below(noise(d, n), edge) * decay(n, d.between(0.05, 0.12)) + sine(n, d.between(90, 250)) * decay(n, 0.1)

    gap = d.between(0.3, 0.7)
    return repeated(d, length(gap * d.whole(3, 6)), gap, blow, 0.04)


@sound("saw")
def saw_strokes(d: Dice) -> Array:
    out = []
    stroke, teeth = d.between(0.25, 0.55), d.between(60, 220)
    for k in range(d.whole(4, 8)):
        n = length(stroke * d.between(0.9, 1.1))
        cut = 0.4 + 0.6 * np.abs(np.sin(np.pi * teeth * clock(n)))
        low = d.between(900, 1400) * (1.0 if k % 2 else 1.35)
        out += [band(noise(d, n), low, low * 4) * cut * fade(n, 0.06, 0.08), rest(0.03)]
    return joined(*out)


@sound("saw")
def chainsaw(d: Dice) -> Array:
    n = length(d.between(2, 4))
    pitch = d.between(70, 150) * np.clip(drift(d, n, 1.5, 0.7, 1.8), 0.7, 2)
    return band(buzz(n, pitch * (1 + 0.06 * drift(d, n, 60, -1, 1)), 0.2, 40), 200, 6000) + 0.4 * above(
        noise(d, n), 1500
    )


@sound("drill")
def electric_drill(d: Dice) -> Array:
    n = length(d.between(1.2, 3))
    pitch = d.between(280, 800) * curve(n, (0, 0.2), (0.15, 1), (0.5, d.between(0.75, 1)), (0.9, 1), (1, 0.3))
    return buzz(n, pitch * drift(d, n, 30, 0.98, 1.02), 0.5, 14) + 0.4 * band(noise(d, n), 1000, 7000)


@sound("hair dryer")
def hair_dryer(d: Dice) -> Array:
    n = length(d.between(2, 4))
    whine = sine(n, d.between(900, 2600) * curve(n, (0, 0.6), (0.2, 1), (1, 1)))
    return band(noise(d, n), d.between(500, 1100), 7500) + d.between(0.15, 0.6) * whine


@sound("fan")
def electric_fan(d: Dice) -> Array:
    n = length(d.between(2, 4))
    rate = d.between(7, 22)
    blades = 0.65 + 0.35 * np.sin(2 * np.pi * rate * clock(n))
    return below(noise(d, n, 0.8), d.between(700, 2200)) * blades + 0.3 * buzz(
        n, d.pick([50.0, 60.0, 100.0, 120.0]), 1.2, 8
    )


@sound("sweeping")
def broom(d: Dice) -> Array:
    n = length(d.between(2, 4))

    def stroke() -> Array:
        m = length(d.between(0.25, 0.5))
        return band(noise(d, m), d.between(1200, 2500), 7500) * np.sin(np.pi * np.linspace(0, 1, m)) ** 1.5

    return repeated(d, n, d.between(0.5, 0.9), stroke, 0.06)


@sound("zipper")
def zipper(d: Dice) -> Array:
    n = length(d.between(0.35, 1.0))
    rate = line(n, d.between(50, 120), d.between(180, 420))
    teeth = np.diff(np.floor(np.cumsum(rate) / 16000), prepend=0) > 0
    return resonance(teeth.astype(float), d.between(2500, 5000), 1200) + above(noise(d, n), 3000) * 0.01 * fade(
        n, 0.02, 0.05
    )


@sound("scissors")
def scissors(d: Dice) -> Array:
    n = length(d.between(1.2, 2.5))

    def snip() -> Array:
        m = length(d.between(0.1, 0.18))
        slide = above(noise(d, m), 3500) * np.linspace(0.1, 0.6, m)
        put(slide, struck(d, length(0.08), [d.between(3500, 6000), 5200], [0.06, 0.04], [1.5, 1]), m / 16000 * 0.8)
        return joined(slide, rest(0.05))

    return repeated(d, n, d.between(0.3, 0.6), snip, 0.06)


@sound("camera")
def camera_shutter(d: Dice) -> Array:
    out = rest(d.between(0.4, 0.7))
    for start, edge, loud in ((0.02, 1500, 1.0), (d.between(0.07, 0.16), 2500, 0.8)):
        m = length(0.05)
        put(out, above(noise(d, m), edge * d.between(0.7, 1.4)) * decay(m, d.between(0.015, 0.04)) * loud, start)
    if d.chance(0.4):
        m = length(0.25)
        put(out, buzz(m, d.between(180, 400), 0.6, 12) * fade(m, 0.02, 0.05) * 0.3, 0.15)
    return joined(out, out) if d.chance(0.3) else out


@sound("cash register")
def cash_register(d: Dice) -> Array:
    out = rest(d.between(1.1, 1.8))
    put(out, clicks(d, length(0.25), 120, 1) * 3, 0.0)
    put(out, below(noise(d, length(0.2)), 2500) * decay(length(0.2), 0.1), 0.12)
    f = d.between(1900, 3400)
    put(out, struck(d, length(1.0), [f, f * 1.5, f * 2.76], [0.9, 0.5, 0.3], [1.2, 0.7, 0.4]), d.between(0.22, 0.35))
    return out


@sound("microwave")
def microwave_done(d: Dice) -> Array:
    n = length(d.between(0.8, 1.6))
    hum = buzz(n, d.pick([50.0, 60.0, 100.0, 120.0]), 0.8, 16) + below(noise(d, n), 900) * 0.5
    beeps = []
    pitch = d.between(1000, 2400)
    for _ in range(d.whole(2, 4)):
        m = length(d.between(0.25, 0.7))
        beeps += [square(m, pitch, d.between(1.5, 3)) * fade(m, 0.005, 0.01), rest(d.between(0.2, 0.5))]
    return joined(hum * fade(n, 0.05, 0.05) * d.between(0.2, 0.7), rest(0.05), *beeps)


@sound("blender")
def blender(d: Dice) -> Array:
    n = length(d.between(1.5, 3))
    pitch = d.between(220, 500) * curve(n, (0, 0.4), (0.1, 1), (0.9, 1.05), (1, 0.6)) * drift(d, n, 10, 0.94, 1.04)
    return buzz(n, pitch, 0.5, 14) * 0.7 + band(noise(d, n), 400, 6000) * drift(d, n, 20, 0.4, 1)
