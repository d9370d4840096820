"""Animals that buzz, chirp, step or hiss: crickets, bees, mosquitoes, horses, snakes, woodpeckers.

Knows: pulses, wings, hooves. Does not know: voices of larger animals (animals.py), rooms, captions.
"""

from __future__ import annotations

import numpy as np

from .dice import Dice
from .kinds import sound
from .synth import (
    Array,
    above,
    band,
    buzz,
    clicks,
    clock,
    decay,
    drift,
    fade,
    length,
    modulated,
    noise,
    put,
    repeated,
    resonance,
    rest,
    sine,
    struck,
)


@sound("cricket")
def cricket_chirp(d: Dice) -> Array:
    n = length(d.between(1.5, 4))
    pitch, rate = d.between(3200, 5600), d.between(22, 60)
    pulses = d.whole(2, 6)

    def chirp() -> Array:
        m = length(pulses / rate)
        gate = np.clip(np.sin(2 * np.pi * rate * clock(m)), 0, 1) ** 0.7
        return sine(m, pitch * d.between(0.99, 1.01)) * gate

    return repeated(d, n, pulses / rate + d.between(0.05, 0.7), chirp, 0.05)


@sound("cricket")
def crickets_at_night(d: Dice) -> Array:
    n = length(d.between(2, 4))
    out = noise(d, n) * 0.004
    for _ in range(d.whole(1, 4)):
        rate = d.between(2, 5)
        slow = np.clip(np.sin(2 * np.pi * rate * clock(n) + d.between(0, 6)) + d.between(-0.2, 0.4), 0, 1)
        fast = np.clip(np.sin(2 * np.pi * d.between(25, 50) * clock(n)), 0, 1)
        out += band(noise(d, n), *((p := d.between(3500, 5500)) * 0.985, p * 1.015)) * slow * fast * d.between(0.3, 1)
    return out


@sound("bee")
def bee_buzz(d: Dice) -> Array:
    n = length(d.between(1.5, 4))
    pitch = d.between(140, 280) * (1 + 0.15 * drift(d, n, d.between(1, 6), -1, 1) + 0.03 * drift(d, n, 25, -1, 1))
    near = drift(d, n, d.between(0.7, 3), 0.15, 1)
    return (buzz(n, pitch, d.between(0.4, 1.0), 30) + 0.15 * noise(d, n)) * near


@sound("bee")
def bees_swarming(d: Dice) -> Array:
    n = length(d.between(2, 4))
    out = np.zeros(n)
    for _ in range(d.whole(3, 8)):
        pitch = d.between(160, 270) * (1 + 0.1 * drift(d, n, 3, -1, 1))
        out += buzz(n, pitch, 0.7, 20) * drift(d, n, 2, 0.1, 1)
    return band(out, 150, d.between(2500, 6000))


@sound("mosquito")
def mosquito_whine(d: Dice) -> Array:
    n = length(d.between(1.5, 4))
    pitch = d.between(450, 850) * (1 + 0.12 * drift(d, n, d.between(1, 4), -1, 1))
    return buzz(n, pitch, d.between(0.8, 1.5), 10) * drift(d, n, 1.5, 0.1, 1)


@sound("horse")
def horse_gallop(d: Dice) -> Array:
    n = length(d.between(2, 4.5))
    stride = d.between(0.36, 0.62)
    low = d.between(180, 520)

    def hoof() -> Array:
        m = length(0.12)
        knock = struck(d, m, [low, low * 1.9, low * 3.1], [0.09, 0.05, 0.03], [1, 0.6, 0.3])
        return knock + band(noise(d, m), 300, 2500) * decay(m, 0.05) * d.between(0.1, 0.5)

    out = np.zeros(n)
    for start in np.arange(0, n / 16000, stride):
        for beat, loud in ((0, 0.7), (0.2, 0.8), (0.4, 1.0)):
            put(out, hoof() * loud, start + stride * (beat + 0.015 * d.rng.standard_normal()))
    return out


@sound("horse")
def horse_trot(d: Dice) -> Array:
    n = length(d.between(2, 4))
    shells = d.between(700, 1500)

    def hoof() -> Array:
        m = length(0.08)
        return resonance(clicks(d, m, 300) * decay(m, 0.02), shells * d.between(0.85, 1.15), d.between(80, 250))

    return repeated(d, n, d.between(0.18, 0.3), hoof, 0.06)


@sound("horse neigh")
def horse_neigh(d: Dice) -> Array:
    n = length(d.between(1.1, 2.2))
    t = clock(n)
    pitch = d.between(700, 1300) * np.linspace(1.2, 0.45, n) * (1 + 0.08 * np.sin(2 * np.pi * d.between(8, 14) * t))
    gate = 0.7 + 0.3 * np.sin(2 * np.pi * d.between(8, 14) * t)
    return (buzz(n, pitch, 0.7, 12) + 0.3 * band(noise(d, n), 800, 4000)) * gate * fade(n, 0.06, 0.5)


@sound("snake")
def snake_hiss(d: Dice) -> Array:
    n = length(d.between(0.8, 2.2))
    return above(noise(d, n), d.between(2500, 5000)) * fade(n, d.between(0.1, 0.4), d.between(0.2, 0.6))


@sound("snake")
def rattlesnake(d: Dice) -> Array:
    n = length(d.between(1, 2.5))
    rate = d.between(28, 70)
    gate = np.clip(np.sin(2 * np.pi * rate * clock(n)), 0, 1) ** 3
    return above(noise(d, n), d.between(2500, 4500)) * gate * fade(n, 0.2, 0.3)


@sound("woodpecker")
def woodpecker_drum(d: Dice) -> Array:
    wood = d.between(600, 1700)
    rate = d.between(14, 28)

    def drumming() -> Array:
        n = length(d.between(0.5, 1.1))

        def peck() -> Array:
            m = length(0.05)
            return struck(d, m, [wood, wood * 1.7, wood * 2.6], [0.04, 0.025, 0.02], [1, 0.5, 0.3])

        return repeated(d, n, 1 / rate, peck, 0.03)

    return np.concatenate([drumming(), rest(d.between(0.3, 0.8)), drumming()])


@sound("seagull")
def seagull_cry(d: Dice) -> Array:
    n = length(d.between(1.5, 3.5))
    high = d.between(900, 1600)

    def cry() -> Array:
        m = length(d.between(0.25, 0.55))
        bend = np.interp(np.linspace(0, 1, m), [0, 0.25, 1], [0.75, 1.15, 0.8])
        return modulated(m, high * bend, 1, 1.8) * fade(m, 0.04, 0.15) + 0.05 * noise(d, m) * fade(m, 0.04, 0.15)

    return repeated(d, n, d.between(0.4, 0.8), cry, 0.15)


@sound("monkey")
def monkey_call(d: Dice) -> Array:
    n = length(d.between(1.4, 3))
    base = d.between(350, 700)

    def hoo() -> Array:
        m = length(d.between(0.09, 0.2))
        up = np.interp(np.linspace(0, 1, m), [0, 0.6, 1], [0.8, 1.6, 1.3])
        return buzz(m, base * up, 1.2, 8) * fade(m, 0.03, 0.05)

    return repeated(d, n, d.between(0.16, 0.32), hoo, 0.08) * np.linspace(0.5, 1, n)


@sound("donkey")
def donkey_bray(d: Dice) -> Array:
    n = length(d.between(1.6, 3))
    rate = d.between(1.2, 2.2)
    swing = 0.5 + 0.5 * np.sign(np.sin(2 * np.pi * rate * clock(n)))
    pitch = d.between(180, 320) * (1 + d.between(0.6, 1.2) * (1 - swing))
    return (buzz(n, pitch, 0.5, 20) * (0.4 + 0.6 * swing) + 0.6 * band(noise(d, n), 500, 3500)) * fade(n, 0.08, 0.3)
