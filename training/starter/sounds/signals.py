"""Signals of devices: beeps, tones, alarms, rings, games, static.

Knows: tones and their rhythms. Does not know: rooms, captions.
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
    curve,
    decay,
    drift,
    fade,
    joined,
    length,
    line,
    mixture,
    modulated,
    noise,
    put,
    repeated,
    rest,
    sine,
    square,
    struck,
)

MORSE = "A.- B-... C-.-. D-.. E. F..-. G--. H.... I.. J.--- K-.- L.-.. M-- N-. O--- P.--. Q--.- R.-. S... T- U..- V...-"


def tone(d: Dice, n: int, pitch: float | Array) -> Array:
    """One of a device's plain waves."""
    style = d.whole(0, 3)
    if style == 0:
        return sine(n, pitch)
    if style == 1:
        return square(n, pitch, 1.0)
    if style == 2:
        return buzz(n, pitch, d.between(1, 2), 12)
    return mixture(n, pitch, (1, d.between(0, 0.5), d.between(0, 0.3)))


@sound("beep")
def beep(d: Dice) -> Array:
    n = length(d.between(0.15, 0.9))
    one = tone(d, n, d.between(500, 3000)) * fade(n, 0.004, 0.01)
    return joined(*[one, rest(d.between(0.3, 0.8))] * d.whole(1, 2))


@sound("dial tone")
def dial_tone(d: Dice) -> Array:
    n = length(d.between(1.5, 4))
    return (
        sine(n, d.between(330, 370)) + sine(n, d.between(420, 460)) if d.chance(0.6) else sine(n, d.between(400, 460))
    )


@sound("busy tone")
def busy_tone(d: Dice) -> Array:
    n = length(d.between(2, 4))
    on = (clock(n) / d.between(0.4, 1.05)) % 1 < d.between(0.45, 0.55)
    return (sine(n, d.between(400, 490)) + d.pick([0, 1]) * sine(n, d.between(600, 630))) * on


@sound("morse code")
def morse_code(d: Dice) -> Array:
    dot, pitch = d.between(0.04, 0.13), d.between(450, 1100)
    out: list[Array] = []
    while sum(len(part) for part in out) < 16000 * d.between(1.6, 3):
        for mark in d.pick(MORSE.split())[1:]:
            n = length(dot * (1 if mark == "." else 3))
            out += [sine(n, pitch) * fade(n, 0.004, 0.004), rest(dot)]
        out.append(rest(2 * dot))
    return joined(*out)


@sound("error buzz")
def error_buzz(d: Dice) -> Array:
    low = d.between(80, 230)

    def one(long: float) -> Array:
        n = length(long)
        return (buzz(n, low, d.between(0.1, 0.6), 30) + d.pick([0, 1]) * square(n, low * 1.06, 0.5)) * fade(
            n, 0.005, 0.02
        )

    rhythm = d.pick([(0.8,), (0.15, 0.4), (0.25, 0.25), (0.5,), (1.2,)])
    return joined(*[part for long in rhythm for part in (one(long * d.between(0.8, 1.3)), rest(0.07))])


@sound("notification")
def notification_chime(d: Dice) -> Array:
    root = d.between(500, 1300)
    out = rest(d.between(0.7, 1.3))
    time = d.between(0.3, 0.9)
    for k, step in enumerate(d.pick([(0, 4), (0, 7), (0, 5, 9), (7, 0), (0, 4, 7), (0, 12), (4, 7, 12)])):
        f = root * 2 ** (step / 12)
        n = length(0.8)
        ding = struck(d, n, [f, f * 2, f * 3.01], [time, time / 2, time / 3], [1, d.between(0, 0.5), d.between(0, 0.3)])
        put(out, ding, k * d.between(0.07, 0.16))
    return out


@sound("sweep up")
def sweep_up(d: Dice) -> Array:
    n = length(d.between(0.5, 2.5))
    low = d.between(120, 700)
    top = min(low * d.between(3, 12), 7000)
    pitch = low * (top / low) ** np.linspace(0, 1, n) if d.chance(0.5) else line(n, low, top)
    return tone(d, n, pitch) * fade(n, 0.02, 0.05)


@sound("sweep down")
def sweep_down(d: Dice) -> Array:
    n = length(d.between(0.5, 2.5))
    low = d.between(100, 600)
    top = min(low * d.between(3, 12), 7000)
    pitch = top * (low / top) ** np.linspace(0, 1, n) if d.chance(0.5) else line(n, top, low)
    return tone(d, n, pitch) * fade(n, 0.02, 0.05)


@sound("white noise")
def static(d: Dice) -> Array:
    n = length(d.between(1, 4))
    hiss = noise(d, n, d.between(0, 0.3))
    return hiss + above(clicks(d, n, 40, 3), 500) * d.between(0, 4)


@sound("alarm clock")
def alarm_beeping(d: Dice) -> Array:
    pitch, long = d.between(1200, 3200), d.between(0.04, 0.12)
    count, pause = d.whole(2, 5), d.between(0.25, 0.6)
    n = length(long)
    one = square(n, pitch, d.between(1, 2)) * fade(n, 0.002, 0.004)
    group = joined(*[one, rest(long * d.between(0.6, 1.1))] * count, rest(pause))
    return joined(*[group] * d.whole(2, 4))


@sound("alarm clock")
def alarm_bell(d: Dice) -> Array:
    n = length(d.between(1.5, 3.5))
    f = d.between(1500, 3200)

    def ding() -> Array:
        return struck(d, length(0.3), [f, f * 1.53, f * 2.4], [0.3, 0.2, 0.1], [1, 0.7, 0.5])

    return repeated(d, n, 1 / d.between(14, 28), ding, 0.05)


@sound("telephone")
def telephone_bell(d: Dice) -> Array:
    f, rate = d.between(900, 2000), d.between(18, 28)

    def ring(long: float) -> Array:
        n = length(long)

        def ding() -> Array:
            return struck(d, length(0.35), [f, f * 1.25, f * 2.6], [0.35, 0.3, 0.15], [1, 0.9, 0.4])

        return repeated(d, n, 1 / rate, ding, 0.02)

    rhythm = d.pick([(0.4, 0.4), (1.2,), (0.8, 0.8)])
    return joined(*[part for long in rhythm for part in (ring(long), rest(d.between(0.2, 0.6)))])


@sound("telephone")
def telephone_warble(d: Dice) -> Array:
    low, rate = d.between(600, 1400), d.between(10, 25)
    high = low * d.between(1.15, 1.5)
    n = length(d.between(0.6, 1.3))
    warble = tone(d, n, np.where((clock(n) * rate) % 1 < 0.5, low, high)) * fade(n, 0.01, 0.02)
    return joined(*[warble, rest(d.between(0.3, 0.9))] * d.whole(1, 3))


@sound("doorbell")
def ding_dong(d: Dice) -> Array:
    high = d.between(500, 1100)
    time = d.between(0.7, 2)
    out = rest(d.between(1.4, 2.4))
    for start, f in ((0.0, high), (d.between(0.3, 0.7), high / d.pick([1.19, 1.26, 1.26, 1.33]))):
        n = length(1.5)
        note = struck(
            d, n, [f, f * 2, f * 3, f * 5.4], [time, time * 0.6, time * 0.4, 0.1], [1, d.between(0.1, 0.5), 0.2, 0.2]
        )
        put(out, note, start)
    return out


@sound("doorbell")
def doorbell_buzzer(d: Dice) -> Array:
    root, gap = d.between(400, 800), d.between(0.25, 0.5)
    out = rest(2.2)
    for k, step in enumerate(d.pick([(4, 0), (7, 4, 0), (0, 4, 7, 4), (4, 0, 4, 0)])):
        n = length(0.7)
        put(out, modulated(n, root * 2 ** (step / 12), d.pick([1, 2, 3]), decay(n, 0.5)) * decay(n, 0.9), k * gap)
    return out


@sound("smoke alarm")
def smoke_alarm(d: Dice) -> Array:
    pitch = d.between(2700, 3500)
    n = length(d.between(0.35, 0.6))
    one = square(n, pitch, 1.5) * fade(n, 0.004, 0.01)
    group = joined(*[one, rest(d.between(0.3, 0.5))] * 3, rest(d.between(0.3, 1)))
    return joined(group, group)


@sound("sonar")
def sonar_ping(d: Dice) -> Array:
    n = length(d.between(1.5, 2.8))
    ping = sine(n, d.between(700, 1700)) * decay(n, d.between(1, 2.5), 0.005)
    return joined(ping, ping) if d.chance(0.5) else ping


@sound("laser")
def laser_shot(d: Dice) -> Array:
    n = length(d.between(0.15, 0.45))
    high = d.between(2000, 6000)
    zap = tone(d, n, high * np.exp(-clock(n) * d.between(6, 20)) + 100) * decay(n, n / 16000 * 1.5)
    return joined(*[part for _ in range(d.whole(1, 4)) for part in (zap, rest(d.between(0.03, 0.25)))])


@sound("game coin")
def game_coin(d: Dice) -> Array:
    f = d.between(700, 1400)
    n, m = length(d.between(0.05, 0.1)), length(d.between(0.3, 0.7))
    wave = square if d.chance(0.7) else sine
    return joined(wave(n, f), wave(m, f * d.pick([1.335, 1.5, 1.26])) * decay(m, 0.8))


@sound("power down")
def power_down(d: Dice) -> Array:
    n = length(d.between(1.2, 2.5))
    pitch = d.between(150, 500) * curve(n, (0, 1), (0.5, 0.6), (1, 0.1))
    return buzz(n, pitch, 0.8, 16) * line(n, 1, 0.7, 0) + 0.1 * noise(d, n, 1) * line(n, 1, 0)


@sound("radio tuning")
def radio_tuning(d: Dice) -> Array:
    n = length(d.between(1.5, 3.5))
    whistle = sine(n, np.abs(drift(d, n, d.between(1, 3), -3000, 3500)) + 100) * drift(d, n, 4, 0, 1)
    return whistle * d.between(0.3, 1) + band(noise(d, n), 300, 4000) * drift(d, n, 5, 0.1, 0.8)
