"""Musical instruments, playing one note to a short phrase.

Knows: strings, pipes, reeds, skins, bars. Does not know: melodies that anybody wrote, rooms, captions.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .dice import Dice
from .kinds import sound
from .synth import (
    Array,
    above,
    band,
    below,
    buzz,
    clock,
    curve,
    decay,
    drift,
    fade,
    formants,
    length,
    line,
    mixture,
    modulated,
    noise,
    plucked,
    put,
    repeated,
    rest,
    sine,
    square,
    struck,
)

SCALES = ((0, 2, 4, 5, 7, 9, 11, 12), (0, 2, 3, 5, 7, 8, 10, 12), (0, 2, 4, 7, 9, 12), (0, 4, 7, 12), (0, 3, 7, 12))


def phrase(d: Dice, low: float, high: float, note: Callable[[float, float], Array], chords: float = 0.2) -> Array:
    """One to eight notes of a scale between low and high Hz, sometimes chords. note: (pitch, seconds) → samples."""
    scale = d.pick(SCALES)
    root = d.between(low, max(low * 1.1, high / 2))
    beat = d.between(0.14, 0.55)
    count = d.whole(1, 8)
    out = rest(count * beat + d.between(0.3, 0.9))
    place = d.whole(0, len(scale) - 1)
    for k in range(count):
        place = int(np.clip(place + d.whole(-2, 2), 0, len(scale) - 1))
        steps = [scale[place]] + ([scale[0] + 4, scale[0] + 7] if d.chance(chords) else [])
        long = beat * d.pick([0.9, 1.0, 1.5])
        for step in steps:
            put(out, note(root * 2 ** (step / 12), long) * d.between(0.6, 1), k * beat)
    return out


def held(d: Dice, low: float, high: float, tone: Callable[[Array], Array], attack: tuple[float, float]) -> Array:
    """A phrase of blown or bowed notes: vibrato, soft attack."""
    rise, depth, rate = d.between(*attack), d.between(0, 0.02), d.between(4, 7)

    def note(pitch: float, long: float) -> Array:
        n = length(long + 0.08)
        late = np.minimum(clock(n) / 0.3, 1)
        return tone(pitch * (1 + depth * late * np.sin(2 * np.pi * rate * clock(n)))) * fade(
            n, min(rise, long / 2), 0.07
        )

    return phrase(d, low, high, note, 0.0)


@sound("piano")
def piano_partials(d: Dice) -> Array:
    stiff, long_time, bright = d.between(0.0002, 0.001), d.between(1.5, 4), d.between(0.8, 1.6)

    def note(pitch: float, long: float) -> Array:
        ks = np.arange(1, 13)
        pitches = pitch * ks * np.sqrt(1 + stiff * ks**2)
        n = length(long + 0.6)
        times = long_time * (300 / pitch) ** 0.4 / ks**0.7
        hammer = below(noise(d, n), 1500) * decay(n, 0.03) * 0.1
        return struck(d, n, list(pitches), list(times), list(1 / ks**bright)) + hammer

    return phrase(d, 90, 1300, note, 0.35)


@sound("piano")
def piano_two_strings(d: Dice) -> Array:
    bright = d.between(1, 3)

    def note(pitch: float, long: float) -> Array:
        n = length(long + 0.5)
        tone = modulated(n, pitch, 1, bright * decay(n, 0.8)) + modulated(
            n, pitch * 1.002, 2, 0.6 * bright * decay(n, 0.5)
        )
        return tone * decay(n, d.between(1.2, 2.5), 0.003)

    return phrase(d, 120, 1000, note, 0.3)


@sound("guitar")
def guitar_plucked(d: Dice) -> Array:
    bright, lost = d.between(0.25, 0.9), d.between(0.002, 0.012)
    return phrase(d, 82, 660, lambda pitch, long: plucked(d, length(long + 0.6), pitch, bright, 1 - lost), 0.0)


@sound("guitar")
def guitar_strummed(d: Dice) -> Array:
    root = d.between(82, 165)
    chord = d.pick([(0, 7, 12, 16, 19, 24), (0, 7, 12, 15, 19, 24), (0, 5, 9, 12, 17)])
    spread = d.between(0.008, 0.03)
    gap = d.between(0.3, 0.8)
    out = rest(d.between(1.2, 2.6))
    bright, lost = d.between(0.3, 0.9), d.between(0.003, 0.015)
    for start in np.arange(0, len(out) / 16000 - 0.3, gap):
        for k, step in enumerate(chord):
            put(out, plucked(d, length(gap + 0.5), root * 2 ** (step / 12), bright, 1 - lost), start + k * spread)
    return out


@sound("electric guitar")
def electric_guitar(d: Dice) -> Array:
    gain = d.between(6, 40)

    def note(pitch: float, long: float) -> Array:
        n = length(long + 0.3)
        string = plucked(d, n, pitch, 0.6, 0.999) + plucked(d, n, pitch * 1.498, 0.6, 0.999)
        return below(np.tanh(gain * string), d.between(2500, 5000)) * fade(n, 0.002, 0.1)

    return phrase(d, 80, 320, note, 0.0)


@sound("bass guitar")
def bass_guitar(d: Dice) -> Array:
    bright = d.between(0.1, 0.4)
    return phrase(
        d, 40, 120, lambda pitch, long: below(plucked(d, length(long + 0.2), pitch, bright, 0.997), 1800), 0.0
    )


@sound("flute")
def flute(d: Dice) -> Array:
    second, breath = d.between(0.05, 0.4), d.between(0.02, 0.15)

    def tone(pitch: Array) -> Array:
        n = len(pitch)
        air = band(noise(d, n), pitch[0] * 0.9, pitch[0] * 2.5) * breath
        return mixture(n, pitch, (1, second, second / 3, 0.03)) + air

    return held(d, 350, 1800, tone, (0.03, 0.12))


@sound("violin")
def violin(d: Dice) -> Array:
    body = [
        (d.between(270, 320), 60, 0.6),
        (d.between(450, 560), 90, 0.8),
        (1100, 200, 0.5),
        (d.between(2200, 3200), 600, 0.8),
    ]

    def tone(pitch: Array) -> Array:
        n = len(pitch)
        bow = buzz(n, pitch * drift(d, n, 30, 0.997, 1.003), 0.9, 24) + 0.06 * noise(d, n)
        return formants(bow, *body) + 0.6 * bow

    return held(d, 196, 1500, tone, (0.06, 0.25))


@sound("cello")
def cello(d: Dice) -> Array:
    def tone(pitch: Array) -> Array:
        bow = buzz(len(pitch), pitch, 1.1, 30) + 0.05 * noise(d, len(pitch))
        return below(bow, d.between(1200, 3000)) + formants(bow, (250, 60, 0.5), (600, 120, 0.4))

    return held(d, 65, 280, tone, (0.08, 0.25))


@sound("trumpet")
def trumpet(d: Dice) -> Array:
    edge = d.between(1000, 2600)

    def tone(pitch: Array) -> Array:
        n = len(pitch)
        full = buzz(n, pitch * curve(n, (0, 0.97), (0.06, 1), (1, 1)), d.between(0.3, 0.8), 18)
        return below(full, edge) + band(full, edge, edge * 2) * curve(n, (0, 0), (0.15, 1), (1, 0.7))

    return held(d, 180, 1000, tone, (0.015, 0.06))


@sound("saxophone")
def saxophone(d: Dice) -> Array:
    def tone(pitch: Array) -> Array:
        n = len(pitch)
        reed = buzz(n, pitch * curve(n, (0, 0.95), (0.1, 1), (1, 1)), 0.7, 20) + 0.1 * noise(d, n)
        return formants(reed, (d.between(500, 800), 200, 1), (1400, 300, 0.6), (2500, 500, 0.3)) + reed * 0.3

    return held(d, 120, 700, tone, (0.03, 0.1))


@sound("clarinet")
def clarinet(d: Dice) -> Array:
    return held(d, 150, 1200, lambda pitch: square(len(pitch), pitch, d.between(1.1, 1.8)), (0.03, 0.1))


@sound("organ")
def church_organ(d: Dice) -> Array:
    stops = [d.between(0.2, 1) for _ in range(5)]

    def note(pitch: float, long: float) -> Array:
        n = length(long + 0.25)
        tone = sum((s * mixture(n, pitch * m, (1, 0.3, 0.15)) for s, m in zip(stops, (0.5, 1, 2, 3, 4))), np.zeros(n))
        return tone * fade(n, 0.04, 0.08)

    return phrase(d, 130, 700, note, 0.6)


@sound("accordion")
def accordion(d: Dice) -> Array:
    beat = d.between(1.003, 1.012)

    def note(pitch: float, long: float) -> Array:
        n = length(long + 0.15)
        return (buzz(n, pitch, 0.7, 24) + buzz(n, pitch * beat, 0.7, 24)) * fade(n, 0.05, 0.06)

    return phrase(d, 180, 800, note, 0.5)


@sound("harmonica")
def harmonica(d: Dice) -> Array:
    def tone(pitch: Array) -> Array:
        n = len(pitch)
        shake = 1 + 0.25 * np.sin(2 * np.pi * d.between(4, 7) * clock(n))
        return (square(n, pitch, 0.7) + 0.5 * buzz(n, pitch * 1.26, 0.7, 12)) * shake + 0.06 * noise(d, n)

    return held(d, 260, 1000, tone, (0.03, 0.1))


@sound("xylophone")
def xylophone(d: Dice) -> Array:
    time = d.between(0.12, 0.5)
    second = d.pick([3.0, 3.93, 4.0])

    def note(pitch: float, long: float) -> Array:
        n = length(0.6)
        return struck(d, n, [pitch, pitch * second, pitch * 9.2], [time, time * 0.5, time * 0.25], [1, 0.4, 0.2])

    return phrase(d, 500, 2400, note, 0.05)


@sound("music box")
def music_box(d: Dice) -> Array:
    def note(pitch: float, long: float) -> Array:
        n = length(1.0)
        tine = struck(d, n, [pitch, pitch * 2.0, pitch * 6.27], [d.between(0.7, 1.5), 0.5, 0.15], [1, 0.25, 0.3])
        return tine + above(noise(d, n), 4000) * decay(n, 0.01) * 0.05

    return phrase(d, 900, 3000, note, 0.15)


@sound("harp")
def harp(d: Dice) -> Array:
    scale = d.pick(SCALES[:3])
    root, gap = d.between(100, 300), d.between(0.05, 0.16)
    steps = [step + 12 * octave for octave in range(3) for step in scale[:-1]][: d.whole(8, 20)]
    if d.chance(0.3):
        steps.reverse()
    out = rest(len(steps) * gap + 1.2)
    for k, step in enumerate(steps):
        put(out, plucked(d, length(1.5), root * 2 ** (step / 12), d.between(0.15, 0.5), 0.997), k * gap)
    return out


@sound("drum")
def drum_kit(d: Dice) -> Array:
    low = d.between(45, 100)

    def kick() -> Array:
        n = length(0.3)
        return sine(n, low * curve(n, (0, 3), (0.1, 1), (1, 0.8))) * decay(n, d.between(0.2, 0.4))

    def snare() -> Array:
        n = length(0.25)
        return above(noise(d, n), 1200) * decay(n, d.between(0.12, 0.25)) + struck(
            d, n, [190, 330], [0.12, 0.1], [1, 0.6]
        )

    beat = d.between(0.16, 0.34)
    out = rest(beat * 8 * d.pick([1, 2]))
    for k in range(int(len(out) / 16000 / beat)):
        put(out, above(noise(d, length(0.06)), 6000) * decay(length(0.06), 0.05) * d.between(0.05, 0.3), k * beat)
        if k % 4 == 0 or d.chance(0.15):
            put(out, kick(), k * beat)
        if k % 4 == 2:
            put(out, snare() * 0.8, k * beat)
    return out


@sound("drum")
def drum_hits(d: Dice) -> Array:
    skin = d.between(70, 260)
    modes, time = (1, 1.59, 2.14, 2.65), d.between(0.15, 0.7)

    def hit() -> Array:
        n = length(0.6)
        body = struck(d, n, [skin * m for m in modes], [time / m for m in modes], [1, 0.6, 0.4, 0.3])
        return body + below(noise(d, n), 3000) * decay(n, 0.03) * 0.5

    gap = d.between(0.12, 0.5)
    return repeated(d, length(gap * d.whole(3, 10)) + 4000, gap, hit, d.pick([0.01, 0.05]))


@sound("drum roll")
def drum_roll(d: Dice) -> Array:
    n = length(d.between(1.2, 3))

    def stroke() -> Array:
        m = length(0.12)
        return above(noise(d, m), 900) * decay(m, 0.09) + struck(d, m, [200, 340], [0.08, 0.06], [0.8, 0.5])

    return repeated(d, n, 1 / d.between(16, 30), stroke, 0.05) * line(n, d.between(0.2, 0.8), 1)


@sound("cymbal")
def cymbal(d: Dice) -> Array:
    n = length(d.between(1, 2.8))
    metal = struck(
        d, n, [d.between(2000, 7600) for _ in range(24)], [d.between(0.5, 2.5) for _ in range(24)], [0.2] * 24
    )
    wash = above(noise(d, n), d.between(3000, 5000)) * decay(n, d.between(0.8, 2.5), d.between(0.001, 0.01))
    return wash + metal * d.between(0.1, 0.6)


@sound("gong")
def gong(d: Dice) -> Array:
    n = length(d.between(2.5, 5))
    base = d.between(70, 190)
    ratios = [1, 1.47, 2.09, 2.56, 3.14, 3.9, 5.2, 6.7]
    out = struck(
        d,
        n,
        [base * r * d.between(0.97, 1.03) for r in ratios],
        [d.between(2, 6) for _ in ratios],
        [1 / (1 + 0.4 * k) for k in range(8)],
    )
    return out * wave_of(d, n) + above(noise(d, n), 2000) * curve(n, (0, 0), (0.1, 0.08), (1, 0))


@sound("bell")
def church_bell(d: Dice) -> Array:
    base = d.between(180, 700)
    ratios, times = (0.5, 1, 1.19, 1.5, 2, 2.74, 4.07), (5, 3, 2.2, 1.8, 1.4, 0.8, 0.5)

    def toll() -> Array:
        n = length(3.5)
        return struck(
            d, n, [base * r * d.between(0.99, 1.01) for r in ratios], list(times), [0.5, 1, 0.7, 0.5, 0.7, 0.4, 0.3]
        )

    gap = d.between(0.7, 2.2)
    return repeated(d, length(d.between(2, 5)), gap, toll, 0.02)


@sound("bell")
def hand_bell(d: Dice) -> Array:
    f = d.between(1100, 3000)
    time = d.between(0.3, 1.5)

    def ring() -> Array:
        return struck(
            d, length(1.2), [f, f * 2.0, f * 2.97, f * 0.5], [time, time * 0.6, time * 0.3, time], [1, 0.5, 0.4, 0.2]
        )

    return repeated(d, length(d.between(1.2, 3)), d.between(0.15, 0.45), ring, 0.05)


@sound("maracas")
def maracas(d: Dice) -> Array:
    n = length(d.between(1.2, 3))
    edge = d.between(2500, 5000)

    def shake() -> Array:
        m = length(d.between(0.05, 0.12))
        return above(noise(d, m), edge) * curve(m, (0, 0.1), (0.5, 1), (1, 0)) ** 2

    return repeated(d, n, d.between(0.13, 0.3), shake, 0.04)


@sound("banjo")
def banjo(d: Dice) -> Array:
    return phrase(
        d, 150, 650, lambda pitch, long: above(plucked(d, length(0.4), pitch, 0.95, d.between(0.97, 0.985)), 350), 0.0
    )


def wave_of(d: Dice, n: int) -> Array:
    """Slow beating of a large plate."""
    return 1 + 0.25 * np.sin(2 * np.pi * d.between(1.5, 5) * clock(n))
