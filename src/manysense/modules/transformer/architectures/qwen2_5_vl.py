"""Qwen2.5-VL, as an embedding model and as a reranker that answers, such as lychee-rerank-mm. Bai et al. 2025.

It differs from Qwen2-VL in its towers, and in that the seconds between the frames of a video count for positions. The
prompt of a reranker is that of vec-ai/lychee-rerank-mm.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ..frames import PatchedFrames
from ..recipe import FolderFacts, Recipe, Tower
from . import qwen2_vl

INTERVAL = "second_per_grid_ts"


def _video(facts: FolderFacts) -> PatchedFrames:
    least, most = qwen2_vl.FRAME_PIXELS
    return PatchedFrames.of_folder(facts, least=least, most=most, interval=INTERVAL)


_TOWERS = {
    "image": qwen2_vl.TOWERS["image"],
    "video": Tower("get_video_features", "pixel_values_videos", "video_grid_thw", beside=(INTERVAL,)),
}


def recipe(config: Mapping[str, Any], task: str) -> Recipe:
    """task: "feature-extraction" is an embedding model, the others answer."""
    made = qwen2_vl.recipe({**config, "architectures": None}, task)
    note = None if made.note is None else made.note.replace("Qwen2-VL", "Qwen2.5-VL")
    return replace(made, policies=replace(made.policies, video=_video), towers=_TOWERS, note=note)
