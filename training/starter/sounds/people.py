"""People and crowds without words, and loud bangs: steps, applause, laughter, heartbeat, snoring, shots.

Knows: bodies, breath, bursts. Does not know: speech (speech.py), rooms, captions.
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
    formants,
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
    struck,
)


def voiced(d: Dice, pitch: Array, vowel: tuple[float, float, float], breath: float) -> Array:
    """A human vowel."""
    n = len(pitch)
    source = buzz(n, pitch * drift(d, n, 30, 0.985, 1.015), 0.9, 30) + breath * noise(d, n)
    return formants(source, (vowel[0], 90, 1), (vowel[1], 130, 0.6), (vowel[2], 200, 0.3))


@sound("heartbeat")
def heartbeat(d: Dice) -> Array:
    n = length(d.between(2.5, 5))
    low, split = d.between(35, 85), d.between(0.22, 0.36)

    def beat() -> Array:
        out = rest(0.7)
        for start, loud, f in ((0.0, 1.0, low), (split, d.between(0.5, 0.9), low * 1.25)):
            m = length(0.2)
            thud = sine(m, f * line(m, 1.3, 0.8)) + 0.3 * below(noise(d, m, 1), 180)
            put(out, thud * decay(m, d.between(0.12, 0.22), 0.012) * loud, start)
        return out

    return repeated(d, n, d.between(0.55, 1.15), beat, 0.02)


@sound("applause")
def applause_of_claps(d: Dice) -> Array:
    n = length(d.between(2, 5))

    def clap() -> Array:
        m = length(0.04)
        f = d.between(700, 2600)
        return resonance(noise(d, m) * decay(m, 0.02), f, f * 0.5)

    return scattered(d, n, d.between(60, 260), clap) * curve(
        n, (0, d.between(0.2, 1)), (0.3, 1), (1, d.between(0.2, 1))
    )


@sound("applause")
def applause_of_noise(d: Dice) -> Array:
    n = length(d.between(2, 4))
    grains = clicks(d, n, d.between(300, 1500), 1.5)
    return band(grains, d.between(500, 1000), d.between(3000, 6000)) + 0.01 * band(noise(d, n), 700, 3000)


@sound("clapping")
def one_person_clapping(d: Dice) -> Array:
    n = length(d.between(1.2, 3))
    f = d.between(900, 2300)

    def clap() -> Array:
        m = length(0.1)
        return resonance(noise(d, m) * decay(m, d.between(0.02, 0.05)), f * d.between(0.9, 1.1), f * 0.6)

    return repeated(d, n, d.between(0.2, 0.5), clap, 0.04)


@sound("laughter")
def laughing(d: Dice) -> Array:
    base = d.between(120, 420)
    vowel = d.pick([(750, 1250, 2500), (550, 1850, 2600), (450, 900, 2400)])
    count = d.whole(4, 9)
    parts = []
    for k in range(count):
        n = length(d.between(0.09, 0.16))
        pitch = base * (1.25 - 0.4 * k / count) * line(n, 1.1, 0.9)
        puff = above(noise(d, n), 1200) * curve(n, (0, 1), (0.4, 0), (1, 0)) * 0.8
        parts += [(voiced(d, pitch, vowel, 0.2) * fade(n, 0.02, 0.05) + puff), rest(d.between(0.05, 0.11))]
    return joined(*parts)


@sound("footsteps")
def footsteps_hard(d: Dice) -> Array:
    heel = d.between(150, 700)

    def step() -> Array:
        out = rest(0.3)
        m = length(0.12)
        put(
            out,
            struck(d, m, [heel, heel * 2.3], [0.08, 0.04], [1, 0.4])
            + band(noise(d, m), 500, 4000) * decay(m, 0.04) * 0.6,
            0.0,
        )
        put(out, band(noise(d, m), 800, 5000) * decay(m, 0.05) * d.between(0.05, 0.4), d.between(0.06, 0.12))
        return out

    return repeated(d, length(d.between(2, 4.5)), d.between(0.38, 0.75), step, 0.04)


@sound("footsteps")
def footsteps_gravel(d: Dice) -> Array:
    def step() -> Array:
        m = length(d.between(0.16, 0.3))
        return above(clicks(d, m, d.between(600, 2500), 3), d.between(600, 1800)) * curve(m, (0, 0.3), (0.3, 1), (1, 0))

    return repeated(d, length(d.between(2, 4)), d.between(0.4, 0.75), step, 0.05)


@sound("whistle")
def person_whistling(d: Dice) -> Array:
    n = length(d.between(0.6, 2.2))
    base = d.between(900, 2200)
    pitch = (
        base
        * curve(n, *[(k / 4, d.between(0.8, 1.5)) for k in range(5)])
        * (1 + 0.01 * np.sin(2 * np.pi * 5.5 * clock(n)))
    )
    return (sine(n, pitch) + 0.04 * band(noise(d, n), 800, 5000)) * fade(n, 0.05, 0.1)


@sound("whistle")
def referee_whistle(d: Dice) -> Array:
    def blow(long: float) -> Array:
        n = length(long)
        trill = 1 + 0.05 * np.sign(np.sin(2 * np.pi * rate * clock(n)))
        tones = sine(n, f * trill) + 0.7 * sine(n, f * 1.08 * trill)
        return (tones * (0.6 + 0.4 * np.sin(2 * np.pi * rate * clock(n))) + 0.15 * noise(d, n)) * fade(n, 0.02, 0.04)

    f, rate = d.between(2100, 3800), d.between(18, 45)
    return joined(
        *[part for long in d.pick([(0.8,), (0.2, 0.6), (0.25, 0.25, 0.8), (1.5,)]) for part in (blow(long), rest(0.08))]
    )


@sound("snoring")
def snoring(d: Dice) -> Array:
    rate = d.between(18, 50)

    def breath() -> Array:
        n = length(d.between(0.8, 1.4))
        flutter = np.clip(np.sin(2 * np.pi * np.cumsum(rate * drift(d, n, 6, 0.85, 1.15)) / 16000), 0, 1) ** 2
        snort = formants(noise(d, n, 1) + 2 * flutter, (d.between(180, 350), 80, 1), (900, 250, 0.4)) * (0.2 + flutter)
        out = snort * fade(n, 0.25, 0.25)
        m = length(d.between(0.5, 0.9))
        return joined(out, rest(0.15), band(noise(d, m), 500, 3000) * fade(m, 0.2, 0.3) * d.between(0.02, 0.2))

    return joined(breath(), rest(d.between(0.1, 0.4)), breath())


@sound("gunshot")
def gunshot(d: Dice) -> Array:
    def shot() -> Array:
        n = length(d.between(0.5, 1.2))
        blast = noise(d, n) * decay(n, d.between(0.06, 0.2), 0.0005)
        boom = below(noise(d, n, 1), d.between(200, 700)) * decay(n, d.between(0.3, 0.9))
        return driven(blast + boom * d.between(0.3, 1), d.between(2, 6))

    return joined(*[shot()[: length(d.between(0.15, 1.2))] for _ in range(d.whole(1, 4))])


@sound("explosion")
def explosion(d: Dice) -> Array:
    n = length(d.between(1.5, 4))
    low = below(noise(d, n, 1.3), d.between(150, 600)) * decay(n, d.between(1.5, 4), d.between(0.003, 0.03))
    return (
        driven(low, d.between(1.5, 5))
        + noise(d, n) * decay(n, d.between(0.1, 0.5)) * 0.5
        + band(clicks(d, n, 60, 3), 300, 4000) * decay(n, 3)
    )


@sound("fireworks")
def fireworks(d: Dice) -> Array:
    n = length(d.between(2.5, 5))
    out = np.zeros(n)
    for start in np.arange(0, n / 16000 - 1, d.between(0.7, 1.8)):
        m = length(d.between(0.4, 0.9))
        rise = sine(m, line(m, d.between(900, 1800), d.between(1800, 4200))) * fade(m, 0.1, 0.05) * d.between(0, 0.35)
        put(out, rise, start)
        burst = length(0.5)
        put(out, below(noise(d, burst), d.between(700, 2500)) * decay(burst, d.between(0.2, 0.5)), start + m / 16000)
        k = length(1.2)
        put(
            out,
            above(clicks(d, k, d.between(60, 250), 2), 2000) * decay(k, 1.8, 0.1) * d.between(0.5, 2),
            start + m / 16000 + 0.1,
        )
    return out


@sound("cough")
def cough(d: Dice) -> Array:
    base = d.between(110, 300)

    def one() -> Array:
        n = length(d.between(0.18, 0.38))
        hack = voiced(d, base * line(n, 1.2, 0.8), (650, 1300, 2600), 2.5)
        return hack * curve(n, (0, 0), (0.05, 1), (0.35, 0.5), (1, 0))

    return joined(*[part for _ in range(d.whole(1, 3)) for part in (one(), rest(d.between(0.08, 0.3)))])


@sound("sneeze")
def sneeze(d: Dice) -> Array:
    n, m = length(d.between(0.3, 0.7)), length(d.between(0.25, 0.5))
    gasp = voiced(d, d.between(180, 420) * line(n, 0.8, 1.3), (700, 1200, 2500), 1.0) * line(n, 0, 0.5)
    burst = above(noise(d, m), d.between(1500, 3000)) * curve(m, (0, 0), (0.06, 1), (0.4, 0.5), (1, 0))
    tail = voiced(d, d.between(180, 400) * line(m, 1.3, 0.7), (400, 900, 2300), 0.3) * curve(
        m, (0, 0), (0.3, 0.5), (1, 0)
    )
    return joined(
        gasp / np.abs(gasp).max() * 0.5, rest(0.05), burst / np.abs(burst).max() + tail / np.abs(tail).max() * 0.5
    )


@sound("baby crying")
def baby_crying(d: Dice) -> Array:
    base = d.between(350, 600)

    def wail() -> Array:
        n = length(d.between(0.6, 1.3))
        pitch = (
            base * curve(n, (0, 0.8), (0.2, 1.2), (0.7, 1.1), (1, 0.75)) * (1 + 0.02 * np.sin(2 * np.pi * 6 * clock(n)))
        )
        return driven(voiced(d, pitch, (950, 1500, 3200), 0.15), 1.5) * fade(n, 0.08, 0.15)

    return joined(*[part for _ in range(d.whole(1, 3)) for part in (wail(), rest(d.between(0.15, 0.35)))])


@sound("breathing")
def breathing(d: Dice) -> Array:
    parts = []
    for _ in range(2):
        for edge, long in ((d.between(1200, 2500), d.between(0.6, 1.1)), (d.between(500, 1200), d.between(0.7, 1.3))):
            n = length(long)
            parts += [
                band(noise(d, n), edge * 0.6, edge * 2.5) * np.sin(np.pi * np.linspace(0, 1, n)) ** 1.5,
                rest(d.between(0.05, 0.3)),
            ]
    return joined(*parts)


@sound("crowd")
def crowd_talking(d: Dice) -> Array:
    n = length(d.between(2, 4))
    out = band(noise(d, n, 1), 200, 2500) * 0.4
    for _ in range(d.whole(5, 10)):
        pitch = d.between(90, 260) * drift(d, n, 3, 0.8, 1.3)
        syllables = np.clip(drift(d, n, d.between(4, 9), -0.5, 1), 0, 1)
        out += voiced(d, pitch, (d.between(400, 800), d.between(900, 2000), 2600), 0.3) * syllables * d.between(0.2, 1)
    return out


@sound("scream")
def scream(d: Dice) -> Array:
    n = length(d.between(0.7, 1.8))
    pitch = (
        d.between(600, 1300)
        * curve(n, (0, 0.7), (0.15, 1.1), (0.7, 1.05), (1, 0.8))
        * (1 + 0.03 * drift(d, n, 40, -1, 1))
    )
    return driven(voiced(d, pitch, (1100, 1900, 3300), 0.8), 3) * fade(n, 0.05, 0.2)
