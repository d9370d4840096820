"""Tiny random twins of model families, each with its own oracle.

A twin has the real template, special tokens and processor values of its family; only width, depth and vocabulary
shrink. Its reference computes one item alone with transformers, tokenizers, torch, numpy and Pillow; nothing of the
library under test is imported here.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from . import answerers, bert, clap, clip, labellers, qwen2_5_omni, qwen2_vl, qwen3_vl, static, t5, towers, vl_reranker


@dataclass(frozen=True)
class Family:
    """build(folder, seed=0, **variant) writes a checkpoint; reference[modality](folder, item) is one item's vector."""

    name: str
    build: Callable[..., Path]
    reference: Mapping[str, Callable[..., np.ndarray]]

    @property
    def modalities(self) -> tuple[str, ...]:
        return tuple(self.reference)


def _family(name: str, build: Callable[..., Path], **reference: Callable[..., np.ndarray]) -> tuple[str, Family]:
    return name, Family(name, build, MappingProxyType(reference))


FAMILIES: dict[str, Family] = dict(
    [
        _family("bert", bert.build, text=bert.reference),
        _family("bert-bare", bert.bare, text=bert.reference),
        _family("t5", t5.build, text=t5.reference),
        _family("static", static.build, text=static.reference),
        _family("clip", clip.build, text=clip.reference_text, image=clip.reference_image),
        _family("clap", clap.build, text=clap.reference_text, audio=clap.reference_audio),
        _family(
            "towers",
            towers.build,
            text=towers.reference_text,
            image=towers.reference_image,
            audio=lambda folder, audio: towers.reference_audio(folder, audio, 48_000),
            video=towers.reference_video,
        ),
        _family(
            "qwen2_vl",
            qwen2_vl.build,
            text=lambda folder, text: qwen2_vl.reference(folder, {"text": text}),
            image=lambda folder, image: qwen2_vl.reference(folder, {"image": image}),
            video=lambda folder, frames: qwen2_vl.reference(folder, {"video": frames}),
        ),
        _family(
            "qwen2_5_omni",
            qwen2_5_omni.build,
            text=lambda folder, text: qwen2_5_omni.reference(folder, {"text": text}),
            image=lambda folder, image: qwen2_5_omni.reference(folder, {"image": image}),
            audio=lambda folder, audio: qwen2_5_omni.reference(folder, {"audio": (audio, 48_000)}),
        ),
        _family(
            "qwen3_vl",
            qwen3_vl.build,
            text=lambda folder, text, **more: qwen3_vl.reference(folder, text=text, **more),
            image=lambda folder, image, **more: qwen3_vl.reference(folder, image=image, **more),
            video=lambda folder, frames, **more: qwen3_vl.reference(folder, video_frames=frames, **more),
        ),
    ]
)

RERANKERS: dict[str, Callable[..., Path]] = {
    "labeller": labellers.build,
    "answerer": answerers.build,
    "vl_reranker": vl_reranker.build,
}
"""Name → build. Each module has references for pairs of its own."""


def folder(name: str, cache_dir: Path, **variant: Any) -> Path:
    """The folder of a twin under `cache_dir`, built on first use. Safe between processes that share `cache_dir`.

    name: of a family or a reranker.  variant: what its `build` takes, `seed` included.
    """
    spelled = repr(sorted(variant.items()))
    place = Path(cache_dir) / f"{name}-{hashlib.sha256(spelled.encode()).hexdigest()[:12]}"
    if not place.exists():
        place.parent.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(dir=place.parent, prefix=f".{name}-"))
        (RERANKERS.get(name) or FAMILIES[name].build)(fresh, **variant)
        try:
            os.rename(fresh, place)  # whole or not at all; whoever comes second keeps the first's
        except OSError:
            if not place.exists():
                raise
    return place
