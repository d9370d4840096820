"""Videos → the numbers a vision tower reads.

Knows: which frames are taken, pixel budgets of a whole clip. Does not know: models, files, single pictures (pixels.py).

Frames are resampled by torch on 8-bit pixels and normalised as transformers' video processors do, which is what the
authors of Qwen3-VL-Embedding use for them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from ...errors import UsageError
from ...media.types import ClipSize
from .pixels import (
    Arrays,
    Table,
    budget,
    cut_patches,
    lookup_table,
    picture_overrides,
    planes,
    smart_resize,
    unknown_overrides,
)
from .recipe import FolderFacts

LISTED_FPS = 2.0
"""Frames per second that the authors take a list of frames to have."""


class ClipPolicy(Protocol):
    """How the frames of one video are chosen and prepared. listed: frames that the caller sampled already."""

    def choose(self, size: ClipSize, listed: bool) -> list[int]: ...

    def tokens(self, size: ClipSize, count: int, listed: bool) -> tuple[int, int, int]:
        """(temporal patches, tokens of each, patches that the tower sees) for `count` frames."""
        ...

    def stamps(self, size: ClipSize, indices: Sequence[int], listed: bool) -> list[float]:
        """Seconds, one for each temporal patch."""
        ...

    def prepare(self, frames: npt.NDArray[np.uint8], listed: bool) -> Arrays: ...

    def changed(self, overrides: Mapping[str, Any]) -> ClipPolicy: ...


@dataclass(frozen=True, slots=True, eq=False)
class PatchedFrames:
    """Choose frames by rate, resize them into a budget, cut into patches → pixel_values_videos, video_grid_thw.

    fps: frames taken per second of video, between `fewest` and `most_frames`.  least, most: pixels per frame.
    total: pixels over all frames.  listed_factor: what the sides of listed frames are made multiples of on their own,
    before the clip is resized; None where they are not.  interval: the model's name for the seconds between two groups
    of frames, None where it reads none.  zero: of smart_resize.
    Source: qwen-vl-utils, `smart_nframes` and `fetch_video`.
    """

    table: Table
    fps: float = 1.0
    fewest: int = 4
    most_frames: int = 64
    least: int = 128 * 32 * 32
    most: int = 768 * 32 * 32
    total: float = 128_000 * 32 * 32 * 0.9
    listed_total: float = 10 * 768 * 32 * 32
    patch: int = 16
    merge: int = 2
    depth: int = 2
    listed_factor: int | None = 64
    interval: str | None = None
    zero: bool = False

    @classmethod
    def of_folder(cls, facts: FolderFacts, *, least: int, most: int, interval: str | None = None) -> PatchedFrames:
        """At twice a second, up to 768 frames. least, most: pixels of a frame where the folder says none."""
        patch, merge = int(facts.video.get("patch_size", 14)), int(facts.video.get("merge_size", 2))
        total = 128_000 * (patch * merge) ** 2 * 0.9
        made = cls(
            table=lookup_table(facts.video, fused=True),
            fps=2.0,
            most_frames=768,
            least=least,
            most=most,
            total=total,
            listed_total=math.inf,
            patch=patch,
            merge=merge,
            depth=int(facts.video.get("temporal_patch_size", 2)),
            listed_factor=None,
            interval=interval,
            zero=True,
        )
        return made.changed(picture_overrides(facts.video, ("min_pixels", "max_pixels", "size")))

    def beside(self, size: ClipSize, count: int, listed: bool) -> Arrays:
        """What the model reads beside the frames, `count` of them."""
        if self.interval is None:
            return {}
        rate = LISTED_FPS if listed else count / size.frames * size.fps
        return {self.interval: np.array(self.depth / rate, np.float32)}

    def choose(self, size: ClipSize, listed: bool) -> list[int]:
        from ...media.video import even_indices

        if listed:
            return thin(size.frames, self.most_frames)
        most = min(self.most_frames, size.frames) // self.depth * self.depth
        wanted = min(max(size.frames / size.fps * self.fps, self.fewest), most, size.frames)
        count = max(int(wanted) // self.depth * self.depth, min(self.depth, size.frames))
        return [int(i) for i in even_indices(size.times, count)]

    def _frame_size(self, height: int, width: int, count: int, listed: bool) -> tuple[int, int]:
        """(height, width) of every frame; `count` is a multiple of `depth`."""
        factor = self.patch * self.merge
        if listed and self.listed_factor is not None:
            height, width = self._first_size(height, width)
        most = max(
            min(self.most, (self.listed_total if listed else self.total) / count * self.depth), int(self.least * 1.05)
        )
        return smart_resize(height, width, factor, self.least, most, zero=self.zero)

    def _first_size(self, height: int, width: int) -> tuple[int, int]:
        factor = self.listed_factor
        assert factor is not None
        return smart_resize(height, width, factor, 4 * factor**2, 16384 * factor**2)

    def tokens(self, size: ClipSize, count: int, listed: bool) -> tuple[int, int, int]:
        time = -(-count // self.depth)
        height, width = self._frame_size(size.height, size.width, time * self.depth, listed)
        patches = height * width // self.patch**2
        return time, patches // self.merge**2, time * patches

    def stamps(self, size: ClipSize, indices: Sequence[int], listed: bool) -> list[float]:
        """The middle between the first and the last frame of each temporal patch; listed frames are 1/2 s apart."""
        times = [i / LISTED_FPS for i in range(len(indices))] if listed else [float(size.times[i]) for i in indices]
        while len(times) % self.depth:
            times.append(times[-1] if not listed else len(times) / LISTED_FPS)
        return [(times[i] + times[i + self.depth - 1]) / 2 for i in range(0, len(times), self.depth)]

    def prepare(self, frames: npt.NDArray[np.uint8], listed: bool) -> Arrays:
        if missing := -len(frames) % self.depth:
            frames = np.concatenate([frames, np.repeat(frames[-1:], missing, 0)])
        height, width = frames.shape[1:3]
        target = self._frame_size(height, width, len(frames), listed)
        if listed and self.listed_factor is not None:
            frames = _resized_by_pillow(frames, self._first_size(height, width))
        resized = _resized_by_torch(frames, target)
        cut = np.stack([planes(frame, self.table) for frame in resized])
        patches, grid = cut_patches(cut, self.patch, self.merge, self.depth)
        return {"pixel_values_videos": patches, "video_grid_thw": grid}

    def changed(self, overrides: Mapping[str, Any]) -> PatchedFrames:
        known = ("fps", "num_frames", "max_frames", "min_frames", "min_pixels", "max_pixels", "size", "total_pixels")
        unknown_overrides("video", overrides, known)
        least, most = budget(
            {k: v for k, v in overrides.items() if "pixels" in k and k != "total_pixels"},
            self.least,
            self.most,
            "video",
        )
        for name in ("fps", "num_frames", "max_frames", "min_frames", "total_pixels"):
            value = overrides.get(name)
            if value is not None and (isinstance(value, bool) or not isinstance(value, (int, float)) or not value > 0):
                raise UsageError(f"{name} must be a number above zero, got {value!r}")
        frames = overrides.get("num_frames")
        return replace(
            self,
            fps=float(overrides.get("fps", math.inf if frames else self.fps)),
            fewest=int(overrides.get("min_frames", self.fewest)),
            most_frames=int(frames or overrides.get("max_frames", self.most_frames)),
            least=least,
            most=most,
            total=float(overrides.get("total_pixels", self.total)),
            listed_total=float(overrides.get("total_pixels", self.listed_total)),
        )


def _resized_by_pillow(frames: npt.NDArray[np.uint8], target: tuple[int, int]) -> npt.NDArray[np.uint8]:
    from PIL import Image

    size = (target[1], target[0])
    return np.stack([np.asarray(Image.fromarray(frame).resize(size)) for frame in frames])


def _resized_by_torch(frames: npt.NDArray[np.uint8], target: tuple[int, int]) -> npt.NDArray[np.uint8]:
    """Bicubic with antialiasing, clamped and rounded to 8 bits, as torchvision resizes 8-bit tensors."""
    import torch
    from torch.nn import functional

    if frames.shape[1:3] == target:
        return frames
    pixels = torch.from_numpy(np.ascontiguousarray(frames.transpose(0, 3, 1, 2))).float()
    resized = functional.interpolate(pixels, target, mode="bicubic", antialias=True, align_corners=False)
    made: npt.NDArray[np.uint8] = resized.clamp_(0, 255).round_().to(torch.uint8).permute(0, 2, 3, 1).numpy()
    return made


def thin(count: int, most: int) -> list[int]:
    """All of `count` frames, or `most` of them from first to last by whole-number steps, as the authors do."""
    if count <= most:
        return list(range(count))
    return [int(i) for i in np.linspace(0, count - 1, most, dtype=int)]
