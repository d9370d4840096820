"""A synthesiser of our own: phonemes to formants to sound, in the manner of Klatt's.

Knows: what English phonemes look like as resonances and noise. Does not know: spelling (espeak-ng turns words into
phonemes), words, rooms. It is here so that the tower hears speech that no packaged synthesiser makes.
Source of the idea: Klatt 1980; vowel formants: Peterson & Barney 1952, rounded.
"""

from __future__ import annotations

import ctypes
from dataclasses import dataclass

import numpy as np

from . import voices
from .dice import Dice
from .synth import RATE, Array, drift, levelled, noise
from .vocoder import HOP, SPAN, frames_of, joined_up

BINS = np.fft.rfftfreq(SPAN, 1 / RATE)


@dataclass(frozen=True, slots=True)
class Phone:
    """Targets of one phoneme. voice, hiss: loudness of throat and of noise; band: where the noise lies (Hz)."""

    f1: float
    f2: float
    f3: float
    long: float
    voice: float = 1.0
    hiss: float = 0.0
    band: tuple[float, float] = (1000, 7000)


def _vowels() -> dict[str, Phone]:
    table = """i 280 2250 2900|ɪ 400 1950 2560|e 450 2050 2600|ɛ 550 1770 2490|æ 690 1660 2490|a 760 1350 2500
    ɑ 720 1100 2450|ɒ 640 950 2450|ɔ 570 850 2450|o 480 900 2400|ʊ 440 1050 2300|u 310 900 2250|ʌ 640 1200 2400
    ɐ 640 1250 2400|ə 500 1450 2500|ɜ 490 1350 1750|ɚ 480 1350 1700|ʉ 310 1500 2300|ᵻ 400 1850 2550|y 290 1900 2400"""
    entries = [row.split() for line in table.splitlines() for row in line.split("|")]
    return {name: Phone(float(f1), float(f2), float(f3), 0.11) for name, f1, f2, f3 in entries}


PHONES: dict[str, Phone] = _vowels() | {
    "m": Phone(250, 1000, 2200, 0.075, 0.35),
    "n": Phone(250, 1600, 2600, 0.07, 0.35),
    "ŋ": Phone(250, 2100, 2700, 0.085, 0.35),
    "l": Phone(360, 1050, 2750, 0.065, 0.6),
    "ɹ": Phone(330, 1150, 1550, 0.065, 0.65),
    "r": Phone(330, 1150, 1550, 0.065, 0.65),
    "w": Phone(300, 680, 2200, 0.065, 0.6),
    "ʍ": Phone(300, 680, 2200, 0.065, 0.4, 0.1, (500, 3500)),
    "j": Phone(280, 2200, 2900, 0.06, 0.6),
    "f": Phone(350, 1000, 2300, 0.10, 0.0, 0.10, (1200, 7800)),
    "θ": Phone(350, 1400, 2500, 0.10, 0.0, 0.08, (1800, 7800)),
    "s": Phone(350, 1700, 2600, 0.11, 0.0, 0.40, (4200, 7900)),
    "ʃ": Phone(350, 1900, 2500, 0.11, 0.0, 0.50, (1900, 5500)),
    "h": Phone(500, 1500, 2500, 0.06, 0.0, 0.25, (500, 3500)),
    "v": Phone(300, 1000, 2300, 0.06, 0.4, 0.05, (1200, 7800)),
    "ð": Phone(300, 1400, 2500, 0.05, 0.4, 0.05, (1800, 7800)),
    "z": Phone(300, 1700, 2600, 0.08, 0.3, 0.25, (4200, 7900)),
    "ʒ": Phone(300, 1900, 2500, 0.08, 0.3, 0.30, (1900, 5500)),
    "ɾ": Phone(300, 1700, 2600, 0.03, 0.3),
}
LOCI = {"p": 850.0, "b": 850.0, "t": 1800.0, "d": 1800.0, "k": 2200.0, "ɡ": 2200.0, "ʔ": 1500.0}
BURSTS = {
    "p": (400, 1800),
    "t": (2800, 7500),
    "k": (1400, 3200),
    "b": (300, 1500),
    "d": (2500, 7000),
    "ɡ": (1300, 3000),
}


def phonemes(text: str, accent: str = "en-us") -> str:
    """IPA by espeak-ng's dictionary and rules."""
    library = voices.espeak("espeak-ng").library
    library.espeak_TextToPhonemes.restype = ctypes.c_char_p
    library.espeak_SetVoiceByName(accent.encode())
    held = ctypes.c_char_p(text.encode())
    place = ctypes.c_void_p(ctypes.cast(held, ctypes.c_void_p).value)
    return str(library.espeak_TextToPhonemes(ctypes.byref(place), 1, 2).decode())


def _phones(ipa: str) -> list[tuple[Phone, float]]:
    """Targets in order, each with its stress (1.0 plain); stops become a closure, a burst and their breath."""
    found: list[tuple[Phone, float]] = []
    stress = 1.0
    for mark in ipa:
        if mark in "ˈˌ":
            stress = 1.35 if mark == "ˈ" else 1.15
        elif mark == "ː" and found:
            found[-1] = (found[-1][0], found[-1][1] * 1.45)
        elif mark in LOCI:
            voiced = mark in "bdɡ"
            found.append((Phone(250, LOCI[mark], 2500, 0.055, 0.12 if voiced else 0.0), 1.0))
            if mark in BURSTS:
                burst = 0.22 if voiced else 0.45
                found.append((Phone(350, LOCI[mark], 2500, 0.012, 0.0, burst, BURSTS[mark]), 1.0))
            if not voiced and mark != "ʔ":
                found.append((Phone(450, LOCI[mark], 2500, 0.035, 0.05, 0.12, (800, 5000)), 1.0))
        elif mark in PHONES:
            vowel = PHONES[mark].long == 0.11 and PHONES[mark].voice == 1.0
            found.append((PHONES[mark], stress if vowel else 1.0))
            stress = 1.0 if vowel else stress
        elif mark == " ":
            found.append((Phone(400, 1500, 2500, 0.03, 0.0), 1.0))
    return found


def _smooth(track: Array, width: int) -> Array:
    """Glides instead of steps."""
    window = np.hanning(2 * width + 1)
    padded = np.pad(track, width, mode="edge")
    return np.convolve(padded, window / window.sum(), "valid")


def _throat(f: Array, peaks: list[tuple[Array, float]]) -> Array:
    """Product of resonances: (frames, bins)."""
    out = np.ones((len(peaks[0][0]), len(f)))
    for centre, width in peaks:
        square = centre[:, None] ** 2
        out *= square / np.sqrt((square - f**2) ** 2 + (width * f) ** 2)
    return out


def mouth(d: Dice, text: str) -> Array:
    """The text, said by a throat, a pitch and a pace that are drawn anew each time."""
    said = _phones(phonemes(text, d.pick(voices.ESPEAK_NG)))
    pace, size = d.between(0.75, 1.45), d.between(0.85, 1.28)
    lengths = [max(int(p.long * pace * s * d.between(0.85, 1.15) * RATE / HOP + 0.5), 1) for p, s in said]
    lengths[-1] = int(lengths[-1] * 1.3) + 1
    rows = np.repeat(np.arange(len(said)), lengths)
    total = len(rows)
    lag = d.whole(2, 4)
    wander = size * d.between(0.96, 1.04)
    f1, f2, f3 = (
        _smooth(np.array([getattr(p, name) for p, _ in said])[rows] * wander, lag) for name in ("f1", "f2", "f3")
    )
    loud = _smooth(np.array([p.voice * s for p, s in said])[rows], 1)
    loud *= np.minimum(1, np.minimum(np.arange(1, total + 1), np.arange(total, 0, -1)) / d.between(1, 5))
    narrow = d.between(0.7, 1.6)
    peaks = [(f1, 70 * narrow), (f2, 100 * narrow), (f3, 140 * narrow)]
    peaks += [
        (np.full(total, f * size), w) for f, w in ((d.between(3300, 3700), 250.0), (d.between(4300, 4800), 350.0))
    ]
    tilt = 1 / np.sqrt(1 + (BINS / d.between(250, 1200)) ** d.between(1.2, 2.4))
    voiced = _throat(BINS, peaks) * tilt * loud[:, None]
    hiss = np.zeros((total, len(BINS)))
    for row in range(total):
        phone = said[rows[row]][0]
        if phone.hiss:
            low, high = phone.band[0] * size**0.5, phone.band[1]
            hiss[row] = (
                phone.hiss
                * np.clip((BINS - low * 0.7) / (low * 0.3), 0, 1)
                * np.clip((high * 1.2 - BINS) / 800, 0.02, 1)
            )
    return _sounded(d, [s for _, s in said], rows, voiced, hiss * d.between(0.6, 1.6))


def _sounded(d: Dice, stress: list[float], rows: Array, voiced: Array, hiss: Array) -> Array:
    """Source through the throat."""
    n = len(rows) * HOP
    accent = np.interp(np.arange(n), np.arange(len(rows)) * HOP, _smooth(np.array(stress)[rows], 5))
    fall = np.linspace(d.between(1.0, 1.2), d.between(0.7, 0.95), n)
    pitch = d.between(80, 300) * fall * accent ** d.between(0, 0.6) * drift(d, n, 3, 0.96, 1.04)
    cycles = np.cumsum(pitch * drift(d, n, 60, 0.985, 1.015)) / RATE
    pulses = np.diff(np.floor(cycles), prepend=0.0) * np.sqrt(RATE / pitch)
    breath = noise(d, n)
    mixed = pulses + d.between(0.01, 0.2) * breath
    out = joined_up(frames_of(mixed)[: len(rows)], voiced) / 2 + joined_up(frames_of(breath)[: len(rows)], hiss)
    return levelled(out)
