"""Small towers for text, pictures and sounds in one space, as the models that ship with the package have them.

The text tower is a static embedding; the nets are random and recall meanings, and the sound net has a temporal part,
off which it spells the meanings that are words. Pictures are fitted into a square on the mean colour of their border;
sounds are log-mel windows of two seconds; a clip is the mean of four frames, joined with its sound by a small net.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn import functional

from . import static
from ._parts import as_vector, read_json, write_json

SIDE, RATE, WINDOW = 96, 16_000, 32_000
WIDTHS, BLOCKS, HIDDEN = (8, 12), (1, 2), 16
RECALL: dict[str, Any] = {"meanings": 7, "sharpness": 6.0}
TEMPORAL: dict[str, Any] = {"rows": 16, "width": 10, "dilations": [1, 2]}
LEXICON: dict[str, Any] = {"phonemes": 5, "places": 2, "longest": 3}
SOUNDS, CANDIDATES = 150, 128
"""Meanings of the sound net; of so many nearest ones those that are words are spelled."""
SILENT = 7.0
"""Added to the logit of nothing, so that in most columns nothing is said."""


def build(folder: Path, seed: int = 0) -> Path:
    """Write the folder of a model with one Towers module and return it."""
    static.build(folder / "text", seed)
    normalize = {"idx": 1, "name": "1", "path": "1_Normalize", "type": "sentence_transformers.models.Normalize"}
    write_json(folder / "text" / "modules.json", [*read_json(folder / "text" / "modules.json"), normalize])
    (folder / "text" / "1_Normalize").mkdir()
    random = torch.Generator().manual_seed(seed)
    for name, channels in (("image", 3), ("audio", 1)):
        shape = {"channels": channels, "widths": WIDTHS, "blocks": BLOCKS, "hidden": HIDDEN, "dimension": static.WIDTH}
        if name == "audio":
            shape["temporal"] = TEMPORAL
        tensors = _random_net(channels, random, "temporal" in shape)
        shape["recall"] = RECALL | ({"lexicon": LEXICON, "meanings": SOUNDS} if name == "audio" else {})
        tensors["recall.meanings"] = torch.randn(shape["recall"]["meanings"], static.WIDTH, generator=random) / 4
        tensors["recall.shares"] = torch.rand(shape["recall"]["meanings"], generator=random)
        write_json(folder / name / "config.json", shape)
        save_file(tensors, folder / name / "model.safetensors")
    write_json(folder / "fusion" / "config.json", {"dimension": static.WIDTH, "hidden": HIDDEN})
    save_file(_random_fusion(random), folder / "fusion" / "model.safetensors")
    places = {name: name for name in ("text", "image", "audio", "fusion")}
    write_json(folder / "towers.json", {**places, "frames": 4})
    entry = {"idx": 0, "name": "0", "path": "", "type": "manysense.modules.towers.module.Towers"}
    write_json(folder / "modules.json", [entry])
    return folder


def _random_net(channels: int, random: torch.Generator, temporal: bool) -> dict[str, Tensor]:
    tensors: dict[str, Tensor] = {}

    def layer(name: str, outside: int, inside: int, *kernel: int) -> None:
        fan = inside * int(np.prod(kernel or (1,)))
        tensors[f"{name}.weight"] = torch.randn(outside, inside, *kernel, generator=random) * (2 / fan) ** 0.5
        tensors[f"{name}.bias"] = torch.randn(outside, generator=random) * 0.3

    layer("stem.0", WIDTHS[0] // 2, channels, 3, 3)
    layer("stem.2", WIDTHS[0], WIDTHS[0] // 2, 2, 2)
    for index, (inside, outside, _) in enumerate(_blocks()):
        layer(f"stages.{index}.first", outside, inside, 3, 3)
        layer(f"stages.{index}.second", outside, outside, 3, 3)
        if inside != outside:
            layer(f"stages.{index}.shortcut", outside, inside, 1, 1)
    pooled = WIDTHS[-1]
    if temporal:
        pooled += TEMPORAL["width"]
        layer("temporal.fold", TEMPORAL["width"], WIDTHS[0], TEMPORAL["rows"], 3)
        for index in range(len(TEMPORAL["dilations"])):
            layer(f"temporal.blocks.{index}.first", TEMPORAL["width"], TEMPORAL["width"], 1, 5)
            layer(f"temporal.blocks.{index}.second", TEMPORAL["width"], TEMPORAL["width"], 1, 5)
        layer("recall.lexicon.read", LEXICON["places"] * LEXICON["phonemes"], TEMPORAL["width"])
        tensors["recall.lexicon.read.bias"][:: LEXICON["phonemes"]] += SILENT
        spelled = torch.randint(1, LEXICON["phonemes"], (SOUNDS, LEXICON["longest"]), generator=random)
        lengths = torch.randint(0, LEXICON["longest"] + 1, (SOUNDS, 1), generator=random)
        tensors["recall.lexicon.spellings"] = (spelled * (torch.arange(LEXICON["longest"]) < lengths)).to(torch.uint8)
    layer("head.0", HIDDEN, 2 * pooled)
    layer("head.2", static.WIDTH, HIDDEN)
    return tensors


def _random_fusion(random: torch.Generator) -> dict[str, Tensor]:
    made = {}
    for name, outside, inside in (("net.0", HIDDEN, 2 * static.WIDTH), ("net.2", static.WIDTH, HIDDEN)):
        made[f"{name}.weight"] = torch.randn(outside, inside, generator=random) / inside**0.5
        made[f"{name}.bias"] = torch.randn(outside, generator=random) * 0.1
    return made


def _blocks() -> list[tuple[int, int, int]]:
    """(channels in, channels out, stride) of each residual block."""
    return [(8, 8, 1), (8, 12, 2), (12, 12, 1)]


def _run(folder: Path, planes: np.ndarray) -> Tensor:
    """planes: (channels, height, width) of one picture or window.  Returns one vector of length 1."""
    net = load_file(folder / "model.safetensors")

    def conv(name: str, x: Tensor, stride: int, padding: int) -> Tensor:
        return functional.conv2d(x, net[f"{name}.weight"], net[f"{name}.bias"], stride, padding)

    x = torch.as_tensor(planes, dtype=torch.float32)[None]
    x = conv("stem.2", conv("stem.0", x, 2, 1).relu(), 2, 0).relu()
    ordered = before = None
    for index, (inside, outside, stride) in enumerate(_blocks()):
        name = f"stages.{index}"
        shortcut = x if inside == outside else conv(f"{name}.shortcut", x, stride, 0)
        x = (shortcut + conv(f"{name}.second", conv(f"{name}.first", x, stride, 1).relu(), 1, 1)).relu()
        if index == 0 and "temporal.fold.weight" in net:
            before, ordered = _ordered(net, x)[-2:]
    pooled = torch.cat([x.mean((2, 3)), x.amax((2, 3))], 1)
    if ordered is not None:
        pooled = torch.cat([pooled, ordered.mean(2), ordered.amax(2)], 1)
    hidden = functional.linear(pooled, net["head.0.weight"], net["head.0.bias"]).relu()
    vector = functional.normalize(functional.linear(hidden, net["head.2.weight"], net["head.2.bias"]), dim=1)[0]
    weights = torch.exp(RECALL["sharpness"] * (net["recall.meanings"] @ vector))
    if before is not None:
        spelled = {number: [one for one in row if one] for number, row in enumerate(_rows(net))}
        words = [number for number in weights.argsort(descending=True)[:CANDIDATES].tolist() if spelled[number]]
        fits = torch.tensor([_fit(net, before[0], spelled[number]) for number in words])
        pooled_opinions = (weights[words] * fits).sqrt()
        weights[words] = weights[words].sum() * pooled_opinions / pooled_opinions.sum()
    recalled = functional.normalize(net["recall.meanings"].T @ weights, dim=0)
    share = (weights * net["recall.shares"]).sum() / weights.sum()
    return functional.normalize((1 - share) * vector + share * recalled, dim=0)


def _rows(net: dict[str, Tensor]) -> list[list[int]]:
    rows: list[list[int]] = net["recall.lexicon.spellings"].tolist()
    return rows


def _fit(net: dict[str, Tensor], planes: Tensor, word: list[int]) -> float:
    """planes: (width, columns). How well they fit the phonemes of a word, in every way that it can lie over them."""
    read = functional.linear(planes.T, net["recall.lexicon.read.weight"], net["recall.lexicon.read.bias"])
    columns = read.reshape(-1, LEXICON["phonemes"]).double().softmax(1).tolist()
    reached = [1.0] + [0.0] * len(word)
    for chances in columns:
        if chances[0] >= 0.98:
            continue
        likely = [max(chance / max(chances), 1e-3) for chance in chances]
        new = [reached[0] * likely[0]]
        for place, phoneme in enumerate(word, 1):
            stays = reached[place] * (likely[0] + likely[phoneme])
            new.append(stays + reached[place - 1] * likely[phoneme])
        reached = new
    return reached[-1]


def _ordered(net: dict[str, Tensor], planes: Tensor) -> list[Tensor]:
    """(1, channels, rows, columns) → (1, width, columns) before and after each block of one-dimensional convolutions
    over the columns."""
    folded = functional.conv1d(
        planes.flatten(1, 2), net["temporal.fold.weight"].flatten(1, 2), net["temporal.fold.bias"], padding=1
    )
    found = [folded.relu()]
    for index, dilation in enumerate(TEMPORAL["dilations"]):
        x = made = found[-1]
        for name in (f"temporal.blocks.{index}.first", f"temporal.blocks.{index}.second"):
            kernel = net[f"{name}.weight"][:, :, 0]
            made = functional.conv1d(made.relu(), kernel, net[f"{name}.bias"], padding=2 * dilation, dilation=dilation)
        found.append((x + made).relu())
    return found


def _mean(vectors: list[Tensor]) -> Tensor:
    return functional.normalize(torch.stack(vectors).mean(0), dim=0)


def _picture(folder: Path, picture: Image.Image) -> Tensor:
    scale = SIDE / max(picture.size)
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    fitted = picture.convert("RGB").resize(size, Image.Resampling.BICUBIC, reducing_gap=3.0)
    pixels = np.asarray(fitted).astype(np.float64)
    border = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]]).mean(0).round()
    square = Image.new("RGB", (SIDE, SIDE), tuple(int(value) for value in border))
    square.paste(fitted, ((SIDE - size[0]) // 2, (SIDE - size[1]) // 2))
    return _run(folder / "image", np.asarray(square, np.float32).transpose(2, 0, 1) / 63.75 - 2)


def _windows(samples: np.ndarray) -> list[np.ndarray]:
    """Without the silence at both ends; one window around a short sound, windows in a row over a longer one."""
    whole = np.pad(samples, (0, -len(samples) % 160)).reshape(-1, 160)
    energy = (whole.astype(np.float64) ** 2).mean(1)
    loud = np.flatnonzero(energy >= energy.max() * 1e-5)
    heard = samples[loud[0] * 160 : (loud[-1] + 1) * 160]
    if len(heard) <= WINDOW:
        before = (WINDOW - len(heard)) // 2
        return [np.pad(heard, (before, WINDOW - len(heard) - before))]
    last = len(heard) - WINDOW
    return [heard[start : start + WINDOW] for start in [*range(0, last, WINDOW), last]]


def _log_mel(window: np.ndarray) -> np.ndarray:
    """(64, 200): 25 ms every 10 ms, 40 to 8000 Hz, 65 dB below the loudest to the loudest as -1 to 1."""
    padded = np.pad(window.astype(np.float64), 120)
    padded /= np.abs(padded).max()
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(400) / 400)
    power = np.array([np.abs(np.fft.rfft(padded[at : at + 400] * hann, 512)) ** 2 for at in range(0, WINDOW, 160)])
    low, high = (2595 * np.log10(1 + hertz / 700) for hertz in (40.0, 8000.0))
    edges = 700 * (10 ** (np.linspace(low, high, 66) / 2595) - 1)
    bins, step = np.arange(257) * RATE / 512, RATE / 512
    bands = np.empty((64, 200))
    for band in range(64):
        left, centre, right = edges[band : band + 3]
        rising = (bins - min(left, centre - step)) / max(centre - left, step)
        falling = (max(right, centre + step) - bins) / max(right - centre, step)
        triangle = np.clip(np.minimum(rising, falling), 0, None)
        bands[band] = power @ (triangle / triangle.sum())
    decibels = 10 * np.log10(np.maximum(bands / bands.max(), 10**-6.5))
    return 1 + decibels * 2 / 65


def _sound(folder: Path, samples: np.ndarray, rate: int) -> Tensor:
    import soxr

    heard = soxr.resample(samples.astype(np.float32), rate, RATE)
    return _mean([_run(folder / "audio", _log_mel(window)[None]) for window in _windows(heard)])


def reference_text(folder: Path, text: str) -> np.ndarray:
    vector: Any = static.reference(folder / "text", text)
    length = np.linalg.norm(vector)
    return vector / length if length else vector


def reference_image(folder: Path, picture: Image.Image) -> np.ndarray:
    return as_vector(_mean([_picture(folder, picture)]))


def reference_audio(folder: Path, samples: np.ndarray, rate: int) -> np.ndarray:
    return as_vector(_mean([_sound(folder, samples, rate)]))


def reference_video(folder: Path, frames: list[Image.Image], sound: tuple[np.ndarray, int] | None = None) -> np.ndarray:
    """frames: all of the clip.  sound: samples and rate of its track."""
    chosen = np.linspace(0, len(frames) - 1, 4).round().astype(int)
    seen = _mean([_picture(folder, frames[index]) for index in chosen])
    if sound is None:
        return as_vector(seen)
    heard, net = _sound(folder, *sound), load_file(folder / "fusion" / "model.safetensors")
    hidden = functional.linear(torch.cat([seen, heard]), net["net.0.weight"], net["net.0.bias"]).relu()
    added = functional.linear(hidden, net["net.2.weight"], net["net.2.bias"])
    return as_vector(functional.normalize(seen + heard + added, dim=0))
