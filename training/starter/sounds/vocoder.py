"""The same words from another mouth: speech taken apart into envelope and source, and put together with a new source.

Knows: short-time spectra, cepstra. Does not know: who spoke, what was said. It multiplies the few synthesisers there
are: other pitch and melody, whisper, monotone, longer or shorter throats, slower and faster speech.
"""

from __future__ import annotations

import numpy as np

from .dice import Dice
from .synth import RATE, Array, above, below, drift, levelled, noise

SPAN, HOP, SMOOTH = 512, 128, 28


def frames_of(x: Array) -> Array:
    """Frames of SPAN samples, windowed, one every HOP."""
    x = np.pad(x, (SPAN // 2, SPAN))
    return np.lib.stride_tricks.sliding_window_view(x, SPAN)[::HOP] * np.hanning(SPAN)


def joined_up(frames: Array, envelope: Array) -> Array:
    """Frames with the given envelope (frames, 257), overlapped and added."""
    parts = np.fft.irfft(np.fft.rfft(frames) * envelope) * np.hanning(SPAN)
    out = np.zeros(len(frames) * HOP + SPAN)
    for k, part in enumerate(parts):
        out[k * HOP : k * HOP + SPAN] += part
    return out


def _source(d: Dice, n: int, voiced: Array) -> Array:
    """What the throat gives: pulses with some melody where the voice sounds, breath elsewhere (or everywhere)."""
    breath = noise(d, n)
    if d.chance(0.12):
        return breath
    base = d.between(75, 330)
    pitch = (
        base
        * (1 + d.between(0, 0.25) * drift(d, n, d.between(1, 4), -1, 1))
        * np.linspace(d.between(0.9, 1.2), d.between(0.75, 1), n)
    )
    pulses = np.diff(np.floor(np.cumsum(pitch) / RATE), prepend=0.0)
    pulses = above(pulses, 60) if d.chance(0.7) else below(pulses, d.between(2000, 6000))
    pulses /= pulses.std() + 1e-9
    share = np.interp(np.arange(n), np.arange(len(voiced)) * HOP, voiced)
    rough = d.between(0.02, 0.35)
    return pulses * share + breath * (1 - share + rough * share)


def revoiced(d: Dice, x: Array) -> Array:
    """Speech with another voice and pace; the words stay.

    x: (n,) at 16 kHz.  Source of the method: cepstral smoothing (Oppenheim 1969), overlap and add.
    """
    spectrum = np.abs(np.fft.rfft(frames_of(x))) + 1e-5 * np.abs(x).max()
    cepstrum = np.fft.irfft(np.log(spectrum))
    smooth = d.whole(SMOOTH - 8, SMOOTH + 8)
    cepstrum[:, smooth:-smooth] = 0
    envelope = np.fft.rfft(cepstrum).real  # log, (frames, 257)
    low = (spectrum[:, 3:32] ** 2).sum(1)
    high = (spectrum[:, 90:] ** 2).sum(1)
    voiced = np.clip(0.5 + 0.6 * np.log10((low + 1e-12) / (high + 1e-12)), 0, 1)
    pace = d.between(0.75, 1.3)
    frames = max(int(len(envelope) * pace), 4)
    places = np.linspace(0, len(envelope) - 1, frames)
    left = np.minimum(places.astype(int), len(envelope) - 2)
    share = (places - left)[:, None]
    envelope = envelope[left] * (1 - share) + envelope[left + 1] * share
    throat = d.between(0.82, 1.22)
    bins = np.minimum(np.arange(257) * throat, 256)
    below_bin = np.minimum(bins.astype(int), 255)
    envelope = envelope[:, below_bin] * (1 - (bins - below_bin)) + envelope[:, below_bin + 1] * (bins - below_bin)
    source = _source(d, frames * HOP, np.interp(places, np.arange(len(voiced)), voiced))
    return levelled(joined_up(frames_of(source)[:frames], np.exp(envelope)))
