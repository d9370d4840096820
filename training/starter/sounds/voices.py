"""Those who speak: espeak-ng and espeak in this process, SVOX Pico, festival and flite in batches.

Knows: how each synthesiser is called, which voices are trained and which are held out. Does not know: words, rooms.
Build-time tools only: neither they nor their data are shipped.
"""

from __future__ import annotations

import ctypes
import subprocess
import tempfile
import wave
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from ..split import Side, allowed, only_held_out
from .synth import RATE, Array

ESPEAK_NG = (
    "en",
    "en-gb-scotland",
    "en-gb-x-rp",
    "en-gb-x-gbclan",
    "en-gb-x-gbcwmd",
    "en-029",
    "en-us",
    "en-us-nyc",
)
ESPEAK = ("en", "en-us", "en-scottish", "english_rp", "en-westindies", "english_wmids", "english-north")
FESTIVAL = ("kal_diphone", "ked_diphone", "cmu_us_slt_arctic_hts")
FLITE = ("kal", "kal16", "awb", "rms", "slt")
"""Development only."""
PICO = ("en-US", "en-GB")
BREAKS = ("Demonic",)
"""Throats with which espeak-ng 1.51 crashes on some words; nobody has them."""
_SAMPLE, _RATE, _PITCH, _RANGE = ctypes.POINTER(ctypes.c_short), 1, 3, 4
_Callback = ctypes.CFUNCTYPE(ctypes.c_int, _SAMPLE, ctypes.c_int, ctypes.c_void_p)


def to_rate(x: Array, rate: float) -> Array:
    """Samples at 16 kHz, and without the silence around them."""
    if rate != RATE:
        n = int(len(x) * RATE / rate)
        spectrum = np.fft.rfft(x)
        spectrum[int(len(spectrum) * min(RATE / rate, 1.0) * 0.98) :] = 0
        x = np.interp(np.linspace(0, len(x) - 1, n), np.arange(len(x)), np.fft.irfft(spectrum, len(x)))
    loud = np.flatnonzero(np.abs(x) > 0.01 * (np.abs(x).max() + 1e-9))
    return x[max(loud[0] - 160, 0) : loud[-1] + 320] if len(loud) else x[:0]


class Espeak:
    """espeak-ng or espeak as a library: a few milliseconds a word.

    Its voices waver, and the wavering goes on from one utterance to the next: the same call again gives samples that
    differ a little. Starting the library anew would mend that, but espeak hangs when it is ended.
    """

    def __init__(self, name: str) -> None:
        self.library = ctypes.CDLL(f"lib{name}.so.1")
        self._folder = tempfile.TemporaryDirectory()
        self._throats = _linked(name, Path(self._folder.name))
        home = self._folder.name.encode()
        self._rate = self.library.espeak_Initialize(2, 0, home, 0)  # 2: samples are handed back, synchronously
        assert self._rate > 0, f"{name} does not start"
        self._parts: list[Array] = []
        self._callback = _Callback(self._take)  # kept: the library does not
        self.library.espeak_SetSynthCallback(self._callback)

    def _take(self, samples: Any, count: int, events: Any) -> int:
        if samples and count > 0:
            self._parts.append(np.ctypeslib.as_array(samples, (count,)).astype(float))
        return 0

    def lend(self, throat: str, variant: str) -> None:
        """One throat more, for voices such as "en-us+THROAT". variant: what its file says."""
        (self._throats / throat).write_text(variant, encoding="utf-8")

    def say(self, text: str, voice: str, rate: int = 170, pitch: int = 50, melody: int = 50) -> Array:
        """text in a voice such as "en-us+f3". rate: words a minute; pitch, melody: 0-100."""
        self._parts.clear()
        if self.library.espeak_SetVoiceByName(voice.encode()) != 0:
            raise LookupError(f"no voice {voice!r}")
        for parameter, value in ((_RATE, rate), (_PITCH, pitch), (_RANGE, melody)):
            self.library.espeak_SetParameter(parameter, value, 0)
        data = text.encode()
        self.library.espeak_Synth(data, len(data) + 1, 0, 0, 0, 1, None, None)
        self.library.espeak_Synchronize()
        return to_rate(np.concatenate(self._parts) / 32768 if self._parts else np.zeros(1), self._rate)


def _linked(name: str, home: Path) -> Path:
    """What a synthesiser comes with, seen from `home`, where a throat can be added; returns the folder of throats."""
    data = next(Path("/usr/lib").glob(f"*/{name}-data"))
    throats = Path("voices", "!v")
    (home / data.name / throats).mkdir(parents=True)
    for folder in (Path(), throats.parent, throats):
        for path in (data / folder).iterdir():
            link = home / data.name / folder / path.name
            if not link.exists():
                link.symlink_to(path)
    return home / data.name / throats


@cache
def espeak(name: str) -> Espeak:
    """ "espeak-ng" or "espeak"."""
    return Espeak(name)


@cache
def variants(name: str, side: Side) -> tuple[str, ...]:
    """Voice variants (throats) that this side may use; "dev": only those that training never hears."""
    folders = sorted(Path("/usr/lib").glob(f"*/{name}-data/voices/!v"))
    found = sorted(path.name for folder in folders for path in folder.iterdir())
    return tuple(allowed(found, "train", "voice") if side == "train" else only_held_out(found, "voice"))


@cache
def _pico() -> Any:
    import py_nanotts

    return py_nanotts.NanoTTS()


def pico(text: str, voice: str, speed: float = 1.0, pitch: float = 1.0) -> Array:
    """SVOX Pico. voice: "en-US" or "en-GB"."""
    data = _pico().speak(text, voice=voice, speed=speed, pitch=pitch)
    return to_rate(np.frombuffer(data, "<i2").astype(float) / 32768, RATE)


def festival(texts: Sequence[str], voice: str, stretch: float = 1.0, pitch: float = 0.0) -> list[Array]:
    """All texts in one process. stretch: of durations. pitch: mean in Hz, 0 for the voice's own (diphone voices)."""
    with tempfile.TemporaryDirectory() as folder:
        lines = [f"(voice_{voice})", f"(Parameter.set 'Duration_Stretch {stretch})"]
        if pitch:
            melody = f"(target_f0_mean {pitch}) (target_f0_std 18) (model_f0_mean 170) (model_f0_std 34)"
            lines.append(f"(set! int_lr_params '({melody}))")
        for k, text in enumerate(texts):
            lines.append(
                f'(utt.save.wave (utt.synth (eval (list \'Utterance \'Text "{text}"))) "{folder}/{k}.wav" \'riff)'
            )
        script = Path(folder, "say.scm")
        script.write_text("\n".join(lines))
        subprocess.run(["festival", "-b", str(script)], check=True, capture_output=True)
        return [_read(Path(folder, f"{k}.wav")) for k in range(len(texts))]


def flite(text: str, voice: str) -> Array:
    """Development only: nothing that it says is trained on."""
    with tempfile.NamedTemporaryFile(suffix=".wav") as file:
        subprocess.run(["flite", "-voice", voice, "-t", text, "-o", file.name], check=True, capture_output=True)
        return _read(Path(file.name))


def _read(path: Path) -> Array:
    with wave.open(str(path)) as file:
        data = np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(float) / 32768
        return to_rate(data, file.getframerate())
