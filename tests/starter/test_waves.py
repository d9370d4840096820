"""The sound tower's front end: what a window is, and what its picture promises."""

from __future__ import annotations

import numpy as np
import pytest

from manysense.starter.waves import FRAMES, LIMIT, MELS, RATE, WINDOW, log_mel, windows


def noise(seconds: float, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(int(seconds * RATE)).astype(np.float32)


def tone(hertz: float, seconds: float = 2.0) -> np.ndarray:
    return np.sin(2 * np.pi * hertz * np.arange(int(seconds * RATE)) / RATE).astype(np.float32)


def plain_log_mel(samples: np.ndarray) -> np.ndarray:
    """The same by the book: one frame, one band, one sum at a time, in float64."""
    padded = np.concatenate([np.zeros(120), samples.astype(float), np.zeros(120)])
    hann = np.array([0.5 - 0.5 * np.cos(2 * np.pi * k / 400) for k in range(400)])
    low, high = (2595 * np.log10(1 + f / 700) for f in (40.0, 8000.0))
    edges = [700 * (10 ** ((low + (high - low) * k / 65) / 2595) - 1) for k in range(66)]
    power = np.array([np.abs(np.fft.fft(padded[160 * t : 160 * t + 400] * hann, 512)[:257]) ** 2 for t in range(200)])
    bands = np.zeros((64, 200))
    for band in range(64):
        left, centre, right = edges[band : band + 3]
        left, right = min(left, centre - 31.25), max(right, centre + 31.25)
        weights = []
        for k in range(257):
            f = k * 31.25
            up, down = (f - left) / (centre - left), (right - f) / (right - centre)
            weights.append(max(0.0, min(up, down)))
        bands[band] = power @ np.array(weights) / sum(weights)
    return 1 + 2 * np.maximum(10 * np.log10(np.maximum(bands, 1e-30) / bands.max()), -65) / 65


@pytest.mark.parametrize("samples", [noise(2), tone(440) + 0.01 * noise(2), np.pad(tone(3000, 0.3), (9000, 18200))])
def test_equals_the_definition(samples: np.ndarray) -> None:
    np.testing.assert_allclose(log_mel(samples), plain_log_mel(samples), atol=2e-3)


def test_a_picture_has_64_bands_and_200_frames_between_minus_one_and_one() -> None:
    mel = log_mel(noise(2))
    assert mel.shape == (MELS, FRAMES)
    assert mel.dtype == np.float32
    assert mel.max() == pytest.approx(1.0)
    assert mel.min() >= -1.0


@pytest.mark.parametrize("gain", [1e-4, 0.1, 30.0])
def test_loudness_changes_nothing(gain: float) -> None:
    samples = noise(2) * tone(5)
    np.testing.assert_allclose(log_mel(samples * np.float32(gain)), log_mel(samples), atol=1e-4)


def test_silence_is_minus_one_everywhere() -> None:
    assert (log_mel(np.zeros(WINDOW, np.float32)) == -1).all()
    assert (log_mel(windows(np.zeros(0, np.float32))[0]) == -1).all()


def test_a_higher_tone_lies_in_a_higher_band() -> None:
    loudest = [int(log_mel(tone(hertz)).mean(1).argmax()) for hertz in (100, 300, 1000, 3000, 7000)]
    assert loudest == sorted(set(loudest))


def test_a_short_sound_stands_in_the_middle() -> None:
    [window] = windows(noise(0.5))
    assert len(window) == WINDOW
    assert not window[: WINDOW // 2 - 4100].any()
    assert not window[WINDOW // 2 + 4100 :].any()
    assert window[WINDOW // 2 - 3900 : WINDOW // 2 + 3900].any()


def test_a_short_sound_in_a_long_silence_is_found() -> None:
    silence = np.zeros(20 * RATE, np.float32)
    [window] = windows(np.concatenate([silence, noise(0.5), silence]))
    np.testing.assert_array_equal(window, windows(noise(0.5))[0])


@pytest.mark.parametrize(("seconds", "count"), [(0.01, 1), (2, 1), (2.1, 2), (4, 2), (5, 3), (59.9, 30), (600, LIMIT)])
def test_a_long_sound_has_a_window_every_two_seconds_and_at_most_thirty(seconds: float, count: int) -> None:
    samples = noise(seconds)
    found = windows(samples)
    assert [len(window) for window in found] == [WINDOW] * count
    if count > 1:
        np.testing.assert_array_equal(found[0], samples[:WINDOW])
        np.testing.assert_array_equal(found[-1], samples[-WINDOW:])


def test_samples_are_not_changed() -> None:
    samples = noise(3)
    before = samples.copy()
    for window in windows(samples):
        log_mel(window)
    np.testing.assert_array_equal(samples, before)
