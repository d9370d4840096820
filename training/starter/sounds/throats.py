"""Throats that nobody has: voice variants of espeak-ng and espeak with formants drawn anew for each utterance.

Knows: what a variant's file may say (espeak-ng, docs/voices.md). Does not know: who says what (speech.py), how the
synthesisers are called (voices.py).
"""

from __future__ import annotations

import numpy as np

from .dice import Dice

FORMANTS = 9
"""From 0, the bar of voiced sounds, to 8."""
FAR = 0.2
"""How often one formant lies far from where its neighbours put it."""


def throat(d: Dice) -> str:
    """The file of a variant: all formants of a longer or shorter throat, each a little off, louder or softer, wider or
    narrower; some throats are rough, trembling, echoing, hoarse or a model of Klatt's."""
    low = d.between(70, 240)
    lines = ["language variant", "name drawn", f"pitch {low:.0f} {low * d.between(1.1, 1.7):.0f}"]
    last = d.whole(4, FORMANTS) if d.chance(0.25) else FORMANTS
    length, tilt = d.between(0.82, 1.2), d.between(-0.12, 0.06)
    for formant in range(FORMANTS):
        far = d.between(0.55, 1.45) if formant > 1 and d.chance(FAR) else 1.0
        at = 100 * length * np.exp(0.1 * d.rng.standard_normal()) * far
        loud = 100 * (0.1 if formant > last else 1.0) * np.exp(tilt * formant + 0.25 * d.rng.standard_normal())
        wide = 100 * np.exp(0.25 * d.rng.standard_normal())
        lines.append(f"formant {formant} {_within(at, 40, 160)} {_within(loud, 5, 250)} {_within(wide, 40, 250)}")
    if d.chance(0.4):
        lines.append(f"voicing {d.whole(25, 140)}")
    if d.chance(0.4):
        lines.append(f"consonants {d.whole(40, 130)} {d.whole(40, 140)}")
    if d.chance(0.5):
        lines += [f"flutter {d.whole(0, 25)}", f"roughness {d.whole(0, 6)}"]
    if d.chance(0.2):
        lines.append(f"echo {d.whole(10, 120)} {d.whole(20, 90)}")
    if d.chance(0.3):
        lines.append("tone " + " ".join(f"{hertz} {d.whole(20, 255)}" for hertz in (150, 600, 1200, 2500, 4500)))
    if d.chance(0.15):
        lines.append("breath " + " ".join(str(d.whole(5, 80)) for _ in range(6)))
    if d.chance(0.3):
        lines.append("stressAdd " + " ".join(str(d.whole(80, 250)) for _ in range(8)))
    if d.chance(0.3):
        lines.append("stressAmp " + " ".join(str(d.whole(14, 36)) for _ in range(8)))
    if d.chance(0.2):
        lines.append(f"klatt {d.whole(1, 5)}")
    return "\n".join(lines) + "\n"


def _within(value: float, low: float, high: float) -> int:
    return int(np.clip(value, low, high))
