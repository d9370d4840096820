"""A few texts, pictures, sounds and clips that the twins' tests and their users share. Deterministic."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

TEXTS = (
    "a red circle",
    "The piano song was played again at night, after the rain.",
    "Find the picture of a small dog and two cats in front of the old house",
    "x",
    "¿Dónde está el número 42? 你好, мир! 🙂",
)

RATE = 48_000  # hertz of every sound here


def pictures() -> list[Image.Image]:
    """Three RGB pictures: a wide one, a tall one, a square one; no size is a multiple of a patch."""
    y, x = np.mgrid[0:75, 0:130]
    waves = np.stack([128 + 127 * np.sin(x / 7), 128 + 127 * np.cos(y / 5), (x * 2 + y) % 256], axis=-1)
    wide = Image.fromarray(waves.astype(np.uint8))
    tall = Image.new("RGB", (90, 141), (250, 240, 60))
    pen = ImageDraw.Draw(tall)
    pen.ellipse((10, 20, 70, 80), fill=(200, 10, 20))
    pen.rectangle((30, 90, 88, 139), fill=(0, 20, 160))
    noise = np.random.default_rng(5).integers(0, 256, (101, 101, 3), dtype=np.uint8)
    return [wide, tall, Image.fromarray(noise)]


def sounds() -> list[np.ndarray]:
    """Four mono float32 sounds, 48 kHz: a rising tone, clicks, a swelling rumble of 12 s, a buzz with beats of 25 s."""
    rng = np.random.default_rng(7)

    def seconds(n: float) -> np.ndarray:
        return np.arange(int(n * RATE)) / RATE

    t = seconds(1.3)
    tone = 0.5 * np.sin(2 * np.pi * (300 + 900 * t) * t)
    clicks = np.zeros(int(0.7 * RATE))
    clicks[::4001] = 1.0
    hiss = rng.normal(0, 0.2, int(12 * RATE))
    rumble = 3 * np.convolve(hiss, np.ones(300) / 300, "same") * np.linspace(0.02, 1, len(hiss))
    t = seconds(25)
    buzz = 0.1 * np.sign(np.sin(2 * np.pi * 110 * (1 + t / 25) * t)) * (1 + np.sin(2 * np.pi * 0.3 * t))
    return [sound.astype(np.float32) for sound in (tone, clicks, rumble, buzz)]


def clip(frames: int = 6, width: int = 130, height: int = 75, seed: int = 0) -> list[Image.Image]:
    """`frames` RGB frames: a square that moves over a seeded background."""
    rng = np.random.default_rng(seed)
    back = rng.integers(0, 256, (5, 8, 3), dtype=np.uint8)
    ground = Image.fromarray(back).resize((width, height), Image.Resampling.BILINEAR)
    ink = tuple(int(value) for value in rng.integers(0, 256, 3))
    out = []
    for index in range(frames):
        frame = ground.copy()
        left = (index * width) // (frames + 2)
        ImageDraw.Draw(frame).rectangle((left, 10, left + 30, 40), fill=ink)
        out.append(frame)
    return out
