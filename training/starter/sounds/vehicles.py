"""Vehicles and their signals: cars, trains, aircraft, ships, sirens, bicycle bells.

Knows: engines as pulses, horns as chords, sirens as glides. Does not know: rooms, captions.
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
    driven,
    fade,
    joined,
    length,
    line,
    mixture,
    noise,
    put,
    repeated,
    resonance,
    rest,
    sine,
    square,
    struck,
    wave,
)


def exhaust(d: Dice, rate: Array, edge: float, rough: float) -> Array:
    """Explosions, `rate` a second, through a pipe."""
    n = len(rate)
    shaken = rate * (1 + rough * drift(d, n, 25, -1, 1))
    blasts = np.diff(np.floor(np.cumsum(shaken) / 16000), prepend=0) > 0
    pulses = blasts * d.rng.uniform(0.6, 1.0, n)
    pipe = resonance(pulses, edge * 0.35, edge * 0.3) + 0.6 * resonance(pulses, edge, edge * 0.5)
    return pipe / (np.abs(pipe).max() + 1e-9)


@sound("car engine")
def engine_revving(d: Dice) -> Array:
    n = length(d.between(2, 4.5))
    idle = d.between(22, 50)
    rev = curve(n, (0, 1), (0.2, 1), (0.45, d.between(1.5, 3.5)), (0.7, d.between(1, 2.5)), (1, 1))
    out = exhaust(d, idle * rev, d.between(180, 500), 0.03)
    return driven(out, d.between(1, 4)) + below(noise(d, n, 1), 1200) * d.between(0.02, 0.15)


@sound("car engine")
def engine_idle(d: Dice) -> Array:
    n = length(d.between(2, 4))
    pitch = d.between(25, 60) * drift(d, n, 2, 0.95, 1.08)
    return below(buzz(n, pitch, 0.3, 40), d.between(300, 1200)) * drift(d, n, 15, 0.7, 1) + noise(d, n, 1.5) * 0.2


@sound("car engine")
def car_starting(d: Dice) -> Array:
    n = length(d.between(0.7, 1.5))
    crank = band(noise(d, n) + 2 * buzz(n, d.between(90, 160), 0.5, 20), 200, 3000)
    crank *= np.clip(np.sin(2 * np.pi * d.between(6, 11) * clock(n)), 0.1, 1)
    m = length(d.between(1, 2.5))
    run = exhaust(d, d.between(28, 55) * curve(m, (0, 2.5), (0.3, 1.3), (1, 1)), 300, 0.04)
    return joined(crank / np.abs(crank).max() * 0.5, run)


@sound("motorcycle")
def motorcycle(d: Dice) -> Array:
    n = length(d.between(2, 4.5))
    rev = curve(n, *[(k / 5, d.between(0.8, 2.6)) for k in range(6)])
    out = exhaust(d, d.between(45, 110) * rev, d.between(350, 1100), 0.05)
    return driven(out + above(noise(d, n), 1500) * 0.03, d.between(2, 8))


@sound("race car")
def race_car(d: Dice) -> Array:
    n = length(d.between(1.8, 4))
    place = d.between(0.35, 0.65)
    bend = d.between(0.6, 0.8)
    pitch = d.between(200, 420) * curve(n, (0, 1), (place - 0.08, 0.98), (place + 0.08, bend), (1, bend * 0.95))
    near = np.exp(-(((np.linspace(0, 1, n) - place) / d.between(0.12, 0.3)) ** 2))
    return driven(buzz(n, pitch * drift(d, n, 20, 0.98, 1.02), 0.4, 24) + 0.4 * noise(d, n), 2) * (0.05 + near)


@sound("car horn")
def car_horn(d: Dice) -> Array:
    low = d.between(300, 520)
    tilt = d.between(0.3, 1.0)

    def honk(long: float) -> Array:
        n = length(long)
        return (buzz(n, low, tilt, 20) + buzz(n, low * d.pick([1.19, 1.25, 1.26, 1.33]), tilt, 20)) * fade(
            n, 0.01, 0.03
        )

    rhythm = d.pick([(1.0,), (0.2, 0.2), (0.15, 0.7), (0.4, 0.4), (0.12, 0.12, 0.12), (1.5,)])
    return joined(*[part for long in rhythm for part in (honk(long * d.between(0.8, 1.3)), rest(d.between(0.06, 0.2)))])


@sound("train")
def train_on_rails(d: Dice) -> Array:
    n = length(d.between(3, 6))
    gap = d.between(0.55, 1.3)
    between = d.between(0.1, 0.2)

    def wheels() -> Array:
        out = rest(0.5)
        for start in (0.0, between):
            m = length(0.18)
            clack = struck(d, m, [d.between(150, 260), 700, 1900], [0.12, 0.06, 0.04], [1, 0.5, 0.3])
            put(out, clack + noise(d, m) * decay(m, 0.05) * 0.4, start)
        return out

    rumble = below(noise(d, n, 1.2), d.between(250, 900)) * d.between(0.1, 0.35)
    return repeated(d, n, gap, wheels, 0.02) + rumble


@sound("train")
def steam_train(d: Dice) -> Array:
    n = length(d.between(2.5, 5))
    first = d.between(0.22, 0.5)

    def chuff() -> Array:
        m = length(first * 0.8)
        return band(noise(d, m, 0.5), 250, d.between(2500, 5000)) * decay(m, first, 0.03)

    return repeated(d, n, first, chuff, 0.02) + below(noise(d, n, 1), 400) * 0.2


@sound("train whistle")
def train_whistle(d: Dice) -> Array:
    base = d.between(320, 750)
    chord = d.pick([(1, 1.2, 1.5), (1, 1.25, 1.5, 1.68), (1, 1.19, 1.41), (1, 1.33), (1,)])

    def toot(long: float) -> Array:
        n = length(long)
        bend = curve(n, (0, 0.93), (0.1, 1), (0.9, 1), (1, 0.94))
        tones = sum((mixture(n, base * r * bend, (1, 0.4, 0.25, 0.1)) for r in chord), np.zeros(n))
        return (tones + band(noise(d, n), 600, 5000) * d.between(0.1, 0.6)) * fade(n, 0.06, 0.12)

    rhythm = d.pick([(1.6,), (0.8, 0.8), (0.4, 1.2), (1.0, 1.0, 0.3, 1.3)])
    return joined(*[part for long in rhythm for part in (toot(long * d.between(0.8, 1.2)), rest(0.12))])


@sound("airplane")
def jet_flying_over(d: Dice) -> Array:
    n = length(d.between(3, 6))
    place = d.between(0.3, 0.7)
    near = np.exp(-(((np.linspace(0, 1, n) - place) / d.between(0.2, 0.5)) ** 2)) + 0.03
    whine = sine(n, d.between(1800, 3800) * curve(n, (0, 1.1), (place, 1), (1, 0.75)))
    roar = below(noise(d, n, 0.8), d.between(900, 3000))
    return (roar + d.between(0.02, 0.25) * whine) * near


@sound("airplane")
def propeller_plane(d: Dice) -> Array:
    n = length(d.between(2.5, 5))
    pitch = d.between(60, 130)
    two = buzz(n, pitch * drift(d, n, 1, 0.98, 1.02), 0.5, 30) + buzz(n, pitch * d.between(1.01, 1.04), 0.5, 30)
    return below(two, d.between(700, 2500)) * drift(d, n, 0.7, 0.4, 1) + noise(d, n, 1) * 0.25


@sound("helicopter")
def helicopter_blades(d: Dice) -> Array:
    n = length(d.between(2, 5))
    rate = d.between(9, 24)
    turn = (clock(n) * rate) % 1
    chop = np.exp(-turn * d.between(3, 8)) * np.minimum(turn * 30, 1)
    near = drift(d, n, 0.6, 0.5, 1)
    return (
        below(noise(d, n, 1), d.between(500, 2500)) * chop
        + 0.3 * buzz(n, rate * 4, 0.6, 20) * chop
        + 0.08 * noise(d, n)
    ) * near


@sound("helicopter")
def helicopter_thumps(d: Dice) -> Array:
    n = length(d.between(2, 4))
    low = d.between(55, 140)

    def thump() -> Array:
        m = length(0.09)
        return (
            struck(d, m, [low, low * 2.2], [0.09, 0.05], [1, 0.5]) + band(noise(d, m), 300, 2000) * decay(m, 0.06) * 0.5
        )

    return repeated(d, n, 1 / d.between(9, 20), thump, 0.01) + sine(n, d.between(600, 1800)) * d.between(0, 0.1)


@sound("siren")
def siren_wailing(d: Dice) -> Array:
    n = length(d.between(2.5, 5.5))
    low = d.between(400, 800)
    if d.chance(0.35):
        pitch = low * (1 + d.between(0.5, 1.2) * ((clock(n) * d.between(2, 6)) % 1))
    else:
        pitch = wave(n, d.between(0.2, 5), low, low * d.between(1.5, 2.3), d.between(0, 6))
    return buzz(n, pitch, d.between(0.6, 2), 12) * drift(d, n, 0.5, 0.5, 1)


@sound("siren")
def siren_two_tone(d: Dice) -> Array:
    n = length(d.between(2.5, 5))
    low = d.between(380, 750)
    high = low * d.pick([1.19, 1.26, 1.33, 1.5])
    pitch = np.where((clock(n) * d.between(0.7, 2.2)) % 1 < 0.5, low, high)
    return square(n, pitch, d.between(0.8, 2)) + d.between(0, 0.5) * sine(n, pitch * 2)


@sound("bicycle bell")
def bicycle_bell(d: Dice) -> Array:
    f = d.between(1700, 3600)
    time = d.between(0.5, 1.4)

    def ring() -> Array:
        n = length(0.9)
        parts = [f, f * 1.006, f * 2.1, f * 2.9]
        return struck(d, n, parts, [time, time, time * 0.5, time * 0.3], [1, 0.8, 0.5, 0.4])

    out = rest(d.between(1.0, 2.2))
    gap = d.between(0.05, 0.13)
    for group in np.arange(0, len(out) / 16000 - 0.4, d.between(0.45, 0.8)):
        for k in range(d.whole(1, 4)):
            put(out, ring() * (0.9 if k % 2 else 0.7), group + k * gap)
    return out


@sound("ship horn")
def ship_horn(d: Dice) -> Array:
    n = length(d.between(1.6, 4))
    base = d.between(65, 190)
    tone = buzz(n, base, d.between(0.5, 1.1), 24)
    if d.chance(0.5):
        tone = tone + buzz(n, base * d.pick([1.25, 1.5, 1.01]), 0.8, 20)
    return below(tone, d.between(600, 2200)) * fade(n, 0.15, 0.4) + below(noise(d, n, 1), 600) * 0.05


@sound("reversing beep")
def reversing_truck(d: Dice) -> Array:
    n = length(d.between(2.5, 4.5))
    long = d.between(0.35, 0.6)
    on = (clock(n) / (2 * long)) % 1 < 0.5
    engine = exhaust(d, line(n, 28, 30) * d.between(0.8, 1.3), 250, 0.05)
    return square(n, d.between(950, 1500), 1.5) * on + engine * d.between(0.15, 0.7)


@sound("rocket")
def rocket_launch(d: Dice) -> Array:
    n = length(d.between(2.5, 5))
    roar = below(noise(d, n, 1), d.between(1200, 5000)) * curve(n, (0, 0.02), (0.2, 1), (0.6, 0.9), (1, 0.25))
    crackle = band(clicks(d, n, d.between(200, 700), 4), 200, 3000) * d.between(1, 6)
    return roar + crackle * curve(n, (0, 0), (0.2, 1), (1, 0.3))


@sound("brakes")
def brakes_screeching(d: Dice) -> Array:
    n = length(d.between(0.8, 2))
    pitch = d.between(900, 2300) * line(n, 1.1, 1, d.between(0.7, 0.95)) * (1 + 0.03 * drift(d, n, 40, -1, 1))
    return (buzz(n, pitch, 0.8, 6) + 0.4 * band(noise(d, n), 1000, 6000)) * fade(n, 0.05, 0.15)
