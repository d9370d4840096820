"""Animals with a voice that is sung or called: birds, wolves, cats, dogs, cattle, frogs.

Knows: how each is made of tones and formants. Does not know: rooms, captions; insects and steps are in small.py.
"""

from __future__ import annotations

import numpy as np

from .dice import Dice
from .kinds import sound
from .synth import (
    Array,
    band,
    below,
    buzz,
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
    modulated,
    noise,
    repeated,
    rest,
    sine,
    square,
)


def called(d: Dice, call: list[Array], gap: float) -> Array:
    """One call after the other, with pauses."""
    parts: list[Array] = []
    for part in call:
        parts += [part, rest(gap * d.between(0.7, 1.3))]
    return joined(*parts)


def throat(d: Dice, pitch: Array, peaks: list[float], rough: float, breath: float = 0.1) -> Array:
    """A voice: harmonics with rough jitter and breath through formants at `peaks`."""
    n = len(pitch)
    shaken = pitch * (1 + rough * drift(d, n, 60, -1, 1))
    source = buzz(n, shaken, d.between(0.6, 1.2), 30) + breath * noise(d, n)
    return formants(
        source, *[(p * d.between(0.9, 1.1), p * d.between(0.08, 0.2), 1 / (1 + k)) for k, p in enumerate(peaks)]
    )


@sound("dog")
def dog_bark(d: Dice) -> Array:
    size = d.between(0.6, 1.9)

    def bark() -> Array:
        n = length(d.between(0.09, 0.25))
        pitch = size * curve(n, (0, 280), (0.25, d.between(420, 620)), (1, 230))
        return driven(throat(d, pitch, [700 * size**0.5, 1500 * size**0.5, 2600], 0.1, 0.6), d.between(1, 4)) * fade(
            n, 0.012, 0.09
        )

    return called(d, [bark() for _ in range(d.whole(1, 5))], d.between(0.1, 0.5))


@sound("dog")
def dog_woof(d: Dice) -> Array:
    low = d.between(110, 420)

    def woof() -> Array:
        n = length(d.between(0.12, 0.3))
        tone = square(n, curve(n, (0, low), (0.2, low * 1.8), (1, low * 0.8)), 0.8) + noise(d, n, 0.5) * d.between(
            0.5, 1.5
        )
        return band(tone, d.between(250, 500), d.between(1300, 2800)) * decay(n, n / 16000 * 1.3, 0.012)

    return called(d, [woof() for _ in range(d.whole(1, 4))], d.between(0.12, 0.6))


@sound("cat")
def cat_meow(d: Dice) -> Array:
    def meow() -> Array:
        n = length(d.between(0.45, 1.2))
        top = d.between(500, 950)
        pitch = curve(n, (0, top * 0.65), (d.between(0.2, 0.5), top), (1, top * d.between(0.5, 0.8)))
        source = buzz(n, pitch, d.between(0.5, 1.0)) + 0.05 * noise(d, n)
        closed, opened = (
            formants(source, (500, 150, 1), (2300, 300, 0.3)),
            formants(source, (1100, 250, 1), (1900, 300, 0.7)),
        )
        mouth = curve(n, (0, 0), (0.35, 1), (0.7, 0.8), (1, 0))
        return (closed * (1 - mouth) + opened * mouth) * fade(n, 0.08, 0.2)

    return called(d, [meow() for _ in range(d.whole(1, 3))], d.between(0.2, 0.8))


@sound("cat")
def cat_mew(d: Dice) -> Array:
    n = length(d.between(0.3, 0.9))
    base = d.between(450, 1100)
    pitch = base * curve(n, (0, 0.8), (0.3, 1.15), (0.8, 1), (1, 0.6))
    tone = modulated(n, pitch, 1, curve(n, (0, 0.5), (0.4, 3), (1, 0.7))) + 0.4 * sine(n, pitch * 2)
    return called(d, [tone * fade(n, 0.06, 0.15)] * d.whole(1, 3), d.between(0.2, 0.7))


@sound("rooster")
def rooster_crow(d: Dice) -> Array:
    high = d.between(600, 1100)
    parts = []
    for long, shape in (
        (0.16, (0.7, 0.85)),
        (0.13, (0.75, 0.95)),
        (0.28, (0.95, 1.1)),
        (d.between(0.5, 1.1), (1.2, 1.15, 0.6)),
    ):
        n = length(long * d.between(0.8, 1.25))
        pitch = high * line(n, *shape)
        parts += [throat(d, pitch, [1100, 2100, 3400], 0.05, 0.2) * fade(n, 0.02, 0.06), rest(d.between(0.01, 0.07))]
    return joined(*parts)


@sound("rooster")
def rooster_call(d: Dice) -> Array:
    n = length(d.between(1.1, 2.0))
    pitch = d.between(500, 900) * curve(
        n, (0, 0.8), (0.12, 1.1), (0.2, 0.9), (0.3, 1.2), (0.38, 1.0), (0.5, 1.5), (0.8, 1.4), (1, 0.8)
    )
    holes = np.where(np.isin((clock(n) / clock(n)[-1] * 50).astype(int), (7, 8, 15, 16, 20)), 0.1, 1.0)
    return driven(buzz(n, pitch, 0.5, 10) * holes * fade(n, 0.03, 0.25) + 0.05 * noise(d, n), 2)


@sound("cow")
def cow_moo(d: Dice) -> Array:
    n = length(d.between(1.0, 2.4))
    pitch = d.between(90, 190) * curve(n, (0, 0.8), (0.25, 1.1), (0.7, 1.05), (1, 0.75))
    return throat(d, pitch, [d.between(280, 420), 750, 2000], 0.03, 0.15) * fade(n, 0.2, 0.35)


@sound("cow")
def cow_low(d: Dice) -> Array:
    n = length(d.between(0.9, 2.2))
    pitch = d.between(100, 220) * curve(n, (0, 0.75), (0.5, 1.0), (1, 0.8))
    return below(buzz(n, pitch, 0.8), d.between(500, 1100), 3) * fade(n, 0.15, 0.3) * drift(d, n, 20, 0.8, 1)


@sound("sheep")
def sheep_bleat(d: Dice) -> Array:
    n = length(d.between(0.5, 1.3))
    rate = d.between(6, 13)
    flutter = np.sin(2 * np.pi * rate * clock(n))
    pitch = d.between(220, 480) * (1 + d.between(0.03, 0.1) * flutter) * line(n, 1.05, 1, 0.9)
    bleat = throat(d, pitch, [d.between(650, 950), 1700, 2700], 0.03) * (0.65 + 0.35 * flutter) * fade(n, 0.05, 0.12)
    return called(d, [bleat] * d.whole(1, 3), d.between(0.3, 0.8))


@sound("bird")
def bird_song(d: Dice) -> Array:
    centre = d.between(2300, 5200)
    parts = []
    for _ in range(d.whole(2, 5)):
        n = length(d.between(0.05, 0.22))
        shape = centre * np.clip(line(n, *(d.between(0.7, 1.35) for _ in range(d.whole(2, 4)))), 0.5, 1.45)
        tone = sine(n, shape) * fade(n, 0.01, 0.03)
        for _ in range(d.whole(1, 4)):
            parts += [tone, rest(d.between(0.02, 0.12))]
        parts.append(rest(d.between(0.02, 0.25)))
    return joined(*parts)


@sound("bird")
def bird_trill(d: Dice) -> Array:
    n = length(d.between(0.8, 2.5))
    rate = d.between(8, 28)
    pitch = (
        d.between(2500, 5000)
        * (1 + d.between(0.05, 0.3) * np.sin(2 * np.pi * rate * clock(n)))
        * line(n, 1, d.between(0.85, 1.15))
    )
    gate = np.clip(np.sin(2 * np.pi * rate * clock(n) + 1) + d.between(-0.2, 0.7), 0, 1)
    return sine(n, pitch) * gate * fade(n, 0.05, 0.1)


@sound("owl")
def owl_hoot(d: Dice) -> Array:
    base = d.between(280, 560)

    def hoot(long: float) -> Array:
        n = length(long)
        tone = sine(n, base * curve(n, (0, 0.92), (0.2, 1), (1, 0.94))) + d.between(0, 0.2) * sine(n, base * 2)
        return (tone + below(noise(d, n), 900) * d.between(0.01, 0.1)) * fade(n, 0.05, 0.12)

    rhythm = d.pick([(0.35, 0.8), (0.2, 0.2, 0.6), (0.5,), (0.3, 0.15, 0.15, 0.5), (0.5, 0.5)])
    return called(d, [hoot(long * d.between(0.8, 1.3)) for long in rhythm], d.between(0.12, 0.4))


@sound("frog")
def frog_croak(d: Dice) -> Array:
    n = length(d.between(0.2, 0.6))
    pulses = np.clip(np.sin(2 * np.pi * d.between(18, 55) * clock(n)), 0, 1) ** 2
    croak = (
        formants(buzz(n, d.between(80, 200), 0.5), (d.between(400, 900), 90, 1), (1500, 200, 0.5))
        * pulses
        * fade(n, 0.04, 0.06)
    )
    return called(d, [croak] * d.whole(1, 5), d.between(0.15, 0.6))


@sound("frog")
def frog_ribbit(d: Dice) -> Array:
    def syllable(long: float, pitch: float) -> Array:
        n = length(long)
        rough = 0.5 + 0.5 * np.sign(np.sin(2 * np.pi * d.between(35, 70) * clock(n)))
        return band(square(n, line(n, pitch, pitch * 1.35)) * rough, 350, 2400) * fade(n, 0.02, 0.04)

    low = d.between(120, 300)
    return called(d, [syllable(0.13, low), syllable(0.2, low * 1.25)] * d.whole(1, 4), d.between(0.05, 0.25))


@sound("wolf")
def wolf_howl(d: Dice) -> Array:
    n = length(d.between(2, 4))
    top = d.between(380, 800)
    pitch = curve(n, (0, top * 0.5), (d.between(0.1, 0.25), top), (0.7, top * d.between(0.85, 1)), (1, top * 0.55))
    pitch = pitch * (1 + 0.012 * np.sin(2 * np.pi * d.between(3, 6) * clock(n)))
    howl = (buzz(n, pitch, d.between(1.4, 2.4), 6) + 0.03 * noise(d, n, 1)) * fade(n, 0.3, 0.7)
    if d.chance(0.3):
        howl = howl + 0.5 * np.roll(howl, length(0.7))
    return howl


@sound("duck")
def duck_quack(d: Dice) -> Array:
    base = d.between(180, 420)

    def quack() -> Array:
        n = length(d.between(0.1, 0.22))
        return throat(d, base * line(n, 1.1, 0.85), [1100, 1500, 2700], 0.08, 0.3) * fade(n, 0.01, 0.07)

    return called(d, [quack() for _ in range(d.whole(2, 6))], d.between(0.06, 0.2))


@sound("pig")
def pig_oink(d: Dice) -> Array:
    def oink() -> Array:
        n = length(d.between(0.15, 0.4))
        rough = 0.5 + 0.5 * np.sign(np.sin(2 * np.pi * d.between(28, 60) * clock(n) + drift(d, n, 30, 0, 4)))
        snort = formants(noise(d, n), (d.between(450, 800), 200, 1), (1500, 400, 0.6)) * rough
        return (snort + 0.5 * throat(d, d.between(120, 260) * line(n, 0.8, 1.3, 1), [600, 1300], 0.1)) * fade(
            n, 0.03, 0.08
        )

    return called(d, [oink() for _ in range(d.whole(2, 5))], d.between(0.1, 0.35))


@sound("elephant")
def elephant_trumpet(d: Dice) -> Array:
    n = length(d.between(0.8, 1.9))
    pitch = d.between(320, 620) * curve(n, (0, 0.7), (0.15, 1.1), (0.5, 1.25), (0.8, 1.1), (1, 0.7))
    pitch = pitch * (1 + 0.05 * drift(d, n, 40, -1, 1))
    return band(driven(buzz(n, pitch, 0.3, 20) + 0.8 * noise(d, n), 3), 400, 4500) * fade(n, 0.08, 0.25)


@sound("lion")
def lion_roar(d: Dice) -> Array:
    n = length(d.between(1.2, 3))
    pitch = d.between(55, 130) * curve(n, (0, 0.8), (0.3, 1.4), (1, 0.6))
    rough = 0.6 + 0.4 * np.sin(2 * np.pi * d.between(18, 35) * clock(n) + drift(d, n, 20, 0, 5))
    return driven(throat(d, pitch, [320, 700, 1300], 0.2, 1.2) * rough, 2) * fade(n, 0.2, 0.7)


@sound("crow")
def crow_caw(d: Dice) -> Array:
    base = d.between(350, 620)

    def caw() -> Array:
        n = length(d.between(0.2, 0.45))
        return driven(throat(d, base * line(n, 0.95, 1.1, 0.85), [1300, 1800, 3000], 0.25, 0.8), 2) * fade(n, 0.03, 0.1)

    return called(d, [caw() for _ in range(d.whole(1, 4))], d.between(0.15, 0.5))


@sound("cuckoo")
def cuckoo_call(d: Dice) -> Array:
    high = d.between(550, 900)
    call = []
    for pitch, long in ((high, 0.16), (high / d.pick([1.19, 1.26, 1.26, 1.33]), 0.3)):
        n = length(long * d.between(0.8, 1.4))
        call.append((sine(n, pitch) + d.between(0, 0.2) * sine(n, pitch * 2)) * fade(n, 0.03, 0.08))
    return called(d, call * d.whole(1, 4), d.between(0.08, 0.35))


@sound("chicken")
def hen_cluck(d: Dice) -> Array:
    n = length(d.between(1.5, 3.5))
    base = d.between(350, 750)

    def cluck() -> Array:
        m = length(d.between(0.05, 0.12))
        return throat(d, base * d.between(0.9, 1.2) * line(m, 1.2, 0.8), [900, 1900, 2900], 0.06, 0.3) * fade(
            m, 0.008, 0.04
        )

    return repeated(d, n, d.between(0.16, 0.4), cluck, 0.3)
