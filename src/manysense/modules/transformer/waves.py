"""Sound → the numbers an audio tower reads.

Knows: CLAP's log-mel windows, Whisper's log-mel frames of a whole sound. Does not know: files, models.

CLAP's own preparation picks windows of long sounds at random and marks a random sound of each batch as long, so that
vectors change from call to call and with their neighbours. Here the choice is fixed: without fusion the first window;
with fusion the middle of each third, and "is longer" says whether this sound is longer than the window. Everything
else equals transformers' ClapFeatureExtractor.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from ...errors import MediaError, UsageError
from ...settings import choose
from .pixels import unknown_overrides
from .recipe import FolderFacts

Samples = npt.NDArray[np.float32]


class AudioPolicy(Protocol):
    """How one sound is prepared."""

    @property
    def rate(self) -> int:
        """Hz that the model reads."""
        ...

    @property
    def window(self) -> float | None:
        """Seconds that it hears, None for all."""
        ...

    def tokens(self, seconds: float) -> int: ...

    def prepare(self, samples: Samples) -> dict[str, npt.NDArray[Any]]: ...

    def changed(self, overrides: Mapping[str, Any]) -> AudioPolicy: ...


@dataclass(frozen=True, slots=True, eq=False)
class ClapMel:
    """Mono samples → input_features (1 or 4, frames, mels) float32, is_longer (1,) bool."""

    rate: int
    seconds: int
    hop: int
    fft: int
    mels: int
    lowest: float
    highest: float
    fusion: bool
    padding: str

    @classmethod
    def of(cls, facts: FolderFacts) -> ClapMel:
        config = {**facts.audio, **{k: v for k, v in facts.overrides.items() if k in ("truncation", "padding")}}
        return cls(
            rate=int(config.get("sampling_rate", 48_000)),
            seconds=int(config.get("max_length_s", 10)),
            hop=int(config.get("hop_length", 480)),
            fft=int(config.get("fft_window_size", 1024)),
            mels=int(config.get("feature_size", 64)),
            lowest=float(config.get("frequency_min", 0)),
            highest=float(config.get("frequency_max", 14_000)),
            fusion=config.get("truncation", "fusion") == "fusion",
            padding=str(config.get("padding", "repeatpad")),
        )

    @property
    def window(self) -> float | None:
        return None if self.fusion else float(self.seconds)  # with fusion the whole sound is seen, shrunk

    @property
    def most(self) -> int:
        """Samples of one window."""
        return self.seconds * self.rate

    def tokens(self, seconds: float) -> int:
        return 1024 * (4 if self.fusion else 1)

    def prepare(self, samples: Samples) -> dict[str, npt.NDArray[Any]]:
        longer = len(samples) > self.most
        if not self.fusion:
            mel = self._mel(samples[: self.most] if longer else self._padded(samples))[None]
            return {"input_features": mel, "is_longer": np.array([longer])}
        mel = self._mel(samples if longer else self._padded(samples))
        frames = self.most // self.hop + 1
        if not longer or len(mel) == frames:  # a few samples over the window: it still fits
            return {"input_features": np.stack([mel] * 4), "is_longer": np.array([False])}
        return {"input_features": self._fused(mel, frames), "is_longer": np.array([True])}

    def _padded(self, samples: Samples) -> Samples:
        if len(samples) == self.most:
            return samples
        repeats = self.most // len(samples)
        if self.padding == "repeat":
            samples = np.tile(samples, repeats + 1)[: self.most]
        elif self.padding == "repeatpad":
            samples = np.tile(samples, repeats)
        return np.pad(samples, (0, self.most - len(samples)))

    def _mel(self, samples: Samples) -> Samples:
        """(frames, mels) log-mel in dB."""
        from transformers.audio_utils import mel_filter_bank, spectrogram, window_function

        scale: dict[str, Any] = (
            {"norm": None, "mel_scale": "htk"} if self.fusion else {"norm": "slaney", "mel_scale": "slaney"}
        )
        filters = mel_filter_bank(self.fft // 2 + 1, self.mels, self.lowest, self.highest, self.rate, **scale)
        window = window_function(self.fft, "hann")
        mel = spectrogram(
            samples.astype(np.float64), window, self.fft, self.hop, power=2.0, mel_filters=filters, log_mel="dB"
        )
        return np.ascontiguousarray(mel.T, dtype=np.float32)

    def _fused(self, mel: Samples, frames: int) -> Samples:
        import torch
        from torch.nn import functional

        thirds = np.array_split(np.arange(len(mel) - frames + 1), 3)
        starts = [int(third[len(third) // 2]) if len(third) else 0 for third in thirds]
        shrunk = functional.interpolate(
            torch.from_numpy(mel)[None, None], size=[frames, self.mels], mode="bilinear", align_corners=False
        )
        return np.stack([shrunk[0, 0].numpy(), *(mel[start : start + frames] for start in starts)])

    def changed(self, overrides: Mapping[str, Any]) -> ClapMel:
        _check_rate(overrides, self.rate)
        unknown_overrides("audio", overrides, ("sampling_rate", "truncation", "padding"))
        choose("truncation", overrides.get("truncation", "fusion"), ("fusion", "rand_trunc"))
        choose("padding", overrides.get("padding", "pad"), ("repeatpad", "repeat", "pad", True))
        padding = overrides.get("padding", True)
        return replace(
            self,
            fusion=overrides["truncation"] == "fusion" if "truncation" in overrides else self.fusion,
            padding=self.padding if padding is True else padding,
        )


@dataclass(frozen=True, slots=True, eq=False)
class WhisperMel:
    """Mono samples → input_features (mels, frames) float32 and feature_attention_mask (frames,) of ones.

    As long as the sound is, up to `seconds`; the silence that Whisper pads with is left out, for no model sees it.
    Source: Radford et al. 2022; the values are those of transformers' WhisperFeatureExtractor.
    """

    rate: int
    seconds: int
    hop: int
    fft: int
    mels: int

    @classmethod
    def of(cls, facts: FolderFacts) -> WhisperMel:
        config = facts.audio
        return cls(
            rate=int(config.get("sampling_rate", 16_000)),
            seconds=int(config.get("chunk_length", 300)),
            hop=int(config.get("hop_length", 160)),
            fft=int(config.get("n_fft", 400)),
            mels=int(config.get("feature_size", 128)),
        )

    @property
    def window(self) -> float:
        return float(self.seconds)

    def heard(self, count: int) -> tuple[int, int]:
        """(frames, tokens in the sequence) of `count` samples. Raises MediaError for less than one token.

        Source: Qwen2-Audio, whose encoder Qwen2.5-Omni has: a convolution, then a pooling halve the frames.
        """
        frames = -(-min(count, self.seconds * self.rate) // self.hop)
        tokens = ((frames - 1) // 2 - 1) // 2 + 1
        if tokens < 1:
            least = 1000 * (2 * self.hop + 1) / self.rate
            raise MediaError(f"a sound of {count} samples is too short: this model hears {least:.0f} ms and more")
        return frames, tokens

    def tokens(self, seconds: float) -> int:
        return self.heard(round(seconds * self.rate))[1]

    def prepare(self, samples: Samples) -> dict[str, npt.NDArray[Any]]:
        frames, _ = self.heard(len(samples))
        return {
            "input_features": np.ascontiguousarray(self._mel(samples, frames)[:, :frames]),
            "feature_attention_mask": np.ones(frames, np.int64),
        }

    def _mel(self, samples: Samples, frames: int) -> Samples:
        """(mels, frames and a few more) log-mel, at most 8 below the loudest."""
        import torch
        from transformers.audio_utils import mel_filter_bank

        most = self.seconds * self.rate
        heard = np.zeros(min(most, frames * self.hop + self.fft), np.float32)  # the last frames see the silence behind
        heard[: min(len(samples), most)] = samples[:most]
        window = torch.hann_window(self.fft)
        waves = torch.stft(torch.from_numpy(heard), self.fft, self.hop, window=window, return_complex=True)
        bank = mel_filter_bank(self.fft // 2 + 1, self.mels, 0.0, 8000.0, self.rate, norm="slaney", mel_scale="slaney")
        power = (waves[:, :-1].abs() ** 2).contiguous()
        mel = (torch.from_numpy(bank).float().T @ power).clamp_min(1e-10).log10()
        made: Samples = ((torch.maximum(mel, mel.max() - 8.0) + 4.0) / 4.0).numpy()
        return made

    def changed(self, overrides: Mapping[str, Any]) -> WhisperMel:
        _check_rate(overrides, self.rate)
        unknown_overrides("audio", overrides, ("sampling_rate", "truncation", "padding"))
        choose("truncation", overrides.get("truncation", True), (True,))
        return self


def _check_rate(overrides: Mapping[str, Any], rate: int) -> None:
    if overrides.get("sampling_rate", rate) != rate:
        raise UsageError(f"this model reads sound at {rate} Hz; give the rate of samples with Audio(samples, rate)")
